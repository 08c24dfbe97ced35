# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove a service: its users first, then what runs, then what that stood on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol

from ..common import activity, lock
from ..common.labels import COMPONENT, INSTANCE, SERVICE
from ..common.labels import selector as label_selector
from ..common.outcome import Outcome, Timeline
from ..kube.client import Kube
from ..kube.deletion import delete_all
from ..kube.objects import Manifest, index
from ..kube.plan import Change, plan_prune
from . import autoscaling, names, rights
from .manifests import KEPT_KINDS, KINDS
from .monitoring import prometheus
from .plan import Request, read_live
from .versions import AIRFLOW_3_COMPONENTS, FLOWER

# What uses the stores of a service.
USERS = frozenset({"Deployment", "Job", "Pod"})
# What runs no tasks, or is not needed by those that run.
IDLE = frozenset(component.name for component in (*AIRFLOW_3_COMPONENTS, FLOWER))


@dataclass(frozen=True)
class Found:
    """What is to be deleted, and what cannot be."""

    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()


class Belongings(Protocol):
    """What a service has outside of its own objects."""

    def look(self) -> Found: ...

    def alone(self, say: Callable[[str], None]) -> AbstractContextManager[object]:
        """Nobody else changes them meanwhile."""

    def remove(self) -> None:
        """Once the service is gone."""


def remove(
    kube: Kube, request: Request, *, purge: Belongings | None = None, timeline: Timeline | None = None
) -> Outcome:
    """Remove the service.

    :param purge: what goes with it, and with that its volumes and Secrets; without it they stay and are named.
    """
    progress = timeline or Timeline()
    changes, kept = look(kube, request, purge=purge is not None)
    more = purge.look() if purge else Found()
    if (changes or more.changes) and not request.check_mode:
        name, place = request.name, request.namespace
        with rights.explained(kube, place), ExitStack() as alone:
            # As whoever publishes, who has the Manager first and then each service.
            if purge and more.changes:
                alone.enter_context(purge.alone(progress.say))
            of_service = lock.alone(
                kube, SERVICE, name, request.manager, place, name=names.lock(name), say=progress.say
            )
            alone.enter_context(of_service)
            changes, kept = look(kube, request, purge=purge is not None)
            every = (*changes, *more.changes)
            deed = activity.Deed(by=request.by, target=f"service {name}", verb="remove", changes=every)
            with activity.told(kube, place, deed):
                delete_in_order(kube, request, changes, in_haste=purge is not None)
                if purge and more.changes:
                    purge.remove()
    details = {"name": request.name, "state": "DELETED"}
    return Outcome(
        changes=(*changes, *more.changes),
        details=details,
        kept=kept,
        warnings=more.warnings,
        timeline=tuple(progress.lines),
    )


def look(kube: Kube, request: Request, *, purge: bool) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """What is to be deleted, and the names of what stays."""
    selector = label_selector(SERVICE, request.name)
    with rights.explained(kube, request.namespace):
        live = read_live(kube, request.namespace, request.name)
        pods = index(kube.list("Pod", request.namespace, labels=f"{selector},{COMPONENT}=task"))
    doomed = [*pods.values(), *(item for ref, item in live.items() if purge or ref.kind not in KEPT_KINDS)]
    kinds = {*KINDS, *autoscaling.KINDS, *prometheus.KINDS, "Pod"}
    changes = tuple(sorted(plan_prune(doomed, [], kinds=kinds), key=removal_order))
    return changes, () if purge else tuple(sorted(str(ref) for ref in live if ref.kind in KEPT_KINDS))


def delete_in_order(kube: Kube, request: Request, changes: Sequence[Change], *, in_haste: bool) -> None:
    """Components end within seconds while they have a database; without one some try for a minute to reach it.

    :param in_haste: nobody will look at what they leave, so those that run no tasks are not waited for.
    """

    def is_idle(pod: Manifest) -> bool:
        labels = pod["metadata"].get("labels") or {}
        return labels.get(INSTANCE) == request.name and labels.get(COMPONENT) in IDLE

    first = [change.ref for change in changes if change.ref.kind == "Ingress"]
    running = [change.ref for change in changes if change.ref.kind in USERS]
    stores = [change.ref for change in changes if change.ref.kind == "StatefulSet"]
    rest = [change.ref for change in changes if change.ref not in {*first, *running, *stores}]
    for refs in (first, running, stores, rest):
        if refs:
            delete_all(kube, refs, timeout=request.timeout, hasten=is_idle if in_haste else None)


def removal_order(change: Change) -> tuple[int, str]:
    """Users first, then what runs, then what it stood on."""
    order = ("Ingress", "Deployment", "Job", "Pod", "StatefulSet")
    kind = change.ref.kind
    return (order.index(kind) if kind in order else len(order), str(change.ref))
