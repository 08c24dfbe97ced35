# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How statsd-exporter makes Prometheus metrics of what Airflow sends: its mapping file.

Every metric keeps its name, with an ending for its kind; which DAG, task or pool it is about stands in labels. Airflow
2.11 sends most metrics once more with such values inside the name; those are dropped. Each series says whose it is, so
that it does so whoever scrapes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .metrics import MANAGER, NAMESPACE, PREFIX, SERVICE, Kind

Rule = dict[str, Any]

# Old forms of metrics that are sent with tags as well, and one that statsd-exporter refuses: it counts down, too.
DROPPED = (
    r"dag\..+\.(duration|queued_duration|scheduled_duration)",
    r"dag_processing\.last_duration\..+",
    r"dag_processing\.processes",
    r"dagrun\.(dependency-check|duration\.success|duration\.failed|schedule_delay)\..+",
    r"dagrun\..+\.first_task_scheduling_delay",
    r"local_task_job\.task_exit\..+",
    r"(operator_failures|operator_successes|task_instance_created)_.+",
    r"pool\.(open|queued|running|deferred|scheduled)_slots\..+",
    r"pool\.starving_tasks\..+",
    r"(task_removed_from_dag|task_restored_to_dag)\..+",
    r"ti\.(start|finish)\..+",
    r"(triggers\.running|triggerer\.capacity_left)\..+",
)
# What has no other form: a value inside the name becomes a label. The pattern, the kind, the name, the labels.
LABELLED: tuple[tuple[str, Kind, str, Mapping[str, str]], ...] = (
    (r"executor\.([a-z_]+)\.(\w+)", Kind.GAUGE, "executor_$1", {"executor_class_name": "$2"}),
    (r"dag_processing\.(last_run\.seconds_ago)\.(.+)", Kind.GAUGE, "dag_processing_$1", {"file_name": "$2"}),
    (r"dag_processing\.(last_num_of_db_queries)\.(.+)", Kind.GAUGE, "dag_processing_$1", {"file_name": "$2"}),
    (r"task\.(cpu_usage|mem_usage)\.([^.]+)\.(.+)", Kind.GAUGE, "task_$1", {"dag_id": "$2", "task_id": "$3"}),
)
# What Airflow 3 calls otherwise than 2.11.
RENAMED = (
    (r"zombies_killed", Kind.COUNTER, "task_instances_without_heartbeats_killed"),
    (r"dataset\.(updates|triggered_dagruns)", Kind.COUNTER, "asset_$1"),
    (r"dataset\.orphaned", Kind.GAUGE, "asset_orphaned"),
)
# A triggerer is called by its address, which its successor does not have.
BY_ADDRESS = r"(triggers\.running|triggerer\.capacity_left)"
BY_ADDRESS_TTL = "2m"
# A gauge that nobody sets any more, of a pool that is gone; longer than reading all DAG files takes.
GAUGE_TTL = "30m"

# Seconds.
OF_LOOPS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
OF_TASKS = (1, 10, 60, 300, 900, 3600, 14400, 43200)
TASKS_AND_RUNS = r"((?:task|dagrun\.duration|dagrun\.schedule_delay|dagrun\.first_task_\w+)(?:\..+)?)"

# By version, timers of which Airflow sends seconds as milliseconds.
SECONDS: Mapping[str, tuple[str, ...]] = {"3.3": ("dag_processing.last_duration",)}

# How statsd-exporter calls the kinds.
KINDS = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.TIMER: "observer"}


def rules(namespace: str, service: str, manager: str, version: str) -> Iterable[Rule]:
    """In the order in which they are tried; the first that fits decides."""
    whose = {NAMESPACE: namespace, SERVICE: service, MANAGER: manager}

    def rule(pattern: str, kind: Kind, name: str, labels: Mapping[str, str] | None = None, **more: Any) -> Rule:
        return {
            "match": f"^{PREFIX}\\.{pattern}$",
            "match_type": "regex",
            "match_metric_type": KINDS[kind],
            "name": f"{PREFIX}_{name}{kind.value}".replace("$1", "${1}"),
            "labels": {**whose, **(labels or {})},
            **({"ttl": GAUGE_TTL} if kind is Kind.GAUGE else {}),
            **more,
        }

    for pattern in DROPPED:
        yield {"match": f"^{PREFIX}\\.{pattern}$", "match_type": "regex", "name": "dropped", "action": "drop"}
    for pattern, kind, name, labels in LABELLED:
        yield rule(pattern, kind, name, labels)
    for pattern, kind, name in RENAMED:
        yield rule(pattern, kind, name)
    yield rule(BY_ADDRESS, Kind.GAUGE, "$1", ttl=BY_ADDRESS_TTL)
    for name in SECONDS.get(version, ()):
        yield rule(re.escape(name), Kind.TIMER, name.replace(".", "_"), scale=1000, **histogram(OF_LOOPS))
    yield rule(TASKS_AND_RUNS, Kind.TIMER, "$1", **histogram(OF_TASKS))
    yield rule("(.+)", Kind.TIMER, "$1", **histogram(OF_LOOPS))
    yield rule("(.+)", Kind.GAUGE, "$1")
    yield rule("(.+)", Kind.COUNTER, "$1")


def histogram(buckets: tuple[float, ...]) -> dict[str, Any]:
    return {"observer_type": "histogram", "histogram_options": {"buckets": list(buckets)}}


def mapping(namespace: str, service: str, manager: str, version: str) -> str:
    """The file. It is read as YAML, which JSON is."""
    return json.dumps({"mappings": list(rules(namespace, service, manager, version))}, indent=1)
