# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that outlasts a request: runs of the engine in threads, each with its progress and its end.

They are kept in memory, and as small files on the volume: so a console that was killed knows afterwards what it had
begun, and says that it was interrupted. What a run needs to be finished is in the cluster, and the next one does it.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.common import outcome
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome, Timeline
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError, NotFound, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube

from .cluster import Connect

log = logging.getLogger("uvicorn.error")

KEPT = 200
RUNNING, DONE, FAILED, INTERRUPTED = "RUNNING", "DONE", "FAILED", "INTERRUPTED"
Work = Callable[[Kube, Timeline], Outcome]


@dataclass(frozen=True)
class Operation:
    """One of them, as it is at a moment."""

    operation_id: str
    verb: str
    target: str
    by: By
    created_dt: str
    state: str = RUNNING
    ended_dt: str | None = None
    progress: tuple[str, ...] = ()
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None

    @property
    def runs(self) -> bool:
        return self.state == RUNNING


@dataclass
class Operations:
    """:param connect: makes a connection for one run, whose lock guards all writes of it."""

    connect: Connect
    folder: Path
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    _known: dict[str, Operation] = field(default_factory=dict)
    _threads: dict[str, threading.Thread] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """What still ran when the process before this one ended does not run any more."""
        found = [read(path) for path in self.folder.glob("*.json")] if self.folder.is_dir() else []
        for operation in sorted((item for item in found if item), key=lambda item: item.created_dt):
            if operation.runs:
                operation = replace(operation, state=INTERRUPTED, ended_dt=self._now())
                self._write(operation)
            self._known[operation.operation_id] = operation

    def start(self, verb: str, target: str, by: By, work: Work) -> Operation:
        """:raises Refused: an operation on the same target runs already."""
        with self._lock:
            if other := self._active(target):
                raise Refused(
                    f"operation {other.operation_id} of {other.by.name} is at it since {other.created_dt}",
                    where=target,
                    next_step="Wait for its end",
                )
            begun = Operation(str(uuid.uuid4()), verb, target, by, self._now())
            self._known[begun.operation_id] = begun
            self._forget_oldest()
        self._write(begun)
        thread = threading.Thread(target=self._run, args=(begun, work), name=f"{verb} {target}", daemon=True)
        self._threads[begun.operation_id] = thread
        thread.start()
        return begun

    def get(self, operation_id: str) -> Operation:
        """:raises NotFound: nobody knows it, or not any more."""
        found = self._known.get(operation_id)
        if found is None:
            raise NotFound("there is no such operation", where="operation_id", next_step="List /v1/operations")
        return found

    def all(self) -> list[Operation]:
        """The newest first."""
        return list(reversed(self._known.values()))

    def active(self, target: str) -> Operation | None:
        with self._lock:
            return self._active(target)

    def join(self, operation_id: str, timeout: float) -> Operation:
        """Wait for its end, as long as that."""
        thread = self._threads.get(operation_id)
        if thread is not None:
            thread.join(timeout)
        return self.get(operation_id)

    def _active(self, target: str) -> Operation | None:
        return next((item for item in self._known.values() if item.runs and item.target == target), None)

    def _run(self, begun: Operation, work: Work) -> None:
        def tell(_line: str) -> None:
            now = replace(begun, progress=tuple(timeline.lines))
            self._known[begun.operation_id] = now
            self._write(now)

        timeline = Timeline(tell=tell)
        ended = replace(begun, state=FAILED)
        try:
            with closing(self.connect()) as kube:
                done = work(kube, timeline)
            ended = replace(begun, state=DONE, result=result_of(done))
        except DataOpsError as error:
            said = {"where": error.where, "what": error.what, "next_step": error.next_step}
            ended = replace(begun, state=FAILED, error=said)
        except Exception:
            incident = uuid.uuid4().hex[:8]
            log.exception("incident %s: %s", incident, begun.operation_id)
            said = {"where": begun.target, "what": f"this is a bug in scp.dataops (incident {incident})"}
            ended = replace(begun, state=FAILED, error={**said, "next_step": "Its details are in the console's log"})
        finally:
            ended = replace(ended, ended_dt=self._now(), progress=tuple(timeline.lines))
            self._known[begun.operation_id] = ended
            self._threads.pop(begun.operation_id, None)
            self._write(ended)

    def _now(self) -> str:
        return self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _forget_oldest(self) -> None:
        over = [item for item in self.all()[KEPT:] if not item.runs]
        for item in over:
            del self._known[item.operation_id]
            with suppress(OSError):
                (self.folder / f"{item.operation_id}.json").unlink()

    def _write(self, operation: Operation) -> None:
        """All or nothing; a full volume takes away what is remembered and stops no work."""
        path = self.folder / f"{operation.operation_id}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".part")
            partial.write_text(json.dumps(asdict(operation)), encoding="utf-8")
            os.replace(partial, path)
        except OSError as error:
            log.warning("operation %s is not on the volume: %s", operation.operation_id, error.strerror)


def read(path: Path) -> Operation | None:
    """None for what another release, or nobody, can read."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Operation(**{**raw, "by": By(**raw["by"]), "progress": tuple(raw["progress"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def result_of(done: Outcome) -> dict[str, Any]:
    """In the words in which modules report it."""
    return {
        "changed": outcome.changed(done.changes),
        "actions": outcome.actions(done.changes),
        "restarted": list(done.restarted),
        "kept": list(done.kept),
        "not_checked": list(done.not_checked),
        "warnings": list(done.warnings),
    }
