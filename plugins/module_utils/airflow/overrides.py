# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``overrides``: a patch of a part's pod template, for what has no option of its own.

It is a strategic merge patch, as ``kubectl patch`` takes it, applied after everything else: dictionaries are merged,
``null`` deletes, lists of named things are merged by their names, all other lists are replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..common import validation as check
from ..common.labels import COMPONENT, INSTANCE, MANAGED, NAME, PART_OF
from ..errors import BadOption
from ..kube.objects import Manifest
from . import environment

PARTS = (
    "web-server",
    "scheduler",
    "dag-processor",
    "triggerer",
    "worker",
    "flower",
    "task",
    "jobs",
    "database",
    "broker",
)
# The field that tells elements of these lists apart, as in Kubernetes' own description of a pod.
MERGED_BY: Mapping[str, str] = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
DIRECTIVE = "$patch"
DIRECTIVES = ("delete", "replace")
OWN_LABELS = frozenset({NAME, INSTANCE, COMPONENT, PART_OF, MANAGED})
OWN_ANNOTATIONS = "scp.dataops/"

Overrides = dict[str, Manifest]


def overrides(raw: Mapping[str, Any], at: str = "overrides") -> Overrides:
    """Patches by part. Names of fields are left to the API server, which knows them all.

    :raises BadOption: for an unknown part, for what identifies a pod, and for what cannot be merged.
    """
    check.known_keys(raw, PARTS, at)
    for part, patch in raw.items():
        where = f"{at}.{part}"
        if not isinstance(patch, Mapping):
            raise BadOption("it is no patch", where=where, next_step="Write metadata and spec of the pod")
        check.known_keys(patch, ("metadata", "spec"), where)
        refuse_identity(patch.get("metadata") or {}, f"{where}.metadata")
        for path, key, value in walked(patch, where):
            refuse_unmergeable(path, key, value)
    return {part: dict(patch) for part, patch in sorted(raw.items())}


def refuse_identity(metadata: Mapping[str, Any], at: str) -> None:
    """By these labels pods are found, also those of a Service; by these annotations restarts are decided."""
    check.known_keys(metadata, ("labels", "annotations"), at)
    for label in metadata.get("labels") or {}:
        if label in OWN_LABELS:
            raise BadOption("pods are found by this label", where=f"{at}.labels.{label}", next_step="Use another one")
    for annotation in metadata.get("annotations") or {}:
        if annotation.startswith(OWN_ANNOTATIONS):
            where = f"{at}.annotations.{annotation}"
            raise BadOption("the service sets this annotation", where=where, next_step="Use another one")


def walked(value: Any, at: str) -> Iterator[tuple[str, str, Any]]:
    """Path, key and value of everything in a patch."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        path = f"{at}[{key}]" if isinstance(key, int) else f"{at}.{key}"
        yield path, str(key), item
        yield from walked(item, path)


def refuse_unmergeable(path: str, key: str, value: Any) -> None:
    if key.startswith("$") and (key != DIRECTIVE or value not in DIRECTIVES):
        raise BadOption("no such directive", where=path, next_step=f"Use {DIRECTIVE}: {' or '.join(DIRECTIVES)}")
    if key not in MERGED_BY or not isinstance(value, list):
        # A label may have such a name, too.
        return
    for position, item in enumerate(value):
        where = f"{path}[{position}]"
        if not isinstance(item, Mapping) or MERGED_BY[key] not in item:
            raise BadOption("it cannot be told which one is meant", where=where, next_step=f"Add {MERGED_BY[key]}")
        if key == "env" and item.get("value") is not None:
            environment.plain_value(str(item["name"]), item["value"], f"{where}.value")


def applied(template: Manifest, patch: Mapping[str, Any]) -> Manifest:
    """The template with the patch in it; both stay as they are."""
    result = dict(template)
    for key, value in patch.items():
        old = result.get(key)
        if value is None:
            result.pop(key, None)
        elif key in MERGED_BY and isinstance(value, list):
            result[key] = merged(old or [], value, MERGED_BY[key])
        elif isinstance(value, Mapping) and value.get(DIRECTIVE) == "delete":
            result.pop(key, None)
        elif isinstance(value, Mapping):
            replace = value.get(DIRECTIVE) == "replace" or not isinstance(old, Mapping)
            result[key] = applied({} if replace else dict(old or {}), without_directive(value))
        else:
            result[key] = value
    return result


def merged(old: list[Manifest], patches: list[Manifest], key: str) -> list[Manifest]:
    """Elements in their old order, new ones at the end."""
    by_name = {item[key]: item for item in old}
    for patch in patches:
        name, directive = patch[key], patch.get(DIRECTIVE)
        if directive == "delete":
            by_name.pop(name, None)
        else:
            by_name[name] = applied({} if directive else by_name.get(name, {}), without_directive(patch))
    return list(by_name.values())


def without_directive(patch: Mapping[str, Any]) -> Manifest:
    return {key: value for key, value in patch.items() if key != DIRECTIVE}
