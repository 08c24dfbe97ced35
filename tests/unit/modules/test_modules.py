# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules end to end on a cluster in memory: results as documented, and one sentence for whatever goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.scp.dataops.plugins.module_utils import door
from ansible_collections.scp.dataops.plugins.module_utils.errors import Unreachable

from ..fake_kube import FakeKube
from .running import NAMES, Result, Run, returned, runner

GIT = {"repo": "https://git.example.com/team/dags.git", "username": "deploy", "password": "SENTINEL-token"}
MANAGER: dict[str, Any] = {"name": "analytics", "domain": "example.com"}
SERVICE: dict[str, Any] = {"name": "etl", "manager": "analytics"}
OBJECTS: dict[str, Any] = {
    **SERVICE,
    "connections": [
        {"id": "c", "type": "http", "password": "SENTINEL-password", "extra": {"api_key": "SENTINEL-api-key"}}
    ],
    "variables": [{"key": "api_token", "value": ["SENTINEL-variable"]}],
}
# What Ansible itself adds to a result.
BY_ANSIBLE = {"invocation", "warnings", "deprecations"}
# Documented by Ansible for all modules.
COMMON = {"changed", "diff"}


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kube: FakeKube) -> Run:
    return runner(monkeypatch, capsys, kube)


@pytest.fixture
def run_without(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Exception], Run]:
    return lambda error: runner(monkeypatch, capsys, error)


def everything(run: Run) -> dict[str, list[Result]]:
    """Results of each module, in every situation that changes their form."""
    return {
        "dataops_manager": [
            run("dataops_manager", **MANAGER, check=True),
            run("dataops_manager", **MANAGER),
            run("dataops_manager", **MANAGER),
        ],
        "dataops_objects": [run("dataops_objects", **OBJECTS, check=True, diff=True)],
        "dataops_service": [
            run("dataops_service", **SERVICE, git_sync=GIT, check=True),
            run("dataops_service", **SERVICE, git_sync=GIT),
            run("dataops_service", **SERVICE, description="other", diff=True),
        ],
        "dataops_manager_info": [run("dataops_manager_info", name="analytics")],
        "dataops_service_info": [run("dataops_service_info", manager="analytics", drift=True, export=True)],
    }


def own_keys(result: Result) -> set[str]:
    return result.keys() - BY_ANSIBLE - COMMON


def test_every_key_of_a_result_is_documented_and_every_documented_one_returned(run: Run) -> None:
    for name, results in everything(run).items():
        for result in results:
            assert own_keys(result) == returned(name).keys(), name


def test_the_same_for_what_is_inside(run: Run) -> None:
    found = everything(run)
    manager, service = returned("dataops_manager"), returned("dataops_service")
    for result in found["dataops_manager"]:
        assert result["manager"].keys() == manager["manager"]["contains"].keys()
    for result in found["dataops_service"]:
        assert result["service"].keys() == service["service"]["contains"].keys()
    (info,) = found["dataops_service_info"]
    own = returned("dataops_service_info")["services"]["contains"]
    assert info["services"][0].keys() == service["service"]["contains"].keys() | own.keys()
    (info,) = found["dataops_manager_info"]
    assert info["manager"].keys() == manager["manager"]["contains"].keys() | {"services"}
    assert info["ingress"].keys() == returned("dataops_manager_info")["ingress"]["contains"].keys()


TYPES = {"str": str, "list": list, "dict": dict, "int": int, "bool": bool}


def test_types_are_those_documented(run: Run) -> None:
    for name, results in everything(run).items():
        for result in results:
            for key, told in returned(name).items():
                assert isinstance(result[key], TYPES[told["type"]]), f"{name}: {key}"
                inside = result[key][0] if told["type"] == "list" and told.get("contains") else result[key]
                for inner, inner_told in told.get("contains", {}).items():
                    assert isinstance(inside[inner], TYPES[inner_told["type"]]), f"{name}: {key}.{inner}"


def test_samples_have_the_form_of_results(run: Run) -> None:
    found = {name: results[-1] for name, results in everything(run).items()}
    service = returned("dataops_service")["service"]["contains"]
    real = found["dataops_service"]["service"]
    assert real["components"]["scheduler"].keys() == service["components"]["sample"]["scheduler"].keys()
    for key in ("worker", "account", "git_sync"):
        assert real[key].keys() == service[key]["sample"].keys(), key
    git = returned("dataops_service_info")["services"]["contains"]["git"]["contains"]
    assert found["dataops_service_info"]["services"][0]["git"].keys() == git.keys()
    manager = returned("dataops_manager")["manager"]["contains"]
    for key in ("files", "account"):
        assert found["dataops_manager"]["manager"][key].keys() == manager[key]["sample"].keys(), key
    controllers = returned("dataops_manager_info")["ingress"]["contains"]["controllers"]["sample"]
    assert found["dataops_manager_info"]["ingress"]["controllers"][0].keys() == controllers[0].keys()


def test_removal_returns_what_is_always_returned(run: Run) -> None:
    everything(run)
    for name, key, options in (
        ("dataops_service", "service", SERVICE),
        ("dataops_manager", "manager", {"name": "analytics"}),
    ):
        result = run(name, **options, state="absent", purge=True)
        assert own_keys(result) == returned(name).keys()
        inside = returned(name)[key]["contains"]
        assert result[key].keys() == {part for part, told in inside.items() if told["returned"] == "always"}
        assert result[key]["state"] == "DELETED"


def test_created_changed_unchanged(run: Run) -> None:
    found = everything(run)
    assert [result["changed"] for result in found["dataops_manager"]] == [True, True, False]
    assert [result["changed"] for result in found["dataops_service"]] == [True, True, True]
    assert found["dataops_service"][2]["actions"] == ["update ConfigMap/etl-record"]
    assert found["dataops_service"][2]["restarted"] == []
    assert not run("dataops_service", **SERVICE)["changed"]


def test_a_diff_only_when_it_is_asked_for(run: Run) -> None:
    found = everything(run)["dataops_service"]
    assert "diff" not in found[1]
    assert "other" in found[2]["diff"]["after"]
    assert "other" not in found[2]["diff"]["before"]


def test_check_mode_writes_nothing(run: Run, kube: FakeKube) -> None:
    run("dataops_manager", **MANAGER)
    kube.forget()
    run("dataops_service", **SERVICE, git_sync=GIT, check=True)
    run("dataops_manager", name="analytics", state="absent", purge=True, check=True)
    assert kube.writes == []


def test_no_secret_in_any_result(run: Run, kube: FakeKube) -> None:
    account = {"id": "operator", "password": "SENTINEL-Pass1!"}
    results = [
        run("dataops_manager", **MANAGER, account=account, diff=True),
        run("dataops_service", **SERVICE, git_sync=GIT, account=account, diff=True),
        run("dataops_service", **SERVICE, git_sync=GIT, account={"password": "SENTINEL-Two22!"}, diff=True),
        *(result for results in everything(run).values() for result in results),
    ]
    assert "SENTINEL" not in json.dumps(results)


def test_what_was_not_checked_is_a_warning(run: Run, kube: FakeKube) -> None:
    kube.forbid("list", "IngressClass")
    result = run("dataops_manager", **MANAGER)
    assert result["not_checked"] == [
        "ingress controller: user jane may not list ingressclasses.networking.k8s.io in the cluster"
    ]
    assert "Not checked, for lack of rights: ingress controller: user jane" in json.dumps(result["warnings"])


def test_a_missing_manager_is_a_warning_in_check_mode(run: Run) -> None:
    result = run("dataops_service", **SERVICE, domain="example.com", check=True)
    assert result["changed"]
    assert "Manager 'analytics' does not exist in namespace analytics" in json.dumps(result["warnings"])


def test_the_namespace_is_that_of_the_manager_unless_named(run: Run, kube: FakeKube) -> None:
    run("dataops_manager", **MANAGER)
    run("dataops_service", **SERVICE)
    assert "Deployment/etl-scheduler" in kube.refs("analytics")
    run("dataops_manager", **{**MANAGER, "name": "second"}, namespace="elsewhere")
    assert "ConfigMap/dataops-manager-record" in kube.refs("elsewhere")


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "bad name": ("dataops_manager", {**MANAGER, "name": "My_Manager"}, "name: 'My_Manager' is not a valid name."),
    "no manager": (
        "dataops_service",
        SERVICE,
        "manager: Manager 'analytics' does not exist in namespace analytics. "
        "Create it first with scp.dataops.dataops_manager.",
    ),
    "cpu lots": (
        "dataops_manager",
        {**MANAGER, "default_settings": {"worker": {"cpu": "lots"}}},
        "default_settings.worker.cpu: 'lots' is not an amount of CPU.",
    ),
}


@pytest.mark.parametrize(("name", "options", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_is_its_sentence(run: Run, kube: FakeKube, name: str, options: dict[str, Any], sentence: str) -> None:
    result = run(name, **options)
    assert result["failed"]
    assert result["msg"].startswith(sentence)
    assert "Traceback" not in json.dumps(result)
    assert kube.writes == []


OPTIONS_OF: dict[str, dict[str, Any]] = {
    "dataops_manager": MANAGER,
    "dataops_manager_info": {"name": "analytics"},
    "dataops_objects": OBJECTS,
    "dataops_preflight": {"name": "etl", "manager": "analytics"},
    "dataops_service": SERVICE,
    "dataops_service_info": {"manager": "analytics"},
    "dataops_upload": {"manager": "analytics", "kind": "shared", "name": "note.txt", "content": "read me"},
    "dataops_upload_info": {"manager": "analytics"},
}


@pytest.mark.parametrize("name", NAMES)
def test_every_module_says_why_there_is_no_cluster(run_without: Callable[[Exception], Run], name: str) -> None:
    error = Unreachable("the connection is refused", where="https://10.0.0.1:6443", next_step="Check the address")
    result = run_without(error)(name, **OPTIONS_OF[name])
    assert result["msg"] == "https://10.0.0.1:6443: the connection is refused. Check the address."


@pytest.mark.parametrize("name", NAMES)
def test_what_nobody_foresaw_becomes_an_incident(
    run_without: Callable[[Exception], Run], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(AnsibleModule, "log", lambda self, message, **rest: logged.append(message))
    result = run_without(RuntimeError("SENTINEL inside"))(name, **OPTIONS_OF[name])
    incident = re.fullmatch(
        r"This is a bug in scp\.dataops \(incident ([0-9a-f]{8})\)\. Its details are in the system log of the host "
        r"where the module ran; please report them\.",
        result["msg"],
    )
    assert incident
    assert result["failed"]
    told = json.dumps(result)
    assert "SENTINEL" not in told
    assert "Traceback" not in told
    assert "RuntimeError" not in told
    line = logged[-1]
    assert line.startswith(f"scp.dataops incident {incident[1]}: Traceback")


def test_connection_options_reach_the_client(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kube: FakeKube
) -> None:
    seen: dict[str, Any] = {}

    def find(options: dict[str, Any], environment: Any) -> str:
        seen.update(options)
        return "access"

    real = door.connect
    run = runner(monkeypatch, capsys, kube)
    monkeypatch.setattr(door, "connect", real)
    monkeypatch.setattr(door, "find_access", find)
    monkeypatch.setattr(door, "Kube", lambda access: kube)
    run("dataops_manager_info", name="analytics", host="https://10.0.0.1:6443", api_key="SENTINEL", context="lab")
    assert seen.keys() == door.AUTH.keys()
    assert (seen["host"], seen["api_key"], seen["context"], seen["proxy"]) == (
        "https://10.0.0.1:6443",
        "SENTINEL",
        "lab",
        None,
    )
