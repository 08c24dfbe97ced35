# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each alert as Prometheus' own tool evaluates it, over an hour that is made up: when it fires and when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.alerts import ALERTS, rule
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.dashboard import ROWS
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.metrics import NAMESPACE, SERVICE, filled
from prometheus import complaints

WHOSE = {NAMESPACE: "data", SERVICE: "etl"}
INTERVAL = "30s"


@dataclass(frozen=True)
class Case:
    """``series``: a reading every half minute, as promtool writes them: ``0+6x20`` are 0, 6, ... 120, ``_x21`` is
    21 times none.

    ``silent`` and ``fires`` are times. ``labels`` are those that an alert has besides the service's.
    """

    alert: str
    series: Mapping[str, str]
    silent: tuple[str, ...]
    fires: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


def stopped(component: str, alert: str, heartbeat: str) -> dict[str, Case]:
    return {
        f"{component} stops": Case(alert, {heartbeat: "0+6x20 120x40"}, ("9m", "16m30s"), ("17m30s", "30m")),
        f"{component} was never there": Case(alert, {}, ("1m30s",), ("2m30s",)),
        f"{component} restarts": Case(alert, {heartbeat: "0+6x20 120x5 120+6x40"}, ("13m", "17m30s", "25m")),
        f"the exporter restarts, and {component} runs": Case(alert, {heartbeat: "600+6x20 stale _x2 0+6x40"}, ("12m",)),
    }


BEATS = {"<scheduler_heartbeat>": "600+6x80"}


def happened(alert: str, counter: str, **labels: str) -> dict[str, Case]:
    """News, told for a quarter of an hour."""

    def case(values: str, *silent: str, fires: tuple[str, ...] = ()) -> Case:
        return Case(alert, {counter: values, **BEATS}, silent, fires, labels)

    return {
        f"{alert}: for the first time": case("_x21 1x40", "10m", "26m", fires=("10m30s", "25m")),
        f"{alert}: once more": case("3x20 4x40", "10m", "26m", fires=("10m30s", "25m")),
        f"{alert}: after the exporter was replaced": case("1x20 stale _x4 1x40", "10m", "12m30s", fires=("13m",)),
        f"{alert}: before anybody looked": case("5x60", "0s", "30s", "10m", "16m"),
    }


def pools(**values: str) -> dict[str, str]:
    return {f'<pool.{name}_slots{{pool_name="default_pool"}}>': text for name, text in values.items()}


def executor(name: str, **values: str) -> dict[str, str]:
    ends = {"open": "slots", "running": "tasks"}
    return {
        f'<executor.{key}_{ends[key]}{{executor_class_name="{name}",status="{key}"}}>': text
        for key, text in values.items()
    }


POOL = {"pool_name": "default_pool"}
FULL = executor("KubernetesExecutor", open="0x70", running="32x70")
HALF = {
    **executor("CeleryExecutor", open="16x70", running="16x70"),
    **executor("KubernetesExecutor", open="16x70", running="16x70"),
}
NOT_FULL = executor("KubernetesExecutor", open="1x70", running="31x70")
ERRORS = "<dag_processing.import_errors>"
READ = "<dag_processing.file_path_queue_update_count>"
LOOP = "<scheduler.scheduler_loop_duration:{}>"
BLOCKED = "<triggers.blocked_main_thread>"
REFUSED, MADE = (f'<kubernetes_executor.pod_creation_status{{status="{status}"}}>' for status in ("403", "200"))

CASES = {
    **stopped("a scheduler", "DataOpsSchedulerStopped", "<scheduler_heartbeat>"),
    **stopped("a DAG processor", "DataOpsDagProcessorStopped", "<dag_processor_heartbeat>"),
    **stopped("a triggerer", "DataOpsTriggererStopped", "<triggerer_heartbeat>"),
    "DAG files are no longer gone through": Case(
        "DataOpsDagProcessingStalled", {READ: "0+1x20 20x80"}, ("9m", "41m30s"), ("42m30s",)
    ),
    "going through DAG files takes a while": Case("DataOpsDagProcessingStalled", {READ: "0x50 1x50 2x50"}, ("45m",)),
    "a DAG file is broken": Case("DataOpsImportErrors", {ERRORS: "0x4 2x40"}, ("12m",), ("13m",)),
    "a DAG file is broken and corrected": Case("DataOpsImportErrors", {ERRORS: "0x4 2x15 0x40"}, ("10m", "15m")),
    **happened("DataOpsRunsFailed", '<dagrun.duration.failed:count{dag_id="load"}>', dag_id="load"),
    **happened("DataOpsTasksLost", '<task_instances_without_heartbeats_killed{dag_id="load"}>', dag_id="load"),
    **happened("DataOpsDagFilesTimedOut", '<dag_processing.processor_timeouts{file_path="a.py"}>', file_path="a.py"),
    **happened("DataOpsTaskPodsRefused", REFUSED, status="403"),
    "pods are made": Case("DataOpsTaskPodsRefused", {MADE: "0+1x40", **BEATS}, ("10m",)),
    "tasks do not start": Case(
        "DataOpsTasksDoNotStart", pools(queued="0x4 3x60", running="0x64"), ("12m",), ("13m", "30m"), POOL
    ),
    "tasks wait when somebody begins to look": Case(
        "DataOpsTasksDoNotStart", pools(queued="3x60", running="0x60"), ("0s", "9m30s"), ("10m30s",), POOL
    ),
    "tasks wait and others run": Case(
        "DataOpsTasksDoNotStart", pools(queued="3x80", running="1x80"), ("0s", "10m30s", "31m")
    ),
    "a pool is full": Case("DataOpsPoolFull", pools(open="0x70", scheduled="4x70"), ("29m30s",), ("30m30s",), POOL),
    "a pool was made smaller": Case(
        "DataOpsPoolFull", pools(open="-8x70", scheduled="4x70"), ("29m30s",), ("30m30s",), POOL
    ),
    "a pool is full and nothing waits": Case("DataOpsPoolFull", pools(open="0x70", scheduled="0x70"), ("31m",)),
    "as many tasks run as may": Case(
        "DataOpsExecutorFull", {**FULL, **pools(scheduled="4x70")}, ("29m30s",), ("30m30s",)
    ),
    "two executors share what may run": Case(
        "DataOpsExecutorFull", {**HALF, **pools(scheduled="4x70")}, ("29m30s",), ("30m30s",)
    ),
    "one more task may run": Case("DataOpsExecutorFull", {**NOT_FULL, **pools(scheduled="4x70")}, ("31m",)),
    "as many tasks run as may, and nothing waits": Case(
        "DataOpsExecutorFull", {**FULL, **pools(scheduled="0x70")}, ("31m",)
    ),
    "twelve seconds a round": Case(
        "DataOpsSchedulerSlow", {LOOP.format("sum"): "0+24x60", LOOP.format("count"): "0+2x60"}, ("10m",), ("11m",)
    ),
    "nine seconds a round": Case(
        "DataOpsSchedulerSlow", {LOOP.format("sum"): "0+18x60", LOOP.format("count"): "0+2x60"}, ("11m", "20m")
    ),
    "triggers are held up": Case("DataOpsTriggersBlocked", {BLOCKED: "0+1x60"}, ("4m",), ("15m",)),
    "triggers were held up a few times": Case("DataOpsTriggersBlocked", {BLOCKED: "0+1x8 8x60"}, ("5m", "15m")),
}


def of_service(series: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"series": filled(name, *WHOSE.values()), "values": values} for name, values in series.items()]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_an_alert(case: Case, tmp_path: Path) -> None:
    (told,) = [rule(alert, *WHOSE.values()) for alert in ALERTS if alert.name == case.alert]
    fired = {"exp_labels": {**WHOSE, **told["labels"], **case.labels}, "exp_annotations": told["annotations"]}
    expected: dict[str, list[Any]] = {**{at: [] for at in case.silent}, **{at: [fired] for at in case.fires}}
    test = {
        "interval": INTERVAL,
        "input_series": of_service(case.series),
        "alert_rule_test": [
            {"eval_time": at, "alertname": case.alert, "exp_alerts": alerts} for at, alerts in expected.items()
        ],
    }
    assert complaints(tmp_path, {"groups": [{"name": "data.etl", "rules": [told]}]}, test) == ""


def test_each_alert_fires_in_one_case_and_is_silent_in_another() -> None:
    every = {alert.name for alert in ALERTS}
    assert {case.alert for case in CASES.values() if case.fires} == every
    assert {case.alert for case in CASES.values() if not case.fires} == every
    assert all(case.silent for case in CASES.values())


@dataclass(frozen=True)
class Drawn:
    """A line of a panel, by its legend; its value at a time."""

    panel: str
    legend: str
    series: Mapping[str, str]
    at: str
    value: float
    labels: str


FAILED = '<ti.finish{dag_id="load",state="failed"}>'
TOOK = '<dagrun.duration.success:{}{{dag_id="load"}}>'
LINES = {
    "a first failure": Drawn("Failed tasks, an hour", "{{dag_id}}", {FAILED: "_x21 1x40"}, "11m", 1, '{dag_id="load"}'),
    "two more failures": Drawn(
        "Failed tasks, an hour", "{{dag_id}}", {FAILED: "7x119 8x10 9x60"}, "1h10m", 2, '{dag_id="load"}'
    ),
    "failures before anybody looked": Drawn(
        "Failed tasks, an hour", "{{dag_id}}", {FAILED: "7x60"}, "11m", 0, '{dag_id="load"}'
    ),
    "a first run": Drawn(
        "Duration of runs, mean",
        "{{dag_id}}",
        {TOOK.format("sum"): "_x21 40x40", TOOK.format("count"): "_x21 1x40"},
        "11m",
        40,
        '{dag_id="load"}',
    ),
}


@pytest.mark.parametrize("drawn", LINES.values(), ids=LINES.keys())
def test_what_a_panel_counts(drawn: Drawn, tmp_path: Path) -> None:
    """As Grafana asks for it: with a time, and what was chosen."""
    (panel,) = [panel for _title, row in ROWS for panel in row if panel.title == drawn.panel]
    asked = filled(panel.expressions[drawn.legend], *WHOSE.values())
    asked = asked.replace("$__rate_interval", "2m").replace("$dag", "(load|store)")
    test = {
        "interval": INTERVAL,
        "input_series": of_service({**drawn.series, "<scheduler_heartbeat>": "600+6x240"}),
        "promql_expr_test": [
            {"expr": asked, "eval_time": drawn.at, "exp_samples": [{"labels": drawn.labels, "value": drawn.value}]}
        ],
    }
    assert complaints(tmp_path, {"groups": []}, test) == ""
