# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell, without asking the server, that applying a manifest would certainly change nothing.

Certain means: every field wanted is live with that value and is owned by us, and every field we own is still wanted.
The first half alone misses fields that were taken out of a manifest; the second alone misses fields that others
changed. What we own is read from metadata.managedFields, where a subtree `{}` is a value owned as a whole.
Whatever is not plain to see (reordered lists, unknown defaults inside values owned as a whole) counts as not certain:
then a dry run asks the server.
"""

from __future__ import annotations

import json
from typing import Any

from .objects import Manifest
from .quantities import same_quantity

# (name, name of the map around it) of what the server rewrites: "1000m" becomes "1". Elsewhere, as in the data of a
# ConfigMap, two spellings are two values.
_AMOUNTS = (
    ("requests", "resources"),
    ("limits", "resources"),
    ("sizeLimit", "emptyDir"),
    ("divisor", "resourceFieldRef"),
    ("hard", "spec"),
    ("capacity", "spec"),
)
# (name of the map around it, name): what the server fills in where a value is owned as a whole. Left out or live with
# this value is the same.
_FILLED_IN: dict[tuple[str, str], Any] = {
    ("fieldRef", "apiVersion"): "v1",
    ("ports", "protocol"): "TCP",
    ("resourceFieldRef", "divisor"): "0",
    ("serviceAccountToken", "expirationSeconds"): 3600,
    ("spec", "volumeMode"): "Filesystem",
    ("volumeClaimTemplates", "apiVersion"): "v1",
    ("volumeClaimTemplates", "kind"): "PersistentVolumeClaim",
    ("volumeClaimTemplates", "status"): {"phase": "Pending"},
}
_NAMING = ("apiVersion", "kind")
_NAMING_IN_METADATA = ("name", "namespace")


def certainly_same(desired: Manifest, live: Manifest, manager: str) -> bool:
    """Whether applying `desired` as `manager` over `live` certainly changes nothing. `desired` has no None."""
    if any(desired.get(key) != live.get(key) for key in _NAMING):
        return False
    owned = _owned(live, manager, desired["apiVersion"])
    if owned is None:
        return False
    body = {key: value for key, value in desired.items() if key not in _NAMING}
    body["metadata"] = {k: v for k, v in desired["metadata"].items() if k not in _NAMING_IN_METADATA}
    if not body["metadata"]:
        del body["metadata"]
    return _same_map(body, live, owned)


def _owned(live: Manifest, manager: str, api_version: str) -> dict[str, Any] | None:
    entries = [
        entry
        for entry in live["metadata"].get("managedFields") or []
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")
    ]
    if len(entries) != 1 or entries[0].get("apiVersion") != api_version:
        return None
    fields: dict[str, Any] = entries[0].get("fieldsV1") or {}
    return fields


def _same(desired: Any, live: Any, owned: dict[str, Any], name: str, amounts: bool) -> bool:
    if _is_whole(owned):
        return _same_whole(desired, live, name, amounts)
    if isinstance(desired, dict) and isinstance(live, dict):
        return _same_map(desired, live, owned, name, amounts)
    if isinstance(desired, list) and isinstance(live, list):
        return _same_list(desired, live, owned)
    return False


def _same_map(
    desired: dict[str, Any], live: dict[str, Any], owned: dict[str, Any], name: str = "", amounts: bool = False
) -> bool:
    fields = {key.removeprefix("f:"): subtree for key, subtree in owned.items() if key.startswith("f:")}
    if fields.keys() != desired.keys():
        return False
    for key, value in desired.items():
        if key not in live:
            # The server does not store zero values; that we still own the field shows that it was applied.
            if value or not _is_whole(fields[key]):
                return False
        elif not _same(value, live[key], fields[key], key, amounts or (key, name) in _AMOUNTS):
            return False
    return True


def _same_list(desired: list[Any], live: list[Any], owned: dict[str, Any]) -> bool:
    """Lists whose elements have owners: maps known by some of their keys, or plain values."""
    elements = {key: subtree for key, subtree in owned.items() if key != "."}
    if not len(desired) == len(live) == len(elements):
        return False
    return all(
        any(_is_element(key, there) and _same_element(here, there, subtree) for key, subtree in elements.items())
        for here, there in zip(desired, live, strict=True)
    )


def _same_element(desired: Any, live: Any, owned: dict[str, Any]) -> bool:
    if isinstance(desired, dict) and isinstance(live, dict):
        return _same_map(desired, live, owned)
    return _same_whole(desired, live)


def _is_element(key: str, live: Any) -> bool:
    """Whether the managedFields key `k:{...}` (some fields) or `v:...` (the value) stands for the live element."""
    form, _colon, text = key.partition(":")
    if form == "v":
        return _same_whole(json.loads(text), live)
    if form == "k" and isinstance(live, dict):
        return all(name in live and _same_whole(value, live[name]) for name, value in json.loads(text).items())
    return False


def _is_whole(owned: dict[str, Any]) -> bool:
    return not any(key != "." for key in owned)


def _same_whole(desired: Any, live: Any, name: str = "", amounts: bool = False) -> bool:
    if isinstance(desired, dict) and isinstance(live, dict):
        return desired.keys() <= live.keys() and all(
            _same_whole(desired[key], value, key, amounts or (key, name) in _AMOUNTS)
            if key in desired
            else _FILLED_IN.get((name, key)) == value
            for key, value in live.items()
        )
    if isinstance(desired, list) and isinstance(live, list):
        return len(desired) == len(live) and all(
            _same_whole(here, there, name) for here, there in zip(desired, live, strict=True)
        )
    if isinstance(desired, bool) or isinstance(live, bool):
        return desired is live
    return bool(desired == live) or (amounts and same_quantity(desired, live))
