# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody changed, deleted or left is named by object and field, and never by value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import info
from ansible_collections.scp.dataops.plugins.module_utils.airflow.drift import fields
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import SERVICE
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import labels as service_labels
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

from ..fake_kube import FakeKube, cluster_object
from ..runs import MANAGER, NAMESPACE, cluster_with_service, run

GIT: dict[str, Any] = {
    "repo": "https://git.example.com/team/dags.git",
    "username": "deploy",
    "password": "SENTINEL-token",
}


def nothing(kube: FakeKube) -> None:
    pass


def other_memory(kube: FakeKube) -> None:
    scheduler = kube.find("Deployment", "etl-scheduler", NAMESPACE)
    scheduler["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["memory"] = "77Mi"
    kube.put(scheduler)


def other_configuration(kube: FakeKube) -> None:
    config = kube.find("ConfigMap", "etl-config", NAMESPACE)
    config["data"]["airflow.cfg"] = "[core]\nSENTINEL = SENTINEL"
    kube.put(config)


def other_secret(kube: FakeKube) -> None:
    secret = kube.find("Secret", "etl-git", NAMESPACE)
    secret["data"]["gitconfig"] = "U0VOVElORUw="
    kube.put(secret)


def no_web_server(kube: FakeKube) -> None:
    kube.remove("Deployment", "etl-web-server", NAMESPACE)


def migration(kube: FakeKube) -> Manifest:
    (found,) = kube.list("Job", NAMESPACE, labels="app.kubernetes.io/component=migration")
    return found


def no_migration(kube: FakeKube) -> None:
    kube.remove("Job", migration(kube)["metadata"]["name"], NAMESPACE)


def failed_migration(kube: FakeKube) -> None:
    kube.put({**migration(kube), "status": {"conditions": [{"type": "Failed", "status": "True"}]}})


def a_service_of_before(kube: FakeKube) -> None:
    labels = service_labels(SERVICE, "etl", MANAGER, "old")
    kube.put(cluster_object("Service", "etl-old", metadata={"namespace": NAMESPACE, "labels": labels}, spec={}))


def stopped(kube: FakeKube) -> None:
    run(kube, state="stopped")


def keys_are_gone(kube: FakeKube) -> None:
    kube.remove("Secret", "etl-keys", NAMESPACE)


IN_SCHEDULER = "spec.template.spec.containers[scheduler].resources.requests.memory"
DRIFT: dict[str, tuple[Callable[[FakeKube], None], list[tuple[str, str, list[str]]]]] = {
    "nothing": (nothing, []),
    "a stopped service is as it was asked to be": (stopped, []),
    "a size": (other_memory, [("Deployment/etl-scheduler", "changed", [IN_SCHEDULER])]),
    "a file": (other_configuration, [("ConfigMap/etl-config", "changed", ["data[airflow.cfg]"])]),
    "a secret": (other_secret, [("Secret/etl-git", "changed", ["data.gitconfig"])]),
    "a Job that is gone": (no_migration, [("Job/etl-migration", "missing", [])]),
    "a Job that failed": (failed_migration, [("Job/etl-migration", "failed", [])]),
    "missing": (no_web_server, [("Deployment/etl-web-server", "missing", [])]),
    "left over": (a_service_of_before, [("Service/etl-old", "left over", [])]),
    "what cannot be compared": (keys_are_gone, [("PersistentVolumeClaim/etl-database", "not compared", [])]),
}


@pytest.mark.parametrize(("change", "expected"), DRIFT.values(), ids=DRIFT.keys())
def test_drift(change: Callable[[FakeKube], None], expected: list[tuple[str, str, list[str]]]) -> None:
    kube = cluster_with_service(git_sync=GIT)
    change(kube)
    kube.forget()
    (found,) = info.services_info(kube, NAMESPACE, MANAGER, more=info.More(drift=True))
    assert [(line["object"], line["difference"], line["fields"]) for line in found["drift"]] == expected
    assert kube.writes == []
    assert "SENTINEL" not in json.dumps(found)
    assert "U0VOVElORUw" not in json.dumps(found)


def test_what_cannot_be_compared_says_why() -> None:
    kube = cluster_with_service()
    keys_are_gone(kube)
    (found,) = info.services_info(kube, NAMESPACE, MANAGER, more=info.More(drift=True))
    assert "its Secret etl-keys is not" in found["drift"][0]["reason"]


def test_not_asked_for_it_costs_nothing() -> None:
    kube = cluster_with_service()
    (found,) = info.services_info(kube, NAMESPACE, MANAGER)
    assert found.keys().isdisjoint({"drift", "task"})
    assert kube.log == []


FIELDS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "same": ({"a": 1}, {"a": 1}, []),
    "a value": ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b"]),
    "a key that came or went": ({"a": {"b": 1}}, {"a": {"c": 2}}, ["a.b", "a.c"]),
    "an item by its name": (
        {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]},
        {"env": [{"name": "B", "value": "2"}]},
        ["env[A]", "env[B].value"],
    ),
    "an item by its place": ({"args": ["a", "b"]}, {"args": ["a", "c"]}, ["args[1]"]),
    "a key with a dot": ({"data": {"airflow.cfg": "a"}}, {"data": {"airflow.cfg": "b"}}, ["data[airflow.cfg]"]),
    "another kind of value": ({"a": [1]}, {"a": {"b": 1}}, ["a"]),
}


@pytest.mark.parametrize(("before", "after", "expected"), FIELDS.values(), ids=FIELDS.keys())
def test_fields(before: dict[str, Any], after: dict[str, Any], expected: list[str]) -> None:
    assert list(fields(before, after)) == expected
