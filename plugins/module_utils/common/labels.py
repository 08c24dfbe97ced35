# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The labels by which everything of a Manager or a Service is found, pruned and deleted."""

from __future__ import annotations

MANAGED_BY = "scp.dataops"
NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"
PART_OF = "app.kubernetes.io/part-of"
MANAGED = "app.kubernetes.io/managed-by"

SERVICE = "airflow"
MANAGER = "dataops-manager"


def labels(kind: str, instance: str, manager: str, component: str) -> dict[str, str]:
    """``kind`` is :data:`SERVICE` or :data:`MANAGER`."""
    return {NAME: kind, INSTANCE: instance, COMPONENT: component, PART_OF: manager, MANAGED: MANAGED_BY}


def selector(kind: str, instance: str) -> str:
    """A label selector that finds all objects of one Service or one Manager."""
    return f"{NAME}={kind},{INSTANCE}={instance},{MANAGED}={MANAGED_BY}"


def services_selector(manager: str, *, name: str = "", component: str = "") -> str:
    """One that finds all objects of a Manager's services; where it is said, those of one service or component."""
    chosen = {NAME: SERVICE, PART_OF: manager, INSTANCE: name, COMPONENT: component, MANAGED: MANAGED_BY}
    return ",".join(f"{key}={value}" for key, value in chosen.items() if value)
