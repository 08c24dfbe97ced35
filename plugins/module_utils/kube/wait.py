# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until things are up, by watching; stop as soon as they cannot come up, and say why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from ..errors import NotReady
from .client import Kube
from .feed import Feed, News, Seen, Source
from .objects import Ref
from .progress import last_line, line
from .scene import CLAIM_EVENTS, CLAIMS, PODS, REPLICA_SETS, WARNINGS, Scene
from .symptoms import Finding, examine
from .verdicts import Verdict

_LOG_LINES = 15
# Time passes without news, too: this often the picture is looked at anew. It costs no request.
_LOOK_EVERY = 2.0
# A crash from before the wait may have been mended; the next start will tell, and that comes within this time.
_NEXT_START = 60


def wait_ready(
    kube: Kube,
    namespace: str,
    targets: Sequence[Ref],
    *,
    labels: str,
    timeout: float,
    say: Callable[[str], None],
    called: Callable[[Ref], str] = str,
    follow: Callable[[Kube, Sequence[Source]], News] = Feed,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] | None = None,
) -> None:
    """Return when all targets (Deployment, StatefulSet, Job, PersistentVolumeClaim) are ready; else raise NotReady.

    `labels` selects the pods and ReplicaSets of the targets. `say` gets a line whenever the state of a target changes,
    with the name by which it is `called`; nothing is said when there is nothing to wait for.
    Kubernetes calls a container without a readiness or startup probe ready as soon as it runs, and so does this.
    """
    waiting = _Waiting(targets)
    scene = Scene()
    kinds = sorted({ref.kind for ref in targets})
    sources = [_of_kind(kind, namespace, targets, labels) for kind in kinds]
    for listed in kube.each(lambda source: _listed(kube, source), sources):
        scene.take(listed)
    end, now = clock() + timeout, now or kube.now
    if waiting.look(scene, now(), clock()):
        return
    began = clock()
    news = follow(kube, _with_surroundings(sources, namespace, labels))
    try:
        while True:
            moment = now()
            ready = waiting.look(scene, moment, clock())
            for told in waiting.told(scene, moment, clock() - began, called):
                say(told)
            if ready:
                return
            trouble = waiting.failure(clock())
            if trouble:
                raise _failed(kube, namespace, *trouble)
            if clock() >= end:
                raise waiting.late(timeout)
            seen = news.next(min(_LOOK_EVERY, end - clock()))
            while seen is not None:
                if seen.error and seen.source in kinds:
                    raise seen.error
                scene.take(seen)
                seen = news.next(0)
    finally:
        news.close()


class _Waiting:
    """What was found out about each target so far."""

    def __init__(self, targets: Sequence[Ref]) -> None:
        self._targets = tuple(targets)
        self._findings: dict[Ref, Finding] = {}
        self._said: dict[Ref, str] = {}
        self._failing_since: dict[Ref, tuple[Ref, float]] = {}
        self._began: datetime | None = None

    def look(self, scene: Scene, now: datetime, seconds: float) -> bool:
        """Judge every target anew; True when all are ready."""
        self._began = self._began or now
        for ref in self._targets:
            finding = examine(scene, ref, now)
            self._findings[ref] = finding
            about, since = self._failing_since.pop(ref, (finding.about, seconds))
            if finding.verdict.state == "failed":
                self._failing_since[ref] = (finding.about, since if about == finding.about else seconds)
        return all(finding.verdict.state == "ready" for finding in self._findings.values())

    def told(self, scene: Scene, now: datetime, seconds: float, called: Callable[[Ref], str]) -> Iterator[str]:
        """A line for each target whose state changed since the last one; `seconds` is how long the wait has lasted."""
        for ref, finding in self._findings.items():
            if finding.verdict.state != "ready":
                spoken = line(scene, ref, finding, now, called(ref))
                if spoken and spoken != self._said.get(ref):
                    yield spoken
                self._said[ref] = spoken
            elif ref in self._said:
                del self._said[ref]
                yield last_line(scene, ref, seconds, called(ref))

    def failure(self, seconds: float) -> tuple[Ref, Finding] | None:
        """A target that fails for longer than its trouble may take to pass."""
        for ref, (_about, since) in self._failing_since.items():
            if seconds - since >= self._patience(self._findings[ref].verdict):
                return ref, self._findings[ref]
        return None

    def _patience(self, verdict: Verdict) -> float:
        earlier = verdict.happened and self._began and verdict.happened < self._began
        return _NEXT_START if earlier else verdict.patience

    def late(self, timeout: float) -> NotReady:
        """The error at the deadline: the last reason of each target that is not ready."""
        late = {ref: finding for ref, finding in self._findings.items() if finding.verdict.state != "ready"}
        return NotReady(
            f"not ready after {timeout:.0f} s: " + "; ".join(f"{r} ({_spoken(f, r)})" for r, f in late.items()),
            next_step="Look at what it waits for; if it only needs longer, raise wait_timeout",
        )


def _of_kind(kind: str, namespace: str, targets: Sequence[Ref], labels: str) -> Source:
    """The list that holds all targets of a kind, and few others."""
    if kind == "PersistentVolumeClaim":
        # Pods may mount claims that bear other labels.
        return Source(CLAIMS, kind, namespace)
    names = [ref.name for ref in targets if ref.kind == kind]
    if len(names) == 1:
        return Source(kind, kind, namespace, fields=f"metadata.name={names[0]}")
    return Source(kind, kind, namespace, labels=labels)


def _with_surroundings(sources: Sequence[Source], namespace: str, labels: str) -> list[Source]:
    """The targets, and everything that may tell why they are not ready."""
    kinds = {source.kind for source in sources}
    around = [
        Source(WARNINGS, "Event", namespace, fields="type=Warning"),
        Source(CLAIM_EVENTS, "Event", namespace, fields="involvedObject.kind=PersistentVolumeClaim"),
    ]
    if "PersistentVolumeClaim" not in kinds:
        around.append(Source(CLAIMS, "PersistentVolumeClaim", namespace))
    if kinds - {"PersistentVolumeClaim"}:
        around.append(Source(PODS, "Pod", namespace, labels=labels))
    if "Deployment" in kinds:
        around.append(Source(REPLICA_SETS, "ReplicaSet", namespace, labels=labels))
    return [*sources, *around]


def _listed(kube: Kube, source: Source) -> Seen:
    items = kube.list(source.kind, source.namespace, labels=source.labels, fields=source.fields)
    return Seen(source.name, items=tuple(items))


def _spoken(finding: Finding, ref: Ref) -> str:
    verdict = finding.verdict
    said = f"{finding.about}: {verdict.why}" if finding.about != ref and verdict.why else verdict.why
    return said or verdict.state


def _failed(kube: Kube, namespace: str, ref: Ref, finding: Finding) -> NotReady:
    what = _spoken(finding, ref)
    log = _log(kube, namespace, finding)
    if log:
        what = f"{what}. The last lines of its log:\n{log}\n"
    return NotReady(what, where=f"{ref} in namespace {namespace}", next_step=finding.verdict.next_step)


def _log(kube: Kube, namespace: str, finding: Finding) -> str:
    """The container's last lines, or those of the one before it when it has none yet; indented."""
    container = finding.verdict.container
    if not container or finding.about.kind != "Pod":
        return ""
    text = kube.logs(finding.about.name, namespace, container=container, lines=_LOG_LINES)
    if not text.strip():
        text = kube.logs(finding.about.name, namespace, container=container, lines=_LOG_LINES, previous=True)
    return "\n".join(f"    {line}" for line in text.splitlines())
