# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How all services are, looked at in the background: pages show what was seen last, and never look themselves.

So the load on the cluster is the same for one browser and for a thousand: one list for each kind of object, and a few
questions to each Airflow at its own address, those for more than its health less often.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow import names, status
from ansible_collections.scp.dataops.plugins.module_utils.airflow.api import AirflowApi
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.spec import COMMIT
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import decoded
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import WEB_SERVER_PORT
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import (
    INSTANCE,
    services_selector,
)
from ansible_collections.scp.dataops.plugins.module_utils.errors import (
    ApiError,
    DataOpsError,
    NotReady,
    Unreachable,
)
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube

from . import workings
from .api import inventory
from .counts import Counts, counts
from .history import Moment, remembered
from .settings import Settings
from .volume import Room, Volume

log = logging.getLogger("uvicorn.error")

UNKNOWN = "unknown"
MARKS = {"RUNNING": "good", "UPDATING": "warn", "ERROR": "bad", "healthy": "good", "unhealthy": "bad", UNKNOWN: "warn"}
# As Airflow calls them in its report of its health, by component.
HEARTBEATS = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
# Seconds between two questions for counts. Then: a heartbeat this old is none any more, and a commit that does not run
# after so long, however often the repository is looked at, will not do so by itself.
COUNT_EVERY = 25
STALE, LATE = 60, 300
# Percent of the volume for files.
FULL = 85


@dataclass(frozen=True, kw_only=True)
class Part:
    """One component; ``heartbeat`` is its age in seconds, None where it has none."""

    name: str
    state: str
    ready: int
    wanted: int
    heartbeat: int | None = None

    @property
    def mark(self) -> str:
        return workings.MARKS.get(self.state, "") if self.wanted else ""

    @property
    def is_stale(self) -> bool:
        return bool(self.wanted) and (self.heartbeat or 0) > STALE


@dataclass(frozen=True)
class Git:
    """The main repository: what was asked for, and the commit that most DAGs were read from, as far as Airflow tells.

    Only who asks for a commit makes known which one is wanted; ``late`` says that it should run by now, and does not.
    """

    ref: str
    running: str = ""
    late: bool = False

    @property
    def short(self) -> str:
        """A commit as people write it, anything else as it is."""
        return self.ref[:7] if COMMIT.fullmatch(self.ref) else self.ref


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One service: its life cycle by its objects, its health by what was observed, and why it is not well."""

    name: str
    state: str
    health: str
    reasons: tuple[str, ...] = ()
    version: str = ""
    web_url: str = ""
    parts: tuple[Part, ...] = ()
    counts: Counts | None = None
    git: Git | None = None

    @property
    def stale(self) -> list[Part]:
        return [part for part in self.parts if part.is_stale]

    @property
    def needs_attention(self) -> bool:
        told = self.counts and (self.counts.import_errors or self.counts.failed_runs)
        return bool(self.reasons or told or self.stale or (self.git and self.git.late))

    @property
    def state_mark(self) -> str:
        return MARKS.get(self.state, "")

    @property
    def health_mark(self) -> str:
        return MARKS.get(self.health, "")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was seen, and when; ``problem`` says why it could not be looked again.

    ``room`` is that of the volume for files, ``took`` how many seconds the look needed, ``failures`` how many failed.
    """

    services: tuple[Seen, ...] = ()
    at: datetime | None = None
    problem: str = ""
    room: Room | None = None
    history: tuple[Moment, ...] = ()
    took: float = 0
    failures: int = 0

    @property
    def is_full(self) -> bool:
        return self.room is not None and self.room.percent > FULL

    def age(self, now: datetime) -> int | None:
        return None if self.at is None else max(0, round((now - self.at).total_seconds()))


@dataclass
class Asked:
    """One Airflow: it is signed in to once, and what it told is kept for a while."""

    api: AirflowApi
    at: float = float("-inf")
    counts: Counts | None = None


class Collector:
    """Looks when it is told to, and every so many seconds once it was started."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._volume = Volume(settings.files)
        self._asked: dict[tuple[str, ...], Asked] = {}
        # Since when a wanted commit does not run, by service.
        self._waiting: dict[str, datetime] = {}
        self.snapshot = Snapshot()

    def start(self, kube: Kube, seconds: float) -> None:
        self._thread = threading.Thread(target=self._run, args=(kube, seconds), name="collector", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread:
            self._thread.join(5)

    def look(self, kube: Kube) -> None:
        """What was seen before stays when nothing can be seen now."""
        begun = time.monotonic()
        try:
            found = inventory.services(kube, self._settings)
            accounts = self._accounts(kube)
            seen = kube.each(lambda one: self._seen(kube, one, accounts.get(one.name, {})), found)
        except DataOpsError as error:
            self._failed(str(error))
            return
        self._forget({one.name for one in found})
        now = datetime.now(timezone.utc)
        self.snapshot = Snapshot(
            services=tuple(seen),
            at=now,
            room=self._room(),
            history=remembered(self.snapshot.history, moment(seen, now)),
            took=time.monotonic() - begun,
            failures=self.snapshot.failures,
        )

    def _run(self, kube: Kube, seconds: float) -> None:
        while not self._end.is_set():
            try:
                self.look(kube)
            except Exception as error:
                # The next look may succeed; without a thread there would be none.
                log.exception("the services could not be looked at")
                self._failed(f"{type(error).__name__}, see the console's log")
            self._end.wait(seconds)

    def _failed(self, problem: str) -> None:
        self.snapshot = replace(self.snapshot, problem=problem, failures=self.snapshot.failures + 1)

    def _forget(self, there: Collection[str]) -> None:
        """What is known of services that are not there any more."""
        self._asked = {key: asked for key, asked in self._asked.items() if key[0] in there}
        self._waiting = {name: since for name, since in self._waiting.items() if name in there}

    def _room(self) -> Room | None:
        try:
            return self._volume.room()
        except OSError:
            return None

    def _accounts(self, kube: Kube) -> Mapping[str, dict[str, str]]:
        marks = services_selector(self._settings.manager, component="account")
        found = kube.list("Secret", self._settings.namespace, labels=marks)
        return {item["metadata"]["labels"][INSTANCE]: decoded(item) for item in found}

    def _seen(self, kube: Kube, service: inventory.Service, account: dict[str, str]) -> Seen:
        if service.spec is None:
            return Seen(name=service.name, state=status.ERROR, health=UNKNOWN, reasons=(service.problem,))
        described = service.described
        told: Mapping[str, Any] = {}
        counted = None
        now = datetime.now(timezone.utc)
        if described["state"] != status.STOPPED:
            told = health_report(kube, service.spec)
            counted = self._counts(kube, service.spec, account, now) if told else None
        seen = summary(service.name, described, told, counted, now)
        return replace(seen, git=self._git(service.spec, counted, now))

    def _counts(self, kube: Kube, spec: ServiceSpec, account: dict[str, str], now: datetime) -> Counts | None:
        """None when Airflow does not say."""
        key = (spec.name, spec.version, *sorted(account.values()))
        asked = self._asked.get(key) or Asked(AirflowApi(kube, spec.namespace, spec.name, spec.profile, account))
        self._asked[key] = asked
        if time.monotonic() - asked.at < COUNT_EVERY:
            return asked.counts
        try:
            asked.counts = counts(asked.api, spec.git_sync, now)
        except (ApiError, NotReady, Unreachable):
            # A session ends some day; the next look begins another one.
            self._asked.pop(key, None)
            return None
        asked.at = time.monotonic()
        return asked.counts

    def _git(self, spec: ServiceSpec, counted: Counts | None, now: datetime) -> Git | None:
        if spec.git_sync is None:
            return None
        main = spec.git_sync.repositories[0]
        running = counted.commit if counted else ""
        if not running or not main.pinned or running == main.ref:
            self._waiting.pop(spec.name, None)
            return Git(main.ref, running)
        since = self._waiting.setdefault(spec.name, now)
        return Git(main.ref, running, late=(now - since).total_seconds() > LATE + main.interval)


def health_report(kube: Kube, spec: ServiceSpec) -> Mapping[str, Any]:
    """Airflow's own, for which nobody has to sign in; empty when it does not answer."""
    try:
        code, body = kube.proxy(
            "GET", spec.namespace, names.web_server(spec.name), WEB_SERVER_PORT, spec.profile.health_path
        )
        report = json.loads(body) if code == HTTPStatus.OK else {}
    except (ApiError, Unreachable, ValueError):
        return {}
    return report if isinstance(report, dict) else {}


def summary(
    name: str, described: Mapping[str, Any], told: Mapping[str, Any], counted: Counts | None, now: datetime
) -> Seen:
    """:param told: Airflow's own report of its health; empty when it does not answer."""
    stopped = described["state"] == status.STOPPED
    ailing = [
        f"Airflow reports {part}: {about['status']}"
        for part, about in sorted(told.items())
        if isinstance(about, Mapping) and about.get("status") not in ("healthy", None)
    ]
    silent = [] if stopped or told or described["health"] != "healthy" else ["Airflow does not answer"]
    health = described["health"]
    if ailing:
        health = "unhealthy"
    elif silent:
        health = UNKNOWN
    return Seen(
        name=name,
        state=described["state"],
        health=health,
        reasons=() if stopped else (*described["reasons"], *ailing, *silent),
        version=described["version"],
        web_url="" if stopped else described["web_url"],
        parts=tuple(parts(described["components"], told, now)),
        counts=counted,
    )


def parts(components: Mapping[str, Mapping[str, Any]], told: Mapping[str, Any], now: datetime) -> Sequence[Part]:
    return [
        Part(
            name=name,
            state=about["state"],
            ready=about["ready"],
            wanted=about["wanted"],
            heartbeat=age_of_heartbeat(told, HEARTBEATS.get(name, ""), now),
        )
        for name, about in components.items()
    ]


def age_of_heartbeat(told: Mapping[str, Any], part: str, now: datetime) -> int | None:
    last = (told.get(part) or {}).get(f"latest_{part}_heartbeat")
    if not last:
        return None
    moment = datetime.fromisoformat(str(last).replace("Z", "+00:00"))
    return max(0, round((now - moment).total_seconds()))


def moment(services: Sequence[Seen], now: datetime) -> Moment:
    told = [one.counts for one in services if one.counts]
    return Moment(
        at=now,
        running=sum(one.running for one in told) if told else None,
        queued=sum(one.queued for one in told) if told else None,
        healthy=sum(one.health == "healthy" for one in services),
    )
