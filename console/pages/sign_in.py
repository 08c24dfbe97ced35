# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign in with the Manager's account, and out again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from .. import sessions, texts
from ..cluster import settings
from ..security import Identity, address_of, same, same_site, viewer
from ..throttle import Throttle
from .page import inside, language_of, page

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
def form(request: Request, back: str = "/") -> Response:
    return page(request, "sign_in.html", back=inside(back), problem="", tried="")


@router.post("/sign-in")
def sign_in(
    request: Request,
    account: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "/",
) -> Response:
    same_site(request)
    own, back = settings(request), inside(back)
    by_address, by_account = throttles(request)
    say = texts.translator(language_of(request))
    address = address_of(request)
    if wait := max(by_address.wait(address), by_account.wait(account)):
        problem = say("too_many", seconds=round(wait) + 1)
        refused = page(request, "sign_in.html", 429, back=back, problem=problem, tried=account)
        refused.headers["Retry-After"] = str(round(wait) + 1)
        return refused
    known = own.account
    # Both are compared in any case, so that time tells nothing.
    if not all([same(account, known.id), same(password, known.password)]):
        by_address.failed(address)
        by_account.failed(account)
        return page(request, "sign_in.html", 401, back=back, problem=say("wrong"), tried=account)
    answer = RedirectResponse(own.root_path + back, status_code=303)
    sessions.begin(answer, own, known.id)
    return answer


def throttles(request: Request) -> tuple[Throttle, Throttle]:
    found: tuple[Throttle, Throttle] = request.app.state.throttles
    return found


@router.post("/sign-out")
def sign_out(request: Request, who: Annotated[Identity, Depends(viewer)]) -> Response:
    own = settings(request)
    answer = RedirectResponse(f"{own.root_path}/sign-in", status_code=303)
    sessions.end(answer, own)
    return answer
