# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How all services are, looked at in the background: pages show what was seen last, and never look themselves.

So the load on the cluster is the same for one browser and for a thousand: one list for each kind of object, and one
or two questions to each Airflow at its own address.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow import names, status
from ansible_collections.scp.dataops.plugins.module_utils.airflow.api import AirflowApi
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import decoded
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import WEB_SERVER_PORT
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import (
    COMPONENT,
    INSTANCE,
    MANAGED,
    MANAGED_BY,
    NAME,
    PART_OF,
    SERVICE,
)
from ansible_collections.scp.dataops.plugins.module_utils.errors import (
    ApiError,
    DataOpsError,
    NotReady,
    Unreachable,
)
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube

from .api import inventory
from .settings import Settings

log = logging.getLogger("uvicorn.error")

UNKNOWN = "unknown"
MARKS = {"RUNNING": "good", "UPDATING": "warn", "ERROR": "bad", "healthy": "good", "unhealthy": "bad", UNKNOWN: "warn"}
PART_MARKS = {"ready": "good", "waiting": "warn", "failed": "bad"}
# As Airflow calls them in its report of its health, by component.
HEARTBEATS = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}


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
        return PART_MARKS.get(self.state, "") if self.wanted else ""


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
    import_errors: int | None = None

    @property
    def needs_attention(self) -> bool:
        return bool(self.reasons or self.import_errors)

    @property
    def state_mark(self) -> str:
        return MARKS.get(self.state, "")

    @property
    def health_mark(self) -> str:
        return MARKS.get(self.health, "")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was seen, and when; ``problem`` says why it could not be looked again."""

    services: tuple[Seen, ...] = ()
    at: datetime | None = None
    problem: str = ""

    def age(self, now: datetime) -> int | None:
        return None if self.at is None else max(0, round((now - self.at).total_seconds()))


class Collector:
    """Looks when it is told to, and every so many seconds once it was started."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._apis: dict[tuple[str, ...], AirflowApi] = {}
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
        try:
            found = inventory.services(kube, self._settings)
            accounts = self._accounts(kube)
            seen = kube.each(lambda one: self._seen(kube, one, accounts.get(one.name, {})), found)
        except DataOpsError as error:
            self.snapshot = Snapshot(services=self.snapshot.services, at=self.snapshot.at, problem=str(error))
            return
        self.snapshot = Snapshot(services=tuple(seen), at=datetime.now(timezone.utc))

    def _run(self, kube: Kube, seconds: float) -> None:
        while not self._end.is_set():
            try:
                self.look(kube)
            except Exception as error:
                # The next look may succeed; without a thread there would be none.
                log.exception("the services could not be looked at")
                self.snapshot = replace(self.snapshot, problem=f"{type(error).__name__}, see the console's log")
            self._end.wait(seconds)

    def _accounts(self, kube: Kube) -> Mapping[str, dict[str, str]]:
        marks = f"{NAME}={SERVICE},{PART_OF}={self._settings.manager},{MANAGED}={MANAGED_BY},{COMPONENT}=account"
        found = kube.list("Secret", self._settings.namespace, labels=marks)
        return {item["metadata"]["labels"][INSTANCE]: decoded(item) for item in found}

    def _seen(self, kube: Kube, service: inventory.Service, account: dict[str, str]) -> Seen:
        if service.spec is None:
            return Seen(name=service.name, state=status.ERROR, health=UNKNOWN, reasons=(service.problem,))
        described = service.described
        told: Mapping[str, Any] = {}
        errors = None
        if described["state"] != status.STOPPED:
            told = health_report(kube, service.spec)
            errors = self._import_errors(kube, service.spec, account) if told else None
        return summary(service.name, described, told, errors, datetime.now(timezone.utc))

    def _import_errors(self, kube: Kube, spec: ServiceSpec, account: dict[str, str]) -> int | None:
        """How many DAG files cannot be imported; None when Airflow does not say. It is signed in to once, and kept."""
        key = (spec.name, spec.version, *sorted(account.values()))
        api = self._apis.get(key) or AirflowApi(kube, spec.namespace, spec.name, spec.profile, account)
        self._apis[key] = api
        try:
            total: int = api.ask("GET", f"{api.profile.api.root}/importErrors?limit=1")["total_entries"]
        except (ApiError, NotReady, Unreachable):
            # A session ends some day; the next look begins another one.
            self._apis.pop(key, None)
            return None
        return total


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
    name: str, described: Mapping[str, Any], told: Mapping[str, Any], import_errors: int | None, now: datetime
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
        import_errors=import_errors,
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
