# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bench makes of the status of pods: which times are Airflow's start-up, and how much of a whole they are."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from bench import life_report
from bench.life import Life, Phase
from bench.startup import Start, covered, crashes, longest, starts


def at(second: int) -> datetime:
    return datetime(2026, 1, 1, 0, second // 60, second % 60, tzinfo=timezone.utc)


def stamp(second: int) -> str:
    return at(second).strftime("%Y-%m-%dT%H:%M:%SZ")


def start(begin: int, end: int, component: str = "scheduler") -> Start:
    return Start(component, at(begin), at(end))


def pod(component: str, state: dict[str, Any], ready: int | None = None, container: str = "", again: int = 0) -> Any:
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": stamp(ready)}] if ready else []
    one = {"name": container or component, "state": state, "restartCount": again}
    return {
        "metadata": {"name": f"life-{component}", "labels": {"app.kubernetes.io/component": component}},
        "status": {"containerStatuses": [one], "conditions": conditions},
    }


def running(since: int) -> dict[str, Any]:
    return {"running": {"startedAt": stamp(since)}}


def ended(begin: int, end: int, code: int = 0) -> dict[str, Any]:
    return {"terminated": {"startedAt": stamp(begin), "finishedAt": stamp(end), "exitCode": code}}


PODS: dict[str, tuple[Any, list[Start]]] = {
    "a component that is ready": (pod("worker", running(5), ready=30), [start(5, 30, "worker")]),
    "a component that is not ready": (pod("worker", running(5)), []),
    "a job that has ended": (pod("migration", ended(5, 30)), [start(5, 30, "migration")]),
    "a job that has failed": (pod("migration", ended(5, 30, code=1)), []),
    "a store": (pod("database", running(5), ready=30, container="postgres"), []),
    "no container yet": ({**pod("worker", {}), "status": {}}, []),
    "a container that waits": (pod("worker", {"waiting": {"reason": "ContainerCreating"}}), []),
}


@pytest.mark.parametrize(("item", "expected"), PODS.values(), ids=PODS.keys())
def test_starts(item: Any, expected: list[Start]) -> None:
    assert starts([item]) == expected


# All of them between second 10 and second 100.
COVERED: dict[str, tuple[list[Start], float]] = {
    "nothing started": ([], 0),
    "one": ([start(20, 50)], 30),
    "one after the other": ([start(20, 50), start(60, 70)], 40),
    "two at once count once": ([start(20, 50), start(30, 60)], 40),
    "one within another": ([start(20, 60), start(30, 40), start(55, 70)], 50),
    "in any order": ([start(60, 70), start(20, 50)], 40),
    "begun before": ([start(0, 30)], 20),
    "ready afterwards": ([start(90, 130)], 10),
    "elsewhere": ([start(0, 5), start(110, 120)], 0),
}


@pytest.mark.parametrize(("found", "seconds"), COVERED.values(), ids=COVERED.keys())
def test_covered(found: list[Start], seconds: float) -> None:
    assert covered(found, at(10), at(100)) == seconds


def test_longest() -> None:
    assert longest([start(0, 5), start(1, 9, "worker"), start(2, 4)]) == start(1, 9, "worker")
    assert longest([]) is None


def test_crashes() -> None:
    assert crashes([pod("worker", running(5), again=1), pod("scheduler", running(5))]) == ["life-worker"]


def life(drained: float = 120, quick: float = 2.5, *, worked: bool = True) -> Life:
    parts = (start(10, 40), start(10, 50, "worker"))
    return Life(
        (
            Phase("create", "Create to healthy", (80.0,), parts, 40.0),
            Phase("drained", "... until its old worker has gone", (drained,), parts, 40.0),
            Phase("description", "Another description", (1.5, quick, 1.0)),
            Phase("password", "Another password of git", (2.0,)),
        ),
        worked,
    )


def test_share_and_rest() -> None:
    made, *_others, described, _password = life().phases
    assert (made.share, made.rest) == (0.5, 40.0)
    assert (described.whole, described.share) == (2.5, 0.0)


def test_table() -> None:
    lines = life_report.table(life().phases).splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["Create", "to", "healthy", "80.0", "40", "50%", "40.0", "worker", "40", "s"],
        ["...", "until", "its", "old", "worker", "has", "gone", "120.0", "40", "33%", "80.0", "worker", "40", "s"],
    ]
    assert lines[3].split() == ["Another", "description", "2.5", "-", "-", "2.5", "-"]


CRITERIA: dict[str, tuple[Life, list[bool | None]]] = {
    "both met": (life(), [True, True]),
    "too slow": (life(drained=180, quick=5.0), [False, False]),
    "no worker was drained": (life(worked=False), [None, True]),
}


@pytest.mark.parametrize(("measured", "expected"), CRITERIA.values(), ids=CRITERIA.keys())
def test_criteria(measured: Life, expected: list[bool | None]) -> None:
    assert [criterion.met for criterion in life_report.criteria(measured)] == expected
