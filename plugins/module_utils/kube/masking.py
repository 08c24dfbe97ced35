# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep secrets out of what people and logs see: diffs, messages, results."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from .objects import Manifest

HIDDEN = "********"
CHANGED = "******** (changed)"

_SECRET_NAME = re.compile(
    r"PASSW|SECRET|AUTHORIZATION|TOKEN|CREDENTIAL|FERNET|(API|PRIVATE|ACCESS)[_-]?KEY|CONN($|_)", re.IGNORECASE
)
_USER_IN_URL = re.compile(r"(://)[^/@\s:]*:[^/@\s]+@")
_SHORTEST_SCRUBBED = 4
_SERVER_FIELDS = ("managedFields", "uid", "resourceVersion", "creationTimestamp", "generation", "selfLink")
_COPIES_OF_THE_MANIFEST = ("kubectl.kubernetes.io/last-applied-configuration",)


def cleaned(manifest: Manifest) -> Manifest:
    """Without what the server keeps for itself: status, managedFields, versions, times."""
    metadata = {key: value for key, value in manifest.get("metadata", {}).items() if key not in _SERVER_FIELDS}
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": metadata}


def masked(before: Manifest | None, after: Manifest | None) -> tuple[Manifest | None, Manifest | None]:
    """Both sides of a change fit to be shown: secrets hidden, yet still seen as changed where they differ."""
    old = _masked(cleaned(before), None) if before is not None else None
    new = _masked(cleaned(after), before) if after is not None else None
    return old, new


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """`text` without the given values; the longest first, as one may be part of another."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SCRUBBED:
            text = text.replace(secret, HIDDEN)
    return _USER_IN_URL.sub(rf"\1{HIDDEN}@", text)


def secret_values(manifest: Manifest) -> Iterator[str]:
    """Every value in `manifest` that must not be shown, in each form in which a server may repeat it."""
    if manifest.get("kind") == "Secret":
        for value in (*(manifest.get("data") or {}).values(), *(manifest.get("stringData") or {}).values()):
            yield str(value)
            try:
                yield base64.b64decode(str(value), validate=True).decode()
            except ValueError:
                continue
    for item in _dicts(manifest):
        if _names_secret(item):
            yield str(item["value"])


def encoded(manifest: Manifest) -> Manifest:
    """A Secret with its stringData moved to data, as the server stores it; anything else as it is.

    Server-side apply owns the fields it was sent; stringData is never stored, so a key left out later would stay.
    """
    if manifest.get("kind") != "Secret" or "stringData" not in manifest:
        return manifest
    texts = manifest["stringData"] or {}
    data = {key: base64.b64encode(str(value).encode()).decode() for key, value in texts.items()}
    rest = {key: value for key, value in manifest.items() if key != "stringData"}
    return {**rest, "data": {**(manifest.get("data") or {}), **data}}


def _masked(manifest: Manifest, before: Manifest | None) -> Manifest:
    shown: Manifest = _walk(manifest, before)
    annotations = shown["metadata"].get("annotations")
    if annotations:
        shown["metadata"]["annotations"] = {k: v for k, v in annotations.items() if k not in _COPIES_OF_THE_MANIFEST}
    if manifest.get("binaryData"):
        shown["binaryData"] = {key: _summed_up(value) for key, value in manifest["binaryData"].items()}
    if manifest.get("kind") == "Secret":
        for part in ("data", "stringData"):
            if manifest.get(part):
                old = (before or {}).get(part) or {}
                shown[part] = {key: _mask(value, old.get(key), before) for key, value in manifest[part].items()}
    return shown


def _summed_up(value: str) -> str:
    """What nobody can read, as what tells whether it has changed."""
    return f"{len(value)} characters in base64, sha256 {hashlib.sha256(value.encode()).hexdigest()[:16]}"


def _walk(value: Any, before: Any) -> Any:
    if isinstance(value, dict):
        old = before if isinstance(before, dict) else {}
        shown = {key: _walk(item, old.get(key)) for key, item in value.items()}
        if _names_secret(value):
            shown["value"] = _mask(value["value"], old.get("value"), before)
        return shown
    if isinstance(value, list):
        return [_walk(item, _counterpart(item, position, before)) for position, item in enumerate(value)]
    return _USER_IN_URL.sub(rf"\1{HIDDEN}@", value) if isinstance(value, str) else value


def _counterpart(item: Any, position: int, before: Any) -> Any:
    """The element of the list `before` that `item` replaces: the one with its name, else the one in its place."""
    if not isinstance(before, list):
        return None
    if isinstance(item, dict) and "name" in item:
        return next((old for old in before if isinstance(old, dict) and old.get("name") == item["name"]), None)
    return before[position] if position < len(before) else None


def _mask(value: Any, old: Any, before: Any) -> str:
    return CHANGED if before is not None and value != old else HIDDEN


def _names_secret(item: dict[str, Any]) -> bool:
    """Whether `item` is an environment variable with a value and a name that looks secret."""
    return "name" in item and bool(item.get("value")) and bool(_SECRET_NAME.search(str(item["name"])))


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _dicts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _dicts(item)
