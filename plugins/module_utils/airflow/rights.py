# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights that a run of a Service needs in its namespace."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ..common import rights
from ..kube.client import Kube
from ..kube.rights import Right
from .manifests import KINDS, RULES


def needed(namespace: str) -> list[Right]:
    """Those of a full run, with the ones that a Role passes on: Kubernetes asks them of who grants them."""
    granted = [
        Right(verb, group, resource, namespace)
        for rules in RULES.values()
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    managed = rights.of_kinds(KINDS, rights.CHANGE, namespace)
    watched = rights.of_kinds(rights.WATCHED, rights.WATCH, namespace)
    read = [Right("get", "", "configmaps", namespace), Right("get", "", "services/proxy", namespace)]
    return list(dict.fromkeys([*managed, *watched, *granted, *read, *rights.of_lock(namespace)]))


def explained(kube: Kube, namespace: str) -> AbstractContextManager[None]:
    return rights.explained(kube, namespace, needed(namespace))
