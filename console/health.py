# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubernetes asks: whether the process lives, and whether it can do its work."""

from __future__ import annotations

import os

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from .cluster import settings

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Its secrets and its volume are there. A cluster that does not answer is for pages to tell, so it is not asked."""
    found = settings(request)
    missing = [] if os.access(found.files, os.W_OK) else ["files"]
    try:
        if not found.engine_token or not found.session_key or not found.account.id:
            missing.append("secrets")
    except OSError:
        missing.append("secrets")
    return JSONResponse({"missing": missing}, status_code=503 if missing else 200)
