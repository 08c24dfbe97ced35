# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers whose number an autoscaler chooses: what it is told, and that we never say a number beside it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, cast

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import autoscaling
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import EXECUTORS, ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, index

from .builders import SECRETS, named, rendered, service

BOTH = "CeleryExecutor,KubernetesExecutor"
WORKER = Ref("Deployment", "etl-worker", "data")


def scaled(executor: str = "CeleryExecutor", **asked: Any) -> ServiceSpec:
    return service(executor=executor, worker={"autoscaling": {"max_replicas": 5, **asked}})


def kinds(spec: ServiceSpec) -> set[str]:
    return {item["kind"] for item in rendered(spec).all} & set(autoscaling.KINDS)


KINDS: dict[str, tuple[ServiceSpec, set[str]]] = {
    "by default": (scaled(), {"HorizontalPodAutoscaler"}),
    "by KEDA": (scaled(type="keda"), {"ScaledObject", "TriggerAuthentication"}),
    "a number": (service(executor="CeleryExecutor", worker={"replicas": 3}), set()),
    "task pods": (service(), set()),
}


@pytest.mark.parametrize(("spec", "expected"), KINDS.values(), ids=KINDS.keys())
def test_who_scales(spec: ServiceSpec, expected: set[str]) -> None:
    assert kinds(spec) == expected


@pytest.mark.parametrize("kind", ["hpa", "keda"])
def test_no_number_beside_an_autoscaler(kind: str) -> None:
    found = rendered(scaled(type=kind)).all
    assert "replicas" not in named(found, "Deployment", "etl-worker")["spec"]
    assert named(found, "Deployment", "etl-scheduler")["spec"]["replicas"] == 1
    assert named(found, "PodDisruptionBudget", "etl-worker")
    both = service(executor="CeleryExecutor", worker={"replicas": 3, "autoscaling": {"max_replicas": 5, "type": kind}})
    assert "replicas" not in named(rendered(both).all, "Deployment", "etl-worker")["spec"]
    fixed = rendered(service(executor="CeleryExecutor", worker={"replicas": 3})).all
    assert named(fixed, "Deployment", "etl-worker")["spec"]["replicas"] == 3


def test_the_autoscaler_of_kubernetes() -> None:
    spec = named(rendered(scaled(min_replicas=2, cpu_percent=60)).all, "HorizontalPodAutoscaler", "etl-worker")["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "etl-worker"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 5)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 60


EXTERNAL = {"host": "db.example.com", "secret": "db-login", "username_key": "user", "ssl_mode": "require"}
LOGINS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, str]]] = {
    "embedded": (
        {},
        {"host": "etl-database.data.svc", "port": "5432", "dbName": "airflow", "sslmode": "disable"},
        {"password": "etl-database/password"},
    ),
    "external": (
        {"database": EXTERNAL},
        {"host": "db.example.com", "port": "5432", "dbName": "airflow", "sslmode": "require"},
        {"userName": "db-login/user", "password": "db-login/password"},
    ),
}


@pytest.mark.parametrize(("options", "address", "login"), LOGINS.values(), ids=LOGINS.keys())
def test_keda_signs_in_with_the_secret_that_is_there(
    options: dict[str, Any], address: dict[str, str], login: dict[str, str]
) -> None:
    worker = {"autoscaling": {"max_replicas": 5, "type": "keda"}}
    objects = autoscaling.manifests(service(executor="CeleryExecutor", worker=worker, **options))
    by_kind = {item["kind"]: item["spec"] for item in objects}
    (trigger,) = by_kind["ScaledObject"]["triggers"]
    assert address.items() <= trigger["metadata"].items()
    keys = by_kind["TriggerAuthentication"]["secretTargetRef"]
    assert {item["parameter"]: f"{item['name']}/{item['key']}" for item in keys} == login
    assert not any(value in json.dumps(objects) for value in SECRETS.database.values())


QUERIES = {
    "CeleryExecutor": "",
    BOTH: " AND (executor = 'CeleryExecutor' OR executor IS NULL)",
    "KubernetesExecutor,CeleryExecutor": " AND (executor = 'CeleryExecutor')",
}


@pytest.mark.parametrize(("executor", "mine"), QUERIES.items(), ids=QUERIES.keys())
def test_keda_counts_tasks_of_the_workers(executor: str, mine: str) -> None:
    assert executor in EXECUTORS
    assert autoscaling.query_of_workers(scaled(executor)) == (
        f"SELECT ceil(count(*)::decimal / 4) FROM task_instance WHERE state IN ('queued', 'running'){mine}"
    )


class Recorder:
    """Takes what is applied."""

    def __init__(self) -> None:
        self.applied: list[tuple[Manifest, str]] = []

    def apply(self, manifest: Manifest, *, manager: str) -> None:
        self.applied.append((manifest, manager))


def live(spec: ServiceSpec, replicas: int | None = None) -> dict[Ref, Manifest]:
    found = index(rendered(spec).all)
    if replicas is not None:
        found[WORKER]["spec"]["replicas"] = replicas
    return found


FIXED = service(executor="CeleryExecutor", worker={"replicas": 3})
HANDED: dict[str, tuple[ServiceSpec, dict[Ref, Manifest], list[int]]] = {
    "a new service": (scaled(), {}, []),
    "a number becomes an autoscaler's": (scaled(), live(FIXED), [3]),
    "it has been one": (scaled(), live(scaled(), 4), []),
    "a service that was stopped": (scaled(), live(FIXED, 0), []),
    "it stays a number": (FIXED, live(FIXED), []),
    "the autoscaler ends": (FIXED, live(scaled(), 4), []),
}


@pytest.mark.parametrize(("spec", "before", "kept"), HANDED.values(), ids=HANDED.keys())
def test_handed_over_once(spec: ServiceSpec, before: dict[Ref, Manifest], kept: list[int]) -> None:
    kube = Recorder()
    autoscaling.hand_over(cast(Kube, kube), spec, before)
    assert [manifest["spec"]["replicas"] for manifest, _manager in kube.applied] == kept
    assert {manager for _manifest, manager in kube.applied} <= {autoscaling.KEEPER}


def test_a_stopped_service_has_no_workers_and_no_autoscaler() -> None:
    stopped = dataclasses.replace(scaled(), running=False)
    assert kinds(stopped) == set()
    assert named(rendered(stopped).all, "Deployment", "etl-worker")["spec"]["replicas"] == 0
    assert named(rendered(stopped).all, "PodDisruptionBudget", "etl-worker")
    assert autoscaling.taken_back(stopped, live(scaled(), 4))


def test_taken_back_when_the_autoscaler_ends() -> None:
    assert autoscaling.taken_back(FIXED, live(scaled(), 4))
    assert autoscaling.taken_back(FIXED, live(scaled(type="keda"), 4))
    assert not autoscaling.taken_back(FIXED, live(FIXED))
    assert not autoscaling.taken_back(scaled(), live(scaled(), 4))
