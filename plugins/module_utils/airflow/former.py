# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service was before an upgrade, written down in the cluster before the first object changes.

A run that was killed half-way leaves objects of both versions behind; with this, a later run still knows the way back.
It is a Secret, since Secrets are among the objects. It goes when the upgrade has ended, one way or the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..kube.client import Kube
from ..kube.objects import Manifest, Ref, index, ref_of
from ..kube.plan import Change
from . import names, pieces
from .manifests import KEPT_KINDS, Stages
from .secrets import decoded
from .spec import ServiceSpec
from .standing import VERSION

KEY = "service.json"
# What the server writes into an object, and takes from nobody.
SERVERS_OWN = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "deletionTimestamp")


@dataclass(frozen=True)
class Former:
    """``objects`` are those that the upgrade changes, as they were; ``present`` names all that there were."""

    objects: tuple[Manifest, ...]
    present: frozenset[str]

    def new(self, stages: Stages) -> list[Ref]:
        """What the upgrade adds, except what is always kept."""
        refs = [ref_of(item) for item in stages.all]
        return [ref for ref in refs if ref.kind not in KEPT_KINDS and str(ref) not in self.present]


def remember(
    kube: Kube, spec: ServiceSpec, version: str, stages: Stages, changes: Sequence[Change], live: Mapping[Ref, Manifest]
) -> Former:
    """What the first run of this upgrade wrote down; the first run writes it down."""
    written = decoded(live.get(ref(spec)))
    if written:
        known = json.loads(written[KEY])
        return Former(tuple(known["objects"]), frozenset(known["present"]))
    wanted = index(stages.components)
    updated = [change.ref for change in changes if change.action == "update" and change.ref in live]
    objects = tuple(running(as_it_was(live[ref]), wanted.get(ref, {})) for ref in updated)
    present = sorted(str(ref) for ref in live)
    value = json.dumps({"objects": objects, "present": present}, separators=(",", ":"))
    secret = pieces.secret(spec, names.former(spec.name), "upgrade", {KEY: value})
    kube.apply({**secret, "metadata": {**secret["metadata"], "annotations": {VERSION: version}}})
    return Former(objects, frozenset(present))


def forget(kube: Kube, spec: ServiceSpec) -> None:
    place = ref(spec)
    kube.delete(place.kind, place.name, place.namespace)


def ref(spec: ServiceSpec) -> Ref:
    return Ref("Secret", names.former(spec.name), spec.namespace)


def running(former: Manifest, wanted: Manifest) -> Manifest:
    """With pods, even if it had none: as many as the new version would have."""
    if former["kind"] != "Deployment" or former["spec"].get("replicas", 1):
        return former
    return {**former, "spec": {**former["spec"], "replicas": wanted["spec"].get("replicas", 1)}}


def as_it_was(live: Manifest) -> Manifest:
    """An object as it can be applied anew."""
    kept: dict[str, Any] = {key: value for key, value in live.items() if key != "status"}
    return {**kept, "metadata": {key: value for key, value in live["metadata"].items() if key not in SERVERS_OWN}}
