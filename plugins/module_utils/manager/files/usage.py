# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the store's folders the cluster still needs: asked before a sweep."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from ...common import owner
from ...common.labels import INSTANCE
from ...kube.client import Kube
from ...kube.objects import Manifest
from .. import manager
from .store import InUse

# Whatever may mount files now or later: what runs, what makes pods, and templates of pods.
KINDS = ("Deployment", "StatefulSet", "Job", "Pod", "ConfigMap")
MOUNTED = re.compile(r"generations/(plugins|requirements|libraries)/([0-9a-f]+)")


def in_use(kube: Kube, namespace: str, name: str) -> InUse:
    """What services of Manager ``name`` have mounted, and what they are to have."""
    services = frozenset(item["metadata"]["labels"][INSTANCE] for item in manager.services(kube, namespace, name))
    return of_objects(kube.list_all(KINDS, namespace, labels=""), services)


def of_objects(objects: Iterable[Manifest], services: frozenset[str]) -> InUse:
    """A name counts wherever it stands: also in the text of a template, and of a pod that has ended but is there."""
    names: dict[str, set[str]] = {"plugins": set(), "requirements": set(), "libraries": set()}
    for item in objects:
        for kind, name in MOUNTED.findall(json.dumps(item)):
            names[kind].add(name)
        if item["kind"] == "ConfigMap" and item["metadata"]["name"] == owner.PUBLISHED:
            for published in map(json.loads, (item.get("data") or {}).values()):
                names["plugins"].add(published["plugins"])
                names["requirements"].add(published["requirements"])
    return InUse(services, **{kind: frozenset(found) - {""} for kind, found in names.items()})
