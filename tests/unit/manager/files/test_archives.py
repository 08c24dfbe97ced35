# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives: what is read from good ones, and the sentence for each way of being bad."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import tracemalloc
import zipfile
from itertools import product

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.archives import Limits, is_archive, members

from .building import PACKED, packed, tar_member, tarred, zipped

FORMS = ("zip", *PACKED)
PLAIN_ONLY = "Only files and folders are taken."
DAMAGED = "It may be damaged or cut off: pack and upload it again."


def read(archive: bytes, limits: Limits | None = None) -> dict[str, bytes]:
    found = members(io.BytesIO(archive), "up.zip", limits or Limits())
    return {member.path: b"".join(member.blocks) for member in found}


def refusal(archive: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(BadOption) as caught:
        read(archive, limits)
    return str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_files_of_every_form_are_read(form: str) -> None:
    files = {"a.py": b"x = 1\n", "pack/b.py": b"", "pack/deep/grün.txt": bytes(range(256)) * 9000}
    assert read(packed(files, form)) == files


@pytest.mark.parametrize("form", PACKED)
def test_folders_and_a_leading_dot_say_nothing(form: str) -> None:
    folder = tar_member("./pack", tarfile.DIRTYPE)
    members_of = {tar_member(".", tarfile.DIRTYPE): b"", folder: b"", tar_member("./pack/a.py"): b"1"}
    assert read(tarred(members_of, form)) == {"pack/a.py": b"1"}


def test_folders_of_a_zip_say_nothing() -> None:
    assert read(zipped({"pack/": b"", "pack/a.py": b"1"})) == {"pack/a.py": b"1"}


@pytest.mark.parametrize(("mode", "executable"), [(0o755, True), (0o644, False)])
def test_the_right_to_execute_is_kept(mode: int, executable: bool) -> None:
    for archive in (zipped({"run": b"#!"}, mode=0o100000 | mode), tarred({tar_member("run", mode=mode): b"#!"})):
        assert [member.executable for member in members(io.BytesIO(archive), "up")] == [executable]


def test_members_that_nobody_reads_are_passed_over() -> None:
    for form in FORMS:
        archive = packed({"a": b"1" * 3_000_000, "b": b"2"}, form)
        assert [member.path for member in members(io.BytesIO(archive), "up")] == ["a", "b"]


BAD_PATHS = {
    "upwards": ("../a.py", "leaves its folder"),
    "upwards in between": ("pack/../../a.py", "leaves its folder"),
    "absolute": ("/etc/passwd", "is absolute"),
    "drive": ("C:/a.py", "is absolute"),
    "drive of Windows": ("C:\\a.py", "is absolute"),
    "backslash": ("pack\\a.py", "has a backslash in it"),
    "backslash upwards": ("..\\a.py", "has a backslash in it"),
    "dot": ("pack/./a.py", "has an empty part or '.' in it"),
    "empty part": ("pack//a.py", "has an empty part or '.' in it"),
    "line break": ("a\n.py", "has characters in it that cannot be printed"),
    "turns the direction of writing": ("a\u202eyp.exe", "has characters in it that cannot be printed"),
    "composed": ("u\u0308.py", "has characters in it that are composed in several ways (not in Unicode's form NFC)"),
    "long part": ("a" * 251, "has a part longer than 250 bytes"),
    "long": ("/".join(["ab"] * 400), "is longer than 1024 bytes"),
}


@pytest.mark.parametrize(("path", "problem"), BAD_PATHS.values(), ids=BAD_PATHS.keys())
@pytest.mark.parametrize("form", FORMS)
def test_bad_paths(form: str, path: str, problem: str) -> None:
    next_step = "Give it another path and upload it again."
    assert refusal(packed({path: b""}, form)) == f"up.zip: path {path!a} {problem}. {next_step}"


def test_a_name_with_an_end_in_the_middle_is_refused() -> None:
    archive = zipped({"a.pyX.txt": b""}).replace(b"a.pyX.txt", b"a.py\0.txt")
    assert "cannot be printed" in refusal(archive)


PARTS = ("..", ".", "", "a", "b.py", "..a", "a..", "...", "~", "C:", "\\", "..\\", "\0", "%2e%2e")


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_read_stays_in_its_folder(seed: int) -> None:
    """Paths made of the pieces that such attacks are made of: each is refused, or means a file below the folder."""
    chosen = random.Random(seed)
    for length, form in product(range(1, 5), ("zip", "tar")):
        path = "/".join(chosen.choice(PARTS) for part in range(length))
        if "\0" in path and form == "tar":
            continue
        try:
            found = list(read(packed({path: b""}, form)))
        except BadOption:
            continue
        for taken in found:
            parts = taken.split("/")
            assert not {"", ".", ".."} & set(parts) and "\\" not in taken and "\0" not in taken


KINDS = {
    "symbolic link": (tarfile.SYMTYPE, 0o120777, "link"),
    "hard link": (tarfile.LNKTYPE, None, "link"),
    "character device": (tarfile.CHRTYPE, 0o020600, "device or the like"),
    "block device": (tarfile.BLKTYPE, 0o060600, "device or the like"),
    "pipe": (tarfile.FIFOTYPE, 0o010600, "device or the like"),
}


@pytest.mark.parametrize(("kind", "mode", "word"), KINDS.values(), ids=KINDS.keys())
def test_only_files_and_folders(kind: bytes, mode: int | None, word: str) -> None:
    said = f"up.zip: 'here' is a {word}. {PLAIN_ONLY}"
    assert refusal(tarred({tar_member("here", kind, "a.py"): b""})) == said
    if mode is not None:
        assert refusal(zipped({"here": b"a.py"}, mode=mode)) == said


TOGETHER = {
    "twice": (["a", "b", "a"], "path 'a' is there twice. Keep one of the two."),
    "file, then folder": (["a", "a/b"], "path 'a' is both a file and a folder. Rename one of the two."),
    "folder, then file": (["a/b/c", "a/b"], "path 'a/b' is both a file and a folder. Rename one of the two."),
}


@pytest.mark.parametrize(("paths", "said"), TOGETHER.values(), ids=TOGETHER.keys())
def test_paths_that_cannot_stand_together(paths: list[str], said: str) -> None:
    assert refusal(tarred({tar_member(path): b"" for path in paths})) == f"up.zip: {said}"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, path in enumerate(paths):
            # Python warns of a name that is there already, so it gets that afterwards.
            archive.writestr(f"{number}" * len(path), b"")
    content = out.getvalue()
    for number, path in enumerate(paths):
        content = content.replace(f"{number}".encode() * len(path), path.encode())
    assert refusal(content) == f"up.zip: {said}"


def sparse() -> bytes:
    member = tar_member("holes")
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "holes"} | {
        "GNU.sparse.size": str(2**40),
        "GNU.sparse.map": "0,1",
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member)
    return out.getvalue()


TOO_MUCH = {
    "entries": (Limits(entries=3), "it has more than 3 entries."),
    "bytes": (Limits(total=30_000), "it becomes larger than 29.3 KiB."),
}


@pytest.mark.parametrize(("limits", "said"), TOO_MUCH.values(), ids=TOO_MUCH.keys())
@pytest.mark.parametrize("form", FORMS)
def test_limits(form: str, limits: Limits, said: str) -> None:
    files = {str(number): random.Random(number).randbytes(10_000) for number in range(4)}
    assert refusal(packed(files, form), limits) == f"up.zip: {said}"


@pytest.mark.parametrize("form", ["zip", "tar.gz", "tar.xz"])
def test_bombs(form: str) -> None:
    said = "it becomes more than 100 times as large when it is unpacked"
    archive = packed({"zeros": bytes(4 * 2**20)}, form)
    assert said in refusal(archive, Limits(ratio=100, ratio_from=2**20))
    assert read(archive) == {"zeros": bytes(4 * 2**20)}


def test_a_bomb_is_not_unpacked_to_the_end() -> None:
    archive = packed({"zeros": bytes(64 * 2**20)}, "tar.xz")
    tracemalloc.start()
    with pytest.raises(BadOption, match="becomes larger"):
        sum(
            len(block)
            for member in members(io.BytesIO(archive), "up", Limits(total=8 * 2**20))
            for block in member.blocks
        )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20


def huge_header() -> bytes:
    """A tar whose header of a name is 64 MiB of zeros, which take nothing when they are compressed."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 64 * 2**20
    return gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(64 * 2**20), 1)


def test_a_huge_header_is_not_read() -> None:
    archive = huge_header()
    tracemalloc.start()
    assert refusal(archive) == "up.zip: a header in it is too large."
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 * 2**20


def test_a_zip_that_announces_too_much_is_not_opened() -> None:
    archive = bytearray(zipped({"a": b""}))
    end = archive.rindex(b"PK\5\6")
    struct.pack_into("<L", archive, end + 12, 2**30)
    assert refusal(bytes(archive)) == "up.zip: its list of files is too large."
    struct.pack_into("<H", archive, end + 10, 2**16 - 1)
    assert refusal(bytes(archive)) == "up.zip: it has more than 20000 entries."


def encrypted() -> bytes:
    archive = bytearray(zipped({"secret.py": b"x"}))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        archive[archive.index(mark) + at] |= 1
    return bytes(archive)


def with_method(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.py", b"x")
    return out.getvalue()


GOOD_TAR = packed({"a": b"1" * 600, "b": b"2"}, "tar")
UNREADABLE = {
    "encrypted": (encrypted(), "'secret.py' is encrypted. Pack it without a password."),
    "other method": (with_method(zipfile.ZIP_BZIP2), "'a.py' is packed with method 12. Pack it with the usual one,"),
    "with holes": (sparse(), "'holes' is stored with holes. Pack it without --sparse."),
    "no archive": (b"print('hello')", "it is no archive that is known here. Use zip, tar, tar.gz and tar.xz."),
    "empty file": (b"", "it is no archive that is known here. Use zip, tar, tar.gz and tar.xz."),
    "zip without its end": (zipped({"a": b"1"})[:-30], f"it cannot be read (its end is missing). {DAMAGED}"),
    "changed zip": (with_method(zipfile.ZIP_STORED).replace(b"a.pyx", b"a.pyy"), "it cannot be read (Bad CRC-32"),
    "tar.gz cut off": (packed({"a": b"1"}, "tar.gz")[:-9], "it cannot be read (Compressed file ended before"),
    "tar.xz cut off": (packed({"a": b"1"}, "tar.xz")[:-9], f"it cannot be read (its end is missing). {DAMAGED}"),
    "changed tar.gz": (packed({"a": b"1"}, "tar.gz")[:-6] + bytes(6), "it cannot be read (CRC check failed"),
    "tar cut off between files": (GOOD_TAR[:1536], f"it cannot be read (empty header). {DAMAGED}"),
    "tar cut off in a file": (GOOD_TAR[:1000], "it cannot be read (unexpected end of data)"),
    "changed header of a tar": (GOOD_TAR.replace(b"b\0", b"c\0", 1), "it cannot be read (bad checksum)"),
}


@pytest.mark.parametrize(("archive", "said"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable(archive: bytes, said: str) -> None:
    assert refusal(archive).startswith(f"up.zip: {said}")


@pytest.mark.parametrize("form", FORMS)
def test_damage_anywhere_is_one_sentence(form: str) -> None:
    """Bytes changed at random: the same files come out, or a sentence; never anything else."""
    chosen = random.Random(form)
    whole = packed({"a.py": chosen.randbytes(300), "pack/b.py": b"text " * 99}, form)
    for _attempt in range(300):
        damaged = bytearray(whole)
        for _change in range(chosen.randrange(1, 4)):
            damaged[chosen.randrange(len(damaged))] = chosen.randrange(256)
        try:
            read(bytes(damaged[: chosen.randrange(len(damaged) // 2, len(damaged) + 1)]))
        except BadOption:
            continue


def test_names_of_archives() -> None:
    names = ("a.zip", "A.ZIP", "a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.txz")
    assert all(map(is_archive, names)) and not any(map(is_archive, ("a.py", "a.gz", "a.whl", "zip")))
