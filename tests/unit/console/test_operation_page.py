# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of an operation: its progress as it comes, and how it ended."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome, Timeline
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotReady
from fastapi import FastAPI
from fastapi.testclient import TestClient

from .test_pages import HTML, signed_in

KIM = By("console", "kim")


@pytest.fixture
def browser(client: TestClient) -> TestClient:
    signed_in(client)
    return client


def begun(app: FastAPI, work: Any, verb: str = "change") -> str:
    found: str = app.state.operations.start(verb, "service etl", KIM, work).operation_id
    return found


def ended(app: FastAPI, work: Any, verb: str = "change") -> str:
    operation_id = begun(app, work, verb)
    app.state.operations.join(operation_id, 5)
    return operation_id


def fine(_kube: Any, timeline: Timeline) -> Outcome:
    timeline.say("waiting for <b>etl-scheduler</b>")
    return Outcome(changes=(), details={}, restarted=("scheduler",), warnings=("a certificate ends soon",))


def failing(_kube: Any, timeline: Timeline) -> Outcome:
    raise NotReady("no node has room", where="Deployment/etl-web-server", next_step="Add a node")


def test_done(browser: TestClient, app: FastAPI) -> None:
    shown = browser.get(f"/operations/{ended(app, fine)}", headers=HTML).text
    for text in ("Change: service etl", "Done", "Get new pods", "a certificate ends soon", 'href="/services/etl"'):
        assert text in shown, text
    assert "&lt;b&gt;etl-scheduler" in shown and "<b>etl" not in shown
    assert "hx-get" not in shown


def test_failed(browser: TestClient, app: FastAPI) -> None:
    path = f"/operations/{ended(app, failing)}"
    shown = browser.get(path, headers=HTML).text
    for text in ("Failed", "Deployment/etl-web-server: no node has room", "Add a node"):
        assert text in shown, text
    assert "실패" in browser.get(path, headers={**HTML, "Accept-Language": "ko"}).text


def test_a_verb_without_a_text_is_told_as_it_is(browser: TestClient, app: FastAPI) -> None:
    assert "polish: service etl" in browser.get(f"/operations/{ended(app, fine, 'polish')}", headers=HTML).text


def test_lines_come_one_after_the_other(browser: TestClient, app: FastAPI) -> None:
    go_on, said = threading.Event(), threading.Event()

    def work(_kube: Any, timeline: Timeline) -> Outcome:
        timeline.say("first")
        said.set()
        go_on.wait(5)
        timeline.say("second")
        return Outcome(changes=(), details={})

    operation_id = begun(app, work)
    said.wait(5)
    path = f"/operations/{operation_id}"
    shown = browser.get(path, headers=HTML).text
    assert "first" in shown and "Running" in shown
    assert f'hx-get="{path}/live?after=1"' in shown
    waiting = browser.get(f"{path}/live?after=1", headers=HTML).text
    assert "first" not in waiting and f'hx-get="{path}/live?after=1"' in waiting
    go_on.set()
    app.state.operations.join(operation_id, 5)
    rest = browser.get(f"{path}/live?after=1", headers=HTML).text
    assert "second" in rest and "first" not in rest
    assert "Done" in rest and "hx-get" not in rest and "<html" not in rest


def test_all_of_them(browser: TestClient, app: FastAPI) -> None:
    assert "Nothing was changed" in browser.get("/operations", headers=HTML).text
    operation_id = ended(app, fine)
    assert f'href="/operations/{operation_id}"' in browser.get("/operations", headers=HTML).text


def test_one_that_nobody_knows(browser: TestClient) -> None:
    assert browser.get("/operations/x", headers=HTML).status_code == 404
    assert browser.get("/operations/x/live", headers=HTML).status_code == 404
