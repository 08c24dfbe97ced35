# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wheels before pip sees them: whole, unchanged since they were built, and made for where they are to be installed."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import platform
import re
import sys
import zipfile
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from itertools import product
from typing import BinaryIO

from ...errors import BadOption
from . import archives

FILE_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[A-Za-z0-9_.!+]+)(?:-(?P<build>\d[A-Za-z0-9_.]*))?"
    r"-(?P<pythons>[A-Za-z0-9_.]+)-(?P<abis>[A-Za-z0-9_.]+)-(?P<platforms>[A-Za-z0-9_.]+)\.whl"
)
# Its own list of files, and signatures of that, cannot be in it.
UNLISTED = ("RECORD", "RECORD.jws", "RECORD.p7s")
STRONG = frozenset({"sha256", "sha384", "sha512"})
DESCRIPTION_MAX = 16 * 2**20
# Names of platforms from before they had the version of the C library in them.
OLD_PLATFORMS = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
MANYLINUX = re.compile(r"(manylinux(?:1|2010|2014|_\d+_\d+))_(\w+)")


@dataclass(frozen=True)
class Target:
    """What a wheel is to be installed on: Python, C library and processor."""

    python: tuple[int, int, int]
    libc: tuple[int, int]
    machine: str

    @classmethod
    def here(cls) -> Target:
        """The console runs on Airflow's image, so it is what a service has."""
        numbers = [int(part) for part in re.findall(r"\d+", platform.libc_ver()[1])]
        major, minor = (*numbers, 0, 0)[:2]
        return cls(sys.version_info[:3], (major, minor), os.uname().machine)

    def __str__(self) -> str:
        major, minor, _micro = self.python
        return (
            f"Python {major}.{minor} on {self.machine}: py3-none-any, or cp{major}{minor} or abi3 for manylinux up to "
            f"{self.libc[0]}_{self.libc[1]}"
        )


@dataclass(frozen=True)
class Wheel:
    """What the name of a wheel says."""

    file: str
    name: str
    version: str
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]

    @classmethod
    def parse(cls, file: str) -> Wheel:
        found = FILE_NAME.fullmatch(file)
        if found is None:
            raise BadOption(
                "it is not named as wheels are",
                where=file,
                next_step="Keep the name it was built with: NAME-VERSION-PYTHON-ABI-PLATFORM.whl",
            )
        tags = (tuple(found[part].split(".")) for part in ("pythons", "abis", "platforms"))
        return cls(file, normal(found["name"]), found["version"].replace("_", "-"), *tags)

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


def normal(name: str) -> str:
    """The form in which names of packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def fits(wheel: Wheel, target: Target) -> bool:
    return any(
        fits_platform(machine, target) and fits_python(python, abi, target)
        for python, abi, machine in product(wheel.pythons, wheel.abis, wheel.platforms)
    )


def fits_python(python: str, abi: str, target: Target) -> bool:
    major, minor, _micro = target.python
    found = re.fullmatch(rf"(py|cp){major}(\d*)", python)
    if found is None:
        return False
    made_for = int(found[2] or 0)
    if abi == "none":
        return made_for <= minor if found[1] == "py" else made_for in (0, minor)
    if found[1] != "cp":
        return False
    return made_for <= minor if abi == f"abi{major}" else (made_for, abi) == (minor, f"cp{major}{minor}")


def fits_platform(made_for: str, target: Target) -> bool:
    if made_for in ("any", f"linux_{target.machine}"):
        return True
    found = MANYLINUX.fullmatch(made_for)
    if found is None or found[2] != target.machine:
        return False
    needed = OLD_PLATFORMS.get(found[1]) or tuple(int(part) for part in re.findall(r"\d+", found[1]))
    return needed <= target.libc


def check_set(files: tuple[str, ...], target: Target) -> None:
    """Of each package one wheel has to fit; others beside it may be for services whose image has another Python."""
    wheels = [Wheel.parse(file) for file in files]
    fitting = {wheel.name for wheel in wheels if fits(wheel, target)}
    for wheel in wheels:
        if wheel.name not in fitting:
            made_for = f"{'.'.join(wheel.pythons)}-{'.'.join(wheel.abis)}-{'.'.join(wheel.platforms)}"
            raise BadOption(f"it is made for {made_for}", where=wheel.file, next_step=f"Use one for {target}")


def check_content(file: BinaryIO, wheel: Wheel, target: Target) -> None:
    """Whether it is what its name and its own list of files say."""
    with archives.readable(wheel.file):
        # Refuses what no archive may have in it, before anything is read by its name.
        listed = {member.path for member in archives.members(file, wheel.file)}
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            info = info_folder(listed, wheel)
            check_metadata(small(archive, f"{info}/METADATA", wheel), wheel, target)
            small(archive, f"{info}/WHEEL", wheel)
            recorded = list(csv.reader(io.StringIO(small(archive, f"{info}/RECORD", wheel).decode())))
        file.seek(0)
        check_record(file, recorded, info, wheel)


def info_folder(listed: set[str], wheel: Wheel) -> str:
    folders = {path.split("/")[0] for path in listed if path.split("/")[0].endswith(".dist-info")}
    if len(folders) != 1:
        raise BadOption(f"there are {len(folders)} folders .dist-info in it", where=wheel.file, next_step=BUILD_ANEW)
    return folders.pop()


BUILD_ANEW = "Build it anew, or get it from where it was published"


def small(archive: zipfile.ZipFile, path: str, wheel: Wheel) -> bytes:
    try:
        with archive.open(path) as content:
            text = content.read(DESCRIPTION_MAX + 1)
    except KeyError as error:
        raise BadOption(f"'{path}' is missing in it", where=wheel.file, next_step=BUILD_ANEW) from error
    if len(text) > DESCRIPTION_MAX:
        raise BadOption(f"'{path}' is too large", where=wheel.file)
    return text


def check_metadata(text: bytes, wheel: Wheel, target: Target) -> None:
    headers = BytesHeaderParser().parsebytes(text)
    name = str(headers.get("Name", "")).strip()
    if normal(name) != wheel.name:
        raise BadOption(f"it is '{name}' inside", where=wheel.file, next_step="Keep the name it was built with")
    wanted = str(headers.get("Requires-Python", ""))
    if not allows(wanted, target.python):
        raise BadOption(f"it requires Python {wanted}", where=wheel.file, next_step=f"Use one for {target}")


def allows(wanted: str, python: tuple[int, ...]) -> bool:
    """Whether a Requires-Python takes this Python. What is not understood is left to pip."""
    return all(allows_one(clause.strip(), python) for clause in wanted.split(","))


def allows_one(clause: str, python: tuple[int, ...]) -> bool:
    found = re.fullmatch(r"(>=|<=|==|!=|~=|>|<)\s*(\d+(?:\.\d+)*)(\.\*)?", clause)
    if found is None:
        return True
    sign, version = found[1], tuple(int(part) for part in found[2].split("."))
    begins = python[: len(version)] == version
    padded = (*version, 0, 0)[: max(3, len(version))]
    return {
        ">=": python >= padded,
        "<": python < padded,
        "<=": python <= padded,
        ">": python > padded,
        "==": begins if found[3] else python == padded,
        "!=": not (begins if found[3] else python == padded),
        "~=": python >= padded and python[: len(version) - 1] == version[:-1],
    }[sign]


def check_record(file: BinaryIO, recorded: list[list[str]], info: str, wheel: Wheel) -> None:
    wanted = {row[0]: row[1] for row in recorded if len(row) == 3}
    unlisted = {f"{info}/{name}" for name in UNLISTED}
    for member in archives.members(file, wheel.file):
        if member.path in unlisted:
            continue
        method, signed, given = wanted.pop(member.path, "").partition("=")
        if not signed or method not in STRONG:
            raise BadOption(f"'{member.path}' has no checksum in its RECORD", where=wheel.file, next_step=BUILD_ANEW)
        content = hashlib.new(method)
        for block in member.blocks:
            content.update(block)
        if base64.urlsafe_b64encode(content.digest()).rstrip(b"=").decode() != given.rstrip("="):
            raise BadOption(f"'{member.path}' was changed after it was built", where=wheel.file, next_step=BUILD_ANEW)
    if gone := sorted(set(wanted) - unlisted):
        raise BadOption(f"'{gone[0]}' of its RECORD is missing", where=wheel.file, next_step=BUILD_ANEW)
