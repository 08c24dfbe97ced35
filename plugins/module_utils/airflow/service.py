# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create or change a Data Ops Service: one path for check mode and for the real run.

A run that has something to write does so alone, and plans anew if another run changed the service in between.
"""

from __future__ import annotations

from dataclasses import replace

from ..common import activity, lock
from ..common.deadline import Deadline
from ..common.labels import SERVICE
from ..common.outcome import Outcome, Timeline
from ..kube.client import Kube
from . import names, rights, status
from .plan import Plan, Request, look, make_plan, read_live
from .rollout import act, prove_only


def apply(kube: Kube, request: Request, timeline: Timeline | None = None) -> Outcome:
    """Bring the service to what was asked; in check mode only say what that would do.

    :raises DataOpsError: one of its subclasses, always before a half-done state where that can be known before.
    """
    progress = timeline or Timeline()
    plan = make_plan(kube, request)
    if not request.check_mode:
        plan = carried_out(kube, request, plan, progress)
    untouched = request.check_mode or not plan.changes
    live = plan.live if untouched else read_live(kube, request.namespace, request.name)
    return Outcome(
        changes=plan.changes,
        details=status.describe(plan.spec, live),
        restarted=plan.restarted,
        not_checked=plan.not_checked,
        warnings=plan.warnings,
        timeline=tuple(progress.lines),
    )


def carried_out(kube: Kube, request: Request, plan: Plan, progress: Timeline) -> Plan:
    """Act, alone if anything is to be written; the plan that was carried out."""
    deadline = Deadline(request.timeout)
    if not plan.changes:
        act(kube, request, plan, progress, deadline)
        return plan
    name, place = request.name, request.namespace
    alone = lock.alone(kube, SERVICE, name, request.manager, place, name=names.lock(name), say=progress.say)
    with rights.explained(kube, place), alone:
        current = plan if is_current(kube, request, plan) else make_plan(kube, request)
        with activity.told(kube, place, current.deed):
            act(kube, request, current, progress, deadline)
    return current


def prove(kube: Kube, request: Request, progress: Timeline) -> None:
    """Try the uploaded files that the request names, in the image of the service; nothing else is touched.

    :raises Refused: they do not work there.
    """
    plan = make_plan(kube, replace(request, preflight=False))
    if not plan.unready(plan.stages.files):
        return
    name, place = request.name, request.namespace
    alone = lock.alone(kube, SERVICE, name, request.manager, place, name=names.lock(name), say=progress.say)
    with rights.explained(kube, place), alone:
        prove_only(kube, request, plan, progress, Deadline(request.timeout))


def is_current(kube: Kube, request: Request, plan: Plan) -> bool:
    """Whether the service still is what it was when the plan was made."""
    live, _manager, uploads = look(kube, request)
    return uploads == plan.spec.uploads and lock.picture(live) == lock.picture(plan.live)
