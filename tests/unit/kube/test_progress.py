# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads while something starts: one line per change, and only what is unusual beside the count."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.feed import Seen
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref
from ansible_collections.scp.dataops.plugins.module_utils.kube.progress import last_line, line
from ansible_collections.scp.dataops.plugins.module_utils.kube.scene import CLAIMS, PODS, REPLICA_SETS, WARNINGS, Scene
from ansible_collections.scp.dataops.plugins.module_utils.kube.symptoms import examine

from . import workloads as w

READY = {"type": "Ready", "status": "True"}
UP = w.pod(w.container(), name="web-2-u", conditions=[READY])
STARTS = w.pod(w.container())
MADE = w.pod(w.container(waiting=("ContainerCreating", "")))
PULLS = w.pod(w.container(waiting=("ErrImagePull", "manifest unknown")))
TWO = w.deployment(replicas=2, existing=2, updatedReplicas=2, availableReplicas=1, readyReplicas=1)
ONE_OLD = w.deployment(existing=2, updatedReplicas=1, availableReplicas=2)
MIGRATES = w.job(active=1)
OF_JOB = ("Job", "migrate")

LINES: dict[str, tuple[Manifest, dict[str, list[Manifest]], str]] = {
    "change not seen": (w.deployment(seen=1), {}, ""),
    "no pod yet": (w.deployment(replicas=2), {PODS: []}, "it 0/2 ready"),
    "pods not looked at yet": (TWO, {}, "it 1/2 ready"),
    "old pods only, not looked at yet": (
        w.deployment(existing=1, updatedReplicas=0, availableReplicas=1, readyReplicas=1),
        {},
        "it 0/1 ready",
    ),
    "a container is made": (w.deployment(existing=1, updatedReplicas=1), {PODS: [MADE]}, "it 0/1 ready"),
    "a container runs": (w.deployment(existing=1, updatedReplicas=1), {PODS: [STARTS]}, "it 0/1 ready"),
    "a probe fails as it starts": (
        w.deployment(existing=1, updatedReplicas=1),
        {PODS: [STARTS], WARNINGS: [w.event("Pod", "web-2-a", "Unhealthy", "Startup probe failed")]},
        "it 0/1 ready",
    ),
    "an event that is not usual": (
        w.deployment(existing=1, updatedReplicas=1),
        {PODS: [MADE], WARNINGS: [w.event("Pod", "web-2-a", "FailedMount", "the volume is busy")]},
        "it 0/1 ready: container main is being made: ContainerCreating; last event: the volume is busy",
    ),
    "one of two": (TWO, {PODS: [UP, STARTS]}, "it 1/2 ready"),
    "an image cannot be pulled": (
        TWO,
        {PODS: [UP, PULLS]},
        "it 1/2 ready: Pod/web-2-a: container main cannot get image registry/app:1: manifest unknown",
    ),
    "an old pod leaves": (ONE_OLD, {PODS: [UP]}, "it 1/1 ready, 1 to go"),
    "ready, but not for long enough": (
        w.deployment(existing=1, updatedReplicas=1, availableReplicas=0),
        {PODS: [UP]},
        "",
    ),
    "stops": (w.deployment(replicas=0, existing=1), {}, "it stops: 1 old pod still there"),
    "job": (MIGRATES, {PODS: []}, "it"),
    "pod of a job runs": (MIGRATES, {PODS: [w.pod(w.container(), owner=OF_JOB)]}, "it"),
    "pod of a job failed once": (w.job(failed=1), {}, "it: tried again after 1 failure"),
    "job failed": (w.job("Failed", "no more tries"), {}, "it: the job failed: no more tries"),
    "volume": ({**w.claim(), "spec": {}}, {}, "it"),
    "database": (w.stateful_set(existing=1, readyReplicas=0), {}, "it 0/1 ready"),
}


def scene(item: Manifest, around: dict[str, list[Manifest]]) -> Scene:
    made = Scene()
    source = CLAIMS if item["kind"] == "PersistentVolumeClaim" else item["kind"]
    for name, items in {REPLICA_SETS: [w.replica_set()], **around, source: [item]}.items():
        made.take(Seen(name, items=tuple(items)))
    return made


def ref(item: Manifest) -> Ref:
    return Ref(item["kind"], item["metadata"]["name"], "x")


@pytest.mark.parametrize(("item", "around", "expected"), LINES.values(), ids=LINES.keys())
def test_line(item: Manifest, around: dict[str, list[Manifest]], expected: str) -> None:
    seen = scene(item, around)
    assert line(seen, ref(item), examine(seen, ref(item), w.NOW), w.NOW, "it") == expected


def test_what_does_not_exist_yet() -> None:
    empty = Scene()
    web = Ref("Deployment", "web", "x")
    assert line(empty, web, examine(empty, web, w.NOW), w.NOW, "it") == "it: it does not exist"


LAST: dict[str, tuple[Any, str]] = {
    "deployment": (w.up(), "it 1/1 ready after 12 s"),
    "stopped": (w.deployment(replicas=0), "it stopped after 12 s"),
    "job": (w.job("Complete"), "it: done after 12 s"),
    "volume": (w.claim(phase="Bound"), "it: its volume is bound after 12 s"),
}


@pytest.mark.parametrize(("item", "expected"), LAST.values(), ids=LAST.keys())
def test_last_line(item: Manifest, expected: str) -> None:
    assert last_line(scene(item, {}), ref(item), 12.3, "it") == expected
