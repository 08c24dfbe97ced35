# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What alerts and dashboard ask for is what a running Airflow sends, the pods of its tasks included."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.alerts import alerts
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.dashboard import rows
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.exporter import SCRAPE_PORT
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.metrics import (
    BY_NAME,
    PLACE,
    Sent,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.metrics import (
    NAMESPACE as OF_NAMESPACE,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.metrics import (
    SERVICE as OF_SERVICE,
)
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import DAG_ID, NAMESPACE, SERVICE
from driver import Driver, Result
from places import Airflow, until

LINE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
VERSION = "3.3"
# What an installation sends in which nothing went wrong and one DAG has run.
QUIET = (Sent.ALWAYS, Sent.FILE, Sent.RUN)
Series = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def monitored(service: Driver) -> Iterator[Result]:
    """The run that turned it on; at the end the service is as it was before."""
    yield service.service(SERVICE, monitoring={"enabled": True})
    service.service(SERVICE, monitoring={})


def scraped(kube: Kube) -> Series:
    """What a Prometheus would read now: label sets by name."""
    status, body = kube.proxy("GET", NAMESPACE, f"{SERVICE}-metrics", SCRAPE_PORT, "/metrics")
    assert status == 200
    found: Series = {}
    for line in LINE.finditer(body.decode()):
        labels = {**dict(LABEL.findall(line["labels"] or "")), "value": line["value"]}
        found.setdefault(line["name"], []).append(labels)
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
    mine = {OF_NAMESPACE: NAMESPACE, OF_SERVICE: SERVICE}
    return sorted(
        name
        for name, labels in wanted().items()
        if not any(item.items() >= mine.items() and item.keys() >= labels for item in found.get(name, []))
    )


def test_what_is_asked_for_is_sent(monitored: Result, airflow: Airflow, kube: Kube) -> None:
    # The embedded cluster has no Prometheus Operator, so what only that would understand is left out.
    assert [line for line in monitored["actions"] if line.startswith("create ")] == [
        f"create ConfigMap/{SERVICE}-metrics",
        f"create Service/{SERVICE}-metrics",
        f"create ConfigMap/{SERVICE}-dashboard",
        f"create Deployment/{SERVICE}-metrics",
    ]
    assert airflow.finish(DAG_ID, airflow.run_dag(DAG_ID)) == "success"
    # DAG files are told of every half minute.
    until(lambda: not missing(scraped(kube)), "all metrics have arrived", 60)
    found = scraped(kube)
    # Sent by the pod of the task itself.
    ended = [labels["value"] for labels in found["airflow_ti_finish_total"] if labels["state"] == "success"]
    assert [float(value) for value in ended] == [1.0]
    assert [labels["value"] for labels in found["statsd_exporter_events_unmapped_total"]] == ["0"]


def test_off_again_leaves_nothing(monitored: Result, service: Driver, kube: Kube) -> None:
    service.service(SERVICE, monitoring={"enabled": False})
    kinds = ("ConfigMap", "Service", "Deployment")
    assert [kind for kind in kinds if kube.get(kind, f"{SERVICE}-metrics", NAMESPACE)] == []
    assert kube.get("ConfigMap", f"{SERVICE}-dashboard", NAMESPACE) is None
