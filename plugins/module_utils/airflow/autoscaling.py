# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else chooses the number of standing workers: Kubernetes by their CPU, or KEDA by the tasks there are.

Then that number is never written by us. Where we wrote it before, it is handed over first, because a field that its
last owner gives up falls back to its default, and the workers to one.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..common.labels import SERVICE
from ..common.labels import selector as label_selector
from ..errors import ApiError, Refused
from ..kube.client import Kube
from ..kube.objects import Manifest, Ref, ref_of
from . import names
from .pieces import metadata
from .sizes import KEDA, Autoscaling
from .spec import CELERY, ServiceSpec

HPA_KIND, SCALED, LOGIN = "HorizontalPodAutoscaler", "ScaledObject", "TriggerAuthentication"
KEDA_KINDS = (SCALED, LOGIN)
KINDS = (HPA_KIND, *KEDA_KINDS)
# Who holds the number of workers from our last word on it to the autoscaler's first.
KEEPER = "scp.dataops.handover"
# A worker that goes finishes its tasks first, so the number follows the load down slowly.
SCALE_DOWN_SECONDS = 300
POLLING_SECONDS = 10


def worker(spec: ServiceSpec) -> str:
    return names.component(spec.name, "worker")


def chosen(spec: ServiceSpec) -> Autoscaling | None:
    """None as well where there are no standing workers, and while the service is stopped."""
    return spec.workers.autoscaling if spec.uses_celery and spec.running else None


def manifests(spec: ServiceSpec) -> list[Manifest]:
    scaling = chosen(spec)
    if scaling is None:
        return []
    return [login(spec), scaled_object(spec, scaling)] if scaling.type == KEDA else [pod_autoscaler(spec, scaling)]


def pod_autoscaler(spec: ServiceSpec, scaling: Autoscaling) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": scaling.cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": HPA_KIND,
        "metadata": metadata(spec, worker(spec), "worker"),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": worker(spec)},
            "minReplicas": scaling.min_replicas,
            "maxReplicas": scaling.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": SCALE_DOWN_SECONDS}},
        },
    }


def scaled_object(spec: ServiceSpec, scaling: Autoscaling) -> Manifest:
    database = spec.database
    # KEDA asks from a namespace of its own, and has no authorities but those of its image.
    host = database.host or f"{names.database(spec.name)}.{spec.namespace}.svc"
    mode = "disable" if database.embedded else "require" if database.ca_secret else database.ssl_mode
    query = {"query": query_of_workers(spec), "targetQueryValue": "1"}
    address = {"host": host, "port": str(database.port), "dbName": database.name, "sslmode": mode}
    # The embedded database has one user, and its Secret only the password.
    user = {"userName": database.name} if database.embedded else {}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": SCALED,
        "metadata": metadata(spec, worker(spec), "worker"),
        "spec": {
            "scaleTargetRef": {"name": worker(spec)},
            "minReplicaCount": scaling.min_replicas,
            "maxReplicaCount": scaling.max_replicas,
            "pollingInterval": POLLING_SECONDS,
            "cooldownPeriod": SCALE_DOWN_SECONDS,
            "triggers": [
                {
                    "type": "postgresql",
                    "metadata": {**address, **user, **query},
                    "authenticationRef": {"name": worker(spec)},
                }
            ],
        },
    }


def login(spec: ServiceSpec) -> Manifest:
    """KEDA reads user and password from the Secret where Airflow's are; they stand nowhere else."""
    database = spec.database
    keys = {"password": "password"}
    if not database.embedded:
        keys = {"userName": database.username_key, "password": database.password_key}
    secret = database.secret or names.database(spec.name)
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": LOGIN,
        "metadata": metadata(spec, worker(spec), "worker"),
        "spec": {
            "secretTargetRef": [{"parameter": parameter, "name": secret, "key": key} for parameter, key in keys.items()]
        },
    }


def query_of_workers(spec: ServiceSpec) -> str:
    """How many workers the queued and running tasks need; those of another executor are not counted."""
    mine = ""
    if spec.uses_kubernetes:
        unnamed = " OR executor IS NULL" if spec.executors[0] == CELERY else ""
        mine = f" AND (executor = '{CELERY}'{unnamed})"
    return (
        f"SELECT ceil(count(*)::decimal / {spec.workers.concurrency}) FROM task_instance "
        f"WHERE state IN ('queued', 'running'){mine}"
    )


def of_keda(kube: Kube, namespace: str, service: str) -> list[Manifest]:
    """KEDA's objects of a service; none where the cluster has no KEDA, or where we may not look."""
    try:
        return kube.list_all(KEDA_KINDS, namespace, labels=label_selector(SERVICE, service))
    except ApiError as error:
        if error.status in (403, 404):
            return []
        raise


def needs_keda(kube: Kube, spec: ServiceSpec) -> None:
    """:raises Refused: when KEDA is to scale the workers and the cluster does not have it."""
    scaling = chosen(spec)
    if scaling is None or scaling.type != KEDA:
        return
    try:
        kube.list(SCALED, spec.namespace, limit=1)
    except ApiError as error:
        if error.status != 404:
            raise
        raise Refused(
            "the cluster does not have KEDA",
            where="worker.autoscaling.type",
            next_step="Install KEDA, or use hpa, which every cluster has",
        ) from error


def hand_over(kube: Kube, spec: ServiceSpec, live: Mapping[Ref, Manifest]) -> None:
    """Keep the workers that are there until the autoscaler chooses: called before we give up their number."""
    found = live.get(Ref("Deployment", worker(spec), spec.namespace))
    begins = not any(ref_of(item) in live for item in manifests(spec))
    number = found["spec"].get("replicas", 1) if found else 0
    # One is what there would be anyway; none is a service that was stopped.
    if chosen(spec) is None or not begins or number < 2:
        return
    identity = {"name": worker(spec), "namespace": spec.namespace}
    keep = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": identity, "spec": {"replicas": number}}
    kube.apply(keep, manager=KEEPER)


def taken_back(spec: ServiceSpec, live: Mapping[Ref, Manifest]) -> bool:
    """Whether an autoscaler still holds the number of workers that we are to write again."""
    return not manifests(spec) and any(ref.kind in KINDS and ref.name == worker(spec) for ref in live)
