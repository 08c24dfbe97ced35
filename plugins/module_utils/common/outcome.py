# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, or in check mode would do: the one form in which both doors report it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from ..kube.objects import Ref
from ..kube.plan import Change, summary

# Jobs carry a fingerprint in their name; it differs from run to run where a new random password is part of it.
FINGERPRINT = re.compile(r"-[0-9a-f]{10}$")


@dataclass
class Timeline:
    """Lines of progress, each with the seconds since the start; `tell` gets each of them as it is said."""

    clock: Callable[[], float] = monotonic
    tell: Callable[[str], None] | None = None
    lines: list[str] = field(default_factory=list)
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def say(self, line: str) -> None:
        timed = f"{self.clock() - self.started:.1f} s {line}"
        self.lines.append(timed)
        if self.tell:
            self.tell(timed)


@dataclass(frozen=True)
class Outcome:
    """``details`` is the state that the run leaves behind, in the words of the module's RETURN."""

    changes: tuple[Change, ...]
    details: dict[str, Any]
    restarted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    timeline: tuple[str, ...] = ()


def actions(changes: Iterable[Change]) -> list[str]:
    """``create Secret/etl-keys``, in order; what is kept as it is has no line."""
    lines = (f"{change.action} {shown(change.ref)}" for change in changes if change.action != "keep")
    return list(dict.fromkeys(lines))


def shown(ref: Ref) -> str:
    """An object as people know it: what a Job's name ends with tells them nothing."""
    return FINGERPRINT.sub("", str(ref)) if ref.kind == "Job" else str(ref)


def diff(changes: Iterable[Change]) -> dict[str, str]:
    """Before and after for ``--diff``. Jobs are means, not state, so they are left out."""
    both: dict[str, str] = summary([change for change in changes if change.ref.kind != "Job"])["diff"]
    return both


def changed(changes: Iterable[Change]) -> bool:
    return any(change.action != "keep" for change in changes)
