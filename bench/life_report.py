# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a service as a table, as criteria met or not, and as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .life import Life, Phase
from .report import Criterion, origin
from .startup import longest

MOST_DRAINED_SECONDS = 180
MOST_QUICK_SECONDS = 5
QUICK = ("description", "password")


def criteria(life: Life) -> list[Criterion]:
    by_name = {phase.name: phase for phase in life.phases}
    drained = by_name["drained"]
    slowest = max((by_name[name] for name in QUICK), key=lambda phase: phase.whole)
    return [
        Criterion(
            f"an option is effective, with the worker drained, in under {MOST_DRAINED_SECONDS} s",
            f"{drained.whole:.0f} s" if life.worked else "the task ended before its worker had to; give it longer",
            drained.whole < MOST_DRAINED_SECONDS if life.worked else None,
        ),
        Criterion(
            f"what needs no restart takes under {MOST_QUICK_SECONDS} s",
            f"{slowest.whole:.1f} s at most ({slowest.title.lower()})",
            slowest.whole < MOST_QUICK_SECONDS,
        ),
    ]


def table(phases: Sequence[Phase]) -> str:
    head = ("the life of a service", "whole s", "Airflow s", "share", "rest s", "  longest start")
    rows = [head, *(row(phase) for phase in phases)]
    return "\n".join(f"{first:<36}" + "".join(f"{cell:>11}" for cell in cells) + last for first, *cells, last in rows)


def row(phase: Phase) -> tuple[str, ...]:
    slowest = longest(phase.starts)
    return (
        phase.title,
        f"{phase.whole:.1f}",
        f"{phase.starting:.0f}" if phase.starts else "-",
        f"{phase.share:.0%}" if phase.starts else "-",
        f"{phase.rest:.1f}",
        f"  {slowest.component} {slowest.seconds:.0f} s" if slowest else "  -",
    )


def remarks(life: Life) -> list[str]:
    return [
        f"{phase.title}: {', '.join(phase.crashed)} had to start more than once, so this figure is not a usual one."
        for phase in life.phases
        if phase.crashed
    ]


def as_data(life: Life) -> dict[str, Any]:
    return {
        **origin(),
        "worker drained at work": life.worked,
        "phases": [
            {
                "name": phase.name,
                "whole": phase.whole,
                "starting": phase.starting,
                "share": phase.share,
                "tries": phase.tries,
                "crashed": phase.crashed,
                "starts": [
                    {"component": start.component, "begin": start.begin.isoformat(), "seconds": start.seconds}
                    for start in phase.starts
                ],
            }
            for phase in life.phases
        ],
        "criteria": [asdict(criterion) for criterion in criteria(life)],
    }
