# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a service: how it is, its pods, events and logs, with no secret in any of them."""

from __future__ import annotations

import base64
import threading
from typing import Any

import pytest
from ansible_collections.scp.dataops.console.recent import Recent
from ansible_collections.scp.dataops.console.workings import age_of, owner_of
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import SERVICE, labels
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube, cluster_object
from ..runs import MANAGER, NAMESPACE, run
from .test_pages import HTML, signed_in

POD = "etl-scheduler-5d4f-abcde"
KOREAN = {**HTML, "Accept-Language": "ko"}


def pod(name: str = POD, component: str = "scheduler", **status: Any) -> dict[str, Any]:
    return cluster_object(
        "Pod",
        name,
        metadata={"namespace": NAMESPACE, "labels": labels(SERVICE, "etl", MANAGER, component)},
        spec={"containers": [{"name": component, "image": "airflow"}], "initContainers": [{"name": "first"}]},
        status={"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], **status},
    )


def event(name: str, target: str, when: str, **rest: Any) -> dict[str, Any]:
    involved = {"kind": "Pod", "name": target}
    return cluster_object(
        "Event", name, metadata={"namespace": NAMESPACE}, involvedObject=involved, lastTimestamp=when, **rest
    )


@pytest.fixture
def browser(client: TestClient, app: FastAPI, kube: FakeKube) -> TestClient:
    """Signed in, with a service that has a pod."""
    run(kube, size="small", description="<script>alert(1)</script>", tags={"team": "data"})
    kube.put(pod())
    app.state.collector.look(kube)
    signed_in(client)
    kube.forget()
    return client


def test_a_service(browser: TestClient, kube: FakeKube) -> None:
    shown = browser.get("/services/etl", headers=HTML)
    assert shown.status_code == 200
    for text in (
        "RUNNING",
        "Healthy",
        "scheduler",
        POD,
        "team=data",
        "KubernetesExecutor",
        "etl-account",
        "No repository",
    ):
        assert text in shown.text, text
    assert "<script>alert" not in shown.text and "&lt;script&gt;alert" in shown.text
    assert "파드" in browser.get("/services/etl", headers=KOREAN).text
    assert kube.writes == []


def test_what_is_not_well_stands_on_top(browser: TestClient, app: FastAPI, kube: FakeKube) -> None:
    waiting = {"name": "scheduler", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no <b>image</b>"}}}
    kube.put(pod(phase="Pending", conditions=[], containerStatuses=[{**waiting, "restartCount": 3}]))
    kube.health = None
    app.state.collector.look(kube)
    app.state.recent.seconds = 0
    top = browser.get("/services/etl/live", headers=HTML).text
    assert "Needs attention" in top and "Airflow does not answer" in top
    shown = browser.get("/services/etl/around", headers=HTML).text
    assert "no &lt;b&gt;image" in shown and "<b>image" not in shown
    assert '<td data-label="Restarts">3</td>' in shown


def test_events_are_those_of_the_service_the_newest_first(browser: TestClient, app: FastAPI, kube: FakeKube) -> None:
    run(kube, "etl-two")
    app.state.collector.look(kube)
    kube.put(event("a", POD, "2026-01-01T00:00:01Z", reason="Older", message="<i>pulled</i>", count=4))
    kube.put(event("b", POD, "2026-01-01T00:00:02Z", reason="Newer", type="Warning"))
    kube.put(event("c", "etl-two-scheduler-1", "2026-01-01T00:00:03Z", reason="Stranger"))
    shown = browser.get("/services/etl/around", headers=HTML).text
    assert shown.index("Newer") < shown.index("Older")
    assert "Stranger" not in shown
    assert "&lt;i&gt;pulled" in shown and "4 times" in shown


NAMES = {
    "its own": ("etl", "etl"),
    "an object of it": ("etl-scheduler-1", "etl"),
    "another that begins like it": ("etl-two-scheduler", "etl-two"),
    "a stranger": ("etlx", ""),
}


@pytest.mark.parametrize(("name", "owner"), NAMES.values(), ids=NAMES.keys())
def test_whose_object_it_is(name: str, owner: str) -> None:
    assert owner_of(name, ("etl", "etl-two")) == owner


AGES = {
    0: ("age_seconds", 0),
    119: ("age_seconds", 119),
    120: ("age_minutes", 2),
    7200: ("age_hours", 2),
    200000: ("age_days", 2),
}


@pytest.mark.parametrize(("seconds", "expected"), AGES.items(), ids=map(str, AGES))
def test_ages(seconds: int, expected: tuple[str, int]) -> None:
    assert age_of(seconds) == expected


def test_logs(browser: TestClient, kube: FakeKube) -> None:
    password = base64.b64decode(kube.find("Secret", "etl-account", NAMESPACE)["data"]["password"]).decode()
    kube.printed[POD] = f"<b>line</b>\nsigned in with {password}"
    shown = browser.get("/services/etl/logs", params={"pod": POD}, headers=HTML).text
    assert "&lt;b&gt;line" in shown and "<b>line" not in shown
    assert password not in shown and "signed in with" in shown
    assert "data-live" in shown and "Pause" in shown
    held = browser.get("/services/etl/logs", params={"pod": POD, "follow": "false"}, headers=HTML).text
    assert "data-live" not in held and "Follow" in held
    other = browser.get("/services/etl/logs", params={"pod": POD, "container": "of another pod"}, headers=HTML).text
    assert "<option selected>scheduler" in other
    part = browser.get("/services/etl/logs/live", params={"pod": POD, "container": "first"}, headers=HTML).text
    assert "<html" not in part and "&lt;b&gt;line" in part


NOT_THERE = (
    "/services/other",
    "/services/other/live",
    "/services/other/around",
    "/services/other/logs",
    "/services/other/logs/live",
)


@pytest.mark.parametrize("path", [*NOT_THERE, "/services/etl/logs?pod=dataops-manager-console"])
def test_what_is_not_there(browser: TestClient, path: str) -> None:
    assert browser.get(path, headers=HTML).status_code == 404


@pytest.mark.parametrize("path", ["/services/A,b", "/services/etl/logs?lines=0", "/services/etl/logs?lines=x"])
def test_what_cannot_be_asked(browser: TestClient, path: str) -> None:
    assert browser.get(path, headers=HTML).status_code == 400


def test_one_that_is_not_there_yet_shows_the_operation_that_makes_it(browser: TestClient, app: FastAPI) -> None:
    go_on = threading.Event()

    def work(*_given: Any) -> Outcome:
        go_on.wait(5)
        return Outcome(changes=(), details={})

    begun = app.state.operations.start("create", "service new-one", By("console", "dataops"), work)
    sent = browser.get("/services/new-one", headers=HTML, follow_redirects=False)
    go_on.set()
    assert (sent.status_code, sent.headers["location"]) == (303, f"/operations/{begun.operation_id}")
    app.state.operations.join(begun.operation_id, 5)


def test_more_browsers_are_no_more_work_for_the_cluster(browser: TestClient, app: FastAPI, kube: FakeKube) -> None:
    app.state.recent.seconds = 3600
    parts = ("/services/etl/live", "/services/etl/around")
    for path in parts:
        browser.get(path, headers=HTML)
    kube.forget()
    for path in (*parts, *parts, *parts):
        assert browser.get(path, headers=HTML).status_code == 200
    assert kube.requests == 0


def test_what_was_looked_at_lately() -> None:
    now = 0.0
    looks: list[float] = []
    recent = Recent(5, clock=lambda: now)

    def look() -> float:
        looks.append(now)
        return now

    assert [recent.get("a", look), recent.get("a", look)] == [0.0, 0.0]
    now = 5.0
    assert recent.get("a", look) == 5.0
    assert looks == [0.0, 5.0]


def test_a_look_that_failed_is_not_remembered() -> None:
    recent = Recent(5)
    with pytest.raises(ValueError, match="once"):
        recent.get("a", lambda: (_once := int("once")))
    assert recent.get("a", lambda: 1) == 1
