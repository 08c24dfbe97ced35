# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""So many tries and no more: who guesses passwords is slowed down, by address and by account."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

# More than these are forgotten, the oldest first, so that memory is bounded.
MOST_KEYS = 10_000


class Throttle:
    """At most `limit` failures of a key within `seconds`."""

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._failures: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Seconds until the key may try again; 0 when it may now."""
        with self._lock:
            recent = self._recent(key)
            return recent[-self._limit] + self._seconds - self._clock() if len(recent) >= self._limit else 0

    def failed(self, key: str) -> None:
        with self._lock:
            self._failures[key] = [*self._recent(key), self._clock()]
            self._failures.move_to_end(key)
            while len(self._failures) > MOST_KEYS:
                self._failures.popitem(last=False)

    def _recent(self, key: str) -> list[float]:
        since = self._clock() - self._seconds
        return [moment for moment in self._failures.get(key, ()) if moment > since][-self._limit :]
