# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service with all that says where pods run and what they reach, seen on real pods and from inside real tasks.

It has two schedulers, two web servers, task pods and workers, so one Airflow shows all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import CREATED_WITHIN_SECONDS, NAMESPACE, airflow_of, further
from driver import Driver, Result
from embedded import settings
from places import IN_CLUSTER_GIT_TLS, Airflow, GitServer, until

NAME = "placed"
PRIORITY = "e2e-placed"
REPOSITORY = f"{IN_CLUSTER_GIT_TLS}/public/placed.git"
TOLERATION = {"key": "e2e", "operator": "Exists", "effect": "NoSchedule"}
PREFERRED = {"weight": 1, "preference": {"matchExpressions": [{"key": "e2e", "operator": "DoesNotExist"}]}}
AFFINITY = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [PREFERRED]}}
# Nobody answers there: whatever is asked through it fails.
NOBODY = "http://127.0.0.1:9"
STORES = ("database", "broker")
DAG = '''
import os
import subprocess
import urllib.request

import pendulum
import requests
from airflow.sdk import dag, task

REPOSITORY = "{text}"
REFERENCES = REPOSITORY + "/info/refs?service=git-upload-pack"


def by_command(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode or done.stdout


def look():
    """What a task reaches; the certificate is of an authority that no image knows."""
    print("urllib says", urllib.request.urlopen(REFERENCES).status)
    print("requests says", requests.get(REFERENCES).status_code)
    print("curl says", by_command("curl", "-s", "-o", "/dev/null", "-w", "%{{http_code}}", REFERENCES))
    print("git says", by_command("git", "ls-remote", "-q", "--exit-code", REPOSITORY, "none"))
    print("proxy is", os.environ["https_proxy"])


@dag(dag_id="{dag_id}", schedule=None, start_date=pendulum.datetime(2026, 1, 1))
def pipeline():
    @task(executor="KubernetesExecutor")
    def pod():
        look()

    @task(executor="CeleryExecutor")
    def report():
        look()

    pod() >> report()


pipeline()
'''
SAID = ("urllib says 200", "requests says 200", "curl says 200", "git says 2", f"proxy is {NOBODY}")


def lean(cpu: str, **more: Any) -> dict[str, Any]:
    """Little is reserved: two of everything have to find their place beside the shared service."""
    return {"cpu": cpu, "memory": "256Mi", "memory_limit": "2Gi", **more}


@pytest.fixture(scope="module")
def placed(manager: Driver, driver: Driver, kube: Kube, git: GitServer) -> Iterator[Result]:
    git.push("public/placed.git", dag_id=NAME, text=REPOSITORY, source=DAG)
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": PRIORITY}}
    kube.apply({**priority, "value": 1000})
    options = {
        "executor": "KubernetesExecutor,CeleryExecutor",
        "git_sync": {"repo": REPOSITORY, "subdir": "dags", "interval": 5},
        "web_server": lean("20m", replicas=2),
        "scheduler": lean("20m", replicas=2, cpu_limit="1500m"),
        "dag_processor": lean("20m"),
        "triggerer": lean("20m"),
        "worker": lean("20m", concurrency=2, autoscaling={"max_replicas": 3}),
        "task_pod": lean("20m", memory="512Mi"),
        "tolerations": [TOLERATION],
        "affinity": AFFINITY,
        "priority_class": PRIORITY,
        "ca_certificates": git.ca,
        "egress_proxy": {"http": NOBODY, "https": NOBODY},
        "wait_timeout": CREATED_WITHIN_SECONDS * 2,
    }
    with further(driver, NAME, **options) as made:
        yield made
    kube.delete("PriorityClass", PRIORITY)


@pytest.fixture(scope="module")
def airflow(placed: Result, kube: Kube) -> Airflow:
    return airflow_of(kube, NAME)


def pods_of(kube: Kube) -> list[tuple[str, dict[str, Any]]]:
    """Component and spec of each pod of the service."""
    found = kube.list("Pod", NAMESPACE, labels=f"app.kubernetes.io/instance={NAME}")
    return [(pod["metadata"]["labels"]["app.kubernetes.io/component"], pod["spec"]) for pod in found]


def test_tasks_of_both_kinds_reach_a_server_of_their_own_authority(airflow: Airflow, kube: Kube) -> None:
    run = airflow.run_dag(NAME)
    seen = until(lambda: [spec for part, spec in pods_of(kube) if part == "task"], "the task's pod is there", 120)
    assert placed_as_asked(seen[0])
    assert airflow.finish(NAME, run) == "success"
    for task in ("pod", "report"):
        path = f"/dags/{NAME}/dagRuns/{run}/taskInstances/{task}/logs/1?full_content=true"
        log = str(airflow.ask("GET", path)["content"])
        assert [line for line in SAID if line not in log] == [], task


def placed_as_asked(pod: dict[str, Any]) -> bool:
    return (
        TOLERATION in pod["tolerations"]
        and pod["affinity"] == AFFINITY
        and pod["priorityClassName"] == PRIORITY
        and pod["priority"] == 1000
    )


def test_every_pod_is_placed_and_connected(placed: Result, kube: Kube) -> None:
    found = pods_of(kube)
    expected = {"web-server", "scheduler", "dag-processor", "triggerer", "worker", "migration", "account", *STORES}
    assert {part for part, _spec in found} >= expected
    assert [part for part, spec in found if not placed_as_asked(spec)] == []
    for part, spec in found:
        containers = [*spec.get("initContainers", []), *spec["containers"]]
        variables = [{variable["name"] for variable in item.get("env", [])} for item in containers]
        others = [names for names in variables if "AUTHORITIES" not in names]
        wanted = {"SSL_CERT_FILE", "https_proxy", "NO_PROXY"}
        assert [wanted <= names for names in others] == [part not in STORES] * len(others), part


def test_two_schedulers_and_two_web_servers_are_ready(placed: Result) -> None:
    parts = placed["service"]["components"]
    assert {part: parts[part]["ready"] for part in ("scheduler", "web-server")} == {"scheduler": 2, "web-server": 2}


def test_limits_are_those_asked_for(placed: Result, kube: Kube) -> None:
    resources = {part: spec["containers"][0]["resources"] for part, spec in pods_of(kube)}
    assert resources["scheduler"]["limits"] == {"cpu": "1500m", "memory": "2Gi"}
    assert resources["scheduler"]["requests"] == {"cpu": "20m", "memory": "256Mi"}
    assert resources["worker"]["limits"] == {"memory": "2Gi"}


def workers(kube: Kube) -> int:
    deployment = kube.get("Deployment", f"{NAME}-worker", NAMESPACE)
    assert deployment
    return int(deployment["spec"]["replicas"])


def test_no_run_undoes_what_an_autoscaler_chose(placed: Result, driver: Driver, kube: Kube) -> None:
    driver.service(NAME, worker={"autoscaling": {"min_replicas": 2}})
    until(lambda: workers(kube) == 2, "the autoscaler has added a worker", 90)
    done = driver.service(NAME, description="other", worker={"autoscaling": {"min_replicas": 1}})
    assert done["restarted"] == []
    assert not any("Deployment" in line for line in done["actions"])
    assert workers(kube) == 2
    assert driver.service(NAME)["changed"] is False
    fixed = driver.service(NAME, worker={"autoscaling": {}, "replicas": 1})
    assert any(line == f"delete HorizontalPodAutoscaler/{NAME}-worker" for line in fixed["actions"])
    assert fixed["restarted"] == []
    assert workers(kube) == 1
    assert driver.service(NAME)["changed"] is False


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "priority class": ({"priority_class": "nobody"}, "priority_class: priority class 'nobody' does not exist"),
    "pull secret": ({"image_pull_secrets": ["nobody"]}, "image_pull_secrets: Secret 'nobody' does not exist"),
    "affinity": ({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": 1}}}, "affinity"),
    "image with another Airflow": (
        {"image": f"{settings.REGISTRY}/apache/airflow:2.11.2"},
        "has Airflow 2.11.2, and version is 3.3",
    ),
    "keda": ({"worker": {"autoscaling": {"max_replicas": 2, "type": "keda"}}}, "does not have KEDA"),
}


@pytest.mark.parametrize(("options", "words"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_refused_before_anything_restarts(
    placed: Result, driver: Driver, kube: Kube, options: dict[str, Any], words: str
) -> None:
    before = {item["metadata"]["name"]: item["metadata"]["generation"] for item in deployments(kube)}
    assert words in driver.refused("dataops_service", name=NAME, **options)
    assert {item["metadata"]["name"]: item["metadata"]["generation"] for item in deployments(kube)} == before


def deployments(kube: Kube) -> list[dict[str, Any]]:
    return kube.list("Deployment", NAMESPACE, labels=f"app.kubernetes.io/instance={NAME}")
