# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store: pieces and their checksums, versions and what is active, what services get, and what a kill leaves."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError, Refused
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import disk, usage, versions
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import Archive, Entry, Key, digest
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.objects import WrongOffset
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.store import InUse, Published, Store

from . import building
from .building import archived, packed, put, sha256, staged, tree, used, wheel

TEXT = b"hello, pods\n"
NAME = sha256(TEXT)
DAY = 24 * 3600


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return building.store(tmp_path)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    return tmp_path / "volume"


def refusal(function: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    with pytest.raises(DataOpsError) as caught:
        function(*arguments, **named)
    return str(caught.value)


class Cut(io.RawIOBase):
    """A stream that brings some bytes and then breaks, as a connection or a process does."""

    def __init__(self, content: bytes, error: BaseException) -> None:
        self._content = io.BytesIO(content)
        self._error = error

    def read(self, size: int = -1, /) -> bytes:
        if block := self._content.read(size):
            return block
        raise self._error


def test_an_object_in_one_piece(store: Store, volume: Path) -> None:
    assert store.missing([NAME, NAME]) == [NAME]
    assert store.write(NAME, len(TEXT), 0, io.BytesIO(TEXT)) == len(TEXT)
    assert store.missing([NAME]) == []
    path = volume / "objects" / NAME[:2] / NAME
    assert path.read_bytes() == TEXT
    assert path.stat().st_mode & 0o777 == 0o444
    assert list((volume / "incoming").iterdir()) == []


def test_an_object_in_pieces(store: Store) -> None:
    for offset in range(0, len(TEXT), 5):
        assert store.offset(NAME) == offset
        assert store.missing([NAME]) == [NAME]
        piece = TEXT[offset : offset + 5]
        assert store.write(NAME, len(TEXT), offset, io.BytesIO(piece)) == offset + len(piece)
    assert store.missing([NAME]) == []


def test_the_empty_object(store: Store) -> None:
    assert store.write(sha256(b""), 0, 0, io.BytesIO()) == 0
    assert store.missing([sha256(b"")]) == []


@pytest.mark.parametrize("offset", [0, 4, 6, 12])
def test_another_offset_than_the_next_one(store: Store, offset: int) -> None:
    store.write(NAME, len(TEXT), 0, io.BytesIO(TEXT[:5]))
    with pytest.raises(WrongOffset) as caught:
        store.write(NAME, len(TEXT), offset, io.BytesIO(TEXT[offset:]))
    assert str(caught.value) == f"{NAME}: byte {offset} is not the next one, 5 is. Continue at offset 5."
    assert caught.value.right == 5
    assert store.write(NAME, len(TEXT), 5, io.BytesIO(TEXT[5:])) == len(TEXT)


def test_an_object_that_is_there_is_not_written_again(store: Store) -> None:
    put(store, TEXT)
    assert store.offset(NAME) == len(TEXT)
    assert store.write(NAME, len(TEXT), len(TEXT), io.BytesIO()) == len(TEXT)
    with pytest.raises(WrongOffset):
        store.write(NAME, len(TEXT), 0, io.BytesIO(TEXT))
    assert "more bytes came" in refusal(store.write, NAME, len(TEXT) + 1, len(TEXT), io.BytesIO(b"xx"))
    assert store.missing([NAME]) == []


WRONG_CONTENT = {
    "other content": (TEXT.upper(), len(TEXT), f"its checksum is {sha256(TEXT.upper())}, so what came is not what"),
    "too much": (TEXT + b"more", len(TEXT), "more bytes came than the 12 that were announced."),
}


@pytest.mark.parametrize(("content", "size", "said"), WRONG_CONTENT.values(), ids=WRONG_CONTENT.keys())
def test_wrong_content_is_thrown_away(store: Store, volume: Path, content: bytes, size: int, said: str) -> None:
    assert refusal(store.write, NAME, size, 0, io.BytesIO(content)).startswith(f"{NAME}: {said}")
    assert store.offset(NAME) == 0
    assert store.missing([NAME]) == [NAME]
    assert tree(volume / "objects") == tree(volume / "incoming") == {}


def test_wrong_bytes_before_a_resume_are_noticed_after_it(store: Store) -> None:
    store.write(NAME, len(TEXT), 0, io.BytesIO(b"HELLO"))
    assert "its checksum is" in refusal(store.write, NAME, len(TEXT), 5, io.BytesIO(TEXT[5:]))
    assert store.offset(NAME) == 0


@pytest.mark.parametrize("error", [ConnectionResetError(), KeyboardInterrupt(), SystemExit()], ids=repr)
def test_what_came_before_the_end_of_a_stream_stays(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        building.store(tmp_path).write(NAME, len(TEXT), 0, Cut(TEXT[:7], error))
    again = building.store(tmp_path)
    assert again.missing([NAME]) == [NAME]
    assert again.offset(NAME) == 7
    assert again.write(NAME, len(TEXT), 7, io.BytesIO(TEXT[7:])) == len(TEXT)
    assert again.missing([NAME]) == []


def test_who_goes_on_takes_over_from_a_dead_connection(store: Store) -> None:
    dead = store.receive(NAME, len(TEXT), 0)
    dead.feed(TEXT[:5])
    assert store.write(NAME, len(TEXT), 5, io.BytesIO(TEXT[5:])) == len(TEXT)
    with pytest.raises(Refused, match="another connection goes on with it"):
        dead.feed(TEXT[5:])
    assert dead.finish() == 5
    store.leave(dead)
    assert store.missing([NAME]) == []


def test_a_content_that_becomes_whole_while_somebody_asks_for_its_offset(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(NAME, len(TEXT), 0, io.BytesIO(TEXT))
    looked_for: list[Path] = []
    stat = Path.stat

    def not_yet(path: Path, **how: Any) -> os.stat_result:
        looked_for.append(path)
        if len(looked_for) == 1:
            raise FileNotFoundError
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", not_yet)
    assert store.offset(NAME) == len(TEXT)


def test_many_at_once(store: Store) -> None:
    contents = [bytes([number]) * 3_000_000 for number in range(8)] * 2

    def upload(content: bytes) -> None:
        try:
            put(store, content)
        except Refused:
            # Another thread took over, or was ahead.
            return

    threads = [threading.Thread(target=upload, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for content in contents:
        name = sha256(content)
        offset = store.offset(name)
        store.write(name, len(content), offset, io.BytesIO(content[offset:]))
    assert store.missing(map(sha256, contents)) == []


class Zeros(io.RawIOBase):
    """A large file that takes no room."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        block = bytes(min(size, self._left))
        self._left -= len(block)
        return block


def test_memory_does_not_grow_with_the_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)
    size = 200 * 2**20
    counted = hashlib.sha256()
    for block in disk.blocks_of(Zeros(size)):
        counted.update(block)
    name = counted.hexdigest()
    tracemalloc.start()
    store.write(name, size, 0, Zeros(size // 2))
    assert store.write(name, size, size // 2, Zeros(size // 2)) == size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20


BAD_WORDS = {
    "checksum": (("offset", "../../etc/passwd"), "sha256: it is not a SHA-256 checksum. Use 64 hexadecimal digits"),
    "upper case": (("offset", NAME.upper()), "sha256: it is not a SHA-256 checksum."),
    "negative offset": (("write", NAME, 5, -1, io.BytesIO()), "Upload-Length: -1 of 5 bytes cannot be."),
    "offset behind the end": (("write", NAME, 5, 6, io.BytesIO()), "Upload-Length: 6 of 5 bytes cannot be."),
    "too large": (("write", NAME, 2**40, 0, io.BytesIO()), f"Upload-Length: 0 of {2**40} bytes cannot be."),
    "kind": (("history", "dag", "", "a"), "kind: there is no kind 'dag'. Use plugin, shared, library."),
    "service": (("history", "plugin", "_all", "a"), "service: '_all' is not a valid name."),
    "name": (("history", "plugin", "", "../a"), "name: '../a' is not a valid name of an upload. Use 1 to 100"),
    "hidden name": (("history", "plugin", "", ".a"), "name: '.a' is not a valid name of an upload."),
    "name of 101": (("history", "plugin", "", "a" * 101), "name: 'aaaaaaa"),
    "service of a folder": (("prospective", "../x"), "service: '../x' is not a valid name."),
}


@pytest.mark.parametrize(("call", "said"), BAD_WORDS.values(), ids=BAD_WORDS.keys())
def test_words_that_are_not_taken(store: Store, call: tuple[Any, ...], said: str) -> None:
    assert refusal(getattr(store, call[0]), *call[1:]).startswith(said)


def test_a_full_volume_is_said_before_the_first_byte(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: Usage(5))
    said = refusal(store.write, NAME, len(TEXT), 0, io.BytesIO(TEXT))
    assert said.startswith("volume for files: 12 B do not fit into the 5 B that are free. Delete uploads")


class Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_a_volume_that_becomes_full_keeps_what_came(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    receiving = store.receive(NAME, len(TEXT), 0)
    receiving.feed(TEXT[:5])

    class Full:
        def write(self, block: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            whole.close()

    whole = receiving._file
    assert whole is not None
    monkeypatch.setattr(receiving, "_file", Full())
    assert refusal(receiving.feed, TEXT[5:]).startswith("volume for files: it is full. Delete uploads")
    store.leave(receiving)
    assert store.offset(NAME) == 5


PLUGIN = {"menu.py": b"x = 1\n", "pack/tool.py": b"y = 2\n", "static/logo.svg": b"<svg/>"}


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tar.xz"])
def test_an_archive_is_the_same_as_its_files(store: Store, form: str) -> None:
    litter = {"__MACOSX/menu.py": b"?", "pack/__pycache__/tool.cpython-312.pyc": b"?", ".DS_Store": b"?"}
    archive = archived(store, packed({**PLUGIN, **litter}, form), f"up.{form}")
    unpacked = store.stage("plugin", "", "menu", by="ann", archive=archive)
    assert {entry.path for entry in unpacked.entries} == set(PLUGIN)
    assert unpacked.source == archive.sha256
    assert unpacked.size == sum(map(len, PLUGIN.values()))
    assert staged(store, "plugin", "", "menu", PLUGIN) == unpacked


def test_a_bad_archive_leaves_no_version(store: Store, volume: Path) -> None:
    archive = archived(store, packed({"a.py": b"1", "../b.py": b"2"}, "tar"), "up.tar")
    said = refusal(store.stage, "plugin", "", "menu", by="ann", archive=archive)
    assert said.startswith("up.tar: path '../b.py' leaves its folder.")
    assert store.catalog() == []
    assert not (volume.parent / "b.py").exists() and tree(volume / "incoming") == {}


def test_staging_needs_the_objects(store: Store) -> None:
    entry = Entry("a.py", NAME, len(TEXT))
    for asked in ({"entries": [entry]}, {"archive": Archive(NAME, "a.py")}):
        said = refusal(store.stage, "plugin", "", "a", by="ann", **asked)
        assert said == "a.py: it was not uploaded, or not wholly. Upload it, then try again."
    put(store, TEXT)
    said = refusal(store.stage, "shared", "", "a", by="ann", entries=[Entry("a.txt", NAME, 3)])
    assert said == "a.txt: its size is 12 and not 3."
    assert "a.py: it is not a SHA-256" in refusal(
        store.stage, "shared", "", "a", by="ann", entries=[Entry("a.py", "../../x", 1)]
    )


def test_versions_are_numbered_and_kept(store: Store) -> None:
    numbers = [staged(store, "shared", "etl", "conf", {"a": bytes([number])}).version for number in range(3)]
    assert numbers == [1, 2, 3]
    assert staged(store, "shared", "", "conf", {"a": b"x"}).version == 1
    assert [version.version for version in store.history("shared", "etl", "conf")] == [3, 2, 1]
    assert store.history("shared", "etl", "other") == []
    newest = store.history("shared", "etl", "conf")[0]
    assert (newest.by, newest.when, newest.size) == ("ann", "2026-11-23T01:00:00Z", 1)
    assert newest.digest == digest(newest.entries)


def test_equal_content_makes_no_version(store: Store) -> None:
    one = used(store, "shared", "", "conf", {"a": b"1"})
    assert staged(store, "shared", "", "conf", {"a": b"1"}, by="bob") == one
    two = staged(store, "shared", "", "conf", {"a": b"2"})
    assert staged(store, "shared", "", "conf", {"a": b"2"}) == two
    assert staged(store, "shared", "", "conf", {"a": b"1"}) == one
    store.activate("shared", "", "conf", two.version, "ann")
    assert staged(store, "shared", "", "conf", {"a": b"1"}).version == 3


def test_the_right_to_execute_is_content(store: Store) -> None:
    entry = Entry("run", put(store, b"#!"), 2)
    made = [
        store.stage("shared", "", "conf", by="ann", entries=[Entry(entry.path, entry.sha256, 2, executable)]).version
        for executable in (False, True)
    ]
    assert made == [1, 2]


def test_roll_back_delete_and_come_back(store: Store) -> None:
    one, two = (used(store, "plugin", "", "menu", {"menu.py": text}) for text in (b"x = 1", b"x = 2"))
    first, second = (store.prospective("etl", {one.key: number}) for number in (1, 2))
    assert store.prospective("etl") == second != first
    store.activate("plugin", "", "menu", 1, "bob")
    assert store.prospective("etl") == first
    store.activate("plugin", "", "menu", None, "bob")
    assert store.prospective("etl") == Published("", "")
    upload = store.catalog()[0]
    assert upload.active is None and upload.newest == two
    assert versions.describe(upload)["decided_by"] == "bob"
    assert len(store.history("plugin", "", "menu")) == 2
    store.activate("plugin", "", "menu", 2, "bob")
    assert store.prospective("etl") == second


def test_versions_that_never_were(store: Store) -> None:
    used(store, "plugin", "etl", "menu", {"menu.py": b""})
    said = "version: plugin 'menu' of service etl has no version 7. Use one of 1."
    assert refusal(store.activate, "plugin", "etl", "menu", 7, "ann") == said
    assert refusal(store.prospective, "etl", {Key("plugin", "etl", "menu"): 7}) == said
    assert refusal(store.activate, "plugin", "", "no", None, "ann") == "name: there is no plugin 'no' of all services."
    said = refusal(store.activate, "plugin", "", "no", 1, "ann")
    assert said == "version: plugin 'no' of all services has no version 1. Upload it first."


def plugins_of(volume: Path, store: Store, service: str) -> dict[str, bytes]:
    name = store.prospective(service).plugins
    return tree(volume / "generations" / "plugins" / name) if name else {}


def test_services_get_what_is_for_all_and_over_it_their_own(store: Store, volume: Path) -> None:
    used(store, "plugin", "", "base", {"base.py": b"", "menu.py": b"m = 'all'"})
    used(store, "plugin", "etl", "own", {"menu.py": b"m = 'etl'", "pack/own.py": b""})
    used(store, "plugin", "web", "own", {"web.py": b""})
    assert plugins_of(volume, store, "etl") == {"base.py": b"", "menu.py": b"m = 'etl'", "pack/own.py": b""}
    assert plugins_of(volume, store, "web") == {"base.py": b"", "menu.py": b"m = 'all'", "web.py": b""}
    assert plugins_of(volume, store, "new") == {"base.py": b"", "menu.py": b"m = 'all'"}


def test_generations_are_named_by_what_they_hold(store: Store, volume: Path) -> None:
    version = used(store, "plugin", "", "menu", PLUGIN)
    assert store.prospective("etl") == store.prospective("web") == Published(version.digest, "")
    folder = volume / "generations" / "plugins" / version.digest
    assert tree(folder) == PLUGIN
    assert (folder / "menu.py").stat().st_mode & 0o777 == 0o444
    assert folder.stat().st_mode & 0o777 == 0o775
    assert (folder / "menu.py").stat().st_nlink == 2


def test_what_may_be_executed_is_a_copy(store: Store, volume: Path) -> None:
    program = Entry("pack/run.sh", put(store, b"#!"), 2, executable=True)
    entries = [Entry("a.py", put(store, b""), 0), program, Entry("pack/text", program.sha256, 2)]
    store.activate("plugin", "", "p", store.stage("plugin", "", "p", by="ann", entries=entries).version, "ann")
    folder = volume / "generations" / "plugins" / store.prospective("etl").plugins / "pack"
    assert [(folder / name).stat().st_mode & 0o777 for name in ("run.sh", "text")] == [0o555, 0o444]


def test_a_volume_without_links_gets_copies(store: Store, volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(disk.os, "link", no_links)
    used(store, "plugin", "", "menu", PLUGIN)
    store.refresh("etl")
    used(store, "shared", "", "conf", {"a": b"1"})
    used(store, "shared", "", "conf", {"a": b"2"})
    assert plugins_of(volume, store, "etl") == PLUGIN
    assert tree(volume / "shared" / "etl") == {"a": b"2"}
    assert (volume / "shared" / "etl" / "a").stat().st_mode & 0o777 == 0o444


COLLISIONS = {
    "same path": ({"x/a.py": b"1"}, {"x/a.py": b"2"}, "x/a.py"),
    "same content, too": ({"a.py": b""}, {"a.py": b""}, "a.py"),
    "file and folder": ({"a.py": b""}, {"b.py": b"", "a.py/c": b""}, "a.py"),
    "folder and file": ({"b.py": b"", "a.py/c": b""}, {"a.py": b""}, "a.py"),
}


@pytest.mark.parametrize("kind", ["plugin", "shared"])
@pytest.mark.parametrize("scope", ["", "etl"])
@pytest.mark.parametrize(("one", "other", "path"), COLLISIONS.values(), ids=COLLISIONS.keys())
def test_two_uploads_that_bring_the_same(
    store: Store, kind: str, scope: str, one: dict[str, bytes], other: dict[str, bytes], path: str
) -> None:
    used(store, kind, scope, "one", one)
    version = staged(store, kind, scope, "other", other)
    said = refusal(store.activate, kind, scope, "other", version.version, "ann")
    assert f"both bring '{path}'. Rename it in one of them, or delete one of them." in said
    assert f"{kind} 'one'" in said and f"{kind} 'other'" in said
    assert [upload.active is None for upload in store.catalog()] == [False, True]
    if kind == "plugin":
        assert f"both bring '{path}'" in refusal(store.prospective, "etl", {version.key: version.version})
    store.activate(kind, scope, "one", None, "ann")
    store.activate(kind, scope, "other", version.version, "ann")


DEMO, MORE = "demo-1.0-py3-none-any.whl", "more_x-2.0-py3-none-any.whl"


def asked_for(store: Store, volume: Path, service: str) -> dict[str, bytes]:
    return tree(volume / "generations" / "requirements" / store.prospective(service).requirements)


def test_wheels_alone_ask_for_themselves(store: Store, volume: Path) -> None:
    used(store, "library", "", "own", {DEMO: wheel(DEMO), MORE: wheel(MORE)})
    assert asked_for(store, volume, "etl") == {
        "requirements.txt": b"# library 'own' of all services\ndemo==1.0\nmore-x==2.0\n",
        f"wheels/{DEMO}": wheel(DEMO),
        f"wheels/{MORE}": wheel(MORE),
    }


def test_wheels_beside_a_text_are_only_offered(store: Store, volume: Path) -> None:
    used(store, "library", "", "base", {"requirements.txt": b"demo>=1  # ours\n--pre\n", DEMO: wheel(DEMO)})
    used(store, "library", "etl", "own", {"r.txt": b"pandas\n", MORE: wheel(MORE)})
    texts = "# library 'base' of all services\ndemo>=1\n--pre\n\n# library 'own' of service etl\npandas\n"
    assert asked_for(store, volume, "etl") == {
        "requirements.txt": texts.encode(),
        f"wheels/{DEMO}": wheel(DEMO),
        f"wheels/{MORE}": wheel(MORE),
    }
    assert asked_for(store, volume, "web").keys() == {"requirements.txt", f"wheels/{DEMO}"}


def test_the_same_wheel_may_come_twice(store: Store, volume: Path) -> None:
    used(store, "library", "", "one", {DEMO: wheel(DEMO)})
    used(store, "library", "", "two", {DEMO: wheel(DEMO), MORE: wheel(MORE)})
    assert asked_for(store, volume, "etl").keys() == {"requirements.txt", f"wheels/{DEMO}", f"wheels/{MORE}"}
    version = staged(store, "library", "", "three", {DEMO: wheel(DEMO, metadata="Summary: other")})
    said = refusal(store.activate, "library", "", "three", version.version, "ann")
    assert said.startswith("three: library 'one' of all services and library 'three' of all services both bring")


def test_shared_files_are_there_at_once(store: Store, volume: Path) -> None:
    for service in ("etl", "web"):
        store.refresh(service)
    used(store, "shared", "", "conf", {"a.txt": b"all", "deep/b.txt": b"all"})
    used(store, "shared", "etl", "own", {"a.txt": b"etl"})
    assert tree(volume / "shared" / "etl") == {"a.txt": b"etl", "deep/b.txt": b"all"}
    assert tree(volume / "shared" / "web") == {"a.txt": b"all", "deep/b.txt": b"all"}
    store.activate("shared", "etl", "own", None, "ann")
    assert tree(volume / "shared" / "etl") == {"a.txt": b"all", "deep/b.txt": b"all"}
    store.activate("shared", "", "conf", None, "ann")
    assert list((volume / "shared" / "etl").iterdir()) == []
    store.refresh("new")
    assert (volume / "shared" / "new").is_dir()


def test_a_service_without_a_folder_gets_one_with_its_first_file(store: Store, volume: Path) -> None:
    used(store, "shared", "etl", "own", {"a.txt": b"1"})
    assert tree(volume / "shared" / "etl") == {"a.txt": b"1"}


def test_folders_that_others_made_are_filled(store: Store, volume: Path) -> None:
    used(store, "shared", "", "conf", {"a.txt": b"all"})
    for name in ("etl", "lost+found"):
        (volume / "shared" / name).mkdir()
    assert store.fill_new() == ["etl"]
    assert tree(volume / "shared") == {"etl/a.txt": b"all"}
    assert store.fill_new() == []


TURNS = {
    "file becomes a folder": ({"a": b"1"}, {"a/b": b"2"}),
    "folder becomes a file": ({"a/b": b"1", "a/c/d": b"2"}, {"a": b"3"}),
    "all others": ({"a": b"1", "b/c": b"1"}, {"d": b"2"}),
    "content": ({"a": b"1", "b": b"same"}, {"a": b"2", "b": b"same"}),
}


@pytest.mark.parametrize(("before", "after"), TURNS.values(), ids=TURNS.keys())
@pytest.mark.parametrize("steps", range(6))
def test_a_killed_change_of_shared_files_is_finished(
    tmp_path: Path, volume: Path, monkeypatch: pytest.MonkeyPatch, before: dict[str, bytes], after: dict[str, bytes],
    steps: int,
) -> None:  # fmt: skip
    """Killed after any of its renames: each file is the old or the new one, and the next look makes all of it new."""
    store = building.store(tmp_path)
    used(store, "shared", "etl", "conf", before)
    version = staged(store, "shared", "etl", "conf", after)
    left = iter(range(steps))
    real = os.replace

    def killed(source: Path, target: Path) -> None:
        if next(left, None) is None:
            raise SystemExit
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(disk.os, "replace", killed)
        with contextlib.suppress(SystemExit):
            store.activate("shared", "etl", "conf", version.version, "ann")
    seen = tree(volume / "shared" / "etl")
    assert all(content in (before.get(path), after.get(path)) for path, content in seen.items())
    again = building.store(tmp_path)
    for number, files in ((1, before), (2, after), (1, before)):
        again.activate("shared", "etl", "conf", number, "ann")
        assert tree(volume / "shared" / "etl") == files


def test_what_is_right_is_not_touched(store: Store, volume: Path) -> None:
    used(store, "shared", "etl", "conf", {"a": b"1", "b": b"1"})
    before = {path: (volume / "shared" / "etl" / path).stat() for path in ("a", "b")}
    used(store, "shared", "etl", "conf", {"a": b"2", "b": b"1"})
    after = {path: (volume / "shared" / "etl" / path).stat() for path in ("a", "b")}
    assert before["b"].st_ino == after["b"].st_ino and before["a"].st_ino != after["a"].st_ino


def killed_at(steps: int) -> Callable[[Any], Any]:
    """A kill at one of the moments at which something becomes visible or lasting."""
    moments: Iterator[int] = iter(range(steps))

    def moment(call: Callable[..., Any]) -> Callable[..., Any]:
        def perhaps(*arguments: Any, **named: Any) -> Any:
            if next(moments, None) is None:
                raise SystemExit
            return call(*arguments, **named)

        return perhaps

    return moment


@pytest.mark.parametrize("steps", range(0, 60, 3))
def test_a_kill_at_any_moment_leaves_only_what_is_whole(
    tmp_path: Path, volume: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    used(building.store(tmp_path), "plugin", "", "menu", {"menu.py": b"x = 1"})

    def upload() -> None:
        store = building.store(tmp_path)
        archive = archived(store, packed(PLUGIN, "tar.gz"), "up.tar.gz")
        version = store.stage("plugin", "", "menu", by="ann", archive=archive)
        store.prospective("etl", {version.key: version.version})
        store.activate("plugin", "", "menu", version.version, "ann")

    moment = killed_at(steps)
    with monkeypatch.context() as patched:
        for name in ("replace", "link", "fsync"):
            patched.setattr(disk.os, name, moment(getattr(os, name)))
        with contextlib.suppress(SystemExit):
            upload()
    for path in (volume / "objects").glob("*/*"):
        assert sha256(path.read_bytes()) == path.name
    for folder in (volume / "generations" / "plugins").iterdir():
        assert tree(folder) == PLUGIN
    for path in (volume / "uploads").rglob("*.json"):
        assert json.loads(path.read_text())["name"] == "menu"
    store = building.store(tmp_path)
    assert plugins_of(volume, store, "etl") in ({"menu.py": b"x = 1"}, PLUGIN)
    upload()
    assert plugins_of(volume, store, "etl") == PLUGIN


def age(path: Path, seconds: float) -> None:
    long_ago = time.time() - seconds
    os.utime(path, (long_ago, long_ago))


def test_a_start_cleans_up_what_was_given_up(tmp_path: Path, volume: Path) -> None:
    store = building.store(tmp_path)
    store.write(NAME, len(TEXT), 0, io.BytesIO(TEXT[:5]))
    incoming = volume / "incoming"
    (incoming / "tmp-1").mkdir()
    (incoming / "tmp-1" / "half").write_bytes(b"")
    age(incoming / "tmp-1", DAY + 60)
    age(incoming / NAME, DAY - 60)
    assert building.store(tmp_path).offset(NAME) == 5
    assert [path.name for path in incoming.iterdir()] == [NAME]
    age(incoming / NAME, DAY + 60)
    assert building.store(tmp_path).offset(NAME) == 0


def test_a_sweep_removes_what_nobody_uses(store: Store, volume: Path) -> None:
    for number in range(13):
        used(store, "plugin", "", "menu", {"menu.py": f"x = {number}".encode()})
        store.prospective("etl")
    store.activate("plugin", "", "menu", 2, "ann")
    in_use = InUse(services=frozenset({"etl"}), plugins=frozenset({store.prospective("etl").plugins}))
    library = volume / "generations" / "libraries" / "aa"
    library.mkdir()
    store.refresh("etl")
    store.refresh("gone")
    assert store.sweep(in_use).generations == ()
    for path in (*(volume / "objects").glob("*/*"), *(volume / "generations").glob("*/*")):
        age(path, DAY + 60)
    swept = store.sweep(in_use)
    assert (swept.versions, swept.services, swept.objects) == (0, (), 2)
    assert len(swept.generations) == 13 and "aa" in swept.generations
    assert [path.name for path in (volume / "generations" / "plugins").iterdir()] == list(in_use.plugins)
    assert [v.version for v in store.history("plugin", "", "menu")] == [*range(13, 3, -1), 2]
    assert plugins_of(volume, store, "etl") == {"menu.py": b"x = 1"}
    assert sorted(path.name for path in (volume / "shared").iterdir()) == ["etl"]
    store.activate("plugin", "", "menu", 13, "ann")
    assert plugins_of(volume, store, "etl") == {"menu.py": b"x = 12"}
    assert tree(volume / "incoming") == {}


def test_a_sweep_spares_what_is_wanted_soon(store: Store, volume: Path) -> None:
    put(store, TEXT)
    path = volume / "objects" / NAME[:2] / NAME
    age(path, DAY + 60)
    changed = path.stat().st_mtime
    assert store.missing([NAME]) == []
    assert store.sweep(InUse()).objects == 0
    assert path.stat().st_mtime == changed
    age(path, DAY + 60)
    assert (store.sweep(InUse()).objects, store.sweep(InUse()).size) == (1, 0)
    assert store.missing([NAME]) == [NAME]


def test_what_is_forgotten_is_that_of_one_service(store: Store, volume: Path) -> None:
    for scope in ("", "etl", "web"):
        used(store, "plugin", scope, "menu", {f"menu{scope}.py": b"x = 1"})
        used(store, "shared", scope, "conf", {f"conf{scope}": b"1"})
    deleted = staged(store, "library", "etl", "old", {"old.txt": b"packaging"})
    assert store.of_service("etl") == [Key("plugin", "etl", "menu"), Key("shared", "etl", "conf"), deleted.key]
    for _twice in range(2):
        store.forget("etl")
        assert store.of_service("etl") == [] and store.history("library", "etl", "old") == []
        assert {upload.key.scope for upload in store.catalog()} == {"", "web"}
        assert tree(volume / "shared") == {"web/conf": b"1", "web/confweb": b"1"}
    assert plugins_of(volume, store, "etl") == {"menu.py": b"x = 1"}
    assert "is not a valid name" in refusal(store.forget, "../web")


@pytest.mark.parametrize("steps", range(8))
def test_a_service_of_the_same_name_begins_anew_whenever_its_removal_was_killed(
    tmp_path: Path, volume: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """By a purge, which is run again; and by a sweep, which is not when there is a service of that name by then."""
    for how, expected in (("forget", {"all": b"1"}), ("sweep", {"all": b"1", "own": b"1"})):
        store = building.store(tmp_path / how)
        used(store, "shared", "", "conf", {"all": b"1"})
        used(store, "shared", "etl", "conf", {"own": b"1"})
        moment = killed_at(steps)
        with monkeypatch.context() as patched, contextlib.suppress(SystemExit):
            for name in ("replace", "unlink"):
                patched.setattr(disk.os, name, moment(getattr(os, name)))
            store.forget("etl") if how == "forget" else store.sweep(InUse())
        again = building.store(tmp_path / how)
        if how == "forget" and again.of_service("etl"):
            again.forget("etl")
        folder = tmp_path / how / "volume" / "shared" / "etl"
        folder.mkdir(exist_ok=True)
        again.fill_new()
        assert tree(folder) == expected, how


def test_what_the_cluster_uses() -> None:
    template = "volumeMounts:\n- subPath: generations/libraries/0123456789\n"
    mounts = [{"subPath": "generations/plugins/aa11"}, {"subPath": "shared/etl"}]
    objects = [
        {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"volumeMounts": mounts}]}}}},
        {"kind": "ConfigMap", "metadata": {"name": "etl-config"}, "data": {"pod.yaml": template}},
        {"kind": "ConfigMap", "metadata": {"name": "empty"}},
        {
            "kind": "ConfigMap",
            "metadata": {"name": "dataops-manager-published"},
            "data": {"_all": json.dumps({"plugins": "bb22", "requirements": ""})},
        },
        {"kind": "Job", "spec": {"args": ["/files/generations/requirements/cc33"]}},
    ]
    assert usage.of_objects(objects, frozenset({"etl"})) == InUse(
        services=frozenset({"etl"}),
        plugins=frozenset({"aa11", "bb22"}),
        requirements=frozenset({"cc33"}),
        libraries=frozenset({"0123456789"}),
    )


def test_a_list_of_uploads(store: Store) -> None:
    used(store, "shared", "etl", "conf", {"a": b"12"})
    used(store, "plugin", "", "menu", PLUGIN)
    shown = [versions.describe(upload) for upload in store.catalog()]
    assert [(row["kind"], row["service"], row["name"], row["active"]) for row in shown] == [
        ("plugin", "", "menu", 1),
        ("shared", "etl", "conf", 1),
    ]
    assert (shown[1]["size"], shown[1]["files"], shown[1]["by"], shown[1]["newest"]) == (2, 1, "ann", 1)


WORDS = {0: "0 B", 512: "512 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 * 2**30: "5.0 GiB", 2**50: "1024.0 TiB"}


@pytest.mark.parametrize(("size", "words"), WORDS.items())
def test_sizes_in_words(size: int, words: str) -> None:
    assert disk.in_words(size) == words


@pytest.mark.parametrize("key", [Key("plugin", "", "menu.py"), Key("shared", "etl", "a")], ids=str)
def test_an_upload_is_known_by_what_it_is_called(key: Key) -> None:
    assert Key.called(str(key)) == key
    assert Key.called("service etl") is None
