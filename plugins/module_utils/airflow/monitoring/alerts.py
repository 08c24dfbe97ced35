# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When somebody has to be told, and what they can do then. ``docs/monitoring.md`` says the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .metrics import OF_SERVICE, counted, filled, known

NEWS = "15m"


@dataclass(frozen=True)
class Alert:
    """``seconds``: how long it must have been so. ``action`` is the first thing to do."""

    name: str
    severity: Literal["critical", "warning"]
    seconds: int
    expression: str
    summary: str
    action: str


def stopped(heartbeat: str, window: str = "5m") -> str:
    """A heartbeat is a counter: it does not grow, or there is none at all."""
    return f"rate({heartbeat}[{window}]) == 0 or absent({heartbeat})"


def happened(counter: str, by: str) -> str:
    return f"sum by ({by}) ({counted(counter, NEWS)}) > 0"


def no_more_may_run() -> str:
    """All executors of a service share one limit. What waits is not with them then: the scheduler keeps it."""
    running = f"sum by ({OF_SERVICE}) (<executor.running_tasks>)"
    limit = f"max by ({OF_SERVICE}) (<executor.open_slots> + ignoring (status) <executor.running_tasks>)"
    return f"{running} >= {limit} and sum by ({OF_SERVICE}) (<pool.scheduled_slots>) > 0"


ALERTS = (
    Alert(
        "DataOpsSchedulerStopped",
        "critical",
        120,
        stopped("<scheduler_heartbeat>"),
        "no scheduler sends a heartbeat, so no task starts",
        "Ask dataops_service_info for the state of the scheduler and its reasons. If all components are silent, look "
        "at the pod of the component metrics first.",
    ),
    Alert(
        "DataOpsDagProcessorStopped",
        "critical",
        120,
        stopped("<dag_processor_heartbeat>"),
        "the DAG processor sends no heartbeat, so changed DAGs are not read",
        "Ask dataops_service_info for the state of the DAG processor; a DAG file that takes all its memory stops it.",
    ),
    Alert(
        "DataOpsDagProcessingStalled",
        "critical",
        120,
        stopped("<dag_processing.file_path_queue_update_count>", "30m"),
        "the DAG files were not gone through for half an hour, so changed DAGs are not read",
        "Look at the log of the DAG processor for a file that takes very long, and give it a time limit with "
        "dag_file_processor_timeout.",
    ),
    Alert(
        "DataOpsTriggererStopped",
        "critical",
        120,
        stopped("<triggerer_heartbeat>"),
        "the triggerer sends no heartbeat, so deferred tasks do not wake up",
        "Ask dataops_service_info for the state of the triggerer and its reasons.",
    ),
    Alert(
        "DataOpsImportErrors",
        "warning",
        600,
        "<dag_processing.import_errors> > 0",
        "DAG files cannot be read",
        "Open Airflow, whose home page lists the files with their errors, and correct them in the repository.",
    ),
    Alert(
        "DataOpsRunsFailed",
        "warning",
        0,
        happened("<dagrun.duration.failed:count>", f"{OF_SERVICE}, dag_id"),
        "runs of a DAG failed in the last quarter of an hour",
        "Open the failed run in Airflow and read the log of its failed task.",
    ),
    Alert(
        "DataOpsTasksLost",
        "warning",
        0,
        happened("<task_instances_without_heartbeats_killed>", f"{OF_SERVICE}, dag_id"),
        "tasks stopped sending heartbeats and were taken for dead",
        "Look whether their pods or workers ran out of memory, and raise task_pod or worker memory if so.",
    ),
    Alert(
        "DataOpsTasksDoNotStart",
        "critical",
        # Then Airflow takes a task back that did not start, and queues it anew.
        600,
        "<pool.queued_slots> > 0 and <pool.running_slots> == 0",
        "tasks have been queued for ten minutes, and none of their pool runs",
        "Look whether pods of tasks wait for room on the nodes, or whether the workers are there.",
    ),
    Alert(
        "DataOpsPoolFull",
        "warning",
        1800,
        "<pool.open_slots> <= 0 and <pool.scheduled_slots> > 0",
        "a pool has been full for half an hour while tasks wait for it",
        "Enlarge the pool, or find the tasks that hold its slots.",
    ),
    Alert(
        "DataOpsExecutorFull",
        "warning",
        1800,
        no_more_may_run(),
        "as many tasks run as may, and others have waited for half an hour",
        "Raise core.parallelism in the option config if the cluster has room for more tasks.",
    ),
    Alert(
        "DataOpsSchedulerSlow",
        "warning",
        600,
        "rate(<scheduler.scheduler_loop_duration:sum>[10m]) "
        "/ rate(<scheduler.scheduler_loop_duration:count>[10m]) > 10",
        "one round of the scheduler takes more than ten seconds",
        "Look at the database first, then give the scheduler more CPU.",
    ),
    Alert(
        "DataOpsTriggersBlocked",
        "warning",
        0,
        "increase(<triggers.blocked_main_thread>[15m]) > 10",
        "all triggers are held up again and again",
        "Give the triggerer more CPU if it uses all that it has. Else a trigger waits without await: set "
        "PYTHONASYNCIODEBUG to 1 for it in the option environment, and its log names that trigger.",
    ),
    Alert(
        "DataOpsDagFilesTimedOut",
        "warning",
        0,
        happened("<dag_processing.processor_timeouts>", f"{OF_SERVICE}, file_path"),
        "reading a DAG file took too long and was given up",
        "Move work out of the top level of that file, or raise dag_processor.dag_file_processor_timeout.",
    ),
    Alert(
        "DataOpsTaskPodsRefused",
        "warning",
        0,
        happened('<kubernetes_executor.pod_creation_status{status!="200"}>', f"{OF_SERVICE}, status"),
        "Kubernetes refused pods of tasks",
        "Read the log of the scheduler, and look at the quotas of the namespace with dataops_preflight.",
    ),
)
# Where a heartbeat tells the same, its absence is enough.
INSTEAD = {"DataOpsDagProcessingStalled": "DataOpsDagProcessorStopped"}


def alerts(version: str, *, task_pods: bool) -> list[Alert]:
    """Those for which a service sends all that they look at."""
    told = {alert.name for alert in ALERTS if known(alert.expression, version, task_pods=task_pods)}
    return [alert for alert in ALERTS if alert.name in told and INSTEAD.get(alert.name) not in told]


def rule(alert: Alert, namespace: str, service: str) -> dict[str, Any]:
    """An alert as a PrometheusRule has it."""
    return {
        "alert": alert.name,
        "expr": filled(alert.expression, namespace, service),
        **({"for": f"{alert.seconds}s"} if alert.seconds else {}),
        "labels": {"severity": alert.severity},
        "annotations": {"summary": f"Service {service} in {namespace}: {alert.summary}", "description": alert.action},
    }
