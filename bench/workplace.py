# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private folder of one bench: manifests (with live secrets), playbooks, and how each contestant is called."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster import settings
from plugins.module_utils.airflow import names
from plugins.module_utils.airflow.plan import Plan, Request, make_plan
from plugins.module_utils.common import record
from plugins.module_utils.kube.client import FIELD_MANAGER
from plugins.module_utils.kube.objects import Manifest, Ref
from scripts.lib.demo.dataops import Demo
from scripts.lib.demo.errors import DemoError

# All act as this user, whom nobody else acts as: so the audit log tells their requests from everybody else's.
USER, GROUP = "dataops-bench", "system:masters"
# Stands in for Python where Ansible starts a module, and notes how long that process lived.
STOPWATCH = """#!/bin/sh
start=$(date +%s%N)
{python} "$@"
code=$?
echo $(($(date +%s%N) - start)) >> {times}
exit $code
"""


IMPERSONATION = {"impersonate_user": USER, "impersonate_groups": [GROUP]}


@dataclass(frozen=True)
class Contestant:
    """Something that is timed.

    :param in_ansible: whether it is a playbook, so that Ansible's own time is taken off.
    """

    name: str
    title: str
    command: tuple[str, ...]
    in_ansible: bool = True


@dataclass(frozen=True)
class Workplace:
    folder: Path
    venv: Path

    @property
    def times(self) -> Path:
        """Nanoseconds of each module process, a line each."""
        return self.folder / "module-times"

    @property
    def manifests(self) -> Path:
        return self.folder / "manifests.yml"

    def environment(self) -> Mapping[str, str]:
        """No settings of the user's own; every cache in this folder, filled by the round that is not counted."""
        own = {
            "ANSIBLE_HOME": self.folder / "ansible",
            "ANSIBLE_CONFIG": self.folder / "ansible.cfg",
            "ANSIBLE_STDOUT_CALLBACK": "default",
            "KUBECACHEDIR": self.folder / "kubectl",
            "TMPDIR": self.folder / "tmp",
        }
        inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return {**inherited, **{key: str(value) for key, value in own.items()}}

    def fill(self, demo: Demo, plan: Plan) -> None:
        (self.folder / "tmp").mkdir()
        self._write("ansible.cfg", "")
        stopwatch = self._write("python", STOPWATCH.format(python=self.venv / "bin" / "python", times=self.times))
        stopwatch.chmod(0o700)
        host = {"ansible_connection": "local", "ansible_python_interpreter": str(stopwatch)}
        self._write("inventory.yml", json.dumps({"all": {"hosts": {"localhost": host}}}))
        self._write(self.manifests.name, yaml.safe_dump_all(plan.stages.all))
        self._playbook("empty", [])
        self._playbook("ping", [{"ansible.builtin.ping": {}}])
        unchanged = [{"scp.dataops.dataops_service": options(demo, plan)}]
        # Ansible's own Python, so that nothing keeps the module from running in the worker.
        self._playbook("dataops_service", unchanged, ansible_python_interpreter="{{ ansible_playbook_python }}")
        self._playbook("process", unchanged)
        applied = {
            "src": str(self.manifests),
            "apply": True,
            "server_side_apply": {"field_manager": FIELD_MANAGER},
            **IMPERSONATION,
        }
        self._playbook("kubernetes.core.k8s", [{"kubernetes.core.k8s": applied}])

    def contestants(self) -> Sequence[Contestant]:
        # As the collection's own field manager, so that nobody becomes a second owner of its fields.
        how = ("apply", "--server-side", f"--field-manager={FIELD_MANAGER}", f"--filename={self.manifests}")
        who = (f"--as={USER}", f"--as-group={GROUP}")
        return (
            Contestant("empty", "empty playbook", self._ansible("empty")),
            Contestant("ping", "ansible.builtin.ping", self._ansible("ping")),
            Contestant("dataops_service", "dataops_service", self._ansible("dataops_service")),
            Contestant("process", "dataops_service, own process", self._ansible("process")),
            Contestant("k8s", "kubernetes.core.k8s", self._ansible("kubernetes.core.k8s")),
            Contestant("kubectl", "kubectl apply --server-side", (kubectl(), *how, *who), in_ansible=False),
        )

    def _ansible(self, playbook: str) -> tuple[str, ...]:
        program = self.venv / "bin" / "ansible-playbook"
        return str(program), "--inventory", str(self.folder / "inventory.yml"), str(self.folder / f"{playbook}.yml")

    def _playbook(self, name: str, tasks: list[dict[str, Any]], **variables: str) -> None:
        play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}
        self._write(f"{name}.yml", yaml.safe_dump([play]))

    def _write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.touch(mode=0o600)
        file.write_text(text)
        return file


def kubectl() -> str:
    """That of the embedded cluster, or the machine's own."""
    found = settings.BIN / "kubectl" if (settings.BIN / "kubectl").exists() else shutil.which("kubectl")
    if found is None:
        raise DemoError("There is no kubectl on this machine to compare with.")
    return str(found)


def unchanged_plan(demo: Demo) -> Plan:
    """What the engine renders for the service as it is, with the live secrets; refused unless nothing would change."""
    request = Request(name=demo.service, manager=demo.manager, namespace=demo.namespace, options={}, check_mode=True)
    plan = make_plan(demo.kube, request)
    if plan.changes:
        raise DemoError(f"The service {demo.service} is not as the collection would make it.", "Run: make demo")
    return plan


def options(demo: Demo, plan: Plan) -> dict[str, Any]:
    """A task that says all that was ever asked of the service, as the manifests do."""
    recorded = record.read(plan.live[Ref("ConfigMap", names.record(demo.service), demo.namespace)])
    return {**recorded, **IMPERSONATION, "name": demo.service, "manager": demo.manager, "namespace": demo.namespace}


def versions(live: Mapping[Ref, Manifest]) -> dict[str, str]:
    """What changes whenever something writes to an object's specification, by object."""
    return {
        str(ref): f"{item['metadata']['uid']} {item['metadata'].get('generation', '')} {fields_of(item)}"
        for ref, item in live.items()
    }


def fields_of(item: Manifest) -> str:
    """Who owns which fields; status, which controllers write at any time, is left out."""
    entries = item["metadata"].get("managedFields") or []
    return json.dumps([entry for entry in entries if entry.get("subresource") != "status"], sort_keys=True)
