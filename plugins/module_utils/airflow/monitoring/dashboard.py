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

from .metrics import counted, filled, known

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
ROUND = "$__rate_interval"
# Of Grafana's JSON; newer ones read it.
SCHEMA = 39
DAG = 'dag_id=~"$dag"'

Expressions = Mapping[str, str]


@dataclass(frozen=True)
class Panel:
    """``expressions`` by legend. A tile without ``red_from`` and ``green_from`` has no opinion."""

    title: str
    description: str
    expressions: Expressions
    unit: str = "short"
    kind: Literal["timeseries", "stat"] = "timeseries"
    width: int = 8
    red_from: float | None = None
    green_from: float | None = None


def tile(title: str, description: str, expression: str, **more: Any) -> Panel:
    return Panel(title, description, {"": expression}, kind="stat", width=3, **more)


def beats(component: str, heartbeat: str) -> Panel:
    return tile(
        f"{component}, beats a minute",
        "It is red when there was none in five minutes, and empty when nothing is read from the exporter.",
        f"sum(rate(<{heartbeat}>[5m])) * 60",
        green_from=0.1,
    )


def in_an_hour(counter: str, by: str = "") -> str:
    """Few in number, so that a rate over the seconds between two points would say little."""
    return f"sum{f' by ({by})' if by else ''} ({counted(counter, '1h')})"


def mean(timer: str, by: str, conditions: str = "") -> str:
    """Seconds a time, over what ended lately."""
    total, number = (f"sum by ({by}) ({counted(f'<{timer}:{part}{conditions}>', ROUND)})" for part in ("sum", "count"))
    return f"{total} / {number}"


def slowest(timer: str) -> str:
    """What one of twenty took at least."""
    return f"histogram_quantile(0.95, sum by (le) (rate(<{timer}:bucket>[{ROUND}])))"


OF_DAG = f"{{{DAG}}}"
ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Now",
        (
            beats("Scheduler", "scheduler_heartbeat"),
            beats("DAG processor", "dag_processor_heartbeat"),
            beats("Triggerer", "triggerer_heartbeat"),
            tile(
                "Import errors",
                "DAG files that cannot be read. Airflow's home page lists them with their errors.",
                "sum(<dag_processing.import_errors>)",
                red_from=1,
            ),
            tile("DAGs", "DAGs that were found in the DAG files.", "sum(<dagbag_size>)"),
            tile("Running DAG runs", "Runs that have begun and not ended.", "sum(<scheduler.dagruns.running>)"),
            tile(
                "Running tasks",
                "Slots of all pools in which a task runs. A task takes one unless it asks for more.",
                "sum(<pool.running_slots>)",
            ),
            tile(
                "Queued tasks",
                "Slots of all pools whose task waits for a pod or a worker to start it.",
                "sum(<pool.queued_slots>)",
            ),
        ),
    ),
    (
        "Runs",
        (
            Panel(
                "Runs that ended, an hour",
                "Each point counts the hour before it.",
                {
                    "success": in_an_hour(f"<dagrun.duration.success:count{OF_DAG}>"),
                    "failed": in_an_hour(f"<dagrun.duration.failed:count{OF_DAG}>"),
                },
            ),
            Panel(
                "Duration of runs, mean",
                "Of runs that succeeded, from their start to their end.",
                {"{{dag_id}}": mean("dagrun.duration.success", "dag_id", OF_DAG)},
                "s",
            ),
            Panel(
                "Delay of scheduled runs, mean",
                "From the time at which a run was due until it started.",
                {"{{dag_id}}": mean("dagrun.schedule_delay", "dag_id", OF_DAG)},
                "s",
            ),
        ),
    ),
    (
        "Tasks",
        (
            Panel(
                "Tasks that ended, an hour",
                "Each point counts the hour before it. Every try counts, also one that is repeated or deferred.",
                {"{{state}}": in_an_hour(f"<ti.finish{OF_DAG}>", "state")},
            ),
            Panel(
                "Duration of tasks, mean",
                "Of every try, from its start to its end.",
                {"{{dag_id}}": mean("task.duration", "dag_id", OF_DAG)},
                "s",
            ),
            Panel(
                "Waiting of tasks, mean",
                "For the scheduler: from being due to being queued. For the executor: from there to the start. Airflow "
                "3 tells the first, Airflow 2 the second.",
                {
                    "for the scheduler": mean("task.scheduled_duration", "dataops_service", OF_DAG),
                    "for the executor": mean("task.queued_duration", "dataops_service", OF_DAG),
                },
                "s",
            ),
            Panel(
                "Failed tasks, an hour",
                "Each point counts the hour before it. What a task told itself after its last try; one that was lost "
                "tells nothing.",
                {"{{dag_id}}": in_an_hour(f'<ti.finish{{state="failed",{DAG}}}>', "dag_id")},
            ),
            Panel(
                "Tasks that were lost, an hour",
                "Each point counts the hour before it. Without heartbeat: taken for dead since none came. Ended by "
                "others: the pod or process of a task ended before Airflow heard of its result.",
                {
                    "without heartbeat": in_an_hour("<task_instances_without_heartbeats_killed>"),
                    "ended by others": in_an_hour("<scheduler.tasks.killed_externally>"),
                },
            ),
            Panel(
                "Slots of the executor",
                "Open: how many more tasks may run, of core.parallelism. Running: what it handed on, waiting pods "
                "included. Queued: what it has not handed on yet, which is seldom seen.",
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
            Panel(
                "Open slots",
                "Slots that no task has taken. Less than none: the pool was made smaller.",
                {"{{pool_name}}": "max by (pool_name) (<pool.open_slots>)"},
            ),
            Panel(
                "Slots in use",
                "Running: of tasks that run. Queued: of tasks that wait for a pod or a worker. Deferred: of tasks that "
                "wait for a trigger, which take a slot only if the pool says so.",
                {
                    "{{pool_name}} running": "max by (pool_name) (<pool.running_slots>)",
                    "{{pool_name}} queued": "max by (pool_name) (<pool.queued_slots>)",
                    "{{pool_name}} deferred": "max by (pool_name) (<pool.deferred_slots>)",
                },
            ),
            Panel(
                "Tasks that wait for a slot",
                "What is due and not queued: the pool or the executor is full, or a limit of the DAG holds it back.",
                {"{{pool_name}}": "max by (pool_name) (<pool.scheduled_slots>)"},
            ),
        ),
    ),
    (
        "Scheduler and DAG files",
        (
            Panel(
                "One round of the scheduler",
                "From looking for work to having handed it on. One of twenty rounds took at least the upper line.",
                {
                    "mean": mean("scheduler.scheduler_loop_duration", "dataops_service"),
                    "one of twenty": slowest("scheduler.scheduler_loop_duration"),
                },
                "s",
            ),
            Panel(
                "Queueing tasks, mean",
                "The part of a round for which schedulers wait for each other.",
                {"": mean("scheduler.critical_section_duration", "dataops_service")},
                "s",
            ),
            Panel(
                "Reading all DAG files",
                "How long going through all of them took.",
                {"": "max(<dag_processing.total_parse_time>)"},
                "s",
            ),
            Panel(
                "Slowest DAG files",
                "Mean of what reading a file took; the ten slowest.",
                {"{{file_name}}": f"topk(10, {mean('dag_processing.last_duration', 'file_name')})"},
                "s",
            ),
            Panel(
                "DAG files that wait",
                "Files that the DAG processor has still to read.",
                {"": "sum(<dag_processing.file_path_queue_size>)"},
            ),
            Panel(
                "DAG files given up, an hour",
                "Each point counts the hour before it. Reading them took longer than "
                "dag_processor.dag_file_processor_timeout.",
                {"{{file_path}}": in_an_hour("<dag_processing.processor_timeouts>", "file_path")},
            ),
        ),
    ),
    (
        "Triggers",
        (
            Panel(
                "Running triggers",
                "Deferred tasks for which a triggerer waits.",
                {"{{hostname}}": "sum by (hostname) (<triggers.running>)"},
            ),
            Panel(
                "Room for triggers",
                "How many more a triggerer takes.",
                {"{{hostname}}": "sum by (hostname) (<triggerer.capacity_left>)"},
            ),
            Panel(
                "Triggers, an hour",
                "Each point counts the hour before it. Held up others: how often none had its turn for a while.",
                {
                    "succeeded": in_an_hour("<triggers.succeeded>"),
                    "failed": in_an_hour("<triggers.failed>"),
                    "held up others": in_an_hour("<triggers.blocked_main_thread>"),
                },
            ),
        ),
    ),
    (
        "Pods of tasks",
        (
            Panel(
                "Making a pod, mean",
                "Until Kubernetes has taken it. That it runs takes longer.",
                {"": mean("kubernetes_executor.pod_creation", "dataops_service")},
                "s",
                width=12,
            ),
            Panel(
                "Pods made, an hour",
                "Each point counts the hour before it. By what Kubernetes answered: 200 is a pod that was made.",
                {"{{status}}": in_an_hour("<kubernetes_executor.pod_creation_status>", "status")},
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


def dashboard(namespace: str, service: str, version: str, *, task_pods: bool, interval: int) -> str:
    """What Grafana imports. ``interval``: seconds between two readings; a data source may say otherwise."""
    numbers = count(1)
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in rows(version, task_pods=task_pods):
        panels.append(
            {
                "id": next(numbers),
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": place(0, top, COLUMNS, 1),
            }
        )
        top += 1
        left, height = 0, 8
        for panel in row:
            height = 4 if panel.kind == "stat" else 8
            if left + panel.width > COLUMNS:
                left, top = 0, top + height
            drawn = panel_of(panel, namespace, service, interval)
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


def panel_of(panel: Panel, namespace: str, service: str, interval: int) -> dict[str, Any]:
    # A tile shows what is. Over a time it would go on showing what was seen last.
    when = {"instant": True, "range": False} if panel.kind == "stat" else {"interval": f"{interval}s"}
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": SOURCE,
            "expr": filled(expression, namespace, service),
            "legendFormat": legend or panel.title,
            **when,
        }
        for number, (legend, expression) in enumerate(panel.expressions.items())
    ]
    defaults: dict[str, Any] = {"unit": panel.unit, **colours(panel)}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }


def colours(panel: Panel) -> dict[str, Any]:
    if panel.red_from is not None:
        return thresholds([("green", None), ("red", panel.red_from)])
    if panel.green_from is not None:
        return thresholds([("red", None), ("green", panel.green_from)])
    # Left to itself a tile is red from 80 on.
    return {"color": {"mode": "fixed", "fixedColor": "blue"}} if panel.kind == "stat" else {}


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
