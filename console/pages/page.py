# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a page is made: templates, static files, and what every page shows."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from .. import sessions, texts
from ..cluster import settings

PACKAGE = __package__.rpartition(".")[0]
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
LANGUAGE = "dataops-language"
# What the head of every page leads to: where, and the key of its text.
NAVIGATION = (
    ("/", "dashboard"),
    ("/files", "files"),
    ("/settings", "settings"),
    ("/activity", "activity"),
    ("/tokens", "tokens"),
)
YEAR = 365 * 24 * 3600

router = APIRouter(include_in_schema=False)
templates = Environment(
    loader=PackageLoader(PACKAGE, "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
static = {
    item.name: item.read_bytes() for item in (files(PACKAGE) / "static").iterdir() if item.name.endswith(tuple(TYPES))
}
# In the address of each file, so that browsers may keep it for ever.
versions = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in static.items()}


def language_of(request: Request) -> str:
    return texts.chosen(request.cookies.get(LANGUAGE, ""), request.headers.get("accept-language", ""))


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    own = settings(request)
    language = language_of(request)
    session = sessions.read(request, own)
    shown = templates.get_template(template).render(
        root=own.root_path,
        manager=own.manager,
        language=language,
        languages=texts.LANGUAGES,
        t=texts.translator(language),
        user=session.user if session else "",
        csrf=session.csrf if session else "",
        asset=lambda name: f"{own.root_path}/static/{versions[name]}/{name}",
        here=local_path(request),
        navigation=NAVIGATION,
        moment=moment,
        **values,
    )
    return HTMLResponse(shown, status_code=status)


def moment(written: str) -> str:
    """A time as people read it, out of ``2026-01-02T03:04:05Z``."""
    return f"{written[:10]} {written[11:19]} UTC"


def local_path(request: Request) -> str:
    return request.url.path.removeprefix(settings(request).root_path) or "/"


def inside(path: str) -> str:
    """A path of our own; whatever would lead elsewhere is the first page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


@router.get("/static/{version}/{name}")
def asset(version: str, name: str) -> Response:
    if versions.get(name) != version:
        raise HTTPException(404)
    kind = TYPES[f".{name.rpartition('.')[2]}"]
    return Response(static[name], media_type=kind, headers={"Cache-Control": f"public, max-age={YEAR}, immutable"})


@router.get("/language/{code}")
def switch(request: Request, code: str, back: str = "/") -> Response:
    if code not in texts.LANGUAGES:
        raise HTTPException(404)
    own = settings(request)
    answer = RedirectResponse(own.root_path + inside(back), status_code=303)
    answer.set_cookie(
        LANGUAGE, code, max_age=YEAR, path=own.root_path or "/", secure=own.secure, httponly=True, samesite="lax"
    )
    return answer
