# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Until when a run waits for what it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LEAST = 1.0


class Deadline:
    """So many seconds from now, not counting what has a limit of its own."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds; never less than one, so that what is ready already is seen to be."""
        return max(self._end - self._clock(), LEAST)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Time in here does not count."""
        began = self._clock()
        yield
        self._end += self._clock() - began
