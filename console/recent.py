# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was looked at a moment ago is not looked at again: many browsers are no more work for the cluster than one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Found = TypeVar("Found")


@dataclass
class Entry:
    """``at`` is None until it was looked for the first time."""

    at: float | None = None
    found: Any = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Recent:
    """What looks found, by what they looked for, for so many seconds."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _entries: dict[Hashable, Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, look: Callable[[], Found]) -> Found:
        """Who comes while somebody looks waits for what is found. An error is nobody's but that look's."""
        with self._lock:
            self._entries = {known: each for known, each in self._entries.items() if not self._is_old(each)}
            entry = self._entries.setdefault(key, Entry())
        with entry.lock:
            if entry.at is None or self._is_old(entry):
                entry.found = look()
                entry.at = self.clock()
            found: Found = entry.found
            return found

    def _is_old(self, entry: Entry) -> bool:
        return entry.at is not None and self.clock() - entry.at >= self.seconds
