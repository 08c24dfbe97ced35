# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a target is not ready, found in what surrounds it: its pods, their volumes, the events about them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from .objects import Manifest, Ref, ref_of
from .scene import CLAIM_EVENTS, WARNINGS, Scene, happened
from .verdicts import UNSEEN, VERDICTS, Verdict, ended, pod_verdict

# Seconds after which a trouble that may pass is believed.
_VOLUME_PATIENCE = 40
_MOUNT_PATIENCE = 40
_CREATE_PATIENCE = 15
# News of a failed Job may come before that of its pod, which tells why.
_POD_NEWS_PATIENCE = 5
# A probe fails until what it asks is up.
PROBE_FAILED = "Unhealthy"
# An event older than this is about the past.
_RECENT = 120


@dataclass(frozen=True)
class Finding:
    """A verdict and the object it is about: the target itself, one of its pods or one of its claims.

    `reason`: what is unusual around the target and keeps it from being ready.
    """

    verdict: Verdict
    about: Ref
    reason: str = ""


def examine(scene: Scene, ref: Ref, now: datetime) -> Finding:
    """State of a target with the best reason to be had: a failure around it, else what it waits for."""
    item = scene.target(ref)
    if item is None:
        return Finding(Verdict("waiting", "it does not exist"), ref)
    verdict = VERDICTS[ref.kind](item)
    own = Finding(verdict, ref)
    if verdict.state == "ready" or verdict.why == UNSEEN:
        return own
    if verdict.state == "failed":
        return Finding(_with_crash(scene, ref, verdict), _culprit(scene, ref))
    around = list(_around(scene, ref, item, now))
    failed = [finding for finding in around if finding.verdict.state == "failed"]
    if failed:
        worst = min(failed, key=lambda finding: finding.verdict.patience)
        return replace(worst, reason=f"{worst.about}: {worst.verdict.why}" if worst.about != ref else worst.verdict.why)
    hint = next((finding for finding in around if finding.verdict.state == "waiting"), None)
    if hint is None:
        return own
    reason = "" if hint.verdict.usual else hint.verdict.why
    if hint.about == ref:
        return Finding(hint.verdict, ref, reason)
    return Finding(replace(verdict, why=f"{verdict.why}; {hint.about}: {hint.verdict.why}"), ref, reason)


def _around(scene: Scene, ref: Ref, item: Manifest, now: datetime) -> Iterator[Finding]:
    for claim in scene.claims(ref):
        if VERDICTS["PersistentVolumeClaim"](claim).state != "ready":
            yield Finding(_unbound(scene, claim), ref_of(claim))
    for pod in scene.pods(ref):
        # An evicted pod stays as a trace; its controller has made another one, which is looked at in turn.
        if (pod.get("status") or {}).get("phase") not in ("Failed", "Succeeded"):
            yield Finding(_pod(scene, pod, now), ref_of(pod))
    missing = _cannot_create(scene, ref, item, now)
    if missing:
        yield Finding(missing, ref)


def _pod(scene: Scene, pod: Manifest, now: datetime) -> Verdict:
    verdict = pod_verdict(pod, now)
    if verdict.state == "ready" or verdict.container:
        return verdict
    for event in scene.events(WARNINGS, pod):
        message = str(event.get("message") or "").strip()
        if _is_old(event, now):
            continue
        if verdict.state == "failed":
            # Older kubelets keep the registry's own sentence in the event only.
            if message.startswith("Failed to pull image") and "Back-off" in verdict.why:
                return replace(verdict, why=f"{verdict.why}: {message}")
            continue
        if event.get("reason") == "FailedMount" and "not found" in message:
            return Verdict(
                "failed", f"a volume cannot be mounted: {message}", "Create what it names", patience=_MOUNT_PATIENCE
            )
        if message not in verdict.why:
            usual = verdict.usual and event.get("reason") == PROBE_FAILED
            return replace(verdict, why=f"{verdict.why}; last event: {message}", usual=usual)
    return verdict


def _unbound(scene: Scene, claim: Manifest) -> Verdict:
    verdict = VERDICTS["PersistentVolumeClaim"](claim)
    if verdict.state == "failed":
        return verdict
    events = scene.events(CLAIM_EVENTS, claim)
    reasons = {str(event.get("reason")): str(event.get("message") or "") for event in reversed(events)}
    newest = str(events[0].get("reason")) if events else ""
    if newest in ("ProvisioningFailed", "FailedBinding"):
        return Verdict(
            "failed",
            f"no volume can be made for it: {reasons[newest]}",
            "Choose a storage class that this cluster provides",
            patience=_VOLUME_PATIENCE,
        )
    if "ExternalProvisioning" in reasons and "Provisioning" not in reasons:
        return Verdict(
            "failed",
            f"nobody makes a volume for it: {reasons['ExternalProvisioning']}",
            "See that the provisioner of its storage class runs",
            patience=_VOLUME_PATIENCE,
        )
    if newest == "WaitForFirstConsumer":
        return Verdict("waiting", "its volume is made once a pod needs it")
    return replace(verdict, why=f"{verdict.why}: {reasons[newest]}") if newest else verdict


def _cannot_create(scene: Scene, ref: Ref, item: Manifest, now: datetime) -> Verdict | None:
    """The controller is not allowed to make pods: a quota, Pod Security, a missing service account."""
    said = ""
    if ref.kind == "Deployment":
        replica_set = scene.replica_set(ref) or {}
        for condition in (replica_set.get("status") or {}).get("conditions") or []:
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
                said = str(condition.get("message") or "")
    elif _lacks_pods(item):
        events = scene.events(WARNINGS, item)
        recent = [event for event in events if event.get("reason") == "FailedCreate" and not _is_old(event, now)]
        said = str(recent[0].get("message") or "") if recent else ""
    if not said:
        return None
    quota = "quota" in said
    next_step = "Raise the quota of the namespace, or choose a smaller size" if quota else "Correct what it names"
    return Verdict("failed", f"its pods cannot be created: {said}", next_step, patience=_CREATE_PATIENCE)


def _lacks_pods(item: Manifest) -> bool:
    status = item.get("status") or {}
    if item["kind"] == "Job":
        return not status.get("active")
    return bool(status.get("replicas", 0) < item["spec"].get("replicas", 1))


def _culprit(scene: Scene, ref: Ref) -> Ref:
    """The pod whose log tells why the target failed, else the target."""
    pods = scene.pods(ref)
    return ref_of(pods[-1]) if pods else ref


def _with_crash(scene: Scene, ref: Ref, verdict: Verdict) -> Verdict:
    """The target's failure completed by how the container of its last pod ended."""
    pods = scene.pods(ref)
    status = (pods[-1].get("status") or {}) if pods else {}
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        ending = (container.get("state") or {}).get("terminated") or {}
        if ending.get("exitCode"):
            why = f"{verdict.why}; container {container['name']} {ended(ending)}"
            return replace(verdict, why=why, container=container["name"])
    return replace(verdict, patience=_POD_NEWS_PATIENCE)


def _is_old(event: Manifest, now: datetime) -> bool:
    return (now - happened(event)).total_seconds() > _RECENT
