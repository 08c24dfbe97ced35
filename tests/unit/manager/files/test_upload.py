# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for uploads, on a cluster in memory with the real console: what they do, foretell, say and refuse."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotFound, Unreachable
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import sending
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import upload as files_upload

from ...fake_kube import FakeKube
from ...modules.running import Result, Run, runner
from ...runs import MANAGER, NAMESPACE, cluster
from ...runs import run as run_service
from .building import packed, sha256, zipped
from .served import CONSOLE, KEYS, Proxy, console

PLUGIN = b"from airflow.plugins_manager import AirflowPlugin\n"
Upload = Callable[..., Result]


@pytest.fixture
def kube() -> FakeKube:
    return cluster()


@pytest.fixture
def proxy(tmp_path: Path, kube: FakeKube, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with console(tmp_path / "console", kube, monkeypatch) as found:
        yield found


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    noted: list[float] = []
    monkeypatch.setattr(sending, "pause", noted.append)
    return noted


@pytest.fixture
def run(kube: FakeKube, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys, kube)


@pytest.fixture
def upload(run: Run, proxy: Proxy) -> Upload:
    def uploaded(**options: Any) -> Result:
        proxy.asked.clear()
        return run("dataops_upload", **{"manager": MANAGER, "namespace": NAMESPACE, "kind": "shared", **options})

    return uploaded


def folder_with(folder: Path, files: Mapping[str, bytes]) -> str:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return str(folder)


def test_checksums_that_take_a_while_are_told(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(content: str) -> bool:
        return "computing checksums" in " ".join(upload(name="note.txt", content=content)["timeline"])

    assert not told("small")
    monkeypatch.setattr(files_upload, "LARGE", 4)
    assert told("large enough")


def test_a_text_is_uploaded_once(upload: Upload, proxy: Proxy, kube: FakeKube) -> None:
    first = upload(name="note.txt", content="one\n")
    assert first["changed"] is True, first
    assert first["actions"] == ["create shared 'note.txt' of all services"]
    assert first["files"] == {"added": ["note.txt"], "changed": [], "removed": []}
    assert (first["sent"], first["restarted"], first["left_out"]) == (4, [], [])
    made = first["upload"]
    assert (made["version"], made["size"], made["service"]) == (1, 4, "")
    assert made["files"] == [{"path": "note.txt", "sha256": sha256(b"one\n"), "size": 4, "executable": False}]
    assert [(old["version"], old["active"]) for old in made["history"]] == [(1, True)]
    assert "@" in made["history"][0]["by"]

    kube.forget()
    again = upload(name="note.txt", content="one\n")
    assert (again["changed"], again["actions"], again["sent"]) == (False, [], 0)
    assert again["upload"] == made
    assert proxy.writes == []
    assert (kube.writes, kube.leases) == ([], [])


def test_check_mode_says_what_the_run_then_does(upload: Upload, proxy: Proxy, kube: FakeKube, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    src = folder_with(folder, {"a.csv": b"a", "sub/b.csv": b"b", "c.csv": b"c", ".git/HEAD": b""})
    assert upload(name="data", src=src)["left_out"] == [".git"]
    (folder / "a.csv").write_bytes(b"other")
    (folder / "c.csv").unlink()
    (folder / "d.sh").write_bytes(b"d")
    (folder / "d.sh").chmod(0o755)
    kube.forget()
    foretold = upload(name="data", src=src, check=True, diff=True)
    assert (proxy.writes, kube.writes) == ([], [])
    assert foretold["files"] == {"added": ["d.sh"], "changed": ["a.csv"], "removed": ["c.csv"]}
    assert foretold["actions"] == ["update shared 'data' of all services"]
    assert foretold["diff"]["before"].splitlines() == [
        f"a.csv {sha256(b'a')[:12]} 1",
        f"c.csv {sha256(b'c')[:12]} 1",
        f"sub/b.csv {sha256(b'b')[:12]} 1",
    ]
    assert foretold["diff"]["after"].splitlines() == [
        f"a.csv {sha256(b'other')[:12]} 5",
        f"d.sh {sha256(b'd')[:12]} 1 executable",
        f"sub/b.csv {sha256(b'b')[:12]} 1",
    ]
    done = upload(name="data", src=src, diff=True)
    same = ("changed", "actions", "files", "restarted", "diff", "left_out")
    assert {key: done[key] for key in same} == {key: foretold[key] for key in same}
    # What is there already is not sent again.
    assert done["sent"] == len("other") + len("d")
    assert upload(name="data", src=src, check=True)["changed"] is False


def test_back_to_a_version_and_away(upload: Upload, proxy: Proxy) -> None:
    for text in ("one", "two", "three"):
        upload(name="note.txt", content=text)
    assert upload(name="note.txt", version=1, check=True)["files"]["changed"] == ["note.txt"]
    back = upload(name="note.txt", version=1)
    assert back["files"] == {"added": [], "changed": ["note.txt"], "removed": []}
    assert (back["changed"], back["upload"]["version"], back["sent"]) == (True, 1, 0)
    assert [(old["version"], old["active"]) for old in back["upload"]["history"]] == [
        (3, False),
        (2, False),
        (1, True),
    ]
    assert upload(name="note.txt", version=1)["changed"] is False
    gone = upload(name="note.txt", state="absent")
    assert gone["actions"] == ["delete shared 'note.txt' of all services"]
    assert (gone["upload"]["version"], gone["upload"]["files"]) == (0, [])
    assert len(gone["upload"]["history"]) == 3
    assert upload(name="note.txt", state="absent")["changed"] is False
    assert proxy.writes == []
    assert upload(name="note.txt", version=2)["upload"]["version"] == 2


def test_what_never_was_is_absent(upload: Upload) -> None:
    for kind in ("plugin", "shared", "library"):
        assert upload(kind=kind, name="none", state="absent")["changed"] is False


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_an_archive_of_plugins_is_unpacked(upload: Upload, proxy: Proxy, tmp_path: Path, form: str) -> None:
    archive = tmp_path / f"lineage.{form}"
    archive.write_bytes(packed({"lineage.py": PLUGIN, "lineage/data.json": b"{}"}, form))
    foretold = upload(kind="plugin", name="lineage", src=str(archive), check=True)
    assert foretold["files"]["added"] == ["lineage.py", "lineage/data.json"]
    done = upload(kind="plugin", name="lineage", src=str(archive))
    assert done["files"] == foretold["files"]
    assert [file["path"] for file in done["upload"]["files"]] == ["lineage.py", "lineage/data.json"]
    assert upload(kind="plugin", name="lineage", src=str(archive))["changed"] is False
    # Packed anew with the same files: nothing that a service could notice.
    archive.write_bytes(packed({"lineage/data.json": b"{}", "lineage.py": PLUGIN}, form))
    assert upload(kind="plugin", name="lineage", src=str(archive))["changed"] is False
    assert proxy.writes == []


def test_large_files_of_a_zip_are_sent_by_themselves_and_each_once(upload: Upload, tmp_path: Path) -> None:
    archive, model, other = tmp_path / "lineage.zip", os.urandom(4 * 2**20), PLUGIN + b"# changed\n"
    archive.write_bytes(zipped({"lineage.py": PLUGIN, "lineage/model.bin": model}))
    first = upload(kind="plugin", src=str(archive))
    assert first["sent"] == len(PLUGIN) + len(model)
    assert [file["sha256"] for file in first["upload"]["files"]] == [sha256(PLUGIN), sha256(model)]
    assert upload(kind="plugin", src=str(archive))["changed"] is False
    archive.write_bytes(zipped({"lineage.py": other, "lineage/model.bin": model}))
    second = upload(kind="plugin", src=str(archive))
    assert second["files"] == {"added": [], "changed": ["lineage.py"], "removed": []}
    assert second["sent"] == len(other)


def test_a_tar_that_ends_with_a_zip_is_no_zip(upload: Upload, tmp_path: Path) -> None:
    archive = tmp_path / "data.tar"
    inside = zipped({"inside.txt": b"x"})
    archive.write_bytes(packed({"a.bin": os.urandom(4 * 2**20), "b.zip": inside}, "tar"))
    done = upload(src=str(archive), unpack=True)
    assert done["files"]["added"] == ["a.bin", "b.zip"]
    assert done["upload"]["files"][1]["sha256"] == sha256(inside)


def test_a_zip_that_is_much_smaller_than_its_files_is_sent_as_it_is(upload: Upload, tmp_path: Path) -> None:
    archive = tmp_path / "data.zip"
    archive.write_bytes(zipped({"a.csv": b"0" * 4 * 2**20}))
    done = upload(src=str(archive), unpack=True)
    assert done["sent"] == archive.stat().st_size
    assert done["files"]["added"] == ["a.csv"]


def test_an_archive_of_shared_files_is_a_file_unless_it_is_unpacked(upload: Upload, tmp_path: Path) -> None:
    archive = tmp_path / "data.zip"
    archive.write_bytes(zipped({"a.csv": b"a"}))
    assert upload(src=str(archive))["files"]["added"] == ["data.zip"]
    assert upload(src=str(archive), unpack=True)["files"] == {
        "added": ["a.csv"],
        "changed": [],
        "removed": ["data.zip"],
    }


def test_one_service_and_all_of_them_are_two_uploads(upload: Upload, run: Run) -> None:
    upload(name="note.txt", content="all")
    own = upload(name="note.txt", content="own", service="etl")
    assert own["actions"] == ["create shared 'note.txt' of service etl"]
    upload(kind="plugin", name="one.py", content=PLUGIN.decode())
    upload(name="old.txt", content="x", service="web")
    found = run("dataops_upload_info", manager=MANAGER, namespace=NAMESPACE)["uploads"]
    assert [(one["kind"], one["service"], one["name"]) for one in found] == [
        ("plugin", "", "one.py"),
        ("shared", "", "note.txt"),
        ("shared", "etl", "note.txt"),
        ("shared", "web", "old.txt"),
    ]
    assert found[2] == {**own["upload"], "used_by": []}
    chosen = run("dataops_upload_info", manager=MANAGER, namespace=NAMESPACE, kind="shared", service="etl")["uploads"]
    assert [(one["service"], one["name"]) for one in chosen] == [("", "note.txt"), ("etl", "note.txt")]
    named = run("dataops_upload_info", manager=MANAGER, namespace=NAMESPACE, name="one.py")["uploads"]
    assert [one["kind"] for one in named] == ["plugin"]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to upload": ({"name": "a"}, "src: it is not said what to upload. Give one of src, content, version."),
    "two things": ({"name": "a", "content": "x", "version": 1}, "src: content and version are given."),
    "gone and given": (
        {"name": "a", "content": "x", "state": "absent"},
        "content: it has no meaning with state absent.",
    ),
    "a text without a name": ({"content": "x"}, "name: it is not set."),
    "a strange name": ({"name": "../a", "content": "x"}, "name: '../a' is not a valid name of an upload."),
    "a strange service": ({"name": "a", "content": "x", "service": "E"}, "service: 'E' is not a valid name."),
    "no such file": ({"src": "/none/such"}, "src: there is no file or folder /none/such."),
    "no such version": ({"name": "a", "version": 3}, "version: shared 'a' of all services has no version 3."),
    "no plugin": ({"kind": "plugin", "name": "a.txt", "content": "x"}, "a.txt: there is no file of Python in it"),
    "not Python": ({"kind": "plugin", "name": "a.py", "content": "def"}, "a.py line 1: Python cannot read it"),
    "unclear requirements": (
        {"kind": "library", "name": "r.txt", "content": "-e ."},
        "r.txt line 1: option --editable",
    ),
    "another Manager": ({"manager": "other", "name": "a", "content": "x"}, "namespace: namespace data belongs to"),
}


@pytest.mark.parametrize(("options", "expected"), WRONG.values(), ids=WRONG.keys())
def test_refused(upload: Upload, kube: FakeKube, options: dict[str, Any], expected: str) -> None:
    done = upload(**options)
    assert done["failed"] is True
    assert done["msg"].startswith(expected)
    assert kube.writes == []


def test_a_bad_archive_is_refused_before_it_is_sent(upload: Upload, proxy: Proxy, tmp_path: Path) -> None:
    archive = tmp_path / "bad.zip"
    archive.write_bytes(zipped({"../outside.py": PLUGIN}))
    for check in (True, False):
        done = upload(kind="plugin", src=str(archive), check=check)
        assert done["msg"].startswith("bad.zip: path '../outside.py' leaves its folder.")
        assert proxy.writes == []


def test_without_a_manager(upload: Upload, kube: FakeKube) -> None:
    options = {"manager": "later", "namespace": "later", "name": "a.txt", "content": "x"}
    done = upload(**options)
    assert done["msg"].startswith("manager: Manager 'later' does not exist in namespace later. Create it first")
    foretold = upload(**options, check=True)
    assert (foretold["changed"], foretold["files"]["added"]) == (True, ["a.txt"])
    assert "does not exist" in json.dumps(foretold["warnings"])


@pytest.mark.parametrize("missing", ["service", "keys"])
def test_a_manager_of_before_has_no_console(upload: Upload, proxy: Proxy, kube: FakeKube, missing: str) -> None:
    if missing == "keys":
        kube.delete("Secret", KEYS, NAMESPACE)
    else:
        gone = NotFound(f'services "{CONSOLE}" not found', status=404, reason="NotFound")
        proxy.losses += [gone, gone]
    done = upload(name="a.txt", content="x")
    assert done["msg"] == (
        f"Manager {MANAGER}: it has no console. "
        f"Run scp.dataops.dataops_manager for '{MANAGER}', which brings its console up to date."
    )
    foretold = upload(name="a.txt", content="x", check=True)
    assert foretold["changed"] is True
    assert "it has no console" in json.dumps(foretold["warnings"])


def test_another_key(upload: Upload, kube: FakeKube) -> None:
    secret = kube.get("Secret", KEYS, NAMESPACE)
    assert secret
    kube.put({**secret, "data": {"engine-token": "d3Jvbmcta2V5"}})
    done = upload(name="a.txt", content="x")
    assert done["msg"].startswith(f"console of Manager {MANAGER}: it does not take the key of Secret {KEYS}.")
    assert "wrong-key" not in json.dumps(done)


def test_a_missing_right_is_named(upload: Upload, kube: FakeKube) -> None:
    kube.forbid("get", "Secret", NAMESPACE)
    done = upload(name="a.txt", content="x")
    assert "missing rights: get secrets in namespace data" in done["msg"]


def test_a_console_that_starts_anew_is_waited_for(upload: Upload, proxy: Proxy, pauses: list[float]) -> None:
    proxy.losses += [503, Unreachable("the connection is refused"), 502]
    done = upload(name="a.txt", content="x")
    assert done["changed"] is True, done
    assert len(pauses) == 3


def test_a_console_that_stays_away_is_named(upload: Upload, proxy: Proxy) -> None:
    proxy.losses += [503] * 100
    done = upload(name="a.txt", content="x")
    assert done["msg"] == (
        f"console of Manager {MANAGER}: it does not answer (status 503). Look at Deployment {CONSOLE}."
    )


def test_a_run_that_was_cut_short_is_finished(upload: Upload, proxy: Proxy) -> None:
    """Sent and staged, and then killed: nothing is sent twice, and the version is used."""
    assert upload(name="a.txt", content="one")["changed"] is True
    proxy.losses += [0, 0, 0, 0, 0, 0, Unreachable("the connection is refused")]
    upload(name="a.txt", content="two")
    assert upload(name="a.txt", content="two")["upload"]["version"] == 2


def test_no_secret_is_told(upload: Upload) -> None:
    done = upload(name="a.txt", content="x", diff=True)
    assert "SENTINEL" not in json.dumps(done)


@pytest.mark.parametrize(
    ("kind", "name", "texts"),
    [
        ("plugin", "lineage.py", ("x = 1\n", "x = 2\n")),
        ("library", "requirements.txt", ("holidays==0.77\n", "holidays==0.78\n")),
    ],
)
def test_a_service_restarts_as_foretold(
    upload: Upload, kube: FakeKube, kind: str, name: str, texts: tuple[str, str]
) -> None:
    run_service(kube)
    same = ("changed", "actions", "files", "restarted")
    for text in texts:
        options = {"kind": kind, "name": name, "content": text}
        kube.forget()
        foretold = upload(**options, check=True)
        assert kube.writes == []
        done = upload(**options)
        assert {key: done[key] for key in same} == {key: foretold[key] for key in same}
        assert "etl/scheduler" in done["restarted"]
        assert upload(**options)["changed"] is False
    gone = upload(kind=kind, name=name, state="absent", check=True)
    assert "etl/scheduler" in gone["restarted"]
    assert upload(kind=kind, name=name, state="absent")["restarted"] == gone["restarted"]
    assert upload(kind=kind, name=name, version=1)["restarted"] == gone["restarted"]


def test_what_a_service_cannot_use_changes_nothing(upload: Upload, run: Run, kube: FakeKube) -> None:
    run_service(kube)
    first = upload(kind="plugin", name="a.py", content="x = 1\n")
    assert first["upload"]["version"] == 1, first
    kube.failing.add("plugins")
    done = upload(kind="plugin", name="a.py", content="x = 2\n")
    assert done["msg"].startswith("service etl: the plugins cannot be loaded")
    (found,) = run("dataops_upload_info", manager=MANAGER, namespace=NAMESPACE)["uploads"]
    assert (found["version"], found["used_by"]) == (1, ["etl"])
    assert [(old["version"], old["active"]) for old in found["history"]] == [(2, False), (1, True)]
