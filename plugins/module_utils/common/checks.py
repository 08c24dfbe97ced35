# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster must have before anything is written: each check refuses in one sentence.

A check needs to read objects of the whole cluster. Who may not do that can still install; what could then not be
looked at is noted in :attr:`Checks.not_checked` and reported, never taken for granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..errors import Forbidden, Refused
from ..kube.client import Kube
from ..kube.objects import Manifest

DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class"
DEFAULT_STORAGE_CLASS = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True)
class IngressController:
    """A controller as its IngressClasses name it. ``addresses``: where it published Ingresses, as far as known."""

    controller: str
    classes: tuple[str, ...]
    default: bool
    addresses: tuple[str, ...]


@dataclass
class Checks:
    kube: Kube
    not_checked: list[str] = field(default_factory=list)

    @contextmanager
    def _readable(self, what: str) -> Iterator[None]:
        try:
            yield
        except Forbidden as error:
            self.not_checked.append(f"{what}: {error.what}")

    def storage_class(self, name: str) -> None:
        """An empty name means the cluster's default class, which must then exist."""
        with self._readable("storage class"):
            found = {item["metadata"]["name"]: item for item in self.kube.list("StorageClass")}
            offered = ", ".join(sorted(found)) or "none"
            if name and name not in found:
                raise Refused(
                    f"storage class '{name}' does not exist",
                    where="storage_class",
                    next_step=f"Use one of those in the cluster: {offered}",
                )
            if not name and not any(_marked(item, DEFAULT_STORAGE_CLASS) for item in found.values()):
                raise Refused(
                    "the cluster has no default storage class",
                    where="storage_class",
                    next_step=f"Name one of those in the cluster: {offered}",
                )

    def node_selector(self, labels: Mapping[str, str]) -> None:
        if not labels:
            return
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        with self._readable("node selector"):
            if not self.kube.list("Node", labels=selector, limit=1):
                raise Refused(
                    f"no node has the labels {selector}",
                    where="node_selector",
                    next_step="Compare with 'kubectl get nodes --show-labels'",
                )

    def ingress_controllers(self) -> list[IngressController] | None:
        """None when they cannot be read."""
        with self._readable("ingress controller"):
            return ingress_controllers(self.kube.list("IngressClass"), self._ingresses())
        return None

    def _ingresses(self) -> list[Manifest]:
        try:
            return self.kube.list("Ingress")
        except Forbidden:
            return []

    def ingress_class(self, wanted: str) -> str:
        """The class to use: the one asked for, or that of the only controller; empty when it cannot be known."""
        controllers = self.ingress_controllers()
        if controllers is None:
            return wanted
        if not controllers:
            raise Refused(
                "the cluster has no Ingress Controller (no IngressClass was found)",
                where="ingress_class",
                next_step="Install exactly one, such as Contour or ingress-nginx, and run this again",
            )
        offered = "; ".join(f"{item.controller} with class {', '.join(item.classes)}" for item in controllers)
        if wanted:
            if not any(wanted in item.classes for item in controllers):
                raise Refused(
                    f"ingress class '{wanted}' does not exist", where="ingress_class", next_step=f"There is {offered}"
                )
            return wanted
        if len(controllers) > 1:
            raise Refused(
                f"the cluster has {len(controllers)} Ingress Controllers ({offered}), and a Data Ops takes exactly one",
                where="ingress_class",
                next_step="Remove all but one, or name the class to use in the Manager's ingress_class",
            )
        return controllers[0].classes[0]

    def host(self, host: str, own: tuple[str, str]) -> None:
        """:param own: namespace and name of the Ingress that may have this host."""
        try:
            ingresses = self.kube.list("Ingress")
        except Forbidden as error:
            self.not_checked.append(f"host in other namespaces: {error.what}")
            ingresses = self.kube.list("Ingress", own[0])
        for ingress in ingresses:
            namespace, name = ingress["metadata"]["namespace"], ingress["metadata"]["name"]
            rules = ingress.get("spec", {}).get("rules") or []
            if (namespace, name) != own and any(rule.get("host") == host for rule in rules):
                raise Refused(
                    f"host {host} is already used by Ingress {name} in namespace {namespace}",
                    where="domain",
                    next_step="Use another name or domain, or remove that Ingress",
                )


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
