# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster has besides us, read once per run, several kinds at a time, and only what a check asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import Forbidden
from ..kube.client import Kube
from ..kube.objects import Manifest

# Pods that have ended hold nothing any more; a cluster may be full of them.
HOLDING = "status.phase!=Succeeded,status.phase!=Failed"
IN_NAMESPACE = frozenset({"ResourceQuota", "LimitRange"})


class Cluster:
    """The cluster around a namespace; of its nodes only those with the labels of ``node_selector``."""

    def __init__(self, kube: Kube, namespace: str, node_selector: Mapping[str, str] | None = None) -> None:
        self.kube = kube
        self.namespace = namespace
        self.node_selector = dict(node_selector or {})
        self._known: dict[str, list[Manifest] | Forbidden] = {}

    def read(self, kinds: Iterable[str]) -> None:
        """Read these kinds at once; what may not be read is refused only to who asks for it."""
        todo = [kind for kind in dict.fromkeys(kinds) if kind not in self._known]
        self._known.update(zip(todo, self.kube.each(self._look, todo), strict=True))

    def all(self, kind: str) -> list[Manifest]:
        """:raises Forbidden: when the user may not list this kind."""
        self.read([kind])
        found = self._known[kind]
        if isinstance(found, Forbidden):
            raise found
        return found

    def _look(self, kind: str) -> list[Manifest] | Forbidden:
        selector = ",".join(f"{key}={value}" for key, value in self.node_selector.items())
        try:
            return self.kube.list(
                kind,
                self.namespace if kind in IN_NAMESPACE else None,
                labels=selector if kind == "Node" else "",
                fields=HOLDING if kind == "Pod" else "",
            )
        except Forbidden as error:
            return error
