# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there: Managers and their services, read only."""

from __future__ import annotations

from typing import Any

from ..common import checks, owner, record
from ..common.cluster import Cluster
from ..common.labels import INSTANCE
from ..errors import Forbidden
from ..kube.client import Kube
from . import manager, status


def manager_info(kube: Kube, namespace: str, name: str) -> dict[str, Any]:
    """The Manager (empty when there is none), its services' names, and the cluster's Ingress Controllers."""
    found = owner.find(kube, namespace, name)
    described: dict[str, Any] = {}
    if found is not None:
        live = manager.read_live(kube, namespace, name)
        nothing = manager.Request(name=name, namespace=namespace, options={})
        services = manager.services(kube, namespace, name)
        described = {
            **status.describe(manager.settled(nothing, record.read(found), live), live),
            "services": sorted(item["metadata"]["labels"][INSTANCE] for item in services),
        }
    return described


def ingress_info(kube: Kube) -> dict[str, Any]:
    """Ingress Controllers as IngressClasses name them, with the addresses they serve."""
    try:
        controllers, unread = checks.controllers_of(Cluster(kube, "")), []
    except Forbidden as error:
        controllers, unread = [], [f"ingress controller: {error.what}"]
    return {
        "controllers": [
            {
                "controller": item.controller,
                "classes": list(item.classes),
                "default": item.default,
                "addresses": list(item.addresses),
            }
            for item in controllers
        ],
        "not_checked": unread,
    }
