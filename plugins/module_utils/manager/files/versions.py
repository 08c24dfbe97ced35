# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which uploads there are, what each of them was, and which version of it is active."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import BadOption
from . import disk
from .layout import EVERY_SERVICE, Layout
from .model import KINDS, Key, Version

ACTIVE = "active"
# Of each upload; the active one is kept however old it is.
KEPT_VERSIONS = 10


@dataclass(frozen=True)
class Activation:
    """Which version is used, none after a deletion, and who decided that when."""

    version: int | None
    by: str
    when: str


@dataclass(frozen=True)
class Upload:
    """One upload as a list shows it: the version that is used (none: deleted, or never used) and the newest one."""

    key: Key
    active: Version | None
    newest: Version
    decided: Activation | None


class Versions:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def every(self) -> Iterator[Key]:
        """Every upload that has a version, in a fixed order."""
        for kind in KINDS:
            for folder in sorted((self._layout.uploads / kind).glob("*/*")):
                scope = folder.parent.name
                if any(numbers(folder)):
                    yield Key(kind, "" if scope == EVERY_SERVICE else scope, folder.name)

    def numbers(self, key: Key) -> list[int]:
        """Oldest first."""
        return numbers(self._layout.upload(key))

    def read(self, key: Key, number: int) -> Version:
        known = self.numbers(key)
        if number not in known:
            raise BadOption(
                f"{key} has no version {number}",
                where="version",
                next_step=f"Use one of {', '.join(map(str, known))}" if known else "Upload it first",
            )
        return Version.from_dict(json.loads(self._file(key, number).read_text()))

    def newest(self, key: Key) -> Version | None:
        known = self.numbers(key)
        return self.read(key, known[-1]) if known else None

    def write(self, version: Version) -> None:
        text = json.dumps(version.as_dict(), ensure_ascii=False)
        disk.write_text(self._file(version.key, version.version), text, self._layout.temporary())

    def remove_old(self, key: Key) -> list[int]:
        """Versions beyond those that are kept; their numbers."""
        decided = self.decided(key)
        old = [number for number in self.numbers(key)[:-KEPT_VERSIONS] if not decided or number != decided.version]
        for number in old:
            self._file(key, number).unlink()
        return old

    def forget(self, service: str) -> None:
        """Every version of what is for this service alone, and which of them was active."""
        for kind in KINDS:
            folder = self._layout.uploads / kind / service
            if folder.is_dir():
                disk.remove_tree(folder, self._layout.temporary())

    def decided(self, key: Key) -> Activation | None:
        path = self._layout.upload(key) / ACTIVE
        return Activation(**json.loads(path.read_text())) if path.is_file() else None

    def active(self, key: Key) -> Version | None:
        decided = self.decided(key)
        return None if decided is None or decided.version is None else self.read(key, decided.version)

    def decide(self, key: Key, activation: Activation) -> None:
        text = json.dumps(vars(activation), ensure_ascii=False)
        disk.write_text(self._layout.upload(key) / ACTIVE, text, self._layout.temporary())

    def upload(self, key: Key) -> Upload | None:
        newest = self.newest(key)
        return None if newest is None else Upload(key, self.active(key), newest, self.decided(key))

    def _file(self, key: Key, number: int) -> Path:
        return self._layout.upload(key) / f"{number}.json"


def numbers(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.json"))


def describe(upload: Upload) -> dict[str, Any]:
    """For a list: without the files, of which there may be thousands."""
    shown = upload.active or upload.newest
    return {
        "kind": upload.key.kind,
        "service": upload.key.scope,
        "name": upload.key.name,
        "active": upload.active.version if upload.active else None,
        "newest": upload.newest.version,
        "digest": shown.digest,
        "source": shown.source,
        "size": shown.size,
        "files": len(shown.entries),
        "by": shown.by,
        "when": shown.when,
        "decided_by": upload.decided.by if upload.decided else "",
        "decided_when": upload.decided.when if upload.decided else "",
    }
