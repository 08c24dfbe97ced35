# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of services in the background, and how the dashboard shows it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.scp.dataops.console.collector import Collector, Git, Part, Seen, Snapshot, summary
from ansible_collections.scp.dataops.console.counts import Counts
from ansible_collections.scp.dataops.console.history import Moment, chart, remembered
from ansible_collections.scp.dataops.console.settings import Settings
from ansible_collections.scp.dataops.console.volume import Room
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..runs import NAMESPACE, cluster_with_service, remove, run
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
FINE = Counts(running=2, queued=1, failed_runs=0, import_errors=0)
SEEN: dict[str, tuple[dict[str, Any], dict[str, Any], Counts | None, tuple[str, list[str]]]] = {
    "healthy": ({}, TOLD, FINE, ("healthy", [])),
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
        FINE,
        ("unhealthy", ["Airflow reports scheduler: unhealthy"]),
    ),
    "import errors": ({}, TOLD, replace(FINE, import_errors=2), ("healthy", [])),
    "stopped": ({"state": "STOPPED", "health": "stopped", "reasons": ["x"]}, {}, None, ("stopped", [])),
}


@pytest.mark.parametrize(("described", "told", "counted", "expected"), SEEN.values(), ids=SEEN.keys())
def test_how_a_service_is(
    described: dict[str, Any], told: dict[str, Any], counted: Counts | None, expected: tuple[str, list[str]]
) -> None:
    seen = summary("etl", {**DESCRIBED, **described}, told, counted, NOW)
    assert (seen.health, list(seen.reasons)) == expected


ATTENTION: dict[str, tuple[Seen, bool]] = {
    "nothing": (summary("etl", DESCRIBED, TOLD, FINE, NOW), False),
    "import errors": (summary("etl", DESCRIBED, TOLD, replace(FINE, import_errors=2), NOW), True),
    "failed runs": (summary("etl", DESCRIBED, TOLD, replace(FINE, failed_runs=1), NOW), True),
    "no answer": (summary("etl", DESCRIBED, {}, None, NOW), True),
    "an old heartbeat": (summary("etl", DESCRIBED, TOLD, FINE, NOW + timedelta(minutes=1)), True),
    "another commit": (replace(summary("etl", DESCRIBED, TOLD, FINE, NOW), git=Git("main", "a" * 40)), False),
    "a commit that does not come": (
        replace(summary("etl", DESCRIBED, TOLD, FINE, NOW), git=Git("b" * 40, "a" * 40, late=True)),
        True,
    ),
}


@pytest.mark.parametrize(("seen", "expected"), ATTENTION.values(), ids=ATTENTION.keys())
def test_what_needs_attention(seen: Seen, expected: bool) -> None:
    assert seen.needs_attention is expected


def test_the_age_of_a_heartbeat() -> None:
    [part] = summary("etl", DESCRIBED, TOLD, FINE, NOW).parts
    assert part.heartbeat == 4


def test_a_look(settings: Settings) -> None:
    kube, collector = cluster_with_service(), Collector(settings)
    kube.totals = {"running": 3, "queued": 1, "failed": 2, "importErrors": 4}
    collector.look(kube)
    [seen] = collector.snapshot.services
    assert (seen.name, seen.state, seen.health) == ("etl", "RUNNING", "healthy")
    assert seen.counts == Counts(running=3, queued=1, failed_runs=2, import_errors=4)
    assert {part.name for part in seen.parts} >= {"web-server", "scheduler", "dag-processor", "triggerer", "database"}
    assert kube.writes == []
    last = collector.snapshot
    assert [(one.running, one.queued, one.healthy) for one in last.history] == [(3, 1, 1)]
    assert last.room and 0 <= last.room.percent <= 100


def questions(kube: FakeKube) -> list[str]:
    return [path for _method, path, _headers, _body in kube.asked_airflow if not path.endswith("/health")]


def test_questions_are_bounded_and_asked_less_often_than_for_health(settings: Settings) -> None:
    kube, collector = cluster_with_service(git_sync={"repo": "https://git.example.com/dags.git"}), Collector(settings)
    collector.look(kube)
    asked = [path for path in questions(kube) if path != "/auth/token"]
    assert len(asked) == 5
    assert all("limit=1" in path or "limit=20" in path for path in asked)
    kube.forget()
    collector.look(kube)
    assert questions(kube) == []
    assert collector.snapshot.services[0].counts


def test_an_airflow_that_does_not_answer_is_asked_again(settings: Settings) -> None:
    kube, collector = cluster_with_service(), Collector(settings)
    collector.look(kube)
    health, kube.health = kube.health, None
    collector.look(kube)
    assert collector.snapshot.services[0].counts is None
    assert collector.snapshot.history[-1].running is None
    kube.health = health
    collector.look(kube)
    assert collector.snapshot.services[0].counts


ONE, TWO = "1" * 40, "2" * 40
GIT: dict[str, tuple[str, list[str | None], Git]] = {
    "a branch": ("main", [ONE, ONE, TWO], Git("main", ONE)),
    "that commit": (ONE, [ONE, None], Git(ONE, ONE)),
    "another commit": (TWO, [ONE], Git(TWO, ONE)),
    "no DAGs yet": (TWO, [], Git(TWO)),
}


@pytest.mark.parametrize(("ref", "commits", "expected"), GIT.values(), ids=GIT.keys())
def test_which_commit_runs(settings: Settings, ref: str, commits: list[str | None], expected: Git) -> None:
    kube = cluster_with_service(git_sync={"repo": "https://git.example.com/dags.git", "ref": ref})
    kube.airflow_dags = {f"dag-{number}": commit for number, commit in enumerate(commits)}
    collector = Collector(settings)
    collector.look(kube)
    assert collector.snapshot.services[0].git == expected


def test_a_commit_that_does_not_come_is_late_after_a_while(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    kube = cluster_with_service(git_sync={"repo": "https://git.example.com/dags.git", "ref": TWO, "interval": 5})
    kube.airflow_dags = {"dag": ONE}
    collector = Collector(settings)
    collector.look(kube)
    assert collector.snapshot.services[0].git == Git(TWO, ONE)
    monkeypatch.setattr("ansible_collections.scp.dataops.console.collector.LATE", -10)
    collector.look(kube)
    assert collector.snapshot.services[0].git == Git(TWO, ONE, late=True)


def test_a_service_that_is_gone_is_forgotten(settings: Settings) -> None:
    kube, collector = cluster_with_service(), Collector(settings)
    collector.look(kube)
    remove(kube)
    collector.look(kube)
    assert collector.snapshot.services == ()
    assert vars(collector)["_asked"] == {}


def test_the_history_is_bounded() -> None:
    known: tuple[Moment, ...] = ()
    for second in range(0, 3 * 3600, 10):
        known = remembered(known, Moment(at=NOW + timedelta(seconds=second), running=1, queued=0, healthy=1))
    assert 118 < len(known) <= 121
    assert timedelta(minutes=59) < known[-1].at - known[0].at <= timedelta(hours=1)


def test_the_history_ends_with_what_is_now() -> None:
    known: tuple[Moment, ...] = ()
    for second, running in ((0, 1), (10, 2), (20, 3), (30, 4), (40, 5)):
        known = remembered(known, Moment(at=NOW + timedelta(seconds=second), running=running, queued=0, healthy=1))
        assert known[-1].running == running
    assert [moment.running for moment in known] == [1, 4, 5]


def test_a_chart() -> None:
    moments = [
        Moment(at=NOW - timedelta(minutes=minutes), running=running, queued=0, healthy=1)
        for minutes, running in ((60, 0), (30, None), (15, 4), (0, 2))
    ]
    found = chart("tasks_running", moments, lambda moment: moment.running, NOW)
    assert (found.now, found.most) == (2, 4)
    assert found.line == "0.0,46.0 180.0,2.0 240.0,24.0"
    assert found.area == f"0.0,48 {found.line} 240.0,48"
    nothing = chart("tasks_running", [], lambda moment: moment.running, NOW)
    assert (nothing.now, nothing.most, nothing.line, nothing.area) == (None, 0, "", "")


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
            counts=FINE,
            git=Git("main", "a" * 40),
        )
        for number in range(count)
    )


def test_a_hundred_services(client: TestClient, app: FastAPI) -> None:
    signed_in(client)
    now = datetime.now(timezone.utc)
    history = tuple(
        Moment(at=now - timedelta(seconds=30 * (120 - number)), running=number, queued=7, healthy=90)
        for number in range(121)
    )
    app.state.collector.snapshot = Snapshot(services=many(100), at=now, room=Room(3 * 2**30, 2**30), history=history)
    seconds = []
    for _time in range(3):
        begun = time.perf_counter()
        shown = client.get("/", headers=HTML).text
        seconds.append(time.perf_counter() - begun)
    # The best of them: a machine that tests has other things to do, too.
    assert min(seconds) < 0.2
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
    app.state.collector.snapshot = Snapshot(
        services=(replace(many(2)[1], counts=replace(FINE, import_errors=2)),), at=NOW
    )
    assert client.get("/", headers=HTML).text.count("2 DAG files cannot be imported") == 1
    assert "DAG 파일 2개" in client.get("/", headers={**HTML, "Accept-Language": "ko"}).text


def test_what_was_not_seen_yet_or_not_now_is_said(client: TestClient, app: FastAPI) -> None:
    signed_in(client)
    assert "Not looked yet" in client.get("/", headers=HTML).text
    app.state.collector.snapshot = Snapshot(problem="no API server")
    assert "The cluster cannot be read: no API server" in client.get("/", headers=HTML).text


def test_numbers_charts_and_what_is_full(client: TestClient, app: FastAPI) -> None:
    signed_in(client)
    seen = replace(many(2)[1], counts=replace(FINE, failed_runs=5), git=Git(TWO, ONE, late=True))
    history = (Moment(at=NOW, running=2, queued=1, healthy=1),)
    app.state.collector.snapshot = Snapshot(services=(seen,), at=NOW, room=Room(90, 10), history=history)
    text = client.get("/", headers=HTML).text
    for words in (
        "2 running, 1 queued",
        "5 failed runs in 24 h",
        "DAG runs that failed in the last 24 hours: 5",
        "Commit 2222222 was asked for, and DAGs still run from 1111111",
        "It is 90 % full",
        "At most 2 in the last hour",
        '<polyline class="line" points="',
    ):
        assert words in text, words
    assert " style=" not in text
    korean = client.get("/", headers={**HTML, "Accept-Language": "ko"}).text
    assert "실행 중 2" in korean and "90% 찼습니다" in korean
