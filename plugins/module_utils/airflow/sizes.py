# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large each part of a service is: what was asked, over its size profile, over the defaults of its version.

The profiles are tables. ``recommended`` adds up to the published size of a Data Ops, see ``docs/sizes.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..common import validation as check
from ..errors import BadOption
from .versions import Profile

COMPONENT_OPTIONS = ("web_server", "scheduler", "dag_processor", "triggerer")
WORKER_OPTION, TASK_OPTION = "worker", "task_pod"
SIZED = (*COMPONENT_OPTIONS, WORKER_OPTION, TASK_OPTION)
# Options with fixed keys of their own, as paths.
NESTED = (*SIZED, f"{WORKER_OPTION}.autoscaling")
RESOURCES = ("cpu", "memory", "cpu_limit", "memory_limit")
# What only standing workers have.
CELERY_ONLY = ("replicas", "concurrency", "autoscaling")

SMALLEST_MEMORY = "128Mi"
REPLICAS = (1, 20)
WORKER_REPLICAS = (1, 100)
CONCURRENCY = (1, 128)
CPU_PERCENT = (10, 100)
HPA, KEDA = "hpa", "keda"


@dataclass(frozen=True, kw_only=True)
class Size:
    """Resources of one pod of a part, and how many pods there are. ``cpu_limit`` is empty when there is none."""

    cpu: str
    memory: str
    cpu_limit: str
    memory_limit: str
    replicas: int


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """Between which numbers something else chooses how many workers there are."""

    min_replicas: int
    max_replicas: int
    cpu_percent: int
    type: str


@dataclass(frozen=True, kw_only=True)
class Workers:
    """What standing workers have besides a size."""

    concurrency: int
    autoscaling: Autoscaling | None


class Row(NamedTuple):
    """A line of a table: requests of one pod, and the number of pods."""

    cpu: str
    memory: str
    replicas: int = 1
    memory_limit: str = ""


@dataclass(frozen=True, kw_only=True)
class SizeProfile:
    """A size of everything. ``tasks`` is how many task pods of the KubernetesExecutor it has room for.

    ``storage`` is the size of each of the two volumes, database and logs.
    """

    rows: Mapping[str, Row]
    concurrency: int
    storage: str
    tasks: int


# What has no option of its own; a version's row says the rest.
DEFAULTS: Mapping[str, Row] = {
    "database": Row("100m", "256Mi", memory_limit="1Gi"),
    "broker": Row("50m", "128Mi", memory_limit="512Mi"),
}
DEFAULT_CONCURRENCY = 4
DEFAULT_STORAGE = "10Gi"

SIZE_PROFILES: Mapping[str, SizeProfile] = {
    # For a machine of two cores that runs the cluster as well: little CPU is reserved, memory is what is really used.
    "small": SizeProfile(
        rows={
            "web-server": Row("100m", "2Gi"),
            "scheduler": Row("100m", "1536Mi"),
            "dag-processor": Row("50m", "1Gi"),
            "triggerer": Row("50m", "1Gi"),
            "worker": Row("100m", "2Gi"),
            "task": Row("100m", "1Gi"),
            "flower": Row("20m", "512Mi"),
            "database": Row("50m", "256Mi", memory_limit="1Gi"),
            "broker": Row("20m", "128Mi", memory_limit="512Mi"),
        },
        concurrency=4,
        storage="10Gi",
        tasks=4,
    ),
    # The published size: 43 cores with task pods, 25 with standing workers; 50 GB of memory and 100 GB of storage.
    "recommended": SizeProfile(
        rows={
            "web-server": Row("2", "3G", replicas=2),
            "scheduler": Row("2", "3G", replicas=2),
            "dag-processor": Row("2", "3G"),
            "triggerer": Row("1", "1G", replicas=2),
            "worker": Row("2500m", "7G", replicas=4),
            "task": Row("1", "1G"),
            "flower": Row("100m", "512Mi"),
            "database": Row("2", "4G"),
            "broker": Row("1", "1G"),
        },
        concurrency=16,
        storage="50G",
        tasks=29,
    ),
}


def profile_named(name: str, at: str) -> SizeProfile | None:
    """The profile called ``name``; None when none is asked for."""
    if name and name not in SIZE_PROFILES:
        raise BadOption(f"'{name}' is not a size", where=at, next_step=f"Use {' or '.join(SIZE_PROFILES)}")
    return SIZE_PROFILES.get(name)


def sizes(options: Mapping[str, Any], version: Profile, *, celery: bool, at: str = "") -> dict[str, Size]:
    """Sizes by part: components by name, ``worker``, ``task`` (a task's own pod), ``flower``, ``database``, ``broker``.

    :param at: path of the options, ending with a dot, when they are part of another option.
    :raises BadOption: naming the option, its value and what is allowed.
    """
    rows = base(options.get("size", ""), version, f"{at}size")
    asked = {part.name: (part.option, options.get(part.option, {})) for part in version.components}
    result = {name: size(raw, rows[name], f"{at}{option}") for name, (option, raw) in asked.items()}
    worker, task = options.get(WORKER_OPTION, {}), options.get(TASK_OPTION, {})
    known_in_worker(worker, celery, f"{at}{WORKER_OPTION}")
    check.known_keys(task, RESOURCES, f"{at}{TASK_OPTION}")
    own = {key: value for key, value in worker.items() if key not in ("concurrency", "autoscaling")}
    result["worker"] = size(own, rows["worker"], f"{at}{WORKER_OPTION}", replicas=WORKER_REPLICAS)
    # A task's pod is as large as a worker was asked to be, unless it has a size of its own.
    of_worker = {key: value for key, value in worker.items() if key in RESOURCES}
    result["task"] = size({**of_worker, **task}, rows["task"], f"{at}{TASK_OPTION if task else WORKER_OPTION}")
    for part in ("flower", "database", "broker"):
        result[part] = size({}, rows[part], part)
    return result


def base(name: str, version: Profile, at: str) -> dict[str, Row]:
    """What each part has when nothing is asked of it."""
    chosen = profile_named(name, at)
    return {
        **DEFAULTS,
        **{part.name: Row(part.cpu, part.memory) for part in (*version.components, version.worker, version.flower)},
        "task": Row(version.worker_cpu, version.worker_memory),
        **(chosen.rows if chosen else {}),
    }


def storage(name: str, at: str = "size") -> str:
    """Size of each volume when none is asked for."""
    chosen = profile_named(name, at)
    return chosen.storage if chosen else DEFAULT_STORAGE


def size(raw: Mapping[str, Any], row: Row, at: str, replicas: tuple[int, int] = REPLICAS) -> Size:
    """One size; a limit below what is reserved is refused, as Kubernetes would do it less clearly."""
    check.known_keys(raw, (*RESOURCES, "replicas"), at)
    low, high = replicas
    cpu = check.cpu(raw.get("cpu", row.cpu), f"{at}.cpu")
    memory = check.size_in_bytes(raw.get("memory", row.memory), f"{at}.memory", smallest=SMALLEST_MEMORY)
    cpu_limit = check.cpu(raw["cpu_limit"], f"{at}.cpu_limit") if raw.get("cpu_limit") else ""
    otherwise = memory if "memory" in raw else row.memory_limit or memory
    memory_limit = check.size_in_bytes(
        raw.get("memory_limit") or otherwise, f"{at}.memory_limit", smallest=SMALLEST_MEMORY
    )
    for limit, least, key in ((cpu_limit, cpu, "cpu"), (memory_limit, memory, "memory")):
        if limit and check.amount(limit) < check.amount(least):
            raise BadOption(
                f"the limit {limit} is below what is reserved, {least}",
                where=f"{at}.{key}_limit",
                next_step=f"Use at least {least}, or reserve less with {at}.{key}",
            )
    return Size(
        cpu=cpu,
        memory=memory,
        cpu_limit=cpu_limit,
        memory_limit=memory_limit,
        replicas=check.whole_number(raw.get("replicas", row.replicas), f"{at}.replicas", low=low, high=high),
    )


def known_in_worker(worker: Mapping[str, Any], celery: bool, at: str) -> None:
    check.known_keys(worker, (*RESOURCES, *CELERY_ONLY), at)
    for key in CELERY_ONLY:
        if key in worker and not celery:
            raise BadOption(
                f"the KubernetesExecutor starts one pod per task, so workers have no {key}",
                where=f"{at}.{key}",
                next_step="Leave it out; cpu and memory are those of each task's pod",
            )


def workers(options: Mapping[str, Any], at: str = "") -> Workers:
    """What standing workers have besides their size."""
    worker, where = options.get(WORKER_OPTION, {}), f"{at}{WORKER_OPTION}"
    chosen = profile_named(options.get("size", ""), f"{at}size")
    low, high = CONCURRENCY
    usual = chosen.concurrency if chosen else DEFAULT_CONCURRENCY
    return Workers(
        concurrency=check.whole_number(worker.get("concurrency", usual), f"{where}.concurrency", low=low, high=high),
        autoscaling=autoscaling(worker, where) if worker.get("autoscaling") else None,
    )


def autoscaling(worker: Mapping[str, Any], at: str) -> Autoscaling:
    raw, where = worker["autoscaling"], f"{at}.autoscaling"
    check.known_keys(raw, ("min_replicas", "max_replicas", "cpu_percent", "type"), where)
    kind = raw.get("type", HPA)
    if kind not in (HPA, KEDA):
        raise BadOption(
            f"'{kind}' is not a kind of autoscaling", where=f"{where}.type", next_step=f"Use {HPA} or {KEDA}"
        )
    if "max_replicas" not in raw:
        raise BadOption("it is not set", where=f"{where}.max_replicas", next_step="Say how many workers there may be")
    low, high = WORKER_REPLICAS
    least = check.whole_number(raw.get("min_replicas", 1), f"{where}.min_replicas", low=low, high=high)
    percent_low, percent_high = CPU_PERCENT
    return Autoscaling(
        min_replicas=least,
        max_replicas=check.whole_number(raw["max_replicas"], f"{where}.max_replicas", low=least, high=high),
        cpu_percent=check.whole_number(
            raw.get("cpu_percent", 80), f"{where}.cpu_percent", low=percent_low, high=percent_high
        ),
        type=kind,
    )


def inheritable(settings: Mapping[str, Any], *, celery: bool) -> dict[str, Any]:
    """A Manager's settings without what a service without standing workers has no use for."""
    worker = {key: value for key, value in settings.get(WORKER_OPTION, {}).items() if celery or key not in CELERY_ONLY}
    return {**settings, WORKER_OPTION: worker} if WORKER_OPTION in settings else dict(settings)
