# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large each part is: which layer wins, what the profiles add up to, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.sizes import (
    SIZE_PROFILES,
    Autoscaling,
    Size,
    inheritable,
    sizes,
    workers,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import NEWEST, PROFILES, profile
from ansible_collections.scp.dataops.plugins.module_utils.common.validation import amount
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "sizes.md"
EXECUTORS = {"KubernetesExecutor": ("task",), "CeleryExecutor": ("worker", "broker")}
STANDING = ("web-server", "scheduler", "dag-processor", "triggerer", "database")
PUBLISHED = {"KubernetesExecutor": 43, "CeleryExecutor": 25}


def sized(celery: bool = False, version: str = NEWEST, **options: Any) -> dict[str, Size]:
    return sizes(options, profile(version), celery=celery)


def pods_of(name: str, part: str) -> int:
    return SIZE_PROFILES[name].tasks if part == "task" else SIZE_PROFILES[name].rows[part].replicas


@pytest.mark.parametrize("version", PROFILES)
@pytest.mark.parametrize("executor", EXECUTORS)
def test_recommended_adds_up_to_the_published_size(executor: str, version: str) -> None:
    found = sized(version=version, size="recommended")
    parts = (*STANDING, *EXECUTORS[executor])
    numbers = {part: SIZE_PROFILES["recommended"].tasks if part == "task" else found[part].replicas for part in parts}
    assert sum(amount(found[part].cpu) * number for part, number in numbers.items()) == PUBLISHED[executor]
    assert sum(amount(found[part].memory) * number for part, number in numbers.items()) == 50e9
    assert 2 * amount(SIZE_PROFILES["recommended"].storage) == 100e9


@pytest.mark.parametrize("name", SIZE_PROFILES)
def test_the_documented_table_is_the_data(name: str) -> None:
    chapter = DOCUMENT.read_text().split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]
    cells = {line.split(" | ")[0].strip("| "): line.strip("|\n ").split(" | ") for line in chapter.splitlines()}
    for part in (*STANDING, "task", "worker", "broker"):
        row = SIZE_PROFILES[name].rows[part]
        uses = ["yes" if part in (*STANDING, *parts) else "no" for parts in EXECUTORS.values()]
        assert cells[part] == [part, str(pods_of(name, part)), row.cpu, row.memory, *uses], part


def test_the_documented_sums_are_those_of_the_document() -> None:
    """Adds up the table as a reader would, without looking at the data."""
    chapter = DOCUMENT.read_text().split("## recommended\n", 1)[1].split("\n## ", 1)[0]
    table = re.findall(r"^\| ([\w-]+) \| (\d+) \| (\S+) \| (\d+)G \| (yes|no) \| (yes|no) \|$", chapter, re.MULTILINE)
    said = re.findall(r"\*\*(\d+) cores, (\d+)G\*\*", chapter)
    for column, (cores, memory) in enumerate(said):
        counted = [row for row in table if row[4 + column] == "yes"]
        assert sum(int(row[1]) * amount(row[2]) for row in counted) == int(cores)
        assert sum(int(row[1]) * int(row[3]) for row in counted) == int(memory)
    assert [int(cores) for cores, _memory in said] == list(PUBLISHED.values())


LAYERS: dict[str, tuple[dict[str, Any], str, tuple[str, str, int]]] = {
    "default of the version": ({}, "scheduler", ("500m", "1536Mi", 1)),
    "profile over default": ({"size": "recommended"}, "scheduler", ("2", "3G", 2)),
    "a key over the profile": ({"size": "recommended", "scheduler": {"cpu": "3"}}, "scheduler", ("3", "3G", 2)),
    "replicas over the profile": ({"size": "recommended", "triggerer": {"replicas": 1}}, "triggerer", ("1", "1G", 1)),
    "task like a worker": ({"worker": {"cpu": "2"}}, "task", ("2", "1Gi", 1)),
    "task with a size of its own": ({"worker": {"cpu": "2"}, "task_pod": {"cpu": "3"}}, "task", ("3", "1Gi", 1)),
    "task pod changes no worker": ({"task_pod": {"cpu": "3"}}, "worker", ("500m", "2Gi", 1)),
}


@pytest.mark.parametrize(("options", "part", "expected"), LAYERS.values(), ids=LAYERS.keys())
def test_layers(options: dict[str, Any], part: str, expected: tuple[str, str, int]) -> None:
    found = sized(**options)[part]
    assert (found.cpu, found.memory, found.replicas) == expected


LIMITS: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "memory as reserved, cpu free": ({"memory": "3Gi"}, ("", "3Gi")),
    "both": ({"cpu_limit": "2", "memory_limit": "4Gi"}, ("2", "4Gi")),
    "equal to what is reserved": ({"cpu": "2", "cpu_limit": "2"}, ("2", "1536Mi")),
}


@pytest.mark.parametrize(("raw", "expected"), LIMITS.values(), ids=LIMITS.keys())
def test_limits(raw: dict[str, Any], expected: tuple[str, str]) -> None:
    found = sized(scheduler=raw)["scheduler"]
    assert (found.cpu_limit, found.memory_limit) == expected


def test_workers() -> None:
    assert workers({}).concurrency == 4
    assert workers({"size": "recommended"}).concurrency == 16
    assert workers({"size": "recommended", "worker": {"concurrency": 8}}).concurrency == 8
    assert workers({"worker": {"autoscaling": {}}}).autoscaling is None
    asked = {"max_replicas": 5, "type": "keda"}
    assert workers({"worker": {"autoscaling": asked}}).autoscaling == Autoscaling(
        min_replicas=1, max_replicas=5, cpu_percent=80, type="keda"
    )


NO_USE = "Leave it out; cpu and memory are those of each task's pod."
REFUSED: dict[str, tuple[dict[str, Any], bool, str]] = {
    "unknown profile": ({"size": "large"}, False, "size: 'large' is not a size. Use small or recommended."),
    "limit below memory": (
        {"scheduler": {"memory": "2Gi", "memory_limit": "1Gi"}},
        False,
        "scheduler.memory_limit: the limit 1Gi is below what is reserved, 2Gi. "
        "Use at least 2Gi, or reserve less with scheduler.memory.",
    ),
    "limit below cpu": (
        {"task_pod": {"cpu": "2", "cpu_limit": "500m"}},
        False,
        "task_pod.cpu_limit: the limit 500m is below what is reserved, 2. "
        "Use at least 2, or reserve less with task_pod.cpu.",
    ),
    "task pods with replicas": (
        {"task_pod": {"replicas": 2}},
        True,
        "task_pod.replicas: no such option. Use cpu, memory, cpu_limit, memory_limit.",
    ),
    "concurrency of a task pod": (
        {"worker": {"concurrency": 2}},
        False,
        f"worker.concurrency: the KubernetesExecutor starts one pod per task, so workers have no concurrency. {NO_USE}",
    ),
    "autoscaling of task pods": (
        {"worker": {"autoscaling": {"max_replicas": 2}}},
        False,
        f"worker.autoscaling: the KubernetesExecutor starts one pod per task, so workers have no autoscaling. {NO_USE}",
    ),
    "autoscaling without an end": (
        {"worker": {"autoscaling": {"min_replicas": 2}}},
        True,
        "worker.autoscaling.max_replicas: it is not set. Say how many workers there may be.",
    ),
    "most below fewest": (
        {"worker": {"autoscaling": {"min_replicas": 3, "max_replicas": 2}}},
        True,
        "worker.autoscaling.max_replicas: 2 is out of range. Use a whole number from 3 to 100.",
    ),
    "unknown kind": (
        {"worker": {"autoscaling": {"max_replicas": 2, "type": "vpa"}}},
        True,
        "worker.autoscaling.type: 'vpa' is not a kind of autoscaling. Use hpa or keda.",
    ),
    "too many at once": (
        {"worker": {"concurrency": 129}},
        True,
        "worker.concurrency: 129 is out of range. Use a whole number from 1 to 128.",
    ),
}


@pytest.mark.parametrize(("options", "celery", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(options: dict[str, Any], celery: bool, sentence: str) -> None:
    with pytest.raises(BadOption) as caught:
        (sizes(options, profile(NEWEST), celery=celery), workers(options))
    assert str(caught.value) == sentence


def test_a_service_without_standing_workers_inherits_only_what_it_can_use() -> None:
    settings = {"size": "small", "worker": {"cpu": "2", "replicas": 3, "concurrency": 8}}
    assert inheritable(settings, celery=True) == settings
    assert inheritable(settings, celery=False) == {"size": "small", "worker": {"cpu": "2"}}
    assert inheritable({}, celery=False) == {}
