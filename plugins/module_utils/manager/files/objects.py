# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content by its checksum: written once, in pieces and by several tries if need be, and never changed.

A piece is taken only at the offset where the one before ended, and a file becomes an object only when the checksum of
all its bytes is its name. So neither a cut connection nor a killed process can leave a wrong one.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from ...errors import BadOption, Refused
from . import disk
from .layout import Layout

# A single file; larger ones are a mistake more often than an intention.
LARGEST = 16 * 2**30


class WrongOffset(Refused):
    """A piece that does not begin where the last one ended; ``right`` is where that was."""

    def __init__(self, sha256: str, given: int, right: int) -> None:
        super().__init__(
            f"byte {given} is not the next one, {right} is", where=sha256, next_step=f"Continue at offset {right}"
        )
        self.right = right


class Receiving:
    """One file being received. Closed early it keeps what came; another one for the same file takes over from it."""

    def __init__(self, objects: Objects, sha256: str, size: int, offset: int) -> None:
        self._objects = objects
        self.sha256 = sha256
        self._size = size
        self._turn = threading.Lock()
        self._file: FileIO | None = None
        self._hash = hashlib.sha256()
        self._over = False
        self.offset = offset

    def begin(self) -> None:
        """Find out what is there already, and take it into the checksum."""
        with self._turn:
            self._still_mine()
            if self._objects.has(self.sha256):
                self._check_offset(self._objects.offset(self.sha256))
                return
            self._file = FileIO(self._objects.layout.partial(self.sha256), "a+")
            self._check_offset(self._file.seek(0, os.SEEK_END))
            disk.ensure_room(self._objects.layout.root, self._size - self.offset)
            self._file.seek(0)
            while block := self._file.read(disk.BLOCK):
                self._hash.update(block)

    def _check_offset(self, right: int) -> None:
        if self.offset != right:
            raise WrongOffset(self.sha256, self.offset, right)

    def _still_mine(self) -> None:
        if self._over:
            raise Refused(
                "another connection goes on with it",
                where=self.sha256,
                next_step="Ask for its offset and continue there",
            )

    def feed(self, block: bytes) -> None:
        with self._turn:
            self._still_mine()
            if self.offset + len(block) > self._size:
                self._discard()
                raise BadOption(f"more bytes came than the {self._size} that were announced", where=self.sha256)
            rest = memoryview(block)
            while self._file is not None and rest:
                with disk.room():
                    rest = rest[self._file.write(rest) :]
            self._hash.update(block)
            self.offset += len(block)

    def finish(self) -> int:
        """An object, if all of it came and its checksum is right; the offset where the next piece begins."""
        with self._turn:
            if self._file is not None and self.offset == self._size:
                if self._hash.hexdigest() != self.sha256:
                    self._discard()
                    raise BadOption(
                        f"its checksum is {self._hash.hexdigest()}, so what came is not what was sent",
                        where=self.sha256,
                        next_step="Upload it again from the beginning",
                    )
                with disk.room():
                    os.fsync(self._file.fileno())
                self._close()
                self._objects.adopt(self._objects.layout.partial(self.sha256), self.sha256)
            return self.offset

    def close(self) -> None:
        with self._turn:
            self._close()

    def _close(self) -> None:
        self._over = True
        if self._file is not None:
            self._file.close()
            self._file = None

    def _discard(self) -> None:
        self._close()
        self._objects.layout.partial(self.sha256).unlink(missing_ok=True)


class Objects:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._lock = threading.Lock()
        self._under_way: dict[str, Receiving] = {}

    def has(self, sha256: str) -> bool:
        return self.layout.object(sha256).is_file()

    def missing(self, wanted: Iterable[str]) -> list[str]:
        """Which of these have to be uploaded; the others are taken as wanted soon and are not swept away."""
        gone = []
        for sha256 in dict.fromkeys(wanted):
            if self.has(sha256):
                self.touch(sha256)
            else:
                gone.append(sha256)
        return gone

    def touch(self, sha256: str) -> None:
        """Wanted now. The time of change stays: people look at it through shared files."""
        path = self.layout.object(sha256)
        found = path.stat()
        os.utime(path, ns=(time.time_ns(), found.st_mtime_ns))

    def offset(self, sha256: str) -> int:
        """How many bytes of it are there."""
        whole, partial = self.layout.object(sha256), self.layout.partial(sha256)
        # Looked for again, since a partial one may have become whole meanwhile.
        for path in (whole, partial, whole):
            with suppress(FileNotFoundError):
                return path.stat().st_size
        return 0

    def receive(self, sha256: str, size: int, offset: int) -> Receiving:
        """Go on with a file at ``offset``. Who was at it before, perhaps a connection that died, is shut out."""
        if not 0 <= offset <= size <= LARGEST:
            raise BadOption(
                f"{offset} of {size} bytes cannot be",
                where="Upload-Length",
                next_step=f"Use a size of at most {disk.in_words(LARGEST)} and an offset within it",
            )
        receiving = Receiving(self, sha256, size, offset)
        with self._lock:
            before = self._under_way.get(sha256)
            self._under_way[sha256] = receiving
        if before is not None:
            before.close()
        try:
            receiving.begin()
        except BaseException:
            self.leave(receiving)
            raise
        return receiving

    def leave(self, receiving: Receiving) -> None:
        receiving.close()
        with self._lock:
            if self._under_way.get(receiving.sha256) is receiving:
                del self._under_way[receiving.sha256]

    def put(self, blocks: Iterable[bytes]) -> tuple[str, int]:
        """Content whose checksum nobody knows yet; its checksum and size."""
        counted = hashlib.sha256()
        size = 0

        def passing() -> Iterator[bytes]:
            nonlocal size
            for block in blocks:
                counted.update(block)
                size += len(block)
                yield block

        temporary = self.layout.temporary()
        try:
            disk.write(temporary, passing())
            self.adopt(temporary, counted.hexdigest())
        finally:
            temporary.unlink(missing_ok=True)
        return counted.hexdigest(), size

    def adopt(self, path: Path, sha256: str) -> None:
        """A whole file becomes an object, unless it is one already: others have links to that."""
        if self.has(sha256):
            self.touch(sha256)
            path.unlink()
            return
        target = self.layout.object(sha256)
        disk.make_folder(target.parent)
        path.chmod(disk.READ_ONLY)
        disk.rename(path, target)

    def sweep(self, used: Container[str], age: float) -> tuple[int, int]:
        """Remove what is not used and was neither written nor asked for in this time; how many, and of which size."""
        count = size = 0
        for path in self.layout.objects.glob("*/*"):
            found = path.stat()
            if path.name not in used and time.time() - max(found.st_atime, found.st_mtime) > age:
                path.unlink()
                count, size = count + 1, size + found.st_size
        return count, size

    def open(self, sha256: str) -> BinaryIO:
        return self.layout.object(sha256).open("rb")
