# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time: who holds the Lease may write, and nobody else does.

The Lease exists only while somebody writes, so nothing of it stays in the cluster. Each change of it names the version
that it replaces: of two runs at the same moment the API server lets exactly one through. A run that was killed renews
no more, and after :data:`DURATION_SECONDS` the next one takes over. All times are those of the API server's clock, so
it does not matter what the clocks of two hosts say.
"""

from __future__ import annotations

import getpass
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ..errors import Conflict, DataOpsError, NotFound, Refused
from .client import Kube
from .objects import Manifest, Ref
from .verdicts import time_of

# A holder that did not renew for so long is taken to be dead.
DURATION_SECONDS = 30
RENEW_EVERY = 5.0
_LOOK_EVERY = 1.0
# So late a renewal says that the holder does not live any more; until it is certain, there is something to wait for.
_LATE = timedelta(seconds=2 * RENEW_EVERY)
# Between two looks at somebody else's Lease; tests note the seconds instead.
pause = time.sleep
_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


def user_at_host() -> str:
    """Who this process belongs to, as people would name it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # In a container a user may have a number only.
        user = f"uid {os.getuid()}"
    return f"{user}@{platform.node()}"


def identity() -> str:
    """This run, as people would name it; the last part tells two runs of one process apart."""
    return f"{user_at_host()} (process {os.getpid()}, run {uuid.uuid4().hex[:6]})"


@dataclass(frozen=True)
class Holding:
    """What a Lease says: who has it, since when, and when that was renewed."""

    holder: str
    since: datetime
    renewed: datetime
    seconds: int
    version: str
    transitions: int

    @classmethod
    def of(cls, manifest: Manifest) -> Holding:
        spec = manifest.get("spec") or {}
        return cls(
            holder=str(spec.get("holderIdentity") or ""),
            since=time_of(spec.get("acquireTime")) or _LONG_AGO,
            renewed=time_of(spec.get("renewTime")) or _LONG_AGO,
            seconds=int(spec.get("leaseDurationSeconds") or 0),
            version=str(manifest["metadata"]["resourceVersion"]),
            transitions=int(spec.get("leaseTransitions") or 0),
        )

    def is_over(self, now: datetime) -> bool:
        return now > self.renewed + timedelta(seconds=self.seconds)

    def is_late(self, now: datetime) -> bool:
        return now > self.renewed + _LATE


class Lease:
    """A Lease, seen by one run; threads may share it."""

    def __init__(
        self, kube: Kube, ref: Ref, labels: Mapping[str, str], about: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """:param about: what the Lease is for, in the words of messages."""
        self.ref = ref
        self.holder = identity()
        self._kube = kube
        self._labels = dict(labels)
        self._about = f"{about} in namespace {ref.namespace}"
        self._clock = clock
        self._lock = threading.Lock()
        self._version = ""
        self._renewed = 0.0
        self._lost = False

    def take(self, say: Callable[[str], None]) -> None:
        """Hold it, after waiting for a holder that seems dead.

        :raises Refused: a living run holds it. It takes one renewal to see that.
        """
        first: Holding | None = None
        began, said = self._clock(), False
        while True:
            manifest = self._kube.get(self.ref.kind, self.ref.name, self.ref.namespace)
            now = self._kube.now()
            if manifest is None:
                if self._created(now):
                    return
                continue
            found = Holding.of(manifest)
            first = first or found
            # Whatever its times say, it ends when nobody renewed it before our eyes.
            if found.is_over(now) or self._clock() - began > DURATION_SECONDS:
                if self._taken_over(found, now):
                    say(f"took over from {found.holder}, which gave no sign of life since {_shown(found.renewed)}")
                    return
                continue
            if found.holder == self.holder:
                # Taken by a request whose answer did not reach us.
                self._now_ours(manifest)
                return
            if (first.holder, first.renewed) != (found.holder, found.renewed):
                raise self._refusal(found)
            if found.is_late(now) and not said:
                say(f"waiting whether {found.holder}, which changes it since {_shown(found.since)}, still lives")
                said = True
            pause(_LOOK_EVERY)

    def renew(self) -> None:
        """Say that we live.

        :raises Conflict: somebody took over, or removed the Lease: from now on nothing may be written.
        """
        with self._lock:
            self._refuse_lost()
            began = self._clock()
            try:
                self._patch({"renewTime": _written(self._kube.now())}, self._version)
            except (Conflict, NotFound) as error:
                # Our own renewal, whose answer did not reach us, is no conflict.
                manifest = self._kube.get(self.ref.kind, self.ref.name, self.ref.namespace)
                if manifest is None or Holding.of(manifest).holder != self.holder:
                    self._lost = True
                    raise self._loss() from error
                self._version = Holding.of(manifest).version
            self._renewed = began

    def check(self, about: Ref) -> None:
        """To be asked before each write: whether it is still ours. Of the Lease itself only its holder writes.

        :raises Conflict: it is not.
        """
        if about == self.ref:
            return
        with self._lock:
            self._refuse_lost()
            uncertain = self._clock() - self._renewed > DURATION_SECONDS
        if uncertain:
            # Stopped and woken up, or long without a connection: others may think that we are dead.
            self.renew()

    def release(self) -> None:
        """Let it go; if that does not reach the server, it ends by itself."""
        with self._lock, suppress(DataOpsError):
            if not self._lost:
                self._kube.delete(self.ref.kind, self.ref.name, self.ref.namespace, version=self._version)

    def _created(self, now: datetime) -> bool:
        spec = self._spec(now, transitions=0)
        metadata = {"name": self.ref.name, "namespace": self.ref.namespace, "labels": self._labels}
        manifest = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        try:
            self._now_ours(self._kube.create(manifest))
        except Conflict:
            return False
        return True

    def _taken_over(self, found: Holding, now: datetime) -> bool:
        try:
            self._patch(self._spec(now, transitions=found.transitions + 1), found.version)
        except (Conflict, NotFound):
            return False
        return True

    def _spec(self, now: datetime, *, transitions: int) -> Manifest:
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": DURATION_SECONDS,
            "acquireTime": _written(now),
            "renewTime": _written(now),
            "leaseTransitions": transitions,
        }

    def _patch(self, spec: Manifest, version: str) -> None:
        body = {"metadata": {"resourceVersion": version}, "spec": spec}
        self._now_ours(self._kube.patch(self.ref.kind, self.ref.name, self.ref.namespace, body))

    def _now_ours(self, manifest: Manifest) -> None:
        self._version = Holding.of(manifest).version
        self._renewed = self._clock()

    def _refuse_lost(self) -> None:
        if self._lost:
            raise self._loss()

    def _refusal(self, found: Holding) -> Refused:
        return Refused(
            f"{found.holder} is changing it since {_shown(found.since)}",
            where=self._about,
            next_step="Nothing was changed. Run this again once that run has ended; "
            f"one that was killed is taken over from within {DURATION_SECONDS} s",
        )

    def _loss(self) -> Conflict:
        return Conflict(
            "another run took over from this one, which had given no sign of life",
            where=self._about,
            next_step="Run this again once the other has ended: it finishes what is left",
            status=409,
            reason="Conflict",
        )


@contextmanager
def held(
    kube: Kube,
    ref: Ref,
    labels: Mapping[str, str],
    *,
    about: str,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Lease]:
    """Hold the Lease meanwhile: renewed beside what is done, asked before each write of `kube`, let go at the end.

    :raises Refused: another run holds it.
    """
    lease = Lease(kube, ref, labels, about, clock)
    lease.take(say)
    ended = threading.Event()
    renewal = threading.Thread(target=_renew_until, args=(ended, lease), name=f"lease {ref.name}", daemon=True)
    renewal.start()
    try:
        with kube.guarded(lease.check):
            yield lease
    finally:
        ended.set()
        renewal.join()
        lease.release()


def _renew_until(ended: threading.Event, lease: Lease) -> None:
    while not ended.wait(RENEW_EVERY) and _may_go_on(lease):
        pass


def _may_go_on(lease: Lease) -> bool:
    try:
        lease.renew()
    except Conflict:
        # The next write will say so.
        return False
    except DataOpsError:
        # The server is busy or away; there is time for further tries.
        return True
    return True


def _written(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _shown(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
