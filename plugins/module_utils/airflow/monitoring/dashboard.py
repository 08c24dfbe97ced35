# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Grafana dashboard of a service, as a table of panels, and the JSON that Grafana reads.

It is the same bytes for the same service, and names no data source: Grafana offers those that it has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Literal

from .metrics import filled, known

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
ROUND = "$__rate_interval"
# Of Grafana's JSON; newer ones read it.
SCHEMA = 39
DAG = 'dag_id=~"$dag"'

Expressions = Mapping[str, str]


@dataclass(frozen=True)
class Panel:
    """``expressions`` by legend. ``good`` is the number from which on a tile is green, or up to which it is."""

    title: str
    expressions: Expressions
    unit: str = "short"
    kind: Literal["timeseries", "stat"] = "timeseries"
    width: int = 8
    red_from: float | None = None
    green_from: float | None = None


def tile(title: str, expression: str, **more: Any) -> Panel:
    return Panel(title, {"": expression}, kind="stat", width=3, **more)


def mean(timer: str, by: str, conditions: str = "") -> str:
    """Seconds a time, over what ended lately."""
    total, number = (f"sum by ({by}) (rate(<{timer}:{part}{conditions}>[{ROUND}]))" for part in ("sum", "count"))
    return f"{total} / {number}"


def slowest(timer: str) -> str:
    """What one of twenty took at least."""
    return f"histogram_quantile(0.95, sum by (le) (rate(<{timer}:bucket>[{ROUND}])))"


def beats(heartbeat: str) -> str:
    return f"sum(rate(<{heartbeat}>[5m])) * 60"


OF_DAG = f"{{{DAG}}}"
ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Now",
        (
            tile("Scheduler, beats a minute", beats("scheduler_heartbeat"), green_from=0.1),
            tile("DAG processor, beats a minute", beats("dag_processor_heartbeat"), green_from=0.1),
            tile("Triggerer, beats a minute", beats("triggerer_heartbeat"), green_from=0.1),
            tile("Import errors", "sum(<dag_processing.import_errors>)", red_from=1),
            tile("DAGs", "sum(<dagbag_size>)"),
            tile("Running DAG runs", "sum(<scheduler.dagruns.running>)"),
            tile("Running tasks", "sum(<executor.running_tasks>)"),
            tile("Queued tasks", "sum(<executor.queued_tasks>)"),
        ),
    ),
    (
        "Runs",
        (
            Panel(
                "Runs that ended, an hour",
                {
                    "success": f"sum(rate(<dagrun.duration.success:count{OF_DAG}>[{ROUND}])) * 3600",
                    "failed": f"sum(rate(<dagrun.duration.failed:count{OF_DAG}>[{ROUND}])) * 3600",
                },
            ),
            Panel("Duration of runs, mean", {"{{dag_id}}": mean("dagrun.duration.success", "dag_id", OF_DAG)}, "s"),
            Panel(
                "Delay of scheduled runs, mean", {"{{dag_id}}": mean("dagrun.schedule_delay", "dag_id", OF_DAG)}, "s"
            ),
        ),
    ),
    (
        "Tasks",
        (
            Panel(
                "Tasks that ended, an hour",
                {"{{state}}": f"sum by (state) (rate(<ti.finish{OF_DAG}>[{ROUND}])) * 3600"},
            ),
            Panel("Duration of tasks, mean", {"{{dag_id}}": mean("task.duration", "dag_id", OF_DAG)}, "s"),
            Panel(
                "Waiting of tasks, mean",
                {
                    "for the scheduler": mean("task.scheduled_duration", "dataops_service", OF_DAG),
                    "for the executor": mean("task.queued_duration", "dataops_service", OF_DAG),
                },
                "s",
            ),
            Panel(
                "Failed tasks, an hour",
                {"{{dag_id}}": f'sum by (dag_id) (rate(<ti.finish{{state="failed",{DAG}}}>[{ROUND}])) * 3600'},
            ),
            Panel(
                "Tasks that were lost, an hour",
                {
                    "without heartbeat": f"sum(rate(<task_instances_without_heartbeats_killed>[{ROUND}])) * 3600",
                    "ended by others": f"sum(rate(<scheduler.tasks.killed_externally>[{ROUND}])) * 3600",
                },
            ),
            Panel(
                "Slots of the executor",
                {
                    "open": "sum(<executor.open_slots>)",
                    "queued": "sum(<executor.queued_tasks>)",
                    "running": "sum(<executor.running_tasks>)",
                },
            ),
        ),
    ),
    (
        "Pools",
        (
            Panel("Open slots", {"{{pool_name}}": "max by (pool_name) (<pool.open_slots>)"}),
            Panel(
                "Slots in use",
                {
                    "{{pool_name}} running": "max by (pool_name) (<pool.running_slots>)",
                    "{{pool_name}} queued": "max by (pool_name) (<pool.queued_slots>)",
                    "{{pool_name}} deferred": "max by (pool_name) (<pool.deferred_slots>)",
                },
            ),
            Panel("Tasks that wait for a slot", {"{{pool_name}}": "max by (pool_name) (<pool.scheduled_slots>)"}),
        ),
    ),
    (
        "Scheduler and DAG files",
        (
            Panel(
                "One round of the scheduler",
                {
                    "mean": mean("scheduler.scheduler_loop_duration", "dataops_service"),
                    "one of twenty": slowest("scheduler.scheduler_loop_duration"),
                },
                "s",
            ),
            Panel("Queueing tasks, mean", {"": mean("scheduler.critical_section_duration", "dataops_service")}, "s"),
            Panel("Reading all DAG files", {"": "max(<dag_processing.total_parse_time>)"}, "s"),
            Panel(
                "Slowest DAG files",
                {"{{file_name}}": f"topk(10, {mean('dag_processing.last_duration', 'file_name')})"},
                "s",
            ),
            Panel("DAG files that wait", {"": "sum(<dag_processing.file_path_queue_size>)"}),
            Panel(
                "DAG files given up, an hour",
                {"{{file_path}}": f"sum by (file_path) (rate(<dag_processing.processor_timeouts>[{ROUND}])) * 3600"},
            ),
        ),
    ),
    (
        "Triggers",
        (
            Panel("Running triggers", {"{{hostname}}": "sum by (hostname) (<triggers.running>)"}),
            Panel("Room for triggers", {"{{hostname}}": "sum by (hostname) (<triggerer.capacity_left>)"}),
            Panel(
                "Triggers, an hour",
                {
                    "succeeded": f"sum(rate(<triggers.succeeded>[{ROUND}])) * 3600",
                    "failed": f"sum(rate(<triggers.failed>[{ROUND}])) * 3600",
                    "held up others": f"sum(rate(<triggers.blocked_main_thread>[{ROUND}])) * 3600",
                },
            ),
        ),
    ),
    (
        "Pods of tasks",
        (
            Panel(
                "Making a pod, mean",
                {"": mean("kubernetes_executor.pod_creation", "dataops_service")},
                "s",
                width=12,
            ),
            Panel(
                "Pods made, an hour",
                {"{{status}}": f"sum by (status) (rate(<kubernetes_executor.pod_creation_status>[{ROUND}])) * 3600"},
                width=12,
            ),
        ),
    ),
)


def rows(version: str, *, task_pods: bool) -> list[tuple[str, list[Panel]]]:
    """Rows, panels and lines for which a service sends what they show."""

    def shown(panel: Panel) -> Panel:
        lines = panel.expressions.items()
        return replace(
            panel, expressions={key: text for key, text in lines if known(text, version, task_pods=task_pods)}
        )

    kept = [(title, [panel for panel in map(shown, panels) if panel.expressions]) for title, panels in ROWS]
    return [(title, panels) for title, panels in kept if panels]


def expressions() -> Iterator[str]:
    """Every expression of the table."""
    for _title, panels in ROWS:
        for panel in panels:
            yield from panel.expressions.values()


def dashboard(namespace: str, service: str, version: str, *, task_pods: bool) -> str:
    """What Grafana imports."""
    numbers = count(1)
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in rows(version, task_pods=task_pods):
        panels.append(
            {"id": next(numbers), "type": "row", "title": title, "panels": [], "gridPos": place(0, top, COLUMNS, 1)}
        )
        top += 1
        left, height = 0, 8
        for panel in row:
            height = 4 if panel.kind == "stat" else 8
            if left + panel.width > COLUMNS:
                left, top = 0, top + height
            drawn = panel_of(panel, namespace, service)
            panels.append({"id": next(numbers), **drawn, "gridPos": place(left, top, panel.width, height)})
            left += panel.width
        top += height
    document = {
        "uid": uid(namespace, service),
        "title": f"Data Ops: {service} ({namespace})",
        "tags": ["airflow", "scp.dataops"],
        "schemaVersion": SCHEMA,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables(namespace, service)},
        "panels": panels,
    }
    return json.dumps(document, indent=1)


def uid(namespace: str, service: str) -> str:
    """Grafana takes 40 characters at most."""
    return f"dataops-{hashlib.sha256(f'{namespace}/{service}'.encode()).hexdigest()[:16]}"


def place(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


def panel_of(panel: Panel, namespace: str, service: str) -> dict[str, Any]:
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": SOURCE,
            "expr": filled(expression, namespace, service),
            "legendFormat": legend or panel.title,
        }
        for number, (legend, expression) in enumerate(panel.expressions.items())
    ]
    defaults: dict[str, Any] = {"unit": panel.unit, **colours(panel)}
    return {
        "type": panel.kind,
        "title": panel.title,
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }


def colours(panel: Panel) -> dict[str, Any]:
    if panel.red_from is not None:
        return thresholds([("green", None), ("red", panel.red_from)])
    if panel.green_from is not None:
        return thresholds([("red", None), ("green", panel.green_from)])
    return {}


def thresholds(steps: Sequence[tuple[str, float | None]]) -> dict[str, Any]:
    return {
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [{"color": colour, "value": value} for colour, value in steps]},
    }


def variables(namespace: str, service: str) -> list[dict[str, Any]]:
    """The data source, and the DAGs that have run."""
    dags = f"label_values({filled('<ti.finish>', namespace, service)}, dag_id)"
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
        {
            "name": "dag",
            "label": "DAG",
            "type": "query",
            "datasource": SOURCE,
            "definition": dags,
            "query": {"query": dags, "refId": "dag"},
            "includeAll": True,
            "allValue": ".*",
            "multi": True,
            "refresh": 2,
            "sort": 1,
            "current": {"text": "All", "value": "$__all"},
        },
    ]
