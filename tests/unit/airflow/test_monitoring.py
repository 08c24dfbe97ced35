# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mapping, alerts and dashboard are one set: they name what Airflow sends, as statsd-exporter then calls it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import configuration
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring import exporter, mapping, prometheus
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.alerts import ALERTS, alerts
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.dashboard import dashboard, expressions
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.metrics import (
    MANAGER,
    METRICS,
    NAMESPACE,
    PLACE,
    SERVICE,
    Kind,
    Metric,
    filled,
    series,
    used,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.preflight import demand
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, NotFound
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, ref_of
from ansible_collections.scp.dataops.plugins.module_utils.kube.plan import Change

from ..fake_kube import FakeKube
from ..runs import NAMESPACE as NAMESPACE_OF_TESTS
from ..runs import cluster, cluster_with_service, done, remove, run, run_manager
from .builders import FULL, full, named, rendered, service
from .test_manifests import offences

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "monitoring.md").read_text()
KINDS = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.TIMER: "timer"}
OURS = {MANAGER, NAMESPACE, SERVICE}
BOTH = [*(alert.expression for alert in ALERTS), *expressions()]
MATCHERS = re.compile(r'(\w+) ?(?:=~|!=|=) ?"')
GROUPED = re.compile(r"(?:by|on|ignoring) \(([\w, ]+)\)")
BY_METRIC = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
BY_EXPRESSION = pytest.mark.parametrize("expression", BOTH)
# What 2.11 calls otherwise, and the mapping as 3.3 does.
FORMER = {"task_instances_without_heartbeats_killed": "zombies_killed"}
# Labels that a metric has besides those of the table, by which nothing is asked for.
IGNORED = {"status"}


def facts(version: str) -> list[list[str]]:
    """What a release sends, and what it has in its registry, as its code says."""
    return [line.split() for line in (Path(__file__).parent / "metrics" / f"{version}.txt").read_text().splitlines()]


@BY_METRIC
def test_airflow_sends_it(metric: Metric) -> None:
    for version in metric.versions:
        names = [metric.name, FORMER.get(metric.name, metric.name) if version == "2.11" else metric.name]
        sent = [
            line
            for line in facts(version)
            if line[1] == KINDS[metric.kind] and any(fnmatch(name, line[0]) for name in names)
        ]
        assert sent, f"Airflow {version} does not send {metric.name} as a {KINDS[metric.kind]}"


@BY_METRIC
def test_airflow_3_has_it_in_its_registry(metric: Metric) -> None:
    registered = {name for name, _kind, *rest in facts("3.3") if rest}
    assert metric.name in registered or "3.3" not in metric.versions


def test_a_metric_that_no_one_asks_for_is_not_in_the_table() -> None:
    asked = {metric.name for expression in BOTH for metric in used(expression)}
    assert asked == {metric.name for metric in METRICS}
    assert len({metric.series for metric in METRICS}) == len(METRICS)


def instant(expression: str) -> str:
    """As Prometheus gets it: Grafana puts in a time, and what was chosen."""
    return filled(expression, "data", "etl").replace("$__rate_interval", "5m").replace("$dag", ".*")


@BY_EXPRESSION
def test_prometheus_understands_it(expression: str) -> None:
    assert promql_parser.parse(instant(expression))


@BY_EXPRESSION
def test_a_timer_is_asked_for_by_a_part_and_nothing_else_is(expression: str) -> None:
    assert used(expression)
    parts = [(name, bool(part)) for name, part, _conditions in PLACE.findall(expression)]
    timers = {metric.name for metric in METRICS if metric.kind is Kind.TIMER}
    assert parts == [(name, name in timers) for name, _part in parts]


@BY_EXPRESSION
def test_labels_that_are_asked_for_are_sent(expression: str) -> None:
    asked = {name for names in GROUPED.findall(expression) for name in names.split(", ")}
    for name, _part, conditions in PLACE.findall(expression):
        labels = {*next(metric.labels for metric in METRICS if metric.name == name), *OURS}
        assert set(MATCHERS.findall(conditions)) <= labels
    every = {label for metric in used(expression) for label in metric.labels}
    assert asked <= every | OURS | {"le"} | IGNORED


@BY_EXPRESSION
def test_every_metric_is_that_of_the_service(expression: str) -> None:
    found = promql_parser.parse(instant(expression)).prettify()
    assert found.count(f'{SERVICE}="etl"') == found.count(f'{NAMESPACE}="data"') == len(PLACE.findall(expression))


def mapped(name: str, kind: str, version: str = "3.3") -> tuple[str, dict[str, str]]:
    """Name and labels as statsd-exporter's first rule that fits gives them; its patterns are also Python's."""
    for rule in json.loads(mapping.mapping("data", "etl", "analytics", version))["mappings"]:
        match = re.match(rule["match"], f"airflow.{name}")
        if match and rule.get("match_metric_type", kind) == kind:
            if rule.get("action") == "drop":
                return "", {}
            labels = {key: expanded(value, match) for key, value in rule["labels"].items() if key not in OURS}
            return re.sub(r"[^a-zA-Z0-9_]", "_", expanded(rule["name"], match)), labels
    raise AssertionError(f"no rule for {name}")


def expanded(text: str, match: re.Match[str]) -> str:
    return re.sub(r"\$\{?(\d)\}?", lambda found: match[int(found[1])], text)


@BY_METRIC
def test_the_mapping_gives_the_name_that_is_asked_for(metric: Metric) -> None:
    kind = mapping.KINDS[metric.kind]
    for version in metric.versions:
        assert mapped(metric.name, kind, version) == (metric.series, {})


# As Airflow sends it, its kind, and what becomes of it.
FORMS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "a name of 2.11": ("zombies_killed", "counter", "airflow_task_instances_without_heartbeats_killed_total", {}),
    "datasets of 2.11": ("dataset.updates", "counter", "airflow_asset_updates_total", {}),
    "one of several executors": (
        "executor.open_slots.CeleryExecutor",
        "gauge",
        "airflow_executor_open_slots",
        {"executor_class_name": "CeleryExecutor"},
    ),
    "a file inside the name": (
        "dag_processing.last_run.seconds_ago.my.file",
        "gauge",
        "airflow_dag_processing_last_run_seconds_ago",
        {"file_name": "my.file"},
    ),
    "a metric that nobody asks for": (
        "serde.load_serializers",
        "observer",
        "airflow_serde_load_serializers_seconds",
        {},
    ),
    "a dash": ("dagrun.dependency-check", "observer", "airflow_dagrun_dependency_check_seconds", {}),
    "a task inside the name": ("dag.etl.load.queued_duration", "observer", "", {}),
    "a task of a group inside the name": ("ti.finish.etl.group.load.success", "counter", "", {}),
    "a DAG inside the name": ("dagrun.etl.first_task_scheduling_delay", "observer", "", {}),
    "a pool inside the name": ("pool.open_slots.default_pool", "gauge", "", {}),
    "an operator inside the name": ("operator_successes_BashOperator", "counter", "", {}),
    "a counter that counts down": ("dag_processing.processes", "counter", "", {}),
}


@pytest.mark.parametrize(("name", "kind", "expected", "labels"), FORMS.values(), ids=FORMS.keys())
def test_what_becomes_of_a_metric(name: str, kind: str, expected: str, labels: dict[str, str]) -> None:
    assert mapped(name, kind) == (expected, labels)


# Where what is put into a name is a state.
STATES = {
    "dag.*.*.*": "dag.x.x.queued_duration",
    "dagrun.duration.*": "dagrun.duration.success",
    "dagrun.duration.*.*": "dagrun.duration.success.x",
    "task.*": "task.queued_duration",
}


def test_what_2_11_puts_into_names_is_dropped_or_put_into_labels() -> None:
    """Each of those would be one more metric for every DAG, task or pool."""
    kinds = {"counter": "counter", "gauge": "gauge", "timer": "observer"}
    inside = {
        STATES.get(name, name.replace("*", "x")): kinds[kind]
        for name, kind, *_rest in facts("2.11")
        if re.search(r"[._]\*", name)
    }
    assert inside.keys() >= set(STATES.values())
    found = {name: mapped(name, kind, "2.11") for name, kind in inside.items()}
    kept = {name for name, (called, labels) in found.items() if called and not labels}
    # States are few.
    assert kept == {"dagrun.duration.success", "task.queued_duration"}


def test_seconds_that_are_called_milliseconds_are_put_right() -> None:
    scaled = {
        version: [rule["name"] for rule in mapping.rules("data", "etl", "analytics", version) if "scale" in rule]
        for version in PROFILES
    }
    assert scaled == {"2.11": [], "3.3": ["airflow_dag_processing_last_duration_seconds"]}


MONITORED = {"enabled": True}


def objects(**asked: Any) -> list[Manifest]:
    """What a service with this option has that one without it does not have."""
    spec = service(monitoring={**MONITORED, **asked})
    usual = {json.dumps([item["kind"], item["metadata"]["name"]]) for item in rendered(service()).all}
    every = [*rendered(spec).all, *prometheus.manifests(spec)]
    return [item for item in every if json.dumps([item["kind"], item["metadata"]["name"]]) not in usual]


def kinds(found: list[Manifest]) -> list[str]:
    return [f"{item['kind']}/{item['metadata']['name']}" for item in found]


def test_off_changes_nothing() -> None:
    off = service(monitoring={"enabled": False, "interval": 10, "labels": {"release": "prometheus"}})
    assert rendered(off).all == rendered(service()).all
    assert prometheus.manifests(off) == []


OBJECTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "all": (
        {},
        [
            "ConfigMap/etl-metrics",
            "Service/etl-metrics",
            "ConfigMap/etl-dashboard",
            "Deployment/etl-metrics",
            "ServiceMonitor/etl-metrics",
            "PrometheusRule/etl-metrics",
        ],
    ),
    "no dashboard": (
        {"dashboard": False},
        [
            "ConfigMap/etl-metrics",
            "Service/etl-metrics",
            "Deployment/etl-metrics",
            "ServiceMonitor/etl-metrics",
            "PrometheusRule/etl-metrics",
        ],
    ),
}


@pytest.mark.parametrize(("asked", "expected"), OBJECTS.values(), ids=OBJECTS.keys())
def test_what_is_there(asked: dict[str, Any], expected: list[str]) -> None:
    assert kinds(objects(**asked)) == expected


def test_turning_it_on_restarts_what_sends_metrics() -> None:
    before, after = ({item["metadata"]["name"]: item for item in deployments(**asked)} for asked in ({}, MONITORED))
    changed = {name for name in before if before[name]["spec"]["template"] != after[name]["spec"]["template"]}
    assert changed == {"etl-web-server", "etl-scheduler", "etl-dag-processor", "etl-triggerer"} == before.keys()


def deployments(**asked: Any) -> list[Manifest]:
    return [item for item in rendered(service(monitoring=asked)).all if item["kind"] == "Deployment"]


class WithoutOperator(FakeKube):
    """A cluster whose API server has never heard of the Prometheus Operator."""

    def list_versioned(self, kind: str, *where: Any, **how: Any) -> tuple[list[Manifest], str]:
        if kind in prometheus.KINDS:
            raise NotFound(
                "the server could not find the requested resource", where=kind, status=404, reason="NotFound"
            )
        return super().list_versioned(kind, *where, **how)


def of_operator(kube: FakeKube) -> list[str]:
    return [ref for ref in kube.refs(NAMESPACE_OF_TESTS) if ref.startswith(prometheus.KINDS)]


def test_on_and_off_again_leaves_nothing() -> None:
    kube = cluster_with_service()
    before = kube.refs(NAMESPACE_OF_TESTS)
    on = run(kube, monitoring=MONITORED)
    assert of_operator(kube) == ["PrometheusRule/etl-metrics", "ServiceMonitor/etl-metrics"]
    assert (on.details["components"]["metrics"]["state"], on.warnings) == ("ready", ())
    assert done(run(kube)) == []
    run(kube, monitoring={"enabled": False})
    assert kube.refs(NAMESPACE_OF_TESTS) == before


def test_stopping_takes_the_alarms_away_and_starting_brings_them_back() -> None:
    kube = cluster_with_service(monitoring=MONITORED)
    run(kube, state="stopped")
    assert of_operator(kube) == []
    assert kube.find("Deployment", "etl-metrics", NAMESPACE_OF_TESTS)["spec"]["replicas"] == 0
    run(kube)
    assert of_operator(kube) == ["PrometheusRule/etl-metrics", "ServiceMonitor/etl-metrics"]


def test_removing_a_service_removes_what_prometheus_was_told() -> None:
    kube = cluster_with_service(monitoring=MONITORED)
    remove(kube)
    assert of_operator(kube) == []


def test_a_service_inherits_from_its_manager_what_it_does_not_say() -> None:
    kube = cluster(default_settings={"monitoring": {**MONITORED, "labels": {"release": "prometheus"}}})
    run(kube, monitoring={"interval": 60})
    monitor = kube.find("ServiceMonitor", "etl-metrics", NAMESPACE_OF_TESTS)
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["endpoints"][0]["interval"] == "60s"
    run(kube, monitoring={"enabled": False})
    assert of_operator(kube) == []


def test_without_the_operator_its_objects_are_left_out_and_that_is_said() -> None:
    kube = WithoutOperator()
    run_manager(kube, domain="example.com")
    outcome = run(kube, monitoring=MONITORED)
    assert outcome.warnings == (prometheus.LEFT_OUT,)
    assert of_operator(kube) == []
    assert "Deployment/etl-metrics" in kube.refs(NAMESPACE_OF_TESTS)
    assert done(run(kube)) == []
    remove(kube)


def test_who_may_not_use_the_operator_is_told_and_touches_nothing_of_it() -> None:
    kube = cluster_with_service(monitoring=MONITORED)
    kube.forbid("list", "ServiceMonitor", NAMESPACE_OF_TESTS)
    kube.forbid("list", "PrometheusRule", NAMESPACE_OF_TESTS)
    outcome = run(kube)
    assert (done(outcome), outcome.warnings) == ([], (prometheus.LEFT_OUT,))
    assert of_operator(kube) == ["PrometheusRule/etl-metrics", "ServiceMonitor/etl-metrics"]


def test_a_stopped_service_raises_no_alarm() -> None:
    stopped = replace(service(monitoring=MONITORED), running=False)
    assert prometheus.manifests(stopped) == []
    assert named(rendered(stopped).all, "Deployment", "etl-metrics")["spec"]["replicas"] == 0


def test_the_exporter_is_restricted_and_pinned() -> None:
    (found,) = [item for item in objects() if item["kind"] == "Deployment"]
    pod = found["spec"]["template"]["spec"]
    assert offences(pod) == []
    assert pod["containers"][0]["image"] == "prom/statsd-exporter:v0.31.0"
    assert pod["automountServiceAccountToken"] is False
    mirrored = named(rendered(full(monitoring=MONITORED)).all, "Deployment", "etl-metrics")
    image = mirrored["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == f"{FULL['image_registry']}/prom/statsd-exporter:v0.31.0"


def test_what_hinders_its_pod_is_told_of_the_option() -> None:
    (asked,) = demand.of([Change("create", ref_of(item), desired=item) for item in objects()])
    assert (asked.option, asked.count) == ("monitoring", 1)


def test_a_prometheus_selects_by_labels_and_reads_in_intervals() -> None:
    spec = service(monitoring={**MONITORED, "labels": {"release": "prometheus"}, "interval": 15})
    for item in prometheus.manifests(spec):
        assert item["metadata"]["labels"]["release"] == "prometheus"
        assert item["metadata"]["labels"]["app.kubernetes.io/instance"] == "etl"
    monitor, _rules = prometheus.manifests(spec)
    (endpoint,) = monitor["spec"]["endpoints"]
    address = named(rendered(spec).all, "Service", "etl-metrics")
    assert endpoint["interval"] == "15s"
    assert endpoint["port"] in {port["name"] for port in address["spec"]["ports"]}
    assert monitor["spec"]["selector"]["matchLabels"].items() <= address["metadata"]["labels"].items()
    assert "release" not in address["metadata"]["labels"]


SETTINGS: dict[str, dict[str, str]] = {
    "2.11": {"timer_unit_consistency": "True"},
    "3.3": {"legacy_names_on": "False"},
}


@pytest.mark.parametrize(("version", "own"), SETTINGS.items(), ids=SETTINGS.keys())
def test_settings_of_airflow(version: str, own: dict[str, str]) -> None:
    spec = service(version=version, monitoring=MONITORED, config={"metrics": {"metrics_block_list": "serde"}})
    found = configuration.effective(spec)["metrics"]
    address = named(rendered(spec).all, "Service", "etl-metrics")
    sent_to = {(port["port"], port["protocol"]) for port in address["spec"]["ports"]}
    assert found["statsd_host"] == address["metadata"]["name"]
    assert (int(found["statsd_port"]), "UDP") in sent_to
    assert found.items() >= {**own, "statsd_influxdb_enabled": "True", "metrics_block_list": "serde"}.items()
    assert "metrics" not in configuration.effective(service(version=version))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"monitoring": {"enable": True}}, "monitoring.enable: no such option. Use enabled."),
    "too often": (
        {"monitoring": {"interval": 1}},
        "monitoring.interval: 1 is out of range. Use a whole number from 5 to 120.",
    ),
    "no label": (
        {"monitoring": {"labels": {"re lease": "x"}}},
        "monitoring.labels: 're lease=x' is not a label. Use a key and a value of letters, digits, '-', '_' and '.', "
        "such as {'release': 'prometheus'}.",
    ),
    "a label of ours": (
        {"monitoring": {"labels": {"app.kubernetes.io/instance": "x"}}},
        "monitoring.labels: 'app.kubernetes.io/instance' is a label of the service. Use another label.",
    ),
    "settings beside it": (
        {"monitoring": MONITORED, "config": {"metrics": {"statsd_host": "elsewhere"}}},
        "config.metrics.statsd_host: the service sets it itself while it is monitored. "
        "Leave it out, or set monitoring.enabled to false.",
    ),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as refused:
        service(**options)
    assert str(refused.value) == message


def test_without_monitoring_metrics_may_go_elsewhere() -> None:
    spec = service(config={"metrics": {"statsd_on": True, "statsd_host": "elsewhere"}})
    assert configuration.effective(spec)["metrics"] == {"statsd_host": "elsewhere", "statsd_on": "True"}


def test_a_version_is_told_only_of_what_it_sends() -> None:
    told = {version: {alert.name for alert in alerts(version, task_pods=True)} for version in PROFILES}
    assert "DataOpsDagProcessorStopped" in told["3.3"] - told["2.11"]
    assert "DataOpsDagProcessingStalled" in told["2.11"] - told["3.3"]
    assert "DataOpsTaskPodsRefused" not in {alert.name for alert in alerts("3.3", task_pods=False)}
    assert {alert.name for version in told for alert in alerts(version, task_pods=True)} == {a.name for a in ALERTS}


def drawn(**more: Any) -> dict[str, Any]:
    given = {"namespace": "data", "service": "etl", "version": "3.3", "task_pods": True, "interval": 30, **more}
    found: dict[str, Any] = json.loads(dashboard(**given))
    return found


def panels(**more: Any) -> Iterator[dict[str, Any]]:
    yield from drawn(**more)["panels"]


def test_the_dashboard_is_the_same_for_the_same_service() -> None:
    first, again = (dashboard("data", "etl", "3.3", task_pods=True, interval=30) for _again in range(2))
    assert first == again
    other = drawn(service="other")
    assert other["uid"] != drawn()["uid"]
    assert len(other["uid"]) <= 40
    assert len(first) < 100_000


def test_the_dashboard_names_no_data_source_and_no_number_twice() -> None:
    found = list(panels())
    assert len({panel["id"] for panel in found}) == len(found)
    sources = {target["datasource"]["uid"] for panel in found for target in panel.get("targets", [])}
    assert sources == {"${datasource}"}
    variables = {item["name"] for item in drawn()["templating"]["list"]}
    asked = {name for expression in expressions() for name in re.findall(r"\$(\w+)", expression)} - {"__rate_interval"}
    assert asked <= variables


@pytest.mark.parametrize("version", PROFILES)
def test_a_panel_says_what_it_shows(version: str) -> None:
    shown = [panel for panel in panels(version=version) if panel["type"] != "row"]
    assert {panel["type"] for panel in shown} == {"stat", "timeseries"}
    assert all(panel["title"] and panel["fieldConfig"]["defaults"]["unit"] in ("short", "s") for panel in shown)
    assert [panel["title"] for panel in shown if not panel["description"].endswith(".")] == []
    assert len({panel["title"] for panel in shown}) == len(shown)


def test_a_tile_shows_what_is_and_has_the_colour_that_it_was_given() -> None:
    tiles = [panel for panel in panels() if panel["type"] == "stat"]
    (queries,) = {(target["instant"], target["range"]) for panel in tiles for target in panel["targets"]}
    assert queries == (True, False)
    colours = [panel["fieldConfig"]["defaults"]["color"]["mode"] for panel in tiles]
    assert colours == ["thresholds"] * 4 + ["fixed"] * 4


def test_a_line_is_as_fine_as_the_readings() -> None:
    """Grafana would take four times what its data source says, in which may be one reading only."""
    lines = [target for panel in panels(interval=120) if panel["type"] == "timeseries" for target in panel["targets"]]
    assert {target["interval"] for target in lines} == {"120s"}


@pytest.mark.parametrize("version", PROFILES)
def test_panels_stand_beside_each_other(version: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels(version=version):
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _y in cells) < 24
        taken |= cells


def test_the_dashboard_has_the_label_that_grafana_looks_for() -> None:
    (found,) = [item for item in objects() if item["metadata"]["name"] == "etl-dashboard"]
    assert found["metadata"]["labels"].items() >= exporter.DASHBOARD_LABELS.items()
    assert list(found["data"]) == ["dataops-data-etl.json"]


def test_alerts_are_told_with_what_can_be_done() -> None:
    for alert in ALERTS:
        row = f"| `{alert.name}` | {alert.severity} | {alert.summary[0].upper()}{alert.summary[1:]}. | {alert.action} |"
        assert row in DOCUMENT
    assert len(re.findall(r"^\| `DataOps", DOCUMENT, re.MULTILINE)) == len(ALERTS)


def test_metrics_are_documented() -> None:
    for metric in METRICS:
        cells = [f"`{metric.series}`", f"`{metric.name}`", ", ".join(f"`{label}`" for label in metric.labels)]
        versions = "" if len(metric.versions) > 1 else f"{metric.versions[0]} only"
        assert f"| {' | '.join([*cells, versions, metric.sent.value])} |" in DOCUMENT


def test_series_of_any_metric() -> None:
    assert series("dagrun.dependency-check", Kind.TIMER) == "airflow_dagrun_dependency_check_seconds"
