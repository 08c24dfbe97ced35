# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus reads: its text format, from memory, for everybody and about nobody."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.scp.dataops.console.collector import Collector, Snapshot
from ansible_collections.scp.dataops.console.metrics import Metric, Sample, written
from ansible_collections.scp.dataops.console.volume import Room
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..runs import run
from .test_dashboard import many

PAGE = Path(__file__).parents[3] / "docs" / "monitoring.md"
LABEL = r'[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"'
LINE = re.compile(rf"# (?:HELP|TYPE) \S+ .+|[a-z_]+\{{{LABEL}(?:,{LABEL})*\}} -?[0-9.e+]+")
OWN = 'dataops_manager="analytics",dataops_namespace="data"'


def shown(client: TestClient) -> list[str]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    return lines


def test_all_that_was_seen(client: TestClient, app: FastAPI) -> None:
    sick, well = many(2)
    app.state.collector.snapshot = Snapshot(
        services=(sick, replace(well, counts=None)),
        at=datetime.now(timezone.utc),
        room=Room(3, 1),
        took=0.25,
        failures=2,
    )
    lines = shown(client)
    for expected in (
        f'dataops_service_info{{{OWN},dataops_service="service-0",version="3.3.2",state="RUNNING"}} 1',
        f'dataops_service_health{{{OWN},dataops_service="service-0",health="unhealthy"}} 1',
        f'dataops_service_health{{{OWN},dataops_service="service-1",health="unhealthy"}} 0',
        f'dataops_service_needs_attention{{{OWN},dataops_service="service-0"}} 1',
        f'dataops_component_ready_pods{{{OWN},dataops_service="service-0",component="scheduler"}} 1',
        f'dataops_component_heartbeat_age_seconds{{{OWN},dataops_service="service-1",component="scheduler"}} 3',
        f'dataops_service_tasks{{{OWN},dataops_service="service-0",state="running"}} 2',
        f"dataops_files_used_bytes{{{OWN}}} 3",
        f"dataops_console_look_duration_seconds{{{OWN}}} 0.25",
        f"dataops_console_failed_looks_total{{{OWN}}} 2",
        "# TYPE dataops_console_failed_looks_total counter",
        f'dataops_console_operations{{{OWN},state="running"}} 0',
    ):
        assert expected in lines, expected
    assert not any(line.startswith("dataops_service_tasks") and "service-1" in line for line in lines)


def test_before_the_first_look(client: TestClient) -> None:
    assert not any("look_age" in line or "dataops_service" in line for line in shown(client))


def test_nobody_is_named_and_nothing_is_asked(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    run(kube, account={"id": "sentinel", "password": "SENTINEL-Password1!"}, description="SENTINEL words")
    app.state.collector.look(kube)
    operations = app.state.operations
    begun = operations.start("stop", "service etl", By("api", "SENTINEL-jane"), lambda kube, timeline: Outcome((), {}))
    operations.join(begun.operation_id, 10)
    kube.forget()
    lines = shown(client)
    assert kube.requests == 0
    assert f'dataops_console_operations{{{OWN},state="done"}} 1' in lines
    assert "sentinel" not in "".join(lines).lower()


def test_a_look_that_fails_is_counted(app: FastAPI, kube: FakeKube) -> None:
    collector: Collector = app.state.collector
    kube.forbid("list", "Deployment", "data")
    collector.look(kube)
    collector.look(kube)
    assert collector.snapshot.failures == 2


def test_what_a_label_may_hold() -> None:
    text = written([Metric("m", "Help.", [Sample(1, {"a": 'x"\\\ny'})])], {})
    assert text == '# HELP m Help.\n# TYPE m gauge\nm{a="x\\"\\\\\\ny"} 1\n'


def test_the_page_about_them_names_all(client: TestClient, app: FastAPI) -> None:
    app.state.collector.snapshot = Snapshot(services=many(1), at=datetime.now(timezone.utc), room=Room(3, 1))
    there = {line.split()[2] for line in shown(client) if line.startswith("# TYPE")}
    named = set(
        re.findall(r"`(dataops_(?:service|component|files|console)_[a-z_]+)`", PAGE.read_text(encoding="utf-8"))
    )
    assert there == named
