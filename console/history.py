# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last hour as the collector saw it, kept in memory: so little that it is lost with the console and found again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

KEPT = timedelta(hours=1)
# More of them would be seen by nobody in a small picture.
EVERY = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """``running`` and ``queued`` are tasks of all services that told; None when none did."""

    at: datetime
    running: int | None
    queued: int | None
    healthy: int


@dataclass(frozen=True)
class Chart:
    """``line`` holds the points of an SVG that is WIDTH by HEIGHT, ``most`` the value that is its upper end."""

    WIDTH: ClassVar[int] = 240
    HEIGHT: ClassVar[int] = 48

    key: str
    now: int | None
    most: int
    line: str

    @property
    def area(self) -> str:
        """The same, closed at the bottom."""
        if not self.line:
            return ""
        first, last = (point.partition(",")[0] for point in (self.line.split()[0], self.line.split()[-1]))
        return f"{first},{self.HEIGHT} {self.line} {last},{self.HEIGHT}"


def remembered(known: Sequence[Moment], new: Moment) -> tuple[Moment, ...]:
    """The newest is always there, as the page shows it elsewhere; it gives way to the next one that comes too soon."""
    kept = tuple(moment for moment in known if new.at - moment.at <= KEPT)
    if len(kept) > 1 and kept[-1].at - kept[-2].at < EVERY:
        kept = kept[:-1]
    return (*kept, new)


def chart(key: str, moments: Sequence[Moment], value: Callable[[Moment], int | None], now: datetime) -> Chart:
    """:param now: the right end. Moments without a value have no point."""
    points = [(moment.at, found) for moment in moments if (found := value(moment)) is not None]
    most = max((found for _at, found in points), default=0)

    def point(at: datetime, found: int) -> str:
        across = Chart.WIDTH * (1 - (now - at) / KEPT)
        # A line at the very edge would be cut in half.
        up = (Chart.HEIGHT - 4) * found / max(most, 1)
        return f"{max(0.0, across):.1f},{Chart.HEIGHT - 2 - up:.1f}"

    line = " ".join(point(at, found) for at, found in points)
    return Chart(key, value(moments[-1]) if moments else None, most, line)
