# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services as production makes them: through the real `from_options`, `provide` and `render`."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow import manifests
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git import check as git_check
from ansible_collections.scp.dataops.plugins.module_utils.airflow.manifests import Stages
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import Secrets, provide
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.airflow.uploads.spec import Uploads
from ansible_collections.scp.dataops.plugins.module_utils.common.secret_keys import SecretKey
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

LONGEST_NAME = "n" + "x" * 29
GIT: dict[str, Any] = {"repo": "https://git.example.com/team/dags.git", "subdir": "dags", "interval": 30}
# Of an authority that nobody has; it is valid until 2126.
AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUVi2rRcCG9KlZVuLQdFS/yv5FMFQwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRRXhhbXBsZSBBdXRob3JpdHkwIBcNMjYxMTIyMjExMjAxWhgP
MjEyNjEwMjkyMTEyMDFaMBwxGjAYBgNVBAMMEUV4YW1wbGUgQXV0aG9yaXR5MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVJutJoroZxt7/aTzUOdPx4/jLxPE4LdJ
r1GMLDi5SaUvL1M3GMnnjrs9iWd+apHqx9SZvtw1PDfNUCEtiVpv06NTMFEwHQYD
VR0OBBYEFOSxFh4Qu8GcagFZ1IEHRCsPEHCPMB8GA1UdIwQYMBaAFOSxFh4Qu8Gc
agFZ1IEHRCsPEHCPMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIg
XWCkz2fI41nM/Dg8b3nxvnzV4bfyQ9MeVlAM2AJ3Pc4CIQCpWA/MrZkIGCXTufYp
VSgvLLtB8fUKp2nhUwVTJm63Vg==
-----END CERTIFICATE-----
"""
AFFINITY: dict[str, Any] = {
    "podAntiAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 50,
                "podAffinityTerm": {
                    "topologyKey": "topology.kubernetes.io/zone",
                    "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["etl"]}]},
                },
            }
        ]
    }
}
# Every option set, none to its default.
FULL: dict[str, Any] = {
    "description": "Nightly loads",
    "domain": "dataops.example.com",
    "ingress_class": "contour",
    "tls_secret": "etl-tls",
    "image_registry": "registry.example.com/mirror",
    "image": "registry.example.com/own/airflow:3.3.2-own",
    "storage_class": "nfs",
    "storage_size": "20Gi",
    "account": {"id": "operator"},
    "executor": "CeleryExecutor,KubernetesExecutor",
    "drain_timeout": 900,
    "flower": {"enabled": True},
    "version": "3.3",
    "size": "small",
    "web_server": {"cpu": "1", "memory": "3Gi", "cpu_limit": "2", "memory_limit": "4Gi", "replicas": 2},
    "scheduler": {"cpu": "2", "memory": "2Gi", "replicas": 2},
    "dag_processor": {"cpu": "1", "memory": "2Gi"},
    "triggerer": {"cpu": "1", "memory": "2Gi"},
    "worker": {"cpu": "2", "memory": "4Gi", "replicas": 3, "concurrency": 8},
    "task_pod": {"memory": "5Gi"},
    "git_sync": {**GIT, "ref": "v1.2", "username": "deploy"},
    "host_aliases": [{"ip": "10.0.0.5", "hostnames": ["warehouse.internal"]}],
    "node_selector": {"pool": "dataops"},
    "tolerations": [{"key": "dataops", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": AFFINITY,
    "priority_class": "dataops",
    "ca_certificates": AUTHORITY,
    "python_index": {"url": "https://pypi.example.com/simple", "secret": "index-login"},
    "egress_proxy": {"http": "http://proxy.example.com:3128", "no_proxy": [".internal"]},
    "image_pull_secrets": ["registry"],
    "tags": {"team": "analytics"},
    "config": {
        "core": {"parallelism": 64, "dags_are_paused_at_creation": False},
        "sentry": {"sentry_on": True, "sentry_dsn": {"secret": "sentry", "key": "dsn"}},
    },
    "environment": {"all": {"TEAM": "analytics"}, "task": {"WAREHOUSE_TOKEN": {"secret": "warehouse", "key": "token"}}},
    "monitoring": {"enabled": True, "labels": {"release": "prometheus"}, "dashboard": False, "interval": 15},
    "overrides": {"triggerer": {"metadata": {"labels": {"cost-centre": "4711"}}}},
}
# Stores that somebody else keeps, every option of theirs set.
EXTERNAL: dict[str, Any] = {
    "database": {
        "host": "db.example.com",
        "port": 5433,
        "name": "dataops",
        "secret": "db-login",
        "username_key": "user",
        "password_key": "pass",
        "ssl_mode": "verify-full",
        "ca_secret": "db-ca",
        "ca_key": "root.crt",
        "moved_from": "old.example.com:5432/airflow",
    },
    "broker": {
        "host": "redis.example.com",
        "port": 6380,
        "database": 2,
        "secret": "queue-login",
        "username_key": "user",
        "password_key": "pass",
        "tls": True,
        "ca_secret": "queue-ca",
        "ca_key": "root.crt",
    },
}
SECRETS = Secrets(
    keys={"fernet-key": "SENTINEL-FERNET", "api-secret-key": "SENTINEL-API", "jwt-secret": "SENTINEL-JWT"},
    database={
        "password": "SENTINEL-DB",
        "connection": "postgresql+psycopg2://airflow:SENTINEL-DB@etl-database:5432/airflow",
        "connection-async": "postgresql+asyncpg://airflow:SENTINEL-DB@etl-database:5432/airflow",
    },
    account={"id": "operator", "password": "SENTINEL-Account1!", "flower": "operator:SENTINEL-Account1!"},
    git={"credential": "username=deploy\npassword=SENTINEL-GIT\n"},
    named={
        SecretKey("sentry", "dsn"): "SENTINEL-DSN",
        SecretKey("warehouse", "token"): "SENTINEL-TOKEN",
    },
    broker={
        "password": "SENTINEL-BROKER",
        "broker-url": "redis://:SENTINEL-BROKER@etl-broker:6379/0",
        "result-backend": "redis://:SENTINEL-BROKER@etl-broker:6379/1",
        "redis.conf": "requirepass SENTINEL-BROKER\n",
    },
)


def service(name: str = "etl", **options: Any) -> ServiceSpec:
    """A service with a domain, and nothing else that is not asked for."""
    given = {"domain": "example.com", **options}
    return ServiceSpec.from_options(given, name=name, manager="analytics", namespace="data")


def full(name: str = "etl", **options: Any) -> ServiceSpec:
    return service(name, **{**FULL, **options})


def uploading(spec: ServiceSpec, plugins: str = "p1", requirements: str = "r1") -> ServiceSpec:
    """The service when the Manager has published files for it."""
    return dataclasses.replace(spec, uploads=Uploads(plugins=plugins, requirements=requirements))


def rendered(spec: ServiceSpec, secrets: Secrets = SECRETS, options: dict[str, Any] | None = None) -> Stages:
    return manifests.render(spec, secrets, options if options is not None else {"domain": spec.domain})


def every_manifest(spec: ServiceSpec, secrets: Secrets = SECRETS) -> list[Manifest]:
    """All that a service ever writes: what is rendered, and what tries the repository."""
    probe = [git_check.secret(spec, secrets), git_check.job(spec, spec.git_sync)] if spec.git_sync else []
    return [*rendered(spec, secrets).all, *probe]


def fresh_secrets(spec: ServiceSpec, **passwords: Any) -> Secrets:
    return provide(spec, {}, **passwords)


def task_template(found: Iterable[Manifest]) -> Manifest:
    """The pod of a task, as it stands in the ConfigMap."""
    for item in found:
        if item["kind"] == "ConfigMap" and "task-pod.yaml" in item["data"]:
            template: Manifest = json.loads(item["data"]["task-pod.yaml"])
            return template
    raise AssertionError("there is no task template")


def pods(found: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Name and pod spec of everything that makes pods, the template of tasks included."""
    for item in found:
        if item["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield f"{item['kind']}/{item['metadata']['name']}", item["spec"]["template"]["spec"]
    template = task_template(found)
    yield f"Pod/{template['metadata']['name']}", template["spec"]


def named(found: list[Manifest], kind: str, name: str) -> Manifest:
    return copy.deepcopy(next(item for item in found if (item["kind"], item["metadata"]["name"]) == (kind, name)))
