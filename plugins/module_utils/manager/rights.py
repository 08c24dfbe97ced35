# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights of a Manager: those that a run of it needs, and those that its console has.

Creating its namespace is the only one that is cluster-wide.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from ..airflow import manifests as service
from ..airflow import rights as of_services
from ..airflow.objects.service import needed_rights as of_objects
from ..common import rights
from ..kube.client import Kube
from ..kube.rights import Right
from .manifests import KINDS

# What a plan reads one by one, and what tells how much room a namespace has.
READ = (*service.KINDS, "Pod")
ROOM = ("ResourceQuota", "LimitRange")


def needed(namespace: str) -> list[Right]:
    """Those of a full run, with the ones that the console gets: Kubernetes asks them of who grants them."""
    return list(dict.fromkeys([*own(namespace), *of_console(namespace), Right("create", "", "namespaces", "")]))


def own(namespace: str) -> list[Right]:
    managed = rights.of_kinds(KINDS, rights.CHANGE, namespace)
    watched = rights.of_kinds(rights.WATCHED, rights.WATCH, namespace)
    read = rights.of_kinds(("ConfigMap", "PersistentVolumeClaim"), ("get",), namespace)
    return [*managed, *watched, *read, *rights.of_lock(namespace)]


def of_console(namespace: str) -> list[Right]:
    """All that the engine does in the namespace, and nothing elsewhere."""
    read = rights.of_kinds(READ, ("get",), namespace)
    room = rights.of_kinds(ROOM, ("list",), namespace)
    # They say why there are no pods.
    causes = rights.of_kinds(("ReplicaSet",), rights.WATCH, namespace)
    every = [*of_services.needed(namespace), *of_objects(namespace), *own(namespace), *read, *room, *causes]
    return list(dict.fromkeys(every))


def explained(kube: Kube, namespace: str) -> AbstractContextManager[None]:
    return rights.explained(kube, namespace, needed(namespace))
