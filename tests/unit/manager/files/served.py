# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster in memory whose service proxy leads to the real console."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.scp.dataops.console.app import create_app
from ansible_collections.scp.dataops.console.settings import Settings
from ansible_collections.scp.dataops.plugins.module_utils.kube.transport import Answer
from fastapi.testclient import TestClient

from ...fake_kube import FakeKube, cluster_object
from ...runs import MANAGER, NAMESPACE

CONSOLE, KEYS = "dataops-manager-console", "dataops-manager-keys"
SECRETS = {
    "account": {"id": "dataops", "password": "SENTINEL-Password1!"},
    "keys": {"session-key": "SENTINEL-session", "engine-token": "SENTINEL-engine"},
}
READING = ("GET", "HEAD")


class Proxy:
    """What Kube.reach does. ``losses`` are statuses that the next requests are answered with, or errors."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self.asked: list[tuple[str, str]] = []
        self.losses: list[int | Exception] = []

    def reach(
        self,
        method: str,
        namespace: str,
        service: str,
        port: int,
        path: str,
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10,
    ) -> Answer:
        assert (namespace, service, port) == (NAMESPACE, CONSOLE, 80)
        self.asked.append((method, path.partition("?")[0].removeprefix("api/v1/files").strip("/")))
        if self.losses:
            loss = self.losses.pop(0)
            if isinstance(loss, Exception):
                raise loss
            if loss:
                return Answer(loss, b"no endpoints available for service")
        answer = self._client.request(method, f"/{path}", content=body, headers=dict(headers or {}))
        return Answer(answer.status_code, answer.content, (), answer.headers)

    @property
    def writes(self) -> list[str]:
        """What was asked for that leaves something behind which somebody may see."""
        return [path for method, path in self.asked if path.startswith("objects/") and method == "PATCH"] + [
            path for method, path in self.asked if path in ("stage", "activate")
        ]


def settings(folder: Path) -> Settings:
    """Of a console whose volume and Secrets are in this folder."""
    for name, values in SECRETS.items():
        (folder / "secrets" / name).mkdir(parents=True)
        for key, value in values.items():
            (folder / "secrets" / name / key).write_text(value)
    (folder / "files").mkdir()
    return Settings(manager=MANAGER, namespace=NAMESPACE, files=folder / "files", secrets=folder / "secrets")


@contextmanager
def console(folder: Path, kube: FakeKube, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The console of the Manager of this cluster, reached as it is from outside."""
    keys = {key: base64.b64encode(value.encode()).decode() for key, value in SECRETS["keys"].items()}
    kube.put(cluster_object("Secret", KEYS, metadata={"namespace": NAMESPACE}, data=keys))
    with TestClient(create_app(settings(folder), lambda: kube), raise_server_exceptions=False) as client:
        proxy = Proxy(client)
        monkeypatch.setattr(kube, "reach", proxy.reach)
        yield proxy
