# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of files: what there is, its versions, and going back or deleting with what that does shown before."""

from __future__ import annotations

import hashlib
import io
import json
import re
from html import unescape
from typing import Any

import pytest
from ansible_collections.scp.dataops.console.operations import Operation
from ansible_collections.scp.dataops.console.pages import page
from ansible_collections.scp.dataops.console.security import Identity, identify
from ansible_collections.scp.dataops.console.volume import Room
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import KINDS, Entry
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.store import Store
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..runs import cluster_with_service
from .test_pages import HTML, signed_in


@pytest.fixture
def kube() -> FakeKube:
    """A cluster with a service."""
    return cluster_with_service()


@pytest.fixture
def csrf(client: TestClient) -> str:
    """Somebody is signed in."""
    return signed_in(client)


@pytest.fixture
def store(app: FastAPI) -> Store:
    found: Store = app.state.volume.store()
    return found


def put(store: Store, path: str, text: str) -> Entry:
    content = text.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    if store.missing([sha256]):
        store.write(sha256, len(content), 0, io.BytesIO(content))
    return Entry(path, sha256, len(content))


def staged(store: Store, kind: str, scope: str, name: str, text: str = "x = 1\n", by: str = "jane") -> int:
    return store.stage(kind, scope, name, by=by, entries=[put(store, name, text)]).version


def used(store: Store, kind: str, scope: str, name: str, text: str = "x = 1\n", by: str = "jane") -> None:
    store.activate(kind, scope, name, staged(store, kind, scope, name, text, by), by)


def shown(client: TestClient, path: str, status: int = 200, **headers: str) -> str:
    answer = client.get(path, headers={**HTML, **headers})
    assert answer.status_code == status, answer.text
    return answer.text


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks may look only."""

    def one(request: Any) -> Identity:
        return Identity("visitor", "viewer", "api")

    monkeypatch.setattr(f"{identify.__module__}.identify", one)


def ended(app: FastAPI, address: str) -> Operation:
    found: Operation = app.state.operations.join(address.rpartition("/")[2], 10)
    return found


def test_the_list(client: TestClient, csrf: str, store: Store) -> None:
    used(store, "plugin", "", "menu.py")
    used(store, "shared", "etl", "rates.csv")
    staged(store, "shared", "web", "later.csv", "x")
    text = words(shown(client, "/files"))
    assert "All Plugin Files 1 Shared Files 2 Python Library Files 0" in text
    assert "menu.py Plugin File · All services 1 6 B" in text
    assert re.search(r"rates.csv Shared File · etl 1 6 B \w{12} \w{64} jane [-\d]{10} [:\d]{8} UTC etl", text)
    assert re.search(r"later.csv Shared File · web Not in use Newest: 1 .* No service", text)
    assert "menu.py" not in shown(client, "/files/shared")
    narrowed = shown(client, "/files?service=etl")
    assert "rates.csv" in narrowed and "menu.py" in narrowed and "later.csv" not in narrowed
    assert "There are no files yet." in shown(client, "/files/library")


def test_the_form_of_uploads(client: TestClient, csrf: str) -> None:
    text = shown(client, "/files/library?service=etl")
    assert re.search(r'<input type="file" name="files" multiple>', text)
    assert '<option value="library" selected>' in text and "<option selected>etl</option>" in text
    said = json.loads(re.findall(r"data-texts='([^']*)'", text)[0])
    assert all(said.values())
    asked = set(re.findall(r"texts\.(\w+)", page.static["files.js"].decode()))
    assert asked <= said.keys() <= asked | {f"hint_{kind}" for kind in KINDS}
    for script in ("sha256.js", "files.js"):
        assert f'<script src="/static/{page.versions[script]}/{script}" defer></script>' in text


def test_how_full_the_volume_is(client: TestClient, app: FastAPI, csrf: str) -> None:
    assert re.search(r"\d+ % [\d.]+ \w+ of [\d.]+ \w+ used, [\d.]+ \w+ free", words(shown(client, "/files")))
    assert (Room(30, 10).percent, Room(30, 10).total, Room(0, 0).percent) == (75, 40, 0)


def test_one_list_of_the_cluster_makes_a_page(client: TestClient, csrf: str, store: Store, kube: FakeKube) -> None:
    used(store, "plugin", "", "menu.py")
    for path in ("/files", "/files/plugin/_all/menu.py"):
        kube.forget()
        shown(client, path)
        assert kube.requests == 1


def test_versions(client: TestClient, csrf: str, store: Store) -> None:
    used(store, "shared", "etl", "rates.csv", "1")
    used(store, "shared", "etl", "rates.csv", "22", by="joe")
    text = shown(client, "/files/shared/etl/rates.csv")
    said = words(text)
    assert "Version 2 Chosen by joe" in said
    assert re.search(r"2 In use joe .* 1 file, 2 B rates.csv 2 B 1 jane .* Use this version", said)
    assert 'href="/files/shared/etl/rates.csv/use/1"' in text and "/use/2" not in text
    store.activate("shared", "etl", "rates.csv", None, "joe")
    said = words(shown(client, "/files/shared/etl/rates.csv"))
    assert "Not in use Deleted by joe" in said and "Delete " not in said


def test_going_back_and_deleting(client: TestClient, app: FastAPI, csrf: str, store: Store) -> None:
    used(store, "shared", "etl", "rates.csv", "1")
    used(store, "shared", "etl", "rates.csv", "22")
    address = "/files/shared/etl/rates.csv"

    def active() -> int | None:
        [upload] = store.catalog()
        return upload.active.version if upload.active else None

    assert "Nothing restarts. Services see it within seconds." in words(shown(client, f"{address}/use/1"))
    assert active() == 2
    sent = client.post(f"{address}/use/1", data={"csrf": csrf}, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"].rpartition("/")[0]) == (303, "/operations")
    assert ended(app, sent.headers["location"]).by.door == "console"
    assert f'href="{address}">Go to the files' in shown(client, sent.headers["location"])
    assert active() == 1
    assert "Delete rates.csv?" in shown(client, f"{address}/delete")
    sent = client.post(f"{address}/delete", data={"csrf": csrf}, follow_redirects=False)
    assert ended(app, sent.headers["location"]).state == "DONE"
    assert active() is None


def test_what_restarts_is_shown_before(client: TestClient, csrf: str, store: Store, kube: FakeKube) -> None:
    staged(store, "plugin", "", "menu.py", "x = 1\n")
    kube.forget()
    said = words(shown(client, "/files/plugin/_all/menu.py/use/1"))
    assert "These components restart" in said and "etl/scheduler" in said
    assert kube.writes == []


def test_what_cannot_be_is_said_before(client: TestClient, csrf: str, store: Store) -> None:
    used(store, "plugin", "", "menu.py")
    store.stage("plugin", "", "other", by="jane", entries=[put(store, "menu.py", "y = 2\n")])
    text = shown(client, "/files/plugin/_all/other/use/1", 409)
    assert 'role="alert"' in text and "menu.py" in text and "<button>" not in text


TEXT = {"kind": "shared", "service": "etl", "name": "rates.csv", "text": "a\r\n1\r\n"}


def test_a_text_becomes_a_file(client: TestClient, app: FastAPI, csrf: str, store: Store) -> None:
    assert "<option selected>etl</option>" in shown(client, "/files/text?service=etl")
    for _twice in range(2):
        sent = client.post("/files/text", data={**TEXT, "csrf": csrf}, follow_redirects=False)
        assert ended(app, sent.headers["location"]).state == "DONE"
    [upload] = store.catalog()
    assert upload.active and upload.active.entries == (put(store, "rates.csv", "a\n1\n"),)


WRONG = {
    "no name": ({"name": ""}, "name", "is not a valid name"),
    "a path": ({"name": "../x"}, "name", "is not a valid name"),
    "another kind": ({"kind": "dag"}, "kind", "there is no kind"),
    "a service that cannot be": ({"service": "A"}, "service", ""),
    "too long": ({"text": "x" * 2**18 + "x"}, "text", "it is longer than 256.0 KiB"),
    "no Python": ({"kind": "plugin", "name": "a.py", "text": "<b>x ="}, "text", "a.py line 1"),
    "no requirements": ({"kind": "library", "name": "requirements.txt", "text": "-e ."}, "text", "requirements.txt"),
}


@pytest.mark.parametrize(("typed", "field", "what"), WRONG.values(), ids=WRONG.keys())
def test_a_text_that_is_refused_comes_back(
    client: TestClient, csrf: str, store: Store, typed: dict[str, str], field: str, what: str
) -> None:
    answer = client.post("/files/text", data={**TEXT, **typed, "csrf": csrf}, headers=HTML, follow_redirects=False)
    assert answer.status_code == 400
    assert re.search(rf'name="{field}"[^>]* aria-invalid="true" aria-describedby="refused"', answer.text)
    assert what in words(answer.text) and answer.text.count('id="refused"') == 1
    assert unescape(answer.text).count({**TEXT, **typed}["text"].replace("\r\n", "\n")) == 1
    assert "<b>" not in answer.text
    assert store.catalog() == []


REFUSED = {
    "no such kind": ("/files/dag", 400),
    "no such upload": ("/files/shared/_all/nothing", 404),
    "no such service": ("/files/shared/NOT_A_NAME/rates.csv", 400),
    "a name that is none": ("/files/shared/_all/.rates", 400),
    "no such version": ("/files/shared/_all/rates.csv/use/7", 400),
    "a version that is none": ("/files/shared/_all/rates.csv/use/x", 400),
    "deleting what never was": ("/files/shared/_all/nothing/delete", 404),
}


@pytest.mark.parametrize(("path", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals(client: TestClient, csrf: str, store: Store, path: str, status: int) -> None:
    used(store, "shared", "", "rates.csv")
    shown(client, path, status)


def test_a_viewer_looks_and_changes_nothing(client: TestClient, store: Store, visitor: None) -> None:
    used(store, "shared", "", "rates.csv", "1")
    used(store, "shared", "", "rates.csv", "2")
    address = "/files/shared/_all/rates.csv"
    text = shown(client, "/files")
    assert "rates.csv" in text and "<form id=" not in text and "files.js" not in text
    text = words(shown(client, address))
    assert "Use this version" not in text and "Delete" not in text
    for path in (f"{address}/use/1", f"{address}/delete", "/files/text"):
        shown(client, path, 403)
        assert client.post(path).status_code == 403


def test_nothing_changes_without_the_token(client: TestClient, csrf: str, store: Store) -> None:
    used(store, "shared", "", "rates.csv")
    assert client.post("/files/shared/_all/rates.csv/delete").status_code == 403
    assert store.catalog()[0].active


def test_names_of_strangers_are_texts(client: TestClient, csrf: str, store: Store) -> None:
    store.stage("shared", "", "a", by="<b>jane</b>", entries=[put(store, "<script>x", "1")])
    for path in ("/files", "/files/shared/_all/a"):
        text = shown(client, path)
        assert "&lt;b&gt;jane" in text and "<b>jane" not in text and "<script>x" not in text


def test_in_korean(client: TestClient, csrf: str, store: Store) -> None:
    used(store, "plugin", "", "menu.py", "1")
    used(store, "plugin", "", "menu.py", "2")
    for path in ("/files", "/files/plugin/_all/menu.py", "/files/plugin/_all/menu.py/use/1"):
        assert "플러그인" in shown(client, path, **{"Accept-Language": "ko"})
