# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: a service is created, runs DAGs from git, and every change restarts only what it must."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import DAG_ID, NAMESPACE, SERVICE
from driver import Audit, Driver, Result
from places import IN_CLUSTER_GIT, Airflow, GitServer, until

COMPONENTS = ["web-server", "scheduler", "dag-processor", "triggerer"]
UNCHANGED_REQUESTS = 15


def pods(kube: Kube) -> dict[str, str]:
    """UID of the pod of each component (one replica each)."""
    found = kube.list("Pod", NAMESPACE, labels=f"app.kubernetes.io/instance={SERVICE}")
    living = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
    by_component = {pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod for pod in living}
    return {part: by_component[part]["metadata"]["uid"] for part in COMPONENTS}


def predicted_and_done(driver: Driver, audit: Audit, **options: Any) -> dict[str, Any]:
    """Check mode writes nothing and says exactly what the run then reports; a third run changes nothing."""
    position = audit.position()
    check = driver.service(SERVICE, check=True, **options)
    assert audit.writes_since(position, NAMESPACE) == []
    real = driver.service(SERVICE, **options)
    again = driver.service(SERVICE, **options)
    for key in ("changed", "actions", "restarted"):
        assert check[key] == real[key]
    assert again["changed"] is False and again["actions"] == []
    return real.values


def test_check_mode_on_an_empty_cluster_says_what_the_runs_then_do(
    predicted: dict[str, Result], created_manager: Result, created_service: Result
) -> None:
    for check, real in ((predicted["manager"], created_manager), (predicted["service"], created_service)):
        assert not check.failed, check.message
        for key in ("changed", "actions", "restarted"):
            assert check[key] == real[key]


def test_a_created_service_is_healthy(service: Driver, airflow: Airflow) -> None:
    found = service.run("dataops_service_info", name=SERVICE)["services"][0]
    assert (found["state"], found["health"], found["reasons"]) == ("RUNNING", "healthy", [])
    assert set(found["airflow"].values()) == {"healthy"}
    assert DAG_ID in until(airflow.dags, "the DAG list is readable", 60)


def test_a_dag_runs_and_its_log_stays_readable(airflow: Airflow, kube: Kube) -> None:
    run = airflow.run_dag(DAG_ID)
    assert airflow.finish(DAG_ID, run) == "success"
    label = f"app.kubernetes.io/instance={SERVICE},app.kubernetes.io/component=task"
    until(lambda: not kube.list("Pod", NAMESPACE, labels=label), "the task's pod is gone", 60)
    assert "text of this commit: first" in airflow.log(DAG_ID, run)


def test_an_unchanged_service_costs_few_requests_and_no_write(service: Driver, audit: Audit) -> None:
    position = audit.position()
    assert service.service(SERVICE)["changed"] is False
    asked = [entry for entry in audit.since(position) if entry.get("objectRef", {}).get("namespace") == NAMESPACE]
    assert audit.writes(asked) == []
    assert 0 < len(asked) <= UNCHANGED_REQUESTS, [entry["requestURI"] for entry in asked]


def test_a_description_restarts_nothing(service: Driver, kube: Kube, audit: Audit) -> None:
    before = pods(kube)
    done = predicted_and_done(service, audit, description="Nightly loads", tags={"team": "analytics"})
    assert done["actions"] == [f"update ConfigMap/{SERVICE}-record"]
    assert done["restarted"] == [] and pods(kube) == before


def test_a_larger_worker_restarts_the_scheduler_only(service: Driver, kube: Kube, audit: Audit) -> None:
    before = pods(kube)
    done = predicted_and_done(service, audit, worker={"memory": "800Mi"})
    assert done["restarted"] == ["scheduler"]
    assert [part for part, uid in pods(kube).items() if uid != before[part]] == ["scheduler"]


def test_a_host_alias_reaches_tasks_and_a_running_task_finishes(
    service: Driver, airflow: Airflow, audit: Audit
) -> None:
    running = airflow.run_dag(DAG_ID, seconds=100)
    until(lambda: airflow.task_state(DAG_ID, running) == "running", "the task runs", 120)
    alias = [{"ip": "10.99.0.7", "hostnames": ["warehouse.internal"]}]
    done = predicted_and_done(service, audit, host_aliases=alias)
    assert done["restarted"] == COMPONENTS
    assert airflow.finish(DAG_ID, running) == "success"
    assert "alias does not resolve" in airflow.log(DAG_ID, running)
    later = airflow.run_dag(DAG_ID)
    assert airflow.finish(DAG_ID, later) == "success"
    assert "alias resolves to 10.99.0.7" in airflow.log(DAG_ID, later)


def test_a_new_commit_runs_within_its_interval(service: Driver, airflow: Airflow, git: GitServer) -> None:
    commit = git.push("public/e2e.git", dag_id=DAG_ID, text="second")

    def running() -> bool:
        found = service.run("dataops_service_info", name=SERVICE)["services"][0]
        return bool(found["git"]["commit"] == commit)

    until(running, "the new commit runs", 60)
    run = airflow.run_dag(DAG_ID)
    assert airflow.finish(DAG_ID, run) == "success"
    assert "text of this commit: second" in airflow.log(DAG_ID, run)


def test_a_repository_with_a_password(
    service: Driver, airflow: Airflow, git: GitServer, audit: Audit, kube: Kube
) -> None:
    git.push("private/e2e.git", dag_id="e2e_private", text="private")
    source = {"repo": f"{IN_CLUSTER_GIT}/private/e2e.git", "username": git.user, "password": git.password}
    done = predicted_and_done(service, audit, git_sync=source)
    assert done["restarted"] == ["dag-processor"]
    run = airflow.run_dag("e2e_private")
    assert airflow.finish("e2e_private", run) == "success"
    record = kube.get("ConfigMap", f"{SERVICE}-record", NAMESPACE)
    assert git.password not in str(record)
    assert git.password not in airflow.log("e2e_private", run)


def test_two_web_servers_and_back(service: Driver, audit: Audit) -> None:
    done = predicted_and_done(service, audit, web_server={"replicas": 2})
    assert done["restarted"] == []
    assert done["service"]["components"]["web-server"]["ready"] == 2
    done = predicted_and_done(service, audit, web_server={"replicas": 1})
    assert f"delete PodDisruptionBudget/{SERVICE}-web-server" in done["actions"]


def test_a_new_password_is_taken_and_the_former_account_locked(service: Driver, airflow: Airflow, audit: Audit) -> None:
    password = "New-passw0rd!"
    done = predicted_and_done(service, audit, account={"id": "operator", "password": password})
    assert done["restarted"] == []
    assert done["service"]["account"]["id"] == "operator"
    former = Airflow(airflow.address, airflow.host, airflow.account, airflow.password)
    changed = Airflow(airflow.address, airflow.host, "operator", password)
    changed.sign_in()
    assert changed.token
    with pytest.raises(AssertionError, match=" 401 "):
        former.sign_in()
