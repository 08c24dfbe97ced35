# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service is stopped, started and restarted; executors are taken away only from nobody."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import labels
from ansible_collections.scp.dataops.plugins.module_utils.errors import Refused

from ..fake_kube import FakeKube
from ..runs import MANAGER, NAMESPACE, cluster, cluster_with_service, done, run

BOTH = "CeleryExecutor,KubernetesExecutor"
COMPONENTS = ["web-server", "scheduler", "dag-processor", "triggerer"]


def replicas(kube: FakeKube) -> dict[str, int]:
    found = [ref for ref in kube.refs(NAMESPACE) if ref.startswith(("Deployment/etl-", "StatefulSet/etl-"))]
    return {ref: kube.find(*ref.split("/"), NAMESPACE)["spec"]["replicas"] for ref in found}


def with_task(kube: FakeKube, phase: str = "Running") -> None:
    """A pod of the KubernetesExecutor."""
    marks = {**labels("airflow", "etl", MANAGER, "task"), "dag_id": "pipeline", "task_id": "work"}
    metadata = {"name": "pipeline-work-x1", "namespace": NAMESPACE, "labels": marks}
    kube.put({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}, "status": {"phase": phase}})


def test_stopped_takes_all_pods_and_keeps_everything_else() -> None:
    kube = cluster_with_service()
    before = kube.refs(NAMESPACE)
    outcome = run(kube, state="stopped")
    assert set(replicas(kube).values()) == {0}
    assert kube.refs(NAMESPACE) == before
    assert (outcome.details["state"], outcome.details["health"], outcome.restarted) == ("STOPPED", "stopped", ())


def test_components_stop_before_what_they_stand_on() -> None:
    kube = cluster_with_service()
    run(kube, state="stopped")
    writes = [line for line in kube.writes if "Deployment" in line or "StatefulSet" in line]
    assert writes[0] == "patch Deployment/etl-scheduler"
    assert writes[-1] == "apply StatefulSet/etl-database"


def test_stopped_twice_changes_nothing() -> None:
    kube = cluster_with_service()
    run(kube, state="stopped")
    kube.forget()
    assert done(run(kube, state="stopped")) == []
    assert kube.writes == []


def test_present_starts_it_again_and_runs_no_job_anew() -> None:
    kube = cluster_with_service()
    run(kube, state="stopped")
    kube.forget()
    outcome = run(kube)
    assert set(replicas(kube).values()) == {1}
    assert outcome.details["state"] == "RUNNING"
    assert [line for line in kube.writes if "Job" in line] == []


def test_what_is_asked_of_a_stopped_service_holds_from_its_next_start() -> None:
    kube = cluster_with_service()
    run(kube, state="stopped", web_server={"replicas": 3})
    assert replicas(kube)["Deployment/etl-web-server"] == 0
    run(kube)
    assert replicas(kube)["Deployment/etl-web-server"] == 3


def test_what_is_not_there_cannot_be_stopped() -> None:
    with pytest.raises(Refused, match=r"^service etl: it does not exist\. Create it with state: present\.$"):
        run(cluster(), state="stopped")


def test_restarted_gives_new_pods_to_all_once() -> None:
    kube = cluster_with_service()
    outcome = run(kube, state="restarted")
    assert list(outcome.restarted) == COMPONENTS
    assert done(outcome) == [f"update Deployment/etl-{name}" for name in COMPONENTS]
    kube.forget()
    assert done(run(kube)) == [], "a later run does not take the restart back"


def test_restarted_restarts_once_what_changes_anyway() -> None:
    kube = cluster_with_service()
    outcome = run(kube, state="restarted", scheduler={"memory": "3Gi"})
    assert sorted(outcome.restarted) == sorted(COMPONENTS)
    assert "patch Deployment/etl-scheduler" not in kube.writes


def test_restarted_in_check_mode_says_the_same_and_writes_nothing() -> None:
    kube = cluster_with_service()
    predicted = run(kube, state="restarted", check_mode=True)
    assert kube.writes == []
    assert (predicted.restarted, done(predicted)) == ((real := run(kube, state="restarted")).restarted, done(real))


EXECUTORS: dict[str, tuple[str, str, bool]] = {
    "one to the other": ("KubernetesExecutor", "CeleryExecutor", True),
    "one taken away": (BOTH, "CeleryExecutor", True),
    "one added": ("KubernetesExecutor", BOTH, False),
    "another first": (BOTH, "KubernetesExecutor,CeleryExecutor", False),
}


@pytest.mark.parametrize(("before", "after", "waits"), EXECUTORS.values(), ids=EXECUTORS.keys())
def test_only_an_executor_that_goes_is_waited_for(before: str, after: str, waits: bool) -> None:
    kube = cluster_with_service(executor=before)
    run(kube, executor=after)
    assert ("patch Deployment/etl-scheduler" in kube.writes) is waits
    assert replicas(kube)["Deployment/etl-scheduler"] == 1
    assert ("Deployment/etl-worker" in kube.refs(NAMESPACE)) is ("Celery" in after)


GOING: dict[str, dict[str, Any]] = {
    "executor": {"executor": "CeleryExecutor"},
    "stop": {"state": "stopped"},
}


@pytest.mark.parametrize("change", GOING.values(), ids=GOING.keys())
def test_a_task_that_does_not_end_stops_the_change_and_all_goes_on(change: dict[str, Any]) -> None:
    kube = cluster_with_service()
    with_task(kube)
    state = kube.state()
    sentence = (
        r"^service etl: 1 running task of the KubernetesExecutor after 0 s: pipeline\.work\. "
        r"Nothing was changed\. Wait until they have ended, or raise drain_timeout\.$"
    )
    with pytest.raises(Refused, match=sentence):
        run(kube, drain_timeout=0, **change)
    assert kube.state() == state


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_the_pod_of_a_finished_task_holds_nothing_up(phase: str) -> None:
    kube = cluster_with_service()
    with_task(kube, phase)
    assert run(kube, executor="CeleryExecutor").details["executor"] == "CeleryExecutor"
