# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Manager is, in the words of the product. No secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common import owner
from ..common.checks import ingress_addresses
from ..kube.objects import Manifest, Ref
from ..kube.verdicts import VERDICTS, Verdict
from .names import ACCOUNT, CONSOLE, FILES
from .spec import ManagerSpec

# How a state follows from that of the console.
STATES = {"ready": "RUNNING", "waiting": "UPDATING", "failed": "ERROR"}


def describe(spec: ManagerSpec, live: Mapping[Ref, Manifest]) -> dict[str, Any]:
    exists = Ref("ConfigMap", owner.RECORD, spec.namespace) in live
    claim = live.get(Ref("PersistentVolumeClaim", FILES, spec.namespace), {})
    phase = claim.get("status", {}).get("phase", "Missing")
    deployment = live.get(Ref("Deployment", CONSOLE, spec.namespace))
    verdict = verdict_of(deployment)
    addresses = ingress_addresses(live.get(Ref("Ingress", CONSOLE, spec.namespace), {}))
    return {
        "name": spec.name,
        "namespace": spec.namespace,
        "state": state(exists, phase, verdict),
        "web_url": spec.web_url,
        "hosts_file": f"{addresses[0]} {spec.host}" if addresses else "",
        "version": spec.version,
        "description": spec.description,
        "domain": spec.domain,
        "ingress_class": spec.ingress_class,
        "tls_secret": spec.tls_secret,
        "image_registry": spec.image_registry,
        "storage_class": spec.storage_class,
        "storage_size": spec.storage_size,
        "files": {"volume": FILES, "phase": phase},
        "account": {"id": spec.account_id, "secret": ACCOUNT, "key": "password"},
        "node_selector": dict(spec.node_selector),
        "host_aliases": [{"ip": alias.ip, "hostnames": list(alias.hostnames)} for alias in spec.host_aliases],
        "tags": dict(spec.tags),
        "console": console(spec, deployment, verdict),
        "default_settings": dict(spec.default_settings),
    }


def is_running(spec: ManagerSpec, live: Mapping[Ref, Manifest]) -> bool:
    return verdict_of(live.get(Ref("Deployment", CONSOLE, spec.namespace))).state == "ready"


def verdict_of(deployment: Manifest | None) -> Verdict:
    return Verdict("failed", "it does not exist") if deployment is None else VERDICTS["Deployment"](deployment)


def state(exists: bool, phase: str, verdict: Verdict) -> str:
    if not exists:
        return "UNDEPLOYED"
    return "ERROR" if phase == "Lost" else STATES[verdict.state]


def console(spec: ManagerSpec, deployment: Manifest | None, verdict: Verdict) -> dict[str, Any]:
    """How the console is, with the reason where it is not ready."""
    return {
        "state": verdict.state,
        "reason": verdict.why,
        "ready": (deployment or {}).get("status", {}).get("readyReplicas", 0),
        "wanted": 1,
        "path": spec.console_path,
        "cpu": spec.console.cpu,
        "memory": spec.console.memory,
        "cpu_limit": spec.console.cpu_limit,
        "memory_limit": spec.console.memory_limit,
    }
