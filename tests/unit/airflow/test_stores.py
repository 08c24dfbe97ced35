# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores of others: read by reference, tried before they are used, and never left or taken unasked."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import stores
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import decoded
from ansible_collections.scp.dataops.plugins.module_utils.errors import Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

from ..fake_kube import FakeKube, cluster_object
from ..runs import NAMESPACE, cluster, cluster_with_service, done, remove, run
from .builders import service

PASSWORD = "SENTINEL p@ss$wo%rd/#:? "
OPTION: dict[str, Any] = {"host": "db.example.com", "secret": "login", "ca_secret": "authority"}
OTHER = {**OPTION, "host": "new.example.com"}
BROKER: dict[str, Any] = {"host": "redis.example.com", "secret": "login"}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
FOUND = {"found": "PostgreSQL 16.4, with TLS", "warnings": []}
CHECK = "etl-store-check"


def secret(name: str, **values: str) -> Manifest:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return cluster_object("Secret", name, metadata={"namespace": NAMESPACE}, data=data)


def prepared(kube: FakeKube, **answers: dict[str, Any]) -> FakeKube:
    """A cluster with the Secrets of :data:`OPTION`, whose stores answer so."""
    kube.put(secret("login", username="jane", password=PASSWORD))
    kube.put(secret("authority", **{"ca.crt": CERTIFICATE}))
    kube.printed[CHECK] = "a library warns\n" + json.dumps({"database": FOUND, "broker": FOUND, **answers}) + "\n"
    return kube


def with_external(**options: Any) -> FakeKube:
    kube = prepared(cluster())
    run(kube, database=OPTION, **options)
    kube.forget()
    return kube


def made(kube: FakeKube) -> list[str]:
    return [line for line in kube.writes if line.startswith("apply")]


def connection(kube: FakeKube) -> str:
    return decoded(kube.find("Secret", "etl-database", NAMESPACE))["connection"]


def test_it_is_tried_before_anything_is_written_and_leaves_nothing_behind() -> None:
    kube = prepared(cluster())
    outcome = run(kube, database=OPTION)
    assert made(kube)[:2] == [f"apply Secret/{CHECK}", f"apply Job/{CHECK}"]
    assert not [ref for ref in kube.refs(NAMESPACE) if CHECK in ref]
    assert any("database: PostgreSQL 16.4, with TLS" in line for line in outcome.timeline)
    assert not any(ref in kube.refs(NAMESPACE) for ref in ("StatefulSet/etl-database", "Service/etl-database"))
    assert outcome.details["state"] == "RUNNING"
    assert "SENTINEL" not in str(outcome)


def test_a_second_run_tries_nothing() -> None:
    kube = with_external()
    assert done(run(kube, database=OPTION)) == []
    assert kube.writes == []


@pytest.mark.parametrize("also", [{}, {"description": "other"}])
def test_what_was_tried_is_not_tried_again(also: dict[str, Any]) -> None:
    kube = with_external()
    run(kube, **also)
    assert not [line for line in kube.writes if CHECK in line]


def test_a_changed_password_is_tried_and_restarts_who_uses_it() -> None:
    kube = with_external()
    kube.put(secret("login", username="jane", password="SENTINEL-new"))
    outcome = run(kube)
    assert made(kube)[0] == f"apply Secret/{CHECK}"
    assert outcome.restarted == ("web-server", "scheduler", "dag-processor", "triggerer")
    assert "SENTINEL-new" in connection(kube)
    assert "SENTINEL" not in str(outcome)


def test_a_refused_store_changes_nothing() -> None:
    kube = prepared(cluster(), database={"problem": "there is no database 'x'", "next_step": "Create it"})
    before = kube.state()
    with pytest.raises(Refused) as caught:
        run(kube, database=OPTION)
    assert str(caught.value) == "database: there is no database 'x'. Create it."
    assert kube.state() == before


def test_both_stores_are_refused_in_one_error() -> None:
    problem = {"problem": "nothing listens", "next_step": "Correct it"}
    kube = prepared(cluster(), database=problem, broker=problem)
    with pytest.raises(Refused) as caught:
        run(kube, database=OPTION, broker=BROKER, executor="CeleryExecutor")
    assert "2 things stand in the way" in str(caught.value)


MISSING: dict[str, tuple[Callable[[FakeKube], None], str]] = {
    "Secret": (
        lambda kube: kube.remove("Secret", "login", NAMESPACE),
        "database.secret: Secret 'login' does not exist in namespace data. Create it, and run this again.",
    ),
    "key": (
        lambda kube: kube.put(secret("login", username="jane", pass_word="x")),
        "database.password_key: key 'password' of Secret login does not exist. Add it, or name another one; keys with "
        "a value: pass_word, username.",
    ),
    "value": (
        lambda kube: kube.put(secret("login", username="", password="x")),
        "database.username_key: key 'username' of Secret login is empty. Add it, or name another one; keys with a "
        "value: password.",
    ),
    "line break": (
        lambda kube: kube.put(secret("login", username="jane", password="SENTINEL\n")),
        "database.password_key: key 'password' of Secret login holds a line break. Write it without one, such as with "
        "'kubectl create secret generic --from-literal', or printf instead of echo.",
    ),
    "authority": (
        lambda kube: kube.remove("Secret", "authority", NAMESPACE),
        "database.ca_secret: Secret 'authority' does not exist in namespace data. Create it, and run this again.",
    ),
    "no certificate": (
        lambda kube: kube.put(secret("authority", **{"ca.crt": "SENTINEL"})),
        "database.ca_key: key 'ca.crt' of Secret authority holds no certificate in PEM form. Put the certificate of "
        "the authority there, which begins with -----BEGIN CERTIFICATE-----.",
    ),
}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("spoil", "said"), MISSING.values(), ids=MISSING.keys())
def test_a_reference_to_nothing(spoil: Callable[[FakeKube], None], said: str, check_mode: bool) -> None:
    kube = prepared(cluster())
    spoil(kube)
    with pytest.raises(Refused) as caught:
        run(kube, database=OPTION, check_mode=check_mode)
    assert str(caught.value) == said
    assert kube.writes == []


def test_check_mode_where_there_is_nothing_at_all_knows_no_password() -> None:
    outcome = run(FakeKube(), database=OPTION, check_mode=True)
    assert "create Secret/etl-database" in done(outcome)


MOVES: dict[str, tuple[Callable[[], FakeKube], dict[str, Any], str]] = {
    "from embedded": (
        lambda: prepared(cluster_with_service()),
        OPTION,
        "database: the state of 'etl' is in its embedded database, and is not moved to db.example.com:5432/airflow. "
        "Copy it yourself while the service is stopped and set database.moved_from: 'embedded' (without a copy the "
        "service starts empty), or keep the option as it was.",
    ),
    "to another server": (
        with_external,
        OTHER,
        "database: the state of 'etl' is in the database at db.example.com:5432/airflow, and is not moved to "
        "new.example.com:5432/airflow. Copy it yourself while the service is stopped and set database.moved_from: "
        "'db.example.com:5432/airflow' (without a copy the service starts empty), or keep the option as it was.",
    ),
    "to embedded": (
        with_external,
        {},
        "database: the state of 'etl' is in the database at db.example.com:5432/airflow, and is not moved into an "
        "embedded one. Keep the option as it was, or remove the service with purge and create it anew.",
    ),
}


@pytest.mark.parametrize(("before", "asked", "said"), MOVES.values(), ids=MOVES.keys())
def test_state_is_not_moved(before: Callable[[], FakeKube], asked: dict[str, Any], said: str) -> None:
    kube = before()
    with pytest.raises(Refused) as caught:
        run(kube, database=asked)
    assert str(caught.value) == said
    assert kube.writes == []


def test_nor_is_it_after_a_removal_that_kept_it() -> None:
    kube = prepared(cluster_with_service())
    remove(kube)
    kube.forget()
    with pytest.raises(Refused):
        run(kube, database=OPTION)
    assert kube.writes == []


ALLOWED: dict[str, tuple[Callable[[], FakeKube], dict[str, Any]]] = {
    "from embedded": (lambda: prepared(cluster_with_service()), {**OPTION, "moved_from": "embedded"}),
    "to another server": (with_external, {**OTHER, "moved_from": "db.example.com:5432/airflow"}),
}


@pytest.mark.parametrize(("before", "asked"), ALLOWED.values(), ids=ALLOWED.keys())
def test_a_move_that_is_confirmed(before: Callable[[], FakeKube], asked: dict[str, Any]) -> None:
    kube = before()
    outcome = run(kube, database=asked)
    assert asked["host"] in connection(kube)
    assert {"web-server", "scheduler", "dag-processor", "triggerer"} <= set(outcome.restarted)
    assert {"create Job/etl-migration", "create Job/etl-account"} <= set(done(outcome))
    kube.forget()
    assert done(run(kube, database=asked)) == []


def test_the_volume_and_password_of_a_database_that_was_left_stay() -> None:
    kube = prepared(cluster_with_service())
    password = decoded(kube.find("Secret", "etl-database", NAMESPACE))["password"]
    outcome = run(kube, database={**OPTION, "moved_from": "embedded"})
    assert "delete StatefulSet/etl-database" in done(outcome)
    assert "PersistentVolumeClaim/etl-database" in kube.refs(NAMESPACE)
    assert decoded(kube.find("Secret", "etl-database", NAMESPACE))["password"] == password


def test_after_a_purge_anything_may_be_chosen() -> None:
    kube = prepared(cluster_with_service())
    remove(kube, purge=True)
    run(kube, database=OPTION)
    assert "db.example.com" in connection(kube)


def test_a_broker_is_not_left_while_workers_have_its_tasks() -> None:
    kube = prepared(cluster_with_service(executor="CeleryExecutor"))
    with pytest.raises(Refused) as caught:
        run(kube, broker=BROKER)
    assert str(caught.value) == (
        "broker: the queue of 'etl' is at etl-broker, and tasks in it would be lost by going to redis.example.com. "
        "Stop the service with state: stopped, which lets its tasks finish, and change the broker then."
    )
    assert kube.writes == []


def variables(keys_are_new: bool) -> dict[str, str]:
    job = stores.check_job(service(database=OPTION), ("database",), keys_are_new=keys_are_new)
    return {item["name"]: item.get("value", "") for item in job["spec"]["template"]["spec"]["containers"][0]["env"]}


def test_a_database_of_strangers_is_not_taken_over() -> None:
    assert "DATABASE_MUST_BE_NEW" in variables(keys_are_new=True)
    assert "DATABASE_MUST_BE_NEW" not in variables(keys_are_new=False)


def test_what_the_check_is_told() -> None:
    told = variables(keys_are_new=True)
    assert (told["DATABASE_OLDEST"], told["DATABASE_NEWEST"]) == ("14", "18")
    # Four components of one process each.
    assert told["DATABASE_CONNECTIONS"] == "60"


def test_the_check_shows_no_password() -> None:
    kube = prepared(cluster())
    run(kube, database=OPTION, broker=BROKER, executor="CeleryExecutor")
    jobs = [item for ref, item in kube.state().items() if ref.kind == "Job"]
    assert "SENTINEL" not in str(jobs)


def test_answers_of_the_program() -> None:
    assert stores.answers("") == {}
    warned = stores.found("database", {"found": "PostgreSQL 19", "warnings": ["newer than tested"]})
    assert [(item.status, item.found) for item in warned] == [("ok", "PostgreSQL 19"), ("warning", "newer than tested")]
    assert [item.status for item in stores.found("broker", {})] == ["not_checked"]
