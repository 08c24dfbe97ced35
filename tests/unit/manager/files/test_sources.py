# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found where files lie: paths, checksums, what is left out, and what is refused."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, DataOpsError, Refused
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import disk, sources

from .building import zipped


def folder_of(root: Path, *paths: str) -> str:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {path}\n")
    return str(root)


def test_a_file_has_its_name_and_checksum(tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_bytes(b"x" * (disk.BLOCK + 1))
    file.chmod(0o755)
    (only,) = sources.found_at(str(file)).files
    assert only.entry == sources.Entry(
        "one.py", hashlib.sha256(file.read_bytes()).hexdigest(), disk.BLOCK + 1, executable=True
    )
    assert [len(block) for block in only.blocks(0, only.size)] == [disk.BLOCK, 1]
    assert b"".join(only.blocks(disk.BLOCK, only.size)) == b"x"


def test_a_text_is_a_file_of_its_name() -> None:
    (only,) = sources.of_text("é\n", "note.txt").files
    assert only.entry == sources.Entry("note.txt", hashlib.sha256("é\n".encode()).hexdigest(), 3)
    assert b"".join(only.blocks(0, 3)) == "é\n".encode()
    assert "é" not in repr(only)


FOLDERS: dict[str, tuple[tuple[str, ...], list[str], tuple[str, ...]]] = {
    "sorted, with paths below it": (("b.py", "a/z.py", "a/b/c.py"), ["a/b/c.py", "a/z.py", "b.py"], ()),
    "without what tools leave": (
        ("a.py", "__pycache__/a.cpython-312.pyc", ".git/HEAD", "sub/__pycache__/b.pyc", "sub/b.pyc"),
        ["a.py"],
        (".git", "__pycache__", "sub/__pycache__", "sub/b.pyc"),
    ),
    "hidden files are files": ((".airflowignore", "a.py"), [".airflowignore", "a.py"], ()),
}


@pytest.mark.parametrize(("paths", "expected", "left_out"), FOLDERS.values(), ids=FOLDERS.keys())
def test_a_folder(tmp_path: Path, paths: tuple[str, ...], expected: list[str], left_out: tuple[str, ...]) -> None:
    found = sources.found_at(f"{folder_of(tmp_path, *paths)}/")
    assert [source.path for source in found.files] == expected
    assert found.left_out == left_out


def test_a_link_to_what_is_uploaded_is_followed(tmp_path: Path) -> None:
    folder_of(tmp_path / "real", "a.py")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "one.py").symlink_to(tmp_path / "real" / "a.py")
    assert [source.path for source in sources.found_at(str(tmp_path / "link")).files] == ["a.py"]
    assert [source.path for source in sources.found_at(str(tmp_path / "one.py")).files] == ["one.py"]


def with_link(root: Path) -> Path:
    folder_of(root, "a.py")
    (root / "link.py").symlink_to("a.py")
    return root


def with_pipe(root: Path) -> Path:
    folder_of(root, "a.py")
    os.mkfifo(root / "pipe")
    return root


def with_strange_name(root: Path) -> Path:
    folder_of(root, "a\\b.py")
    return root


def only_litter(root: Path) -> Path:
    folder_of(root, ".git/HEAD")
    return root


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "nothing": (lambda root: root / "none", "src: there is no file or folder {root}/none."),
    "a link in it": (with_link, "src: {root}/link.py is a symbolic link."),
    "a pipe in it": (with_pipe, "src: {root}/pipe is neither a file nor a folder."),
    "a name that means something elsewhere": (with_strange_name, "src: path 'a\\\\b.py' has a backslash in it."),
    "only what is left out": (only_litter, "src: the folder {root} has no files to upload."),
}


@pytest.mark.parametrize(("prepared", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(tmp_path: Path, prepared: Callable[[Path], Path], expected: str) -> None:
    with pytest.raises(BadOption) as caught:
        sources.found_at(str(prepared(tmp_path)))
    assert str(caught.value).startswith(expected.format(root=tmp_path))


def test_a_file_that_shrinks_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("four")
    (only,) = sources.found_at(str(file)).files
    file.write_text("one")
    with pytest.raises(Refused, match=r"a\.txt changed while it was read"):
        list(only.blocks(0, only.size))


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("four")
    (only,) = sources.found_at(str(file)).files
    file.unlink()
    with pytest.raises(DataOpsError, match=r"a\.txt cannot be read: No such file"):
        list(only.blocks(0, only.size))


def test_a_member_of_a_zip_is_read_from_anywhere(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(zipped({"b/c.txt": b"0123456789"}))
    member = sources.Source("b/c.txt", 10, file=str(file), member="b/c.txt")
    assert b"".join(member.blocks(0, 10)) == b"0123456789"
    assert b"".join(member.blocks(7, 9)) == b"78"


CHANGED: dict[str, bytes] = {
    "no zip any more": b"text",
    "without the member": zipped({"other.txt": b"0123456789"}),
    "with less in it": zipped({"b/c.txt": b"012"}),
}


@pytest.mark.parametrize("now", CHANGED.values(), ids=CHANGED.keys())
def test_a_zip_that_changes_is_noticed(tmp_path: Path, now: bytes) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(now)
    with pytest.raises(DataOpsError, match=r"a\.zip"):
        list(sources.Source("b/c.txt", 10, file=str(file), member="b/c.txt").blocks(0, 10))
