# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What alerts and dashboard ask for is what a running Airflow sends, and a real Prometheus answers all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.alerts import alerts
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.dashboard import rows
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.exporter import SCRAPE_PORT
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.metrics import (
    BY_NAME,
    METRICS,
    PLACE,
    Sent,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.metrics import (
    NAMESPACE as OF_NAMESPACE,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.metrics import (
    SERVICE as OF_SERVICE,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import DAG_ID, DOMAIN, NAMESPACE, SERVICE
from driver import Driver, Result
from places import Airflow, until
from prometheus import Found, Prometheus, prometheus

VERSION = "3.3"
# What an installation sends in which nothing went wrong and one DAG has run.
QUIET = (Sent.ALWAYS, Sent.FILE, Sent.RUN)
# What Grafana puts in for each variable: everything, and one of what there is.
CHOSEN = (".*", f"({DAG_ID}|other)")
ROUND = "1m"
Series = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def monitored(service: Driver) -> Iterator[Result]:
    """The run that turned it on; at the end the service is as it was before."""
    yield service.service(SERVICE, monitoring={"enabled": True})
    service.service(SERVICE, monitoring={})


@pytest.fixture(scope="module")
def watched(
    monitored: Result, airflow: Airflow, kube: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """A Prometheus that has read all that a service sends of which one DAG has run."""
    spec = ServiceSpec.from_options(
        {"domain": DOMAIN, "monitoring": {"enabled": True}}, name=SERVICE, manager=NAMESPACE, namespace=NAMESPACE
    )
    found = kube.get("Service", f"{SERVICE}-metrics", NAMESPACE)
    assert found
    exporter = f"{found['spec']['clusterIP']}:{SCRAPE_PORT}"
    with prometheus(tmp_path_factory.mktemp("prometheus"), spec, exporter) as server:
        assert airflow.finish(DAG_ID, airflow.run_dag(DAG_ID)) == "success"
        # DAG files are told of every half minute.
        until(lambda: not missing(series(server)), "all metrics have arrived", 60)
        yield server


def series(server: Prometheus) -> Series:
    """All that it has read of the service: label sets by name."""
    found: Series = {}
    for sample in server.now(f'{{{OF_NAMESPACE}="{NAMESPACE}",{OF_SERVICE}="{SERVICE}"}}'):
        _at, value = sample["value"]
        found.setdefault(sample["metric"]["__name__"], []).append({**sample["metric"], "value": value})
    return found


def wanted() -> dict[str, set[str]]:
    """Names of series that alerts and dashboard ask for, with the labels by which they do."""
    panels = [panel for _title, row in rows(VERSION, task_pods=True) for panel in row]
    asked = [text for panel in panels for text in panel.expressions.values()]
    asked += [alert.expression for alert in alerts(VERSION, task_pods=True)]
    places = [(BY_NAME[name], part) for text in asked for name, part, _conditions in PLACE.findall(text)]
    return {
        f"{metric.series}_{part}" if part else metric.series: {*metric.labels, OF_NAMESPACE, OF_SERVICE}
        for metric, part in places
        if metric.sent in QUIET
    }


def missing(found: Series) -> list[str]:
    return sorted(
        name for name, labels in wanted().items() if not any(item.keys() >= labels for item in found.get(name, []))
    )


def test_what_is_asked_for_is_sent(monitored: Result, watched: Prometheus) -> None:
    # The embedded cluster has no Prometheus Operator, so what only that would understand is left out.
    assert [line for line in monitored["actions"] if line.startswith("create ")] == [
        f"create ConfigMap/{SERVICE}-metrics",
        f"create Service/{SERVICE}-metrics",
        f"create ConfigMap/{SERVICE}-dashboard",
        f"create Deployment/{SERVICE}-metrics",
    ]
    found = series(watched)
    # Sent by the pod of the task itself.
    ended = [labels["value"] for labels in found["airflow_ti_finish_total"] if labels["state"] == "success"]
    assert [float(value) for value in ended] == [1.0]
    # As the ServiceMonitor asks for it, whichever pod the exporter is.
    assert {labels["instance"] for labels in found["airflow_ti_finish_total"]} == {f"{NAMESPACE}/{SERVICE}"}
    (unmapped,) = watched.now("statsd_exporter_events_unmapped_total")
    assert unmapped["value"][1] == "0"


def test_every_alert_is_evaluated_and_none_wakes_anybody(watched: Prometheus) -> None:
    def evaluated() -> Found:
        found = watched.alerts()
        return [] if any(alert["health"] == "unknown" for alert in found) else found

    found = until(evaluated, "all alerts were evaluated", 30)
    assert [(alert["name"], alert.get("lastError")) for alert in found if alert["health"] != "ok"] == []
    assert [alert["name"] for alert in found] == [alert.name for alert in alerts(VERSION, task_pods=True)]

    def awake() -> list[str]:
        critical = [alert for alert in watched.alerts() if alert["labels"]["severity"] == "critical"]
        assert len(critical) == 4
        return [alert["name"] for alert in critical if alert["state"] != "inactive"]

    # What is told of a service that Prometheus knows nothing of yet is over with its first reading.
    until(lambda: not awake(), "no critical alert is pending", 30)


def test_every_panel_has_something_to_show(watched: Prometheus, kube: Kube) -> None:
    """Each query as Grafana sends it. Those about what went wrong may find nothing, but are no error either."""
    held = kube.get("ConfigMap", f"{SERVICE}-dashboard", NAMESPACE)
    assert held
    document = json.loads(held["data"][f"dataops-{NAMESPACE}-{SERVICE}.json"])
    rare = {metric.series for metric in METRICS if metric.sent not in QUIET} | {'state="failed"'}
    queries = [(panel["title"], query) for panel in document["panels"] for query in panel.get("targets", [])]
    assert len(queries) > 30
    empty = [
        (title, query["legendFormat"])
        for title, query in queries
        for chosen in CHOSEN
        if not answered(watched, query, chosen) and not any(name in query["expr"] for name in rare)
    ]
    assert empty == []
    source, dags = document["templating"]["list"]
    assert source["query"] == "prometheus"
    asked = dags["query"]["query"].removeprefix("label_values(").removesuffix(", dag_id)")
    assert DAG_ID in watched.ask("label/dag_id/values", **{"match[]": asked})


def answered(server: Prometheus, query: dict[str, Any], chosen: str) -> Found:
    asked = query["expr"].replace("$__rate_interval", ROUND).replace("$dag", chosen)
    assert "$" not in asked
    return server.now(asked) if query.get("instant") else server.lately(asked)


def test_off_again_leaves_nothing(monitored: Result, service: Driver, kube: Kube) -> None:
    service.service(SERVICE, monitoring={"enabled": False})
    kinds = ("ConfigMap", "Service", "Deployment")
    assert [kind for kind in kinds if kube.get(kind, f"{SERVICE}-metrics", NAMESPACE)] == []
    assert kube.get("ConfigMap", f"{SERVICE}-dashboard", NAMESPACE) is None
