# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests and the names of objects: small pure helpers that every other part uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]


@dataclass(frozen=True, order=True)
class Ref:
    """Which object: kind, name and (unless it is cluster-wide) namespace."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def ref_of(manifest: Manifest) -> Ref:
    """Name of the object that `manifest` describes."""
    metadata = manifest["metadata"]
    return Ref(manifest["kind"], metadata["name"], metadata.get("namespace") or "")


def index(manifests: Iterable[Manifest]) -> dict[Ref, Manifest]:
    """Manifests by their Ref."""
    return {ref_of(manifest): manifest for manifest in manifests}


def without_none(value: Any) -> Any:
    """A copy of `value` without anything that is None; how a manifest drops its optional parts."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [without_none(item) for item in value if item is not None]
    return value
