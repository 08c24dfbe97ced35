# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of strangers: read member by member, refused as soon as something in them is not plain.

Nothing is ever extracted to a path that an archive names. What comes out is a path that was checked, and bytes that
were counted: neither what a header claims nor how well something is compressed decides how much memory or disk it gets.
"""

from __future__ import annotations

import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, Protocol, cast

from ...errors import BadOption
from . import disk
from .model import Tree, checked_path


@dataclass(frozen=True)
class Limits:
    """What an archive may become. A ratio is only looked at beyond ``ratio_from`` bytes: small texts shrink a lot."""

    entries: int = 20_000
    total: int = 20 * 2**30
    ratio: int = 200
    ratio_from: int = 64 * 2**20
    # Bytes of names and the like that are read between two files of a tar, or before the first one of a zip.
    headers: int = 16 * 2**20


LIMITS = Limits()
# What the strongest setting of xz needs (xz -9), and a little.
XZ_MEMORY = 70 * 2**20
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ZIP_ENCRYPTED = 0x1
# With files, and without any.
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
FORMATS = "zip, tar, tar.gz and tar.xz"


@dataclass(frozen=True)
class Member:
    """One file. Its blocks are there until the next member is asked for."""

    path: str
    executable: bool
    blocks: Iterator[bytes]


@dataclass
class Gauge:
    """How much came out, compared with how much went in."""

    name: str
    packed: int
    limits: Limits
    entries: int = 0
    total: int = 0

    def entry(self) -> None:
        self.entries += 1
        if self.entries > self.limits.entries:
            raise BadOption(f"it has more than {self.limits.entries} entries", where=self.name)

    def came(self, size: int) -> None:
        self.total += size
        if self.total > self.limits.total:
            raise BadOption(f"it becomes larger than {disk.in_words(self.limits.total)}", where=self.name)
        if self.total > max(self.limits.ratio_from, self.packed * self.limits.ratio):
            raise BadOption(
                f"it becomes more than {self.limits.ratio} times as large when it is unpacked",
                where=self.name,
                next_step="Pack it without compression if that is really meant",
            )


def members(file: BinaryIO, name: str, limits: Limits = LIMITS) -> Iterator[Member]:
    """The files of an archive.

    :param file: at its beginning, and seekable.
    :param name: as its owner knows it, for messages.
    :raises BadOption: at the first member that is not taken, or that cannot be read.
    """
    with readable(name):
        head = file.read(512)
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        gauge = Gauge(name, size, limits)
        if head.startswith(ZIP):
            yield from of_zip(file, size, gauge)
        elif head.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield from of_tar(unpacked, gauge)
        elif head.startswith(b"\xfd7zXZ\x00"):
            yield from of_tar(Xz(file), gauge)
        elif head[257:262] == b"ustar":
            yield from of_tar(file, gauge)
        else:
            raise BadOption("it is no archive that is known here", where=name, next_step=f"Use {FORMATS}")


def is_zip(file: BinaryIO) -> bool:
    """By its beginning: at the end of another archive there may be a zip, too."""
    return file.read(4).startswith(ZIP)


def is_archive(name: str) -> bool:
    """Whether a file of this name is meant to be one."""
    return name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz"))


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Every way of being damaged is one sentence."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        lzma.LZMAError,
        zlib.error,
        gzip.BadGzipFile,
        struct.error,
        EOFError,
        LookupError,
        OverflowError,
        RuntimeError,
        ValueError,
    ) as error:
        raise BadOption(
            f"it cannot be read ({str(error) or type(error).__name__})",
            where=name,
            next_step="It may be damaged or cut off: pack and upload it again",
        ) from error


def of_zip(file: BinaryIO, size: int, gauge: Gauge) -> Iterator[Member]:
    ensure_small_directory(file, size, gauge)
    with zipfile.ZipFile(file) as archive:
        tree = Tree()
        wanted = [info for info in archive.infolist() if accepted_in_zip(info, tree, gauge)]
        for info in wanted:
            with archive.open(info) as content:
                blocks = guarded(counted(content, gauge), gauge.name)
                yield from delivered(Member(info.filename, executable_in_zip(info), blocks))


def delivered(member: Member) -> Iterator[Member]:
    """A member, and then whatever of it was not read: the end of it shows whether it is damaged."""
    yield member
    for block in member.blocks:
        del block


def guarded(blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Who reads a member meets its damage, and is told the same as who asks for the next one."""
    with readable(name):
        yield from blocks


def counted(content: IO[bytes], gauge: Gauge) -> Iterator[bytes]:
    while block := content.read(disk.BLOCK):
        gauge.came(len(block))
        yield block


def accepted_in_zip(info: zipfile.ZipInfo, tree: Tree, gauge: Gauge) -> bool:
    """Whether this is a file; refused if it is neither that nor a folder."""
    gauge.entry()
    # A name is cut at a NUL when it is read, which must not make one name of two.
    path = checked_path(info.orig_filename.removesuffix("/"), gauge.name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise no_plain_file(gauge.name, path, "link" if kind == stat.S_IFLNK else "device or the like")
    if info.is_dir():
        return False
    if info.flag_bits & ZIP_ENCRYPTED:
        raise BadOption(f"'{path}' is encrypted", where=gauge.name, next_step="Pack it without a password")
    if info.compress_type not in ZIP_METHODS:
        raise BadOption(
            f"'{path}' is packed with method {info.compress_type}",
            where=gauge.name,
            next_step="Pack it with the usual one, deflate",
        )
    tree.add(path, gauge.name)
    return True


def executable_in_zip(info: zipfile.ZipInfo) -> bool:
    return bool(info.external_attr >> 16 & stat.S_IXUSR)


def no_plain_file(name: str, path: str, what: str) -> BadOption:
    return BadOption(f"'{path}' is a {what}", where=name, next_step="Only files and folders are taken")


# At the end of a zip; the larger form where the numbers of the first one are too small.
END = struct.Struct("<4s4H2LH")
END_MARK, END64_MARK, LOCATOR_MARK = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
COMMENT_MAX = 2**16


def ensure_small_directory(file: BinaryIO, size: int, gauge: Gauge) -> None:
    """Python reads the whole list of members into memory, so it is asked for its size before."""
    file.seek(max(0, size - END.size - COMMENT_MAX))
    tail = file.read()
    at = tail.rfind(END_MARK)
    if at < 0 or len(tail) - at < END.size:
        raise zipfile.BadZipFile("its end is missing")
    entries, length = END.unpack_from(tail, at)[4:6]
    if (locator := at - 20) >= 0 and tail[locator : locator + 4] == LOCATOR_MARK:
        file.seek(struct.unpack_from("<Q", tail, locator + 8)[0])
        record = file.read(56)
        if record[:4] != END64_MARK:
            raise zipfile.BadZipFile("its end is damaged")
        entries, length = struct.unpack_from("<2Q", record, 32)
    file.seek(0)
    if entries > gauge.limits.entries:
        raise BadOption(f"it has more than {gauge.limits.entries} entries", where=gauge.name)
    if length > gauge.limits.headers:
        raise BadOption("its list of files is too large", where=gauge.name)


def of_tar(unpacked: Source, gauge: Gauge) -> Iterator[Member]:
    metered = Metered(unpacked, gauge)
    tree = Tree()
    # As a stream: members come in their order, and nothing is read twice.
    stream = cast("IO[bytes]", metered)
    with tarfile.open(fileobj=stream, mode="r|", bufsize=disk.BLOCK, tarinfo=StrictHeader) as archive:
        while info := archive.next():
            path = path_in_tar(info, tree, gauge)
            metered.allow(info.size + gauge.limits.headers)
            content = archive.extractfile(info) if path else None
            if content is not None:
                blocks = guarded(disk.blocks_of(content), gauge.name)
                yield from delivered(Member(path, bool(info.mode & stat.S_IXUSR), blocks))
            metered.allow(gauge.limits.headers)
    # What compresses it has a checksum at its end.
    while metered.read(disk.BLOCK):
        continue


def path_in_tar(info: tarfile.TarInfo, tree: Tree, gauge: Gauge) -> str:
    """The path of a file, empty for a folder; refused if it is neither."""
    gauge.entry()
    if info.isdir() and info.name == ".":
        return ""
    path = checked_path(info.name.removeprefix("./"), gauge.name)
    if info.issym() or info.islnk():
        raise no_plain_file(gauge.name, path, "link")
    if not (info.isreg() or info.isdir()):
        raise no_plain_file(gauge.name, path, "device or the like")
    if info.issparse():
        raise BadOption(f"'{path}' is stored with holes", where=gauge.name, next_step="Pack it without --sparse")
    if info.isdir():
        return ""
    tree.add(path, gauge.name)
    return path


class StrictHeader(tarfile.TarInfo):
    """A header that cannot be read, or is missing, is an error wherever it is: Python takes it for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> StrictHeader:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            # A block of zeros is the end, and the only one.
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(str(error)) from error


class Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Metered:
    """What a tar reads. Headers of a tar can be of any size and are read at once, so they get an allowance."""

    def __init__(self, source: Source, gauge: Gauge) -> None:
        self._source = source
        self._gauge = gauge
        self.allow(gauge.limits.headers)

    def allow(self, size: int) -> None:
        # One block is read ahead.
        self._left = size + disk.BLOCK

    def read(self, size: int) -> bytes:
        block = self._source.read(size)
        self._gauge.came(len(block))
        self._left -= len(block)
        if self._left < 0:
            raise BadOption("a header in it is too large", where=self._gauge.name)
        return block


class Xz:
    """Decompression with bounded memory: an archive says how much it needs, and Python would give it that."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._start()

    def _start(self) -> None:
        self._unpack = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def read(self, size: int) -> bytes:
        unpacked = b""
        while not unpacked:
            if not self._unpack.eof:
                packed = self._needed()
            else:
                # Several files of xz behind each other are one.
                packed = self._unpack.unused_data.lstrip(b"\0") or self._source.read(disk.BLOCK)
                if not packed:
                    break
                self._start()
            unpacked = self._unpack.decompress(packed, size)
        return unpacked

    def _needed(self) -> bytes:
        """What has to be added before more can be unpacked."""
        if not self._unpack.needs_input:
            return b""
        packed = self._source.read(disk.BLOCK)
        if not packed:
            raise EOFError("its end is missing")
        return packed
