# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collector saw, for Prometheus, in its text format.

Nobody signs in for it, so it names services and components, and neither people nor anything that they wrote. It is
made of what is in memory: reading it costs the cluster nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from fastapi import APIRouter, Request
from fastapi.responses import Response

from .cluster import settings
from .collector import Seen, Snapshot
from .operations import DONE, FAILED, INTERRUPTED, RUNNING, Operation, Operations

router = APIRouter(include_in_schema=False)

TYPE = "text/plain; version=0.0.4; charset=utf-8"
HEALTH = ("healthy", "unhealthy", "unknown", "stopped")
ENDS = (RUNNING, DONE, FAILED, INTERRUPTED)


@dataclass(frozen=True)
class Sample:
    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Metric:
    name: str
    help: str
    samples: Sequence[Sample]
    kind: str = "gauge"


def one(name: str, about: str, value: float | None, kind: str = "gauge") -> Metric:
    """A metric with a single series; none while there is no value."""
    return Metric(name, about, [] if value is None else [Sample(value, {})], kind)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    own = settings(request)
    seen: Snapshot = request.app.state.collector.snapshot
    operations: Operations = request.app.state.operations
    found = [
        *of_services(seen.services),
        *of_console(seen, datetime.now(timezone.utc)),
        of_operations(operations.all()),
    ]
    common = {"dataops_manager": own.manager, "dataops_namespace": own.namespace}
    return Response(written(found, common), media_type=TYPE)


def of_services(services: Sequence[Seen]) -> Iterator[Metric]:
    yield Metric(
        "dataops_service_info",
        "Always 1; version of Airflow and life cycle of a service.",
        [Sample(1, {**of(one), "version": one.version, "state": one.state}) for one in services],
    )
    yield Metric(
        "dataops_service_health",
        "1 for the health that a service has, 0 for those that it has not.",
        [Sample(one.health == word, {**of(one), "health": word}) for one in services for word in HEALTH],
    )
    yield Metric(
        "dataops_service_needs_attention",
        "Whether the dashboard names a service under what needs attention.",
        [Sample(one.needs_attention, of(one)) for one in services],
    )
    parts = [(part, {**of(one), "component": part.name}) for one in services for part in one.parts]
    yield Metric(
        "dataops_component_ready_pods",
        "Pods of a component that are ready.",
        [Sample(part.ready, labels) for part, labels in parts],
    )
    yield Metric(
        "dataops_component_wanted_pods",
        "Pods that a component should have.",
        [Sample(part.wanted, labels) for part, labels in parts],
    )
    yield Metric(
        "dataops_component_heartbeat_age_seconds",
        "Seconds since the last heartbeat that Airflow noted.",
        [Sample(part.heartbeat, labels) for part, labels in parts if part.heartbeat is not None],
    )
    told = [(of(one), one.counts) for one in services if one.counts]
    yield Metric(
        "dataops_service_tasks",
        "Task instances of a service by state.",
        [
            Sample(value, {**labels, "state": state})
            for labels, counts in told
            for state, value in (("running", counts.running), ("queued", counts.queued))
        ],
    )
    yield Metric(
        "dataops_service_failed_runs",
        "DAG runs that failed and ended in the last 24 hours.",
        [Sample(counts.failed_runs, labels) for labels, counts in told],
    )
    yield Metric(
        "dataops_service_import_errors",
        "DAG files that cannot be imported.",
        [Sample(counts.import_errors, labels) for labels, counts in told],
    )


def of(service: Seen) -> dict[str, str]:
    return {"dataops_service": service.name}


def of_console(seen: Snapshot, now: datetime) -> Iterator[Metric]:
    yield one("dataops_console_look_age_seconds", "Seconds since the services were last looked at.", seen.age(now))
    took = seen.took if seen.at else None
    yield one("dataops_console_look_duration_seconds", "Seconds that the last look at the services took.", took)
    yield one("dataops_console_failed_looks_total", "Looks at the services that failed.", seen.failures, "counter")
    room = seen.room
    yield one("dataops_files_used_bytes", "Bytes in use on the volume for files.", room.used if room else None)
    yield one("dataops_files_free_bytes", "Bytes free on the volume for files.", room.free if room else None)


def of_operations(known: Sequence[Operation]) -> Metric:
    counted = [Sample(sum(item.state == state for item in known), {"state": state.lower()}) for state in ENDS]
    return Metric("dataops_console_operations", "The last operations of the console by state, up to 200.", counted)


def written(metrics: Sequence[Metric], common: Mapping[str, str]) -> str:
    """One without a series is left out."""
    lines: list[str] = []
    for metric in metrics:
        if metric.samples:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
            lines += [line(metric.name, {**common, **sample.labels}, sample.value) for sample in metric.samples]
    return "".join(f"{each}\n" for each in lines)


def line(name: str, labels: Mapping[str, str], value: float) -> str:
    said = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{said}}} {float(value):.15g}"


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
