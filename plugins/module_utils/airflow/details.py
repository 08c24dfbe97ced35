# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service consists of: its pods one by one, its addresses, and what it uses. No secret in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ..common.labels import COMPONENT
from ..kube.objects import Manifest
from ..kube.verdicts import pod_verdict
from . import names, tailoring
from .broker import Broker
from .database import Database
from .plan import Live
from .spec import ServiceSpec
from .versions import FLOWER_PORT, WEB_SERVER_PORT


def replicas(
    components: Iterable[str], found: Iterable[Manifest], commits: Mapping[str, str], now: datetime
) -> dict[str, list[dict[str, Any]]]:
    """The pods of each component, in the order of their names.

    :param commits: what each pod last read from git, by its name.
    :param now: by the API server's clock.
    """
    by_component: dict[str, list[dict[str, Any]]] = {component: [] for component in components}
    for pod in sorted(found, key=lambda item: str(item["metadata"]["name"])):
        component = pod["metadata"]["labels"].get(COMPONENT, "")
        if component in by_component:
            by_component[component].append(replica(pod, commits, now))
    return by_component


def replica(pod: Manifest, commits: Mapping[str, str], now: datetime) -> dict[str, Any]:
    verdict = pod_verdict(pod, now)
    containers = pod.get("status", {}).get("containerStatuses") or []
    name = pod["metadata"]["name"]
    return {
        "pod": name,
        "ready": verdict.state == "ready",
        "restarts": sum(container.get("restartCount", 0) for container in containers),
        "node": pod["spec"].get("nodeName", ""),
        "image": pod["spec"]["containers"][0]["image"],
        "commit": commits.get(name, ""),
        "reason": "" if verdict.state == "ready" else verdict.why,
    }


def commits_by_pod(git: Mapping[str, Any]) -> dict[str, str]:
    """Of the main repository, as :func:`.git.status.described` told them."""
    main = git["repositories"][0]["pods"] if git else []
    return {reader["pod"]: reader["commit"] for reader in main}


def endpoints(spec: ServiceSpec) -> dict[str, str]:
    inside = f"http://{names.web_server(spec.name)}.{spec.namespace}.svc:{WEB_SERVER_PORT}"
    flower = f"http://{names.component(spec.name, 'flower')}.{spec.namespace}.svc:{FLOWER_PORT}"
    return {
        "web": spec.web_url,
        "api": f"{spec.web_url}{spec.profile.api.root}",
        "inside": inside,
        **({"flower": flower} if spec.flower else {}),
    }


def uses(spec: ServiceSpec, live: Live) -> dict[str, Any]:
    """Volumes, and Secrets by name: its own, and those that options name."""
    claims = [item for ref, item in sorted(live.items()) if ref.kind == "PersistentVolumeClaim"]
    stores: list[Database | Broker] = [spec.database, *([spec.broker] if spec.uses_celery else [])]
    of_stores = [name for store in stores for name in (store.secret, store.ca_secret)]
    of_settings = [item.secret for item in tailoring.secret_keys(spec)]
    asked = {spec.tls_secret, *spec.image_pull_secrets, *of_stores, *of_settings} - {""}
    return {
        "volumes": [volume(claim) for claim in claims],
        "secrets": sorted(asked | {ref.name for ref in live if ref.kind == "Secret"}),
    }


def volume(claim: Manifest) -> dict[str, Any]:
    return {
        "name": claim["metadata"]["name"],
        "size": claim["spec"]["resources"]["requests"]["storage"],
        "storage_class": claim["spec"].get("storageClassName", ""),
        "state": claim.get("status", {}).get("phase", ""),
    }
