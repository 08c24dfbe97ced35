# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a module runs inside Ansible's worker, and when it gets a process of its own."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.plugins.action.normal import ActionModule as ModuleAction
from ansible_collections.scp.dataops.plugins.plugin_utils import in_worker
from ansible_collections.scp.dataops.plugins.plugin_utils.in_worker import Circumstances, why_not_here

from ..fake_kube import FakeKube
from ..kube.fake_api import FakeApi
from ..modules.running import COLLECTION, NAMES, module_files
from .served import served

USUAL = Circumstances(
    transport="local", become=False, background=False, time_limit=False, interpreter="auto", environment={}
)
FOLDER = os.path.dirname(sys.executable)

CHOICES: dict[str, tuple[dict[str, Any], str]] = {
    "this host": ({}, ""),
    "another host": ({"transport": "ssh"}, "the connection is ssh"),
    "another user": ({"become": True}, "it becomes another user"),
    "asynchronous": ({"background": True}, "it is asynchronous"),
    "with a timeout": ({"time_limit": True}, "it has a timeout"),
    "no interpreter": ({"interpreter": ""}, ""),
    "this interpreter": ({"interpreter": sys.executable}, ""),
    "another interpreter": ({"interpreter": "/opt/python"}, "its Python is /opt/python"),
    "the same program, another environment": (
        {"interpreter": os.path.realpath(sys.executable)},
        f"its Python is {os.path.realpath(sys.executable)}",
    ),
    "not a path": ({"interpreter": "/usr/bin/env python"}, "its Python is /usr/bin/env python"),
    "our environment": ({"environment": {"K8S_AUTH_CONTEXT": "lab", "KUBECONFIG": "lab.yml"}}, ""),
    "other environment": ({"environment": {"PATH": "/opt", "HOME": "/"}}, "its environment has HOME, PATH"),
}


@pytest.mark.parametrize(("change", "reason"), CHOICES.values(), ids=CHOICES.keys())
def test_choice(change: dict[str, Any], reason: str) -> None:
    assert why_not_here(replace(USUAL, **change)) == reason


def test_another_name_in_the_same_folder_is_the_same_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("python", "python3"):
        (tmp_path / name).symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert why_not_here(replace(USUAL, interpreter=str(tmp_path / "python3"))) == ""


def test_a_python_without_the_libraries_is_not_imposed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_worker, "LIBRARIES", ("json", "no_such_library"))
    assert why_not_here(USUAL) == "Ansible's own Python lacks no_such_library"
    assert why_not_here(replace(USUAL, interpreter=sys.executable)) == ""


def test_an_ansible_without_the_way_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(AnsibleModule, in_worker.RECORDS_RESULT)
    assert why_not_here(USUAL) == "this ansible-core offers no other way"


class Templar:
    """Knows one variable; what is omitted disappears from lists."""

    def template(self, value: list[Any]) -> list[Any]:
        known = {"{{ ansible_playbook_python }}": sys.executable}
        return [known.get(item, item) for item in value if item != "{{ omit }}"]


def action(name: str = "dataops_service_info", **how: Any) -> Any:
    """An action with just what it looks at; `how` changes that."""
    made = importlib.import_module(f"{COLLECTION}.plugins.action.{name}").ActionModule
    task = {
        "action": f"scp.dataops.{name}",
        "async_val": 0,
        "timeout": 0,
        "delegate_to": None,
        "environment": [],
        "args": {},
    }
    parts = {
        "task": SimpleNamespace(
            **{"no_log": False, **task, **how.get("task", {})}, check_mode=False, diff=False, collections=[]
        ),
        "connection": SimpleNamespace(
            **{"transport": "local", "become": None, "socket_path": None, **how.get("connection", {})},
            _shell=SimpleNamespace(tmpdir=None, env_prefix=lambda **names: "", get_option=lambda name: None),
        ),
        "play_context": SimpleNamespace(become=how.get("become", False), executable="/bin/sh"),
        "loader": SimpleNamespace(get_basedir=lambda: how.get("basedir", ".")),
        "templar": how.get("templar", Templar()),
    }
    return made(**parts)


TASKS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "usual": ({}, {}, "worker"),
    "ssh": ({"connection": {"transport": "ssh"}}, {}, "process"),
    "become": ({"become": True}, {}, "process"),
    "a become plugin": ({"connection": {"become": object()}}, {}, "process"),
    "async": ({"task": {"async_val": 60}}, {}, "process"),
    "timeout": ({"task": {"timeout": 60}}, {}, "process"),
    "interpreter": ({}, {"ansible_python_interpreter": "/opt/python"}, "process"),
    "interpreter in a template": ({}, {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}, "worker"),
    "interpreter omitted": ({}, {"ansible_python_interpreter": "{{ omit }}"}, "worker"),
    "interpreter of the host delegated to": (
        {"task": {"delegate_to": "other"}},
        {"ansible_delegated_vars": {"other": {"ansible_python_interpreter": "/opt/python"}}},
        "process",
    ),
    "interpreter of the host delegated from": (
        {"task": {"delegate_to": "other"}},
        {"ansible_python_interpreter": "/opt/python", "ansible_delegated_vars": {"other": {}}},
        "worker",
    ),
}


@pytest.mark.parametrize(("how", "variables", "way"), TASKS.values(), ids=TASKS.keys())
def test_way_of_a_task(
    monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], variables: dict[str, Any], way: str
) -> None:
    monkeypatch.setattr(ModuleAction, "run", lambda *given: {"way": "process"})
    monkeypatch.setattr(in_worker.DataOpsAction, "_run_here", lambda *given: {"way": "worker"})
    assert action(**how).run(None, variables) == {"way": way}


def test_every_module_has_an_action_with_its_own_work() -> None:
    assert module_files() == sorted(NAMES)
    for name in NAMES:
        assert action(name).module.__name__ == f"{COLLECTION}.plugins.modules.{name}"


@pytest.mark.parametrize("no_log", [False, True])
def test_progress_is_masked_and_hidden_as_the_result(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], no_log: bool
) -> None:
    def run(module: Any, perform: Any, environment: Any, secrets: Any, tell: Any) -> None:
        if tell:
            tell("1.2 s SENTINEL-key is here")
        module.exit_json()

    monkeypatch.setattr(in_worker.door, "run", run)
    task = {"args": {"manager": "analytics", "name": "etl", "api_key": "SENTINEL-key"}, "no_log": no_log}
    action(task=task, templar=Environments()).run(None, {"inventory_hostname": "here"})
    out, err = capfd.readouterr()
    assert out == ""
    assert err == ("" if no_log else "[here] service_info etl: 1.2 s ******** is here\n")


class Environments(Templar):
    """An environment needs no templating here."""

    def template(self, value: Any) -> Any:
        return value if isinstance(value, dict) else super().template(value)


def test_the_worker_is_left_as_it_was(tmp_path: Path) -> None:
    """No connection, no thread, no other folder, no other environment; what the task set counts all the same."""
    environment, folder, threads = dict(os.environ), os.getcwd(), set(threading.enumerate())
    api = FakeApi(respond=served(FakeKube()))
    task = {"args": {"manager": "analytics"}, "environment": [{"K8S_AUTH_HOST": api.url}]}
    result = action(task=task, basedir=str(tmp_path), templar=Environments()).run(None, {})
    assert result.get("services") == [], result
    assert api.asked
    assert (dict(os.environ), os.getcwd()) == (environment, folder)
    api.close()
    # The server has a thread for each connection, as long as that is open.
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
        assert not thread.is_alive(), thread.name
