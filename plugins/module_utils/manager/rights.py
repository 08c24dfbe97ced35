# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights that a run of a Manager needs. Creating its namespace is the only one that is cluster-wide."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ..common import rights
from ..kube.client import Kube
from ..kube.rights import Right
from .manifests import KINDS


def needed(namespace: str) -> list[Right]:
    managed = rights.of_kinds(KINDS, rights.CHANGE, namespace)
    watched = rights.of_kinds(("PersistentVolumeClaim",), rights.WATCH, namespace)
    read = rights.of_kinds(("ConfigMap", "PersistentVolumeClaim"), ("get",), namespace)
    lock = rights.of_lock(namespace)
    return list(dict.fromkeys([*managed, *watched, *read, *lock, Right("create", "", "namespaces", "")]))


def explained(kube: Kube, namespace: str) -> AbstractContextManager[None]:
    return rights.explained(kube, namespace, needed(namespace))
