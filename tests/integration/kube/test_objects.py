# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply, keep, update, prune, refuse: against a real API server."""

from __future__ import annotations

import random
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import ApiError, Conflict, Invalid, NotFound, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube import client
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.masking import cleaned, encoded
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, index, ref_of
from ansible_collections.scp.dataops.plugins.module_utils.kube.plan import (
    Change,
    carry_out,
    delete_all,
    plan_apply,
    plan_prune,
    summary,
)
from ansible_collections.scp.dataops.plugins.module_utils.kube.rights import Right, missing_rights
from ansible_collections.scp.dataops.plugins.module_utils.kube.sameness import certainly_same

from .conftest import LABEL, config_map, deployment, named

KINDS = ("ConfigMap", "Secret", "Service", "Deployment", "StatefulSet", "PersistentVolumeClaim", "Ingress", "Role")


def everything(namespace: str) -> list[Manifest]:
    """One of each kind, written as sparsely as a person would."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    template = {"metadata": {"name": "data"}, "spec": storage("ReadWriteOnce")}
    stateful = deployment(namespace, rich_pod(), "db")
    stateful["kind"] = "StatefulSet"
    stateful["spec"] |= {"serviceName": "db", "volumeClaimTemplates": [template], "replicas": 0}
    web = deployment(namespace, rich_pod())
    web["spec"]["replicas"] = 0
    return [
        config_map(namespace, a="1", limits="1000m"),
        named("Secret", "v1", "keys", namespace, stringData={"password": "S3NT1NEL"}),
        named("Service", "v1", "web", namespace, spec={"selector": {"app": "web"}, "ports": [{"port": 80}]}),
        named("PersistentVolumeClaim", "v1", "files", namespace, spec=storage("ReadWriteMany")),
        named("Ingress", "networking.k8s.io/v1", "web", namespace, spec={"rules": [{"http": {"paths": paths}}]}),
        named(
            "Role",
            "rbac.authorization.k8s.io/v1",
            "reader",
            namespace,
            rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
        ),
        web,
        stateful,
    ]


def storage(mode: str) -> dict[str, Any]:
    return {"accessModes": [mode], "storageClassName": "none", "resources": {"requests": {"storage": "1024Mi"}}}


def rich_pod() -> dict[str, Any]:
    env = [
        {"name": "EMPTY", "value": ""},
        {"name": "MODE", "value": "a"},
        {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "password"}}},
    ]
    token = {"serviceAccountToken": {"path": "token"}}
    return {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a", "b"]}],
        "initContainers": [{"name": "first", "image": "none"}],
        "containers": [
            {
                "name": "main",
                "image": "none",
                "args": ["a", "b"],
                "env": env,
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "ports": [{"containerPort": 80}, {"containerPort": 81, "name": "other"}],
                "resources": {"requests": {"cpu": 0.5, "memory": "1024Mi"}, "limits": {"cpu": "2000m"}},
                "livenessProbe": {"httpGet": {"path": "/", "port": 80}},
                "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
            }
        ],
        "volumes": [
            {"name": "scratch", "emptyDir": {"sizeLimit": "1000Mi"}},
            {"name": "token", "projected": {"sources": [token]}},
        ],
    }


def live(kube: Kube, namespace: str) -> dict[Ref, Manifest]:
    return index(kube.list_all(KINDS, namespace, labels=LABEL))


def actions(changes: list[Change]) -> list[str]:
    return [f"{change.action} {change.ref}" for change in changes if change.action != "keep"]


def test_create_keep_update_prune(kube: Kube, namespace: str) -> None:
    manifests = everything(namespace)
    created = plan_apply(kube, manifests, live(kube, namespace))
    assert {change.action for change in created} == {"create"}
    assert live(kube, namespace) == {}, "planning wrote something"
    carry_out(kube, created)

    found, before = live(kube, namespace), kube.requests
    assert actions(plan_apply(kube, manifests, found)) == []
    assert kube.requests == before, "what is certainly unchanged costs no request"

    manifests[0]["data"]["a"] = "2"
    del manifests[6]["spec"]["template"]["spec"]["nodeSelector"]
    planned = plan_apply(kube, manifests, live(kube, namespace))
    assert actions(planned) == ["update ConfigMap/settings", "update Deployment/web"]
    assert [change.ref.kind for change in planned if change.rolls] == ["Deployment"]
    carry_out(kube, planned)
    found = live(kube, namespace)
    predicted = {change.ref: change.after for change in planned if change.after}
    assert found[Ref("ConfigMap", "settings", namespace)]["data"] == {"a": "2", "limits": "1000m"}
    assert all(cleaned(found[ref])["metadata"]["name"] == after["metadata"]["name"] for ref, after in predicted.items())
    assert "nodeSelector" not in found[Ref("Deployment", "web", namespace)]["spec"]["template"]["spec"]

    rest = manifests[1:]
    pruned = plan_prune(live(kube, namespace).values(), rest, kinds=KINDS)
    assert actions(pruned) == ["delete ConfigMap/settings"]
    carry_out(kube, pruned)
    assert actions(plan_apply(kube, rest, live(kube, namespace))) == []


def test_a_secret_shows_nowhere(kube: Kube, namespace: str) -> None:
    secret = named("Secret", "v1", "keys", namespace, stringData={"password": "S3NT1NEL"})
    kube.apply(secret)
    secret["stringData"]["password"] = "S3NT1NEL-new"
    shown = summary(plan_apply(kube, [secret], index([kube.get("Secret", "keys", namespace) or {}])))
    assert shown["actions"] == ["update Secret/keys"]
    assert "changed" in shown["diff"]["after"]
    assert "S3NT" not in str(shown)
    with pytest.raises(Invalid) as caught:
        kube.apply({**secret, "stringData": {}, "data": {"password": 12345678}})
    assert "12345678" not in str(caught.value)


def test_fields_of_another_manager(kube: Kube, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kube.apply(config_map(namespace, a="1"))
    with monkeypatch.context() as other:
        other.setattr(client, "FIELD_MANAGER", "somebody")
        kube.patch("ConfigMap", "settings", namespace, {"data": {"a": "theirs", "b": "theirs too"}})
    wanted = [config_map(namespace, a="ours")]
    with pytest.raises(Conflict, match=r"somebody owns data\.a\. Use force: true"):
        plan_apply(kube, wanted, live(kube, namespace))
    carry_out(kube, plan_apply(kube, wanted, live(kube, namespace), force=True), force=True)
    found = kube.get("ConfigMap", "settings", namespace) or {}
    assert found["data"] == {"a": "ours", "b": "theirs too"}


def test_what_we_patched_ourselves_is_no_conflict(kube: Kube, namespace: str) -> None:
    kube.create(config_map(namespace, a="1"))
    kube.patch("ConfigMap", "settings", namespace, {"data": {"a": "2"}})
    assert kube.apply(config_map(namespace, a="3"))["data"] == {"a": "3"}


def test_refusals(kube: Kube, namespace: str) -> None:
    wrong = config_map(namespace)
    wrong["date"] = {}
    unnamed = config_map(namespace, "Not_A_Name")
    with pytest.raises(Invalid, match="date: field not declared in schema"):
        plan_apply(kube, [wrong], {})
    with pytest.raises(Refused, match=r"ConfigMap/settings.*date.*ConfigMap/Not_A_Name.*metadata\.name"):
        plan_apply(kube, [wrong, unnamed], {})
    with pytest.raises(NotFound, match="Create the namespace first"):
        plan_apply(kube, [config_map("no-such-namespace")], {})
    assert kube.list("ConfigMap", namespace, labels=LABEL) == []


def test_delete_all_sees_them_gone(kube: Kube, namespace: str) -> None:
    refs = [Ref("ConfigMap", name, namespace) for name in "abc"]
    for ref in refs[:2]:
        kube.apply(config_map(namespace, ref.name))
    delete_all(kube, refs, timeout=30)
    assert kube.list("ConfigMap", namespace, labels=LABEL) == []


def test_missing_rights(kube: Kube, namespace: str) -> None:
    nobody = Kube(replace(kube.access, impersonate_user="nobody", impersonate_groups=("system:authenticated",)))
    rights = [
        Right("create", "apps", "deployments", namespace),
        Right("get", "", "pods/log", namespace),
        Right("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
    ]
    assert missing_rights(kube, rights) == []
    assert missing_rights(nobody, rights) == rights[:2]
    nobody.close()


@pytest.mark.parametrize("seed", range(4))
def test_certainly_unchanged_is_certain(kube: Kube, namespace: str, seed: int) -> None:
    """Whatever is changed in a manifest: if no request seems to be needed, the server agrees."""
    dice = random.Random(seed)
    kube.each(kube.apply, everything(namespace))
    found, unsure = live(kube, namespace), 0
    for _turn in range(80):
        wanted = encoded(mutated(dice.choice(everything(namespace)), dice))
        unsure += not agrees(kube, wanted, found[ref_of(wanted)])
    assert 0 < unsure < 80


@pytest.mark.parametrize("seed", range(4))
def test_drift_is_seen(kube: Kube, namespace: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever another manager changes: if no request seems to be needed, the server agrees."""
    dice, unsure = random.Random(seed), 0
    kube.each(kube.apply, everything(namespace))
    for _turn in range(40):
        wanted = encoded(dice.choice(everything(namespace)))
        with monkeypatch.context() as other, suppress(ApiError):
            other.setattr(client, "FIELD_MANAGER", "somebody")
            kube.apply(mutated(wanted, dice), force=True)
        found = kube.get(wanted["kind"], wanted["metadata"]["name"], namespace)
        assert found
        unsure += not agrees(kube, wanted, found)
        kube.apply(wanted, force=True)
    assert unsure


def agrees(kube: Kube, wanted: Manifest, found: Manifest) -> bool:
    """Whether `wanted` is said to change nothing; the server is then asked if that is true."""
    if not certainly_same(wanted, found, client.FIELD_MANAGER):
        return False
    outcome, now = undisturbed(kube, wanted)
    assert cleaned(outcome) == cleaned(now), wanted
    return True


# Without these it would be another object, or none.
_IDENTITY = ("apiVersion", "kind", "metadata", "name", "namespace")


def mutated(original: Manifest, dice: random.Random) -> Manifest:
    """Something removed, reordered, spelled otherwise or changed anywhere, or nothing at all."""
    manifest = deepcopy(original)
    places = [place for place in _places(manifest) if place[1] not in _IDENTITY]
    container, key = dice.choice(places)
    value = container[key]
    action = dice.choice(("remove", "reverse", "respell", "change"))
    if action == "remove":
        del container[key]
    elif action == "reverse" and isinstance(value, list):
        value.reverse()
    elif action == "respell" and value in ("1024Mi", "1000m", "2000m", 0.5):
        container[key] = {"1024Mi": "1Gi", "1000m": "1", "2000m": 2, 0.5: "500m"}[value]
    elif action == "change" and isinstance(value, str):
        container[key] = f"{value}x"
    elif action == "change" and isinstance(value, dict):
        value.clear()
    return manifest


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *_places(value[key])]]


def undisturbed(kube: Kube, wanted: Manifest) -> tuple[Manifest, Manifest]:
    """A dry run and the object that it was made on: a controller may write its own fields between two requests."""
    ref = ref_of(wanted)
    while True:
        before = kube.get(ref.kind, ref.name, ref.namespace)
        outcome = kube.apply(wanted, dry_run=True, force=True)
        after = kube.get(ref.kind, ref.name, ref.namespace)
        assert before and after
        if before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]:
            return outcome, after
