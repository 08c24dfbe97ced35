# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove a service: its users first, then what runs, then what that stood on."""

from __future__ import annotations

from ..common.labels import COMPONENT, SERVICE
from ..common.labels import selector as label_selector
from ..common.outcome import Outcome
from ..kube.client import Kube
from ..kube.deletion import delete_all
from ..kube.objects import index
from ..kube.plan import Change, plan_prune
from . import rights
from .manifests import KEPT_KINDS, KINDS
from .plan import WORKLOADS, Request, read_live


def remove(kube: Kube, request: Request, *, purge: bool) -> Outcome:
    """Remove the service. Volumes and Secrets stay unless ``purge``; what stayed is named."""
    selector = label_selector(SERVICE, request.name)
    with rights.explained(kube, request.namespace):
        live = read_live(kube, request.namespace, request.name)
        pods = index(kube.list("Pod", request.namespace, labels=f"{selector},{COMPONENT}=task"))
    doomed = [*pods.values(), *(item for ref, item in live.items() if purge or ref.kind not in KEPT_KINDS)]
    changes = tuple(sorted(plan_prune(doomed, [], kinds={*KINDS, "Pod"}), key=removal_order))
    if not request.check_mode:
        first = [change.ref for change in changes if change.ref.kind == "Ingress"]
        running = [change.ref for change in changes if change.ref.kind in {*WORKLOADS, "Pod"}]
        rest = [change.ref for change in changes if change.ref not in {*first, *running}]
        for refs in (first, running, rest):
            if refs:
                delete_all(kube, refs, timeout=request.timeout)
    kept = () if purge else tuple(sorted(str(ref) for ref in live if ref.kind in KEPT_KINDS))
    return Outcome(changes=changes, details={"name": request.name, "state": "DELETED"}, kept=kept)


def removal_order(change: Change) -> tuple[int, str]:
    """Users first, then what runs, then what it stood on."""
    order = ("Ingress", "Deployment", "Job", "Pod", "StatefulSet")
    kind = change.ref.kind
    return (order.index(kind) if kind in order else len(order), str(change.ref))
