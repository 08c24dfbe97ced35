# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a service, timed as a user sees it: made, changed, stopped, started; then removed with all it had.

It is a service of the bench's own, under a Manager of its own, with Celery workers. Each step is one ansible-playbook.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cluster.progress import say, step, wait_until
from plugins.module_utils.airflow.secrets import decoded
from plugins.module_utils.common.labels import COMPONENT, SERVICE, selector
from plugins.module_utils.kube.objects import Manifest
from scripts.lib.demo import repository
from scripts.lib.demo.airflow import FINISHED, Airflow
from scripts.lib.demo.dataops import Demo
from scripts.lib.demo.errors import DemoError
from scripts.lib.demo.playbook import run_playbook

from .audit import moment
from .startup import Start, covered, crashes, starts

MANAGER, NAME = "dataops-bench", "life"
REPOSITORY = "/public/bench.git"
DAG, TASK = "bench_life", "report"
DAG_SOURCE = '''\
"""A task that a worker has at hand while the service is changed."""
import time

from airflow.sdk import dag, task


@dag(schedule=None, catchup=False)
def bench_life():
    @task
    def report():
        time.sleep({seconds})

    report()


bench_life()
'''
# All of Airflow reads it, so every component gets new pods: the most that one option can cost.
OPTION = {"core": {"max_active_tasks_per_dag": 17}}
# Little is reserved, so that there is room beside other services; processor time is limited nowhere.
PART = {"cpu": "20m", "memory": "384Mi", "memory_limit": "2Gi"}
PARTS = ("web_server", "scheduler", "dag_processor", "triggerer")
QUICK_TRIES = 3
PATIENCE_SECONDS = 600


@dataclass(frozen=True)
class Phase:
    """One step of the life.

    :param tries: seconds of each try, from start to end of ansible-playbook.
    :param starts: the parts of Airflow that started meanwhile.
    :param starting: seconds in which at least one of them did.
    :param crashed: pods that needed more than one start, which spoils the figure.
    """

    name: str
    title: str
    tries: tuple[float, ...]
    starts: tuple[Start, ...] = ()
    starting: float = 0.0
    crashed: tuple[str, ...] = ()

    @property
    def whole(self) -> float:
        """The slowest try."""
        return max(self.tries)

    @property
    def share(self) -> float:
        """How much of the whole was Airflow's own start-up, from 0 to 1."""
        return self.starting / self.whole

    @property
    def rest(self) -> float:
        return self.whole - self.starting


@dataclass(frozen=True)
class Life:
    """:param worked: whether the task was still at work when its worker had to go: only then was a worker drained."""

    phases: tuple[Phase, ...]
    worked: bool


@dataclass(frozen=True)
class Scene:
    """Where it happens: the bench's own service, a folder for playbooks, and how long the task takes."""

    demo: Demo
    folder: Path
    task_seconds: int
    server: repository.Server = field(repr=False)

    def run(self, module: str, state: str = "present", **options: Any) -> float:
        """One playbook with one task; seconds from its start to its end."""
        file = self.folder / "playbook.yml"
        tasks = [{f"scp.dataops.{module}": {"state": state, **options}}]
        # JSON is YAML; expressions in it are the inventory's variables.
        file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        log = Path(os.environ["CACHE"], "bench.log")
        begin = time.perf_counter()
        recap = run_playbook(str(file), ["--inventory", self.demo.inventory], log=log, waiting_for=self.demo.not_ready)
        seconds = time.perf_counter() - begin
        if not recap.changed:
            raise DemoError(f"{module} changed nothing, so there was nothing to measure.", f"Its output: {log}")
        return seconds

    def service(self, state: str = "present", **options: Any) -> float:
        return self.run("dataops_service", state, name=NAME, manager=MANAGER, **options)

    def make_manager(self) -> None:
        self.run(
            "dataops_manager",
            name=MANAGER,
            domain="{{ dataops_domain }}",
            image_registry="{{ dataops_image_registry }}",
            storage_class="{{ dataops_storage_class }}",
            node_selector="{{ dataops_node_selector }}",
            default_settings={
                "storage_class": "{{ dataops_storage_class }}",
                "node_selector": "{{ dataops_node_selector }}",
            },
        )

    def remove(self) -> None:
        """Service and Manager with all they had, also what a run left behind that was killed."""
        if self.demo.kube.get("Namespace", MANAGER) is None:
            return
        with step(f"Remove namespace {MANAGER}"):
            if self.pods() or self.demo.kube.list("ConfigMap", MANAGER, labels=selector(SERVICE, NAME)):
                self.service("absent", purge=True)
            self.run("dataops_manager", "absent", name=MANAGER, purge=True)
        if self.demo.kube.get("Namespace", MANAGER) is not None:
            raise DemoError(f"The namespace {MANAGER} is still there: something in it is not the bench's.")

    def publish(self) -> str:
        """Push the DAG; its commit."""
        content = self.folder / "repository"
        (content / "dags").mkdir(parents=True)
        (content / "dags" / f"{DAG}.py").write_text(DAG_SOURCE.format(seconds=self.task_seconds))
        return repository.publish(self.server, content).commit

    def pods(self) -> dict[str, Manifest]:
        """All pods of the service by their identity."""
        found = self.demo.kube.list("Pod", MANAGER, labels=selector(SERVICE, NAME))
        return {pod["metadata"]["uid"]: pod for pod in found}

    def phase(self, name: str, title: str, do: Callable[[], float]) -> Phase:
        """Do it, and look at which pods are new then."""
        say(f"{title} ...")
        before, begin = self.pods(), self.demo.kube.now()
        seconds = do()
        after = self.pods()
        new = [pod for uid, pod in after.items() if uid not in before]
        found = starts(new)
        starting = min(covered(found, begin, self.demo.kube.now()), seconds)
        say(f"{title}: done in {seconds:.1f} s")
        return Phase(name, title, (seconds,), tuple(found), starting, tuple(crashes(new)))

    def quick(self, name: str, title: str, options: Callable[[int], Mapping[str, Any]]) -> Phase:
        """Several tries of a change that must leave every pod alone."""
        with step(f"{title}, {QUICK_TRIES} times"):
            before = self.pods()
            tries = tuple(self.service(**options(number)) for number in range(1, QUICK_TRIES + 1))
        if lost := [pod["metadata"]["name"] for uid, pod in before.items() if uid not in self.pods()]:
            raise DemoError(f"{title} must restart nothing, and these pods are gone: {', '.join(lost)}.")
        return Phase(name, title, tries)

    def sign_in(self) -> Airflow:
        found = self.demo.read()
        if not found["hosts_file"]:
            raise DemoError("The service's Ingress has no address.", "Look at the Ingress Controller: make status")
        address, host = found["hosts_file"].split()
        account = decoded(self.demo.kube.get("Secret", found["account"]["secret"], MANAGER))
        return Airflow(address, host).sign_in(account["id"], account["password"])


def live(demo: Demo, task_seconds: int) -> Life:
    with scene(demo, task_seconds) as here:
        commit = here.publish()
        made = here.phase("create", "Create to healthy", lambda: here.service(**first_options()))
        airflow = here.sign_in()
        airflow.wait_for_dag(DAG, commit)
        changed, drained, worked = change(here, airflow)
        described = here.quick("description", "Another description", lambda number: {"description": f"Life {number}"})
        password = here.quick(
            "password", "Another password of git", lambda number: {"git_sync": {"password": f"bench-{number}"}}
        )
        stopped = here.phase("stop", "Stop", lambda: here.service("stopped"))
        started = here.phase("start", "Start again, to healthy", here.service)
    return Life((made, changed, drained, described, password, stopped, started), worked)


@contextmanager
def scene(demo: Demo, task_seconds: int) -> Iterator[Scene]:
    """A Manager of the bench's own; it goes at the end, however that comes, with all that is under it."""
    own = replace(demo, manager=MANAGER, namespace=MANAGER, service=NAME)
    server = replace(repository.find_server(demo.kube), path=REPOSITORY)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        here = Scene(own, Path(folder), task_seconds, server)
        here.remove()
        try:
            here.make_manager()
            yield here
        finally:
            here.remove()


def first_options() -> dict[str, Any]:
    """A service with one Celery worker. The repository is public: it is asked for no password, so any will do."""
    return {
        "executor": "CeleryExecutor",
        "storage_size": "1Gi",
        "wait_timeout": PATIENCE_SECONDS,
        "git_sync": {
            "repo": f"http://{repository.SERVER}.{repository.NAMESPACE}.svc{REPOSITORY}",
            "subdir": "dags",
            "interval": 5,
            "username": "bench",
            "password": "bench-0",
        },
        "worker": {**PART, "concurrency": 2},
        **dict.fromkeys(PARTS, PART),
    }


def change(here: Scene, airflow: Airflow) -> tuple[Phase, Phase, bool]:
    """An option is changed while the worker is at a task: until it is effective, and until the last old pod is gone."""
    run = f"/api/v2/dags/{DAG}/dagRuns/{begin_task(airflow)}"
    old = {uid for uid, pod in here.pods().items() if is_part(pod)}
    begin, clock = here.demo.kube.now(), time.perf_counter()
    changed = here.phase(
        "change", "Change one option to effective", lambda: here.service(config=OPTION, wait_timeout=PATIENCE_SECONDS)
    )
    wait_until("the end of the last old pod", lambda: named(here.pods(), old), PATIENCE_SECONDS)
    seconds = time.perf_counter() - clock
    starting = min(covered(changed.starts, begin, here.demo.kube.now()), seconds)
    title = "... until its old worker has gone"
    drained = replace(changed, name="drained", title=title, tries=(seconds,), starting=starting, crashed=())
    wait_until("the end of the task", lambda: unfinished(airflow, run), PATIENCE_SECONDS)
    task = airflow.ask("GET", f"{run}/taskInstances/{TASK}")
    if task["state"] != "success":
        raise DemoError(f"The task that ran during the change ended as {task['state']}.")
    told = [start.end for start in changed.starts if start.component == "worker"]
    if not told:
        raise DemoError("The change left the worker as it was, so none was drained.")
    # The old worker is told to go when its successor is ready.
    return changed, drained, moment(task["end_date"]) > max(told)


def begin_task(airflow: Airflow) -> str:
    """Start the DAG, wait until the worker is at its task; the identity of the run."""
    run = str(airflow.ask("POST", f"/api/v2/dags/{DAG}/dagRuns", {"logical_date": None})["dag_run_id"])
    where = f"/api/v2/dags/{DAG}/dagRuns/{run}/taskInstances/{TASK}"

    def waiting() -> str:
        state = (airflow.ask("GET", where, may_be_missing=True) or {}).get("state")
        return "" if state == "running" else f"it is {state or 'not there yet'}"

    wait_until("the task", waiting, PATIENCE_SECONDS)
    return run


def unfinished(airflow: Airflow, run: str) -> str:
    state = (airflow.ask("GET", run, may_be_missing=True) or {}).get("state")
    return "" if state in FINISHED else f"the run is {state or 'not to be seen'}"


def is_part(pod: Manifest) -> bool:
    """Whether it stands for longer than a Job."""
    return pod["metadata"]["labels"][COMPONENT] not in ("migration", "account", "database", "broker")


def named(pods: Mapping[str, Manifest], wanted: set[str]) -> str:
    """Names of those that are still there."""
    return ", ".join(sorted(pod["metadata"]["name"] for uid, pod in pods.items() if uid in wanted))
