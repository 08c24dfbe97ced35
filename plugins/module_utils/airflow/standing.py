# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service that stands in the cluster now, whatever is asked of it: its version, its executors, whether it runs.

It is read from the scheduler's Deployment. That is among the last to change, so a run that was killed half-way leaves
behind what its successor must know. Until an upgrade has ended, the version is the former one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..kube.objects import Manifest, Ref
from . import names

VERSION = "scp.dataops/airflow-version"
EXECUTOR = "scp.dataops/executor"
# What the first release of the collection made, which wrote neither.
FIRST_VERSION, FIRST_EXECUTOR = "3.3", "KubernetesExecutor"


@dataclass(frozen=True)
class Standing:
    """``runs``: whether any of its components has pods to run."""

    version: str
    executors: tuple[str, ...]
    runs: bool


def standing(live: Mapping[Ref, Manifest], service: str, namespace: str) -> Standing | None:
    """None when there is no service, or one whose components were never made."""
    scheduler = live.get(Ref("Deployment", names.component(service, "scheduler"), namespace))
    if scheduler is None:
        return None
    told = scheduler["metadata"].get("annotations") or {}
    upgrading = live.get(Ref("Secret", names.former(service), namespace))
    if upgrading:
        told = {**told, **upgrading["metadata"]["annotations"]}
    return Standing(
        version=told.get(VERSION, FIRST_VERSION),
        executors=tuple(told.get(EXECUTOR, FIRST_EXECUTOR).split(",")),
        runs=any(item["spec"].get("replicas", 1) for ref, item in live.items() if ref.kind == "Deployment"),
    )
