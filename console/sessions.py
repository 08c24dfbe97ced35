# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a browser keeps to be known: a signed cookie, and with it the token that its forms must show.

The signature depends on the password, so a new one ends every session.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from fastapi import Request, Response
from itsdangerous import BadData, URLSafeTimedSerializer

from .settings import Settings

COOKIE = "dataops-session"
SECONDS = 12 * 3600


@dataclass(frozen=True)
class Session:
    """Who signed in, and what proves that a request was meant."""

    user: str
    csrf: str


def serializer(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer([settings.session_key + settings.account.password], salt="session")


def begin(response: Response, settings: Settings, user: str) -> None:
    written = serializer(settings).dumps({"user": user, "csrf": secrets.token_urlsafe(24)})
    response.set_cookie(
        COOKIE,
        written,
        max_age=SECONDS,
        path=settings.root_path or "/",
        secure=settings.secure,
        httponly=True,
        samesite="strict",
    )


def end(response: Response, settings: Settings) -> None:
    response.delete_cookie(COOKIE, path=settings.root_path or "/", secure=settings.secure, httponly=True)


def read(request: Request, settings: Settings) -> Session | None:
    """None when there is none, or when it is not ours, too old, or of another account."""
    written = request.cookies.get(COOKIE)
    if not written:
        return None
    try:
        held = serializer(settings).loads(written, max_age=SECONDS)
    except BadData:
        return None
    return Session(held["user"], held["csrf"]) if held["user"] == settings.account.id else None
