# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The REST API on a cluster in memory: the life of a service, refusals that name the key, and no secret anywhere."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from ansible_collections.scp.dataops.console import security
from ansible_collections.scp.dataops.console.api import examples
from ansible_collections.scp.dataops.console.operations import Operation, Operations
from ansible_collections.scp.dataops.console.security import Identity
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.common import activity
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..runs import NAMESPACE, run, run_manager

SERVICES, MANAGERS = "/api/v1/data-ops-services", "/api/v1/data-ops"
NEW = {"data_ops_id": "analytics", "data_ops_service_name": "etl", "size": "small"}


def operations_of(client: TestClient) -> Operations:
    app: Any = client.app
    found: Operations = app.state.operations
    return found


def ended(client: TestClient, answer: Any) -> dict[str, Any]:
    """The operation that an answer begins, at its end."""
    assert answer.status_code == 202, answer.text
    operation_id = answer.json()["operation_id"]
    assert answer.headers["Location"] == f"/api/v1/operations/{operation_id}"
    operations_of(client).join(operation_id, 30)
    found: dict[str, Any] = client.get(answer.headers["Location"]).json()
    return found


@pytest.fixture
def served(module: TestClient, kube: FakeKube) -> TestClient:
    """With a service."""
    run(kube, size="small")
    kube.forget()
    return module


def test_the_life_of_a_service(module: TestClient, kube: FakeKube) -> None:
    begun = module.post(SERVICES, json={**NEW, "description": "first"})
    assert begun.json()["data_ops_service_name"] == "etl"
    created = ended(module, begun)
    assert (created["state"], created["verb"], created["target"]) == ("DONE", "create", "service etl")
    assert "create Deployment/etl-scheduler" in created["result"]["actions"]
    shown = module.get(f"{SERVICES}/etl").json()
    assert (shown["state"], shown["health"], shown["description"]) == ("RUNNING", "healthy", "first")
    assert module.get(f"{SERVICES}/{shown['data_ops_service_id']}").json() == shown
    assert module.get(SERVICES).json()["contents"][0]["data_ops_service_id"] == shown["data_ops_service_id"]

    changed = module.put(f"{SERVICES}/etl", json={"description": "second", "tags": []})
    assert changed.json()["data_ops_service_id"] == shown["data_ops_service_id"]
    assert ended(module, changed)["result"]["actions"] == ["update ConfigMap/etl-record"]
    assert module.get(f"{SERVICES}/etl").json()["description"] == "second"

    assert ended(module, module.post(f"{SERVICES}/etl/stop"))["state"] == "DONE"
    assert module.get(f"{SERVICES}/etl").json()["state"] == "STOPPED"
    assert ended(module, module.put(f"{SERVICES}/etl", json={"description": "third"}))["state"] == "DONE"
    assert module.get(f"{SERVICES}/etl").json()["state"] == "STOPPED"
    assert ended(module, module.post(f"{SERVICES}/etl/start"))["state"] == "DONE"
    restarted = ended(module, module.post(f"{SERVICES}/etl/restart"))
    assert "scheduler" in restarted["result"]["restarted"]

    removed = ended(module, module.delete(f"{SERVICES}/etl"))
    assert "Secret/etl-keys" in removed["result"]["kept"]
    assert module.get(f"{SERVICES}/etl").status_code == 404

    told = module.get("/api/v1/activity", params={"target": "service etl"}).json()["contents"]
    verbs = ["remove", "restart", "start", "change", "stop", "change", "create"]
    assert sorted(item["verb"] for item in told) == sorted(verbs)
    assert {(item["door"], item["name"]) for item in told} == {("playbook", "jane@laptop")}
    assert [item["verb"] for item in module.get("/api/v1/operations").json()["contents"]] == verbs


def test_what_the_api_made_the_module_finds_unchanged(module: TestClient, kube: FakeKube) -> None:
    body = {
        **NEW,
        "service_workload": {"scheduler": {"cpu": "1000", "memory": "2048", "replica": "2"}},
        "host_alias": {"host_alias_list": [{"hostname": "db", "ip": "10.0.0.5"}]},
        "git_sync": {"repo": "https://git.example.com/dags.git"},
        "config": {"core": {"parallelism": 64}},
        "tags": [{"tag_key": "team", "tag_value": "data"}],
        "node_selector": "pool=dataops",
    }
    assert ended(module, module.post(SERVICES, json=body))["state"] == "DONE"
    again = run(
        kube,
        size="small",
        scheduler={"cpu": "1", "memory": "2Gi", "replicas": 2},
        host_aliases=[{"ip": "10.0.0.5", "hostnames": ["db"]}],
        git_sync={"repo": "https://git.example.com/dags.git"},
        config={"core": {"parallelism": 64}},
        tags={"team": "data"},
        node_selector={"pool": "dataops"},
    )
    assert [change for change in again.changes if change.action != "keep"] == []
    task = module.get(f"{SERVICES}/etl/export").json()["task"]
    assert "scp.dataops.dataops_service:" in task
    assert "repo: https://git.example.com/dags.git" in task


DRY: dict[str, tuple[str, str, Any]] = {
    "create": ("POST", SERVICES, {**NEW, "data_ops_service_name": "other"}),
    "change": ("PUT", f"{SERVICES}/etl", {"service_workload": {"scheduler": {"memory": "2048"}}}),
    "remove": ("DELETE", f"{SERVICES}/etl", None),
    "stop": ("POST", f"{SERVICES}/etl/stop", None),
    "restart": ("POST", f"{SERVICES}/etl/restart", None),
    "change the Manager": ("PUT", f"{MANAGERS}/analytics", {"description": "other"}),
    "change settings": ("PUT", f"{MANAGERS}/analytics/settings", {"size": "small"}),
}


@pytest.mark.parametrize(("method", "path", "body"), DRY.values(), ids=DRY.keys())
def test_a_dry_run_tells_and_writes_nothing(
    served: TestClient, kube: FakeKube, method: str, path: str, body: Any
) -> None:
    answer = served.request(method, path, params={"dry_run": "true"}, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["changed"]
    assert answer.json()["actions"]
    assert set(answer.json()["diff"]) == {"before", "after"}
    assert kube.writes == []
    assert served.get("/api/v1/operations").json()["total_count"] == 0


def test_a_change_tells_what_restarts(served: TestClient) -> None:
    answer = served.put(
        f"{SERVICES}/etl", params={"dry_run": "true"}, json={"service_workload": {"scheduler": {"memory": "2048"}}}
    )
    assert answer.json()["restarted"] == ["scheduler"]
    assert "memory: 2Gi" in answer.json()["diff"]["after"]


@pytest.mark.parametrize("example", examples.CREATE.values(), ids=examples.CREATE.keys())
def test_examples_of_a_new_service_work(module: TestClient, example: dict[str, Any]) -> None:
    assert ended(module, module.post(SERVICES, json=example["value"]))["state"] == "DONE"


@pytest.mark.parametrize("example", examples.UPDATE.values(), ids=examples.UPDATE.keys())
def test_examples_of_a_change_work(module: TestClient, kube: FakeKube, example: dict[str, Any]) -> None:
    run(kube, git_sync={"repo": "https://git.example.com/dags.git"})
    assert ended(module, module.put(f"{SERVICES}/etl", json=example["value"]))["state"] == "DONE"


@pytest.mark.parametrize("example", examples.MANAGER.values(), ids=examples.MANAGER.keys())
def test_examples_of_a_change_of_the_manager_work(module: TestClient, example: dict[str, Any]) -> None:
    assert ended(module, module.put(f"{MANAGERS}/analytics", json=example["value"]))["state"] == "DONE"


REFUSED: dict[str, tuple[str, str, Any, int, str]] = {
    "an unknown key": ("PUT", "/etl", {"descripton": "x"}, 400, "descripton"),
    "an unknown key inside": ("PUT", "/etl", {"service_workload": {"worker": {"cores": "2"}}}, 400,
                              "service_workload.worker.cores"),
    "an unknown key of an option": ("PUT", "/etl", {"git_sync": {"reff": "x"}}, 400, "git_sync.reff"),
    "a wrong type": ("PUT", "/etl", {"description": 5}, 400, "description"),
    "a wrong type inside": ("PUT", "/etl", {"tags": [{"tag_key": "a", "tag_value": 1}]}, 400, "tags.0.tag_value"),
    "null": ("PUT", "/etl", {"domain": None}, 400, "domain"),
    "no object": ("PUT", "/etl", [], 400, ""),
    "no such choice": ("PUT", "/etl", {"worker_type": "LocalExecutor"}, 400, "worker_type"),
    "no such setting": ("PUT", "/etl", {"config": {"core": {"paralelism": 5}}}, 400, "config.core.paralelism"),
    "replicas of a task's pod": ("PUT", "/etl", {"service_workload": {"worker": {"replica": "3"}}}, 400,
                                 "service_workload.worker.replica"),
    "no address": ("PUT", "/etl", {"host_alias": {"host_alias_list": [{"hostname": "a", "ip": "x"}]}}, 400,
                   "host_alias[0].ip"),
    "a weak password": ("PUT", "/etl", {"account": {"account_password": "SENTINEL"}}, 400, "account.account_password"),
    "another class": ("PUT", "/etl", {"storage_class_name": "nfs"}, 409, "storage_class_name"),
    "no node": ("PUT", "/etl", {"node_selector": "pool=nowhere"}, 409, "node_selector"),
    "a name that is taken": ("POST", "", NEW, 409, "data_ops_service_name"),
    "a name that cannot be": ("POST", "", {**NEW, "data_ops_service_name": "Etl"}, 400, "data_ops_service_name"),
    "no name": ("POST", "", {"data_ops_id": "analytics"}, 400, "data_ops_service_name"),
    "another Manager": ("POST", "", {**NEW, "data_ops_id": "other"}, 404, "data_ops_id"),
    "no such service": ("GET", "/other", None, 404, "data_ops_service_id"),
    "no such id": ("GET", "/DOPSS-x", None, 404, "data_ops_service_id"),
    "no id": ("GET", "/Not_an_id", None, 400, "data_ops_service_id"),
    "no such order": ("GET", "?sort=colour:asc", None, 400, "sort"),
    "no such state": ("GET", "?state=GREEN", None, 400, "state"),
    "no page": ("GET", "?page=-1", None, 400, "page"),
    "no cluster": ("POST", "/clusters/x/validate-resources", {"service_workload": {}}, 404, "cluster_id"),
}  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "where"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_names_the_key(
    served: TestClient, kube: FakeKube, method: str, path: str, body: Any, status: int, where: str
) -> None:
    answer = served.request(method, f"{SERVICES}{path}", json=body)
    assert (answer.status_code, answer.json()["error"]["where"]) == (status, where), answer.text
    assert answer.json()["error"]["what"]
    assert "SENTINEL" not in answer.text
    assert kube.writes == []


def test_two_changes_at_once(served: TestClient, kube: FakeKube) -> None:
    known = operations_of(served)
    known._known["x"] = Operation("x", "stop", "service etl", By("api", "kim"), "2026-01-02T00:00:00Z")
    answer = served.put(f"{SERVICES}/etl", json={"description": "x"})
    assert answer.status_code == 409
    assert "operation x of kim" in answer.json()["error"]["what"]
    assert served.get(f"{SERVICES}/etl").json()["state"] == "STOPPING"
    assert served.get(f"{SERVICES}/etl").json()["operation_id"] == "x"


CHANGES = (
    ("POST", SERVICES),
    ("PUT", f"{SERVICES}/etl"),
    ("DELETE", f"{SERVICES}/etl"),
    ("POST", f"{SERVICES}/etl/start"),
    ("POST", f"{SERVICES}/etl/stop"),
    ("POST", f"{SERVICES}/etl/restart"),
    ("POST", MANAGERS),
    ("PUT", f"{MANAGERS}/analytics"),
    ("DELETE", f"{MANAGERS}/analytics"),
    ("PUT", f"{MANAGERS}/analytics/settings"),
    ("POST", "/api/v1/tokens"),
    ("DELETE", "/api/v1/tokens/5e0c1a2b"),
)


def test_a_viewer_can_look_and_change_nothing(
    client: TestClient, app: FastAPI, kube: FakeKube, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(kube, size="small")
    kube.forget()
    monkeypatch.setattr(security, "identify", lambda request: Identity("lee", "viewer", "api"))
    for method, path in CHANGES:
        for query in ("", "?dry_run=true"):
            answer = client.request(method, f"{path}{query}", json={})
            assert (answer.status_code, answer.json()["error"]["what"]) == (403, "lee may look, and change nothing")
    for path in (SERVICES, f"{SERVICES}/etl", f"{SERVICES}/etl/settings", MANAGERS, "/api/v1/activity"):
        assert client.get(path).status_code == 200
    assert kube.writes == []


def test_all_that_changes_something_is_for_operators(client: TestClient) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    asking = ("validate-resources",)
    found = {
        (verb.upper(), path.format(data_ops_service_id="etl", data_ops_id="analytics", token_id="5e0c1a2b"))
        for path, verbs in schema["paths"].items()
        for verb in verbs
        if verb != "get" and not path.endswith(asking) and "/files" not in path
    }
    assert found == set(CHANGES)


def test_strangers_get_nothing(client: TestClient) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    for path, verbs in schema["paths"].items():
        for verb in verbs:
            assert client.request(verb, path, json={}).status_code == 401, path


def test_no_secret_is_told(module: TestClient, kube: FakeKube, caplog: pytest.LogCaptureFixture) -> None:
    """In no answer, log, operation, file or entry of the activity."""
    caplog.set_level(logging.DEBUG)
    secrets = {
        "account": {"account_password": "SENTINEL-Pass1!"},
        "git_sync": {"repo": "https://git.example.com/d.git", "username": "u", "password": "SENTINEL-git"},
    }
    answers = [
        module.post(SERVICES, params={"dry_run": "true"}, json={**NEW, **secrets}),
        module.post(SERVICES, json={**NEW, **secrets}),
    ]
    assert ended(module, answers[-1])["state"] == "DONE"
    more = {"account": {"account_password": "SENTINEL-Pass2!"}, "git_sync": {"password": "SENTINEL-git2"}}
    answers += [
        module.put(f"{SERVICES}/etl", params={"dry_run": "true"}, json=more),
        module.put(f"{SERVICES}/etl", json=more),
    ]
    assert ended(module, answers[-1])["state"] == "DONE"
    answers += [
        module.get(path)
        for path in (
            SERVICES,
            f"{SERVICES}/etl",
            f"{SERVICES}/etl/settings",
            f"{SERVICES}/etl/export",
            f"{SERVICES}/etl/drift",
            f"{MANAGERS}/analytics",
            "/api/v1/operations",
            "/api/v1/activity",
        )
    ]
    assert [answer.status_code for answer in answers] == [200, 202, 200, 202, *[200] * 8]
    written = [path.read_text() for path in operations_of(module).folder.iterdir()]
    assert written
    told = str(kube.find("ConfigMap", activity.NAME, NAMESPACE))
    for text in (*(answer.text for answer in answers), *written, told, caplog.text):
        assert "SENTINEL" not in text


def test_pages_orders_and_filters(module: TestClient, kube: FakeKube) -> None:
    for name in ("alpha", "beta", "gamma"):
        run(kube, name=name, size="small")
    run(kube, name="beta", state="stopped")

    def names(query: str) -> list[str]:
        return [item["data_ops_service_name"] for item in module.get(f"{SERVICES}?{query}").json()["contents"]]

    assert names("sort=data_ops_service_name:asc") == ["alpha", "beta", "gamma"]
    assert names("sort=data_ops_service_name:desc&size=2") == ["gamma", "beta"]
    assert names("sort=data_ops_service_name:desc&size=2&page=1") == ["alpha"]
    assert names("state=STOPPED") == ["beta"]
    assert names("data_ops_service_name=mm") == ["gamma"]
    assert names("data_ops_name=other") == []
    assert module.get(f"{SERVICES}?size=1").json()["total_count"] == 3


def test_one_that_nobody_understands_hides_no_other(served: TestClient, kube: FakeKube) -> None:
    written = kube.find("ConfigMap", "etl-record", NAMESPACE)
    kube.put({**written, "data": {"spec.json": '{"version": "9.9"}'}})
    run(kube, name="other", size="small")
    found = served.get(f"{SERVICES}?sort=data_ops_service_name:asc").json()["contents"]
    assert [item["state"] for item in found] == ["ERROR", "RUNNING"]
    assert found[0]["cluster_request_failed"]
    assert "9.9" in found[0]["reasons"][0]
    assert served.get(f"{SERVICES}/etl").status_code == 502


def test_names_that_are_free(served: TestClient) -> None:
    assert served.get(f"{SERVICES}/etl/check-duplication").json() == {"result": True}
    assert served.get(f"{SERVICES}/other/check-duplication").json() == {"result": False}
    assert served.get(f"{MANAGERS}/analytics/check-duplication").json() == {"result": True}
    assert served.get(f"{MANAGERS}/other/check-duplication").json() == {"result": False}
    assert served.get(f"{SERVICES}/X/check-duplication").status_code == 400


def test_room(served: TestClient) -> None:
    cluster = served.get(MANAGERS).json()["contents"][0]["cluster_id"]
    fits = {"service_workload": {"scheduler": {"cpu": "2000", "memory": "2048", "replica": "2"}}}
    answer = served.post(f"{SERVICES}/clusters/{cluster}/validate-resources", json=fits)
    assert (answer.json()["result"], answer.json()["err_code"]) == (True, "")
    assert int(answer.json()["cpu"]) > 4000
    large = {"service_workload": {"scheduler": {"cpu": "90000"}}}
    answer = served.post(f"{SERVICES}/etl/validate-resources", json=large)
    assert (answer.json()["result"], answer.json()["err_code"]) == (False, "NOT_ENOUGH_RESOURCES")
    assert "scheduler" in answer.json()["findings"][0]


def test_room_that_nobody_may_look_at(served: TestClient, kube: FakeKube) -> None:
    kube.forbid("list", "Node")
    answer = served.post(f"{SERVICES}/etl/validate-resources", json={"service_workload": {"scheduler": {"cpu": "500"}}})
    assert (answer.json()["result"], answer.json()["err_code"]) == (True, "NOT_CHECKED")


def test_the_manager(module: TestClient) -> None:
    item = module.get(MANAGERS).json()["contents"][0]
    shown = module.get(f"{MANAGERS}/{item['data_ops_id']}").json()
    assert (shown["data_ops_name"], shown["state"], shown["domain"]) == ("analytics", "RUNNING", "example.com")
    assert module.get(f"{MANAGERS}?data_ops_name=other").json()["total_count"] == 0
    assert module.get(f"{MANAGERS}/other").status_code == 404
    body = {
        "version": PROFILES["2.11"].release,
        "description": "x",
        "host_alias_list": [{"hostnames": ["a", "b"], "ip": "10.0.0.5"}],
        "tags": [{"tag_key": "a", "tag_value": "b"}],
    }
    assert ended(module, module.put(f"{MANAGERS}/analytics", json=body))["target"] == "Manager analytics"
    changed = module.get(f"{MANAGERS}/analytics").json()
    assert {key: changed[key] for key in body} == body
    assert changed["image_id"].endswith(changed["version"])
    wrong = module.put(f"{MANAGERS}/analytics", json={"version": "1.10"})
    assert (wrong.status_code, wrong.json()["error"]["where"]) == (400, "version")
    wrong = module.put(f"{MANAGERS}/analytics", json={"host_alias_list": [{"hostnames": ["a"], "ip": "x"}]})
    assert (wrong.status_code, wrong.json()["error"]["where"]) == (400, "host_alias_list[0].ip")


def test_a_console_makes_and_removes_no_manager(module: TestClient) -> None:
    for answer in (module.post(MANAGERS, json={}), module.delete(f"{MANAGERS}/analytics")):
        assert answer.status_code == 409
        assert "scp.dataops.dataops_manager" in answer.json()["error"]["next_step"]


def test_settings_are_inherited_unless_a_service_chooses(module: TestClient, kube: FakeKube) -> None:
    run_manager(kube, version="3.3", default_settings={"scheduler": {"cpu": "1", "memory": "2Gi"}})
    run(kube, scheduler={"cpu": "500m"}, domain="other.example.com")
    path = f"{MANAGERS}/analytics/settings"
    assert module.get(path).json() == {
        "settings": {"service_workload": {"scheduler": {"cpu": "1000", "memory": "2048"}}}
    }
    assert module.get(f"{SERVICES}/etl/settings").json() == {
        "own": {"domain": "other.example.com", "service_workload": {"scheduler": {"cpu": "500"}}},
        "inherited": {"service_workload": {"scheduler": {"memory": "2048"}}},
    }
    body = {"size": "small", "service_workload": {"scheduler": {"memory": ""}}, "node_selector": "pool=dataops"}
    assert ended(module, module.put(path, json=body))["state"] == "DONE"
    assert module.get(path).json() == {
        "settings": {
            "size": "small",
            "node_selector": "pool=dataops",
            "service_workload": {"scheduler": {"cpu": "1000"}},
        }
    }
    wrong = module.put(path, json={"service_workload": {"scheduler": {"replica": "99"}}})
    assert (wrong.status_code, wrong.json()["error"]["where"]) == (400, "service_workload.scheduler.replica")


def test_settings_of_airflow_are_inherited_option_by_option(module: TestClient, kube: FakeKube) -> None:
    path = f"{MANAGERS}/analytics/settings"
    body = {"config": {"core": {"parallelism": 64, "default_timezone": None}}, "environment": {"all": {"TEAM": "data"}}}
    assert ended(module, module.put(path, json=body))["state"] == "DONE"
    held = {"config": {"core": {"parallelism": 64}}, "environment": {"all": {"TEAM": "data"}}}
    assert module.get(path).json() == {"settings": held}
    run(kube, config={"core": {"max_active_tasks_per_dag": 4}}, environment={"all": {"TEAM": "own"}})
    told = module.get(f"{SERVICES}/etl/settings").json()
    assert told["inherited"] == {"domain": "example.com", "config": {"core": {"parallelism": 64}}}
    wrong = module.put(path, json={"config": {"core": {"paralelism": 1}}})
    assert (wrong.status_code, wrong.json()["error"]["where"]) == (400, "config.core.paralelism")
    run(kube, name="old", version="2.11")
    refused = module.put(path, json={"config": {"triggerer": {"capacity": 5}}})
    assert (refused.status_code, refused.json()["error"]["where"]) == (409, "config.triggerer.capacity")


def test_what_is_offered(module: TestClient) -> None:
    images = module.get(f"{MANAGERS}/image-versions").json()
    assert [image["image_id"] for image in images["contents"]] == ["IMAGE-3.3.2", "IMAGE-2.11.2"]
    versions = module.get(f"{SERVICES}/data-ops/analytics/sub-versions").json()
    assert versions["data_ops_service_count"] == 0
    assert set(versions["versions"]) == {"scheduler", "webserver", "worker"}
    cluster = module.get(MANAGERS).json()["contents"][0]["cluster_id"]
    found = module.get(f"{MANAGERS}/clusters/{cluster}/ingress-controllers").json()
    assert [item["ingress_controller_name"] for item in found["contents"]] == ["contour"]


def test_an_operation_that_nobody_knows(module: TestClient) -> None:
    assert module.get("/api/v1/operations/x").status_code == 404


def test_an_operation_that_fails_says_why_in_the_words_of_the_api(served: TestClient, kube: FakeKube) -> None:
    kube.failing = {"git-check"}
    found = ended(served, served.put(f"{SERVICES}/etl", json={"git_sync": {"repo": "https://git.example.com/x.git"}}))
    assert (found["state"], found["error"]["where"]) == ("FAILED", "git_sync")
    entry = served.get("/api/v1/activity").json()["contents"]
    assert "failed" in {item["result"] for item in entry}
