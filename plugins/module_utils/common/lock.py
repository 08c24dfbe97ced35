# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a Manager or a Service: taken before the first write, kept until the last one, gone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ..kube.client import Kube
from ..kube.lease import Lease, held
from ..kube.objects import Manifest, Ref
from .labels import SERVICE, labels


def alone(
    kube: Kube, kind: str, instance: str, manager: str, namespace: str, *, name: str, say: Callable[[str], None]
) -> AbstractContextManager[Lease]:
    """Nobody else changes this Manager or Service meanwhile.

    What was read before may be outdated by now: look again inside.

    :param kind: :data:`~..labels.SERVICE` or :data:`~..labels.MANAGER`.
    :raises Refused: somebody does; it says who, and since when.
    """
    about = f"{'service' if kind == SERVICE else 'Manager'} {instance}"
    return held(kube, Ref("Lease", name, namespace), labels(kind, instance, manager, "lock"), about=about, say=say)


def picture(live: Mapping[Ref, Manifest]) -> dict[Ref, tuple[Any, ...]]:
    """What tells whether anything was changed since; that something became ready is no change."""

    def version(item: Manifest) -> tuple[Any, ...]:
        metadata = item["metadata"]
        counted = metadata.get("generation") if "status" in item else None
        return metadata.get("uid"), counted or metadata.get("resourceVersion")

    return {ref: version(item) for ref, item in live.items()}
