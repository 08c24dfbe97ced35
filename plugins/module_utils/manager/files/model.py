# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upload is made of, and what it may be called.

An *upload* has a kind, a scope (one service, or "" for all services of the Manager) and a name, and it is a tree of
files. Each time it is uploaded with other content it gets a *version*, numbered from 1; at most one of them is active.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ...common import validation as check
from ...errors import BadOption

PLUGIN, SHARED, LIBRARY = "plugin", "shared", "library"
KINDS = (PLUGIN, SHARED, LIBRARY)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SHA256 = re.compile(r"[0-9a-f]{64}")
# Bytes; what file systems take, with room for the folders that a path is put under.
PATH_MAX, PART_MAX = 1024, 250
# Left behind by tools, wanted by nobody: never part of an upload.
LITTER = frozenset({"__pycache__", "__MACOSX", ".DS_Store", ".git", ".svn", ".mypy_cache", ".pytest_cache"})
LITTER_SUFFIXES = (".pyc", ".pyo")


@dataclass(frozen=True)
class Entry:
    """One file of an upload; its content is the object with this checksum."""

    path: str
    sha256: str
    size: int
    executable: bool = False


@dataclass(frozen=True)
class Archive:
    """An object that is to be unpacked, and the name that its owner knows it by."""

    sha256: str
    name: str


CALLED = re.compile(rf"(?P<kind>{'|'.join(KINDS)}) '(?P<name>{NAME.pattern})' of (all services|service (?P<scope>\S+))")


@dataclass(frozen=True)
class Key:
    """Which upload; ``scope`` is the name of a service, or empty for all of them."""

    kind: str
    scope: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}' of {f'service {self.scope}' if self.scope else 'all services'}"

    @classmethod
    def called(cls, text: str) -> Key | None:
        """The one that is told of like that; None for what is no upload."""
        found = CALLED.fullmatch(text)
        return cls(found["kind"], found["scope"] or "", found["name"]) if found else None


@dataclass(frozen=True)
class Version:
    """What an upload was at one time. ``source`` is the checksum of the archive that it was unpacked from, if any."""

    kind: str
    scope: str
    name: str
    version: int
    digest: str
    size: int
    by: str
    when: str
    entries: tuple[Entry, ...]
    source: str = ""

    @property
    def key(self) -> Key:
        return Key(self.kind, self.scope, self.name)

    def as_dict(self) -> dict[str, Any]:
        """As it is kept and sent, where the scope is called what people call it: the service."""
        plain = {name: value for name, value in vars(self).items() if name != "scope"}
        return {**plain, "service": self.scope, "entries": [vars(entry) for entry in self.entries]}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Version:
        plain = {name: value for name, value in raw.items() if name != "service"}
        entries = tuple(Entry(**entry) for entry in raw["entries"])
        return cls(**{**plain, "scope": raw["service"], "entries": entries})


def digest(entries: Iterable[Entry]) -> str:
    """One checksum for a tree: equal trees have equal ones, wherever it is computed."""
    total = hashlib.sha256()
    for entry in sorted(entries, key=lambda entry: entry.path):
        total.update(f"{entry.path}\0{entry.sha256}\0{'x' if entry.executable else '-'}\n".encode())
    return total.hexdigest()


def is_litter(path: str) -> bool:
    return path.endswith(LITTER_SUFFIXES) or not LITTER.isdisjoint(path.split("/"))


def checked_key(kind: str, scope: str, name: str) -> Key:
    if kind not in KINDS:
        raise BadOption(f"there is no kind '{kind}'", where="kind", next_step=f"Use {', '.join(KINDS)}")
    if scope:
        check.name(scope, "service")
    if not NAME.fullmatch(name):
        raise BadOption(
            f"{name!a} is not a valid name of an upload",
            where="name",
            next_step="Use 1 to 100 letters, digits, '.', '_' and '-', starting with a letter or digit",
        )
    return Key(kind, scope, name)


def checked_sha256(value: str, at: str) -> str:
    if not SHA256.fullmatch(value):
        raise BadOption("it is not a SHA-256 checksum", where=at, next_step="Use 64 hexadecimal digits in lower case")
    return value


def checked_path(path: str, at: str) -> str:
    """A path that stays below its folder and means the same on every file system.

    :param at: whose path it is, for the message.
    """
    if problem := problem_of(path):
        raise BadOption(f"path {path!a} {problem}", where=at, next_step="Give it another path and upload it again")
    return path


def problem_of(path: str) -> str:
    """Why a path is not taken; empty when it is."""
    parts = path.split("/")
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return "is not written in UTF-8"
    problems = {
        "is empty": not path,
        "is absolute": path.startswith("/") or re.match(r"[A-Za-z]:[\\/]", path) is not None,
        "leaves its folder": ".." in parts,
        "has an empty part or '.' in it": "" in parts or "." in parts,
        "has a backslash in it": "\\" in path,
        "has characters in it that cannot be printed": not path.isprintable(),
        "has characters in it that are composed in several ways (not in Unicode's form NFC)": not is_normal(path),
        f"is longer than {PATH_MAX} bytes": len(path.encode()) > PATH_MAX,
        f"has a part longer than {PART_MAX} bytes": max(sizes) > PART_MAX,
    }
    return next((problem for problem, found in problems.items() if found), "")


def is_normal(path: str) -> bool:
    return unicodedata.is_normalized("NFC", path)


class Tree:
    """Paths that can stand beside each other: none twice, and none a file and a folder at once."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.folders: set[str] = set()

    def add(self, path: str, at: str) -> None:
        above = [str(folder) for folder in PurePosixPath(path).parents][:-1]
        if path in self.files:
            raise BadOption(f"path '{path}' is there twice", where=at, next_step="Keep one of the two")
        if both := next((folder for folder in above if folder in self.files), path if path in self.folders else ""):
            raise BadOption(f"path '{both}' is both a file and a folder", where=at, next_step="Rename one of the two")
        self.files.add(path)
        self.folders.update(above)
