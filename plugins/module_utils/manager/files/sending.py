# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send what the other end lacks, block by block. A lost connection goes on where that end has it.

Where TLS is spoken, an answer that comes before all has been sent is lost with the connection, and with it the reason.
So after a loss a small piece is sent first: its answer arrives. Pieces then grow again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ...errors import NotReady
from . import disk
from .sources import LARGE, Source

# Between tries without progress, in seconds. A console that starts anew takes some of them.
PAUSES = (1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 15.0, 15.0, 15.0, 15.0, 15.0)
GROWTH = 8

Result = TypeVar("Result")

# Tests note the seconds instead.
pause = time.sleep


class Lost(NotReady):
    """The connection ended without an answer, or nothing answered: it is worth another try."""


class Receiver(Protocol):
    """Where objects go. Each of the methods may raise Lost."""

    def missing(self, sha256s: Collection[str]) -> Sequence[str]: ...

    def offset(self, sha256: str) -> int: ...

    def write(self, sha256: str, size: int, offset: int, blocks: Iterable[bytes], length: int) -> int: ...


class Meter:
    """Says how far it is, a line for each tenth of what takes a while."""

    def __init__(self, total: int, say: Callable[[str], None]) -> None:
        self.say = say
        self._total = total
        self._before = 0
        self._told = 0

    def counted(self, blocks: Iterable[bytes], begin: int) -> Iterator[bytes]:
        for block in blocks:
            yield block
            begin += len(block)
            self._show(self._before + begin)

    def finished(self, size: int) -> None:
        self._before += size

    def _show(self, sent: int) -> None:
        tenths = sent * 10 // max(1, self._total)
        if self._total >= LARGE and tenths > self._told:
            self._told = tenths
            self.say(f"sent {tenths * 10} % of {disk.in_words(self._total)}")


def send(store: Receiver, sources: Iterable[Source], say: Callable[[str], None]) -> int:
    """How many bytes the other end lacked; it has all of them now.

    :raises NotReady: when the connection was lost again and again.
    """
    wanted = {source.sha256: source for source in sources}
    missing = [wanted[sha256] for sha256 in store.missing(wanted)]
    meter = Meter(sum(source.size for source in missing), say)
    for source in missing:
        deliver(store, source, meter)
        meter.finished(source.size)
    return sum(source.size for source in missing)


def deliver(store: Receiver, source: Source, meter: Meter) -> None:
    """One file, until its last piece is answered: only then its checksum was found right."""
    delivery = Delivery(store, source, meter)
    piece, furthest, losses = source.size, 0, 0
    while loss := delivery.attempt(piece):
        if delivery.at > furthest:
            furthest, losses = delivery.at, 0
        if losses == len(PAUSES):
            raise gave_up(source, furthest, loss) from loss
        meter.say(f"connection lost while {source.path} was sent, trying again")
        pause(PAUSES[losses])
        piece, losses = disk.BLOCK, losses + 1


@dataclass
class Delivery:
    """A file on its way; ``at`` is how much of it is known to be there."""

    store: Receiver
    source: Source
    meter: Meter
    at: int = 0

    def attempt(self, piece: int) -> Lost | None:
        """Send the rest, in pieces of this size and larger ones; what went wrong, if it is worth another try."""
        size, sha256 = self.source.size, self.source.sha256
        try:
            self.at = self.store.offset(sha256)
            if self.at:
                self.meter.say(f"{self.source.path}: going on at {disk.in_words(self.at)}")
            # A piece of nothing, too: it completes what has come already.
            while True:
                end = min(self.at + piece, size)
                blocks = self.meter.counted(self.source.blocks(self.at, end), self.at)
                self.at = self.store.write(sha256, size, self.at, blocks, end - self.at)
                if self.at >= size:
                    return None
                piece *= GROWTH
        except Lost as loss:
            return loss


def patiently(attempt: Callable[[], Result]) -> Result:
    """For what may be asked once more."""
    for seconds in PAUSES:
        with suppress(Lost):
            return attempt()
        pause(seconds)
    return attempt()


def gave_up(source: Source, furthest: int, loss: Lost) -> NotReady:
    there, whole = disk.in_words(furthest), disk.in_words(source.size)
    return NotReady(
        f"the connection was lost {len(PAUSES) + 1} times in a row, with {there} of {whole} there: {loss.what}",
        where=source.path,
        next_step="Run this again: it goes on from there",
    )
