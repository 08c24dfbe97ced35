# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let running tasks finish before something that they depend on is stopped.

The scheduler is stopped first, so nothing new begins; what runs goes on without it: a pod of the KubernetesExecutor and
a Celery worker need the web server and the broker only. Tasks that were queued but not begun are queued anew later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress

from ..common.labels import COMPONENT, INSTANCE, SERVICE
from ..common.labels import selector as label_selector
from ..common.outcome import Timeline
from ..errors import DataOpsError, Refused
from ..kube.client import Kube
from ..kube.deletion import delete_all
from ..kube.objects import Manifest, Ref, ref_of
from . import names
from .api import AirflowApi, Task
from .spec import CELERY, KUBERNETES
from .standing import Standing

LOOK_SECONDS = 2.0
# Longer than any component's own time to end.
HALT_SECONDS = 180
SHOWN = 5
FINISHED = ("Succeeded", "Failed")


def drain(
    kube: Kube,
    api: AirflowApi,
    scheduler: Manifest,
    before: Standing,
    executors: Collection[str],
    timeout: float,
    progress: Timeline,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Return when none of these executors has a task any more. The scheduler then has no pods.

    :param scheduler: its Deployment as it is; it gets its pods back when the tasks do not end in time.
    :raises Refused: with the number of tasks that still run after ``timeout`` seconds.
    """
    metadata, replicas = scheduler["metadata"], scheduler["spec"].get("replicas", 1) or 1
    service, namespace = metadata["labels"][INSTANCE], metadata["namespace"]
    progress.say("no new task begins")
    try:
        halt(kube, service, namespace, ["scheduler"], timeout=HALT_SECONDS)
        end, said = time.monotonic() + timeout, ""
        while still := unfinished(kube, api, service, namespace, before, executors):
            line = f"waiting for {counted(still)}"
            if line != said:
                progress.say(line)
                said = line
            if time.monotonic() >= end:
                raise Refused(
                    f"{counted(still)} of the {' and the '.join(executors)} after {timeout:.0f} s: {shown(still)}",
                    where=f"service {service}",
                    next_step="Nothing was changed. Wait until they have ended, or raise drain_timeout",
                )
            pause(LOOK_SECONDS)
    except BaseException:
        with suppress(DataOpsError):
            scale(kube, metadata["name"], namespace, replicas)
        raise
    progress.say("no task runs any more")


def halt(kube: Kube, service: str, namespace: str, components: Collection[str], *, timeout: float) -> None:
    """Take all pods from these components, and return when they have ended."""
    kube.each(lambda name: scale(kube, names.component(service, name), namespace, 0), components)
    end_pods(kube, service, namespace, components, timeout=timeout)


def end_pods(kube: Kube, service: str, namespace: str, components: Collection[str], *, timeout: float) -> None:
    """Return when the pods of these components, which nobody makes anew, have ended."""
    selector = label_selector(SERVICE, service)
    found = kube.each(lambda name: kube.list("Pod", namespace, labels=f"{selector},{COMPONENT}={name}"), components)
    pods = [ref_of(pod) for of_component in found for pod in of_component]
    if pods:
        delete_all(kube, pods, timeout=timeout)


def components(live: Mapping[Ref, Manifest]) -> list[str]:
    """Names of the components that there are."""
    return [item["metadata"]["labels"][COMPONENT] for ref, item in live.items() if ref.kind == "Deployment"]


def scale(kube: Kube, deployment: str, namespace: str, replicas: int) -> None:
    kube.patch("Deployment", deployment, namespace, {"spec": {"replicas": replicas}})


def unfinished(
    kube: Kube, api: AirflowApi, service: str, namespace: str, before: Standing, executors: Collection[str]
) -> list[str]:
    """What is still at work, one name each: pods of tasks, and tasks that workers have or will get."""
    left: list[str] = []
    if KUBERNETES in executors:
        selector = f"{label_selector(SERVICE, service)},{COMPONENT}=task"
        pods = kube.list("Pod", namespace, labels=selector)
        left += [task_of(pod) for pod in pods if (pod.get("status") or {}).get("phase") not in FINISHED]
    if CELERY in executors:
        left += [f"{task.dag_id}.{task.task_id}" for task in api.tasks() if bound(task, before) == CELERY]
    return left


def bound(task: Task, before: Standing) -> str:
    """The executor of a task: the service's first one when it names none."""
    return task.executor or before.executors[0]


def task_of(pod: Manifest) -> str:
    marks = {**(pod["metadata"].get("labels") or {}), **(pod["metadata"].get("annotations") or {})}
    named = {"dag_id", "task_id"} <= marks.keys()
    return f"{marks['dag_id']}.{marks['task_id']}" if named else str(pod["metadata"]["name"])


def counted(still: Sequence[str]) -> str:
    return "1 running task" if len(still) == 1 else f"{len(still)} running tasks"


def shown(still: Sequence[str]) -> str:
    more = f" and {len(still) - SHOWN} more" if len(still) > SHOWN else ""
    return ", ".join(sorted(still)[:SHOWN]) + more
