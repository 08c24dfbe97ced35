# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a service is: life cycle and health apart, each with its reasons, in the words of the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..common.checks import ingress_addresses
from ..kube.objects import Manifest, Ref
from ..kube.verdicts import VERDICTS, Verdict
from . import names, pods
from .git import status as git_status
from .spec import ServiceSpec
from .uploads.mounts import in_use

RUNNING, UPDATING, ERROR = "RUNNING", "UPDATING", "ERROR"
STOPPED = "STOPPED"


def describe(spec: ServiceSpec, live: Mapping[Ref, Manifest]) -> dict[str, Any]:
    """What a service is and how it does, without asking Airflow itself. No secret in it."""
    parts = {component.name: names.component(spec.name, component.name) for component in spec.components}
    found = {part: live.get(Ref("Deployment", name, spec.namespace)) for part, name in parts.items()}
    if spec.database.embedded:
        found["database"] = live.get(Ref("StatefulSet", names.database(spec.name), spec.namespace))
    if spec.uses_celery and spec.broker.embedded:
        found["broker"] = live.get(Ref("StatefulSet", names.broker(spec.name), spec.namespace))
    if spec.monitoring.enabled:
        found["metrics"] = live.get(Ref("Deployment", names.metrics(spec.name), spec.namespace))
    stopped = all(item is not None and not item["spec"].get("replicas", 1) for item in found.values())
    verdicts = {part: verdict(manifest) for part, manifest in found.items()}
    addresses = ingress_addresses(live.get(Ref("Ingress", spec.name, spec.namespace), {}))
    worker = spec.sizes["worker" if spec.uses_celery else "task"]
    return {
        "name": spec.name,
        "manager": spec.manager,
        "namespace": spec.namespace,
        "state": STOPPED if stopped else state(list(verdicts.values())),
        "health": "stopped" if stopped else health(list(verdicts.values())),
        "reasons": [f"{part}: {item.why}" for part, item in verdicts.items() if item.state != "ready"],
        "components": {part: component(manifest, verdicts[part]) for part, manifest in found.items()},
        "web_url": spec.web_url,
        "hosts_file": f"{addresses[0]} {spec.host}" if addresses else "",
        "description": spec.description,
        "domain": spec.domain,
        "executor": spec.executor,
        "version": spec.profile.release,
        "image": pods.airflow_image(spec),
        "account": {"id": spec.account_id, "secret": names.account(spec.name), "key": "password"},
        "size": spec.size,
        "worker": {"cpu": worker.cpu, "memory": worker.memory},
        "database": database(spec),
        "broker": broker(spec),
        "git_sync": git_status.source(spec.git_sync),
        "files": files(found["web-server"]),
        "host_aliases": [{"ip": alias.ip, "hostnames": list(alias.hostnames)} for alias in spec.placement.host_aliases],
        "node_selector": dict(spec.placement.node_selector),
        "storage_class": spec.storage_class,
        "storage_size": spec.storage_size,
        "tags": dict(spec.tags),
    }


def database(spec: ServiceSpec) -> dict[str, Any]:
    """Where the state is. One pod on one volume is not highly available; of another server nothing is claimed."""
    used = spec.database
    if used.embedded:
        return {"type": "embedded", "host": names.database(spec.name), "name": used.name, "highly_available": False}
    external = {"type": "external", "host": used.host, "port": used.port, "name": used.name, "secret": used.secret}
    return {**external, "ssl_mode": used.ssl_mode}


def broker(spec: ServiceSpec) -> dict[str, Any]:
    """Where Celery's queue is; empty without the CeleryExecutor."""
    used = spec.broker
    if not spec.uses_celery:
        return {}
    if used.embedded:
        return {"type": "embedded", "host": names.broker(spec.name), "highly_available": False}
    external = {"type": used.type, "host": used.host, "port": used.port, "secret": used.secret}
    return {**external, "tls": used.tls}


def files(web_server: Manifest | None) -> dict[str, str]:
    """Generations of uploaded files that it was told to use; empty for none. Shared files have none."""
    return asdict(in_use(web_server)) if web_server else {"plugins": "", "libraries": ""}


def verdict(manifest: Manifest | None) -> Verdict:
    return Verdict("failed", "it does not exist") if manifest is None else VERDICTS[manifest["kind"]](manifest)


def state(verdicts: list[Verdict]) -> str:
    if any(item.state == "failed" for item in verdicts):
        return ERROR
    return RUNNING if all(item.state == "ready" for item in verdicts) else UPDATING


def health(verdicts: list[Verdict]) -> str:
    return "healthy" if all(item.state == "ready" for item in verdicts) else "unhealthy"


def component(manifest: Manifest | None, found: Verdict) -> dict[str, Any]:
    if manifest is None:
        return {"state": found.state, "ready": 0, "wanted": 0}
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    requests = container.get("resources", {}).get("requests", {})
    return {
        "state": found.state,
        "ready": manifest.get("status", {}).get("readyReplicas", 0),
        "wanted": manifest["spec"].get("replicas", 1),
        "cpu": requests.get("cpu", ""),
        "memory": requests.get("memory", ""),
    }
