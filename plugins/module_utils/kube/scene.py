# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is known at one moment about what a wait is for: targets, their pods, claims and events. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from .feed import Seen
from .objects import Manifest, Ref
from .verdicts import owner_of, time_of

PODS, REPLICA_SETS, CLAIMS, WARNINGS, CLAIM_EVENTS = "pods", "replica sets", "claims", "warnings", "claim events"

_REVISION = "deployment.kubernetes.io/revision"
_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


class Scene:
    """The objects that the sources of a feed brought, by source and name."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, Manifest]] = {}

    def take(self, seen: Seen) -> None:
        """Learn what a source brought."""
        known = self._objects.setdefault(seen.source, {})
        if seen.items is not None:
            known.clear()
            known.update({item["metadata"]["name"]: item for item in seen.items})
        if seen.changed is not None:
            known[seen.changed["metadata"]["name"]] = seen.changed
        if seen.gone is not None:
            known.pop(seen.gone["metadata"]["name"], None)

    def target(self, ref: Ref) -> Manifest | None:
        """What is waited for; None when it does not exist."""
        source = CLAIMS if ref.kind == "PersistentVolumeClaim" else ref.kind
        return self._objects.get(source, {}).get(ref.name)

    def replica_set(self, ref: Ref) -> Manifest | None:
        """The newest revision of a Deployment; older ones are going away and say nothing about it."""
        deployment = self.target(ref)
        revision = _revision(deployment) if deployment else ""
        for item in self._objects.get(REPLICA_SETS, {}).values():
            if revision and owner_of(item, "Deployment") == ref.name and _revision(item) == revision:
                return item
        return None

    def pods(self, ref: Ref) -> list[Manifest]:
        """The pods of the target's newest revision, oldest first."""
        if ref.kind == "Deployment":
            newest = self.replica_set(ref)
            found = self._owned("ReplicaSet", newest["metadata"]["name"]) if newest else []
        elif ref.kind == "StatefulSet":
            target = self.target(ref) or {}
            revision = (target.get("status") or {}).get("updateRevision")
            found = [
                pod
                for pod in self._owned("StatefulSet", ref.name)
                if (pod["metadata"].get("labels") or {}).get("controller-revision-hash") == revision
            ]
        else:
            found = self._owned(ref.kind, ref.name)
        return sorted(found, key=lambda pod: (str(pod["metadata"].get("creationTimestamp")), pod["metadata"]["name"]))

    def claims(self, ref: Ref) -> list[Manifest]:
        """The claims that the target is or that its pods mount."""
        names = {name for pod in self.pods(ref) for name in _mounted(pod)}
        if ref.kind == "PersistentVolumeClaim":
            names.add(ref.name)
        known = self._objects.get(CLAIMS, {})
        return [known[name] for name in sorted(names & known.keys())]

    def events(self, source: str, item: Manifest) -> list[Manifest]:
        """Events about an object, the newest first; not those about an earlier one of the same name."""
        found = [event for event in self._objects.get(source, {}).values() if _is_about(event, item)]
        return sorted(found, key=happened, reverse=True)

    def _owned(self, kind: str, name: str) -> list[Manifest]:
        return [pod for pod in self._objects.get(PODS, {}).values() if owner_of(pod, kind) == name]


def happened(event: Manifest) -> datetime:
    """When an event happened last."""
    series = event.get("series") or {}
    text = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return time_of(text or event["metadata"].get("creationTimestamp")) or _LONG_AGO


def _is_about(event: Manifest, item: Manifest) -> bool:
    about, metadata = event.get("involvedObject") or {}, item["metadata"]
    same_name = (about.get("kind"), about.get("name")) == (item["kind"], metadata["name"])
    return same_name and about.get("uid", metadata.get("uid")) == metadata.get("uid")


def _revision(item: Manifest) -> str:
    return str((item["metadata"].get("annotations") or {}).get(_REVISION) or "")


def _mounted(pod: Manifest) -> Iterator[str]:
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        if "persistentVolumeClaim" in volume:
            yield str(volume["persistentVolumeClaim"]["claimName"])
