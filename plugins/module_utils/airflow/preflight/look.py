# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a change meets in the cluster, in a few requests that go out together. Writes nothing.

Only what the change touches is looked at: a new description asks for no room, so nobody counts the pods of the cluster
for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...common import checks, findings
from ...common.cluster import Cluster
from ...common.findings import Finding
from ...kube.plan import Change
from .. import references
from ..spec import ServiceSpec
from . import admission, capacity, demand
from .demand import Demand


def look(
    cluster: Cluster, spec: ServiceSpec, changes: Sequence[Change], *, missing_namespace: bool = False
) -> list[Finding]:
    """What these changes of a service find; ``missing_namespace``: nothing can be asked about the inside of it yet."""
    demands = demand.of(changes)
    claims = any(change.action == "create" and change.ref.kind == "PersistentVolumeClaim" for change in changes)
    wanted = ["IngressClass", "Ingress"]
    wanted += ["Node"] if demands or spec.placement.node_selector else []
    wanted += ["Pod"] if demands else []
    wanted += ["StorageClass"] if claims else []
    inside = bool(demands or claims) and not missing_namespace
    wanted += ["ResourceQuota", "LimitRange"] if inside else []
    cluster.read(wanted)
    return [
        *checks.ingress_class(cluster, spec.ingress_class),
        *checks.host(cluster, spec.host, (spec.namespace, spec.name)),
        *(references.certificate(cluster, spec.tls_secret) if spec.tls_secret and not missing_namespace else []),
        *(checks.storage_class(cluster, spec.storage_class) if claims else []),
        *checks.node_selector(cluster),
        *(checks.priority_class(cluster, spec.placement.priority_class) if demands else []),
        *(checks.pull_secrets(cluster, spec.image_pull_secrets) if inside else []),
        *(findings.readable(capacity.CHECK, lambda: _room(cluster, demands)) if demands else []),
        *(_admission(cluster, demands, changes) if inside else []),
    ]


def _room(cluster: Cluster, demands: Sequence[Demand]) -> Iterator[Finding]:
    # That a selector names no node is said by its own check.
    if nodes := cluster.all("Node"):
        yield from capacity.look(nodes, cluster.all("Pod"), demands)


def _admission(cluster: Cluster, demands: Sequence[Demand], changes: Sequence[Change]) -> Iterator[Finding]:
    summed = findings.readable(
        "resource quota",
        lambda: admission.quotas(cluster.all("ResourceQuota"), _pods_inside(cluster), demands, changes),
    )
    yield from summed
    yield from findings.readable("limit range", lambda: admission.limit_ranges(cluster.all("LimitRange"), demands))
    offered = admission.admitted(cluster.kube, demands)
    # A pod too many is one of the sum that is too much.
    known = any(finding.status == "refused" for finding in summed)
    yield from (finding for finding in offered if not (known and "exceeded quota" in finding.found))


def _pods_inside(cluster: Cluster) -> list[dict[str, object]]:
    if not cluster.all("ResourceQuota"):
        return []
    return [pod for pod in cluster.all("Pod") if pod["metadata"]["namespace"] == cluster.namespace]
