# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Manager is, in the words of the product. No secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common import owner
from ..kube.objects import Manifest, Ref
from . import manifests
from .spec import ManagerSpec


def describe(spec: ManagerSpec, live: Mapping[Ref, Manifest]) -> dict[str, Any]:
    exists = Ref("ConfigMap", owner.RECORD, spec.namespace) in live
    claim = live.get(Ref("PersistentVolumeClaim", manifests.FILES, spec.namespace), {})
    phase = claim.get("status", {}).get("phase", "Missing")
    return {
        "name": spec.name,
        "namespace": spec.namespace,
        "state": "RUNNING" if exists and phase != "Lost" else "ERROR" if exists else "UNDEPLOYED",
        "description": spec.description,
        "domain": spec.domain,
        "ingress_class": spec.ingress_class,
        "image_registry": spec.image_registry,
        "storage_class": spec.storage_class,
        "storage_size": spec.storage_size,
        "files": {"volume": manifests.FILES, "phase": phase},
        "account": {"id": spec.account_id, "secret": manifests.ACCOUNT, "key": "password"},
        "node_selector": dict(spec.node_selector),
        "host_aliases": [{"ip": alias.ip, "hostnames": list(alias.hostnames)} for alias in spec.host_aliases],
        "tags": dict(spec.tags),
        "default_settings": dict(spec.default_settings),
    }
