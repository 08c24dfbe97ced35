# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who changed what and when, by whichever door; the newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ..api import progress
from ..api.common import Looking, page_of
from .page import page

router = APIRouter(include_in_schema=False)
SIZE = 50
# Those that have words of their own in each language; whatever a later release does is told as it calls it.
VERBS = ("create", "change", "upgrade", "start", "stop", "restart", "remove", "publish", "revoke")
DOORS = ("console", "api", "playbook")
FILTERS = ("target", "door", "name")


@router.get("/activity")
def activity(
    request: Request,
    look: Looking,
    number: Annotated[int, Query(alias="page", ge=0)] = 0,
    target: str = "",
    door: str = "",
    name: str = "",
) -> Response:
    """:param number: of the page, from 0. What is beyond the last one is the last one."""
    entries = progress.entries(look)
    asked = {"target": target, "door": door, "name": name}
    found = progress.fitting(entries, {key: value or None for key, value in asked.items()})
    number = min(number, max(0, len(found) - 1) // SIZE)
    return page(
        request,
        "activity.html",
        entries=page_of(found, number, SIZE)["contents"],
        total=len(found),
        first=number * SIZE,
        number=number,
        is_last=(number + 1) * SIZE >= len(found),
        # What was asked for stays a choice, also when nothing fits.
        choices={key: sorted({item[key] for item in entries} | {asked[key]} - {""}) for key in FILTERS},
        asked={key: value for key, value in asked.items() if value},
        verbs=VERBS,
        doors=DOORS,
    )
