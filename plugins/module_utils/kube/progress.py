# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far something is, in one line for people: "web server 1/2 ready: a volume of it is not bound yet". Pure."""

from __future__ import annotations

from datetime import datetime

from .objects import Manifest, Ref
from .scene import Scene
from .symptoms import Finding
from .verdicts import UNSEEN, VERDICTS, pod_verdict

_COUNTED = ("Deployment", "StatefulSet")


def line(scene: Scene, ref: Ref, finding: Finding, now: datetime, called: str) -> str:
    """What to say of a target that is not ready; nothing as long as its controller has not seen the change."""
    if finding.verdict.why == UNSEEN:
        return ""
    item = scene.target(ref)
    if item is None:
        return f"{called}: {finding.verdict.why}"
    if ref.kind not in _COUNTED:
        own = VERDICTS[ref.kind](item)
        reason = finding.reason or ("" if own.usual else own.why)
        return f"{called}: {reason}" if reason else called
    wanted = _wanted(item)
    if wanted == 0:
        return f"{called} stops: {finding.verdict.why}"
    ready = _ready(scene, ref, item, now)
    old = (item.get("status") or {}).get("replicas", 0) - wanted
    if ready >= wanted:
        return f"{called} {wanted}/{wanted} ready, {old} to go" if old > 0 else ""
    return f"{called} {ready}/{wanted} ready{f': {finding.reason}' if finding.reason else ''}"


def last_line(scene: Scene, ref: Ref, seconds: float, called: str) -> str:
    """What to say of a target once it is ready; `seconds` is for how long that was waited for."""
    item = scene.target(ref)
    done = {"Job": ": done", "PersistentVolumeClaim": ": its volume is bound"}.get(ref.kind, " ready")
    if item is not None and ref.kind in _COUNTED:
        wanted = _wanted(item)
        done = f" {wanted}/{wanted} ready" if wanted else " stopped"
    return f"{called}{done} after {seconds:.0f} s"


def _ready(scene: Scene, ref: Ref, item: Manifest, now: datetime) -> int:
    """How many pods of the newest revision are ready."""
    if pods := scene.pods(ref):
        return sum(pod_verdict(pod, now).state == "ready" for pod in pods)
    status = item.get("status") or {}
    rolls = status.get("updatedReplicas", 0) < status.get("replicas", 0)
    return 0 if rolls else int(status.get("readyReplicas", 0))


def _wanted(item: Manifest) -> int:
    return int(item["spec"].get("replicas", 1))
