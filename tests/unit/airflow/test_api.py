# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a running Airflow, how one signs in with each version, and what its refusals become."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import api as api_module
from ansible_collections.scp.dataops.plugins.module_utils.airflow.api import AirflowApi, Task
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import AIRFLOW_2_API, profile
from ansible_collections.scp.dataops.plugins.module_utils.errors import AirflowError, NotReady, Unreachable

from ..fake_kube import FakeKube

ACCOUNT = {"id": "operator", "password": "SENTINEL-Pass1!"}
TASKS = [
    {
        "dag_id": "load",
        "dag_run_id": "r1",
        "task_id": f"t{number}",
        "map_index": -1,
        "state": "running",
        "executor": "CeleryExecutor" if number == 0 else None,
    }
    for number in range(230)
]
SIGN_IN_FORM = b'<form><input id="csrf_token" name="csrf_token" type="hidden" value="SENTINEL-&amp;csrf"></form>'

Asked = tuple[str, str, dict[str, str], bytes | None]


class Airflow(FakeKube):
    """An Airflow of either version with :data:`TASKS`; ``max_page`` is the limit that its administrator set."""

    def __init__(self, *, max_page: int = 100, password: str = ACCOUNT["password"]) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.signed_in = 0
        self.too_many = 0
        self._max_page = max_page
        self._password = password

    def proxy(
        self,
        method: str,
        namespace: str,
        service: str,
        port: int,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        timeout: float = 10,
    ) -> tuple[int, bytes]:
        jar = cookies if cookies is not None else {}
        self.asked.append((method, path, dict(jar), body))
        parts = urlsplit(path)
        if method == "POST" and self.too_many:
            self.too_many -= 1
            return 429, b"5 per 40 second"
        if parts.path == "/auth/token":
            self.signed_in += 1
            right = json.loads(body or b"")["password"] == self._password
            return (201, b'{"access_token": "SENTINEL-TOKEN"}') if right else (401, b'{"detail": "no"}')
        if parts.path == "/login/":
            return self._form(method, parse_qs((body or b"").decode()), jar)
        if jar.get("_token") != "SENTINEL-TOKEN" and jar.get("session") != "known":
            # Version 2 takes a stranger for the public role, which may nothing.
            return (401, b"") if parts.path.startswith("/api/v2") else (403, b"")
        return 200, self._page(parse_qs(parts.query))

    def _form(self, method: str, filled: dict[str, list[str]], jar: dict[str, str]) -> tuple[int, bytes]:
        if method == "GET" and jar.get("session") == "known":
            return 302, b"<p>Redirecting...</p>"
        if method == "GET":
            jar["session"] = "anonymous"
            return 200, SIGN_IN_FORM
        self.signed_in += 1
        assert (filled["csrf_token"], jar["session"]) == (["SENTINEL-&csrf"], "anonymous")
        if filled["password"] == [self._password]:
            jar["session"] = "known"
        return 302, b"<p>Redirecting...</p>"

    def _page(self, query: dict[str, list[str]]) -> bytes:
        start, limit = int(query.get("offset", ["0"])[0]), min(int(query["limit"][0]), self._max_page)
        return json.dumps({"task_instances": TASKS[start : start + limit], "total_entries": len(TASKS)}).encode()


VERSIONS = {"3": profile("3.3"), "2": replace(profile("3.3"), api=AIRFLOW_2_API)}
version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS.keys())


def api(kube: FakeKube, version: Any = VERSIONS["3"], account: dict[str, str] | None = None) -> AirflowApi:
    return AirflowApi(kube, "data", "etl", version, ACCOUNT if account is None else account)


@version
def test_tasks_of_all_pages_with_one_sign_in(version: Any) -> None:
    kube = Airflow()
    found = api(kube, version).tasks()
    assert len(found) == len(TASKS)
    assert found[:2] == [
        Task("load", "r1", "t0", -1, "running", "CeleryExecutor"),
        Task("load", "r1", "t1", -1, "running", ""),
    ]
    assert kube.signed_in == 1
    pages = [path for _method, path, _cookies, _body in kube.asked if "taskInstances" in path]
    assert pages == [
        f"{version.api.root}/dags/~/dagRuns/~/taskInstances?state=running&state=queued&limit=100&offset={offset}"
        for offset in (0, 100, 200)
    ]


def test_an_administrators_smaller_pages_are_followed() -> None:
    assert len(api(Airflow(max_page=40)).tasks(["running"])) == len(TASKS)


@version
def test_counting_takes_one_request(version: Any) -> None:
    kube = Airflow()
    one = api(kube, version)
    one.tasks()
    kube.asked.clear()
    assert one.count_tasks() == len(TASKS)
    assert len(kube.asked) == 1


@version
def test_no_secret_is_in_an_address(version: Any) -> None:
    kube = Airflow()
    api(kube, version).tasks()
    assert "SENTINEL" not in json.dumps([path for _method, path, _cookies, _body in kube.asked])


@version
def test_a_wrong_password_is_said(version: Any) -> None:
    with pytest.raises(NotReady) as caught:
        api(Airflow(password="another"), version).tasks()
    assert str(caught.value) == (
        "etl-web-server: Airflow does not take the service's account 'operator'. "
        "Give the service an account.password, which sets it anew."
    )


@version
def test_too_many_sign_ins_are_waited_for(version: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr(api_module, "pause", paused.append)
    kube = Airflow()
    kube.too_many = 2
    assert api(kube, version).count_tasks() == len(TASKS)
    assert paused == [api_module.SIGN_IN_PAUSE] * 2
    kube.too_many = 100
    with pytest.raises(AirflowError, match="with status 429"):
        api(kube, version).tasks()


def test_the_account_is_gone() -> None:
    with pytest.raises(NotReady, match="the Secret of its account is missing"):
        api(Airflow(), account={}).tasks()


def test_commits_as_the_dags_tell_them() -> None:
    kube = FakeKube()
    kube.airflow_dags = {"a": "3f0e5c1", "b": None}
    assert api(kube).commits() == {"a": "3f0e5c1", "b": ""}


class Answering(FakeKube):
    """Airflow answers everything with the same."""

    def __init__(self, answer: tuple[int, bytes] | Exception) -> None:
        super().__init__()
        self._answer = answer

    def proxy(self, *arguments: Any, **named: Any) -> tuple[int, bytes]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


HEALTH: dict[str, tuple[tuple[int, bytes] | Exception, dict[str, str]]] = {
    "all parts": (
        (200, b'{"scheduler": {"status": "healthy"}, "triggerer": {"status": null}}'),
        {"scheduler": "healthy", "triggerer": "unknown"},
    ),
    "not there yet": ((503, b"no endpoints available"), {}),
    "a page": ((200, b"<html>"), {}),
    "too slow": (Unreachable("connected, but no answer in time"), {}),
}


@pytest.mark.parametrize(("answer", "expected"), HEALTH.values(), ids=HEALTH.keys())
def test_health(answer: tuple[int, bytes] | Exception, expected: dict[str, str]) -> None:
    assert api(Answering(answer)).health() == expected


TAKEN = "Airflow answered POST /auth/token with status"
WRONG: dict[str, tuple[Any, tuple[int, bytes], str]] = {
    "not there": ("3", (503, b"no endpoints"), "Airflow does not answer (status 503)."),
    "a page": ("3", (200, b"<html>"), "Airflow's answer to POST /auth/token is not JSON."),
    "no form": ("2", (200, b"<html>"), "Airflow's page /login/ is not its sign-in form."),
    "a reason": ("3", (400, b'{"detail": "It says why."}'), f"{TAKEN} 400: It says why."),
    "fields, not what was in them": (
        "3",
        (422, b'{"detail": [{"loc": ["body", "port"], "msg": "Input should be less", "input": "SENTINEL"}]}'),
        f"{TAKEN} 422: port: Input should be less.",
    ),
    "a conflict": (
        "3",
        (409, b'{"detail": {"reason": "It exists", "orig_error": "x"}}'),
        f"{TAKEN} 409: reason: It exists.",
    ),
    "broken": ("3", (500, b"Internal Server Error"), f"{TAKEN} 500."),
}


@pytest.mark.parametrize(("key", "answer", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said(key: str, answer: tuple[int, bytes], sentence: str) -> None:
    with pytest.raises(NotReady) as caught:
        api(Answering(answer), VERSIONS[key]).tasks()
    assert str(caught.value) == f"etl-web-server: {sentence}"
