# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all resources of the API share: who asks, how a change begins, pages of lists, and how any may refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from ansible_collections.scp.dataops.plugins.module_utils.common import activity, outcome
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from fastapi import Depends, Query, Request, Response

from .. import cluster
from ..operations import Operations, Work, result_of
from ..security import Identity, operator, viewer
from ..settings import Settings
from . import models

PREFIX = "/api/v1"
DOORS = {"console": activity.CONSOLE, "api": activity.API, "module": activity.PLAYBOOK}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": models.Error, "description": "A key or its value is wrong; it is named, with what is allowed."},
    401: {"model": models.Error, "description": "Nobody is signed in."},
    403: {"model": models.Error, "description": "A viewer may not change anything."},
    404: {"model": models.Error, "description": "There is no such thing."},
    409: {"model": models.Error, "description": "The cluster, as it is, cannot take it; nothing was written."},
    502: {"model": models.Error, "description": "The cluster or an Airflow does not do its part."},
}
LOOKED_UP: dict[int | str, dict[str, Any]] = {key: ERRORS[key] for key in (400, 401, 404, 409, 502)}

Item = TypeVar("Item")


def operations(request: Request) -> Operations:
    found: Operations = request.app.state.operations
    return found


Reader = Annotated[Kube, Depends(cluster.reader)]
Here = Annotated[Settings, Depends(cluster.settings)]
Running = Annotated[Operations, Depends(operations)]
Viewer = Annotated[Identity, Depends(viewer)]
Operator = Annotated[Identity, Depends(operator)]
Page = Annotated[int, Query(ge=0, le=1_000_000, description="The first page is 0.")]
Size = Annotated[int, Query(ge=1, le=1000, description="How many make a page.")]
Force = Annotated[bool, Query(description="Take over fields that others set in the cluster.")]


@dataclass(frozen=True)
class View:
    """What a look needs: the cluster to read from, where the Manager is, and what runs now."""

    kube: Kube
    settings: Settings
    running: Operations


def view(kube: Reader, settings: Here, running: Running, who: Viewer) -> View:
    return View(kube, settings, running)


@dataclass(frozen=True)
class Change(View):
    """What a change needs besides: who makes it, and whether it is only to be told."""

    by: By
    dry_run: bool
    request: Request
    response: Response

    def begun(self, verb: str, target: str, work: Work) -> dict[str, Any]:
        """It goes on in a thread, and has an address at which it tells how far it is."""
        operation = self.running.start(verb, target, self.by, work)
        root = self.request.scope.get("root_path", "")
        self.response.status_code = 202
        self.response.headers["Location"] = f"{root}{PREFIX}/operations/{operation.operation_id}"
        return {"operation_id": operation.operation_id}

    def told(self, planned: Outcome) -> dict[str, Any]:
        """It was only to be told."""
        self.response.status_code = 200
        return {**result_of(planned), "diff": outcome.diff(planned.changes)}


def change(
    request: Request,
    response: Response,
    kube: Reader,
    settings: Here,
    running: Running,
    who: Operator,
    dry_run: Annotated[bool, Query(description="Only tell what would be done, with 200; write nothing.")] = False,
) -> Change:
    return Change(kube, settings, running, By(DOORS[who.door], who.name), dry_run, request, response)


Looking = Annotated[View, Depends(view)]
Changing = Annotated[Change, Depends(change)]


def page_of(items: Sequence[Item], page: int, size: int) -> dict[str, Any]:
    return {"contents": list(items[page * size : (page + 1) * size]), "total_count": len(items)}


def ordered(items: Sequence[Mapping[str, Any]], sort: str, known: Sequence[str]) -> list[Mapping[str, Any]]:
    """By ``FIELD:asc`` or ``FIELD:desc``.

    :raises BadOption: it is neither.
    """
    key, colon, direction = sort.partition(":")
    if key not in known or direction not in ("asc", "desc", *(() if colon else ("",))):
        raise BadOption(
            "it is not an order",
            where="sort",
            next_step=f"Write FIELD:asc or FIELD:desc, with one of {', '.join(known)}",
        )
    return sorted(items, key=lambda item: str(item[key] or ""), reverse=direction == "desc")
