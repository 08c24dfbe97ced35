# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a service is described: from its objects, and from what Airflow says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import details, info, status
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.common import owner
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import SERVICE as SERVICE_KIND
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import labels as service_labels
from ansible_collections.scp.dataops.plugins.module_utils.errors import Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest
from ansible_collections.scp.dataops.plugins.module_utils.kube.verdicts import Verdict
from ansible_collections.scp.dataops.plugins.module_utils.manager.info import ingress_info, manager_info

from ..fake_kube import FakeKube, cluster_object
from ..runs import MANAGER, NAMESPACE, cluster, cluster_with_service, run
from .builders import EXTERNAL, full, service

GIT: dict[str, Any] = {"repo": "https://git.example.com/team/dags.git"}

STATES: dict[str, tuple[list[str], str]] = {
    "all ready": (["ready", "ready"], "RUNNING"),
    "one waits": (["ready", "waiting"], "UPDATING"),
    "one failed": (["waiting", "failed"], "ERROR"),
}


@pytest.mark.parametrize(("states", "expected"), STATES.values(), ids=STATES.keys())
def test_state(states: list[Any], expected: str) -> None:
    assert status.state([Verdict(state) for state in states]) == expected


def test_a_service_that_is_not_there() -> None:
    described = status.describe(service(), {})
    assert (described["state"], described["health"], described["hosts_file"]) == ("ERROR", "unhealthy", "")
    assert described["reasons"] == [
        f"{part}: it does not exist" for part in ("web-server", "scheduler", "dag-processor", "triggerer", "database")
    ]
    assert described["components"]["scheduler"] == {"state": "failed", "ready": 0, "wanted": 0}


def using_plugins(**options: Any) -> FakeKube:
    kube = cluster_with_service(**options)
    data = {"_all": json.dumps({"plugins": "p1", "requirements": "r1"})}
    kube.put(cluster_object("ConfigMap", owner.PUBLISHED, metadata={"namespace": NAMESPACE}, data=data))
    run(kube)
    return kube


def test_uploaded_files_that_are_used() -> None:
    (found,) = info.services_info(cluster_with_service(), NAMESPACE, MANAGER)
    assert found["files"] == {"plugins": "", "libraries": ""}
    (found,) = info.services_info(using_plugins(), NAMESPACE, MANAGER)
    assert found["files"]["plugins"] == "p1"
    assert len(found["files"]["libraries"]) == 10
    assert (found["health"], found["reasons"]) == ("healthy", [])


def test_a_plugin_that_could_not_be_loaded_is_no_health() -> None:
    kube = using_plugins()
    kube.plugin_errors = {"bad.py": "no module x", "again.py": "Plugin 'a' already registered, skipping"}
    (found,) = info.services_info(kube, NAMESPACE, MANAGER)
    assert found["health"] == "unhealthy"
    assert found["reasons"] == ["a plugin could not be loaded: bad.py: no module x"]
    run(kube, state="stopped")
    (found,) = info.services_info(kube, NAMESPACE, MANAGER)
    assert (found["health"], found["reasons"]) == ("stopped", [])


def test_who_cannot_be_asked_for_plugins_is_not() -> None:
    for kube in (cluster_with_service(), using_plugins(version="2.11")):
        kube.forget()
        info.services_info(kube, NAMESPACE, MANAGER)
        assert not [path for _method, path, *_rest in kube.asked_airflow if "importErrors" in path]


def test_what_was_asked_for_is_told() -> None:
    described = status.describe(full(), {})
    assert described["git_sync"] == {
        "mode": "bundle",
        "repo": "https://git.example.com/team/dags.git",
        "ref": "v1.2",
        "subdir": "dags",
        "interval": 30,
        "depth": 1,
        "submodules": False,
        "username": "deploy",
        "known_hosts": "",
        "ca": "",
        "repositories": [],
    }
    assert described["host_aliases"] == [{"ip": "10.0.0.5", "hostnames": ["warehouse.internal"]}]
    assert described["account"] == {"id": "operator", "secret": "etl-account", "key": "password"}
    assert described["version"] == "3.3.2"


def test_info_of_a_running_service() -> None:
    kube = cluster_with_service(git_sync=GIT)
    kube.airflow_dags = {"a": "3f0e5c1", "b": "3f0e5c1", "c": "0000000", "d": None}
    (found,) = info.services_info(kube, NAMESPACE, MANAGER)
    assert (found["name"], found["state"], found["health"], found["reasons"]) == ("etl", "RUNNING", "healthy", [])
    assert found["airflow"]["scheduler"] == "healthy"
    assert (found["git"]["repo"], found["git"]["ref"], found["git"]["error"]) == (GIT["repo"], "main", "")
    assert found["git"]["commit"] == "3f0e5c1"
    assert found["git"]["dags"] == {"a": "3f0e5c1", "b": "3f0e5c1", "c": "0000000", "d": ""}
    assert [item["name"] for item in found["git"]["repositories"]] == ["dags"]
    assert kube.writes == []
    assert "SENTINEL" not in json.dumps(found)


def test_info_of_all_services_in_order() -> None:
    kube = cluster_with_service()
    run(kube, "another")
    assert [item["name"] for item in info.services_info(kube, NAMESPACE, MANAGER)] == ["another", "etl"]
    assert [item["name"] for item in info.services_info(kube, NAMESPACE, MANAGER, "etl")] == ["etl"]


def test_info_of_nothing() -> None:
    assert info.services_info(cluster(), NAMESPACE, MANAGER) == []
    assert info.services_info(FakeKube(), NAMESPACE, MANAGER) == []
    assert info.services_info(cluster_with_service(), NAMESPACE, MANAGER, "other") == []


def test_info_says_what_airflow_says() -> None:
    kube = cluster_with_service()
    kube.health = {"metadatabase": "healthy", "scheduler": "unhealthy", "triggerer": "healthy"}
    (found,) = info.services_info(kube, NAMESPACE, MANAGER)
    assert (found["state"], found["health"]) == ("RUNNING", "unhealthy")
    assert found["reasons"] == ["Airflow reports scheduler: unhealthy"]


def airflow_is_silent(kube: FakeKube) -> None:
    kube.health = None


def account_is_gone(kube: FakeKube) -> None:
    kube.remove("Secret", "etl-account", NAMESPACE)


ERRORS: dict[str, tuple[Callable[[FakeKube], None], str]] = {
    "Airflow does not answer": (
        airflow_is_silent,
        "etl-web-server: Airflow does not answer (status 503).",
    ),
    "its account is gone": (account_is_gone, "etl-web-server: the Secret of its account is missing."),
}


@pytest.mark.parametrize(("before", "error"), ERRORS.values(), ids=ERRORS.keys())
def test_info_says_why_the_commit_is_not_known(before: Callable[[FakeKube], None], error: str) -> None:
    kube = cluster_with_service(git_sync=GIT)
    before(kube)
    (found,) = info.services_info(kube, NAMESPACE, MANAGER)
    assert (found["git"]["commit"], found["git"]["error"]) == ("", error)


def test_info_of_a_service_without_address_in_an_unclear_cluster() -> None:
    kube = cluster_with_service()
    kube.remove("Ingress", "etl", NAMESPACE)
    kube.put(cluster_object("IngressClass", "nginx", spec={"controller": "k8s.io/ingress-nginx"}))
    (found,) = info.services_info(kube, NAMESPACE, MANAGER)
    assert found["hosts_file"] == ""


def test_info_of_another_managers_namespace() -> None:
    with pytest.raises(Refused, match="namespace data belongs to Manager 'analytics'"):
        info.services_info(cluster(), NAMESPACE, "marketing")


# The Manager


def test_manager_info() -> None:
    kube = cluster_with_service()
    found = manager_info(kube, NAMESPACE, MANAGER)
    assert (found["state"], found["services"], found["domain"]) == ("RUNNING", ["etl"], "example.com")
    assert manager_info(FakeKube(), NAMESPACE, MANAGER) == {}
    assert kube.writes == []


def test_ingress_info() -> None:
    found = ingress_info(cluster_with_service())
    assert found == {
        "controllers": [
            {
                "controller": "projectcontour.io/ingress-controller",
                "classes": ["contour"],
                "default": False,
                "addresses": ["10.0.0.10"],
            }
        ],
        "not_checked": [],
    }


def test_ingress_info_without_the_right() -> None:
    kube = FakeKube()
    kube.forbid("list", "IngressClass")
    assert ingress_info(kube)["not_checked"] == [
        "ingress controller: user jane may not list ingressclasses.networking.k8s.io in the cluster"
    ]


# Pods, addresses, and what a service uses


def pod(component: str, name: str, *, ready: bool = True, restarts: int = 0) -> Manifest:
    labels = service_labels(SERVICE_KIND, "etl", MANAGER, component)
    status: dict[str, Any] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [
            {"name": component, "ready": ready, "restartCount": restarts, "state": {"running": {}}},
        ],
    }
    return cluster_object(
        "Pod",
        name,
        metadata={"namespace": NAMESPACE, "labels": labels},
        spec={"nodeName": "one", "containers": [{"name": component, "image": "apache/airflow:3.3.2"}]},
        status=status,
    )


def test_every_pod_of_every_component_by_one_list() -> None:
    kube = cluster_with_service()
    kube.put(pod("scheduler", "etl-scheduler-b", ready=False, restarts=3))
    kube.put(pod("scheduler", "etl-scheduler-a"))
    kube.put(pod("task", "etl-task-1"))
    before = kube.reads
    info.services_info(kube, NAMESPACE, MANAGER)
    usual = kube.reads - before
    run(kube, "another")
    before = kube.reads
    _other, found = info.services_info(kube, NAMESPACE, MANAGER)
    # The other Airflow is asked how it is, and nothing else.
    assert kube.reads - before == usual + 1
    one, two = found["replicas"]["scheduler"]
    assert one == {
        "pod": "etl-scheduler-a",
        "ready": True,
        "restarts": 0,
        "node": "one",
        "image": "apache/airflow:3.3.2",
        "commit": "",
        "reason": "",
    }
    assert (two["pod"], two["ready"], two["restarts"], bool(two["reason"])) == ("etl-scheduler-b", False, 3, True)
    assert found["replicas"].keys() == found["components"].keys()
    assert "etl-task-1" not in json.dumps(found)


ENDPOINTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "plain": (
        {},
        {
            "web": "http://etl.example.com",
            "api": "http://etl.example.com/api/v2",
            "inside": "http://etl-web-server.data.svc:8080",
        },
    ),
    "with a certificate": ({"tls_secret": "etl-tls"}, {"web": "https://etl.example.com"}),
    "of Airflow 2.11": ({"version": "2.11"}, {"api": "http://etl.example.com/api/v1"}),
    "with Flower": (
        {"executor": "CeleryExecutor", "flower": {"enabled": True}},
        {"flower": "http://etl-flower.data.svc:5555"},
    ),
}


@pytest.mark.parametrize(("options", "expected"), ENDPOINTS.values(), ids=ENDPOINTS.keys())
def test_endpoints(options: dict[str, Any], expected: dict[str, str]) -> None:
    found = details.endpoints(service(**options))
    assert {key: found[key] for key in expected} == expected


SECRETS_OF_OTHERS: dict[str, tuple[ServiceSpec, list[str]]] = {
    "none": (service(), []),
    "a certificate": (service(tls_secret="etl-tls"), ["etl-tls"]),
    "all that options name": (
        full(**EXTERNAL),
        ["db-ca", "db-login", "etl-tls", "queue-ca", "queue-login", "registry", "sentry", "warehouse"],
    ),
}


@pytest.mark.parametrize(("spec", "expected"), SECRETS_OF_OTHERS.values(), ids=SECRETS_OF_OTHERS.keys())
def test_secrets_of_others_are_named(spec: ServiceSpec, expected: list[str]) -> None:
    assert details.uses(spec, {})["secrets"] == expected


def test_volumes_and_secrets_of_a_service() -> None:
    (found,) = info.services_info(cluster_with_service(), NAMESPACE, MANAGER)
    assert found["uses"]["secrets"] == ["etl-account", "etl-database", "etl-keys"]
    assert [(one["name"], one["state"]) for one in found["uses"]["volumes"]] == [
        ("etl-database", "Bound"),
        ("etl-logs", "Bound"),
    ]
