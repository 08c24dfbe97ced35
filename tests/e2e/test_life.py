# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one service, in this order: made with Airflow 2.11, upgraded, given other executors, stopped, started.

At each step a task runs, and it ends with success. Files of each kind are there before the service, and stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import content
import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import NEWEST
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import DAG_ID, MANAGER, NAMESPACE, airflow_of, further
from content import SEEN, seen
from driver import Audit, Driver, Result
from places import IN_CLUSTER_GIT, Airflow, GitServer, until

NAME = "veteran"
# Longer than any of the changes takes to reach the point at which it waits for tasks.
TASK_SECONDS = 25
BOTH = "CeleryExecutor,KubernetesExecutor"
COMPONENTS = ["web-server", "scheduler", "dag-processor", "triggerer"]


@contextmanager
def new_services_of(version: str, manager: Driver) -> Iterator[None]:
    """They are of the newest version again afterwards."""
    try:
        assert manager.run("dataops_manager", **MANAGER, version=version)["changed"]
        yield
    finally:
        done = manager.run("dataops_manager", **MANAGER, version=NEWEST)
        assert not done.failed, done.message


@pytest.fixture(scope="module")
def made(manager: Driver, driver: Driver, git: GitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    content.uploaded(driver, NAME, tmp_path_factory.mktemp("wheel"))
    git.push("public/e2e-life.git", dag_id=DAG_ID, text="first")
    git.push("public/e2e-life.git", dag_id=content.DAG_ID, text="seen", source=content.DAG)
    repository = {"repo": f"{IN_CLUSTER_GIT}/public/e2e-life.git", "subdir": "dags", "interval": 5}
    worker = {"cpu": "20m", "memory": "384Mi", "memory_limit": "2Gi", "concurrency": 2}
    options = {"executor": "CeleryExecutor", "worker": worker, "git_sync": repository}
    # It has its version from the Manager, and keeps it.
    with new_services_of("2.11", manager), further(driver, NAME, **options, wait_timeout=400) as done:
        yield done


@pytest.fixture(scope="module")
def history(made: Result, kube: Kube) -> str:
    """A run of the DAG with Airflow 2.11."""
    airflow = airflow_of(kube, NAME, "2.11")
    run = airflow.run_dag(DAG_ID)
    assert airflow.finish(DAG_ID, run) == "success"
    return run


@pytest.fixture(scope="module")
def upgraded(history: str, driver: Driver, kube: Kube, audit: Audit) -> Result:
    """The upgrade, begun while a task runs."""
    airflow = airflow_of(kube, NAME, "2.11")
    airflow.run_dag(DAG_ID, seconds=TASK_SECONDS)
    until(lambda: running(airflow), "the task runs", 120)
    position = audit.position()
    check = driver.service(NAME, check=True, version="3.3")
    assert audit.writes_since(position, NAMESPACE) == []
    real = driver.service(NAME, version="3.3", wait_timeout=600)
    assert (check["actions"], check["restarted"]) == (real["actions"], real["restarted"])
    return real


@pytest.fixture(scope="module")
def airflow(upgraded: Result, kube: Kube) -> Airflow:
    return airflow_of(kube, NAME)


def running(airflow: Airflow) -> bool:
    found = airflow.ask("GET", f"/dags/{DAG_ID}/dagRuns/~/taskInstances?state=running")
    return bool(found["total_entries"])


def states(airflow: Airflow) -> dict[str, str]:
    """States of all runs of the DAG, by run."""
    found = airflow.ask("GET", f"/dags/{DAG_ID}/dagRuns?limit=100")["dag_runs"]
    return {run["dag_run_id"]: run["state"] for run in found}


def workers(kube: Kube) -> list[str]:
    """Workers that are not on their way out."""
    labels = f"app.kubernetes.io/instance={NAME},app.kubernetes.io/component=worker"
    pods = kube.list("Pod", NAMESPACE, labels=labels)
    return [pod["metadata"]["uid"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def begin(airflow: Airflow, seconds: int = TASK_SECONDS) -> str:
    """A run whose task has begun."""
    run = airflow.run_dag(DAG_ID, seconds=seconds)
    until(lambda: airflow.task_state(DAG_ID, run) == "running", "the task runs", 180)
    return run


def test_airflow_2_runs_dags_with_celery(history: str, made: Result) -> None:
    assert (made["service"]["version"], made["service"]["executor"]) == ("2.11.2", "CeleryExecutor")
    assert made["service"]["components"]["worker"]["ready"] == 1


def test_airflow_2_uses_what_was_uploaded(made: Result, kube: Kube) -> None:
    assert seen(airflow_of(kube, NAME, "2.11")) == SEEN


def test_the_upgrade_waits_for_tasks_and_keeps_the_history(upgraded: Result, airflow: Airflow, history: str) -> None:
    assert upgraded["service"]["version"] == "3.3.2"
    assert upgraded["restarted"] == [*COMPONENTS, "worker"]
    said = " ".join(upgraded["timeline"])
    assert "waiting for 1 running task" in said
    assert "copied into volume" in said
    found = states(airflow)
    assert history in found
    assert set(found.values()) == {"success"}
    assert "text of this commit" in airflow.log(DAG_ID, history)


def test_the_new_version_runs_dags(airflow: Airflow) -> None:
    run = airflow.run_dag(DAG_ID)
    assert airflow.finish(DAG_ID, run) == "success"
    assert "text of this commit" in airflow.log(DAG_ID, run)
    assert seen(airflow) == SEEN


def test_back_is_refused(upgraded: Result, driver: Driver) -> None:
    assert "Airflow 3.3 cannot become 2.11" in driver.refused("dataops_service", name=NAME, version="2.11")


def test_a_worker_is_replaced_when_its_task_has_ended(
    upgraded: Result, driver: Driver, airflow: Airflow, kube: Kube
) -> None:
    before = workers(kube)
    run = begin(airflow)
    done = driver.service(NAME, worker={"concurrency": 3})
    assert done["restarted"] == ["scheduler", "worker"]
    assert not set(workers(kube)) & set(before)
    assert airflow.finish(DAG_ID, run) == "success"


def test_a_second_executor_takes_nothing_from_the_first(upgraded: Result, driver: Driver, airflow: Airflow) -> None:
    run = begin(airflow)
    assert driver.service(NAME, executor=BOTH)["service"]["executor"] == BOTH
    assert airflow.finish(DAG_ID, run) == "success"


def test_an_executor_goes_when_its_tasks_have_ended(upgraded: Result, driver: Driver, airflow: Airflow) -> None:
    # It has to outlive the end of the scheduler, after which the change is refused.
    run = begin(airflow, 80)
    # Cleared, because pods of tasks have no concurrency.
    change = {"executor": "KubernetesExecutor", "worker": {}}
    message = driver.refused("dataops_service", name=NAME, drain_timeout=1, **change)
    assert "1 running task of the CeleryExecutor after 1 s" in message
    done = driver.service(NAME, drain_timeout=300, **change)
    assert airflow.finish(DAG_ID, run) == "success"
    assert "worker" not in done["service"]["components"]
    later = airflow.run_dag(DAG_ID)
    assert airflow.finish(DAG_ID, later) == "success"


def test_stopped_and_started_with_everything(upgraded: Result, driver: Driver, airflow: Airflow, kube: Kube) -> None:
    run = begin(airflow)
    stopped = driver.service(NAME, state="stopped")
    assert (stopped["service"]["state"], stopped["service"]["health"]) == ("STOPPED", "stopped")
    labels = f"app.kubernetes.io/instance={NAME}"
    found = kube.list("Pod", NAMESPACE, labels=labels)
    assert [pod["metadata"]["name"] for pod in found if pod["status"]["phase"] == "Running"] == []
    assert driver.service(NAME, state="stopped")["changed"] is False
    started = driver.service(NAME)
    assert started["service"]["state"] == "RUNNING"
    assert states(airflow)[run] == "success"


def test_restarted_gives_new_pods_to_all(upgraded: Result, driver: Driver, airflow: Airflow) -> None:
    assert driver.service(NAME, state="restarted")["restarted"] == COMPONENTS
    assert driver.service(NAME)["changed"] is False
