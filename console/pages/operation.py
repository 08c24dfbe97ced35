# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An operation while it runs and after it: its progress, and how it ended."""

from __future__ import annotations

from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import Key
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from ..api.common import Looking
from ..operations import DONE, RUNNING, Operation
from ..texts import TEXTS
from .files import address
from .page import page

router = APIRouter(include_in_schema=False)

Id = Annotated[str, Path()]
MARKS = {RUNNING: "warn", DONE: "good"}
# Where a target has a page, and the text that leads there, by the first of its words.
PLACES = {"service": ("/services/{}", "to_the_service"), "Manager": ("/settings", "to_the_settings")}


@router.get("/operations")
def all_of_them(request: Request, look: Looking) -> Response:
    return page(request, "operations.html", operations=look.running.all(), mark_of=mark_of, verb_of=verb_of)


@router.get("/operations/{operation_id}")
def one(request: Request, look: Looking, operation_id: Id) -> Response:
    return page(request, "operation.html", **shown(look.running.get(operation_id), 0))


@router.get("/operations/{operation_id}/live")
def live(request: Request, look: Looking, operation_id: Id, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """The lines that came after so many, and its end when there is one: what is new is read out, and nothing else."""
    return page(request, "operation_live.html", **shown(look.running.get(operation_id), after))


def shown(operation: Operation, after: int) -> dict[str, Any]:
    return {
        "operation": operation,
        "mark": mark_of(operation),
        "verb": verb_of(operation),
        "lines": operation.progress[after:],
        "seen": len(operation.progress),
        "place": place_of(operation),
    }


def verb_of(operation: Operation) -> str:
    """The key of its text; one that has none is told as it is."""
    return key if (key := f"verb_{operation.verb}") in TEXTS else ""


def mark_of(operation: Operation) -> str:
    return MARKS.get(operation.state, "bad")


def place_of(operation: Operation) -> tuple[str, str] | None:
    """The page of what it changes, and the key of the text that leads there; None when there is none."""
    if key := Key.called(operation.target):
        # One that was refused may never have become an upload.
        return address(key) if operation.state == DONE else f"/files/{key.kind}", "to_the_files"
    kind, _space, name = operation.target.partition(" ")
    if kind == "service" and (operation.verb, operation.state) == ("remove", DONE):
        return "/", "to_the_dashboard"
    if kind not in PLACES:
        return None
    path, text = PLACES[kind]
    return path.format(name), text
