# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, stop, restart and remove on pages: told first, confirmed, and refused to who may only look."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..manager.files.building import used
from ..runs import run
from .test_pages import HTML, signed_in


class Browser:
    """A client that is signed in, and sends forms as its pages do."""

    def __init__(self, client: TestClient, app: FastAPI) -> None:
        self._client = client
        self._app = app
        self._csrf = signed_in(client)

    def get(self, path: str, language: str = "en") -> Any:
        return self._client.get(path, headers={**HTML, "Accept-Language": language}, follow_redirects=False)

    def post(self, path: str, **typed: str) -> Any:
        return self._client.post(path, data={**typed, "csrf": self._csrf}, headers=HTML, follow_redirects=False)

    def ended(self, answer: Any) -> str:
        """The page of the operation that an answer leads to, at its end."""
        assert answer.status_code == 303, answer.text
        self._app.state.operations.join(answer.headers["location"].rpartition("/")[2], 30)
        text: str = self.get(answer.headers["location"]).text
        return text


@pytest.fixture
def browser(client: TestClient, app: FastAPI, kube: FakeKube) -> Browser:
    run(kube, size="small")
    found = Browser(client, app)
    app.state.recent.seconds = 0
    kube.forget()
    return found


@pytest.mark.parametrize("verb", ["stop", "restart", "remove"])
def test_a_question_tells_what_happens_and_does_nothing(browser: Browser, kube: FakeKube, verb: str) -> None:
    asked = browser.get(f"/services/etl/{verb}")
    assert asked.status_code == 200
    assert "Deployment/etl-scheduler" in asked.text
    assert "서비스를" in browser.get(f"/services/etl/{verb}", "ko").text
    assert kube.writes == []


def test_stop_and_start(browser: Browser) -> None:
    assert '/etl/stop"' in browser.get("/services/etl").text
    assert "Done" in browser.ended(browser.post("/services/etl/stop"))
    shown = browser.get("/services/etl").text
    assert "STOPPED" in shown and '/etl/start"' in shown and '/etl/stop"' not in shown
    assert "Done" in browser.ended(browser.post("/services/etl/start"))
    assert "RUNNING" in browser.get("/services/etl").text


def test_restart(browser: Browser) -> None:
    ended = browser.ended(browser.post("/services/etl/restart"))
    assert "Get new pods" in ended and "<li>scheduler</li>" in ended


@pytest.mark.parametrize("typed", ["", "ETL", "etl-two"])
def test_remove_wants_the_name(browser: Browser, kube: FakeKube, typed: str) -> None:
    refused = browser.post("/services/etl/remove", confirm=typed, purge="true")
    assert refused.status_code == 400
    assert "This is not etl." in refused.text and 'aria-invalid="true"' in refused.text
    assert f'name="confirm" value="{typed}"' in refused.text and "checked" in refused.text
    assert kube.writes == []


def test_remove_keeps_data(browser: Browser) -> None:
    ended = browser.ended(browser.post("/services/etl/remove", confirm="etl"))
    assert "Secret/etl-keys" in ended and "Stay" in ended
    assert 'href="/services/etl"' not in ended and "Go to the dashboard" in ended
    assert browser.get("/services/etl").status_code == 404


def test_purge_keeps_nothing(browser: Browser, app: FastAPI, kube: FakeKube) -> None:
    store = app.state.volume.store()
    for service in ("etl", "web"):
        used(store, "shared", service, "rates.csv", {"rates.csv": b"1.5"})
    assert "Upload/" not in browser.get("/services/etl/remove").text
    ended = browser.ended(browser.post("/services/etl/remove", confirm="etl", purge="true"))
    assert "Stay" not in ended and "Upload/shared/rates.csv" in ended
    assert [ref for ref in kube.refs("data") if "/etl-" in ref] == []
    assert [upload.key.scope for upload in store.catalog()] == ["web"]


def test_what_is_refused_is_said_on_the_page(browser: Browser, kube: FakeKube) -> None:
    kube.forbid("patch", "Deployment", "data")
    for answer in (browser.get("/services/etl/stop"), browser.post("/services/etl/stop")):
        assert answer.status_code == 502
        assert (
            "missing rights: patch deployments" in answer.text and "<button>" not in answer.text.partition("<main")[2]
        )


def test_who_may_only_look(browser: Browser, client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    _token, text = app.state.tokens.create(kube, "pipeline", "viewer")
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {text}"
    kube.forget()
    shown = browser.get("/services/etl")
    assert shown.status_code == 200
    assert "/stop" not in shown.text and "/remove" not in shown.text
    for verb in ("start", "stop", "restart", "remove"):
        assert browser.get(f"/services/etl/{verb}").status_code == 403
        assert browser.post(f"/services/etl/{verb}", confirm="etl").status_code == 403
    assert kube.writes == []


def test_without_the_token_of_the_session(browser: Browser, client: TestClient, kube: FakeKube) -> None:
    for verb in ("stop", "remove"):
        assert client.post(f"/services/etl/{verb}", data={"confirm": "etl"}, headers=HTML).status_code == 403
    assert kube.writes == []


def test_what_cannot_be_asked(browser: Browser) -> None:
    assert browser.get("/services/etl/polish").status_code == 404
    assert browser.get("/services/other/stop").status_code == 404
    assert browser.get("/services/other/remove").status_code == 404
