# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service: how it is, what it consists of, what happens around it, and what its containers write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow import status
from ansible_collections.scp.dataops.plugins.module_utils.airflow.info import More
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotFound
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from .. import workings
from ..api import inventory, services, telling
from ..api.common import Looking, View, Viewer
from ..collector import UNKNOWN, Seen, Snapshot, summary
from ..recent import Recent
from .page import page

router = APIRouter(include_in_schema=False)

Name = Annotated[str, Path()]
LINES = (100, 500, 2000)


@router.get("/services/{name}")
def overview(request: Request, look: Looking, who: Viewer, name: Name) -> Response:
    try:
        found = inventory.service(look.kube, look.settings, name)
    except NotFound:
        # It may be there any moment, or have been until now.
        if operation := look.running.active(services.target(name)):
            return RedirectResponse(f"{look.settings.root_path}/operations/{operation.operation_id}", status_code=303)
        raise
    told = recent(request).get(("told", found.name), lambda: described(look, found))
    state = {**condition(request, look, found.name), **surroundings(request, look, found.name)}
    return page(request, "service.html", told=told, own=found.options, may_change=who.role == "operator", **state)


@router.get("/services/{name}/live")
def live(request: Request, look: Looking, who: Viewer, name: Name) -> Response:
    """What the page puts in place of how it is."""
    return page(request, "service_live.html", may_change=who.role == "operator", **condition(request, look, name))


@router.get("/services/{name}/around")
def around(request: Request, look: Looking, name: Name) -> Response:
    """What the page puts in place of pods and events."""
    return page(request, "service_around.html", **surroundings(request, look, name))


def described(look: View, found: inventory.Service) -> dict[str, Any]:
    """All about it, Airflow asked as well; nothing about one whose record cannot be understood."""
    return services.told(look, found.name, More()) if found.spec else {}


def recent(request: Request) -> Recent:
    found: Recent = request.app.state.recent
    return found


def condition(request: Request, look: View, name: str) -> dict[str, Any]:
    seen, age = glance(request, look, name)
    operation = look.running.active(services.target(name))
    state = telling.UNDER_WAY.get(operation.verb, "UPDATING") if operation else seen.state
    return {"service": seen, "age": age, "state": state, "operation": operation}


def surroundings(request: Request, look: View, name: str) -> dict[str, Any]:
    seen, _age = glance(request, look, name)
    return {
        "service": seen,
        "pods": pods_of(request, look, seen.name),
        "events": events_of(request, look, seen.name),
    }


def glance(request: Request, look: View, name: str) -> tuple[Seen, int | None]:
    """As the collector saw it last, with the age of that; one that it has not seen yet is looked at."""
    now = datetime.now(timezone.utc)
    last: Snapshot = request.app.state.collector.snapshot
    if seen := next((one for one in last.services if one.name == name), None):
        return seen, last.age(now)
    found = recent(request).get(("service", name), lambda: inventory.service(look.kube, look.settings, name))
    if found.spec is None:
        return Seen(name=found.name, state=status.ERROR, health=UNKNOWN, reasons=(found.problem,)), 0
    return summary(found.name, found.described, {}, None, now), 0


def pods_of(request: Request, look: View, name: str) -> list[workings.Pod]:
    return recent(request).get(("pods", name), lambda: workings.pods(look.kube, look.settings.namespace, name))


def events_of(request: Request, look: View, name: str) -> list[workings.Event]:
    last: Snapshot = request.app.state.collector.snapshot
    others = [one.name for one in last.services]
    return recent(request).get(
        ("events", name), lambda: workings.events(look.kube, look.settings.namespace, name, others)
    )


@router.get("/services/{name}/logs")
def logs(
    request: Request,
    look: Looking,
    name: Name,
    pod: str = "",
    container: str = "",
    lines: Annotated[int, Query(ge=1, le=LINES[-1])] = LINES[0],
    previous: bool = False,
    follow: bool = True,
) -> Response:
    asked = {"lines": lines, "previous": previous}
    return page(request, "service_logs.html", follow=follow, **written(request, look, name, (pod, container), asked))


@router.get("/services/{name}/logs/live")
def logs_live(
    request: Request,
    look: Looking,
    name: Name,
    pod: str = "",
    container: str = "",
    lines: Annotated[int, Query(ge=1, le=LINES[-1])] = LINES[0],
    previous: bool = False,
) -> Response:
    asked = {"lines": lines, "previous": previous}
    return page(request, "service_logs_live.html", **written(request, look, name, (pod, container), asked))


def written(
    request: Request, look: View, name: str, source: tuple[str, str], asked: Mapping[str, Any]
) -> dict[str, Any]:
    seen, _age = glance(request, look, name)
    pods = pods_of(request, look, seen.name)
    pod, container = workings.chosen(pods, *source)

    def read() -> str:
        return workings.log(look.kube, look.settings.namespace, name, (pod.name, container), **asked)

    text = recent(request).get(("log", pod.name, container, *asked.values()), read)
    return {"name": name, "pods": pods, "pod": pod, "container": container, "text": text, "choices": LINES, **asked}
