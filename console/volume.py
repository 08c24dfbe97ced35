# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of uploaded files on the volume that the console has mounted."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.scp.dataops.plugins.module_utils.manager.files.store import Store
from fastapi import Request


@dataclass(frozen=True)
class Room:
    """Bytes of the volume that files have, and that they can still have: some file systems keep more for themselves."""

    used: int
    free: int

    @property
    def total(self) -> int:
        return self.used + self.free

    @property
    def percent(self) -> int:
        """How full it is, as ``df`` says it."""
        return round(100 * self.used / (self.total or 1))


class Volume:
    """Opened when somebody first asks for it: a volume that hangs must not keep the console from starting."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._store: Store | None = None

    def store(self) -> Store:
        with self._lock:
            if self._store is None:
                self._store = Store(self._root)
            return self._store

    def room(self) -> Room:
        """One question to the file system, however many files there are."""
        found = shutil.disk_usage(self._root)
        return Room(found.used, found.free)


def store(request: Request) -> Store:
    volume: Volume = request.app.state.volume
    return volume.store()


def room(request: Request) -> Room:
    volume: Volume = request.app.state.volume
    return volume.room()
