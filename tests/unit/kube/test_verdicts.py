# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it up, and if not, why: a table for each kind."""

from __future__ import annotations

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest
from ansible_collections.scp.dataops.plugins.module_utils.kube.verdicts import VERDICTS, pod_verdict

from . import workloads as w

LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "has timed out"}
QUOTA = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}

WORKLOADS = {
    "controller is behind": (w.deployment(seen=1), "waiting: change not seen yet"),
    "no new pod yet": (w.deployment(replicas=2, updatedReplicas=1), "waiting: 1 of 2 pods are of the new revision"),
    "no new pod may be made": (
        w.deployment(conditions=[QUOTA]),
        "waiting: 0 of 1 pods are of the new revision: exceeded quota",
    ),
    "an old pod is left": (w.deployment(updatedReplicas=1, existing=2), "waiting: 1 old pod still there"),
    "not available": (w.deployment(updatedReplicas=1, existing=1), "waiting: 0 of 1 pods are available"),
    "no progress": (w.deployment(conditions=[LATE]), "failed: it makes no progress: has timed out"),
    "no progress before this change": (w.deployment(seen=1, conditions=[LATE]), "waiting: change not seen yet"),
    "up": (w.up(), "ready"),
    "stopped": (w.deployment(replicas=0), "ready"),
    "stopping": (w.deployment(replicas=0, updatedReplicas=1, existing=1), "waiting: 1 pod too many"),
    "stateful up": (w.stateful_set(existing=1, readyReplicas=1, updatedReplicas=1), "ready"),
    "stateful not ready": (w.stateful_set(existing=1), "waiting: 0 of 1 pods are ready"),
    "stateful rolls": (
        w.stateful_set(existing=1, readyReplicas=1, updateRevision="r2"),
        "waiting: 0 of 1 pods are of the new revision",
    ),
    "stateful replaced by hand": (
        w.stateful_set(by_hand=True, existing=1, readyReplicas=1, updateRevision="r2"),
        "ready",
    ),
    "stateful stopped": (w.stateful_set(replicas=0), "ready"),
    "job done": (w.job("Complete"), "ready"),
    "job failed": (w.job("Failed", "BackoffLimitExceeded"), "failed: the job failed: BackoffLimitExceeded"),
    "job runs": (w.job(active=1), "waiting: its pod runs"),
    "job tries again": (w.job(failed=2, active=1), "waiting: tried again after 2 failures"),
    "job starts": (w.job(), "waiting: its pod is not there yet"),
    "claim bound": (w.claim(phase="Bound"), "ready"),
    "claim pending": (w.claim(), "waiting: no volume is bound to it yet"),
    "claim lost": (w.claim(phase="Lost"), "failed: its volume is gone"),
}


@pytest.mark.parametrize(("item", "expected"), WORKLOADS.values(), ids=WORKLOADS.keys())
def test_workload(item: Manifest, expected: str) -> None:
    verdict = VERDICTS[item["kind"]](item)
    assert f"{verdict.state}: {verdict.why}".removesuffix(": ") == expected


READY = {"type": "Ready", "status": "True"}
BAD = {"exitCode": 1, "reason": "Error", "finishedAt": w.ago(5)}
LONG_AGO = {"exitCode": 1, "finishedAt": w.ago(86400)}
OOM = {"exitCode": 137, "reason": "OOMKilled"}
NO_NODE = "0/1 nodes are available: 1 Insufficient cpu."

PODS = {
    "image does not exist": (
        w.pod(w.container(waiting=("ErrImagePull", "manifest unknown"))),
        "failed: container main cannot get image registry/app:1: manifest unknown",
        0,
    ),
    "registry hiccup": (
        w.pod(w.container(waiting=("ImagePullBackOff", "i/o timeout"))),
        "failed: container main cannot get image registry/app:1: i/o timeout",
        30,
    ),
    "image name is none": (
        w.pod(w.container(waiting=("InvalidImageName", "couldn't parse image name"))),
        "failed: container main cannot get image registry/app:1: couldn't parse image name",
        0,
    ),
    "missing secret": (
        w.pod(w.container(waiting=("CreateContainerConfigError", 'secret "keys" not found'))),
        'failed: container main cannot start: secret "keys" not found',
        10,
    ),
    "crash loop": (
        w.pod(w.container(waiting=("CrashLoopBackOff", "back-off 10s"), last=BAD, restarts=2)),
        "failed: container main ended with exit code 1, 2 restarts so far",
        0,
    ),
    "out of memory": (
        w.pod(w.container(ended=OOM, restarts=1)),
        "failed: container main was killed as it used more memory than its limit (OOMKilled), 1 restart so far",
        0,
    ),
    "killed": (
        w.pod(w.container(ended={"exitCode": 143}, restarts=1)),
        "failed: container main was ended by SIGTERM (exit code 143), 1 restart so far",
        0,
    ),
    "first crash": (w.pod(w.container(ended=BAD)), "waiting: container main ended with exit code 1", 0),
    "runs again after two crashes": (
        w.pod(w.container(last=BAD, restarts=2)),
        "failed: container main ended with exit code 1, 2 restarts so far",
        0,
    ),
    "crashes of long ago": (
        w.pod(w.container(last=LONG_AGO, restarts=9)),
        "waiting: container main runs, but is not ready yet",
        0,
    ),
    "a job decides on crashes itself": (
        w.pod(w.container(waiting=("CrashLoopBackOff", ""), last=BAD, restarts=2), owner=("Job", "migrate")),
        "waiting: container main ended with exit code 1, 2 restarts so far",
        0,
    ),
    "no node": (w.pod(conditions=[w.unscheduled(NO_NODE, 41)]), f"failed: no node takes it: {NO_NODE}", 0),
    "no node for a moment": (w.pod(conditions=[w.unscheduled(NO_NODE, 5)]), f"waiting: no node takes it: {NO_NODE}", 0),
    "waits for a volume": (
        w.pod(conditions=[w.unscheduled("pod has unbound immediate PersistentVolumeClaims", 90)]),
        "waiting: a volume of it is not bound yet",
        0,
    ),
    "being made": (
        w.pod(w.container(waiting=("ContainerCreating", ""))),
        "waiting: container main is being made: ContainerCreating",
        0,
    ),
    "evicted": (
        w.pod(phase="Failed") | {"status": {"phase": "Failed", "message": "low on disk"}},
        "failed: low on disk",
        0,
    ),
    "done": (w.pod(phase="Succeeded"), "ready", 0),
    "ready": (w.pod(conditions=[READY]), "ready", 0),
}


@pytest.mark.parametrize(("item", "expected", "patience"), PODS.values(), ids=PODS.keys())
def test_pod(item: Manifest, expected: str, patience: int) -> None:
    verdict = pod_verdict(item, w.NOW)
    assert f"{verdict.state}: {verdict.why}".removesuffix(": ") == expected
    assert verdict.patience == patience
    assert (verdict.state != "failed") or verdict.next_step


def test_a_pod_that_goes_away_is_not_judged() -> None:
    leaving = w.pod(w.container(waiting=("CrashLoopBackOff", ""), last=BAD, restarts=2))
    leaving["metadata"]["deletionTimestamp"] = w.ago(1)
    assert pod_verdict(leaving, w.NOW).state == "waiting"


@pytest.mark.parametrize("kind", VERDICTS)
def test_an_object_without_status_is_waited_for(kind: str) -> None:
    assert VERDICTS[kind]({"kind": kind, "metadata": {"name": "a"}, "spec": {}}).state == "waiting"
