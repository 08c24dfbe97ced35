# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``overrides``: a strategic patch, which can change all of a pod but what identifies it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import overrides
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"app": "x"}},
    "spec": {
        "terminationGracePeriodSeconds": 60,
        "nodeSelector": {"pool": "a", "zone": "b"},
        "tolerations": [{"key": "a"}],
        "containers": [
            {
                "name": "scheduler",
                "image": "i",
                "args": ["airflow", "scheduler"],
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "volumeMounts": [{"name": "logs", "mountPath": "/logs"}],
            }
        ],
        "volumes": [{"name": "logs", "emptyDir": {}}],
    },
}


def container(**patch: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "scheduler", **patch}]}}


def changed(**fields: Any) -> dict[str, Any]:
    """The template with other fields in its container."""
    result = copy.deepcopy(TEMPLATE)
    result["spec"]["containers"][0].update(fields)
    return result


def with_spec(**fields: Any) -> dict[str, Any]:
    return {**TEMPLATE, "spec": {**TEMPLATE["spec"], **fields}}


APPLIED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, TEMPLATE),
    "a field": ({"spec": {"terminationGracePeriodSeconds": 5}}, with_spec(terminationGracePeriodSeconds=5)),
    "a dictionary is merged": (
        {"spec": {"nodeSelector": {"zone": "c", "env": "prod"}}},
        with_spec(nodeSelector={"pool": "a", "zone": "c", "env": "prod"}),
    ),
    "null deletes": ({"spec": {"nodeSelector": {"zone": None}}}, with_spec(nodeSelector={"pool": "a"})),
    "replace": (
        {"spec": {"nodeSelector": {"$patch": "replace", "gpu": "yes"}}},
        with_spec(nodeSelector={"gpu": "yes"}),
    ),
    "a list without names is replaced": (
        {"spec": {"tolerations": [{"key": "b"}]}},
        with_spec(tolerations=[{"key": "b"}]),
    ),
    "arguments are replaced": (container(args=["x"]), changed(args=["x"])),
    "a variable is changed in its place": (
        container(env=[{"name": "A", "value": "9"}]),
        changed(env=[{"name": "A", "value": "9"}, {"name": "B", "value": "2"}]),
    ),
    "a variable is added at the end": (
        container(env=[{"name": "C", "value": "3"}]),
        changed(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]),
    ),
    "a variable is deleted": (
        container(env=[{"name": "A", "$patch": "delete"}]),
        changed(env=[{"name": "B", "value": "2"}]),
    ),
    "a mount goes by its path": (
        container(volumeMounts=[{"mountPath": "/logs", "readOnly": True}]),
        changed(volumeMounts=[{"name": "logs", "mountPath": "/logs", "readOnly": True}]),
    ),
    "a volume changes its kind": (
        {"spec": {"volumes": [{"name": "logs", "emptyDir": None, "hostPath": {"path": "/x"}}]}},
        with_spec(volumes=[{"name": "logs", "hostPath": {"path": "/x"}}]),
    ),
    "a first init container": (
        {"spec": {"initContainers": [{"name": "wait", "image": "i"}]}},
        with_spec(initContainers=[{"name": "wait", "image": "i"}]),
    ),
    "a label of the user": (
        {"metadata": {"labels": {"env": "prod"}}},
        {**TEMPLATE, "metadata": {"labels": {"app": "x", "env": "prod"}}},
    ),
}


@pytest.mark.parametrize(("patch", "expected"), APPLIED.values(), ids=APPLIED.keys())
def test_applied(patch: dict[str, Any], expected: dict[str, Any]) -> None:
    before = copy.deepcopy((TEMPLATE, patch))
    assert overrides.overrides({"scheduler": patch} if patch else {}) == ({"scheduler": patch} if patch else {})
    assert overrides.applied(TEMPLATE, patch) == expected
    assert (TEMPLATE, patch) == before


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown part": ({"schedular": {}}, "overrides.schedular: no such option. Use scheduler."),
    "no patch": ({"task": "x"}, "overrides.task: it is no patch. Write metadata and spec of the pod."),
    "a deployment": ({"task": {"replicas": 3}}, "overrides.task.replicas: no such option. Use metadata, spec."),
    "another name": (
        {"task": {"metadata": {"name": "x"}}},
        "overrides.task.metadata.name: no such option. Use labels, annotations.",
    ),
    "a label of the service": (
        {"task": {"metadata": {"labels": {"app.kubernetes.io/instance": "x"}}}},
        "overrides.task.metadata.labels.app.kubernetes.io/instance: pods are found by this label. Use another one.",
    ),
    "an annotation of the service": (
        {"task": {"metadata": {"annotations": {"scp.dataops/config-hash": None}}}},
        "overrides.task.metadata.annotations.scp.dataops/config-hash: the service sets this annotation. "
        "Use another one.",
    ),
    "a container without a name": (
        {"task": {"spec": {"containers": [{"image": "x"}]}}},
        "overrides.task.spec.containers[0]: it cannot be told which one is meant. Add name.",
    ),
    "an unknown directive": (
        {"task": {"spec": {"$retainKeys": ["x"]}}},
        "overrides.task.spec.$retainKeys: no such directive. Use $patch: delete or replace.",
    ),
    "a password in plain text": (
        {"task": {"spec": {"containers": [{"name": "base", "env": [{"name": "DB_PASSWORD", "value": "s3cret"}]}]}}},
        "overrides.task.spec.containers[0].env[0].value: it reads like a secret in plain text. "
        "Put it into a Secret in the service's namespace and write {secret: NAME, key: KEY}.",
    ),
}


@pytest.mark.parametrize(("raw", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(raw: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadOption) as refusal:
        overrides.overrides(raw)
    assert str(refusal.value) == sentence
