# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the API tells of Managers and services: the fields of the product's API first, then what it has no name for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow.sizes import Size
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError

from ..operations import Operation
from .inventory import IMAGE_ID, History, Manager, Service
from .mapping import (
    WORKLOADS,
    host_alias_list_shown,
    host_alias_shown,
    labels_shown,
    shown_cores,
    shown_memory,
    tags_shown,
)

# What an operation makes of the life cycle while it runs.
UNDER_WAY = {
    "create": "CREATING",
    "change": "UPDATING",
    "start": "STARTING",
    "stop": "STOPPING",
    "restart": "RESTARTING",
    "remove": "TERMINATING",
}
NO_WORKLOAD = {"cpu": "", "memory": "", "replica": "", "version": ""}


def common(options: Mapping[str, Any], manager: Manager, cluster: str, history: History, target: str) -> dict[str, Any]:
    """What both have in every answer. Null is what Kubernetes does not know."""
    last = history.modified(target)
    return {
        "account_id": options.get("account", {}).get("id", "dataops"),
        "cluster_id": cluster,
        "cluster_name": None,
        "cluster_permission": True,
        "cluster_request_failed": False,
        "created_by": history.created_by(target),
        "data_ops_id": manager.id,
        "data_ops_name": manager.name,
        "description": options.get("description", ""),
        "instance_id": None,
        "is_active_image": True,
        "modified_by": last.name if last else None,
    }


def service_item(
    service: Service, manager: Manager, cluster: str, history: History, operation: Operation | None, namespace: str
) -> dict[str, Any]:
    described, target = service.described, f"service {service.name}"
    last = history.modified(target)
    version = str(described.get("version", ""))
    return {
        **common(service.options, manager, cluster, history, target),
        "cluster_request_failed": service.spec is None,
        "created_dt": service.created,
        "modified_dt": last.when if last else service.created,
        "namespace_name": namespace,
        "image_id": f"{IMAGE_ID}{version}" if version else "",
        "is_active_image": version in {profile.release for profile in PROFILES.values()},
        "state": UNDER_WAY.get(operation.verb, "UPDATING") if operation else described.get("state", "ERROR"),
        "version": version,
        "data_ops_service_id": service.id,
        "data_ops_service_name": service.name,
        "health": described.get("health", "unhealthy"),
        "reasons": [service.problem] if service.problem else list(described["reasons"]),
        "web_url": described.get("web_url", ""),
    }


def service_detail(item: Mapping[str, Any], service: Service, told: Mapping[str, Any]) -> dict[str, Any]:
    """:param told: as the module dataops_service_info tells of it."""
    spec = service.spec
    if spec is None:
        raise DataOpsError(service.problem, where=f"service {service.name}")
    return {
        **item,
        "health": told["health"],
        "reasons": told["reasons"],
        "account": {"account_id": spec.account_id, "secret": told["account"]["secret"], "key": told["account"]["key"]},
        "domain": spec.domain,
        "host_alias": host_alias_shown(told["host_aliases"]),
        "hosts_file": told["hosts_file"],
        "http_port": None if spec.tls_secret else 80,
        "https_port": 443 if spec.tls_secret else None,
        "ingress_class_name": spec.ingress_class,
        "node_selector": labels_shown(told["node_selector"]),
        "service_workload": workloads(spec),
        "storage_class_name": spec.storage_class,
        "storage_size": spec.storage_size,
        "worker_type": spec.executor,
        "tags": tags_shown(spec.tags),
        "config": service.options.get("config", {}),
        "environment": service.options.get("environment", {}),
        **{
            key: told[key]
            for key in ("image", "size", "database", "broker", "git_sync", "git", "components", "replicas", "endpoints")
        },
        "airflow": told["airflow"],
    }


def sized(spec: ServiceSpec) -> Iterator[tuple[str, Size | None, bool]]:
    """Each part with its size, and whether its pods stand: a pod of a task has no number of pods."""
    for part, option in WORKLOADS.items():
        stands = option != "worker" or spec.uses_celery
        yield part, spec.sizes.get(option.replace("_", "-") if stands else "task"), stands


def workloads(spec: ServiceSpec) -> dict[str, Any]:
    """Effective sizes, all as texts."""
    return {part: NO_WORKLOAD if size is None else workload(spec, size, stands) for part, size, stands in sized(spec)}


def workload(spec: ServiceSpec, size: Size, stands: bool) -> dict[str, str]:
    return {
        "cpu": shown_cores(size.cpu),
        "memory": shown_memory(size.memory),
        "replica": str(size.replicas) if stands else "",
        "version": spec.profile.release,
    }


def manager_item(
    manager: Manager, cluster: str, history: History, described: Mapping[str, Any], operation: Operation | None
) -> dict[str, Any]:
    target = f"Manager {manager.name}"
    last = history.modified(target)
    return {
        **common(manager.options, manager, cluster, history, target),
        "created_dt": manager.created,
        "modified_dt": last.when if last else manager.created,
        "namespace_name": described["namespace"],
        "image_id": f"{IMAGE_ID}{described['version']}",
        "state": "UPDATING" if operation else described["state"],
        "version": described["version"],
    }


def manager_detail(item: Mapping[str, Any], described: Mapping[str, Any], url: str) -> dict[str, Any]:
    account = described["account"]
    return {
        **item,
        "account": {"account_id": account["id"], "secret": account["secret"], "key": account["key"]},
        "domain": described["domain"],
        "host_alias_list": host_alias_list_shown(described["host_aliases"]),
        "ingress_class_name": described["ingress_class"],
        "node_selector": labels_shown(described["node_selector"]),
        "storage_class_name": described["storage_class"],
        "storage_size": described["storage_size"],
        "image_registry": described["image_registry"],
        "tags": tags_shown(described["tags"]),
        "web_url": url,
        "data_ops_service_count": len(described["services"]),
        "services": described["services"],
        "files": {key: str(value) for key, value in described["files"].items()},
    }
