# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster must have before anything is written, one small check per thing.

A check reads objects of the whole cluster. Who may not do that can still install; what could then not be looked at is
reported as such, never taken for granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import Forbidden, Refused
from ..kube.objects import Manifest
from ..kube.quantities import quantity
from . import findings
from .cluster import Cluster
from .findings import Finding

DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class"
DEFAULT_STORAGE_CLASS = "storageclass.kubernetes.io/is-default-class"
# Provisioners of disks that one node mounts at a time, by their own documentation.
ONE_NODE_ONLY = frozenset(
    {
        "cinder.csi.openstack.org",
        "disk.csi.azure.com",
        "ebs.csi.aws.com",
        "kubernetes.io/aws-ebs",
        "kubernetes.io/azure-disk",
        "kubernetes.io/cinder",
        "kubernetes.io/gce-pd",
        "pd.csi.storage.gke.io",
        "rancher.io/local-path",
    }
)


@dataclass(frozen=True)
class IngressController:
    """A controller as its IngressClasses name it. ``addresses``: where it published Ingresses, as far as known."""

    controller: str
    classes: tuple[str, ...]
    default: bool
    addresses: tuple[str, ...]


def storage_class(cluster: Cluster, name: str) -> list[Finding]:
    """An empty name means the cluster's default class, which must then exist."""
    return findings.readable("storage class", lambda: _storage_class(cluster.all("StorageClass"), name))


def _storage_class(classes: list[Manifest], name: str) -> Iterator[Finding]:
    check, option = "storage class", "storage_class"
    offered = ", ".join(sorted(item["metadata"]["name"] for item in classes)) or "none"
    if name:
        chosen = [item for item in classes if item["metadata"]["name"] == name]
    else:
        chosen = [item for item in classes if _marked(item, DEFAULT_STORAGE_CLASS)]
    if not chosen:
        what = f"storage class '{name}' does not exist" if name else "the cluster has no default storage class"
        next_step = (
            f"Use one of those in the cluster: {offered}" if name else f"Name one of those in the cluster: {offered}"
        )
        yield findings.refused(check, what, option=option, next_step=next_step)
        return
    provisioner = chosen[0].get("provisioner", "")
    called = f"{chosen[0]['metadata']['name']} of {provisioner or 'an unknown provisioner'}"
    if provisioner in ONE_NODE_ONLY:
        yield findings.warning(
            check,
            f"{called} makes volumes that one node mounts at a time; the logs need ReadWriteMany",
            option=option,
            next_step="Try it with test_storage of scp.dataops.dataops_preflight, or use a shared file system",
        )
    else:
        yield findings.ok(check, called)


def grows(claim: Manifest, size: str) -> None:
    """:raises Refused: it would shrink, which no volume does."""
    existing = claim["spec"]["resources"]["requests"]["storage"]
    if quantity(size) < quantity(existing):
        raise Refused(
            f"volume '{claim['metadata']['name']}' has {existing}, and no volume shrinks",
            where="storage_size",
            next_step=f"Leave it out, or use at least {existing}",
        )


def node_selector(cluster: Cluster) -> list[Finding]:
    if not cluster.node_selector:
        return []
    return findings.readable("node selector", lambda: _node_selector(cluster))


def _node_selector(cluster: Cluster) -> Iterator[Finding]:
    selector = ",".join(f"{key}={value}" for key, value in cluster.node_selector.items())
    nodes = cluster.all("Node")
    if nodes:
        yield findings.ok("node selector", f"{len(nodes)} nodes have the labels {selector}")
    else:
        yield findings.refused(
            "node selector",
            f"no node has the labels {selector}",
            option="node_selector",
            next_step="Compare with 'kubectl get nodes --show-labels'",
        )


def priority_class(cluster: Cluster, name: str) -> list[Finding]:
    if not name:
        return []
    return findings.readable("priority class", lambda: _priority_class(cluster, name))


def _priority_class(cluster: Cluster, name: str) -> Iterator[Finding]:
    offered = sorted(item["metadata"]["name"] for item in cluster.all("PriorityClass"))
    if name in offered:
        yield findings.ok("priority class", name)
    else:
        yield findings.refused(
            "priority class",
            f"priority class '{name}' does not exist",
            option="priority_class",
            allowed=", ".join(offered),
            next_step="Use one of those, or make it first",
        )


def pull_secrets(cluster: Cluster, wanted: Iterable[str]) -> list[Finding]:
    """Kubernetes itself says nothing when one is missing, and the pull fails later without naming it."""
    return [finding for name in wanted for finding in _pull_secret(cluster, name)]


def _pull_secret(cluster: Cluster, name: str) -> list[Finding]:
    def look() -> Iterator[Finding]:
        found = cluster.kube.get("Secret", name, cluster.namespace)
        if found is None or not str(found.get("type", "")).startswith("kubernetes.io/dockerc"):
            what = "does not exist" if found is None else "is not one for a registry"
            yield findings.refused(
                "pull secret",
                f"Secret '{name}' {what} in namespace {cluster.namespace}",
                option="image_pull_secrets",
                next_step=f"Make it with 'kubectl -n {cluster.namespace} create secret docker-registry {name} ...'",
            )
        else:
            yield findings.ok("pull secret", name)

    return findings.readable("pull secret", look)


def controllers_of(cluster: Cluster) -> list[IngressController]:
    """:raises Forbidden: when IngressClasses may not be read; Ingresses only add addresses."""
    cluster.read(["IngressClass", "Ingress"])
    try:
        ingresses = cluster.all("Ingress")
    except Forbidden:
        ingresses = []
    return ingress_controllers(cluster.all("IngressClass"), ingresses)


def only_ingress_class(cluster: Cluster) -> str:
    """The class of the only controller; empty when there is not exactly one, or when it cannot be known."""
    try:
        controllers = controllers_of(cluster)
    except Forbidden:
        return ""
    return controllers[0].classes[0] if len(controllers) == 1 else ""


def ingress_class(cluster: Cluster, wanted: str) -> list[Finding]:
    """Whether there is the class asked for, or exactly one controller when none is."""
    return findings.readable("ingress controller", lambda: _ingress_class(controllers_of(cluster), wanted))


def _ingress_class(controllers: list[IngressController], wanted: str) -> Iterator[Finding]:
    check, option = "ingress controller", "ingress_class"
    offered = "; ".join(f"{item.controller} with class {', '.join(item.classes)}" for item in controllers)
    if not controllers:
        yield findings.refused(
            check,
            "the cluster has no Ingress Controller (no IngressClass was found)",
            option=option,
            next_step="Install exactly one, such as Contour or ingress-nginx, and run this again",
        )
    elif wanted and not any(wanted in item.classes for item in controllers):
        yield findings.refused(
            check, f"ingress class '{wanted}' does not exist", option=option, next_step=f"There is {offered}"
        )
    elif not wanted and len(controllers) > 1:
        yield findings.refused(
            check,
            f"the cluster has {len(controllers)} Ingress Controllers ({offered}), and a Data Ops takes exactly one",
            option=option,
            next_step="Remove all but one, or name the class to use in the Manager's ingress_class",
        )
    else:
        yield findings.ok(check, offered)


def host(cluster: Cluster, wanted: str, own: tuple[str, str]) -> list[Finding]:
    """:param own: namespace and name of the Ingress that may have this host."""
    try:
        return list(_host(cluster.all("Ingress"), wanted, own))
    except Forbidden as error:
        near = findings.readable("host", lambda: _host(cluster.kube.list("Ingress", own[0]), wanted, own))
        return [*near, findings.not_checked("host in other namespaces", error.what, error.next_step)]


def _host(ingresses: list[Manifest], wanted: str, own: tuple[str, str]) -> Iterator[Finding]:
    taken = [
        (ingress["metadata"]["namespace"], ingress["metadata"]["name"])
        for ingress in ingresses
        if any(rule.get("host") == wanted for rule in ingress.get("spec", {}).get("rules") or [])
    ]
    others = [place for place in taken if place != own]
    for namespace, name in others:
        yield findings.refused(
            "host",
            f"host {wanted} is already used by Ingress {name} in namespace {namespace}",
            option="domain",
            next_step="Use another name or domain, or remove that Ingress",
        )
    if not others:
        yield findings.ok("host", f"{wanted} is {'its own' if taken else 'free'}")


def ingress_controllers(classes: list[Manifest], ingresses: list[Manifest]) -> list[IngressController]:
    """Group IngressClasses by controller; the default class comes first."""
    by_controller: dict[str, list[Manifest]] = {}
    for item in classes:
        by_controller.setdefault(item.get("spec", {}).get("controller", "unknown"), []).append(item)
    result = []
    for controller, members in sorted(by_controller.items()):
        members.sort(key=lambda item: (not _marked(item, DEFAULT_INGRESS_CLASS), item["metadata"]["name"]))
        names = tuple(item["metadata"]["name"] for item in members)
        default = _marked(members[0], DEFAULT_INGRESS_CLASS)
        served = [item for item in ingresses if item.get("spec", {}).get("ingressClassName") in names]
        addresses = tuple(sorted({address for item in served for address in ingress_addresses(item)}))
        result.append(IngressController(controller, names, default, addresses))
    return result


def ingress_addresses(ingress: Manifest) -> list[str]:
    """Addresses at which the controller says it serves this Ingress."""
    points = ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return [point.get("ip") or point.get("hostname") or "" for point in points]


def _marked(item: Manifest, annotation: str) -> bool:
    marked: bool = (item["metadata"].get("annotations") or {}).get(annotation) == "true"
    return marked
