# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Manager and its services as the API finds them: by id or by name, each with what its record tells."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow import info, names, status
from ansible_collections.scp.dataops.plugins.module_utils.airflow.plan import Live, Request, settled
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.common import activity, owner, record
from ansible_collections.scp.dataops.plugins.module_utils.common import validation as check
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import Entry
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import (
    services_selector,
)
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError, NotFound, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, index

from ..settings import Settings

MANAGER_ID, SERVICE_ID, IMAGE_ID = "DOPS-", "DOPSS-", "IMAGE-"
# What says how a service is, in few requests; pods, Secrets and Roles have no part in it.
KINDS = ("ConfigMap", "Deployment", "StatefulSet", "Ingress", "PersistentVolumeClaim")
# Every namespace has it, and it tells one cluster from another.
ROOT_CA = "kube-root-ca.crt"


@dataclass(frozen=True)
class Manager:
    name: str
    id: str
    created: str
    options: Mapping[str, Any]
    manifest: Manifest


@dataclass(frozen=True)
class Service:
    """``described``: how it is, empty when its record cannot be understood; ``problem`` says why then."""

    name: str
    id: str
    created: str
    options: Mapping[str, Any]
    spec: ServiceSpec | None = None
    described: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def manager(kube: Kube, settings: Settings) -> Manager:
    found = owner.find(kube, settings.namespace, settings.manager)
    if found is None:
        raise Refused(
            f"Manager '{settings.manager}' does not exist any more",
            where=f"namespace {settings.namespace}",
            next_step="Create it with scp.dataops.dataops_manager",
        )
    metadata = found["metadata"]
    return Manager(
        name=settings.manager,
        id=f"{MANAGER_ID}{metadata['uid']}",
        created=metadata["creationTimestamp"],
        options=record.read(found),
        manifest=found,
    )


def this_manager(kube: Kube, settings: Settings, asked: str) -> Manager:
    """:raises NotFound: it is not the Manager of this console."""
    found = manager(kube, settings)
    if asked not in (found.name, found.id):
        known(asked, MANAGER_ID, "data_ops_id")
        raise NotFound(
            "there is no such Manager here", where="data_ops_id", next_step=f"Use {found.id} or its name {found.name}"
        )
    return found


def known(asked: str, prefix: str, at: str) -> str:
    """:raises BadOption: it is neither an id nor a name."""
    if asked.startswith(prefix):
        return asked
    return check.name(asked, at)


def services(kube: Kube, settings: Settings) -> list[Service]:
    """All of them, in the order of their names."""
    wanted = services_selector(settings.manager)
    objects = info.by_service(kube.list_all(KINDS, settings.namespace, labels=wanted))
    inherited = owner.inherited(manager(kube, settings).manifest)
    found = ((name, index(items)) for name, items in sorted(objects.items()))
    return [seen(settings, name, inherited, live) for name, live in found if record_of(settings, name) in live]


def service(kube: Kube, settings: Settings, asked: str) -> Service:
    """By its id or its name.

    :raises NotFound: there is none.
    """
    known(asked, SERVICE_ID, "data_ops_service_id")
    found = next((item for item in services(kube, settings) if asked in (item.id, item.name)), None)
    if found is None:
        raise NotFound("there is no such service", where="data_ops_service_id", next_step="List /v1/data-ops-services")
    return found


def record_of(settings: Settings, name: str) -> Ref:
    return Ref("ConfigMap", names.record(name), settings.namespace)


def seen(settings: Settings, name: str, inherited: Mapping[str, Any], live: Live) -> Service:
    """One that a later release made may not be understood; that must not hide the others."""
    written = live[record_of(settings, name)]
    options = record.read(written)
    request = Request(name=name, manager=settings.manager, namespace=settings.namespace, options={})
    found = Service(
        name, f"{SERVICE_ID}{written['metadata']['uid']}", written["metadata"]["creationTimestamp"], options
    )
    try:
        spec = settled(request, options, inherited, live)
    except DataOpsError as error:
        return Service(found.name, found.id, found.created, options, problem=str(error))
    return Service(found.name, found.id, found.created, options, spec, status.describe(spec, live))


def missing(kube: Kube, settings: Settings, name: str) -> None:
    """:raises BadOption: it is no name. :raises Refused: it is taken."""
    if is_taken(kube, settings, name):
        raise Refused(
            f"service '{name}' exists",
            where="data_ops_service_name",
            next_step="Choose another name, or change it with PUT",
        )


def is_taken(kube: Kube, settings: Settings, name: str) -> bool:
    check.name(name, "data_ops_service_name")
    return kube.get("ConfigMap", names.record(name), settings.namespace) is not None


def cluster_id(kube: Kube, settings: Settings) -> str:
    """32 digits that are the same for everybody who looks at this cluster."""
    found = kube.get("ConfigMap", ROOT_CA, settings.namespace) or {}
    return hashlib.sha256((found.get("data") or {}).get("ca.crt", "").encode()).hexdigest()[:32]


def this_cluster(kube: Kube, settings: Settings, asked: str) -> str:
    """:raises NotFound: it is not the cluster of this console."""
    found = cluster_id(kube, settings)
    if asked != found:
        raise NotFound("there is no such cluster here", where="cluster_id", next_step=f"Use {found}")
    return found


@dataclass(frozen=True)
class History:
    """Who made and who last changed each target."""

    entries: list[Entry]

    def created_by(self, target: str) -> str | None:
        made = [entry for entry in self.entries if entry.target == target and entry.verb == "create"]
        return made[0].name if made else None

    def modified(self, target: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.target == target), None)


def history(kube: Kube, settings: Settings) -> History:
    return History(activity.read(kube.get("ConfigMap", activity.NAME, settings.namespace)))
