# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a manifest certainly changes nothing: each way of being different must be noticed."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest
from ansible_collections.scp.dataops.plugins.module_utils.kube.quantities import quantity, same_quantity
from ansible_collections.scp.dataops.plugins.module_utils.kube.sameness import certainly_same

MANAGER = "scp.dataops"


def desired() -> Manifest:
    container = {
        "name": "main",
        "image": "i:1",
        "env": [{"name": "A", "value": ""}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}],
        "ports": [{"containerPort": 80}],
        "resources": {"requests": {"cpu": "1000m"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "x", "labels": {"limits": "1"}},
        "spec": {
            "replicas": 1,
            "template": {"spec": {"nodeSelector": {"disk": "fast"}, "containers": [container], "args": ["a", "b"]}},
        },
    }


def live() -> Manifest:
    """What the server makes of it: defaults, rewritten quantities, ownership."""
    item = deepcopy(desired())
    item["metadata"].update(uid="u", resourceVersion="1", managedFields=[entry()])
    item["spec"]["revisionHistoryLimit"] = 10
    container = item["spec"]["template"]["spec"]["containers"][0]
    container["imagePullPolicy"] = "Always"
    container["env"][0].pop("value")
    container["env"][1]["valueFrom"]["fieldRef"]["apiVersion"] = "v1"
    container["ports"][0]["protocol"] = "TCP"
    container["resources"]["requests"]["cpu"] = "1"
    return item


def entry(**changes: Any) -> dict[str, Any]:
    container = {
        ".": {},
        "f:name": {},
        "f:image": {},
        "f:env": {
            'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}},
            'k:{"name":"B"}': {".": {}, "f:name": {}, "f:valueFrom": {"f:fieldRef": {}}},
        },
        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
        "f:resources": {"f:requests": {"f:cpu": {}}},
    }
    pod = {"f:nodeSelector": {}, "f:containers": {'k:{"name":"main"}': container}, "f:args": {}}
    fields = {
        "f:metadata": {"f:labels": {"f:limits": {}}},
        "f:spec": {"f:replicas": {}, "f:template": {"f:spec": pod}},
    }
    return {"manager": MANAGER, "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": fields, **changes}


def pod_of(item: Manifest) -> dict[str, Any]:
    spec: dict[str, Any] = item["spec"]["template"]["spec"]
    return spec


def test_same() -> None:
    assert certainly_same(desired(), live(), MANAGER)


def container_of(item: Manifest) -> dict[str, Any]:
    container: dict[str, Any] = pod_of(item)["containers"][0]
    return container


WISHES: dict[str, Callable[[Manifest], object]] = {
    "a value": lambda item: item["spec"].update(replicas=2),
    "true is not one": lambda item: item["spec"].update(replicas=True),
    "a field more": lambda item: item["spec"].update(paused=True),
    "a field less": lambda item: item["spec"].pop("replicas"),
    "a label less": lambda item: item["metadata"]["labels"].clear(),
    "a label that only looks like an amount": lambda item: item["metadata"]["labels"].update(limits="1000m"),
    "an element less": lambda item: container_of(item)["env"].pop(),
    "an element more": lambda item: container_of(item)["env"].append({"name": "C", "value": "1"}),
    "another order": lambda item: container_of(item)["env"].reverse(),
    "an empty value that is not empty any more": lambda item: container_of(item)["env"][0].update(value="x"),
    "a field of an element less": lambda item: container_of(item)["env"][0].pop("value"),
    "an amount": lambda item: container_of(item)["resources"]["requests"].update(cpu="999m"),
    "a key of a map owned as a whole less": lambda item: pod_of(item)["nodeSelector"].clear(),
    "an item of a list owned as a whole less": lambda item: pod_of(item)["args"].pop(),
    "another port": lambda item: container_of(item)["ports"][0].update(containerPort=81),
    "another version of the kind": lambda item: item.update(apiVersion="apps/v2"),
}


@pytest.mark.parametrize("change", WISHES.values(), ids=WISHES.keys())
def test_another_wish_is_noticed(change: Callable[[Manifest], object]) -> None:
    wish = desired()
    change(wish)
    assert not certainly_same(wish, live(), MANAGER)


DRIFT: dict[str, Callable[[Manifest], object]] = {
    "somebody changed a value": lambda item: item["spec"].update(replicas=5),
    "somebody removed a field": lambda item: item["spec"].pop("replicas"),
    "somebody added an element": lambda item: pod_of(item)["containers"].append({"name": "sidecar"}),
    "somebody added to a map owned as a whole": lambda item: pod_of(item)["nodeSelector"].update(zone="a"),
    "we own nothing": lambda item: item["metadata"].update(managedFields=[]),
    "we own it by an update only": lambda item: item["metadata"].update(managedFields=[entry(operation="Update")]),
    "another one owns it": lambda item: item["metadata"].update(managedFields=[entry(manager="kubectl")]),
    "we own its status only": lambda item: item["metadata"].update(managedFields=[entry(subresource="status")]),
    "owned in another version": lambda item: item["metadata"].update(managedFields=[entry(apiVersion="apps/v1beta1")]),
}


@pytest.mark.parametrize("drift", DRIFT.values(), ids=DRIFT.keys())
def test_drift_is_noticed(drift: Callable[[Manifest], object]) -> None:
    item = live()
    drift(item)
    assert not certainly_same(desired(), item, MANAGER)


def test_what_others_added_elsewhere_is_theirs() -> None:
    item = live()
    item["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3"}
    item["spec"]["template"]["metadata"] = {"annotations": {"restarted": "yes"}}
    assert certainly_same(desired(), item, MANAGER)


AMOUNTS = (
    ("1000m", "1"),
    ("0.5", "500m"),
    (2, "2"),
    ("1Gi", "1024Mi"),
    ("1e3", "1k"),
    ("1E", "1000P"),
    (".5Gi", "512Mi"),
    ("100n", "0.1u"),
)


@pytest.mark.parametrize(("one", "other"), AMOUNTS)
def test_same_quantity(one: object, other: object) -> None:
    assert same_quantity(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("1G", "1Gi"), ("1", "1m"), ("x", "x"), (True, 1), ("1 Gi", "1Gi"), ("", "")]
)
def test_other_quantity(one: object, other: object) -> None:
    assert not same_quantity(one, other)


def test_no_quantity() -> None:
    with pytest.raises(ValueError, match="not a quantity: 1X"):
        quantity("1X")
