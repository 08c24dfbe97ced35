# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a running service: its pods, what somebody changed by hand, and the task that would create it."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import yaml
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import NAMESPACE, SERVICE
from driver import Audit, Driver
from embedded import settings

ROLE = f"{SERVICE}-scheduler"
MORE = {"apiGroups": [""], "resources": ["events"], "verbs": ["get"]}
ANOTHER_RULE = json.dumps([{"op": "add", "path": "/rules/-", "value": MORE}])


def info(service: Driver, **more: Any) -> dict[str, Any]:
    done = service.run("dataops_service_info", name=SERVICE, **more)
    assert not done.failed, done.message
    found: dict[str, Any] = done["services"][0]
    return found


def test_every_component_has_a_pod_that_is_ready_on_a_node(service: Driver) -> None:
    found = info(service)
    assert found["replicas"].keys() == found["components"].keys()
    for component, pods in found["replicas"].items():
        ready = [pod for pod in pods if pod["ready"]]
        assert len(ready) == found["components"][component]["wanted"], component
        assert all(pod["node"] and pod["image"] for pod in ready), component
    assert any(pod["commit"] for pod in found["replicas"]["dag-processor"])


def test_what_somebody_changed_by_hand_is_named_and_set_right(service: Driver, kube: Kube, audit: Audit) -> None:
    assert info(service, drift=True)["drift"] == []
    kubectl = [str(settings.BIN / "kubectl"), "--kubeconfig", str(settings.KUBECONFIG), "-n", NAMESPACE]
    by_hand = [*kubectl, "patch", "role", ROLE, "--type=json", "-p", ANOTHER_RULE]
    subprocess.run(by_hand, check=True, capture_output=True, timeout=60)
    position = audit.position()
    (line,) = info(service, drift=True)["drift"]
    assert audit.writes_since(position, NAMESPACE) == []
    assert (line["object"], line["difference"], line["fields"]) == (f"Role/{ROLE}", "changed", ["rules[1]"])
    done = service.service(SERVICE, force=True)
    assert (done["actions"], done["restarted"]) == ([f"update Role/{ROLE}"], [])
    assert info(service, drift=True)["drift"] == []


def test_the_task_that_is_printed_changes_nothing(service: Driver, audit: Audit) -> None:
    (task,) = yaml.safe_load(info(service, export=True)["task"])
    options = task["scp.dataops.dataops_service"]
    # What another test has set may stand there as a variable; left out, it is kept.
    options.get("git_sync", {}).pop("password", None)
    position = audit.position()
    done = service.run("dataops_service", **options)
    assert (done.failed, done["changed"]) == (False, False), done.values
    assert audit.writes_since(position, NAMESPACE) == []
