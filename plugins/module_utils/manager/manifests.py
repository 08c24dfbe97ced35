# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Manager's spec to manifests: pure, in the order in which they are applied."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..common import activity, owner, record
from ..common.labels import MANAGER, labels
from ..kube.objects import Manifest, without_none
from ..kube.rights import Right
from . import console
from .application import Application
from .names import ACCOUNT, FILES, KEYS
from .spec import ManagerSpec

KINDS = ("ConfigMap", "Secret", "PersistentVolumeClaim", *console.KINDS)
# Signs what browsers keep, and tells the console that a module asks.
SESSION_KEY, ENGINE_TOKEN = "session-key", "engine-token"
KEPT_KINDS = frozenset({"PersistentVolumeClaim", "Secret"})

# Pods of a service satisfy the strictest level, so that nothing weaker can be started beside them by mistake.
POD_SECURITY = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}


@dataclass(frozen=True, repr=False)
class Secrets:
    """What is made once. No ``repr``: nothing may print it by accident."""

    account: Mapping[str, str]
    keys: Mapping[str, str]


def render(
    spec: ManagerSpec,
    secrets: Secrets,
    application: Application,
    granted: Sequence[Right],
    options: Mapping[str, Any],
) -> list[Manifest]:
    """:param granted: rights of the console. :param options: what the record shall hold."""
    return [
        record.manifest(MANAGER, spec.name, spec.name, spec.namespace, owner.RECORD, options),
        activity.manifest(spec.name, spec.namespace),
        secret(spec, ACCOUNT, "account", secrets.account),
        secret(spec, KEYS, "keys", secrets.keys),
        files_claim(spec),
        *console.render(spec, application, granted, secrets.account, secrets.keys[SESSION_KEY]),
    ]


def namespace(spec: ManagerSpec) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": spec.namespace,
            "labels": {**labels(MANAGER, spec.name, spec.name, "namespace"), **POD_SECURITY},
        },
    }


def metadata(spec: ManagerSpec, name: str, component: str) -> Manifest:
    return {"name": name, "namespace": spec.namespace, "labels": labels(MANAGER, spec.name, spec.name, component)}


def secret(spec: ManagerSpec, name: str, component: str, values: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(spec, name, component),
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def files_claim(spec: ManagerSpec) -> Manifest:
    """Plugin, Shared and Python Library Files: every pod of every service reads them, so it is ReadWriteMany."""
    manifest: Manifest = without_none(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(spec, FILES, "files"),
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "storageClassName": spec.storage_class or None,
                "resources": {"requests": {"storage": spec.storage_size}},
            },
        }
    )
    return manifest
