# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a time was Airflow's own start-up, by the times that Kubernetes notes in the status of pods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from plugins.module_utils.common.labels import COMPONENT
from plugins.module_utils.kube.objects import Manifest

from .audit import moment


@dataclass(frozen=True)
class Start:
    """One part of Airflow, from the start of its container until it is ready; a Job's, until it has ended."""

    component: str
    begin: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds()


def starts(pods: Iterable[Manifest]) -> list[Start]:
    """Those of Airflow's pods that got there, in the order in which they began."""
    found = [start for pod in pods if (start := start_of(pod))]
    return sorted(found, key=lambda start: (start.begin, start.component))


def start_of(pod: Manifest) -> Start | None:
    """None for a pod that is not up, and for those of the stores: Airflow's containers are called like their component.

    After a crash it is the last try alone, so that a crash never counts as Airflow's start-up.
    """
    component = pod["metadata"]["labels"][COMPONENT]
    status = pod.get("status") or {}
    state = {each["name"]: each["state"] for each in status.get("containerStatuses") or []}.get(component, {})
    if ended := state.get("terminated"):
        return Start(component, moment(ended["startedAt"]), moment(ended["finishedAt"])) if succeeded(ended) else None
    ready = {each["type"]: each for each in status.get("conditions") or []}.get("Ready", {})
    if "running" not in state or ready.get("status") != "True":
        return None
    return Start(component, moment(state["running"]["startedAt"]), moment(ready["lastTransitionTime"]))


def succeeded(ended: Manifest) -> bool:
    return bool(ended["exitCode"] == 0)


def covered(found: Iterable[Start], begin: datetime, end: datetime) -> float:
    """Seconds between two times in which at least one part was starting; what happened at once counts once."""
    total, until = timedelta(), begin
    for start in sorted(found, key=lambda start: start.begin):
        first, last = max(start.begin, until), min(start.end, end)
        if last > first:
            total += last - first
            until = last
    return total.total_seconds()


def longest(found: Sequence[Start]) -> Start | None:
    return max(found, key=lambda start: start.seconds, default=None)


def crashes(pods: Iterable[Manifest]) -> list[str]:
    """Names of pods of which a container had to be started again."""
    return [
        pod["metadata"]["name"]
        for pod in pods
        if any(each["restartCount"] for each in (pod.get("status") or {}).get("containerStatuses") or [])
    ]
