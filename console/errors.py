# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every refusal in one form: JSON for programs, a page for browsers. Nothing unforeseen is shown, only its number."""

from __future__ import annotations

import html
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from ansible_collections.scp.dataops.plugins.module_utils.errors import (
    ApiError,
    BadOption,
    Conflict,
    DataOpsError,
    Forbidden,
    NotFound,
    Refused,
)
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from .pages.page import page

log = logging.getLogger("uvicorn.error")

# The first that fits holds. What the cluster or an Airflow behind us answers is not the client's doing.
STATUS: Sequence[tuple[type[DataOpsError], int]] = (
    (BadOption, 400),
    (Refused, 409),
    (Conflict, 409),
    (NotFound, 404),
    (Forbidden, 502),
    (ApiError, 502),
    (DataOpsError, 502),
)
# Where FastAPI says that something came from; the key of a body is enough to find it.
PLACES = ("body", "query", "path", "header", "cookie")

# Keys of texts, above what a page says in the words of the engine.
HEADINGS = {403: "problem_403", 404: "problem_404"}
# What a validation calls by its own words.
WORDS = {"extra_forbidden": "there is no such key", "missing": "it is needed", "json_invalid": "the body is no JSON"}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a client reads: what is wrong, at which key or object, and what to do next."""

    status: int
    what: str
    where: str = ""
    next_step: str = ""

    @property
    def body(self) -> dict[str, Any]:
        return {"error": {"where": self.where, "what": self.what, "next_step": self.next_step}}


class SignInNeeded(Exception):
    """Nobody is signed in, or with what nobody knows."""


class NotAllowed(Exception):
    """Somebody is signed in who may not do this."""

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step


def status_of(error: DataOpsError) -> int:
    return next((status for kind, status in STATUS if isinstance(error, kind)), 502)


def of_engine(error: DataOpsError) -> Problem:
    return Problem(status=status_of(error), what=error.what, where=error.where, next_step=error.next_step)


def of_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """The first key that is wrong, with what is allowed. The value itself is not repeated: it may be a secret."""
    first = errors[0] if errors else {}
    # Of a body that is no JSON the place is a number of characters, and no key.
    parts = [str(part) for part in first.get("loc", ())] if first.get("type") != "json_invalid" else []
    where = ".".join(parts[1:] if parts[:1] and parts[0] in PLACES else parts)
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    what = WORDS.get(str(first.get("type")), first.get("msg", "it cannot be read"))
    return Problem(status=400, what=f"{what}{more}", where=where)


def wants_page(request: Request) -> bool:
    path = request.url.path.removeprefix(str(request.scope.get("root_path", "")))
    return not path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def answer(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    if not wants_page(request):
        return JSONResponse(problem.body, status_code=problem.status, headers=headers)
    heading = HEADINGS.get(problem.status, "problem")
    shown = page(request, "problem.html", problem.status, problem=problem, heading=heading)
    shown.headers.update(headers or {})
    return shown


def plain(problem: Problem) -> str:
    """A page that is made of nothing that can be missing or broken itself."""
    title = f"{problem.status} {HTTPStatus(problem.status).phrase}"
    text = "".join(f"<p>{html.escape(line)}</p>" for line in (problem.what, problem.next_step))
    return f'<!doctype html><html lang="en"><title>{title}</title><main><h1>{title}</h1>{text}</main></html>'


def sign_in(request: Request) -> str:
    """Where to sign in, to come back to this page."""
    root = str(request.scope.get("root_path", ""))
    here = request.url.path.removeprefix(root) or "/"
    return f"{root}/sign-in" + (f"?{urlencode({'back': here})}" if here != "/" and request.method == "GET" else "")


def install(app: FastAPI) -> None:
    """Make every error of the application one of these answers."""

    @app.exception_handler(DataOpsError)
    async def engine(request: Request, error: DataOpsError) -> Response:
        return answer(request, of_engine(error))

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> Response:
        return answer(request, of_validation(error.errors()))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return answer(request, Problem(status=error.status_code, what=str(error.detail)), error.headers)

    @app.exception_handler(SignInNeeded)
    async def stranger(request: Request, error: SignInNeeded) -> Response:
        if request.headers.get("hx-request"):
            # The page that asked goes there as a whole.
            return Response(status_code=401, headers={"HX-Redirect": f"{request.scope.get('root_path', '')}/sign-in"})
        if wants_page(request):
            return RedirectResponse(sign_in(request), status_code=303)
        problem = Problem(status=401, what="sign in first", next_step="Send an API token as Authorization: Bearer")
        return answer(request, problem, {"WWW-Authenticate": "Bearer"})

    @app.exception_handler(NotAllowed)
    async def not_allowed(request: Request, error: NotAllowed) -> Response:
        return answer(request, Problem(status=403, what=error.what, next_step=error.next_step))

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        incident = uuid.uuid4().hex[:8]
        log.error("incident %s: %s %s", incident, request.method, request.url.path, exc_info=error)
        what = f"this is a bug in scp.dataops (incident {incident})"
        problem = Problem(status=500, what=what, next_step="Its details are in the console's log")
        return HTMLResponse(plain(problem), 500) if wants_page(request) else answer(request, problem)
