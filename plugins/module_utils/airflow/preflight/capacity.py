# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the nodes have room: what each has free, and where the scheduler could put the pods that are to come. Pure.

First fit, the largest first. It is no scheduler: spreading and volumes are not looked at, so what does not fit here
does certainly not fit there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ...common import findings
from ...common.findings import Finding
from ...kube.objects import Manifest
from ...kube.quantities import quantity
from .demand import PER_TASK, Demand

CHECK = "capacity"
NODES_SHOWN = 5
GIB = Decimal(2**30)
Label = Mapping[str, Any]


@dataclass(frozen=True)
class Room:
    """Cores, bytes and number of pods."""

    cpu: Decimal
    memory: Decimal
    pods: int = 1

    def holds(self, other: Room) -> bool:
        return other.cpu <= self.cpu and other.memory <= self.memory and other.pods <= self.pods

    def less(self, other: Room) -> Room:
        return Room(self.cpu - other.cpu, self.memory - other.memory, self.pods - other.pods)

    def __str__(self) -> str:
        return f"{_short(self.cpu)} cores and {_short(self.memory / GIB)} GiB"


def look(nodes: Sequence[Manifest], pods: Iterable[Manifest], demands: Sequence[Demand]) -> Iterator[Finding]:
    """:param pods: those of the whole cluster that have not ended."""
    standing = [demand for demand in demands if demand.lasts]
    staying = [pod for pod in pods if not any(demand.is_own(pod) for demand in standing)]
    free = free_room(nodes, staying)
    by_name = {node["metadata"]["name"]: node for node in nodes}
    # Jobs are as large as a component; that need not be said twice.
    by_option = {demand.option: demand for demand in [*demands, *standing]}
    impossible = [finding for demand in by_option.values() if (finding := _impossible(by_name, demand))]
    yield from impossible
    if impossible:
        return
    left, homeless = place(by_name, free, standing)
    if homeless:
        counted = ", ".join(f"{count} of {component}" for component, count in homeless.items())
        yield findings.refused(
            CHECK,
            f"there is no room now for {counted}; free are {shown(free, by_name)}",
            option=next((demand.option for demand in standing if demand.component in homeless), ""),
            next_step="Ask for less, or add a node or free one; where nodes come on demand, set preflight: false",
        )
        return
    yield findings.ok(CHECK, f"free are {shown(free, by_name)}")
    _rest, waiting = place(by_name, left, [demand for demand in demands if demand.component == PER_TASK])
    if waiting:
        yield findings.warning(
            CHECK,
            f"beside the service there is no room for one task's pod; left are {shown(left, by_name)}",
            option="task_pod",
            next_step="Tasks will wait until there is: ask for less, or add a node",
        )


def free_room(nodes: Iterable[Manifest], pods: Iterable[Manifest]) -> dict[str, Room]:
    """What each node can still promise. Pods that are on their way out leave their room in a moment."""
    free = {node["metadata"]["name"]: offered(node) for node in nodes}
    for pod in pods:
        name = pod["spec"].get("nodeName", "")
        if name in free and "deletionTimestamp" not in pod["metadata"]:
            free[name] = free[name].less(asked(pod["spec"]))
    return free


def offered(node: Manifest) -> Room:
    """All that a node has for pods."""
    status = node.get("status") or {}
    has = status.get("allocatable") or status.get("capacity") or {}
    return Room(quantity(has.get("cpu", 0)), quantity(has.get("memory", 0)), int(quantity(has.get("pods", 110))))


def asked(pod: Mapping[str, Any]) -> Room:
    """What a pod reserves: all its containers together, or the largest of those that run before them."""
    before = pod.get("initContainers") or []
    helpers = [item for item in before if item.get("restartPolicy") == "Always"]
    once = [_reserved(item) for item in before if item not in helpers]
    together = [_reserved(item) for item in [*pod["containers"], *helpers]]
    extra = pod.get("overhead") or {}
    return Room(
        max([sum((room.cpu for room in together), Decimal()), *(room.cpu for room in once)])
        + quantity(extra.get("cpu", 0)),
        max([sum((room.memory for room in together), Decimal()), *(room.memory for room in once)])
        + quantity(extra.get("memory", 0)),
    )


def _reserved(container: Mapping[str, Any]) -> Room:
    resources = container.get("resources") or {}
    # A limit without a request is a request, too.
    both = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return Room(quantity(both.get("cpu", 0)), quantity(both.get("memory", 0)))


def place(
    nodes: Mapping[str, Manifest], free: Mapping[str, Room], demands: Iterable[Demand]
) -> tuple[dict[str, Room], dict[str, int]]:
    """What is left of the room, and how many pods of which component found none."""
    left, homeless = dict(free), dict[str, int]()
    pods = [(asked(demand.spec), demand) for demand in demands for number in range(demand.count)]
    for room, demand in sorted(pods, key=lambda pod: (pod[0].cpu, pod[0].memory), reverse=True):
        home = next((name for name in left if left[name].holds(room) and takes(nodes[name], demand.spec)), None)
        if home is None:
            homeless[demand.component] = homeless.get(demand.component, 0) + 1
        else:
            left[home] = left[home].less(room)
    return left, homeless


def _impossible(nodes: Mapping[str, Manifest], demand: Demand) -> Finding | None:
    """A pod that no node would take even if it were empty."""
    suitable = [offered(node) for node in nodes.values() if takes(node, demand.spec)]
    if not suitable:
        return findings.refused(
            CHECK,
            f"none of the {len(nodes)} nodes takes pods of {demand.component}: "
            "each lacks a label or has a taint that they do not tolerate",
            option="node_selector",
            next_step="Compare node_selector, tolerations and affinity with 'kubectl describe nodes'",
        )
    wanted = asked(demand.spec)
    if any(replace(room, pods=1).holds(wanted) for room in suitable):
        return None
    largest = max(suitable, key=lambda room: (room.cpu, room.memory))
    scarce = "cpu" if wanted.cpu > largest.cpu else "memory"
    return findings.refused(
        CHECK,
        f"each pod of {demand.component} reserves {wanted}, more than any node has that takes it",
        option=f"{demand.option}.{scarce}",
        allowed=f"at most {largest}, less what other pods have",
        next_step="Ask for less, or add a larger node",
    )


def shown(rooms: Mapping[str, Room], nodes: Mapping[str, Manifest]) -> str:
    """The nodes with the most room, each with what is free of what it has."""
    largest = sorted(rooms, key=lambda name: (-rooms[name].cpu, -rooms[name].memory, name))
    lines = [f"{name}: {rooms[name]} of {offered(nodes[name])}" for name in largest[:NODES_SHOWN]]
    more = len(largest) - NODES_SHOWN
    return "; ".join([*lines, *([f"and {more} nodes with less"] if more > 0 else [])])


def takes(node: Manifest, pod: Mapping[str, Any]) -> bool:
    """Whether the node's labels and taints let the pod in."""
    labels = node["metadata"].get("labels") or {}
    selector = pod.get("nodeSelector") or {}
    taints = [taint for taint in _taints(node) if taint.get("effect") in ("NoSchedule", "NoExecute")]
    return (
        all(labels.get(key) == value for key, value in selector.items())
        and all(any(_tolerates(item, taint) for item in pod.get("tolerations") or []) for taint in taints)
        and _wanted_by_affinity(labels, pod)
    )


def _taints(node: Manifest) -> list[Label]:
    spec = node.get("spec") or {}
    cordoned = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    return [*(spec.get("taints") or []), *([cordoned] if spec.get("unschedulable") else [])]


def _tolerates(toleration: Label, taint: Label) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    same_value = (toleration.get("value") or "") == (taint.get("value") or "")
    return bool(toleration.get("key") == taint["key"] and same_value)


def _wanted_by_affinity(labels: Label, pod: Mapping[str, Any]) -> bool:
    affinity = (pod.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or []
    # Fields of nodes are not looked at here, so a term with them may hold.
    return not terms or any(
        all(_matches(labels, rule) for rule in term.get("matchExpressions") or []) for term in terms
    )


def _matches(labels: Label, rule: Label) -> bool:
    value, values = labels.get(rule["key"]), rule.get("values") or []
    answers = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    # Gt and Lt compare numbers; who uses them knows the nodes.
    return answers.get(rule["operator"], True)


def _short(amount: Decimal) -> str:
    return f"{amount:.2f}".rstrip("0").rstrip(".")
