# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What services there are and how they do, read only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..common import owner, record
from ..common.labels import INSTANCE, services_selector
from ..errors import ApiError, NotReady, Unreachable
from ..kube.client import Kube
from ..kube.objects import Manifest, Ref, index
from . import details, names, status
from .api import AirflowApi
from .drift import drift as differences
from .export import task
from .git import status as git_status
from .manifests import KINDS
from .plan import Live, Request, settled
from .secrets import decoded


@dataclass(frozen=True, kw_only=True)
class More:
    """What is told only when asked for, since it costs more requests or is long."""

    drift: bool = False
    export: bool = False


NO_MORE = More()


@dataclass(frozen=True)
class Seen:
    """Objects and pods of one service."""

    live: Live
    pods: list[Manifest] = field(default_factory=list)


def services_info(
    kube: Kube, namespace: str, manager: str, name: str = "", more: More = NO_MORE
) -> list[dict[str, Any]]:
    """All services of a Manager, or the one called ``name``, in the order of their names."""
    wanted = services_selector(manager, name=name or "")
    objects = by_service(kube.list_all(KINDS, namespace, labels=wanted))
    inherited = owner.inherited(owner.find(kube, namespace, manager))
    found = {
        service: live
        for service, items in sorted(objects.items())
        if Ref("ConfigMap", names.record(service), namespace) in (live := index(items))
    }
    pods = by_service(kube.list("Pod", namespace, labels=wanted)) if found else {}
    requests = {one: Request(name=one, manager=manager, namespace=namespace, options={}) for one in found}
    return [
        service_info(kube, requests[one], inherited, Seen(live, pods.get(one, [])), more) for one, live in found.items()
    ]


def by_service(items: list[Manifest]) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = {}
    for item in items:
        found.setdefault(item["metadata"]["labels"][INSTANCE], []).append(item)
    return found


def service_info(
    kube: Kube, request: Request, inherited: dict[str, Any], seen: Seen, more: More = NO_MORE
) -> dict[str, Any]:
    live = seen.live
    options = record.read(live[Ref("ConfigMap", names.record(request.name), request.namespace)])
    spec = settled(request, options, inherited, live)
    described = status.describe(spec, live)
    stopped = described["state"] == status.STOPPED
    account = decoded(live.get(Ref("Secret", names.account(request.name), request.namespace)))
    api = AirflowApi(kube, spec.namespace, spec.name, spec.profile, account)
    described["airflow"] = {} if stopped else api.health()
    described["git"] = git_status.described(kube, spec, api)
    commits = details.commits_by_pod(described["git"])
    described["replicas"] = details.replicas(described["components"], seen.pods, commits, kube.now())
    described["endpoints"] = details.endpoints(spec)
    described["uses"] = details.uses(spec, live)
    ailing = sorted(
        f"{part}: {word}" for part, word in described["airflow"].items() if word not in ("healthy", "unknown")
    )
    broken = [] if stopped else plugin_errors(api, described["files"]["plugins"])
    if ailing or broken:
        described["health"] = "unhealthy"
        described["reasons"] += [f"Airflow reports {line}" for line in ailing]
        described["reasons"] += [f"a plugin could not be loaded: {line}" for line in broken]
    if more.drift:
        described["drift"] = differences(kube, replace(request, state="stopped" if stopped else "present"))
    if more.export:
        described["task"] = task(spec, options, stopped=stopped)
    return described


def plugin_errors(api: AirflowApi, plugins: str) -> list[str]:
    """What Airflow says of uploaded plugins; nothing when it does not answer, which is a reason of its own.

    A class that two modules know is registered once, and Airflow lists the second one.
    """
    if not plugins:
        return []
    try:
        return [line for line in api.plugin_errors() if "already registered" not in line]
    except (ApiError, NotReady, Unreachable):
        return []
