# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on their way to a place that loses connections: what is sent how often, what is said, and when it is enough."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotReady, Refused
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import disk, sending, sources
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.sending import PAUSES, Lost, send

BLOCK = disk.BLOCK
LOST = Lost("the connection is refused", where="here")


@dataclass
class Far:
    """Keeps what arrives. ``cuts`` are the bytes after which the connection of each write ends, in order."""

    cuts: list[int | None] = field(default_factory=list)
    there: dict[str, bytes] = field(default_factory=dict)
    # Of each write: where it began, and how much was announced.
    writes: list[tuple[int, int]] = field(default_factory=list)
    # How many questions for an offset stay without an answer.
    silent: int = 0
    full: int | None = None

    def missing(self, sha256s: Collection[str]) -> list[str]:
        return [sha256 for sha256 in sha256s if sha256 not in self.there]

    def offset(self, sha256: str) -> int:
        if self.silent:
            self.silent -= 1
            raise LOST
        return len(self.there.get(sha256, b""))

    def write(self, sha256: str, size: int, offset: int, blocks: Iterable[bytes], length: int) -> int:
        self.writes.append((offset, length))
        before = self.there.get(sha256, b"")
        assert offset == len(before)
        if self.full is not None and offset + length > self.full:
            raise Refused("it is full", where="volume for files") if length <= BLOCK else LOST
        cut = self.cuts.pop(0) if self.cuts else None
        sent = b"".join(blocks)
        assert len(sent) == length
        self.there[sha256] = before + sent[:cut]
        if cut is not None:
            raise LOST
        return len(self.there[sha256])


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    noted: list[float] = []
    monkeypatch.setattr(sending, "pause", noted.append)
    return noted


def text_of(size: int) -> str:
    return "0123456789" * (size // 10) + "x" * (size % 10)


def delivered(far: Far, *sizes: int) -> list[str]:
    """What is said while files of these sizes are sent; they have all arrived then."""
    files = [sources.of_text(text_of(size), f"{size}.txt").files[0] for size in sizes]
    lines: list[str] = []
    send(far, files, lines.append)
    assert {file.sha256: file.text for file in files}.items() <= far.there.items()
    return lines


TRIES: dict[str, tuple[Far, int, list[tuple[int, int]], int]] = {
    "at once": (Far(), 5 * BLOCK, [(0, 5 * BLOCK)], 0),
    "nothing to send is sent, too": (Far(), 0, [(0, 0)], 0),
    "goes on with a block, then with more": (
        Far(cuts=[2 * BLOCK]),
        20 * BLOCK,
        [(0, 20 * BLOCK), (2 * BLOCK, BLOCK), (3 * BLOCK, 8 * BLOCK), (11 * BLOCK, 9 * BLOCK)],
        1,
    ),
    "cut after the last byte": (Far(cuts=[BLOCK]), BLOCK, [(0, BLOCK), (BLOCK, 0)], 1),
    "not there for a while": (Far(silent=3), BLOCK, [(0, BLOCK)], 3),
}


@pytest.mark.parametrize(("far", "size", "writes", "losses"), TRIES.values(), ids=TRIES.keys())
def test_delivered(far: Far, size: int, writes: list[tuple[int, int]], losses: int, pauses: list[float]) -> None:
    delivered(far, size)
    assert far.writes == writes
    assert pauses == list(PAUSES[:losses])


def test_only_what_is_missing_is_sent() -> None:
    far = Far()
    delivered(far, 10, 20)
    far.writes.clear()
    delivered(far, 20, 30, 10)
    assert far.writes == [(0, 30)]


def test_progress_starts_the_count_anew(pauses: list[float]) -> None:
    """A connection that ends every minute gets a large file across all the same."""
    delivered(Far(cuts=[BLOCK] * 30), 40 * BLOCK)
    assert len(pauses) == 30
    assert max(pauses) <= PAUSES[1]


def test_without_progress_it_ends_with_one_sentence(pauses: list[float]) -> None:
    with pytest.raises(NotReady) as caught:
        delivered(Far(cuts=[BLOCK] + [0] * 100), 3 * BLOCK)
    assert str(caught.value) == (
        f"{3 * BLOCK}.txt: the connection was lost 12 times in a row, with 1.0 MiB of 3.0 MiB there: "
        "the connection is refused. Run this again: it goes on from there."
    )
    assert pauses[-1] == PAUSES[-1]


def test_why_a_connection_was_cut_is_found_with_a_small_piece() -> None:
    """A full volume answers before all has been sent, and such an answer is lost with the connection."""
    far = Far(full=2 * BLOCK)
    with pytest.raises(Refused, match="volume for files: it is full"):
        delivered(far, 5 * BLOCK)
    assert far.writes[-1][1] <= BLOCK


def test_what_takes_a_while_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LARGE", 10 * BLOCK)
    assert delivered(Far(), 10 * BLOCK, 10 * BLOCK + 1) == [
        f"sent {tenths * 10} % of 20.0 MiB" for tenths in range(1, 10)
    ] + ["sent 100 % of 20.0 MiB"]
    assert delivered(Far(), 9 * BLOCK) == []


def test_a_lost_connection_is_told_of() -> None:
    assert delivered(Far(cuts=[2 * BLOCK]), 3 * BLOCK) == [
        f"connection lost while {3 * BLOCK}.txt was sent, trying again",
        f"{3 * BLOCK}.txt: going on at 2.0 MiB",
    ]
