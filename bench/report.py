# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, as a table, as criteria met or not, and as data."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from .measure import Result

MOST_REQUESTS = 15
MOST_MODULE_SECONDS = 1.0
TIMES_FASTER = 5


@dataclass(frozen=True)
class Criterion:
    what: str
    measured: str
    met: bool | None

    def __str__(self) -> str:
        verdict = {True: "met", False: "NOT MET", None: "not measured"}[self.met]
        return f"{verdict:<13} {self.what}: {self.measured}"


def criteria(results: Sequence[Result]) -> list[Criterion]:
    by_name = {result.contestant.name: result for result in results}
    ours, process, theirs, kubectl = (by_name[name] for name in ("dataops_service", "process", "k8s", "kubectl"))
    faster = theirs.own / ours.own
    return [
        Criterion(
            f"at most {MOST_REQUESTS} API requests",
            "no audit log" if ours.requests is None else str(ours.requests),
            None if ours.requests is None else ours.requests <= MOST_REQUESTS,
        ),
        Criterion(
            f"at most {MOST_MODULE_SECONDS:.0f} s in the module where it has a process of its own",
            f"{process.module:.2f} s",
            process.module <= MOST_MODULE_SECONDS,
        ),
        Criterion(
            "no slower than kubectl apply --server-side",
            f"{ours.own:.2f} s and {kubectl.own:.2f} s, {ours.own / kubectl.own:.2f} times its time",
            ours.own <= kubectl.own,
        ),
        Criterion(
            f"at least {TIMES_FASTER} times faster than kubernetes.core.k8s",
            f"{ours.own:.2f} s and {theirs.own:.2f} s, {faster:.1f} times faster",
            faster >= TIMES_FASTER,
        ),
    ]


def table(results: Sequence[Result]) -> str:
    head = ("an unchanged service, medians", "wall s", "own s", "module s", "talking s", "requests", "cpu s")
    rows = [head, *(row(result) for result in results)]
    return "\n".join(f"{first:<30}" + "".join(f"{cell:>11}" for cell in rest) for first, *rest in rows)


def row(result: Result) -> tuple[str, ...]:
    return (
        result.contestant.title,
        f"{result.wall:.2f}",
        f"{result.own:.2f}",
        f"{result.module:.2f}" if result.module else "-",
        f"{result.talking:.2f}" if result.talking else "-",
        str(result.requests) if result.requests else "-",
        f"{result.cpu:.2f}",
    )


def as_data(results: Sequence[Result], objects: int) -> dict[str, Any]:
    return {
        **origin(),
        "objects": objects,
        "results": [
            {
                "name": result.contestant.name,
                "wall": result.wall,
                "own": result.own,
                "cpu": result.cpu,
                "module": result.module,
                "talking": result.talking,
                "requests": result.requests,
                "wrongly changed": result.wrong,
                "samples": [asdict(sample) for sample in result.samples],
            }
            for result in results
        ],
        "criteria": [asdict(criterion) for criterion in criteria(results)],
    }


def origin() -> dict[str, Any]:
    """When, where and of what it was measured."""
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()},
    }


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
