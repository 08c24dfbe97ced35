# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first page: every service at a glance, what needs attention on top."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.manager.files.disk import in_words
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from ..collector import Snapshot
from ..history import Moment, chart
from ..security import Identity, viewer
from .page import page

router = APIRouter(include_in_schema=False)
# By the key of its text.
CHARTS: dict[str, Callable[[Moment], int | None]] = {
    "tasks_running": lambda moment: moment.running,
    "tasks_queued": lambda moment: moment.queued,
    "services_healthy": lambda moment: moment.healthy,
}
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
    now = datetime.now(timezone.utc)
    return {
        "services": seen.services,
        "age": seen.age(now),
        "problem": seen.problem,
        "room": seen.room,
        "is_full": seen.is_full,
        "charts": [chart(key, seen.history, value, now) for key, value in CHARTS.items()],
        "in_words": in_words,
    }
