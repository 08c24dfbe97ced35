# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the API server which rights we lack, before anything depends on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .client import Kube


@dataclass(frozen=True, order=True)
class Right:
    """To do `verb` with a resource ("pods", "pods/log"); a namespace of "" means all of the cluster."""

    verb: str
    group: str
    resource: str
    namespace: str = ""

    def __str__(self) -> str:
        resource, _slash, part = self.resource.partition("/")
        called = f"{resource}.{self.group}" if self.group else resource
        called = f"{called}/{part}" if part else called
        place = f"in namespace {self.namespace}" if self.namespace else "in the cluster"
        return f"{self.verb} {called} {place}"


def missing_rights(kube: Kube, rights: Iterable[Right]) -> list[Right]:
    """Those of `rights` that the user of `kube` does not have, in their order."""
    asked = list(rights)
    allowed = kube.each(lambda right: _is_allowed(kube, right), asked)
    return [right for right, granted in zip(asked, allowed, strict=True) if not granted]


def _is_allowed(kube: Kube, right: Right) -> bool:
    resource, _slash, part = right.resource.partition("/")
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": part,
        "namespace": right.namespace,
    }
    review = kube.create(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
    )
    return bool((review.get("status") or {}).get("allowed"))
