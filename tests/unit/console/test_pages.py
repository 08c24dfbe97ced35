# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in and out, what a browser may send, and what its pages show."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from html import unescape

import pytest
from ansible_collections.scp.dataops.console import texts
from ansible_collections.scp.dataops.console.app import create_app
from ansible_collections.scp.dataops.console.pages import page
from ansible_collections.scp.dataops.console.security import operator
from ansible_collections.scp.dataops.console.settings import Settings
from ansible_collections.scp.dataops.console.throttle import Throttle
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from .conftest import SECRETS

RIGHT = {"account": "dataops", "password": SECRETS["account"]["password"]}
HTML = {"Accept": "text/html"}


def signed_in(client: TestClient) -> str:
    """The token that forms of this session show."""
    assert client.post("/sign-in", data=RIGHT, follow_redirects=False).status_code == 303
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/", headers=HTML).text)
    assert found
    return found[1]


def changing(app: FastAPI) -> None:
    @app.post("/api/v1/change", dependencies=[Depends(operator)])
    def change() -> str:
        return "changed"


def test_who_is_not_signed_in_is_sent_to_the_form_and_back(client: TestClient) -> None:
    sent = client.get("/dashboard/live?x=1", headers=HTML, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?back=%2Fdashboard%2Flive")
    done = client.post("/sign-in", data={**RIGHT, "back": "/dashboard/live"}, follow_redirects=False)
    assert done.headers["location"] == "/dashboard/live"
    assert client.get("/dashboard/live", headers=HTML).status_code == 200


def test_a_part_of_a_page_sends_the_whole_page_there(client: TestClient) -> None:
    answer = client.get("/dashboard/live", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "/\r\nX: y"])
def test_nobody_is_sent_elsewhere(client: TestClient, back: str) -> None:
    done = client.post("/sign-in", data={**RIGHT, "back": back}, follow_redirects=False)
    assert done.headers["location"] == "/"


def test_the_cookie(client: TestClient, settings: Settings) -> None:
    def cookie(url: str) -> str:
        app = create_app(replace(settings, url=url, root_path="/dataops"), FakeKube)
        with TestClient(app) as one:
            return one.post("/sign-in", data=RIGHT, follow_redirects=False).headers["set-cookie"]

    plain, secure = cookie("http://a.example.com"), cookie("https://a.example.com")
    assert {"HttpOnly", "SameSite=strict", "Path=/dataops"} <= set(plain.split("; "))
    assert "Secure" not in plain and "Secure" in secure
    assert "SENTINEL" not in plain


WRONG = {
    "password": {**RIGHT, "password": "guess"},
    "account": {**RIGHT, "account": "root"},
    "nothing": {},
    "other letters": {"account": "dätaops", "password": "пароль"},
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG.keys())
def test_wrong(client: TestClient, given: dict[str, str]) -> None:
    answer = client.post("/sign-in", data=given)
    assert answer.status_code == 401
    assert "Account or password is wrong." in answer.text
    assert "set-cookie" not in answer.headers


def test_who_guesses_is_slowed_down_and_others_are_not(client: TestClient) -> None:
    guess = {**RIGHT, "password": "guess"}
    attacker = {"X-Forwarded-For": "192.0.2.1, 198.51.100.7"}
    for _try in range(5):
        assert client.post("/sign-in", data=guess, headers=attacker).status_code == 401
    # What a client writes before the proxy's own word does not make it another one.
    again = client.post("/sign-in", data=RIGHT, headers={"X-Forwarded-For": "192.0.2.99, 198.51.100.7"})
    assert again.status_code == 429
    assert int(again.headers["retry-after"]) <= 61
    other = client.post("/sign-in", data=RIGHT, headers={"X-Forwarded-For": "203.0.113.5"}, follow_redirects=False)
    assert other.status_code == 303


def test_a_throttle_forgets_with_time() -> None:
    now = 0.0
    throttle = Throttle(2, 10, clock=lambda: now)
    throttle.failed("a")
    assert throttle.wait("a") == 0
    throttle.failed("a")
    assert (throttle.wait("a"), throttle.wait("b")) == (10, 0)
    now = 11.0
    assert throttle.wait("a") == 0


def test_sign_out(client: TestClient) -> None:
    csrf = signed_in(client)
    done = client.post("/sign-out", data={"csrf": csrf}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in")
    assert client.get("/", headers=HTML, follow_redirects=False).status_code == 303


def test_another_password_ends_every_session(client: TestClient, settings: Settings) -> None:
    signed_in(client)
    (settings.secrets / "account" / "password").write_text("Another-One1!")
    assert client.get("/", headers=HTML, follow_redirects=False).status_code == 303


FORGED = {
    "no token": {},
    "a guessed token": {"X-CSRF-Token": "guess"},
    "from another site": {"X-CSRF-Token": "right", "Sec-Fetch-Site": "cross-site"},
    "from a neighbour": {"X-CSRF-Token": "right", "Sec-Fetch-Site": "same-site"},
    "of another origin": {"X-CSRF-Token": "right", "Origin": "http://evil.example"},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_a_request_that_was_not_meant_is_refused(client: TestClient, app: FastAPI, headers: dict[str, str]) -> None:
    changing(app)
    csrf = signed_in(client)
    sent = {name: csrf if value == "right" else value for name, value in headers.items()}
    assert client.post("/api/v1/change", headers=sent).status_code == 403


def test_a_request_that_was_meant(client: TestClient, app: FastAPI) -> None:
    changing(app)
    csrf = signed_in(client)
    same = {"Origin": "http://analytics.example.com", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/v1/change", headers={**same, "X-CSRF-Token": csrf}).status_code == 200
    assert client.post("/api/v1/change", headers=same, data={"csrf": csrf}).status_code == 200


def test_a_sign_in_from_another_site_is_refused(client: TestClient) -> None:
    assert client.post("/sign-in", data=RIGHT, headers={"Origin": "http://evil.example"}).status_code == 403


def test_headers_of_every_answer(client: TestClient) -> None:
    for path in ("/sign-in", "/healthz", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
        assert "strict-transport-security" not in headers


def test_no_script_or_style_inside_a_page(client: TestClient) -> None:
    signed_in(client)
    for path in ("/", "/sign-in"):
        text = client.get(path, headers=HTML).text
        assert re.findall(r"<style| style=| on\w+=|<script(?![^>]* src=)|javascript:", text) == []
        assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []


def test_static_files(client: TestClient) -> None:
    for name, version in page.versions.items():
        answer = client.get(f"/static/{version}/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/0/console.css").status_code == 404
    assert client.get("/static/0/../settings.py").status_code == 404


LANGUAGES = {
    "none": ("", "", "en"),
    "wished": ("", "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
    "another one": ("", "de-DE,ko;q=0.8", "ko"),
    "chosen": ("en", "ko", "en"),
    "unknown": ("xx", "de", "en"),
}


@pytest.mark.parametrize(("kept", "accepted", "expected"), LANGUAGES.values(), ids=LANGUAGES.keys())
def test_language(kept: str, accepted: str, expected: str) -> None:
    assert texts.chosen(kept, accepted) == expected


def test_the_switch_of_language(client: TestClient) -> None:
    done = client.get("/language/ko?back=//evil.example", follow_redirects=False)
    assert done.headers["location"] == "/"
    shown = client.get("/sign-in").text
    assert '<html lang="ko">' in shown and "로그인" in shown
    assert client.get("/language/xx").status_code == 404


def test_every_text_has_both_languages_with_the_same_values() -> None:
    def values(text: str) -> set[str | None]:
        return {name for _text, name, _form, _conversion in string.Formatter().parse(text) if name}

    assert len(texts.TEXTS) == sum(len(page.TEXTS) for page in texts.PAGES), "a key is in two modules"
    for key, (english, korean) in texts.TEXTS.items():
        assert english and korean, key
        assert values(english) == values(korean), key


def test_under_a_path(settings: Settings) -> None:
    app = create_app(replace(settings, root_path="/dataops"), FakeKube)
    with TestClient(app) as client:
        sent = client.get("/dataops/", headers=HTML, follow_redirects=False)
        assert sent.headers["location"] == "/dataops/sign-in"
        text = client.get("/dataops/sign-in").text
        addresses = re.findall(r'(?:src|href|action)="(/[^"]*)"', unescape(text))
        assert addresses and [one for one in addresses if not one.startswith("/dataops/")] == []
        assert all(client.get(one).status_code == 200 for one in addresses if "/static/" in one)
        refresh = client.get("/dataops/dashboard/live", headers={"HX-Request": "true"})
        assert refresh.headers["hx-redirect"] == "/dataops/sign-in"
        assert client.get("/dataops/api/v1/openapi.json").json()["servers"] == [{"url": "/dataops"}]


# API tokens


def test_tokens(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    changing(app)
    tokens = app.state.tokens
    _viewer, looks = tokens.create(kube, "pipeline", "viewer")
    made, changes = tokens.create(kube, "robot", "operator")

    def status(method: str, path: str, text: str) -> int:
        return client.request(method, path, headers={"Authorization": f"Bearer {text}"}).status_code

    assert (status("GET", "/dashboard/live", looks), status("POST", "/api/v1/change", looks)) == (200, 403)
    assert status("POST", "/api/v1/change", changes) == 200
    secret = changes.rpartition("_")[2]
    assert status("POST", "/api/v1/change", looks.replace(looks.rpartition("_")[2], secret)) == 401
    assert secret not in str(kube.find("Secret", "dataops-manager-tokens", "data"))
    tokens.revoke(kube, made.id)
    assert status("POST", "/api/v1/change", changes) == 401
    assert [token.name for token in tokens.all(kube).values()] == ["pipeline"]


@pytest.mark.parametrize(("name", "role"), [("x", "root"), ("", "viewer"), ("x" * 61, "viewer")])
def test_tokens_that_cannot_be(app: FastAPI, kube: FakeKube, name: str, role: str) -> None:
    with pytest.raises(BadOption):
        app.state.tokens.create(kube, name, role)
