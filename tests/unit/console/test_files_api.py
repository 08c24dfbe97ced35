# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files over HTTP: an upload as a client makes it, every refusal with its key, and a connection that breaks."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.console.security import Identity, identify
from ansible_collections.scp.dataops.console.settings import Settings
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from .conftest import BY_MODULE

FILES = "/api/v1/files"
TEXT = b"hello, pods\n"
NAME = hashlib.sha256(TEXT).hexdigest()


def headers(offset: int, size: int = len(TEXT)) -> dict[str, str]:
    return {"Upload-Offset": str(offset), "Upload-Length": str(size), "Content-Type": "application/octet-stream"}


def put(client: TestClient, content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()
    if client.post(f"{FILES}/objects/missing", json={"sha256s": [name]}).json()["missing"]:
        sent = client.patch(f"{FILES}/objects/{name}", content=content, headers=headers(0, len(content)))
        assert sent.status_code == 204, sent.text
    return name


def staging(client: TestClient, kind: str = "shared", files: dict[str, bytes] | None = None, **more: Any) -> Any:
    entries = [
        {"path": path, "sha256": put(client, content), "size": len(content)}
        for path, content in (files or {"a.txt": TEXT}).items()
    ]
    return client.post(f"{FILES}/stage", json={"kind": kind, "name": "conf", "entries": entries, **more})


def error(answer: Any) -> tuple[int, str, str]:
    said = answer.json()["error"]
    return answer.status_code, said["where"], said["what"]


def test_an_upload_from_its_first_byte_to_its_removal(module: TestClient, settings: Settings) -> None:
    address = f"{FILES}/objects/{NAME}"
    assert module.post(f"{FILES}/objects/missing", json={"sha256s": [NAME, NAME]}).json() == {"missing": [NAME]}
    found = module.head(address)
    assert (found.status_code, found.headers["Upload-Offset"], found.headers["Upload-Complete"]) == (204, "0", "?0")
    sent = module.patch(address, content=TEXT[:5], headers=headers(0))
    assert (sent.status_code, sent.headers["Upload-Offset"], sent.headers["Upload-Complete"]) == (204, "5", "?0")
    assert module.head(address).headers["Upload-Offset"] == "5"
    sent = module.patch(address, content=TEXT[5:], headers=headers(5))
    assert (sent.status_code, sent.headers["Upload-Offset"], sent.headers["Upload-Complete"]) == (204, "12", "?1")
    assert module.post(f"{FILES}/objects/missing", json={"sha256s": [NAME]}).json() == {"missing": []}

    key = {"kind": "shared", "service": "etl", "name": "conf"}
    entry = {"path": "deep/a.txt", "sha256": NAME, "size": len(TEXT)}
    staged = module.post(f"{FILES}/stage", json={**key, "entries": [entry]})
    assert staged.status_code == 200
    version = staged.json()
    assert version == version | {**key, "version": 1, "size": 12, "by": "jane@laptop", "source": ""}
    assert version["entries"] == [{**entry, "executable": False}]
    assert module.get(FILES).json()["uploads"][0]["active"] is None

    assert module.post(f"{FILES}/activate", json={**key, "version": 1}).status_code == 204
    assert (settings.files / "shared" / "etl" / "deep" / "a.txt").read_bytes() == TEXT
    row = module.get(FILES).json()["uploads"][0]
    assert row == row | {**key, "active": 1, "newest": 1, "files": 1, "decided_by": "jane@laptop"}
    assert module.get(f"{FILES}/history", params=key).json() == {"versions": [version]}

    assert module.post(f"{FILES}/activate", json={**key, "version": None}).status_code == 204
    assert list((settings.files / "shared" / "etl").iterdir()) == []
    assert module.get(FILES).json()["uploads"][0]["active"] is None


def test_what_is_of_one_service_is_forgotten(module: TestClient) -> None:
    for service in ("etl", "web", ""):
        assert staging(module, service=service).status_code == 200
    for _twice in range(2):
        assert module.post(f"{FILES}/forget", json={"service": "etl"}).status_code == 204
        assert [one["service"] for one in module.get(FILES).json()["uploads"]] == ["", "web"]
    assert error(module.post(f"{FILES}/forget", json={"service": ""}))[:2] == (400, "service")


def test_an_archive_and_what_a_service_would_get(module: TestClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("menu.py", "x = 1\n")
    sent = {"sha256": put(module, packed.getvalue()), "name": "menu.zip"}
    version = module.post(f"{FILES}/stage", json={"kind": "plugin", "name": "menu", "archive": sent}).json()
    assert version["source"] == sent["sha256"]
    assert [entry["path"] for entry in version["entries"]] == ["menu.py"]
    nothing = {"plugins": "", "requirements": ""}
    assert module.post(f"{FILES}/prospective", json={"service": "etl"}).json() == nothing
    chosen = {"kind": "plugin", "name": "menu", "version": 1}
    asked = {"service": "etl", "replacing": [chosen]}
    wanted = {"plugins": version["digest"], "requirements": ""}
    assert module.post(f"{FILES}/prospective", json=asked).json() == wanted
    assert module.post(f"{FILES}/activate", json=chosen).status_code == 204
    assert module.post(f"{FILES}/prospective", json={"service": "etl"}).json() == wanted
    asked["replacing"] = [{**chosen, "version": None}]
    assert module.post(f"{FILES}/prospective", json=asked).json() == nothing


def test_a_list_is_narrowed_by_kind_and_service(module: TestClient) -> None:
    for service, kind in (("", "shared"), ("etl", "shared"), ("web", "shared"), ("etl", "plugin")):
        files = {"a.py": b""} if kind == "plugin" else {"a.txt": TEXT}
        assert staging(module, kind, files, service=service).status_code == 200

    def listed(**query: str) -> list[tuple[str, str]]:
        return [(row["kind"], row["service"]) for row in module.get(FILES, params=query).json()["uploads"]]

    assert len(listed()) == 4
    assert listed(kind="plugin") == [("plugin", "etl")]
    assert listed(service="web") == [("shared", ""), ("shared", "web")]
    assert listed(kind="shared", service="etl") == [("shared", ""), ("shared", "etl")]


def ended(client: TestClient, answer: Any) -> dict[str, Any]:
    operation = answer.json()["operation_id"]
    client.app.state.operations.join(operation, 10)
    found: dict[str, Any] = client.get(f"/api/v1/operations/{operation}").json()
    return found


def test_shared_files_are_published(module: TestClient, settings: Settings, kube: FakeKube) -> None:
    assert staging(module, "shared", service="etl").status_code == 200
    chosen = {"kind": "shared", "service": "etl", "name": "conf", "version": 1}
    told = module.post(f"{FILES}/publish?dry_run=true", json=chosen)
    assert (told.status_code, told.json()["actions"]) == (200, ["update Upload/conf"])
    assert module.get(FILES).json()["uploads"][0]["active"] is None
    done = ended(module, module.post(f"{FILES}/publish", json=chosen))
    assert (done["state"], done["verb"], done["target"]) == ("DONE", "publish", "shared 'conf' of service etl")
    assert done["result"]["changed"]
    assert (settings.files / "shared" / "etl" / "a.txt").read_bytes() == TEXT
    assert not ended(module, module.post(f"{FILES}/publish", json=chosen))["result"]["changed"]
    done = ended(module, module.post(f"{FILES}/publish", json={**chosen, "version": None}))
    assert (done["state"], done["verb"]) == ("DONE", "remove")
    assert not (settings.files / "shared" / "etl" / "a.txt").exists()


def test_an_upload_is_staged_and_published_at_once(module: TestClient, settings: Settings) -> None:
    entry = {"path": "a.txt", "sha256": put(module, TEXT), "size": len(TEXT)}
    body = {"kind": "shared", "service": "etl", "name": "conf", "entries": [entry]}
    assert module.post(f"{FILES}/upload?dry_run=true", json=body).status_code == 200
    row = module.get(FILES).json()["uploads"][0]
    assert (row["active"], row["newest"]) == (None, 1)
    done = ended(module, module.post(f"{FILES}/upload", json=body))
    assert (done["state"], done["verb"]) == ("DONE", "publish")
    assert (settings.files / "shared" / "etl" / "a.txt").read_bytes() == TEXT
    assert module.get(FILES).json()["uploads"][0]["active"] == 1


def test_what_an_upload_is_refused_for_is_the_error_of_its_operation(module: TestClient) -> None:
    entry = {"path": "a.py", "sha256": put(module, b"x ="), "size": 3}
    done = ended(module, module.post(f"{FILES}/upload", json={"kind": "plugin", "name": "menu", "entries": [entry]}))
    assert done["state"] == "FAILED"
    assert done["error"]["where"] == "a.py line 1"
    assert module.get(FILES).json() == {"uploads": []}


def test_plugins_are_written_down_for_services_to_come(module: TestClient, kube: FakeKube) -> None:
    version = staging(module, "plugin", {"menu.py": b"x = 1"}).json()
    chosen = {"kind": "plugin", "name": "conf", "version": 1}
    assert ended(module, module.post(f"{FILES}/publish", json=chosen))["state"] == "DONE"
    published = kube.get("ConfigMap", "dataops-manager-published", settings_namespace(module))
    assert version["digest"] in published["data"]["_all"]


def settings_namespace(client: TestClient) -> str:
    return str(client.app.state.settings.namespace)


A = "a" * 64
KEY = {"kind": "shared", "name": "conf"}
ENTRY = {"path": "a.txt", "sha256": NAME, "size": 12}
REFUSED: dict[str, tuple[str, str, Any, int, str]] = {
    "checksums that are none": ("POST", "objects/missing", {"sha256s": ["x"]}, 400, "sha256s.0"),
    "no checksums": ("POST", "objects/missing", {}, 400, "sha256s"),
    "too many checksums": ("POST", "objects/missing", {"sha256s": [NAME] * 20_001}, 400, "sha256s"),
    "no JSON": ("POST", "objects/missing", None, 400, ""),
    "unknown kind": ("POST", "stage", {**KEY, "kind": "dag", "entries": [ENTRY]}, 400, "kind"),
    "unknown key": ("POST", "stage", {**KEY, "entries": [ENTRY], "scope": ""}, 400, "scope"),
    "bad name": ("POST", "stage", {**KEY, "name": "../a", "entries": [ENTRY]}, 400, "name"),
    "bad service": ("POST", "stage", {**KEY, "service": "_all", "entries": [ENTRY]}, 400, "service"),
    "bad path": ("POST", "stage", {**KEY, "entries": [{**ENTRY, "path": "../a"}]}, 400, "conf"),
    "bad size": ("POST", "stage", {**KEY, "entries": [{**ENTRY, "size": -1}]}, 400, "entries.0.size"),
    "other size": ("POST", "stage", {**KEY, "entries": [{**ENTRY, "size": 13}]}, 400, "a.txt"),
    "neither files nor an archive": ("POST", "stage", KEY, 400, ""),
    "no files": ("POST", "stage", {**KEY, "entries": []}, 400, "entries"),
    "not uploaded": ("POST", "stage", {**KEY, "entries": [{**ENTRY, "sha256": A}]}, 409, "a.txt"),
    "archive not uploaded": ("POST", "stage", {**KEY, "archive": {"sha256": A, "name": "a.zip"}}, 409, "a.zip"),
    "no archive": ("POST", "stage", {**KEY, "archive": {"sha256": NAME, "name": "a.zip"}}, 400, "a.zip"),
    "plugin without Python": ("POST", "stage", {**KEY, "kind": "plugin", "entries": [ENTRY]}, 400, "conf"),
    "version 0": ("POST", "activate", {**KEY, "version": 0}, 400, "version"),
    "no version": ("POST", "activate", KEY, 400, "version"),
    "version that never was": ("POST", "activate", {**KEY, "version": 7}, 400, "version"),
    "delete what never was": ("POST", "activate", {**KEY, "version": None}, 400, "name"),
    "publish what never was": ("POST", "publish", {**KEY, "version": 7}, 400, "version"),
    "remove what never was": ("POST", "publish", {**KEY, "version": None}, 400, "name"),
    "prospect of no service": ("POST", "prospective", {"service": ""}, 400, "service"),
    "prospect of a bad service": ("POST", "prospective", {"service": "../x"}, 400, "service"),
    "prospect with a bad name": (
        "POST", "prospective", {"service": "etl", "replacing": [{**KEY, "name": ".", "version": 1}]}, 400,
        "replacing.0.name",
    ),
    "list of a kind": ("GET", "?kind=dag", None, 400, "kind"),
    "history of nothing": ("GET", "history?kind=plugin", None, 400, "name"),
    "history of a bad service": ("GET", "history?kind=plugin&name=a&service=A", None, 400, "service"),
}  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "where"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals_name_the_key(module: TestClient, method: str, path: str, body: Any, status: int, where: str) -> None:
    put(module, TEXT)
    url = f"{FILES}{path}" if path.startswith("?") else f"{FILES}/{path}"
    said = module.request(method, url, json=body)
    assert error(said)[:2] == (status, where), said.text
    assert module.get(FILES).json() == {"uploads": []}


PIECES: dict[str, tuple[dict[str, str], bytes, int, str]] = {
    "no offset": ({"Upload-Length": "12"}, TEXT, 400, "upload-offset"),
    "offset that is no number": ({**headers(0), "Upload-Offset": "x"}, TEXT, 400, "upload-offset"),
    "negative offset": ({**headers(0), "Upload-Offset": "-1"}, TEXT, 400, "upload-offset"),
    "huge size": (headers(0, 2**70), TEXT, 400, "upload-length"),
    "offset behind the end": (headers(13), b"", 400, "Upload-Length"),
    "wrong offset": (headers(4), TEXT[4:], 409, NAME),
    "wrong content": (headers(0), TEXT.upper(), 400, NAME),
    "too much": (headers(0), TEXT * 2, 400, NAME),
}


@pytest.mark.parametrize(("sent", "content", "status", "where"), PIECES.values(), ids=PIECES.keys())
def test_pieces_that_are_not_taken(
    module: TestClient, sent: dict[str, str], content: bytes, status: int, where: str
) -> None:
    said = module.patch(f"{FILES}/objects/{NAME}", content=content, headers=sent)
    assert error(said)[:2] == (status, where)
    assert module.head(f"{FILES}/objects/{NAME}").headers["Upload-Offset"] == "0"


def test_a_wrong_offset_names_the_right_one(module: TestClient) -> None:
    module.patch(f"{FILES}/objects/{NAME}", content=TEXT[:5], headers=headers(0))
    said = module.patch(f"{FILES}/objects/{NAME}", content=TEXT[6:], headers=headers(6))
    assert said.json()["error"] == {
        "where": NAME, "what": "byte 6 is not the next one, 5 is", "next_step": "Continue at offset 5",
    }  # fmt: skip


def test_names_of_objects_are_checksums(module: TestClient) -> None:
    for name in ("x", NAME.upper(), f"{NAME}0", "..%2f..%2fetc"):
        assert module.head(f"{FILES}/objects/{name}").status_code in (400, 404)
        assert module.patch(f"{FILES}/objects/{name}", content=TEXT, headers=headers(0)).status_code in (400, 404)


CALLS = {
    "missing": ("POST", "/objects/missing"),
    "offset": ("HEAD", f"/objects/{NAME}"),
    "write": ("PATCH", f"/objects/{NAME}"),
    "stage": ("POST", "/stage"),
    "prospective": ("POST", "/prospective"),
    "activate": ("POST", "/activate"),
    "publish": ("POST", "/publish"),
    "upload": ("POST", "/upload"),
    "list": ("GET", ""),
    "history": ("GET", "/history?kind=plugin&name=a"),
}
READING = {"offset": 204, "list": 200, "history": 200}


@pytest.mark.parametrize(("method", "path"), CALLS.values(), ids=CALLS.keys())
def test_strangers_get_nothing(client: TestClient, settings: Settings, method: str, path: str) -> None:
    assert client.request(method, f"{FILES}{path}", headers=headers(0), content=TEXT).status_code == 401
    assert list(settings.files.glob("objects/*")) == []


@pytest.mark.parametrize("call", CALLS)
def test_viewers_look_and_change_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def visitor(request: Any) -> Identity:
        return Identity("visitor", "viewer", "api")

    monkeypatch.setattr(f"{identify.__module__}.identify", visitor)
    method, path = CALLS[call]
    said = client.request(method, f"{FILES}{path}", headers=headers(0), content=TEXT)
    assert said.status_code == READING.get(call, 403)


def broken_off(app: FastAPI, pieces: list[bytes], size: int) -> None:
    """A client that sends some pieces and is gone."""
    messages: Iterator[dict[str, Any]] = iter(
        [
            *({"type": "http.request", "body": piece, "more_body": True} for piece in pieces),
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> dict[str, Any]:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        return

    known = {**BY_MODULE, **headers(0, size)}
    scope = {
        "type": "http",
        "method": "PATCH",
        "path": f"{FILES}/objects/{NAME}",
        "headers": [(key.lower().encode(), value.encode()) for key, value in known.items()],
        "query_string": b"",
    }
    asyncio.run(app(scope, receive, send))


def test_a_connection_that_breaks_keeps_what_came(app: FastAPI, module: TestClient) -> None:
    broken_off(app, [TEXT[:3], TEXT[3:7]], len(TEXT))
    assert module.head(f"{FILES}/objects/{NAME}").headers["Upload-Offset"] == "7"
    assert module.patch(f"{FILES}/objects/{NAME}", content=TEXT[7:], headers=headers(7)).status_code == 204
    assert module.post(f"{FILES}/objects/missing", json={"sha256s": [NAME]}).json() == {"missing": []}


def test_a_large_content_comes_in_blocks(module: TestClient, settings: Settings) -> None:
    content = bytes(range(256)) * 20_000
    name = put(module, content)
    assert (settings.files / "objects" / name[:2] / name).read_bytes() == content


def test_every_route_is_described(module: TestClient) -> None:
    paths = module.get("/api/v1/openapi.json").json()["paths"]
    described = {path: set(verbs) for path, verbs in paths.items() if path.startswith(FILES)}
    assert described == {
        FILES: {"get"},
        f"{FILES}/history": {"get"},
        f"{FILES}/objects/missing": {"post"},
        f"{FILES}/objects/{{sha256}}": {"head", "patch"},
        f"{FILES}/stage": {"post"},
        f"{FILES}/prospective": {"post"},
        f"{FILES}/activate": {"post"},
        f"{FILES}/forget": {"post"},
        f"{FILES}/publish": {"post"},
        f"{FILES}/upload": {"post"},
    }
    for path in described:
        for verb in paths[path].values():
            assert verb["description"] and "400" in verb["responses"] and "401" in verb["responses"]
