# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look at the cluster found: one value per thing looked at, and one error for all that stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from ..errors import DataOpsError, Forbidden, Refused

Status = Literal["ok", "warning", "refused", "not_checked"]
# What has to be done comes first in a report.
ORDER: tuple[Status, ...] = ("refused", "warning", "not_checked", "ok")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """``option``: what to change for it; ``allowed``: what it may be; both empty when there is nothing to choose."""

    check: str
    status: Status
    found: str
    option: str = ""
    allowed: str = ""
    next_step: str = ""

    def __str__(self) -> str:
        said = f"{self.found} (allowed: {self.allowed})" if self.allowed else self.found
        return str(DataOpsError(said, where=self.option or self.check, next_step=self.next_step))


def ok(check: str, found: str) -> Finding:
    return Finding(check=check, status="ok", found=found)


def refused(check: str, found: str, *, option: str = "", allowed: str = "", next_step: str) -> Finding:
    return Finding(check=check, status="refused", found=found, option=option, allowed=allowed, next_step=next_step)


def warning(check: str, found: str, *, option: str = "", allowed: str = "", next_step: str) -> Finding:
    return Finding(check=check, status="warning", found=found, option=option, allowed=allowed, next_step=next_step)


def not_checked(check: str, why: str, next_step: str = "") -> Finding:
    return Finding(check=check, status="not_checked", found=why, next_step=next_step)


def of_error(check: str, error: DataOpsError) -> Finding:
    return refused(check, error.what, option=error.where, next_step=error.next_step)


def readable(check: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What ``look`` finds. Who may not read what it needs can go on: that is noted, never taken for granted."""
    try:
        return list(look())
    except Forbidden as error:
        return [not_checked(check, error.what, error.next_step)]


def as_error(findings: Iterable[Finding]) -> Refused | None:
    """One error that names everything that was refused; None when nothing was."""
    reasons = [finding for finding in findings if finding.status == "refused"]
    if not reasons:
        return None
    if len(reasons) == 1:
        only = reasons[0]
        said = f"{only.found} (allowed: {only.allowed})" if only.allowed else only.found
        return Refused(said, where=only.option or only.check, next_step=only.next_step)
    lines = "\n".join(f"- {reason}" for reason in reasons)
    return Refused(f"{len(reasons)} things stand in the way:\n{lines}")


def skipped(findings: Iterable[Finding]) -> tuple[str, ...]:
    """What could not be looked at, in the form in which modules report it."""
    return tuple(sorted(f"{item.check}: {item.found}" for item in findings if item.status == "not_checked"))


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """What has to be done first."""
    return sorted(findings, key=lambda finding: ORDER.index(finding.status))


def report(findings: Iterable[Finding]) -> str:
    """All findings as lines for people, what has to be done first."""
    return "\n".join(f"{finding.status.replace('_', ' '):<11} {_line(finding)}" for finding in ordered(findings))


def _line(finding: Finding) -> str:
    if finding.status == "ok":
        return f"{finding.check}: {finding.found}"
    return f"{finding.check}: {finding}" if finding.option not in ("", finding.check) else str(finding)
