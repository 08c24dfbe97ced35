# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the cluster that KUBECONFIG names, and a namespace of its own for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from ansible_collections.scp.dataops.plugins.module_utils.kube.access import find_access
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

LABEL = "app.kubernetes.io/instance=test"
_INVENTORY = Path(__file__).parents[3] / "inventories" / "local" / "group_vars" / "all.yml"


@pytest.fixture(scope="session")
def kube() -> Iterator[Kube]:
    if not os.environ.get("KUBECONFIG"):
        pytest.fail("KUBECONFIG is not set: these tests need a cluster.", pytrace=False)
    client = Kube(find_access({}, os.environ))
    yield client
    client.close()


@pytest.fixture
def namespace(kube: Kube) -> Iterator[str]:
    name = f"kube-test-{uuid4().hex[:8]}"
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    kube.delete("Namespace", name)


@pytest.fixture(scope="session")
def image() -> str:
    """An image with Python that the cluster can pull."""
    settings: dict[str, Any] = yaml.safe_load(_INVENTORY.read_text(encoding="utf-8"))
    return os.environ.get("DATAOPS_TEST_IMAGE") or f"{settings['dataops_image_registry']}/apache/airflow:3.3.2"


def named(kind: str, api_version: str, name: str, namespace: str, **rest: Any) -> Manifest:
    metadata = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/instance": "test"}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def config_map(namespace: str, name: str = "settings", **data: str) -> Manifest:
    return named("ConfigMap", "v1", name, namespace, data=data)


def pod_spec(image: str, script: str, **container: Any) -> dict[str, Any]:
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    main = {
        "name": "main",
        "image": image,
        "command": ["python", "-c", script],
        "securityContext": security,
        **container,
    }
    return {
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 50000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [main],
    }


def deployment(namespace: str, spec: dict[str, Any], name: str = "web") -> Manifest:
    labels = {"app.kubernetes.io/instance": "test", "app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    body = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}
    return named("Deployment", "apps/v1", name, namespace, spec=body)
