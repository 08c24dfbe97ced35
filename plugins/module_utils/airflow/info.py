# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What services there are and how they do, read only."""

from __future__ import annotations

from typing import Any

from ..common import owner, record
from ..common.labels import INSTANCE, MANAGED, MANAGED_BY, NAME, PART_OF, SERVICE
from ..kube.client import Kube
from ..kube.objects import Manifest, Ref, index
from . import names, status
from .api import AirflowApi
from .git import status as git_status
from .manifests import KINDS
from .plan import Live, Request, settled
from .secrets import decoded


def services_info(kube: Kube, namespace: str, manager: str, name: str = "") -> list[dict[str, Any]]:
    """All services of a Manager, or the one called ``name``, in the order of their names."""
    wanted = f"{NAME}={SERVICE},{PART_OF}={manager},{MANAGED}={MANAGED_BY}" + (f",{INSTANCE}={name}" if name else "")
    by_service: dict[str, list[Manifest]] = {}
    for item in kube.list_all(KINDS, namespace, labels=wanted):
        by_service.setdefault(item["metadata"]["labels"][INSTANCE], []).append(item)
    inherited = owner.inherited(owner.find(kube, namespace, manager))
    found = {
        service: live
        for service, items in sorted(by_service.items())
        if Ref("ConfigMap", names.record(service), namespace) in (live := index(items))
    }
    return [
        service_info(kube, Request(name=service, manager=manager, namespace=namespace, options={}), inherited, live)
        for service, live in found.items()
    ]


def service_info(kube: Kube, request: Request, inherited: dict[str, Any], live: Live) -> dict[str, Any]:
    options = record.read(live[Ref("ConfigMap", names.record(request.name), request.namespace)])
    spec = settled(request, options, inherited, live)
    described = status.describe(spec, live)
    account = decoded(live.get(Ref("Secret", names.account(request.name), request.namespace)))
    api = AirflowApi(kube, spec.namespace, spec.name, spec.profile, account)
    described["airflow"] = api.health() if described["state"] != status.STOPPED else {}
    described["git"] = git_status.described(kube, spec, api)
    ailing = sorted(
        f"{part}: {word}" for part, word in described["airflow"].items() if word not in ("healthy", "unknown")
    )
    if ailing:
        described["health"] = "unhealthy"
        described["reasons"] += [f"Airflow reports {line}" for line in ailing]
    return described
