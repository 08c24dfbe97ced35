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

from fastapi import Request

from .cluster import settings
from .errors import NotAllowed, SignInNeeded

Role = Literal["viewer", "operator"]
Door = Literal["console", "api", "module"]
ENGINE_TOKEN = "X-DataOps-Token"
ENGINE_USER = "X-DataOps-By"
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
    found = of_module(request)
    if found is None:
        raise SignInNeeded
    return found


def of_module(request: Request) -> Identity | None:
    shown = request.headers.get(ENGINE_TOKEN)
    if shown is None or not same(shown, settings(request).engine_token):
        return None
    name = NOT_A_NAME.sub("", request.headers.get(ENGINE_USER, ""))[:LONGEST_NAME]
    return Identity(name or "unknown", "operator", "module")


def same(shown: str, known: str) -> bool:
    """Takes as long for a wrong text as for the right one. Nothing is the same as an empty one."""
    return bool(known) and hmac.compare_digest(shown.encode(), known.encode())


def viewer(request: Request) -> Identity:
    """Dependency of whatever shows something."""
    return identify(request)


def operator(request: Request) -> Identity:
    """Dependency of whatever changes something."""
    found = identify(request)
    if found.role != "operator":
        raise NotAllowed(f"{found.name} may look, and change nothing", "Ask for the role operator")
    return found
