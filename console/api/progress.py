# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations, what changes now and has lately, and the activity, who changed what and when by whichever door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from . import inventory, models
from .common import ERRORS, LOOKED_UP, PREFIX, Looking, Page, Size, View, page_of

router = APIRouter(prefix=PREFIX)

UNKNOWN: dict[int | str, dict[str, Any]] = {key: ERRORS[key] for key in (400, 401)}


@router.get("/operations", response_model=models.Operations, responses=UNKNOWN, tags=["Operations"])
def list_operations(look: Looking, page: Page = 0, size: Size = 20) -> dict[str, Any]:
    """Those of this console, the newest first."""
    return page_of([asdict(item) for item in look.running.all()], page, size)


@router.get(
    "/operations/{operation_id}",
    response_model=models.Operation,
    responses={key: ERRORS[key] for key in (401, 404)},
    tags=["Operations"],
)
def show_operation(look: Looking, operation_id: Annotated[str, Path()]) -> dict[str, Any]:
    """How far it is, and how it ended."""
    return asdict(look.running.get(operation_id))


@router.get("/activity", response_model=models.Activity, responses=LOOKED_UP, tags=["Activity"])
def list_activity(
    look: Looking,
    page: Page = 0,
    size: Size = 50,
    target: Annotated[str | None, Query(description="Such as 'service etl'.")] = None,
    door: Annotated[str | None, Query(description="console, api or playbook.")] = None,
    name: Annotated[str | None, Query(description="Who.")] = None,
) -> dict[str, Any]:
    """Who changed what, the newest first; options and objects are named, what they hold is not told."""
    return page_of(fitting(entries(look), {"target": target, "door": door, "name": name}), page, size)


def entries(look: View) -> list[dict[str, Any]]:
    """The newest first."""
    return [asdict(entry) for entry in inventory.history(look.kube, look.settings).entries]


def fitting(items: Sequence[dict[str, Any]], asked: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """:param asked: what is None may be anything."""
    wanted = {key: value for key, value in asked.items() if value is not None}
    return [item for item in items if all(item[key] == value for key, value in wanted.items())]
