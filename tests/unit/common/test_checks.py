# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster must have: Ingress Controllers as IngressClasses and Ingresses name them, classes, nodes, hosts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common import checks
from ansible_collections.scp.dataops.plugins.module_utils.common.checks import (
    IngressController,
    ingress_addresses,
    ingress_controllers,
)
from ansible_collections.scp.dataops.plugins.module_utils.common.cluster import Cluster
from ansible_collections.scp.dataops.plugins.module_utils.common.findings import Finding
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

from ..fake_kube import FakeKube, cluster_object

DEFAULT = "ingressclass.kubernetes.io/is-default-class"
CONTOUR, NGINX = "projectcontour.io/ingress-controller", "k8s.io/ingress-nginx"


def ingress_class(name: str, controller: str, *, default: bool = False) -> Manifest:
    annotations = {DEFAULT: "true"} if default else {}
    return cluster_object("IngressClass", name, metadata={"annotations": annotations}, spec={"controller": controller})


def ingress(name: str, of_class: str, *addresses: dict[str, str]) -> Manifest:
    metadata = {"namespace": "shop"}
    status = {"loadBalancer": {"ingress": list(addresses)}}
    return cluster_object("Ingress", name, metadata=metadata, spec={"ingressClassName": of_class}, status=status)


FOUND: dict[str, tuple[list[Manifest], list[Manifest], list[IngressController]]] = {
    "none": ([], [], []),
    "one": (
        [ingress_class("contour", CONTOUR)],
        [],
        [IngressController(CONTOUR, ("contour",), False, ())],
    ),
    "one with two classes, the default one first": (
        [ingress_class("a-internal", CONTOUR), ingress_class("public", CONTOUR, default=True)],
        [],
        [IngressController(CONTOUR, ("public", "a-internal"), True, ())],
    ),
    "two": (
        [ingress_class("contour", CONTOUR), ingress_class("nginx", NGINX, default=True)],
        [],
        [IngressController(NGINX, ("nginx",), True, ()), IngressController(CONTOUR, ("contour",), False, ())],
    ),
    "addresses are those of its own Ingresses, each once": (
        [ingress_class("contour", CONTOUR), ingress_class("nginx", NGINX)],
        [
            ingress("a", "contour", {"ip": "10.0.0.2"}),
            ingress("b", "contour", {"ip": "10.0.0.2"}, {"hostname": "lb.example.com"}),
            ingress("c", "nginx", {"ip": "10.0.0.3"}),
            ingress("d", "other", {"ip": "10.0.0.4"}),
        ],
        [
            IngressController(NGINX, ("nginx",), False, ("10.0.0.3",)),
            IngressController(CONTOUR, ("contour",), False, ("10.0.0.2", "lb.example.com")),
        ],
    ),
    "a class that names no controller": (
        [cluster_object("IngressClass", "odd")],
        [],
        [IngressController("unknown", ("odd",), False, ())],
    ),
}


@pytest.mark.parametrize(("classes", "ingresses", "expected"), FOUND.values(), ids=FOUND.keys())
def test_ingress_controllers(
    classes: list[Manifest], ingresses: list[Manifest], expected: list[IngressController]
) -> None:
    assert ingress_controllers(classes, ingresses) == expected


ADDRESSES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "not published yet": ({}, []),
    "published empty": ({"status": {"loadBalancer": {}}}, []),
    "address": ({"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}, ["10.0.0.1"]),
    "name": ({"status": {"loadBalancer": {"ingress": [{"hostname": "lb"}]}}}, ["lb"]),
}


@pytest.mark.parametrize(("item", "expected"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_ingress_addresses(item: dict[str, Any], expected: list[str]) -> None:
    assert ingress_addresses(item) == expected


def statuses(found: list[Finding]) -> list[str]:
    return [f"{item.status} {item.check}" for item in found]


def test_ingresses_of_others_may_be_unreadable() -> None:
    kube = FakeKube()
    kube.forbid("list", "Ingress")
    cluster = Cluster(kube, "data")
    assert checks.only_ingress_class(cluster) == "contour"
    assert statuses(checks.ingress_class(cluster, "")) == ["ok ingress controller"]


def test_without_the_right_to_read_classes_the_one_asked_for_is_taken() -> None:
    kube = FakeKube()
    kube.forbid("list", "IngressClass")
    cluster = Cluster(kube, "data")
    assert checks.only_ingress_class(cluster) == ""
    (found,) = checks.ingress_class(cluster, "nginx")
    assert (found.status, found.found) == (
        "not_checked",
        "user jane may not list ingressclasses.networking.k8s.io in the cluster",
    )


def in_use(host: str, namespace: str = "data", name: str = "b") -> Manifest:
    return cluster_object("Ingress", name, metadata={"namespace": namespace}, spec={"rules": [{"host": host}]})


HOSTS: dict[str, tuple[list[Manifest], list[str]]] = {
    "free": ([], ["ok host"]),
    "of another host": ([in_use("y.example.com")], ["ok host"]),
    "its own": ([in_use("x.example.com", name="a")], ["ok host"]),
    "without rules": (
        [cluster_object("Ingress", "b", metadata={"namespace": "shop"}, spec={"rules": None})],
        ["ok host"],
    ),
    "taken": ([in_use("x.example.com")], ["refused host"]),
    "taken twice": ([in_use("x.example.com"), in_use("x.example.com", "shop")], ["refused host", "refused host"]),
}


@pytest.mark.parametrize(("ingresses", "expected"), HOSTS.values(), ids=HOSTS.keys())
def test_host(ingresses: list[Manifest], expected: list[str]) -> None:
    assert (
        statuses(checks.host(Cluster(FakeKube(objects=ingresses), "data"), "x.example.com", ("data", "a"))) == expected
    )


def test_without_the_right_to_read_all_ingresses_the_own_namespace_is_checked() -> None:
    kube = FakeKube(objects=[in_use("x.example.com")])
    kube.forbid("list", "Ingress")
    found = checks.host(Cluster(kube, "data"), "x.example.com", ("data", "a"))
    assert statuses(found) == ["refused host", "not_checked host in other namespaces"]
    assert "already used by Ingress b in namespace data" in str(found[0])


def test_a_class_of_disks_for_one_node_is_a_warning() -> None:
    kube = FakeKube(objects=[cluster_object("StorageClass", "disk", provisioner="ebs.csi.aws.com")])
    (found,) = checks.storage_class(Cluster(kube, "data"), "disk")
    assert found.status == "warning"
    assert "one node mounts at a time" in found.found and "test_storage" in found.next_step


def test_each_kind_is_read_once() -> None:
    kube = FakeKube()
    cluster = Cluster(kube, "data")
    cluster.read(["IngressClass", "Ingress"])
    checks.ingress_class(cluster, "contour")
    checks.host(cluster, "x.example.com", ("data", "a"))
    assert kube.reads == 2
