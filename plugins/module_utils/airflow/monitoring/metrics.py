# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every metric that alerts and the dashboard use: the one place where its names, its kind and its labels stand.

Airflow calls a metric ``ti.finish``. What Prometheus calls it follows from that and its kind, by the same rule for all
of them, those that are not in this table included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

PREFIX = "airflow"
NAMESPACE, SERVICE, MANAGER = "dataops_namespace", "dataops_service", "dataops_manager"
OF_SERVICE = f"{NAMESPACE}, {SERVICE}"
EVERY_VERSION = ("2.11", "3.3")
AIRFLOW_2 = ("2.11",)
AIRFLOW_3 = ("3.3",)


class Kind(Enum):
    """With what a name ends in Prometheus."""

    COUNTER = "_total"
    GAUGE = ""
    TIMER = "_seconds"


class Sent(Enum):
    """When a service sends a metric."""

    ALWAYS = "while it runs"
    RUN = "when a DAG has run"
    FILE = "when it has DAG files"
    TROUBLE = "when something fails, waits or is rare"


@dataclass(frozen=True)
class Metric:
    """``name`` as Airflow calls it, ``labels`` those that every version sends with it."""

    name: str
    kind: Kind
    sent: Sent
    labels: tuple[str, ...] = ()
    versions: tuple[str, ...] = EVERY_VERSION
    # Only where tasks get pods of their own.
    task_pods: bool = False

    @property
    def series(self) -> str:
        return series(self.name, self.kind)


def series(name: str, kind: Kind) -> str:
    """The name in Prometheus."""
    return f"{PREFIX}_{re.sub(r'[^a-zA-Z0-9_]', '_', name)}{kind.value}"


OF_TASK = ("dag_id", "task_id")
COUNTER, GAUGE, TIMER = Kind
ALWAYS, RUN, FILE, TROUBLE = Sent

METRICS = (
    Metric("scheduler_heartbeat", COUNTER, ALWAYS),
    Metric("scheduler.scheduler_loop_duration", TIMER, ALWAYS),
    Metric("scheduler.critical_section_duration", TIMER, ALWAYS),
    Metric("scheduler.dagruns.running", GAUGE, ALWAYS, versions=AIRFLOW_3),
    Metric("scheduler.tasks.killed_externally", COUNTER, TROUBLE, OF_TASK),
    Metric("task_instances_without_heartbeats_killed", COUNTER, TROUBLE, OF_TASK),
    Metric("executor.open_slots", GAUGE, ALWAYS),
    Metric("executor.queued_tasks", GAUGE, ALWAYS),
    Metric("executor.running_tasks", GAUGE, ALWAYS),
    Metric("pool.open_slots", GAUGE, ALWAYS, ("pool_name",)),
    Metric("pool.running_slots", GAUGE, ALWAYS, ("pool_name",)),
    Metric("pool.queued_slots", GAUGE, ALWAYS, ("pool_name",)),
    Metric("pool.scheduled_slots", GAUGE, ALWAYS, ("pool_name",)),
    Metric("pool.deferred_slots", GAUGE, ALWAYS, ("pool_name",)),
    Metric("dag_processor_heartbeat", COUNTER, ALWAYS, versions=AIRFLOW_3),
    Metric("dag_processing.file_path_queue_update_count", COUNTER, ALWAYS),
    Metric("dag_processing.file_path_queue_size", GAUGE, ALWAYS),
    Metric("dag_processing.total_parse_time", GAUGE, ALWAYS),
    Metric("dag_processing.import_errors", GAUGE, ALWAYS),
    Metric("dagbag_size", GAUGE, ALWAYS),
    Metric("dag_processing.last_duration", TIMER, FILE, ("file_name",)),
    Metric("dag_processing.processor_timeouts", COUNTER, TROUBLE, ("file_path",)),
    Metric("triggerer_heartbeat", COUNTER, ALWAYS),
    Metric("triggers.running", GAUGE, ALWAYS, ("hostname",)),
    Metric("triggerer.capacity_left", GAUGE, ALWAYS, ("hostname",), versions=AIRFLOW_3),
    Metric("triggers.succeeded", COUNTER, TROUBLE),
    Metric("triggers.failed", COUNTER, TROUBLE),
    Metric("triggers.blocked_main_thread", COUNTER, TROUBLE),
    Metric("dagrun.duration.success", TIMER, RUN, ("dag_id",)),
    Metric("dagrun.duration.failed", TIMER, TROUBLE, ("dag_id",)),
    Metric("dagrun.schedule_delay", TIMER, TROUBLE, ("dag_id",)),
    Metric("ti.finish", COUNTER, RUN, (*OF_TASK, "state")),
    Metric("task.duration", TIMER, RUN, OF_TASK),
    Metric("task.scheduled_duration", TIMER, RUN, OF_TASK, versions=AIRFLOW_3),
    # Each version has code for both, and gets to only one of them.
    Metric("task.queued_duration", TIMER, RUN, OF_TASK, versions=AIRFLOW_2),
    Metric("kubernetes_executor.pod_creation", TIMER, RUN, versions=AIRFLOW_3, task_pods=True),
    Metric("kubernetes_executor.pod_creation_status", COUNTER, RUN, ("status",), versions=AIRFLOW_3, task_pods=True),
)
BY_NAME = {metric.name: metric for metric in METRICS}

# <ti.finish{state="failed"}> in an expression: a metric by Airflow's name, with conditions beside those of the service.
# Of a timer a part is named: <task.duration:count>.
PLACE = re.compile(r"<([a-z][a-z_.]*)(?::(sum|count|bucket))?(?:\{([^}]*)\})?>")


def counted(counter: str, window: str) -> str:
    """What a counter grew by within this time.

    A counter that appears stands at its first count already, which is no increase of anything; what is new counts as a
    whole. All of them appear when a Prometheus begins to look. What is new was read less often than the heartbeat.
    """
    beats = f"max by ({OF_SERVICE}) (count_over_time(<scheduler_heartbeat>[{window}]))"
    new = f"{counter} and count_over_time({counter}[{window}]) < on ({OF_SERVICE}) group_left () {beats}"
    return f"{new} or increase({counter}[{window}])"


def used(expression: str) -> list[Metric]:
    """The metrics that an expression names."""
    return [BY_NAME[name] for name, _part, _conditions in PLACE.findall(expression)]


def filled(expression: str, namespace: str, service: str) -> str:
    """PromQL, about this service only."""

    def place(match: re.Match[str]) -> str:
        name, part, conditions = match.groups()
        mine = f'{NAMESPACE}="{namespace}",{SERVICE}="{service}"'
        return f"{BY_NAME[name].series}{f'_{part}' if part else ''}{{{mine}{f',{conditions}' if conditions else ''}}}"

    return PLACE.sub(place, expression)


def known(expression: str, version: str, *, task_pods: bool) -> bool:
    """Whether a service of this version, with or without pods of tasks, sends all that this expression needs."""
    return all(version in metric.versions and (task_pods or not metric.task_pods) for metric in used(expression))
