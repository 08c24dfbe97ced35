# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out the trial of uploaded files: before anything restarts, and with what is in use left in use if it fails."""

from __future__ import annotations

import json
from collections.abc import Callable

from ...common.outcome import Timeline
from ...errors import NotReady, Refused
from ...kube.client import Kube
from ...kube.deletion import delete_all
from ...kube.objects import Ref, ref_of
from ...kube.plan import carry_out
from .. import inside
from ..inside import Wait
from ..plan import Plan
from ..spec import ServiceSpec

WHAT = {"libraries": "the libraries cannot be installed", "plugins": "the plugins cannot be loaded"}
INSTALLED = "libraries: "


def prove(kube: Kube, plan: Plan, progress: Timeline, wait: Wait, left: Callable[[], float]) -> None:
    """Run those Jobs of the plan that have not succeeded yet, one after the other.

    :raises Refused: with what is wrong with the files.
    :raises NotReady: when a Job could not run.
    """
    for item in plan.stages.files:
        ref = ref_of(item)
        if not plan.unready([item]):
            continue
        if ref in plan.replaced_jobs:
            delete_all(kube, [ref], timeout=left())
        carry_out(kube, plan.of([item]))
        try:
            wait([ref])
        except NotReady as error:
            raise explained(kube, plan.spec, ref, error) from error
        for line in inside.printed(kube, ref).splitlines():
            if line.startswith(INSTALLED):
                progress.say(line)


def explained(kube: Kube, spec: ServiceSpec, job: Ref, error: NotReady) -> Refused | NotReady:
    """What the program in the Job found wrong, or else why it could not run."""
    what = next(text for part, text in WHAT.items() if job.name.startswith(f"{spec.name}-{part}-"))
    for line in reversed(inside.printed(kube, job).splitlines()):
        if line.startswith('{"refused": '):
            told: dict[str, str] = json.loads(line)
            return Refused(
                f"{what}: {told['refused']}",
                where=f"service {spec.name}",
                next_step=f"Nothing was restarted. {told['next_step']}",
            )
    return NotReady(
        f"{what}: {error.what}", where=f"service {spec.name}", next_step=f"Nothing was restarted. {error.next_step}"
    )
