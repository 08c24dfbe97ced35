# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API tokens, by the page and by the API: made once, shown once, and for operators only."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common import activity
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..runs import NAMESPACE
from .test_pages import HTML, signed_in

TEXT = re.compile(r"dops_[0-9a-f]{8}_[0-9a-f]{48}")
API = "/api/v1/tokens"


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def told(kube: FakeKube) -> list[tuple[str, str, str, str]]:
    entries = activity.read(kube.find("ConfigMap", activity.NAME, NAMESPACE))
    return [(entry.door, entry.name, entry.verb, entry.target) for entry in entries if "token" in entry.target]


# By the API


def test_made_once_shown_once_and_revoked(module: TestClient, kube: FakeKube) -> None:
    made = module.post(API, json={"name": "ci", "role": "operator"})
    assert made.status_code == 201
    token = made.json()
    assert TEXT.fullmatch(token.pop("token"))
    assert module.get(API).json() == {"contents": [token], "total_count": 1}
    assert (token["name"], token["role"]) == ("ci", "operator")
    kube.pass_time(1)
    assert module.delete(f"{API}/{token['id']}").status_code == 204
    assert module.get(API).json()["total_count"] == 0
    assert told(kube) == [
        ("playbook", "jane@laptop", "revoke", "API token 'ci'"),
        ("playbook", "jane@laptop", "create", "API token 'ci'"),
    ]


def test_its_text_is_nowhere_else(module: TestClient, kube: FakeKube) -> None:
    text = module.post(API, json={"name": "ci"}).json()["token"]
    secret = text.rpartition("_")[2]
    assert secret not in str(kube.state())
    for path in (API, "/api/v1/activity", "/api/v1/operations", "/activity", "/tokens"):
        answer = module.get(path, headers=HTML)
        assert answer.status_code == 200 and secret not in answer.text


def test_a_viewer_may_neither_see_nor_make_them(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    one, looks = app.state.tokens.create(kube, "pipeline", "viewer")
    shown = bearer(looks)
    asked: list[tuple[str, str, Any]] = [
        ("GET", API, None),
        ("POST", API, {"name": "more", "role": "operator"}),
        ("DELETE", f"{API}/{one.id}", None),
        ("GET", "/tokens", None),
        ("POST", "/tokens", None),
        ("POST", f"/tokens/{one.id}/revoke", None),
    ]
    for verb, path, body in asked:
        answer = client.request(verb, path, json=body, headers=shown)
        assert answer.status_code == 403, (verb, path)
        assert "pipeline may look, and change nothing" in answer.text
    assert [token.name for token in app.state.tokens.all(kube).values()] == ["pipeline"]
    assert told(kube) == []


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no name": ({"name": " "}, 400, "name"),
    "a name that is too long": ({"name": "x" * 61}, 400, "name"),
    "a name of two lines": ({"name": "a\nb"}, 400, "name"),
    "a role that is none": ({"name": "x", "role": "root"}, 400, "role"),
    "an unknown key": ({"name": "x", "expires": 3}, 400, "expires"),
    "a name that is taken": ({"name": "ci"}, 409, "name"),
}


@pytest.mark.parametrize(("body", "status", "where"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(module: TestClient, kube: FakeKube, body: dict[str, Any], status: int, where: str) -> None:
    module.post(API, json={"name": "ci"})
    answer = module.post(API, json=body)
    assert (answer.status_code, answer.json()["error"]["where"]) == (status, where)
    assert len(told(kube)) == 1


def test_there_may_be_so_many(module: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.scp.dataops.console.tokens.MOST", 1)
    assert module.post(API, json={"name": "one"}).status_code == 201
    assert module.post(API, json={"name": "two"}).status_code == 409


def test_one_that_is_not_there(module: TestClient) -> None:
    answer = module.delete(f"{API}/5e0c1a2b")
    assert (answer.status_code, answer.json()["error"]["where"]) == (404, "token_id")


def test_what_the_cluster_refuses_is_in_the_activity(module: TestClient, kube: FakeKube) -> None:
    kube.pass_time(1)
    kube.forbid("patch", "Secret", NAMESPACE)
    assert module.post(API, json={"name": "ci"}).status_code == 502
    [entry, *_rest] = activity.read(kube.find("ConfigMap", activity.NAME, NAMESPACE))
    assert (entry.result, entry.target) == ("failed", "API token 'ci'")


# By the page


def test_the_page_shows_a_new_token_once(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    csrf = signed_in(client)
    assert "There are no tokens yet." in client.get("/tokens", headers=HTML).text
    made = client.post("/tokens", data={"csrf": csrf, "name": "ci", "role": "operator"}, headers=HTML)
    [text] = TEXT.findall(made.text)
    assert "Copy it now." in made.text and made.headers["cache-control"] == "no-store"
    assert client.get("/api/v1/operations", headers=bearer(text)).status_code == 200
    after = client.get("/tokens", headers=HTML).text
    assert ">ci</th>" in after and "Operator" in after and not TEXT.search(after)
    assert told(kube) == [("console", "dataops", "create", "API token 'ci'")]


def test_the_page_revokes(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    one, text = app.state.tokens.create(kube, "ci", "viewer")
    csrf = signed_in(client)
    assert "Revoke ci now" in client.get("/tokens", headers=HTML).text
    done = client.post(f"/tokens/{one.id}/revoke", data={"csrf": csrf}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/tokens")
    client.cookies.clear()
    assert client.get("/api/v1/operations", headers=bearer(text)).status_code == 401


def test_the_page_comes_back_with_what_was_typed(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    app.state.tokens.create(kube, "<script>x", "viewer")
    csrf = signed_in(client)
    answer = client.post("/tokens", data={"csrf": csrf, "name": "<script>x", "role": "operator"}, headers=HTML)
    assert answer.status_code == 409
    assert "there is a token &#39;&lt;script&gt;x&#39;. Revoke it, or choose another name." in answer.text
    assert '<option value="operator" selected>' in answer.text and 'aria-invalid="true"' in answer.text
    assert "<script>x" not in answer.text
    unknown = client.post("/tokens", data={"csrf": csrf, "name": "ci", "role": "root"}, headers=HTML)
    assert unknown.status_code == 400 and "&#39;root&#39; is not a role" in unknown.text


def test_the_page_takes_nothing_that_was_not_meant(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    one, _text = app.state.tokens.create(kube, "ci", "viewer")
    signed_in(client)
    assert client.post("/tokens", data={"name": "x"}).status_code == 403
    assert client.post(f"/tokens/{one.id}/revoke").status_code == 403
    assert list(app.state.tokens.all(kube)) == [one.id]


def test_the_page_in_korean(client: TestClient) -> None:
    signed_in(client)
    assert "토큰 생성" in client.get("/tokens", headers={**HTML, "Accept-Language": "ko"}).text
