# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections, variables, pools, roles and users as code, in the Airflow of a running service."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest
from conftest import NAMESPACE, SERVICE
from driver import Audit, Driver, Result
from places import Airflow, GitServer

# Services that all of this holds for, by the fixture that brings each up.
SERVICES = {"3.3": ("service", SERVICE)}
CREDENTIALS = "e2e-objects-credentials"
PASSWORD = "SENTINEL-Connection-1!"
DAG_ID = "e2e_objects"
DAG = '''
import hashlib

import pendulum
from airflow.sdk import Connection, Variable, dag, task


@dag(dag_id="{dag_id}", schedule=None, start_date=pendulum.datetime(2026, 1, 1))
def pipeline():
    @task(pool="e2e pool")
    def report():
        """Tell what this task was given; the password as a digest, since Airflow masks it."""
        connection = Connection.get("e2e_warehouse")
        print("host is", connection.host)
        print("password is", hashlib.sha256(connection.password.encode()).hexdigest())
        print("regions are", Variable.get("e2e_regions", deserialize_json=True))

    report()


pipeline()
'''
READ_DAGS = {"action": "can_read", "resource": "DAGs"}
SEE_SITE = {"action": "can_read", "resource": "Website"}
KIM: dict[str, Any] = {
    "username": "kim",
    "email": "kim@example.com",
    "first_name": "Min",
    "last_name": "Kim",
    "roles": ["e2e reader"],
    "password": "SENTINEL-User-1!",
}
EVERYTHING: dict[str, Any] = {
    "connections": [
        {
            "id": "e2e_warehouse",
            "type": "postgres",
            "host": "warehouse.internal",
            "port": 5432,
            "schema": "sales",
            "login": "etl",
            "password_from": {"secret": CREDENTIALS, "key": "password"},
            "extra": {"sslmode": "require", "private_key": "SENTINEL-key"},
            "extra_from": {"secret": CREDENTIALS, "key": "extra"},
        }
    ],
    "variables": [
        {"key": "e2e_regions", "value": ["kr-west1", {"and": None}], "description": "Where"},
        {"key": "e2e_api_token", "value": "SENTINEL-variable"},
    ],
    "pools": [{"name": "e2e pool", "slots": 3, "description": "Few"}],
    "roles": [{"name": "e2e reader", "permissions": [SEE_SITE, READ_DAGS]}],
    "users": [KIM],
}
KINDS = list(EVERYTHING)


def credentials(password: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": CREDENTIALS, "namespace": NAMESPACE},
        "stringData": {"password": password, "extra": '{"region": "SENTINEL-region"}'},
    }


@pytest.fixture(scope="module", params=SERVICES.values(), ids=SERVICES.keys())
def objects(request: pytest.FixtureRequest, kube: Kube) -> Iterator[Driver]:
    """A driver of the module for one service; what it declared is pruned at the end."""
    fixture, name = request.param
    service: Driver = request.getfixturevalue(fixture)
    driver = Driver({**service.common, "name": name})
    kube.apply(credentials(PASSWORD))
    yield driver
    run(driver, **{kind: [] for kind in KINDS}, prune=KINDS)
    kube.delete("Secret", CREDENTIALS, NAMESPACE)


@pytest.fixture(scope="module")
def created(objects: Driver) -> Result:
    """The run that made everything, after a check that changed nothing and said the same."""
    check = objects.run("dataops_objects", check=True, **EVERYTHING)
    done = run(objects, verbose=True, **EVERYTHING)
    assert (check["actions"], check["drift"]) == (done["actions"], done["drift"])
    return done


def run(driver: Driver, **options: Any) -> Result:
    done = driver.run("dataops_objects", **options)
    assert not done.failed, done.message
    assert "SENTINEL" not in done.output
    return done


def test_all_kinds_are_made(created: Result) -> None:
    assert created["actions"] == [
        "create role/e2e reader",
        "create user/kim",
        "create pool/e2e pool",
        "create connection/e2e_warehouse",
        "create variable/e2e_regions",
        "create variable/e2e_api_token",
    ]
    assert "sslmode: require" in created["diff"]["after"]


def test_a_second_run_asks_once_per_kind_and_writes_nothing(created: Result, objects: Driver, audit: Audit) -> None:
    position = audit.position()
    again = run(objects, **EVERYTHING)
    assert (again["changed"], again["actions"]) == (False, [])
    assert audit.writes_since(position, NAMESPACE) == []
    asked = {entry["auditID"]: entry["requestURI"] for entry in audit.since(position)}
    lists = [uri for uri in asked.values() if "/proxy/" in uri and "limit=" in uri]
    assert len(lists) == len(KINDS)


CHANGES: dict[str, Any] = {
    "connections": [
        {
            "id": "e2e_warehouse",
            "host": "other.internal",
            "port": 0,
            "password_from": {"secret": CREDENTIALS, "key": "password"},
            "extra": {"sslmode": "disable"},
        }
    ],
    "variables": [
        {"key": "e2e_regions", "value": 5},
        {"key": "e2e_api_token", "value": "SENTINEL-other"},
    ],
    "pools": [
        {"name": "e2e pool", "slots": 9, "include_deferred": True, "description": ""},
        {"name": "default_pool", "slots": 64},
    ],
    "roles": [{"name": "e2e reader", "permissions": [SEE_SITE, READ_DAGS, {**READ_DAGS, "action": "can_edit"}]}],
    "users": [{"username": "kim", "roles": ["Viewer"], "password": "SENTINEL-User-2!"}],
}


def test_every_change_is_noticed_and_written_once(created: Result, objects: Driver, kube: Kube) -> None:
    kube.apply(credentials("SENTINEL-Connection-2!"))
    check = run(objects, check=True, **CHANGES)
    done = run(objects, **CHANGES)
    again = run(objects, **CHANGES)
    assert {kind: drift["different"] for kind, drift in check["drift"].items()} == {
        "connections": {"e2e_warehouse": ["host", "port", "extra", "password"]},
        "variables": {"e2e_regions": ["value"], "e2e_api_token": ["value"]},
        "pools": {"e2e pool": ["slots", "include_deferred", "description"], "default_pool": ["slots"]},
        "roles": {"e2e reader": ["permissions"]},
        "users": {"kim": ["roles", "password"]},
    }
    assert (check["actions"], len(done["actions"])) == (done["actions"], 7)
    assert (again["changed"], again["actions"]) == (False, [])


def test_what_airflow_refuses_is_named_and_all_else_done(created: Result, objects: Driver) -> None:
    options = {
        "pools": [{"name": "e2e other", "slots": 1}],
        "roles": [{"name": "e2e wrong", "permissions": [{"action": "can_fly", "resource": "DAGs"}]}],
    }
    message = objects.refused("dataops_objects", **options)
    assert "create role/e2e wrong: The specified action: 'can_fly' was not found" in message
    assert "The others are done" in message
    assert run(objects, pools=options["pools"])["actions"] == []


def test_an_item_that_cannot_be_right_is_refused_before_anything_is_asked(objects: Driver, audit: Audit) -> None:
    position = audit.position()
    message = objects.refused("dataops_objects", pools=[{"name": "fine", "slots": 1}, {"name": "bad", "slots": -7}])
    assert message == "pools[1].slots: -7 is out of range. Use a whole number from 0 to 1000000."
    asked = [entry for entry in audit.since(position) if f"/{NAMESPACE}/" in entry["requestURI"]]
    assert asked == []


def test_a_service_that_is_not_there(manager: Driver) -> None:
    message = Driver({"manager": NAMESPACE}).refused("dataops_objects", name="nowhere", pools=[])
    assert message.startswith(f"name: service 'nowhere' does not exist in namespace {NAMESPACE}.")


# On the service whose Airflow can be reached from outside


@pytest.fixture
def declared(service: Driver, kube: Kube) -> Driver:
    """Everything is as declared, whatever tests before have changed."""
    kube.apply(credentials(PASSWORD))
    driver = Driver({**service.common, "name": SERVICE})
    run(driver, **EVERYTHING)
    return driver


def test_what_somebody_changed_is_told_and_set_back(declared: Driver, airflow: Airflow) -> None:
    airflow.ask("PATCH", "/pools/e2e%20pool", {"pool": "e2e pool", "slots": 1, "include_deferred": False})
    airflow.ask("POST", "/variables", {"key": "e2e_scratch", "value": "x"})
    found = run(declared, check=True, **EVERYTHING)
    assert found["drift"]["pools"]["different"] == {"e2e pool": ["slots"]}
    assert found["drift"]["variables"]["undeclared"] == ["e2e_scratch"]
    pruned = run(declared, **EVERYTHING, prune=["variables"])
    assert pruned["actions"] == ["update pool/e2e pool", "delete variable/e2e_scratch"]


def test_a_declared_user_can_sign_in_and_do_what_its_role_may(declared: Driver, airflow: Airflow) -> None:
    user = Airflow(airflow.address, airflow.host, KIM["username"], KIM["password"])
    user.dags()
    with pytest.raises(AssertionError, match="403"):
        user.ask("GET", "/connections")


def test_a_task_gets_connection_variable_and_pool(declared: Driver, airflow: Airflow, git: GitServer) -> None:
    git.push("public/e2e.git", dag_id=DAG_ID, text="", source=DAG)
    started = airflow.run_dag(DAG_ID)
    assert airflow.finish(DAG_ID, started) == "success"
    log = airflow.log(DAG_ID, started)
    assert "host is warehouse.internal" in log
    assert f"password is {hashlib.sha256(PASSWORD.encode()).hexdigest()}" in log
    assert "regions are ['kr-west1', {'and': None}]" in log


def test_prune_leaves_what_is_needed(declared: Driver, airflow: Airflow) -> None:
    nothing: dict[str, Any] = {kind: [] for kind in KINDS}
    run(declared, **nothing, prune=KINDS)
    assert [pool["name"] for pool in airflow.ask("GET", "/pools")["pools"]] == ["default_pool"]
    assert airflow.ask("GET", "/variables")["variables"] == []
    found = run(declared, **nothing)
    assert [found["drift"][kind]["undeclared"] for kind in KINDS] == [[]] * len(KINDS)
