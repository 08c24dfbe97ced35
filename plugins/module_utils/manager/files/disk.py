# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing that survives a kill at any moment: what has its final name is whole, and is on the disk."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ...errors import Refused

# How much of a file is in memory at once.
BLOCK = 2**20
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
# Jobs of services make folders beside ours, in the same group and perhaps as another user.
READ_ONLY, EXECUTABLE, FOLDER = 0o444, 0o555, 0o775
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# Answers of file systems that have no hard links, or not for this file.
NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS})


def blocks_of(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(BLOCK):
        yield block


@contextmanager
def room(volume: str = "volume for files") -> Iterator[None]:
    """A full volume is something that people can do something about."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise Refused(
            "it is full", where=volume, next_step="Delete uploads that nobody needs, or enlarge the volume"
        ) from error


def ensure_room(root: Path, wanted: int) -> None:
    """Before the first byte, rather than after half of them."""
    free = shutil.disk_usage(root).free
    if wanted > free:
        raise Refused(
            f"{in_words(wanted)} do not fit into the {in_words(free)} that are free",
            where="volume for files",
            next_step="Delete uploads that nobody needs, or enlarge the volume",
        )


def in_words(size: int) -> str:
    """A number of bytes for people: 512 B, 1.5 GiB."""
    power = min(max(size.bit_length() - 1, 0) // 10, len(UNITS) - 1)
    return f"{size / 2 ** (10 * power):.1f} {UNITS[power]}" if power else f"{size} B"


def sync_folder(folder: Path) -> None:
    """A rename is on the disk when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems cannot, and have written it already.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Readable by every pod, whatever umask this process has."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(FOLDER)
    sync_folder(folder.parent)


def write(path: Path, blocks: Iterable[bytes]) -> None:
    """A new file, on the disk when this returns."""
    with room(), path.open("xb") as file:
        for block in blocks:
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def rename(source: Path, target: Path) -> None:
    os.replace(source, target)
    sync_folder(target.parent)


def write_text(path: Path, text: str, temporary: Path) -> None:
    """Old or new, never half of it."""
    make_folder(path.parent)
    write(temporary, [text.encode()])
    rename(temporary, path)


def place(source: Path, target: Path, *, executable: bool) -> None:
    """An immutable file at another path: a link where one will do, since it costs nothing; else a copy.

    The right to execute belongs to the file and not to its name, so who differs in that gets a copy.
    """
    if not executable:
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
        else:
            return
    with source.open("rb") as content:
        write(target, blocks_of(content))
    target.chmod(EXECUTABLE if executable else READ_ONLY)


def remove_tree(folder: Path, temporary: Path) -> None:
    """Gone from its name at once, so that nobody finds half of it."""
    os.replace(folder, temporary)
    shutil.rmtree(temporary)
