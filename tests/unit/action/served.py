# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster in memory behind a real port, for programs of their own such as ansible-playbook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.kube.kinds import KINDS

from ..fake_kube import FakeKube
from ..kube.fake_api import Answer, Asked, status

KIND_OF = {(facts.api_version, facts.plural): kind for kind, facts in KINDS.items()}
OBJECTS = re.compile(
    r"/apis?/(?P<version>v1|[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?"
)
PROXY = re.compile(
    r"/api/v1/namespaces/(?P<namespace>[^/]+)/services/(?P<service>[^/:]+):(?P<port>\d+)/proxy(?P<path>/.*)"
)


def served(kube: FakeKube) -> Callable[[Asked], Answer]:
    """What a FakeApi is to answer for this cluster."""

    def respond(asked: Asked) -> Answer:
        if proxied := PROXY.fullmatch(asked.path):
            code, body = kube.proxy(asked.method, proxied["namespace"], proxied["service"], 0, proxied["path"])
            return Answer(code, body)
        found = OBJECTS.fullmatch(asked.path)
        assert found, asked.path
        kind = KIND_OF[found["version"], found["plural"]]
        if found["name"]:
            return _one(kube, asked, kind, found["name"], found["namespace"])
        if asked.method == "POST":
            return Answer(201, kube.create(json.loads(asked.body)))
        if asked.query.get("watch"):
            return Answer(200, b"")
        items, version = kube.list_versioned(
            kind,
            found["namespace"],
            labels=asked.query.get("labelSelector", ""),
            fields=asked.query.get("fieldSelector", ""),
        )
        return Answer(200, {"metadata": {"resourceVersion": version}, "items": items})

    return respond


def _one(kube: FakeKube, asked: Asked, kind: str, name: str, namespace: str | None) -> Answer:
    dry_run = asked.query.get("dryRun") == "All"
    if asked.method == "PATCH" and "merge-patch" in asked.headers["Content-Type"]:
        return Answer(200, kube.patch(kind, name, namespace, json.loads(asked.body), dry_run=dry_run))
    if asked.method == "PATCH":
        return Answer(200, kube.apply(json.loads(asked.body), dry_run=dry_run))
    live: Any = kube.get(kind, name, namespace)
    if live is None:
        return status(404, "NotFound", f'{KINDS[kind].plural} "{name}" not found')
    if asked.method == "DELETE":
        kube.delete(kind, name, namespace, dry_run=dry_run)
    return Answer(200, live)
