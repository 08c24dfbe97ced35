# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of services in the background, and how the dashboard shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.scp.dataops.console.collector import Collector, Part, Seen, Snapshot, summary
from ansible_collections.scp.dataops.console.settings import Settings
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..runs import NAMESPACE, cluster_with_service, run
from .test_pages import HTML, signed_in

NOW = datetime(2026, 1, 1, 12, 0, 30, tzinfo=timezone.utc)
DESCRIBED: dict[str, Any] = {
    "state": "RUNNING",
    "health": "healthy",
    "reasons": [],
    "version": "3.3.2",
    "web_url": "http://etl.example.com",
    "components": {"scheduler": {"state": "ready", "ready": 1, "wanted": 1}},
}
TOLD = {"scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2026-01-01T12:00:26Z"}}
SEEN: dict[str, tuple[dict[str, Any], dict[str, Any], int | None, tuple[str, list[str]]]] = {
    "healthy": ({}, TOLD, 0, ("healthy", [])),
    "no answer": ({}, {}, None, ("unknown", ["Airflow does not answer"])),
    "starting, no answer": (
        {"state": "UPDATING", "health": "unhealthy", "reasons": ["scheduler: 0 of 1"]},
        {},
        None,
        ("unhealthy", ["scheduler: 0 of 1"]),
    ),
    "no heartbeat": (
        {},
        {"scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": None}},
        0,
        ("unhealthy", ["Airflow reports scheduler: unhealthy"]),
    ),
    "import errors": ({}, TOLD, 2, ("healthy", [])),
    "stopped": ({"state": "STOPPED", "health": "stopped", "reasons": ["x"]}, {}, None, ("stopped", [])),
}


@pytest.mark.parametrize(("described", "told", "errors", "expected"), SEEN.values(), ids=SEEN.keys())
def test_how_a_service_is(
    described: dict[str, Any], told: dict[str, Any], errors: int | None, expected: tuple[str, list[str]]
) -> None:
    seen = summary("etl", {**DESCRIBED, **described}, told, errors, NOW)
    assert (seen.health, list(seen.reasons)) == expected


def test_what_needs_attention() -> None:
    assert not summary("etl", DESCRIBED, TOLD, 0, NOW).needs_attention
    assert summary("etl", DESCRIBED, TOLD, 2, NOW).needs_attention
    assert summary("etl", DESCRIBED, {}, None, NOW).needs_attention


def test_the_age_of_a_heartbeat() -> None:
    [part] = summary("etl", DESCRIBED, TOLD, 0, NOW).parts
    assert part.heartbeat == 4


def test_a_look(settings: Settings) -> None:
    kube, collector = cluster_with_service(), Collector(settings)
    collector.look(kube)
    [seen] = collector.snapshot.services
    assert (seen.name, seen.state, seen.health, seen.import_errors) == ("etl", "RUNNING", "healthy", 0)
    assert {part.name for part in seen.parts} >= {"web-server", "scheduler", "dag-processor", "triggerer", "database"}
    assert kube.writes == []


def test_a_look_at_more_services_lists_no_more(settings: Settings) -> None:
    """Only each Airflow itself is asked, and that not by way of the API server."""

    def lists(kube: FakeKube) -> int:
        collector = Collector(settings)
        collector.look(kube)
        kube.forget()
        collector.look(kube)
        return kube.reads - len(kube.asked_airflow)

    one, two = cluster_with_service(), cluster_with_service()
    run(two, "second")
    assert lists(one) == lists(two)


def test_a_look_that_fails_keeps_what_was_seen(settings: Settings) -> None:
    kube, collector = cluster_with_service(), Collector(settings)
    collector.look(kube)
    before = collector.snapshot
    kube.forbid("list", "Deployment", NAMESPACE)
    collector.look(kube)
    assert collector.snapshot.services == before.services
    assert collector.snapshot.at == before.at
    assert "may not list deployments" in collector.snapshot.problem


def many(count: int) -> tuple[Seen, ...]:
    parts = tuple(
        Part(name=name, state="ready", ready=1, wanted=1, heartbeat=3)
        for name in ("web-server", "scheduler", "dag-processor", "triggerer", "database")
    )
    return tuple(
        Seen(
            name=f"service-{number}",
            state="RUNNING",
            health="unhealthy" if number % 10 == 0 else "healthy",
            reasons=("scheduler: <b>0</b> of 1 pods are available",) if number % 10 == 0 else (),
            version="3.3.2",
            web_url=f"http://service-{number}.example.com",
            parts=parts,
            import_errors=0,
        )
        for number in range(count)
    )


def test_a_hundred_services(client: TestClient, app: FastAPI) -> None:
    signed_in(client)
    app.state.collector.snapshot = Snapshot(services=many(100), at=datetime.now(timezone.utc))
    shown = client.get("/", headers=HTML).text
    assert shown.count('<th scope="row">') == 100
    assert "Needs attention" in shown
    assert "&lt;b&gt;0" in shown and "<b>0" not in shown
    part = client.get("/dashboard/live", headers={"HX-Request": "true"}).text
    assert "<html" not in part and part.count('<th scope="row">') == 100


def test_a_page_asks_nothing_of_the_cluster(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    signed_in(client)
    kube.forget()
    for _browser in range(5):
        assert client.get("/dashboard/live", headers=HTML).status_code == 200
    assert kube.requests == 0


def test_files_that_cannot_be_imported_are_told_in_each_language(client: TestClient, app: FastAPI) -> None:
    signed_in(client)
    app.state.collector.snapshot = Snapshot(services=(replace(many(2)[1], import_errors=2),), at=NOW)
    assert client.get("/", headers=HTML).text.count("2 DAG files cannot be imported") == 1
    assert "DAG 파일 2개" in client.get("/", headers={**HTML, "Accept-Language": "ko"}).text


def test_what_was_not_seen_yet_or_not_now_is_said(client: TestClient, app: FastAPI) -> None:
    signed_in(client)
    assert "Not looked yet" in client.get("/", headers=HTML).text
    app.state.collector.snapshot = Snapshot(problem="no API server")
    assert "The cluster cannot be read: no API server" in client.get("/", headers=HTML).text
