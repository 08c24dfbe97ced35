# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Airflow in memory behind the service proxy: it keeps objects, and shows and refuses them as each version does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.scp.dataops.plugins.module_utils.airflow import names
from ansible_collections.scp.dataops.plugins.module_utils.kube.masking import encoded

from ..fake_kube import FakeKube
from ..runs import NAMESPACE, SERVICE, cluster_with_service

KEYS = {"connections": "connection_id", "variables": "key", "pools": "name", "roles": "name", "users": "username"}
SECRET_NAME = re.compile("password|token|private_key")


def redacted(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: redacted(item, key) for key, item in value.items()}
    return "***" if isinstance(value, str) and value and SECRET_NAME.search(name) else value


class FakeAirflow(FakeKube):
    """``refuses`` maps a key to the detail with which Airflow refuses to write it."""

    version = "3"
    store: dict[str, dict[str, dict[str, Any]]]
    refuses: dict[str, tuple[int, Any]]
    asked: list[str]

    def secret(self, name: str, **values: str) -> None:
        metadata = {"name": name, "namespace": NAMESPACE}
        self.put(encoded({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}))

    def proxy(
        self,
        method: str,
        namespace: str,
        service: str,
        port: int,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        timeout: float = 10,
    ) -> tuple[int, bytes]:
        if path == "/auth/token":
            return 201, b'{"access_token": "SENTINEL-TOKEN"}'
        if path == "/login/":
            known = bool((cookies or {}).get("session"))
            if method == "POST" and cookies is not None:
                cookies["session"] = "s"
            return (302, b"") if known or method == "POST" else (200, b'<input name="csrf_token" value="x">')
        parts = urlsplit(path)
        kind, _slash, key = re.sub(r"^(/api/v[12]|/auth/fab/v1)/", "", unquote(parts.path)).partition("/")
        mask = f"?{parts.query}" if method == "PATCH" and parts.query else ""
        self.asked.append(f"{method} {kind}{'/' if key else ''}{key}{mask}")
        if method == "GET":
            items = [self._shown(kind, item) for item in self.store[kind].values()]
            return 200, json.dumps({kind: items, "total_entries": len(items)}).encode()
        if ("Content-Type" in (headers or {})) != bool(body):
            return 400, b"a body is announced if there is one"
        sent = json.loads(body) if body else {}
        return self._write(method, kind, key or sent[KEYS[kind]], sent)

    def _write(self, method: str, kind: str, key: str, sent: dict[str, Any]) -> tuple[int, bytes]:
        if key in self.refuses:
            status, detail = self.refuses[key]
            return status, json.dumps({"detail": detail}).encode()
        there = key in self.store[kind]
        if there == (method == "POST"):
            return (409 if there else 404), b'{"detail": "no"}'
        if method == "DELETE":
            del self.store[kind][key]
            return 204, b""
        self.store[kind][key] = {**self.store[kind].get(key, {}), **sent}
        return 200, json.dumps(self._shown(kind, self.store[kind][key])).encode()

    def _shown(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        if kind == "connections":
            extra = json.dumps(redacted(json.loads(item.get("extra") or "{}")))
            hidden = {"password": "***" if item.get("password") else None, "extra": extra}
            visible = {name: value for name, value in item.items() if name not in hidden}
            return visible if self.version == "2" else {**visible, **hidden}
        if kind == "variables" and self.version == "3":
            return {**item, "value": str(redacted(item["value"], item["key"]))}
        return {name: value for name, value in item.items() if name != "password"}


def airflow(version: str = "3") -> FakeAirflow:
    """A cluster with a running service, and in its Airflow only what it has from the start."""
    kube = cluster_with_service(version={"3": "3.3", "2": "2.11"}[version])
    kube.__class__ = FakeAirflow
    assert isinstance(kube, FakeAirflow)
    account = kube.find("Secret", names.account(SERVICE), NAMESPACE)
    assert account
    kube.version = version
    kube.refuses, kube.asked = {}, []
    own_user = {"username": "dataops", "email": "dataops@account.scp-dataops.invalid", "roles": [{"name": "Admin"}]}
    kube.store = {
        "connections": {},
        "variables": {},
        "pools": {"default_pool": {"name": "default_pool", "slots": 128}},
        "roles": {name: {"name": name, "actions": []} for name in ("Admin", "Op", "Public", "User", "Viewer")},
        "users": {"dataops": own_user},
    }
    kube.forget()
    return kube
