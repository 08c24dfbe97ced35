# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods a run will make: taken from what it writes, so that the checks ask about what will really be there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...common.labels import COMPONENT, INSTANCE
from ...kube.objects import Manifest
from ...kube.plan import Change
from .. import names

STANDING = frozenset({"Deployment", "StatefulSet"})
PER_TASK = "task"


@dataclass(frozen=True)
class Demand:
    """``count`` pods made from one template. ``replaces`` says that pods of the same component make room for them."""

    service: str
    namespace: str
    component: str
    count: int
    pod: Manifest
    replaces: bool = False
    # It stays; the pods of Jobs and tasks come and go.
    lasts: bool = True

    @property
    def option(self) -> str:
        """The option that sizes these pods."""
        return {"task": "task_pod", "migration": "scheduler", "account": "scheduler", "metrics": "monitoring"}.get(
            self.component, self.component.replace("-", "_")
        )

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.pod["spec"]
        return spec

    def is_own(self, pod: Manifest) -> bool:
        """Whether a running pod is one of this component, which the new ones take the place of."""
        marks = pod["metadata"].get("labels") or {}
        mine = (marks.get(INSTANCE), marks.get(COMPONENT), pod["metadata"]["namespace"])
        return self.replaces and mine == (self.service, self.component, self.namespace)


def templates(manifest: Manifest) -> list[Manifest]:
    """Metadata and spec of the pods that an object leads to; the pod of a task stands in a ConfigMap."""
    if manifest["kind"] == "ConfigMap":
        text = (manifest.get("data") or {}).get(names.TASK_POD_TEMPLATE)
        return [json.loads(text)] if text else []
    return [manifest["spec"]["template"]] if manifest["kind"] in {*STANDING, "Job"} else []


def of(changes: Iterable[Change]) -> list[Demand]:
    """Pods of workloads that are made, replaced or multiplied; what stays as it is has its place already."""
    found = [_demand(change, change.desired) for change in changes if change.desired]
    return [demand for demand in found if demand is not None]


def _demand(change: Change, desired: Manifest) -> Demand | None:
    pods = templates(desired) if change.action in ("create", "update") else []
    if not pods:
        return None
    labels = desired["metadata"].get("labels") or {}
    service, namespace = labels.get(INSTANCE, ""), desired["metadata"]["namespace"]
    if desired["kind"] == "ConfigMap":
        return Demand(service, namespace, PER_TASK, 1, pods[0], lasts=False)
    component = labels.get(COMPONENT, "")
    if desired["kind"] == "Job":
        return Demand(service, namespace, component, 1, pods[0], lasts=False)
    replicas = desired["spec"].get("replicas", 1)
    before = (change.before or {}).get("spec", {}).get("replicas", 1)
    if change.action == "update" and not change.rolls and replicas <= before:
        return None
    # A new pod comes before its old one goes, where the Deployment says so.
    beside = desired["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", 0)
    surge = beside if change.rolls else 0
    return Demand(service, namespace, component, replicas + surge, pods[0], replaces=change.action == "update")
