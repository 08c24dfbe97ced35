# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is it up? Pure answers with a reason: ready, waiting (and for what), or failed (it will not come by itself)."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from .objects import Manifest


@dataclass(frozen=True)
class Verdict:
    """State of an object and why; a failure may say what to do next and which container's log tells more.

    `patience`: for how many seconds a wait should see this failure before it believes it; some pass.
    `usual`: every start goes through this; a wait need not speak of it.
    `happened`: when what failed did so, where that is known; what was before the wait may have been mended since.
    """

    state: Literal["ready", "waiting", "failed"]
    why: str = ""
    next_step: str = ""
    container: str = ""
    patience: float = 0
    happened: datetime | None = None
    usual: bool = False


UNSEEN = "change not seen yet"
_UNSCHEDULABLE_FOR = 40
# A restart counts as trouble of now, not of the past, when it is younger than this.
_RECENT = 600
_SIGNALS_FROM = 128
_MANY = 2

_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
_CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
# What a registry says when asking again will not help; anything else may be a hiccup.
_PULL_IS_FINAL = re.compile(
    r"not found|unknown|denied|unauthorized|authentication|forbidden|invalid|no match for platform|does not exist",
    re.IGNORECASE,
)


def deployment(item: Manifest) -> Verdict:
    """Every replica runs the newest revision and is available, and no older one is left."""
    status, wanted = item.get("status") or {}, item["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < item["metadata"].get("generation", 0):
        return Verdict("waiting", UNSEEN)
    conditions = _conditions(item)
    progress = conditions.get("Progressing", {})
    if progress.get("reason") == "ProgressDeadlineExceeded":
        said = progress.get("message")
        return Verdict("failed", f"it makes no progress: {said}", "Look at its pods and their events")
    replicas, updated = status.get("replicas", 0), status.get("updatedReplicas", 0)
    available = status.get("availableReplicas", 0)
    if updated < wanted:
        trouble = conditions.get("ReplicaFailure", {})
        reason = f": {trouble.get('message')}" if trouble.get("status") == "True" else ""
        return Verdict("waiting", f"{updated} of {wanted} pods are of the new revision{reason}")
    if replicas > updated:
        return Verdict("waiting", f"{_counted(replicas - updated, 'old pod')} still there")
    if replicas > wanted:
        return Verdict("waiting", f"{_counted(replicas - wanted, 'pod')} too many")
    if available < wanted:
        return Verdict("waiting", f"{available} of {wanted} pods are available")
    return Verdict("ready")


def stateful_set(item: Manifest) -> Verdict:
    """Every replica is ready and (unless pods are replaced by hand) of the newest revision."""
    status, wanted = item.get("status") or {}, item["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < item["metadata"].get("generation", 0):
        return Verdict("waiting", UNSEEN)
    by_hand = (item["spec"].get("updateStrategy") or {}).get("type") == "OnDelete"
    replicas, ready = status.get("replicas", 0), status.get("readyReplicas", 0)
    if replicas > wanted:
        return Verdict("waiting", f"{_counted(replicas - wanted, 'pod')} too many")
    newest = status.get("currentRevision") == status.get("updateRevision")
    if not by_hand and not newest and status.get("updatedReplicas", 0) < wanted:
        return Verdict("waiting", f"{status.get('updatedReplicas', 0)} of {wanted} pods are of the new revision")
    if ready < wanted:
        return Verdict("waiting", f"{ready} of {wanted} pods are ready")
    return Verdict("ready")


def job(item: Manifest) -> Verdict:
    """It ran to completion."""
    conditions = _conditions(item)
    if conditions.get("Complete", {}).get("status") == "True":
        return Verdict("ready")
    failure = conditions.get("Failed", {})
    if failure.get("status") == "True":
        said = failure.get("message") or failure.get("reason") or "it gave no reason"
        return Verdict("failed", f"the job failed: {said}", "Correct what the log names, then run this again")
    status = item.get("status") or {}
    if status.get("failed"):
        return Verdict("waiting", f"tried again after {_counted(status['failed'], 'failure')}")
    return Verdict("waiting", "its pod runs" if status.get("active") else "its pod is not there yet", usual=True)


def claim(item: Manifest) -> Verdict:
    """It is bound to a volume."""
    phase = (item.get("status") or {}).get("phase")
    if phase == "Bound":
        return Verdict("ready")
    if phase == "Lost":
        return Verdict("failed", "its volume is gone", "Restore the volume, or delete the claim to get an empty one")
    return Verdict("waiting", "no volume is bound to it yet", usual=True)


VERDICTS: dict[str, Callable[[Manifest], Verdict]] = {
    "Deployment": deployment,
    "StatefulSet": stateful_set,
    "Job": job,
    "PersistentVolumeClaim": claim,
}


def pod_verdict(pod: Manifest, now: datetime) -> Verdict:
    """State of a pod; `now` by the API server's clock. Crashes of a Job's pod are not final: its Job decides."""
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return Verdict("waiting", "it is going away")
    if status.get("phase") == "Succeeded":
        return Verdict("ready")
    for container in _containers(pod):
        verdict = _container(container, now)
        if verdict and verdict.container and owner_of(pod, "Job"):
            verdict = replace(verdict, state="waiting")
        if verdict:
            return verdict
    if status.get("phase") == "Failed":
        return Verdict("failed", status.get("message") or status.get("reason") or "it failed", "Look at its events")
    conditions = _conditions(pod)
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        return _unschedulable(scheduled, now)
    if conditions.get("Ready", {}).get("status") == "True":
        return Verdict("ready")
    return _progress(pod)


def owner_of(item: Manifest, kind: str) -> str:
    """Name of the controller of that kind that made the object, or ""."""
    owners = item["metadata"].get("ownerReferences") or []
    return next((str(o["name"]) for o in owners if o.get("controller") and o.get("kind") == kind), "")


def time_of(text: str | None) -> datetime | None:
    """A time as Kubernetes writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def ended(termination: dict[str, Any]) -> str:
    """How a container ended, in words."""
    code = int(termination.get("exitCode") or 0)
    if termination.get("reason") == "OOMKilled":
        return "was killed as it used more memory than its limit (OOMKilled)"
    if code > _SIGNALS_FROM:
        number = code - _SIGNALS_FROM
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        return f"was ended by {name} (exit code {code})"
    said = str(termination.get("message") or "").strip()
    return f"ended with exit code {code}{f': {said}' if said else ''}"


def _unschedulable(condition: dict[str, Any], now: datetime) -> Verdict:
    message = str(condition.get("message") or "")
    if "unbound immediate PersistentVolumeClaims" in message:
        return Verdict("waiting", "a volume of it is not bound yet")
    since = time_of(condition.get("lastTransitionTime"))
    if since is None or (now - since).total_seconds() < _UNSCHEDULABLE_FOR:
        return Verdict("waiting", f"no node takes it: {message}")
    return Verdict("failed", f"no node takes it: {message}", "Choose a smaller size, or add a node it may run on")


def _container(container: dict[str, Any], now: datetime) -> Verdict | None:
    """What is wrong with a container; None when nothing is."""
    state, last = container.get("state") or {}, (container.get("lastState") or {}).get("terminated") or {}
    waiting, current = state.get("waiting") or {}, state.get("terminated") or {}
    name, reason, message = container["name"], waiting.get("reason") or "", waiting.get("message") or ""
    if reason in _PULL:
        final = reason == "InvalidImageName" or bool(_PULL_IS_FINAL.search(message))
        return Verdict(
            "failed",
            f"container {name} cannot get image {container.get('image')}: {message or reason}",
            "Correct the image's name, or give the namespace what the registry asks for",
            patience=0 if final else 30,
        )
    if reason in _CONFIG:
        return Verdict(
            "failed",
            f"container {name} cannot start: {message or reason}",
            "Create or correct what it names",
            patience=10,
        )
    restarts = container.get("restartCount", 0)
    ending = current or last
    crashes = reason == "CrashLoopBackOff"
    if current.get("exitCode") and restarts >= 1:
        crashes = True
    if last.get("exitCode") and restarts >= _MANY and not container.get("ready") and _is_recent(last, now):
        crashes = True
    if not crashes:
        return None
    memory = ending.get("reason") == "OOMKilled"
    next_step = "Give it more memory" if memory else "Correct what its log names, then run this again"
    why = f"container {name} {ended(ending)}, {_counted(restarts, 'restart')} so far"
    return Verdict("failed", why, next_step, container=name, happened=time_of(ending.get("finishedAt")))


def _is_recent(termination: dict[str, Any], now: datetime) -> bool:
    finished = time_of(termination.get("finishedAt"))
    return finished is None or (now - finished).total_seconds() < _RECENT


def _containers(pod: Manifest) -> Iterator[dict[str, Any]]:
    status = pod.get("status") or {}
    yield from status.get("initContainerStatuses") or []
    yield from status.get("containerStatuses") or []


def _progress(pod: Manifest) -> Verdict:
    for container in _containers(pod):
        state = container.get("state") or {}
        waiting = state.get("waiting") or {}
        if waiting and waiting.get("reason") != "PodInitializing":
            said = waiting.get("message") or waiting.get("reason")
            why = f"container {container['name']} is being made: {said}"
            return Verdict("waiting", why, usual=said == "ContainerCreating")
        if (state.get("terminated") or {}).get("exitCode"):
            return Verdict("waiting", f"container {container['name']} {ended(state['terminated'])}")
        if "running" in state and not container.get("ready"):
            return Verdict("waiting", f"container {container['name']} runs, but is not ready yet", usual=True)
    why = "it is not ready yet" if list(_containers(pod)) else "its containers are not there yet"
    return Verdict("waiting", why, usual=True)


def _conditions(item: Manifest) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in (item.get("status") or {}).get("conditions") or []}


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
