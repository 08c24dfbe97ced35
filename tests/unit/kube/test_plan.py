# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned, what it costs in requests, and that planning writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import Conflict, Forbidden, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, index, ref_of
from ansible_collections.scp.dataops.plugins.module_utils.kube.plan import (
    Change,
    carry_out,
    plan_apply,
    plan_prune,
    summary,
)

from .conftest import SENTINEL
from .fake_api import Answer, Asked, FakeApi, status


def config_map(name: str = "a", **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "x"}, "data": data}


def owned(manifest: Manifest) -> Manifest:
    """Live, and owned by us."""
    fields: dict[str, Any] = {"f:data": {f"f:{key}": {} for key in manifest["data"]}}
    entry = {"manager": "scp.dataops", "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields}
    return {**manifest, "metadata": {**manifest["metadata"], "managedFields": [entry], "resourceVersion": "1"}}


def echo(asked: Asked) -> Answer:
    return Answer(200, json.loads(asked.body or b"{}"))


@pytest.fixture
def api(serve: Callable[..., FakeApi]) -> FakeApi:
    return serve(respond=echo)


@pytest.fixture
def kube(api: FakeApi, connect: Callable[..., Kube]) -> Kube:
    return connect(api)


def actions(changes: list[Change]) -> list[str]:
    return [f"{change.action} {change.ref}" for change in changes]


def test_unchanged_costs_no_request(kube: Kube) -> None:
    manifests = [config_map(str(number), a="b") for number in range(30)]
    changes = plan_apply(kube, manifests, index(owned(manifest) for manifest in manifests))
    assert {change.action for change in changes} == {"keep"}
    assert summary(changes) == {"changed": False, "actions": [], "diff": {"before": "", "after": ""}}
    assert kube.requests == 0


def test_uncertain_is_asked_and_kept(kube: Kube) -> None:
    assert actions(plan_apply(kube, [config_map(a="b")], index([config_map(a="b")]))) == ["keep ConfigMap/a"]
    assert kube.requests == 1


def test_create_update_and_order(kube: Kube, api: FakeApi) -> None:
    manifests = [config_map("c", a="1"), config_map("a", a="2", n="n"), config_map("b", a="1")]
    live = index([owned(config_map("a", a="1", n="n")), owned(config_map("b", a="1"))])
    changes = plan_apply(kube, manifests, live)
    assert actions(changes) == ["create ConfigMap/c", "update ConfigMap/a", "keep ConfigMap/b"]
    assert changes[1].before == config_map("a", a="1", n="n")
    assert not any(asked.writes for asked in api.asked)


def test_without_a_namespace_nothing_is_asked(kube: Kube) -> None:
    changes = plan_apply(kube, [config_map(a="b")], {}, missing_namespace=True)
    assert actions(changes) == ["create ConfigMap/a"]
    assert kube.requests == 0


def test_a_job_is_never_changed(kube: Kube) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "x"}, "spec": {"a": 1}}
    assert actions(plan_apply(kube, [{**job, "spec": {"a": 2}}], index([job]))) == ["keep Job/j"]
    assert kube.requests == 0


ROLLS = {"the pod template": ({"template": {"a": 2}}, True), "the number of pods": ({"replicas": 2}, False)}


@pytest.mark.parametrize(("change", "rolls"), ROLLS.values(), ids=ROLLS.keys())
def test_rolls(kube: Kube, change: dict[str, Any], rolls: bool) -> None:
    metadata = {"name": "d", "namespace": "x"}
    live: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"template": {"a": 1}, "replicas": 1},
    }
    (planned,) = plan_apply(kube, [{**live, "spec": {**live["spec"], **change}}], index([live]))
    assert (planned.action, planned.rolls) == ("update", rolls)


def test_refusals_of_all_objects_are_one_error(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    causes = [{"message": 'conflict with "helm" using v1', "field": ".data.a"}]
    taken, quota = status(409, "Conflict", "", causes), status(403, "Forbidden", "exceeded quota: q")

    def refuse(asked: Asked) -> Answer:
        return quota if asked.path.endswith("q") else taken

    kube = connect(serve(respond=refuse))
    with pytest.raises(
        Conflict, match=r"ConfigMap/a .*helm owns data.a; ConfigMap/b .*helm owns data.a. Use force: true"
    ):
        plan_apply(kube, [config_map("a"), config_map("b")], {})
    with pytest.raises(Refused, match=r"ConfigMap/a .*helm.*ConfigMap/q .*exceeded quota"):
        plan_apply(kube, [config_map("a"), config_map("q")], {})
    with pytest.raises(Forbidden, match="exceeded quota"):
        plan_apply(kube, [config_map("q")], {})


def test_what_is_being_deleted_cannot_be_updated(kube: Kube) -> None:
    leaving = config_map("a", a="1")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    with pytest.raises(Refused, match=r"ConfigMap/a in namespace x: it is still being deleted\. Wait until"):
        plan_apply(kube, [config_map("a", a="2")], index([leaving]))


def test_a_binding_may_come_with_its_role(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    missing = status(404, "NotFound", 'roles.rbac.authorization.k8s.io "r" not found')
    kube = connect(serve(respond=lambda asked: missing if "rolebindings" in asked.path else echo(asked)))
    rbac, metadata = "rbac.authorization.k8s.io/v1", {"name": "r", "namespace": "x"}
    binding = {
        "apiVersion": rbac,
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"kind": "Role", "name": "r"},
    }
    role = {"apiVersion": rbac, "kind": "Role", "metadata": metadata}
    assert actions(plan_apply(kube, [role, binding], {})) == ["create Role/r", "create RoleBinding/r"]


def test_prune() -> None:
    controlled = config_map("owned")
    controlled["metadata"]["ownerReferences"] = [{"kind": "X", "name": "y", "controller": True}]
    leaving = config_map("leaving")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    volume = {**config_map("data"), "kind": "PersistentVolumeClaim"}
    live = [config_map("kept"), config_map("old"), controlled, leaving, volume]
    assert actions(plan_prune(live, [config_map("kept")], kinds=("ConfigMap",))) == ["delete ConfigMap/old"]


def test_carry_out_in_order(kube: Kube, api: FakeApi) -> None:
    kinds = {"Deployment": "apps/v1", "ConfigMap": "v1", "Namespace": "v1"}
    manifests = [
        {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": "a", "namespace": "" if kind == "Namespace" else "x"},
        }
        for kind, version in kinds.items()
    ]
    changes = [Change("create", ref_of(manifest), manifest) for manifest in manifests]
    kept = Change("keep", Ref("ConfigMap", "k", "x"), config_map("k"))
    carry_out(kube, [Change("delete", Ref("Secret", "old", "x")), *changes, kept])
    assert [(asked.method, asked.path.split("/")[-2]) for asked in api.asked] == [
        ("PATCH", "namespaces"),
        ("PATCH", "configmaps"),
        ("PATCH", "deployments"),
        ("DELETE", "secrets"),
    ]


def test_summary_hides_secrets(kube: Kube) -> None:
    metadata = {"name": "keys", "namespace": "x"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"password": SENTINEL}}
    changes = plan_apply(kube, [secret], {})
    shown = summary(changes)
    assert shown["actions"] == ["create Secret/keys"]
    assert "password: '********'" in shown["diff"]["after"]
    assert SENTINEL not in str(shown) + repr(changes)


def test_a_file_is_shown_line_by_line(kube: Kube) -> None:
    before, after = config_map(cfg="[core]\na = 1\nb = ü\n"), config_map(cfg="[core]\na = 2\nb = ü\n")
    shown = summary(plan_apply(kube, [after], index([owned(before)])))["diff"]
    lines = {side: [line.strip() for line in text.splitlines()] for side, text in shown.items()}
    assert {"[core]", "a = 1", "b = ü"} <= set(lines["before"])
    assert {"[core]", "a = 2", "b = ü"} <= set(lines["after"])
