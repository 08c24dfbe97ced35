# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed, and runs at the same time, on a real cluster; and what is shown while a task waits."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import NAMESPACE, SERVICE
from driver import Driver
from places import IN_CLUSTER_GIT, GitServer, until

LOCK = f"{SERVICE}-lock"
LINE = re.compile(rf"^\[localhost\] service {SERVICE}: (\d+\.\d) s (.+)$")


class Running:
    """A task in a process group of its own, with what it shows and when."""

    def __init__(self, **options: Any) -> None:
        arguments = json.dumps({"name": SERVICE, "manager": NAMESPACE, **options})
        command = ["ansible", "localhost", "-o", "-m", "scp.dataops.dataops_service", "-a", arguments]
        self.lines: list[tuple[float, str]] = []
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append((time.monotonic(), line.rstrip("\n")))

    def said(self) -> list[str]:
        return [found[2] for _when, line in self.lines if (found := LINE.match(line))]

    def kill(self) -> None:
        """SIGKILL for Ansible and its workers, which have left its process group."""
        family = [self.process.pid, *descendants(self.process.pid)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()

    def finish(self) -> str:
        self.process.wait()
        self._reader.join()
        return "\n".join(line for _when, line in self.lines)


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in children.read_text().split()] if children.exists() else []
    return [each for child in found for each in (child, *descendants(child))]


@contextmanager
def running(**options: Any) -> Iterator[Running]:
    task = Running(**options)
    try:
        yield task
    finally:
        task.kill()


def exists(kube: Kube, kind: str, name: str) -> Callable[[], bool]:
    return lambda: kube.get(kind, name, NAMESPACE) is not None


def let_it_end(kube: Kube) -> None:
    """As if the time of a killed run were over already."""
    kube.patch("Lease", LOCK, NAMESPACE, {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}})


def test_a_run_killed_at_any_step_is_finished_by_the_next(
    service: Driver, kube: Kube, git: GitServer, repository: dict[str, Any]
) -> None:
    git.push("public/killed.git", dag_id="e2e_killed", text="killed")
    source = {"repo": f"{IN_CLUSTER_GIT}/public/killed.git"}
    wanted: dict[str, Any] = {"git_sync": source, "triggerer": {"cpu": "21m"}, "description": "killed"}
    record = f"{SERVICE}-record"
    steps: dict[str, Callable[[Running], bool]] = {
        "the lock is taken": lambda task: exists(kube, "Lease", LOCK)(),
        "the repository is tried": lambda task: any("repository" in line for line in task.said()),
        "the record is written": lambda task: "killed.git" in str(kube.get("ConfigMap", record, NAMESPACE)),
        "components are replaced": lambda task: any("triggerer" in line for line in task.said()),
    }
    for step, reached in steps.items():
        with running(**wanted) as task:
            until(partial(reached, task), step, 60)
        assert exists(kube, "Lease", LOCK)(), f"{step}: {task.finish()}"
        let_it_end(kube)
    # It need not know what the others were asked for.
    done = service.service(SERVICE, tags={"finished": "yes"})
    assert any("took over from" in line for line in done["timeline"])
    assert (done["service"]["description"], done["service"]["health"]) == ("killed", "healthy")
    assert not exists(kube, "Lease", LOCK)()
    assert service.service(SERVICE, **wanted)["changed"] is False
    service.service(SERVICE, git_sync=repository, triggerer={}, description="", tags={})


def test_two_runs_at_once(service: Driver, kube: Kube) -> None:
    """One wins and shows what it waits for as that happens; the other says who is at work, and writes nothing."""
    # All components at once take several times as long as the other run needs to be refused.
    with running(state="restarted") as winner:
        until(exists(kube, "Lease", LOCK), "the first run writes", 60)
        holder = (kube.get("Lease", LOCK, NAMESPACE) or {})["spec"]["holderIdentity"]
        message = service.refused("dataops_service", name=SERVICE, description="second")
        assert f"service {SERVICE} in namespace {NAMESPACE}: {holder} is changing it since 20" in message
        assert "Nothing was changed" in message
        output = winner.finish()
    assert " | CHANGED => " in output
    shown = [(when, line) for when, line in winner.lines if LINE.match(line)]
    assert any("triggerer 0/1 ready" in line for line in winner.said())
    assert any("triggerer 1/1 ready after" in line for line in winner.said())
    assert shown[-1][0] - shown[0][0] > 2, "lines came all at once"
    assert service.service(SERVICE)["service"]["description"] == ""
