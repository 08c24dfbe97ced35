# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""One line per step on stderr, with the time it took, also when it failed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import ClusterError


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    start, end = time.monotonic(), "failed after"
    say(f"{title} ...")
    try:
        yield
        end = "done in"
    finally:
        say(f"{title}: {end} {time.monotonic() - start:.1f} s")


def wait_until(what: str, reason: Callable[[], str], seconds: float, alive: Callable[[], str] = lambda: "") -> None:
    """Poll until reason() is empty. alive() may end the wait early by telling why it cannot succeed any more."""
    deadline, told = time.monotonic() + seconds, time.monotonic()
    while why := reason():
        if dead := alive():
            raise ClusterError(dead)
        now = time.monotonic()
        if now > deadline:
            raise ClusterError(f"{what} was not ready after {seconds:.0f} s: {why}.")
        if now - told > 10:
            say(f"  still waiting for {what}: {why}")
            told = now
        time.sleep(0.2)
