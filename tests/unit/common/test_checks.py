# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ingress Controllers are found by what IngressClasses and Ingresses say of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common.checks import (
    Checks,
    IngressController,
    ingress_addresses,
    ingress_controllers,
)
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


def test_ingresses_of_others_may_be_unreadable() -> None:
    kube = FakeKube()
    kube.forbid("list", "Ingress")
    checks = Checks(kube)
    assert checks.ingress_class("") == "contour"
    assert checks.not_checked == []


def test_without_the_right_to_read_classes_the_one_asked_for_is_taken() -> None:
    kube = FakeKube()
    kube.forbid("list", "IngressClass")
    checks = Checks(kube)
    assert (checks.ingress_class("nginx"), checks.ingress_class("")) == ("nginx", "")
    assert set(checks.not_checked) == {
        "ingress controller: user jane may not list ingressclasses.networking.k8s.io in the cluster"
    }


def test_without_the_right_to_read_all_ingresses_the_own_namespace_is_checked() -> None:
    kube = FakeKube(
        objects=[
            cluster_object("Ingress", "b", metadata={"namespace": "data"}, spec={"rules": [{"host": "x.example.com"}]})
        ]
    )
    kube.forbid("list", "Ingress")
    checks = Checks(kube)
    checks.host("y.example.com", ("data", "a"))
    with pytest.raises(Exception, match="already used by Ingress b in namespace data"):
        checks.host("x.example.com", ("data", "a"))
    checks.host("x.example.com", ("data", "b"))


def test_an_ingress_without_rules_takes_no_host() -> None:
    kube = FakeKube(objects=[cluster_object("Ingress", "b", metadata={"namespace": "shop"}, spec={"rules": None})])
    Checks(kube).host("x.example.com", ("data", "a"))
