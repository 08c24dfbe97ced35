# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Airflow's objects as code: what is written, what is left alone, what is refused, and what is never shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.objects import report, service
from ansible_collections.scp.dataops.plugins.module_utils.airflow.objects.sameness import compare, masked, secret_texts
from ansible_collections.scp.dataops.plugins.module_utils.airflow.objects.service import Report, Request
from ansible_collections.scp.dataops.plugins.module_utils.errors import AirflowError, BadOption, DataOpsError, Refused

from ..fake_kube import FakeKube
from ..runs import MANAGER, NAMESPACE, SERVICE, cluster
from .fake_airflow import FakeAirflow, airflow

PERMISSION = {"action": "can_read", "resource": "DAGs"}
OTHER_PERMISSION = {"action": "menu_access", "resource": "DAGs"}
KIM = {
    "username": "kim",
    "email": "kim@example.com",
    "first_name": "Min",
    "last_name": "Kim",
    "roles": ["Reader"],
    "password": "SENTINEL-kim",
}
EVERYTHING: dict[str, Any] = {
    "connections": [
        {
            "id": "warehouse",
            "type": "postgres",
            "host": "warehouse.internal",
            "schema": "sales",
            "login": "etl",
            "password": "SENTINEL-pw",
            "port": 5432,
            "extra": {"sslmode": "require", "private_key": "SENTINEL-key"},
            "description": "Sales",
        }
    ],
    "variables": [{"key": "regions", "value": ["a", {"b": None}]}, {"key": "api_token", "value": "SENTINEL-token"}],
    "pools": [{"name": "warehouse pool", "slots": 3}],
    "roles": [{"name": "Reader", "permissions": [OTHER_PERMISSION, PERMISSION]}],
    "users": [KIM],
}

both = pytest.mark.parametrize("version", ["3", "2"])


def run(kube: FakeKube, options: dict[str, Any], *, prune: Sequence[str] = (), check_mode: bool = False) -> Report:
    request = Request(
        name=SERVICE, manager=MANAGER, namespace=NAMESPACE, options=options, prune=prune, check_mode=check_mode
    )
    return service.reconcile(kube, request)


def done(outcome: Report) -> list[str]:
    return [str(change) for change in outcome.changes]


def written(kube: FakeAirflow) -> list[str]:
    return [line for line in kube.asked if not line.startswith("GET")]


def filled(version: str = "3") -> FakeAirflow:
    kube = airflow(version)
    run(kube, EVERYTHING)
    kube.asked.clear()
    kube.forget()
    return kube


def with_one(kind: str, **changes: Any) -> dict[str, Any]:
    """The first item of a kind, alone, with some keys changed."""
    return {kind: [{**EVERYTHING[kind][0], **changes}]}


@both
def test_all_kinds_are_made_roles_before_the_users_that_have_them(version: str) -> None:
    kube = airflow(version)
    outcome = run(kube, EVERYTHING)
    assert done(outcome) == [
        "create role/Reader",
        "create user/kim",
        "create pool/warehouse pool",
        "create connection/warehouse",
        "create variable/regions",
        "create variable/api_token",
    ]
    assert written(kube) == [
        "POST roles",
        "POST users",
        "POST pools",
        "POST connections",
        "POST variables",
        "POST variables",
    ]
    connection = kube.store["connections"]["warehouse"]
    assert (connection["conn_type"], connection["port"], connection["password"]) == ("postgres", 5432, "SENTINEL-pw")
    assert json.loads(connection["extra"]) == EVERYTHING["connections"][0]["extra"]
    assert json.loads(kube.store["variables"]["regions"]["value"]) == ["a", {"b": None}]
    assert kube.store["users"]["kim"]["roles"] == [{"name": "Reader"}]
    assert kube.store["roles"]["Reader"]["actions"] == [
        {"action": {"name": "can_read"}, "resource": {"name": "DAGs"}},
        {"action": {"name": "menu_access"}, "resource": {"name": "DAGs"}},
    ]


@both
def test_a_second_run_changes_nothing_and_asks_once_per_kind(version: str) -> None:
    kube = filled(version)
    outcome = run(kube, EVERYTHING)
    assert (done(outcome), written(kube), kube.writes) == ([], [], [])
    assert sorted(kube.asked) == [f"GET {kind}" for kind in sorted(EVERYTHING)]
    assert {name: drift["different"] for name, drift in outcome.drift.items()} == {name: {} for name in EVERYTHING}


@both
def test_check_mode_says_the_same_and_writes_nothing(version: str) -> None:
    kube = airflow(version)
    predicted = run(kube, EVERYTHING, check_mode=True)
    assert (written(kube), kube.writes) == ([], [])
    assert predicted == run(kube, EVERYTHING)


@both
def test_what_is_left_out_is_kept_and_what_is_empty_cleared(version: str) -> None:
    kube = filled(version)
    outcome = run(kube, {"connections": [{"id": "warehouse", "host": "", "port": 0}]})
    assert done(outcome) == ["update connection/warehouse"]
    connection = kube.store["connections"]["warehouse"]
    assert (connection["host"], connection["port"]) == ("", None)
    assert (connection["conn_type"], connection["login"], connection["password"]) == ("postgres", "etl", "SENTINEL-pw")


CHANGES: dict[str, tuple[dict[str, Any], dict[str, list[str]]]] = {
    "a password": (with_one("connections", password="SENTINEL-new"), {"warehouse": ["password"]}),
    "a part of extra": (with_one("connections", extra={"sslmode": "disable"}), {"warehouse": ["extra"]}),
    "a hidden part of extra": (
        with_one("connections", extra={"sslmode": "require", "private_key": "SENTINEL-new"}),
        {"warehouse": ["extra"]},
    ),
    "a value": (with_one("variables", value=["b"]), {"regions": ["value"]}),
    "a hidden value": ({"variables": [{"key": "api_token", "value": "SENTINEL-new"}]}, {"api_token": ["value"]}),
    "a description": (with_one("variables", description="Where"), {"regions": ["description"]}),
    "slots": (with_one("pools", slots=9), {"warehouse pool": ["slots"]}),
    "a user's roles": (with_one("users", roles=["Viewer", "Reader"]), {"kim": ["roles"]}),
    "a user's password": (with_one("users", password="SENTINEL-new"), {"kim": ["password"]}),
    "one more permission": (
        with_one("roles", permissions=[PERMISSION, OTHER_PERMISSION, {"action": "can_edit", "resource": "DAGs"}]),
        {"Reader": ["permissions"]},
    ),
    "the same permissions in another order": (with_one("roles", permissions=[PERMISSION, OTHER_PERMISSION]), {}),
    "the same value as text": (with_one("variables", value='["a",{"b":null}]'), {}),
}


@both
@pytest.mark.parametrize(("options", "different"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_is_noticed_written_and_then_kept(
    version: str, options: dict[str, Any], different: dict[str, list[str]]
) -> None:
    kube = filled(version)
    (kind,) = options
    assert run(kube, options, check_mode=True).drift[kind]["different"] == different
    assert len(done(run(kube, options))) == len(different)
    assert done(run(kube, options)) == []


def test_what_somebody_changed_is_set_back() -> None:
    kube = filled()
    kube.store["connections"]["warehouse"]["host"] = "elsewhere"
    kube.store["pools"]["warehouse pool"]["slots"] = 1
    kube.store["variables"]["scratch"] = {"key": "scratch", "value": "1"}
    outcome = run(kube, EVERYTHING)
    assert done(outcome) == ["update pool/warehouse pool", "update connection/warehouse"]
    assert outcome.drift["connections"] == {"missing": [], "different": {"warehouse": ["host"]}, "undeclared": []}
    assert outcome.drift["variables"]["undeclared"] == ["scratch"]
    assert "scratch" in kube.store["variables"]


def test_what_was_there_as_declared_is_taken_over_without_a_write() -> None:
    kube = airflow()
    kube.store["variables"]["stage"] = {"key": "stage", "value": "production"}
    assert done(run(kube, {"variables": [{"key": "stage", "value": "production"}]})) == []
    assert (written(kube), kube.writes) == ([], [])


def test_a_password_of_unknown_origin_is_set_once() -> None:
    kube = airflow()
    kube.store["connections"]["old"] = {"connection_id": "old", "conn_type": "http", "password": "who knows"}
    wanted = {"connections": [{"id": "old", "password": "SENTINEL"}]}
    assert [len(done(run(kube, wanted))) for _turn in range(2)] == [1, 0]


def test_only_what_changes_is_sent_and_a_password_only_then() -> None:
    kube = filled()
    run(kube, with_one("users", last_name="Lee"))
    assert kube.store["users"]["kim"]["last_name"] == "Lee"
    kube.store["connections"]["warehouse"]["password"] = "changed by hand, unseen"
    run(kube, with_one("connections", host="other"))
    assert kube.store["connections"]["warehouse"]["password"] == "changed by hand, unseen"


MASKS = {"3": "slots&update_mask=include_deferred", "2": "slots,include_deferred"}


@both
def test_of_the_default_pool_only_what_airflow_lets_is_written(version: str) -> None:
    kube = airflow(version)
    run(kube, {"pools": [{"name": "default_pool", "slots": 64}]})
    assert written(kube) == [f"PATCH pools/default_pool?update_mask={MASKS[version]}"]
    assert kube.store["pools"]["default_pool"]["slots"] == 64


# Removing


@both
def test_prune_keeps_what_airflow_and_the_service_need(version: str) -> None:
    kube = filled(version)
    kube.store["users"]["former"] = {"username": "former", "email": "former@account.scp-dataops.invalid"}
    nothing: dict[str, Any] = {kind: [] for kind in EVERYTHING}
    assert done(run(kube, nothing)) == []
    outcome = run(kube, nothing, prune=[*EVERYTHING])
    assert done(outcome) == [
        "delete variable/regions",
        "delete variable/api_token",
        "delete connection/warehouse",
        "delete pool/warehouse pool",
        "delete user/kim",
        "delete role/Reader",
    ]
    assert list(kube.store["users"]) == ["dataops", "former"]
    assert list(kube.store["pools"]) == ["default_pool"]
    assert len(kube.store["roles"]) == 5


def test_absent_removes_one_and_is_fine_with_none() -> None:
    kube = filled()
    gone = {"connections": [{"id": "warehouse", "state": "absent"}, {"id": "never", "state": "absent"}]}
    assert done(run(kube, gone)) == ["delete connection/warehouse"]
    assert done(run(kube, gone)) == []
    assert done(run(kube, with_one("connections"))) == ["create connection/warehouse"]


# Secrets


def test_values_from_secrets() -> None:
    kube = airflow()
    kube.secret("credentials", password="SENTINEL-one", extra='{"private_key": "SENTINEL-two", "region": "SENTINEL-3"}')

    def reference(key: str) -> dict[str, str]:
        return {"secret": "credentials", "key": key}

    options = {
        "connections": [
            {
                "id": "c",
                "type": "ssh",
                "password_from": reference("password"),
                "extra": {"compress": True},
                "extra_from": reference("extra"),
            }
        ],
        "variables": [{"key": "plain_name", "value_from": reference("password")}],
        "users": [{**KIM, "roles": [], "password": None, "password_from": reference("password")}],
    }
    outcome = run(kube, options)
    connection = kube.store["connections"]["c"]
    assert connection["password"] == "SENTINEL-one"
    assert json.loads(connection["extra"]) == {"compress": True, "private_key": "SENTINEL-two", "region": "SENTINEL-3"}
    assert kube.store["variables"]["plain_name"]["value"] == kube.store["users"]["kim"]["password"] == "SENTINEL-one"
    assert "SENTINEL" not in json.dumps(report.result(outcome, with_diff=True))
    assert done(run(kube, options)) == []
    kube.secret("credentials", password="SENTINEL-new", extra="{}")
    changed = run(kube, options)
    assert done(changed) == ["update user/kim", "update connection/c", "update variable/plain_name"]
    assert "SENTINEL" not in json.dumps(report.result(changed, with_diff=True))


@both
def test_no_secret_is_shown_or_kept_where_it_can_be_read(version: str) -> None:
    kube = airflow(version)
    made = run(kube, EVERYTHING)
    changed = run(
        kube, {**with_one("connections", password="SENTINEL-new"), **with_one("users", password="SENTINEL-2")}
    )
    removed = run(kube, {"connections": [], "variables": []}, prune=["connections", "variables"])
    results = [report.result(outcome, with_diff=True) for outcome in (made, changed, removed)]
    assert "SENTINEL" not in json.dumps(results)
    assert "password: '******** (changed)'" in results[1]["diff"]["after"]
    memory = kube.find("Secret", "etl-objects", NAMESPACE)
    assert "SENTINEL" not in json.dumps(memory)
    assert memory["metadata"]["labels"]["app.kubernetes.io/instance"] == SERVICE


def test_airflow_repeating_a_secret_is_not_repeated() -> None:
    kube = airflow()
    kube.refuses["warehouse"] = (400, "'SENTINEL-pw' is no good, neither is SENTINEL-key")
    with pytest.raises(AirflowError) as caught:
        run(kube, with_one("connections"))
    assert "SENTINEL" not in str(caught.value)


def test_secrets_that_were_written_out_are_named_to_ansible() -> None:
    assert set(report.written_secrets(EVERYTHING)) == {"SENTINEL-key", "SENTINEL-token"}
    assert list(report.written_secrets(dict.fromkeys(EVERYTHING))) == []


# Refused


def test_what_airflow_refuses_is_named_when_all_else_is_done() -> None:
    kube = airflow()
    detail = [{"loc": ["body", "port"], "msg": "Input should be less", "input": "SENTINEL"}]
    kube.refuses = {"warehouse": (422, detail), "api_token": (500, "")}
    with pytest.raises(AirflowError) as caught:
        run(kube, EVERYTHING)
    assert str(caught.value) == (
        "etl-web-server: create connection/warehouse: port: Input should be less; "
        "create variable/api_token: Airflow answered with status 500. "
        "The others are done; correct these and run it again."
    )
    kube.refuses = {}
    assert done(run(kube, EVERYTHING)) == ["create connection/warehouse", "create variable/api_token"]


BAD: dict[str, tuple[dict[str, Any], Sequence[str], str]] = {
    "an unknown key": (
        {"connections": [{"id": "a", "hots": "x"}]},
        (),
        "connections[0].hots: no such option. Use host.",
    ),
    "a bad id": (
        {"connections": [{"id": "a b", "type": "http"}]},
        (),
        "connections[0].id: 'a b' is not a valid connection id. Use letters, digits, '_', '-' and '.'.",
    ),
    "no key": (
        {"variables": [{"key": "", "value": 1}]},
        (),
        "variables[0].key: '' is not a valid key. Use 1 to 250 characters without spaces around them.",
    ),
    "no value": (
        {"variables": [{"key": "a"}]},
        (),
        "variables[0]: variable 'a' has no value. Set value or value_from.",
    ),
    "a port": (
        {"connections": [{"id": "a", "type": "http", "port": 70000}]},
        (),
        "connections[0].port: 70000 is out of range. Use a whole number from 0 to 65535.",
    ),
    "slots": (
        {"pools": [{"name": "a", "slots": -2}]},
        (),
        "pools[0].slots: -2 is out of range. Use a whole number from 0 to 1000000.",
    ),
    "an empty type": (
        {"connections": [{"id": "a", "type": ""}]},
        (),
        "connections[0].type: a connection has a type. Use one such as postgres, http or ssh.",
    ),
    "twice": (
        {"pools": [{"name": "a", "slots": 1}, {"name": "a", "slots": 2}]},
        (),
        "pools[1]: pool 'a' is declared twice. Keep one of the two.",
    ),
    "half a permission": (
        {"roles": [{"name": "a", "permissions": [{"action": "can_read", "resource": ""}]}]},
        (),
        "roles[0].permissions[0]: a permission is an action on a resource. Set both, such as can_read and DAGs.",
    ),
    "Airflow's own role": (
        {"roles": [{"name": "Admin", "permissions": []}]},
        (),
        "roles[0].name: 'Admin' is a role of Airflow itself, which sets its permissions anew at each start. "
        "Declare a role of another name.",
    ),
    "the default pool": (
        {"pools": [{"name": "default_pool", "state": "absent"}]},
        (),
        "pools[0]: Airflow needs 'default_pool'. Change its slots instead.",
    ),
    "the default pool's description": (
        {"pools": [{"name": "default_pool", "description": "Mine"}]},
        (),
        "pools[0].description: Airflow keeps the description of 'default_pool'. Leave it out.",
    ),
    "absent with a host": (
        {"connections": [{"id": "a", "state": "absent", "host": "x"}]},
        (),
        "connections[0]: connection 'a' is absent and yet has host. Leave only id and state.",
    ),
    "password twice": (
        {"connections": [{"id": "a", "password": "p", "password_from": {"secret": "s", "key": "k"}}]},
        (),
        "connections[0].password_from: password is given as well. Keep one of the two.",
    ),
    "prune of nothing": (
        {"pools": []},
        ["variables"],
        "prune: variables are to be pruned, but none are declared. Declare variables; an empty list removes them all.",
    ),
    "the service's account": (
        {"users": [{**KIM, "username": "dataops"}]},
        (),
        "users[0].username: 'dataops' is the service's own account. "
        "Set its password with account.password of scp.dataops.dataops_service.",
    ),
    "a new connection without type": (
        {"connections": [{"id": "a", "host": "x"}]},
        (),
        "connections[0]: connection 'a' does not exist yet, and cannot be made without type. Set what is missing.",
    ),
    "an unknown role": (
        {"users": [{**KIM, "roles": ["Reeder"]}]},
        (),
        "users[0].roles: there is no role 'Reeder'. Use Admin, Op, Public, User, Viewer, or declare it under roles.",
    ),
    "a Secret that is not there": (
        {"variables": [{"key": "a", "value_from": {"secret": "nope", "key": "k"}}]},
        (),
        "variables[0].value_from: there is no Secret nope in namespace data. Create it, or correct the name.",
    ),
    "a key that is not there": (
        {"variables": [{"key": "a", "value_from": {"secret": "there", "key": "k"}}]},
        (),
        "variables[0].value_from: Secret there has no key 'k'. Use text.",
    ),
    "extra that is no object": (
        {"connections": [{"id": "a", "type": "http", "extra_from": {"secret": "there", "key": "text"}}]},
        (),
        'connections[0].extra_from: what it holds is not a JSON object. Write it as {"key": "value"}.',
    ),
}


@pytest.mark.parametrize(("options", "prune", "sentence"), BAD.values(), ids=BAD.keys())
def test_refused_before_anything_is_written(options: dict[str, Any], prune: Sequence[str], sentence: str) -> None:
    kube = airflow()
    kube.secret("there", text="SENTINEL")
    kube.forget()
    with pytest.raises((BadOption, Refused)) as caught:
        run(kube, options, prune=prune)
    assert str(caught.value) == sentence
    assert (written(kube), kube.writes) == ([], [])


def test_version_2_cannot_take_permissions_away_and_says_so() -> None:
    kube = filled("2")
    with pytest.raises(Refused) as caught:
        run(kube, with_one("roles", permissions=[PERMISSION]))
    assert str(caught.value).startswith(
        "roles[0].permissions: Airflow 2.11 cannot take permissions away from a role: 'Reader' would keep "
        "menu_access on DAGs."
    )
    assert written(kube) == []
    assert done(run(filled("3"), with_one("roles", permissions=[PERMISSION]))) == ["update role/Reader"]


def test_version_2_could_not_list_an_endless_pool_again() -> None:
    kube = filled("2")
    with pytest.raises(Refused) as caught:
        run(kube, with_one("pools", slots=-1))
    assert str(caught.value) == (
        "pools[0].slots: Airflow 2.11 can no longer list its pools when one has no limit. "
        "Use a number that is never reached, such as 10000."
    )
    assert done(run(filled("3"), with_one("pools", slots=-1))) == ["update pool/warehouse pool"]


def test_a_service_that_is_not_there() -> None:
    kube = cluster()
    with pytest.raises(DataOpsError) as caught:
        run(kube, EVERYTHING)
    assert str(caught.value) == (
        "name: service 'etl' does not exist in namespace data. Create it first with scp.dataops.dataops_service."
    )
    predicted = run(kube, EVERYTHING, check_mode=True)
    assert len(done(predicted)) == 6
    assert predicted.warnings == (
        "service 'etl' does not exist in namespace data; this is what would happen once it does.",
    )


# Comparing with what Airflow masks

COMPARED: dict[str, tuple[Any, Any, str]] = {
    "equal": ({"a": [1, None]}, {"a": [1, None]}, "same"),
    "another key": ({"a": 1}, {"a": 1, "b": 2}, "different"),
    "true is not 1": (True, 1, "different"),
    "1 is 1.0": (1, 1.0, "same"),
    "masked": ("secret", "***", "hidden"),
    "masked, of any type": (5, "***", "hidden"),
    "nothing is not a masked something": ("", "***", "different"),
    "masked inside of a text": ("user:secret@host", "user:***@host", "hidden"),
    "another text around the mask": ("user:secret@other", "user:***@host", "different"),
    "one part masked": ({"a": "x", "b": "y"}, {"a": "x", "b": "***"}, "hidden"),
    "one part masked, another different": ({"a": "x", "b": "y"}, {"a": "z", "b": "***"}, "different"),
    "longer list": ([1, 2], [1], "different"),
}


@pytest.mark.parametrize(("wanted", "shown", "verdict"), COMPARED.values(), ids=COMPARED.keys())
def test_compare(wanted: Any, shown: Any, verdict: str) -> None:
    assert compare(wanted, shown) == verdict


def test_masked_by_name_at_any_depth() -> None:
    value = {"a": "x", "auth": {"token": "t", "user": "u"}, "secrets": [{"b": "c"}], "password": ""}
    shown = {"a": "x", "auth": {"token": "********", "user": "u"}, "secrets": [{"b": "********"}], "password": ""}
    assert masked("", value) == shown
    assert list(secret_texts("", {"token": "abcd", "password": "abc", "a": "long enough"})) == ["abcd"]
