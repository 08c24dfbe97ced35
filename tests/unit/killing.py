# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that ends in the middle, as by SIGKILL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .fake_kube import FakeKube

READS = ("get", "list_versioned", "proxy", "logs", "watch")
WRITES = ("apply", "create", "patch", "delete")


class Killed(BaseException):
    """No part of a run may handle this."""


@contextmanager
def killed_after(kube: FakeKube, writes: int) -> Iterator[None]:
    """After so many writes no request gets through: as after SIGKILL, nothing is tidied up."""
    left = writes

    def mortal(name: str) -> Callable[..., Any]:
        alive = getattr(kube, name)

        def request(*what: Any, dry_run: bool = False, **rest: Any) -> Any:
            nonlocal left
            left -= name in WRITES and not dry_run
            if left < 0:
                raise Killed
            return alive(*what, **rest, **({"dry_run": dry_run} if dry_run else {}))

        return request

    for name in (*READS, *WRITES):
        setattr(kube, name, mortal(name))
    try:
        yield
    finally:
        for name in (*READS, *WRITES):
            delattr(kube, name)
