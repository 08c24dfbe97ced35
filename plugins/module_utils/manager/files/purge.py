# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was uploaded for one service goes when that service is purged, and with nothing less.

The store is asked before anything is deleted, so a console that does not answer stands in the way while all is still
there. The files go last, when nobody uses them any more; a run that ends before is finished by the next one, which
finds them in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ...airflow.plan import Request
from ...airflow.removal import Found
from ...common import lock, owner, rights
from ...common.labels import MANAGER
from ...errors import DataOpsError, NotReady
from ...kube.client import Kube
from ...kube.lease import Lease
from ...kube.objects import Ref
from ...kube.plan import Change
from .. import names
from .model import Key
from .remote import NoConsole, needed_rights


class Store(Protocol):
    """What a purge needs of a store: the one on the volume, or the one behind the console."""

    def of_service(self, service: str) -> Sequence[Key]: ...

    def forget(self, service: str) -> None: ...


@dataclass(frozen=True)
class Uploaded:
    """Files of the service that ``request`` is about, as :class:`~...airflow.removal.Belongings`."""

    kube: Kube
    store: Store
    request: Request

    def look(self) -> Found:
        """
        :raises NotReady: the console does not answer, so nobody knows what there is.
        """
        name, place = self.request.name, self.request.namespace
        with rights.explained(self.kube, place, needed_rights(place)):
            if owner.find(self.kube, place, self.request.manager) is None:
                return self._out_of_reach()
            try:
                keys = self.store.of_service(name)
            except NoConsole:
                return self._out_of_reach()
            except NotReady as error:
                raise NotReady(
                    f"{error.what}, so files that were uploaded for service {name} cannot be removed. "
                    "Nothing was changed",
                    where=error.where,
                    next_step=f"Look at Deployment {names.CONSOLE}, then run this again; a removal without purge does "
                    "not need it",
                ) from error
        return Found(tuple(deletion(key, place) for key in keys))

    def alone(self, say: Callable[[str], None]) -> AbstractContextManager[Lease]:
        """Nobody uploads or publishes meanwhile."""
        manager, place = self.request.manager, self.request.namespace
        return lock.alone(self.kube, MANAGER, manager, manager, place, name=names.LOCK, say=say)

    def remove(self) -> None:
        """
        :raises NotReady: the service is gone, and some of its files are not.
        """
        name, place = self.request.name, self.request.namespace
        published = self.kube.get("ConfigMap", owner.PUBLISHED, place)
        if name in ((published or {}).get("data") or {}):
            self.kube.patch("ConfigMap", owner.PUBLISHED, place, {"data": {name: None}})
        try:
            self.store.forget(name)
        except DataOpsError as error:
            raise NotReady(
                f"{error.what} (service {name} is removed, the files that were uploaded for it are not)",
                where=error.where,
                next_step=f"Look at Deployment {names.CONSOLE}, which scp.dataops.dataops_manager brings up to date. "
                "Then run this again: it removes what is left",
            ) from error

    def _out_of_reach(self) -> Found:
        """Without a console nothing can be removed from the volume, if there is one."""
        place = self.request.namespace
        if not any(item["metadata"]["name"] == owner.FILES for item in self.kube.list("PersistentVolumeClaim", place)):
            return Found()
        manager, name = self.request.manager, self.request.name
        files = f"files that were uploaded for service {name}, if any, stay on volume {owner.FILES}"
        return Found(warnings=(f"Manager {manager} has no console: {files}.",))


def deletion(key: Key, namespace: str) -> Change:
    shown = {"kind": "Upload", "metadata": {"name": f"{key.kind}/{key.name}", "namespace": namespace}}
    return Change("delete", Ref("Upload", f"{key.kind}/{key.name}", namespace), before={**shown, "of": str(key)})
