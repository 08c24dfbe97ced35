# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Manager's spec to manifests: pure, in the order in which they are applied."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..common import activity, owner, record
from ..common.labels import MANAGER, labels
from ..kube.objects import Manifest, without_none
from .spec import ManagerSpec

ACCOUNT = "dataops-manager-account"
FILES = owner.FILES
LOCK = "dataops-manager-lock"
KINDS = ("ConfigMap", "Secret", "PersistentVolumeClaim")
KEPT_KINDS = frozenset({"PersistentVolumeClaim", "Secret"})

# Pods of a service satisfy the strictest level, so that nothing weaker can be started beside them by mistake.
POD_SECURITY = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}


def render(spec: ManagerSpec, account: Mapping[str, str], options: Mapping[str, Any]) -> list[Manifest]:
    """:param options: what the record shall hold."""
    return [
        record.manifest(MANAGER, spec.name, spec.name, spec.namespace, owner.RECORD, options),
        activity.manifest(spec.name, spec.namespace),
        account_secret(spec, account),
        files_claim(spec),
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


def account_secret(spec: ManagerSpec, account: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(spec, ACCOUNT, "account"),
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in account.items()},
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
