# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first page: every service at a glance, what needs attention on top."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from ..collector import Snapshot
from ..security import Identity, viewer
from .page import page

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Identity, Depends(viewer)]


@router.get("/")
def dashboard(request: Request, who: Viewer) -> Response:
    return page(request, "dashboard.html", **shown(request))


@router.get("/dashboard/live")
def live(request: Request, who: Viewer) -> Response:
    """What the page puts in place of what it shows."""
    return page(request, "dashboard_live.html", **shown(request))


def shown(request: Request) -> dict[str, Any]:
    seen: Snapshot = request.app.state.collector.snapshot
    return {"services": seen.services, "age": seen.age(datetime.now(timezone.utc)), "problem": seen.problem}
