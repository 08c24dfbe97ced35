# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be uploaded, on the host where it lies: which files, their checksums, and their bytes block by block."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from ...errors import BadOption, Refused
from . import archives, disk
from .counting import counted
from .model import Entry, Tree, checked_path, is_litter

# Smaller ones are read and sent before anybody wonders.
LARGE = 256 * 2**20


@dataclass(frozen=True)
class Source:
    """One file of an upload: at ``file`` on this host, or a ``member`` of the zip there; or a text."""

    path: str
    size: int
    executable: bool = False
    file: str = ""
    member: str = ""
    text: bytes = field(default=b"", repr=False)
    # Its checksum, where it was computed before.
    known: str = ""

    @cached_property
    def sha256(self) -> str:
        """Of the files in an archive each may be needed, and of the archive itself none."""
        return self.known or counted(self.blocks(0, self.size))[0]

    @property
    def entry(self) -> Entry:
        return Entry(self.path, self.sha256, self.size, self.executable)

    def open(self) -> BinaryIO:
        try:
            if self.member:
                with archives.readable(self.file), zipfile.ZipFile(self.file) as archive:
                    # It stays open as long as one of its members does.
                    return cast("BinaryIO", archive.open(self.member))
            return open(self.file, "rb") if self.file else BytesIO(self.text)
        except OSError as error:
            raise unreadable(self.file, error) from error

    def blocks(self, begin: int, end: int) -> Iterator[bytes]:
        """Its bytes from ``begin`` to ``end``.

        :raises Refused: when there are not as many any more.
        """
        with self.open() as content, archives.readable(self.file):
            try:
                content.seek(begin)
                while begin < end:
                    block = content.read(min(disk.BLOCK, end - begin))
                    if not block:
                        raise changed_meanwhile(self.file)
                    begin += len(block)
                    yield block
            except OSError as error:
                raise unreadable(self.file, error) from error


@dataclass(frozen=True)
class Sources:
    """The files of an upload, sorted, and what lies beside them and is not uploaded."""

    files: tuple[Source, ...]
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(source.size for source in self.files)


def of_text(text: str, path: str) -> Sources:
    content = text.encode()
    return Sources((Source(checked_path(path, "name"), len(content), text=content),))


def found_at(src: str) -> Sources:
    """What there is, by names and sizes alone.

    :raises BadOption: for what is neither a file nor a folder, links in a folder included.
    """
    top = os.path.realpath(src)
    found = kind_of(top, src)
    if found is None:
        raise BadOption(f"there is no file or folder {src}", where="src", next_step="Correct the path")
    if stat.S_ISREG(found.st_mode):
        return Sources((source_of(checked_path(default_name(src), "src"), top, found),))
    if not stat.S_ISDIR(found.st_mode):
        raise not_plain(src)
    left_out: list[str] = []
    files = tuple(sorted(walked(top, "", Tree(), left_out), key=lambda source: source.path))
    if not files:
        raise BadOption(f"the folder {src} has no files to upload", where="src", next_step="Give another one")
    return Sources(files, tuple(sorted(left_out)))


def walked(top: str, below: str, tree: Tree, left_out: list[str]) -> Iterator[Source]:
    folder = os.path.join(top, below)
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise unreadable(folder, error) from error
    for name in names:
        path, file = f"{below}{name}", os.path.join(folder, name)
        found = kind_of(file, file)
        if is_litter(path):
            left_out.append(path)
        elif found is None:
            raise changed_meanwhile(file)
        elif stat.S_ISDIR(found.st_mode):
            yield from walked(top, f"{path}/", tree, left_out)
        elif stat.S_ISREG(found.st_mode):
            tree.add(checked_path(path, "src"), "src")
            yield source_of(path, file, found)
        else:
            raise not_plain(file)


def kind_of(file: str, called: str) -> os.stat_result | None:
    """What is at this path itself, links not followed; None for nothing."""
    try:
        return os.lstat(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(called, error) from error


def source_of(path: str, file: str, found: os.stat_result) -> Source:
    return Source(path, found.st_size, bool(found.st_mode & stat.S_IXUSR), file)


def default_name(src: str) -> str:
    """What an upload is called that was given no name."""
    return Path(os.path.abspath(src)).name


def not_plain(file: str) -> BadOption:
    what = "a symbolic link" if os.path.islink(file) else "neither a file nor a folder"
    return BadOption(f"{file} is {what}", where="src", next_step="Put a file in its place, or take it away")


def unreadable(file: str, error: OSError) -> BadOption:
    return BadOption(f"{file} cannot be read: {error.strerror}", where="src", next_step="Correct path or permissions")


def changed_meanwhile(file: str) -> Refused:
    return Refused(f"{file} changed while it was read", where="src", next_step="Run this again once it is complete")
