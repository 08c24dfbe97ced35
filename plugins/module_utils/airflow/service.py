# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create or change a Data Ops Service: one path for check mode and for the real run."""

from __future__ import annotations

import time

from ..common.outcome import Outcome, Timeline
from ..kube.client import Kube
from . import status
from .plan import Request, make_plan, read_live
from .rollout import act


def apply(kube: Kube, request: Request, timeline: Timeline | None = None) -> Outcome:
    """Bring the service to what was asked; in check mode only say what that would do.

    :raises DataOpsError: one of its subclasses, always before a half-done state where that can be known before.
    """
    progress = timeline or Timeline()
    plan = make_plan(kube, request)
    if not request.check_mode:
        deadline = time.monotonic() + request.timeout
        act(kube, request, plan, progress, lambda: max(deadline - time.monotonic(), 1.0))
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
