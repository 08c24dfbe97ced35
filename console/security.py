# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks, and what they may do.

There are three doors. A browser has a session; a program has an API token; the modules come through the API server's
service proxy, which keeps the Authorization header for itself, with a token that only who may read the Manager's
Secrets can have.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from . import sessions
from .cluster import reader, settings
from .errors import NotAllowed, SignInNeeded
from .tokens import Tokens

Role = Literal["viewer", "operator"]
Door = Literal["console", "api", "module"]
ENGINE_TOKEN = "X-DataOps-Token"
ENGINE_USER = "X-DataOps-By"
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf"
FORM = "application/x-www-form-urlencoded"
SAFE = ("GET", "HEAD", "OPTIONS")
# What may stand in a list of who did what.
NOT_A_NAME = re.compile(r"[^\w.@+-]")
LONGEST_NAME = 100


@dataclass(frozen=True)
class Identity:
    """Who did something: a name for people, what they may do, and the door by which they came."""

    name: str
    role: Role
    door: Door


def identify(request: Request) -> Identity:
    """:raises SignInNeeded: when the request shows nothing that is known here."""
    found = of_module(request) or of_token(request) or of_browser(request)
    if found is None:
        raise SignInNeeded
    return found


def of_token(request: Request) -> Identity | None:
    scheme, _space, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    tokens: Tokens = request.app.state.tokens
    token = tokens.of(reader(request), shown.strip())
    return Identity(token.name, token.role, "api") if token else None


def of_browser(request: Request) -> Identity | None:
    session = sessions.read(request, settings(request))
    return Identity(session.user, "operator", "console") if session else None


def of_module(request: Request) -> Identity | None:
    shown = request.headers.get(ENGINE_TOKEN)
    if shown is None or not same(shown, settings(request).engine_token):
        return None
    name = NOT_A_NAME.sub("", request.headers.get(ENGINE_USER, ""))[:LONGEST_NAME]
    return Identity(name or "unknown", "operator", "module")


def same(shown: str, known: str) -> bool:
    """Takes as long for a wrong text as for the right one. Nothing is the same as an empty one."""
    return bool(known) and hmac.compare_digest(shown.encode(), known.encode())


def address_of(request: Request) -> str:
    """Who calls, as the last proxy before us saw it: what stands before that, a client may have written itself."""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded or (request.client.host if request.client else "")


def same_site(request: Request) -> None:
    """:raises NotAllowed: when a page of somebody else has sent this."""
    origin = request.headers.get("origin")
    from_here = origin is None or urlsplit(origin).netloc == request.headers.get("host", "")
    if not from_here or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("this request comes from another site", "Use the pages of the console itself")


async def meant(request: Request, who: Identity) -> None:
    """A browser sends its cookie whoever asks it to, so what changes something must show the token of the session.

    :raises NotAllowed: it does not.
    """
    if who.door != "console" or request.method in SAFE:
        return
    same_site(request)
    shown = request.headers.get(CSRF_HEADER, "")
    if not shown and request.headers.get("content-type", "").startswith(FORM):
        shown = str((await request.form()).get(CSRF_FIELD, ""))
    session = sessions.read(request, settings(request))
    if session is None or not same(shown, session.csrf):
        raise NotAllowed("this request does not show the token of the session", "Load the page again")


async def viewer(request: Request) -> Identity:
    """Dependency of whatever shows something."""
    found = await run_in_threadpool(identify, request)
    await meant(request, found)
    return found


async def operator(request: Request) -> Identity:
    """Dependency of whatever changes something."""
    found = await viewer(request)
    if found.role != "operator":
        raise NotAllowed(f"{found.name} may look, and change nothing", "Ask for the role operator")
    return found
