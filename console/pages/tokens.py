# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API tokens, for operators: those that there are, a new one that is shown once, and an end to each of them."""

from __future__ import annotations

from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, Refused
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ..api.tokens import Keeper, Keeping
from ..cluster import settings
from ..errors import status_of
from ..tokens import LONGEST_NAME, ROLES
from .page import page

router = APIRouter(include_in_schema=False)


@router.get("/tokens")
def tokens(request: Request, keeper: Keeper) -> Response:
    return shown(request, keeper)


@router.post("/tokens")
def create(
    request: Request, keeper: Keeper, name: Annotated[str, Form()] = "", role: Annotated[str, Form()] = ROLES[0]
) -> Response:
    """Its text is in this answer only, so the browser is not sent elsewhere."""
    try:
        made, text = keeper.create(name, role)
    except (BadOption, Refused) as error:
        return shown(request, keeper, status_of(error), tried={"name": name, "role": role}, refused=error)
    return shown(request, keeper, made=made, text=text)


@router.post("/tokens/{token_id}/revoke")
def revoke(request: Request, keeper: Keeper, token_id: str) -> Response:
    keeper.revoke(token_id)
    return RedirectResponse(f"{settings(request).root_path}/tokens", status_code=303)


def shown(request: Request, keeper: Keeping, status: int = 200, **values: Any) -> Response:
    """:param values: a token that was made and its text, or what was tried and why it was refused."""
    nothing = {"made": None, "text": "", "tried": {"name": "", "role": ROLES[0]}, "refused": None}
    common = {"tokens": keeper.all(), "roles": ROLES, "longest": LONGEST_NAME}
    return page(request, "tokens.html", status, **{**nothing, **common, **values})
