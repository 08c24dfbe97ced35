# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Manager and Service the demo is about, and how to have them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.progress import say, step
from plugins.module_utils.airflow.info import services_info
from plugins.module_utils.kube.client import Kube
from plugins.module_utils.manager.info import manager_info

from . import repository, wheel
from .errors import DemoError
from .playbook import Recap, run_playbook, variables

ROOT = Path(__file__).resolve().parents[3]
VARIABLES = "examples/demo.yml"
DAGS = ROOT / "examples" / "dags"


@dataclass(frozen=True)
class Demo:
    """A service of a Manager on a cluster, as an inventory and the demo's own variables describe them."""

    kube: Kube
    inventory: str
    repo: str
    manager: str
    namespace: str
    service: str

    @classmethod
    def of(cls, kube: Kube, inventory: str, repo: str = "") -> Demo:
        """:param repo: another repository than that of the cluster's git server."""
        manager = variables(inventory).get("dataops_manager")
        if manager is None:
            raise DemoError(f"{inventory} is no inventory with a dataops_manager.", "Those there are: ls inventories")
        services = yaml.safe_load((ROOT / VARIABLES).read_text())["dataops_services"]
        name = str(manager["name"])
        return cls(kube, inventory, repo, name, str(manager.get("namespace", name)), str(services[0]["name"]))

    @property
    def arguments(self) -> list[str]:
        """What follows the name of a playbook."""
        other = ["--extra-vars", f"demo_repo={self.repo}"] if self.repo else []
        files = ["--extra-vars", f"demo_wheel={wheel.path()}"]
        return ["--inventory", self.inventory, "--extra-vars", f"@{VARIABLES}", *files, *other]

    def publish(self) -> repository.Published | None:
        """Push the DAGs; None when somebody else's repository is used."""
        if self.repo:
            return None
        with step("Push examples/dags to the cluster's git server"):
            return repository.publish(repository.find_server(self.kube), DAGS)

    def bring_up(self, title: str) -> Recap:
        with step(title):
            log = Path(os.environ["CACHE"], "demo-site.log")
            recap = run_playbook("scp.dataops.site", self.arguments, log=log, waiting_for=self.not_ready)
            say(f"  {recap.tasks} tasks, changed={recap.changed}")
            return recap

    def not_ready(self) -> str:
        """Which pods of the namespace still start, and what keeps them from it if Kubernetes says so."""
        pods = [pod for pod in self.kube.list("Pod", self.namespace) if not is_ready(pod)]
        return f"not ready yet: {', '.join(sorted(set(map(named, pods))))}" if pods else ""

    def read(self) -> Mapping[str, Any]:
        """The service as dataops_service_info shows it."""
        found = services_info(self.kube, self.namespace, self.manager, self.service)
        if not found:
            raise DemoError(f"There is no service {self.service} in namespace {self.namespace}.", "Run: make demo")
        return found[0]

    def read_manager(self) -> Mapping[str, Any]:
        """The Manager as dataops_manager_info shows it."""
        return manager_info(self.kube, self.namespace, self.manager)


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether there is nothing to wait for: it runs with every container ready, or it has ended."""
    status = pod["status"]
    if status.get("phase") in ("Succeeded", "Failed"):
        return True
    containers = status.get("containerStatuses") or []
    return bool(containers) and all(container["ready"] for container in containers)


def named(pod: Mapping[str, Any]) -> str:
    labels = pod["metadata"].get("labels") or {}
    name: str = labels.get("app.kubernetes.io/component") or pod["metadata"]["name"]
    for condition in pod["status"].get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{name} ({condition.get('message', 'not scheduled')})"
    return name
