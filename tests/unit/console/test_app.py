# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every request: health, who asks, and the form of a refusal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from ansible_collections.scp.dataops.console.app import create_app
from ansible_collections.scp.dataops.console.security import Identity, operator, viewer
from ansible_collections.scp.dataops.console.settings import Settings
from ansible_collections.scp.dataops.plugins.module_utils.errors import (
    AirflowError,
    ApiError,
    BadOption,
    Conflict,
    DataOpsError,
    NotFound,
    NotReady,
    Refused,
    Unreachable,
)
from fastapi import Body, Depends, FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from .conftest import BY_MODULE

PAGE = {"Accept": "text/html"}


def refusing(app: FastAPI, error: Exception) -> None:
    @app.get("/page")
    @app.get("/api/v1/refusing")
    def refuse() -> None:
        raise error


def who(app: FastAPI) -> None:
    @app.get("/api/v1/look")
    def look(by: Annotated[Identity, Depends(viewer)]) -> dict[str, str]:
        return {"name": by.name, "role": by.role, "door": by.door}

    @app.post("/api/v1/change")
    def change(by: Annotated[Identity, Depends(operator)]) -> dict[str, str]:
        return {"name": by.name}


def test_settings_come_from_the_environment() -> None:
    found = Settings.from_environment(
        {
            "DATAOPS_MANAGER": "m",
            "DATAOPS_NAMESPACE": "n",
            "DATAOPS_URL": "https://m.example.com",
            "DATAOPS_ROOT_PATH": "/a/",
        }
    )
    assert (found.manager, found.namespace, found.files, found.root_path) == ("m", "n", Path("/files"), "/a")
    assert found.secure


def test_nothing_prints_the_password(settings: Settings) -> None:
    assert "SENTINEL" not in repr(settings) + repr(settings.account)


def test_it_lives(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_it_is_ready_with_its_volume_and_its_secrets(client: TestClient, settings: Settings) -> None:
    assert client.get("/readyz").status_code == 200
    (settings.secrets / "keys" / "engine-token").unlink()
    settings.files.rmdir()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"missing": ["files", "secrets"]})


def test_a_module_may_change_things(client: TestClient, app: FastAPI) -> None:
    who(app)
    assert client.get("/api/v1/look", headers=BY_MODULE).json() == {
        "name": "jane@laptop",
        "role": "operator",
        "door": "module",
    }
    assert client.post("/api/v1/change", headers=BY_MODULE).json() == {"name": "jane@laptop"}


STRANGERS: dict[str, dict[str, str]] = {
    "nothing is shown": {},
    "another token": {**BY_MODULE, "X-DataOps-Token": "guess"},
    "an empty token": {**BY_MODULE, "X-DataOps-Token": ""},
    "a bearer that nobody knows": {"Authorization": "Bearer guess"},
    "a session that nobody made": {"Cookie": "dataops-session=guess"},
}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS.keys())
def test_strangers_get_nothing(client: TestClient, app: FastAPI, headers: dict[str, str]) -> None:
    who(app)
    for answer in (client.get("/api/v1/look", headers=headers), client.post("/api/v1/change", headers=headers)):
        assert answer.status_code == 401
        assert answer.json()["error"]["what"] == "sign in first"


def test_an_empty_token_of_ours_lets_nobody_in(client: TestClient, app: FastAPI, settings: Settings) -> None:
    who(app)
    (settings.secrets / "keys" / "engine-token").write_text("")
    assert client.get("/api/v1/look", headers={"X-DataOps-Token": ""}).status_code == 401


def test_who_did_it_is_a_name_and_nothing_else(client: TestClient, app: FastAPI) -> None:
    who(app)
    written = {**BY_MODULE, "X-DataOps-By": "<b>jane</b>\t@laptop" + "x" * 200}
    assert client.get("/api/v1/look", headers=written).json()["name"].startswith("bjaneb@laptopxxx")
    assert len(client.get("/api/v1/look", headers=written).json()["name"]) == 100


WORDS = {"where": "size", "next_step": "Use small"}
ERRORS: dict[str, tuple[DataOpsError, int]] = {
    "an option that cannot be right": (BadOption("no such size", **WORDS), 400),
    "refused": (Refused("no such size", **WORDS), 409),
    "changed meanwhile": (Conflict("no such size", **WORDS), 409),
    "not there": (NotFound("no such size", **WORDS), 404),
    "the API server": (ApiError("no such size", **WORDS), 502),
    "not ready": (NotReady("no such size", **WORDS), 502),
    "Airflow": (AirflowError("no such size", **WORDS), 502),
    "no API server": (Unreachable("no such size", **WORDS), 502),
}


@pytest.mark.parametrize(("error", "status"), ERRORS.values(), ids=ERRORS.keys())
def test_a_refusal_of_the_engine(client: TestClient, app: FastAPI, error: DataOpsError, status: int) -> None:
    refusing(app, error)
    answer = client.get("/api/v1/refusing", headers=PAGE)
    assert answer.status_code == status
    assert answer.json() == {"error": {"where": "size", "what": "no such size", "next_step": "Use small"}}
    page = client.get("/page", headers=PAGE)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "size: no such size" in page.text


def test_what_is_written_into_a_refusal_is_text(client: TestClient, app: FastAPI) -> None:
    refusing(app, BadOption("<script>alert(1)</script>", where="name"))
    assert "<script>" not in client.get("/page", headers=PAGE).text


def test_what_nobody_foresaw_has_a_number_and_no_details(
    client: TestClient, app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    refusing(app, ValueError("SENTINEL"))
    answer = client.get("/api/v1/refusing")
    assert answer.status_code == 500
    assert "SENTINEL" not in answer.text
    number = answer.json()["error"]["what"].split("incident ")[1].rstrip(")")
    assert number in caplog.text
    shown = client.get("/page", headers=PAGE)
    assert shown.status_code == 500
    assert "this is a bug" in shown.text
    assert "SENTINEL" not in shown.text


BODIES: dict[str, tuple[Any, str]] = {
    "of another kind": ({"count": "SENTINEL"}, "count"),
    "left out": ({}, "count"),
}


@pytest.mark.parametrize(("body", "where"), BODIES.values(), ids=BODIES.keys())
def test_a_key_that_is_wrong_is_named(client: TestClient, app: FastAPI, body: Any, where: str) -> None:
    @app.post("/api/v1/counted")
    def counted(count: Annotated[int, Body(embed=True)]) -> int:
        return count

    answer = client.post("/api/v1/counted", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["where"] == where
    assert "SENTINEL" not in answer.text


def test_what_is_not_there(client: TestClient) -> None:
    assert client.get("/nothing").json() == {"error": {"where": "", "what": "Not Found", "next_step": ""}}
    shown = client.get("/nothing", headers=PAGE)
    assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing here" in shown.text
    korean = client.get("/nothing", headers={**PAGE, "Accept-Language": "ko-KR"})
    assert "찾을 수 없습니다" in korean.text
    assert client.post("/healthz").status_code == 405


def test_it_works_under_a_prefix_that_the_ingress_keeps_or_takes_away(settings: Settings) -> None:
    app = create_app(replace(settings, root_path="/dataops"), FakeKube)
    with TestClient(app) as client:
        assert client.get("/dataops/healthz").status_code == 200
        assert client.get("/healthz").status_code == 200
