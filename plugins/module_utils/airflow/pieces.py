# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pieces that the manifests of any part of a service are made of."""

from __future__ import annotations

import base64
import hashlib
import json

from ..common.labels import COMPONENT, INSTANCE, SERVICE, labels
from ..kube.objects import Manifest, without_none
from .secrets import Values
from .spec import ServiceSpec

POD_HASH = "scp.dataops/pod-hash"
# Who comes without TLS to what has a certificate is sent to TLS, without which no sign-in is kept. ingress-nginx does
# that by itself, Contour when it is asked to.
ONLY_TLS = {"ingress.kubernetes.io/force-ssl-redirect": "true"}


def metadata(spec: ServiceSpec, name: str, component: str) -> Manifest:
    return {"name": name, "namespace": spec.namespace, "labels": labels(SERVICE, spec.name, spec.manager, component)}


def selector(spec: ServiceSpec, component: str) -> dict[str, str]:
    """Selectors are immutable, so they hold no more than what can never change."""
    every = labels(SERVICE, spec.name, spec.manager, component)
    return {key: value for key, value in every.items() if key in (INSTANCE, COMPONENT)}


def secret(spec: ServiceSpec, name: str, component: str, values: Values) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(spec, name, component),
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def volume_claim(spec: ServiceSpec, name: str, component: str, access: str, size: str = "") -> Manifest:
    """:param size: when it is not the service's storage size."""
    manifest: Manifest = without_none(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(spec, name, component),
            "spec": {
                "accessModes": [access],
                "storageClassName": spec.storage_class or None,
                "resources": {"requests": {"storage": size or spec.storage_size}},
            },
        }
    )
    return manifest


def port_service(spec: ServiceSpec, name: str, component: str, port_name: str, port: int) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(spec, name, component),
        "spec": {
            "selector": selector(spec, component),
            "ports": [{"name": port_name, "port": port, "targetPort": port, "protocol": "TCP"}],
        },
    }


def job(spec: ServiceSpec, name: str, component: str, pod: Manifest, *, retries: int) -> Manifest:
    annotations = {POD_HASH: hash_of_pod(pod)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata(spec, name, component), "annotations": annotations},
        "spec": {
            "backoffLimit": retries,
            "template": {"metadata": {"labels": labels(SERVICE, spec.name, spec.manager, component)}, "spec": pod},
        },
    }


def hash_of_pod(pod: Manifest) -> str:
    return digest(json.dumps(pod, sort_keys=True))


def pod_hash(job: Manifest) -> str:
    """Which pod a Job was made with; the server rewrites the pod itself, so it cannot be compared."""
    return str((job["metadata"].get("annotations") or {}).get(POD_HASH, ""))


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]
