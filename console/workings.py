# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of a service: its pods, what Kubernetes told about them, and what they write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import decoded
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import COMPONENT, SERVICE
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import selector as label_selector
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotFound
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.masking import scrubbed
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest
from ansible_collections.scp.dataops.plugins.module_utils.kube.verdicts import pod_verdict, time_of

MARKS = {"ready": "good", "waiting": "warn", "failed": "bad"}
ENDED = ("Succeeded", "Failed")
# Units of time, the longest first, with their seconds.
AGES = (("age_days", 86400), ("age_hours", 3600), ("age_minutes", 60), ("age_seconds", 1))
MOST_EVENTS = 50
# What a Secret of a service holds besides secrets: hiding it would make logs hard to read.
OPEN_KEYS = ("id", "server", "known-hosts", "ca", "gitconfig")
PASSWORD = "password="


@dataclass(frozen=True, kw_only=True)
class Pod:
    """``why`` says why it is not ready; ``containers`` are those that have a log, the first one is the usual one."""

    name: str
    component: str
    state: str
    mark: str
    why: str
    restarts: int
    seconds: int
    containers: tuple[str, ...]

    @property
    def age(self) -> tuple[str, int]:
        return age_of(self.seconds)


@dataclass(frozen=True, kw_only=True)
class Event:
    when: str
    warning: bool
    target: str
    reason: str
    message: str
    count: int


def age_of(seconds: int) -> tuple[str, int]:
    """The key of a text, and its number: two of the unit at least, so that nothing is rounded away."""
    key, unit = next(((key, unit) for key, unit in AGES if seconds >= 2 * unit), AGES[-1])
    return key, seconds // unit


def pods(kube: Kube, namespace: str, service: str) -> list[Pod]:
    """Those of components first, then those of Jobs and tasks that have ended."""
    found = kube.list("Pod", namespace, labels=label_selector(SERVICE, service))
    seen = [pod(item, kube.now()) for item in found]
    return sorted(seen, key=lambda item: (item.state in ENDED, item.component, item.name))


def pod(item: Manifest, now: datetime) -> Pod:
    metadata, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    phase, verdict = status.get("phase", ""), pod_verdict(item, now)
    began = time_of(metadata.get("creationTimestamp")) or now
    containers = [*spec["containers"], *spec.get("initContainers", ())]
    return Pod(
        name=metadata["name"],
        component=metadata.get("labels", {}).get(COMPONENT, ""),
        state=phase if phase in ENDED else verdict.state,
        mark="" if phase == "Succeeded" else MARKS[verdict.state],
        why="" if verdict.state == "ready" else verdict.why,
        restarts=sum(each.get("restartCount", 0) for each in status.get("containerStatuses") or ()),
        seconds=max(0, round((now - began).total_seconds())),
        containers=tuple(each["name"] for each in containers),
    )


def events(kube: Kube, namespace: str, service: str, services: Iterable[str]) -> list[Event]:
    """The newest of a service. They have no labels, so it is by their objects' names that they are told apart.

    :param services: names of all, since one of them may begin like another.
    """
    known = {service, *services}
    found = [item for item in kube.list("Event", namespace) if owner_of(object_of(item), known) == service]
    return sorted(map(event, found), key=lambda item: item.when, reverse=True)[:MOST_EVENTS]


def object_of(item: Manifest) -> str:
    return str(item["involvedObject"].get("name", ""))


def owner_of(name: str, services: Iterable[str]) -> str:
    """The service whose object has this name, such as ``etl-two`` for ``etl-two-scheduler``."""
    return max((one for one in services if name == one or name.startswith(f"{one}-")), key=len, default="")


def event(item: Manifest) -> Event:
    series: dict[str, Any] = item.get("series") or {}
    times = (series.get("lastObservedTime"), item.get("lastTimestamp"), item.get("eventTime"))
    return Event(
        when=str(next((each for each in times if each), item["metadata"].get("creationTimestamp", "")))[:19],
        warning=item.get("type") == "Warning",
        target=f"{item['involvedObject'].get('kind', '')}/{object_of(item)}",
        reason=item.get("reason", ""),
        message=item.get("message", ""),
        count=series.get("count") or item.get("count") or 1,
    )


def chosen(found: Sequence[Pod], name: str, container: str) -> tuple[Pod, str]:
    """A pod of the service and one of its containers; the first one where none is named that is there.

    :raises NotFound: it is no pod of the service.
    """
    one = next((item for item in found if name in ("", item.name)), None)
    if one is None:
        raise NotFound("there is no such pod", where=f"pod {name}", next_step="It may have been replaced")
    return one, container if container in one.containers else one.containers[0]


def log(kube: Kube, namespace: str, service: str, source: tuple[str, str], *, lines: int, previous: bool) -> str:
    """The last lines that a container of a pod wrote, without the secrets that the service has."""
    name, container = source
    text = kube.logs(name, namespace, container=container, lines=lines, previous=previous)
    held = kube.list("Secret", namespace, labels=label_selector(SERVICE, service)) if text else []
    return scrubbed(text, (value for item in held for value in secret_values(decoded(item))))


def secret_values(values: Mapping[str, str]) -> Iterator[str]:
    """Whole ones, and the password out of what git reads as lines."""
    for key, value in values.items():
        if key.rpartition(".")[2] not in OPEN_KEYS:
            yield value
            yield from (line.removeprefix(PASSWORD) for line in value.split("\n") if line.startswith(PASSWORD))
