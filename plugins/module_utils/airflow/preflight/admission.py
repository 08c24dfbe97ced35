# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the namespace lets the pods in: its quotas, its limit ranges, its Pod Security level, webhooks.

These act on pods, not on the Deployments that make them; without this look a rollout would start and get stuck. So each
kind of pod is offered to the API server in a dry run, and quotas are added up over all of them.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...common import findings
from ...common.findings import Finding
from ...errors import ApiError, DataOpsError
from ...kube.client import Kube
from ...kube.objects import Manifest
from ...kube.plan import Change
from ...kube.quantities import quantity
from . import capacity
from .demand import Demand

# Who says no, by the API server's own words.
WORDS = {
    "exceeded quota": "resource quota",
    "failed quota": "resource quota",
    "violates PodSecurity": "pod security",
    "usage per": "limit range",
    "limit to request ratio": "limit range",
    "admission webhook": "admission webhook",
    "no PriorityClass": "priority class",
}
LACKS_RIGHT = re.compile(r"^user .* may not ")
Usage = dict[str, Decimal]


def admitted(kube: Kube, demands: Sequence[Demand]) -> list[Finding]:
    """Offer one pod of each kind in a dry run; pods that are refused for the same reason are named together."""
    said = kube.each(lambda demand: _offer(kube, demand), demands)
    by_reason: dict[tuple[str, str, str], list[Demand]] = {}
    for demand, error in zip(demands, said, strict=True):
        if error is not None:
            by_reason.setdefault((_reason(error), _readable(error.what), error.next_step), []).append(demand)
    if not by_reason:
        return [findings.ok("admission", f"the namespace takes pods of {_named(demands)}")] if demands else []
    return [
        findings.not_checked("admission", what, next_step)
        if LACKS_RIGHT.match(what)
        else findings.refused(check, f"{what}, says the API server of pods of {_named(refused)}", next_step=next_step)
        for (check, what, next_step), refused in by_reason.items()
    ]


def _offer(kube: Kube, demand: Demand) -> DataOpsError | None:
    try:
        kube.apply(probe(demand), dry_run=True)
    except ApiError as error:
        return error
    return None


def probe(demand: Demand) -> Manifest:
    """The pod as its controller will make it, but with an account that is there: its own comes with the service."""
    pod = copy.deepcopy(demand.pod)
    spec = {key: value for key, value in pod["spec"].items() if key != "serviceAccountName"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **pod["metadata"],
            "name": f"{demand.service}-{demand.component}-preflight",
            "namespace": demand.namespace,
        },
        "spec": spec,
    }


def _reason(error: DataOpsError) -> str:
    return next((check for words, check in WORDS.items() if words in error.what), "admission")


def _readable(what: str) -> str:
    """Without the name of a pod that never is, and of its containers, so that what is alike reads alike."""
    return re.sub(r" for: [\w,-]+$", "", re.sub(r'pods "[^"]*" is forbidden: ', "", what).rstrip("."))


def _named(demands: Iterable[Demand]) -> str:
    return ", ".join(dict.fromkeys(demand.component for demand in demands))


def quotas(
    found: Iterable[Manifest], pods: Iterable[Manifest], demands: Sequence[Demand], changes: Iterable[Change]
) -> Iterator[Finding]:
    """Quotas by their sums; one that holds only for some pods is left to the dry run.

    :param pods: those of the namespace; the ones that are replaced give back what they use.
    """
    standing = [demand for demand in demands if demand.lasts]
    needed = total([*(_times(usage(demand.spec), demand.count) for demand in standing), *_claims(changes)])
    given_back = total(usage(pod["spec"]) for pod in pods if any(demand.is_own(pod) for demand in standing))
    for quota in found:
        spec, name = quota.get("spec") or {}, quota["metadata"]["name"]
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue
        status = quota.get("status") or {}
        used = {key: quantity(value) for key, value in (status.get("used") or {}).items()}
        hard = {key: quantity(value) for key, value in (spec.get("hard") or {}).items()}
        over = [
            f"{key}: {_amount(key, needed[key] - given_back.get(key, Decimal()))} more are needed, "
            f"{_amount(key, limit - used.get(key, Decimal()))} of {_amount(key, limit)} are left"
            for key, limit in hard.items()
            if key in needed and used.get(key, Decimal()) + needed[key] - given_back.get(key, Decimal()) > limit
        ]
        if over:
            yield findings.refused(
                "resource quota",
                f"ResourceQuota {name} of the namespace is too small; {'; '.join(over)}",
                next_step="Raise it, or ask for less",
            )
        else:
            yield findings.ok("resource quota", f"ResourceQuota {name} has room")


def usage(pod: Mapping[str, Any]) -> Usage:
    """What a pod counts for, by the names that quotas use."""
    room = capacity.asked(pod)
    containers = [*pod["containers"], *(pod.get("initContainers") or [])]
    limits = [(item.get("resources") or {}).get("limits") or {} for item in pod["containers"]]
    counted: Usage = {
        "pods": Decimal(1),
        "count/pods": Decimal(1),
        "cpu": room.cpu,
        "requests.cpu": room.cpu,
        "memory": room.memory,
        "requests.memory": room.memory,
    }
    for resource in ("cpu", "memory"):
        if len(containers) and all(resource in limit for limit in limits):
            counted[f"limits.{resource}"] = sum((quantity(limit[resource]) for limit in limits), Decimal())
    return counted


def _claims(changes: Iterable[Change]) -> Iterator[Usage]:
    for change in changes:
        if change.action == "create" and change.desired and change.ref.kind == "PersistentVolumeClaim":
            size = quantity(change.desired["spec"]["resources"]["requests"]["storage"])
            yield {"persistentvolumeclaims": Decimal(1), "requests.storage": size}


def total(usages: Iterable[Usage]) -> Usage:
    summed: Usage = {}
    for each in usages:
        for key, amount in each.items():
            summed[key] = summed.get(key, Decimal()) + amount
    return summed


def _times(one: Usage, count: int) -> Usage:
    return {key: amount * count for key, amount in one.items()}


def _amount(key: str, value: Decimal) -> str:
    if "memory" in key or "storage" in key:
        return f"{_plain(value / capacity.GIB)} GiB"
    return f"{_plain(value)} cores" if key.endswith("cpu") else _plain(value)


def _plain(value: Decimal) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def limit_ranges(found: Iterable[Manifest], demands: Iterable[Demand]) -> Iterator[Finding]:
    """A default limit of CPU slows Airflow's start many times over, and nobody asked for it."""
    containers = [container for demand in demands for container in demand.spec["containers"]]
    if all("cpu" in ((item.get("resources") or {}).get("limits") or {}) for item in containers):
        return
    for item in found:
        for rule in (item.get("spec") or {}).get("limits") or []:
            cpu = (rule.get("default") or {}).get("cpu")
            if rule.get("type") == "Container" and cpu:
                yield findings.warning(
                    "limit range",
                    f"LimitRange {item['metadata']['name']} limits containers without a CPU limit to {cpu} cores",
                    option="scheduler.cpu_limit",
                    next_step="Set cpu_limit of each component, or remove this default",
                )
