# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared Files as pods see them: one live folder for each service, changed file by file while they look at it.

The folder itself stays, since it is what pods have mounted. Each file in it is the old or the new one, never half of
one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ...common import validation as check
from . import disk
from .layout import Layout
from .overlay import Placed

# What was put at a path: the checksum, and whether it may be executed.
State = dict[str, list[str | bool]]


class Views:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def services(self) -> list[str]:
        """Those that have a folder, whoever made it."""
        found = self._layout.shared.iterdir()
        return sorted(path.name for path in found if path.is_dir() and check.NAME.fullmatch(path.name))

    def is_filled(self, service: str) -> bool:
        return self._layout.record_of_view(service).is_file()

    def refresh(self, service: str, files: dict[str, Placed]) -> None:
        """Make the folder what it shall be. Whatever is right already is not touched."""
        folder = self._layout.view(service)
        disk.make_folder(folder)
        wanted: State = {path: [placed.entry.sha256, placed.entry.executable] for path, placed in files.items()}
        before = self._state(service)
        right = {path: put for path, put in wanted.items() if before.get(path) == put and (folder / path).is_file()}
        gone = paths_in(folder) - set(wanted)
        if self.is_filled(service) and wanted == before == right and not gone:
            return
        # Until all is done only these are certain: a killed process must not be believed.
        self._remember(service, right)
        first = in_the_way(gone, wanted)
        for path in first:
            remove(folder, path)
        for path in wanted:
            if path not in right:
                self._put(folder / path, files[path])
        for path in gone - first:
            remove(folder, path)
        self._remember(service, wanted)

    def remove(self, service: str) -> None:
        """What is known of the folder goes first: a folder that nobody knows is filled anew, whatever is in it."""
        self._layout.record_of_view(service).unlink(missing_ok=True)
        if self._layout.view(service).is_dir():
            disk.remove_tree(self._layout.view(service), self._layout.temporary())

    def _put(self, target: Path, placed: Placed) -> None:
        disk.make_folder(target.parent)
        if target.is_dir():
            target.rmdir()
        temporary = self._layout.temporary()
        try:
            disk.place(self._layout.object(placed.entry.sha256), temporary, executable=placed.entry.executable)
            disk.rename(temporary, target)
        finally:
            # Renaming one link of a file to another one of it does nothing.
            temporary.unlink(missing_ok=True)

    def _state(self, service: str) -> State:
        path = self._layout.record_of_view(service)
        state: State = json.loads(path.read_text()) if path.is_file() else {}
        return state

    def _remember(self, service: str, state: State) -> None:
        disk.write_text(self._layout.record_of_view(service), json.dumps(state), self._layout.temporary())


def paths_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def above(path: str) -> list[str]:
    return [str(folder) for folder in PurePosixPath(path).parents]


def in_the_way(gone: Iterable[str], wanted: State) -> set[str]:
    """Files where there has to be a folder, or below a path where there has to be a file."""
    folders = {folder for path in wanted for folder in above(path)}
    return {path for path in gone if path in folders or not wanted.keys().isdisjoint(above(path))}


def remove(folder: Path, path: str) -> None:
    """A file, and the folders that are empty without it."""
    gone = folder / path
    gone.unlink(missing_ok=True)
    for parent in gone.parents:
        if parent == folder or not parent.is_dir() or any(parent.iterdir()):
            break
        parent.rmdir()
