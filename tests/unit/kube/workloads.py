# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builders of live objects, as the controllers of a cluster leave them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

NOW = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment(
    name: str = "web", *, seen: int = 2, replicas: int = 1, existing: int = 0, conditions: Any = (), **status: int
) -> Manifest:
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "generation": 2, "annotations": {"deployment.kubernetes.io/revision": "2"}},
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": seen, "replicas": existing, "conditions": list(conditions), **status},
    }


def up(name: str = "web") -> Manifest:
    return deployment(name, existing=1, updatedReplicas=1, availableReplicas=1)


def replica_set(name: str = "web-2", revision: str = "2", of: str = "web", conditions: Any = ()) -> Manifest:
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"kind": "Deployment", "name": of, "controller": True}],
        },
        "status": {"conditions": list(conditions)},
    }


def stateful_set(*, replicas: int = 1, existing: int = 0, by_hand: bool = False, **status: Any) -> Manifest:
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "db", "uid": "uid of db", "generation": 1},
        "spec": {"replicas": replicas, "updateStrategy": {"type": "OnDelete" if by_hand else "RollingUpdate"}},
        "status": {
            "observedGeneration": 1,
            "replicas": existing,
            "currentRevision": "r1",
            "updateRevision": "r1",
            **status,
        },
    }


def job(condition: str = "", message: str = "", **status: int) -> Manifest:
    conditions = [{"type": condition, "status": "True", "message": message}] if condition else []
    metadata = {"name": "migrate", "uid": "uid of migrate"}
    return {"kind": "Job", "metadata": metadata, "spec": {}, "status": {"conditions": conditions, **status}}


def claim(name: str = "data", phase: str = "Pending") -> Manifest:
    metadata = {"name": name, "namespace": "x", "uid": f"uid of {name}"}
    return {"kind": "PersistentVolumeClaim", "metadata": metadata, "status": {"phase": phase}}


def pod(
    *containers: dict[str, Any],
    name: str = "web-2-a",
    owner: tuple[str, str] = ("ReplicaSet", "web-2"),
    phase: str = "Pending",
    conditions: Any = (),
    claims: Any = (),
    labels: dict[str, str] | None = None,
) -> Manifest:
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "x",
            "uid": f"uid of {name}",
            "labels": labels or {},
            "ownerReferences": [{"kind": owner[0], "name": owner[1], "controller": True}],
        },
        "spec": {"volumes": [{"persistentVolumeClaim": {"claimName": claim}} for claim in claims]},
        "status": {"phase": phase, "conditions": list(conditions), "containerStatuses": list(containers)},
    }


def unscheduled(message: str, seconds: float) -> dict[str, str]:
    return {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastTransitionTime": ago(seconds),
    }


def container(
    *, waiting: tuple[str, str] | None = None, ended: dict[str, Any] | None = None, last: Any = None, restarts: int = 0
) -> dict[str, Any]:
    state: dict[str, Any] = {"running": {}}
    if waiting:
        state = {"waiting": {"reason": waiting[0], "message": waiting[1]}}
    if ended:
        state = {"terminated": ended}
    return {
        "name": "main",
        "image": "registry/app:1",
        "ready": False,
        "restartCount": restarts,
        "state": state,
        "lastState": {"terminated": last} if last else {},
    }


def event(kind: str, name: str, reason: str, message: str, seconds: float = 1, uid: str = "") -> Manifest:
    about = {"kind": kind, "name": name, "uid": uid or f"uid of {name}"}
    metadata = {"name": f"{name}.{reason}"}
    return {
        "kind": "Event",
        "metadata": metadata,
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "lastTimestamp": ago(seconds),
    }
