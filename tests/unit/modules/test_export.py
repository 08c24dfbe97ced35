# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service printed as a task: fed back it changes nothing, and elsewhere it makes the same service."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ..fake_kube import FakeKube
from .running import Run, runner

MODULE = "scp.dataops.dataops_service"
REPO = "https://git.example.com/team/dags.git"
SERVICE: dict[str, Any] = {"name": "etl", "manager": "analytics"}
FORMAT = "dag_id={{ ti.dag_id }}/{% if ti.map_index >= 0 %}{{ ti.map_index }}{% endif %}.log"
VAULT = {"vault_etl_git_password": "SENTINEL-token", "vault_etl_git_shared_code_password": "SENTINEL-shared"}


class Loader(yaml.SafeLoader):
    """What Ansible evaluates and what it takes literally, told apart."""


class Literal(str):
    __slots__ = ()


Loader.add_constructor("!unsafe", lambda loader, node: Literal(node.value))

CASES: dict[str, dict[str, Any]] = {
    "nothing asked for": {},
    "texts that look like something else": {"description": "yes: 'no' # 3.10 \u00fc", "tags": {"on": "1.10"}},
    "sizes": {"web_server": {"cpu": "1", "replicas": 2}, "task_pod": {"memory": "3Gi"}},
    "celery": {"executor": "CeleryExecutor", "worker": {"concurrency": 8, "replicas": 2}, "flower": {"enabled": True}},
    "expressions in a setting": {"config": {"logging": {"log_filename_template": FORMAT}}},
    "a repository without a password": {"git_sync": {"repo": REPO, "ref": "v1.2"}},
    "repositories with passwords": {
        "git_sync": {
            "repo": REPO,
            "username": "deploy",
            "password": "SENTINEL-token",
            "repositories": [
                {"name": "shared-code", "repo": f"{REPO}2", "username": "reader", "password": "SENTINEL-shared"},
                {"name": "open", "repo": f"{REPO}3"},
            ],
        }
    },
    "placed": {
        "host_aliases": [{"ip": "10.0.0.5", "hostnames": ["warehouse.internal"]}],
        "node_selector": {"pool": "dataops"},
        "python_index": {"url": "https://pypi.example.com/simple", "secret": "index-login"},
        "egress_proxy": {"http": "http://proxy.example.com:3128", "no_proxy": [".internal"]},
    },
    "stopped": {"state": "stopped"},
}


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kube: FakeKube) -> Run:
    return runner(monkeypatch, capsys, kube)


def evaluated(value: Any) -> Any:
    """As Ansible would hand it over, with the variables of the vault."""
    if isinstance(value, dict):
        return {key: evaluated(item) for key, item in value.items()}
    if isinstance(value, list):
        return [evaluated(item) for item in value]
    if isinstance(value, Literal) or not isinstance(value, str):
        return value
    name = value.removeprefix("{{ ").removesuffix(" }}")
    return VAULT[name] if name != value else value


def exported(run: Run) -> str:
    result = run("dataops_service_info", manager="analytics", name="etl", export=True)
    text: str = result["services"][0]["task"]
    return text


def options(text: str) -> dict[str, Any]:
    (task,) = yaml.load(text, Loader)
    assert task.keys() == {"name", MODULE}
    given: dict[str, Any] = evaluated(task[MODULE])
    return given


@pytest.mark.parametrize("asked", CASES.values(), ids=CASES.keys())
def test_fed_back_it_changes_nothing_and_elsewhere_it_makes_the_same(run: Run, kube: FakeKube, asked: Any) -> None:
    run("dataops_manager", name="analytics", domain="example.com")
    run("dataops_service", **SERVICE)
    made = run("dataops_service", **SERVICE, **asked)
    assert not made.get("failed"), made
    text = exported(run)
    assert "SENTINEL" not in text
    kube.forget()
    again = run("dataops_service", **options(text))
    assert again["changed"] is False, again
    assert kube.writes == []
    run("dataops_service", **SERVICE, state="absent", purge=True)
    given = options(text)
    run("dataops_service", **{**given, "state": "present"})
    run("dataops_service", **given)
    assert exported(run) == text


def test_it_holds_what_was_asked_and_no_default(run: Run) -> None:
    run("dataops_manager", name="analytics", domain="example.com", namespace="data")
    run("dataops_service", **SERVICE, namespace="data", description="Nightly loads")
    result = run("dataops_service_info", manager="analytics", namespace="data", export=True)
    assert result["services"][0]["task"] == (
        "- name: Data Ops Service etl\n"
        "  scp.dataops.dataops_service:\n"
        "    name: etl\n"
        "    manager: analytics\n"
        "    namespace: data\n"
        "    description: Nightly loads\n"
    )
