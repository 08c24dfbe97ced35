# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each pod that reads repositories says of them: the commit it has, when it looked last, and what went wrong.

It stands in their logs, which need no right and no way beyond those that a run has anyway. A log that has been rotated
may have lost it; then it is empty, and not guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...common.labels import COMPONENT, SERVICE
from ...common.labels import selector as label_selector
from ...kube.client import Kube
from ...kube.objects import Manifest
from ..spec import ServiceSpec
from .spec import BUNDLE, GitSync, Repository

# git-sync prints a line per commit and per failure, the DAG processor one per look and a table in between.
LINES = 250
PROCESSOR = "dag-processor"
STAMPED = re.compile(r"^(?P<time>\d{4}-\d\d-\d\dT[\d:]{8})\S* ")
GIT_SAID = re.compile(r"stderr: '(?P<words>.*?)'?$", re.MULTILINE | re.DOTALL)
UPDATED = "updated successfully"
NO_TIME = ""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One pod and one repository. ``looked``: when it last fetched, or with git-sync, when the commit came."""

    pod: str
    component: str
    commit: str = ""
    looked: str = NO_TIME
    error: str = ""


def readers(kube: Kube, spec: ServiceSpec, git: GitSync) -> dict[str, list[Reader]]:
    """All pods that stand and read repositories, by name of the repository."""
    reading = {part.name for part in spec.components if part.runs_dag_code}
    if git.mode == BUNDLE:
        # Others only fetch the commit that a task asks for.
        reading = {PROCESSOR}
    found = kube.list("Pod", spec.namespace, labels=label_selector(SERVICE, spec.name))
    standing = [pod for pod in found if component_of(pod) in reading and is_standing(pod)]
    pairs = [(pod, item) for item in git.repositories for pod in standing]
    said = kube.each(lambda pair: reader(kube, spec, git, *pair), pairs)
    by_name: dict[str, list[Reader]] = {item.name: [] for item in git.repositories}
    for (_pod, item), one in zip(pairs, said, strict=True):
        by_name[item.name].append(one)
    return by_name


def component_of(pod: Manifest) -> str:
    return str(pod["metadata"].get("labels", {}).get(COMPONENT, ""))


def is_standing(pod: Manifest) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") in ("Pending", "Running")


def reader(kube: Kube, spec: ServiceSpec, git: GitSync, pod: Manifest, item: Repository) -> Reader:
    name = pod["metadata"]["name"]
    container = component_of(pod) if git.mode == BUNDLE else f"git-sync-{item.name}"
    log = kube.logs(name, spec.namespace, container=container, lines=LINES)
    empty = Reader(pod=name, component=component_of(pod))
    return of_processor(empty, log, item.name) if git.mode == BUNDLE else of_git_sync(empty, log)


def of_processor(empty: Reader, log: str, name: str) -> Reader:
    """From the log of Airflow's DAG processor."""
    found, failing = empty, False
    for line in log.splitlines():
        stamp = STAMPED.match(line)
        if stamp and f"Refreshing bundle {name} " in f"{line} ":
            found, failing = replace(found, looked=stamp["time"] + "Z", error=""), False
        elif stamp and (version := re.search(rf"Version changed for {name}, new version: ([0-9a-f]{{40}})", line)):
            found = replace(found, commit=version[1])
        elif stamp and re.search(rf"Error (refreshing|initializing) bundle {name}\b(?!-)", line):
            found, failing = replace(found, error=line.partition("] ")[2].split(" [")[0].strip()), True
        elif stamp:
            failing = False
        elif failing and (words := GIT_SAID.search(line)):
            found = replace(found, error=f"{found.error}: {words['words']}")
    return found


def of_git_sync(empty: Reader, log: str) -> Reader:
    """From the log of git-sync, a JSON object per line."""
    found = empty
    for line in log.splitlines():
        entry = parsed(line)
        if entry.get("msg") == UPDATED:
            found = replace(found, commit=str(entry.get("remote", "")), looked=moment(entry), error="")
        elif entry.get("error"):
            words = GIT_STDERR.search(str(entry["error"]))
            said = words["words"].replace("\\n", " ").strip() if words else str(entry["error"])
            found = replace(found, error=f"{moment(entry)} {entry.get('msg', '')}: {said}".strip())
    return found


GIT_STDERR = re.compile(r'stderr: "(?P<words>[^"]*)"')


def parsed(line: str) -> Mapping[str, object]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def moment(entry: Mapping[str, object]) -> str:
    """git-sync's clock is UTC and says so nowhere."""
    time = str(entry.get("ts", "")).replace(" ", "T")[:19]
    return f"{time}Z" if time else ""
