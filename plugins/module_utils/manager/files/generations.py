# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that pods mount and that never change: one for each set of plugins, one for each set of requirements.

A folder is named by what is in it and appears with its name only when it is complete.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from . import checks, disk, requirements
from .layout import Layout
from .model import Entry, Version, digest
from .objects import Objects
from .overlay import overlay
from .wheels import Wheel

REQUIREMENTS = "requirements.txt"
WHEELS = "wheels"


class Generations:
    def __init__(self, layout: Layout, objects: Objects) -> None:
        self._layout = layout
        self._objects = objects

    def plugins(self, versions: Iterable[Version]) -> str:
        """The name of the folder for these; empty when there is nothing in it."""
        files = overlay(versions)
        return self._make(self._layout.plugins, [placed.entry for placed in files.values()])

    def requirements(self, versions: Iterable[Version]) -> str:
        """The same for libraries: one text, and beside it the wheels that pip may take."""
        libraries = sorted(versions, key=lambda version: (version.scope, version.name))
        texts = [self._asked(version) for version in libraries]
        if not texts:
            return ""
        sha256, size = self._objects.put([("\n".join(texts)).encode()])
        wheels = [
            Entry(f"{WHEELS}/{path}", placed.entry.sha256, placed.entry.size)
            for path, placed in overlay(only_wheels(libraries)).items()
        ]
        return self._make(self._layout.requirements, [Entry(REQUIREMENTS, sha256, size), *wheels])

    def _asked(self, version: Version) -> str:
        """What one upload asks for: its text; where there is none, each of its wheels."""
        texts = [entry for entry in version.entries if not checks.is_wheel(entry)]
        lines: list[str] = []
        for entry in texts:
            with self._objects.open(entry.sha256) as file:
                lines += requirements.lines(requirements.decoded(file.read(), entry.path), entry.path)
        if not texts:
            lines = sorted({Wheel.parse(entry.path).requirement for entry in version.entries})
        return "".join(f"{line}\n" for line in (f"# {version.key}", *lines))

    def _make(self, parent: Path, entries: list[Entry]) -> str:
        if not entries:
            return ""
        name = digest(entries)
        folder = parent / name
        if not folder.is_dir():
            self._build(folder, entries)
        # Wanted now, so not to be swept away before it is used.
        os.utime(folder)
        return name

    def _build(self, folder: Path, entries: list[Entry]) -> None:
        temporary = self._layout.temporary()
        try:
            for entry in entries:
                target = temporary / entry.path
                disk.make_folder(target.parent)
                disk.place(self._layout.object(entry.sha256), target, executable=entry.executable)
            for folder_of_files in {(temporary / entry.path).parent for entry in entries}:
                disk.sync_folder(folder_of_files)
            disk.rename(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def only_wheels(versions: Iterable[Version]) -> Iterator[Version]:
    """Without the texts. Uploads may bring the same wheel: what several libraries need is often the same."""
    seen: set[tuple[str, str]] = set()
    for version in versions:
        fresh = tuple(e for e in version.entries if checks.is_wheel(e) and (e.path, e.sha256) not in seen)
        seen.update((entry.path, entry.sha256) for entry in fresh)
        yield replace(version, entries=fresh)


def unused(parent: Path, in_use: frozenset[str], age: float) -> list[Path]:
    """Folders that nobody uses, and has not for this many seconds. Those in use are marked as used now."""
    found = []
    for folder in sorted(parent.iterdir()):
        if folder.name in in_use:
            os.utime(folder)
        elif time.time() - folder.stat().st_mtime > age:
            found.append(folder)
    return found
