# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stores that come with a service: PostgreSQL and Redis, one pod each on one volume, not highly available."""

from __future__ import annotations

from ..common.labels import SERVICE, labels
from ..kube.objects import Manifest
from . import names, pods
from .broker import REDIS_PORT
from .database import NAME, USER
from .pieces import metadata, port_service, selector, volume_claim
from .spec import ServiceSpec
from .versions import BROKER_IMAGE, DATABASE_IMAGE

# Both official images know a user of this number.
STORE_USER = 999
POSTGRES_PORT = 5432
# A queue holds messages of some hundred bytes each, and Redis rewrites its file when it has grown.
BROKER_STORAGE = "1Gi"
BROKER_FILES = "/run/secrets/broker"


def database(spec: ServiceSpec) -> list[Manifest]:
    """PostgreSQL with its volume and its address; its Secret is there whether it is embedded or not."""
    name = names.database(spec.name)
    return [
        volume_claim(spec, name, "database", "ReadWriteOnce"),
        port_service(spec, name, "database", "postgres", POSTGRES_PORT),
        stateful_set(spec, name, "database", database_pod(spec)),
    ]


def broker(spec: ServiceSpec) -> list[Manifest]:
    """Redis with its volume and its address."""
    name = names.broker(spec.name)
    return [
        volume_claim(spec, name, "broker", "ReadWriteOnce", BROKER_STORAGE),
        port_service(spec, name, "broker", "redis", REDIS_PORT),
        stateful_set(spec, name, "broker", broker_pod(spec)),
    ]


def stateful_set(spec: ServiceSpec, name: str, component: str, pod: Manifest) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(spec, name, component),
        "spec": {
            "replicas": 1 if spec.running else 0,
            "serviceName": name,
            # The other policy waits for a broken pod before it replaces it: a correction would never arrive.
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": selector(spec, component)},
            "template": {
                "metadata": {"labels": labels(SERVICE, spec.name, spec.manager, component)},
                "spec": pod,
            },
        },
    }


def database_pod(spec: ServiceSpec) -> Manifest:
    ready = {"exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", USER, "-d", NAME]}}
    container = {
        "name": "postgres",
        "image": pods.image(spec, DATABASE_IMAGE),
        "env": [
            pods.plain("POSTGRES_USER", USER),
            pods.plain("POSTGRES_DB", NAME),
            pods.plain("POSTGRES_PASSWORD_FILE", "/run/secrets/database/password"),
            # A folder inside the volume: the volume's own root may hold lost+found.
            pods.plain("PGDATA", "/var/lib/postgresql/data/pgdata"),
        ],
        "ports": [{"name": "postgres", "containerPort": POSTGRES_PORT, "protocol": "TCP"}],
        "resources": pods.resources(spec.sizes["database"]),
        "securityContext": pods.CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/postgresql/data"},
            {"name": "password", "mountPath": "/run/secrets/database", "readOnly": True},
        ],
        "startupProbe": {**ready, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 90},
        "readinessProbe": {**ready, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**ready, "periodSeconds": 30, "timeoutSeconds": 10, "failureThreshold": 6},
    }
    name = names.database(spec.name)
    return store_pod(spec, container, claim=name, files=secret_files("password", name, ("password",)))


def broker_pod(spec: ServiceSpec) -> Manifest:
    # A server that still reads its file answers LOADING: it lives, but is not ready.
    ask = f'REDISCLI_AUTH="$(cat {BROKER_FILES}/password)" timeout 4 redis-cli ping | grep -q'
    ready = {"exec": {"command": ["sh", "-c", f"{ask} PONG"]}}
    alive = {"exec": {"command": ["sh", "-c", f"{ask} -e PONG -e LOADING"]}}
    container = {
        "name": "redis",
        "image": pods.image(spec, BROKER_IMAGE),
        "args": ["redis-server", f"{BROKER_FILES}/redis.conf"],
        "ports": [{"name": "redis", "containerPort": REDIS_PORT, "protocol": "TCP"}],
        "resources": pods.resources(spec.sizes["broker"]),
        "securityContext": {**pods.CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "files", "mountPath": BROKER_FILES, "readOnly": True},
        ],
        "startupProbe": {**ready, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 90},
        "readinessProbe": {**ready, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**alive, "periodSeconds": 30, "timeoutSeconds": 10, "failureThreshold": 6},
    }
    name = names.broker(spec.name)
    return store_pod(spec, container, claim=name, files=secret_files("files", name, ("password", "redis.conf")))


def store_pod(spec: ServiceSpec, container: Manifest, *, claim: str, files: Manifest) -> Manifest:
    return pods.store_pod(
        spec,
        [container],
        serviceAccountName=spec.name,
        securityContext=pods.pod_security(STORE_USER, group=STORE_USER),
        terminationGracePeriodSeconds=60,
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": claim}}, files],
    )


def secret_files(volume: str, secret: str, keys: tuple[str, ...]) -> Manifest:
    """Some keys of a Secret as files that only the store's user can read."""
    items = [{"key": key, "path": key} for key in keys]
    return {"name": volume, "secret": {"secretName": secret, "items": items, "defaultMode": 0o440}}
