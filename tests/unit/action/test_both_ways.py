# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same playbook on two hosts, one whose modules run in the worker, one whose modules have processes of their own.

Each host has a cluster of its own. Nobody can tell from results or output which way it was.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..fake_kube import FakeKube
from ..kube.fake_api import Answer, FakeApi
from .served import served

WORKER, PROCESS = HOSTS = ("worker", "process")
# Changes from run to run: incidents, seconds of the timeline, and, since passwords are made at random, names of Jobs
# and the fingerprint of an account.
VARYING = re.compile(r"(?<=incident )[0-9a-f]{8}|\d+\.\d(?= s )|(?<=-)[0-9a-f]{10}\b|(?<=scp.dataops/account: )[\w']+")
TOKEN = "SENTINEL-token"
GIT = {"repo": "https://git.example.com/team/dags.git", "username": "deploy", "password": "SENTINEL-git"}
ETL = {"name": "etl", "manager": "analytics"}
SHARED = {"kind": "shared", "manager": "analytics"}


@dataclass(frozen=True)
class Case:
    """A task, and what is to be found in its result."""

    module: str
    options: dict[str, Any]
    expected: dict[str, Any]
    keywords: dict[str, Any] = field(default_factory=dict)


def refused(start: str) -> dict[str, Any]:
    return {"failed": True, "changed": False, "msg": start}


CHANGED, SAME = {"failed": False, "changed": True}, {"failed": False, "changed": False}
# In this order, on one cluster.
CASES = {
    "nothing there yet": Case("dataops_manager_info", {"name": "analytics"}, {**SAME, "manager": {}}),
    "a file beside the playbook": Case(
        "dataops_upload", {**SHARED, "src": "note.txt"}, refused("manager: Manager 'analytics' does not exist")
    ),
    "its name and checksum, check mode": Case(
        "dataops_upload",
        {**SHARED, "src": "note.txt"},
        {**CHANGED, "actions": ["create shared 'note.txt' of all services"], "sent": 0},
        {"check_mode": True, "diff": True},
    ),
    "a text without a name": Case("dataops_upload", {**SHARED, "content": "x"}, refused("name: it is not set.")),
    "no Manager": Case("dataops_service", ETL, refused("manager: Manager 'analytics' does not exist")),
    "no Manager, check mode": Case("dataops_service", {**ETL, "domain": "example.com"}, CHANGED, {"check_mode": True}),
    "predicted, with a diff": Case(
        "dataops_manager", {"name": "analytics", "domain": "example.com"}, CHANGED, {"check_mode": True, "diff": True}
    ),
    "created": Case("dataops_manager", {"name": "analytics", "domain": "example.com"}, CHANGED),
    "unchanged": Case("dataops_manager", {"name": "analytics", "domain": "example.com"}, SAME),
    "omitted": Case("dataops_manager", {"name": "analytics", "domain": "{{ omit }}"}, SAME),
    "from a template": Case("dataops_manager", {"name": "{{ own }}", "tags": {"one": 1, "yes": True}}, CHANGED),
    "with secrets": Case(
        "dataops_service", {**ETL, "git_sync": GIT, "account": {"password": "SENTINEL-a1!"}}, CHANGED, {"diff": True}
    ),
    "hidden": Case(
        "dataops_service", {**ETL, "description": "other"}, {"changed": True}, {"no_log": True, "check_mode": True}
    ),
    "services": Case("dataops_service_info", {"manager": "analytics"}, SAME),
    "failed_when": Case("dataops_service_info", {"manager": "analytics"}, {"failed": True}, {"failed_when": True}),
    "removed": Case("dataops_service", {**ETL, "state": "absent"}, CHANGED),
    "unknown option": Case(
        "dataops_service",
        {**ETL, "nam": "SENTINEL-x", "password": "SENTINEL-x"},
        refused("Unsupported parameters for (scp.dataops.dataops_service) module: nam. Supported parameters include: "),
    ),
    "unknown sub-option": Case(
        "dataops_service",
        {**ETL, "git_sync": {"url": "x"}},
        refused("Unsupported parameters for (scp.dataops.dataops_service) module: git_sync.url. Supported"),
    ),
    "missing option": Case("dataops_service", {"name": "etl"}, refused("missing required arguments: manager")),
    "wrong type": Case("dataops_manager", {"name": "a", "wait_timeout": "soon"}, refused("argument 'wait_timeout' is")),
    "wrong choice": Case("dataops_manager", {"name": "a", "state": "gone"}, refused("value of state must be one of")),
    "bad value": Case("dataops_manager", {"name": "My_Manager"}, refused("name: 'My_Manager' is not a valid name.")),
    "bad path": Case("dataops_manager_info", {"name": "a", "kubeconfig": "~/none"}, refused("kubeconfig /")),
    "relative path": Case("dataops_manager_info", {"name": "a", "kubeconfig": "files/kubeconfig"}, SAME),
    "other environment": Case(
        "dataops_manager_info",
        {"name": "a"},
        refused("no Kubernetes cluster is given"),
        {"environment": {"K8S_AUTH_HOST": "", "K8S_AUTH_KUBECONFIG": ""}},
    ),
    "incident": Case(
        "dataops_manager_info", {"name": "a", "host": "{{ broken }}"}, refused("This is a bug in scp.dataops (incident")
    ),
}


@dataclass(frozen=True)
class Ran:
    """What Ansible said, what each host's tasks had as results, by name, and whom they talked to."""

    output: str
    results: dict[str, dict[str, Any]]
    apis: dict[str, FakeApi]

    def shown(self, host: str) -> Iterator[dict[str, Any]]:
        """Results of our modules as they were shown, with what they were called with."""
        for found in re.finditer(rf"\[{host}\]: \w+!? => (?={{)|: \[{host}\] => (?={{)", self.output):
            result = json.JSONDecoder().raw_decode(self.output, found.end())[0]
            if "api_key" in result.get("invocation", {}).get("module_args", {}):
                yield result

    def asked(self, host: str, *, writes: bool = False) -> list[tuple[str, str]]:
        """Requests, sorted, since several are on their way at once."""
        asked = [one for one in self.apis[host].asked if one.writes or not writes]
        return sorted((one.method, VARYING.sub("", one.path)) for one in asked)


def tasks() -> Iterator[dict[str, Any]]:
    """Every case; at last each host writes down what it has registered."""
    registered = {name: f"result_{number}" for number, name in enumerate(CASES)}
    for name, case in CASES.items():
        task = {"name": name, f"scp.dataops.{case.module}": case.options, "register": registered[name]}
        yield {**task, "ignore_errors": True, **case.keywords}
    results = ", ".join(f"'{name}': {variable}" for name, variable in registered.items())
    copied = {
        "content": "{{ {" + results + "} | to_json }}",
        "dest": "{{ playbook_dir }}/{{ inventory_hostname }}.json",
    }
    yield {"ansible.builtin.copy": copied, "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder, elsewhere = tmp_path_factory.mktemp("both-ways"), tmp_path_factory.mktemp("elsewhere")
    other_python = folder / "python"
    other_python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other_python.chmod(0o700)
    with ExitStack() as stack:
        apis = {host: stack.enter_context(closing(FakeApi(respond=served(FakeKube())))) for host in HOSTS}
        broken = stack.enter_context(closing(FakeApi(Answer(200, {"kind": "SENTINEL"}))))
        hosts = {host: {"api": api.url, "ansible_connection": "local"} for host, api in apis.items()}
        hosts[PROCESS]["ansible_python_interpreter"] = str(other_python)
        write(folder / "inventory.yml", {"all": {"hosts": hosts}})
        write(folder / "files" / "kubeconfig", kubeconfig())
        (folder / "files" / "note.txt").write_text("SENTINEL of a file")
        play = {
            "hosts": "all",
            "gather_facts": False,
            "environment": {"K8S_AUTH_HOST": "{{ api }}", "K8S_AUTH_IMPERSONATE_USER": "jane"},
            "module_defaults": {"group/scp.dataops.dataops": {"api_key": TOKEN}},
            "vars": {"own": "analytics", "broken": broken.url},
            "tasks": list(tasks()),
        }
        write(folder / "play.yml", [play])
        command = [sys.executable, "-m", "ansible", "playbook", "-vvvv", "-i", folder / "inventory.yml"]
        done = subprocess.run(
            [*command, folder / "play.yml"],
            cwd=elsewhere,
            env={**environment(), "HOME": str(elsewhere), "ANSIBLE_PIPELINING": "True"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, output[-3000:]
        yield Ran(output, {host: json.loads((folder / f"{host}.json").read_text()) for host in HOSTS}, apis)


def environment() -> dict[str, str]:
    """No cluster and no settings of whoever runs the tests."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("K8S_AUTH_", "KUBE"))}


def kubeconfig() -> dict[str, Any]:
    return {
        "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "clusters": [{"name": "lab", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "lab", "user": {}}],
    }


def write(file: Path, content: Any) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


@pytest.mark.parametrize("name", CASES)
def test_the_result_is_the_same(ran: Ran, name: str) -> None:
    here, there = (json.loads(VARYING.sub("", json.dumps(ran.results[host][name]))) for host in HOSTS)
    assert here == there
    found = ran.results[WORKER][name]
    for key, value in CASES[name].expected.items():
        assert found[key].startswith(value) if key == "msg" else found[key] == value


def test_arguments_are_shown_alike(ran: Ran) -> None:
    here, there = ([json.loads(VARYING.sub("", json.dumps(one))) for one in ran.shown(host)] for host in HOSTS)
    assert here == there
    hidden = [name for name, case in CASES.items() if case.keywords.get("no_log")]
    assert len(here) == len(CASES) - len(hidden)
    assert here[0]["invocation"]["module_args"]["api_key"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def test_a_warning_is_part_of_the_result(ran: Ran) -> None:
    assert ran.results[WORKER]["no Manager, check mode"]["warnings"]


def test_each_host_has_gone_its_way(ran: Ran) -> None:
    assert len(re.findall(r"dataops_\w+ runs in the worker", ran.output)) == len(CASES)
    assert len(re.findall(r"dataops_\w+ runs in a process of its own: its Python is /", ran.output)) == len(CASES)


def test_progress_is_shown_where_that_is_possible(ran: Ran) -> None:
    """Ansible shows nothing of what a module's own process says before it ends; its result has the same lines."""
    shown = re.findall(r"^\[(\w+)\] (\w+ \w+): \d+\.\d s (.*)$", ran.output, re.MULTILINE)
    assert shown == [(WORKER, "service etl", line) for line in ("repository can be read", "Airflow is healthy")]
    for host in HOSTS:
        assert [line.partition(" s ")[2] for line in ran.results[host]["with secrets"]["timeline"]] == [
            line for _host, _subject, line in shown
        ]


def test_output_has_no_secret_and_no_traceback(ran: Ran) -> None:
    assert "Traceback" not in ran.output
    # Of a task that fails, Ansible itself shows lines of the playbook.
    shown = "\n".join(line for line in ran.output.splitlines() if not re.match(r" *\d+ ", line))
    assert "SENTINEL" not in shown
    assert "SENTINEL" not in json.dumps(ran.results)


def test_both_act_as_the_same_user_and_ask_the_same(ran: Ran) -> None:
    for host in HOSTS:
        assert {one.headers["Authorization"] for one in ran.apis[host].asked} == {f"Bearer {TOKEN}"}
        assert {one.headers["Impersonate-User"] for one in ran.apis[host].asked} == {"jane"}
    assert set(ran.asked(WORKER)) == set(ran.asked(PROCESS))
    assert ran.asked(WORKER, writes=True) == ran.asked(PROCESS, writes=True)
