# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service gets when several uploads are put over each other: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from ...errors import Refused
from .model import Entry, Key, Version


@dataclass(frozen=True)
class Placed:
    """A file, and the upload that brings it."""

    entry: Entry
    key: Key


def overlay(versions: Iterable[Version]) -> dict[str, Placed]:
    """Files by path: those for all services, and over them those of the service.

    :raises Refused: two uploads of the same scope bring the same path, or one a file where another one has a folder.
    """
    result: dict[str, Placed] = {}
    for version in sorted(versions, key=lambda version: (version.scope, version.name)):
        for entry in version.entries:
            before = result.get(entry.path)
            if before is not None and before.key.scope == version.scope:
                raise collision(entry.path, before.key, version.key)
            result[entry.path] = Placed(entry, version.key)
    ensure_no_file_is_a_folder(result)
    return dict(sorted(result.items()))


def ensure_no_file_is_a_folder(files: dict[str, Placed]) -> None:
    for path, placed in files.items():
        for folder in map(str, PurePosixPath(path).parents):
            if folder in files:
                raise collision(folder, files[folder].key, placed.key)


def collision(path: str, one: Key, other: Key) -> Refused:
    return Refused(
        f"{one} and {other} both bring '{path}'",
        where=other.name,
        next_step="Rename it in one of them, or delete one of them",
    )
