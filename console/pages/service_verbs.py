# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, stop, restart and remove a service: what it would do is shown first, and done once that was confirmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.store import Store
from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import Response

from ..api import inventory, services
from ..api.common import Change, Changing
from ..api.files import Opened
from ..errors import of_engine
from .changing import to_operation
from .page import page

router = APIRouter(include_in_schema=False)

Name = Annotated[str, Path()]
Switch = Callable[[Change, str], dict[str, Any]]
SWITCHES: Mapping[str, Switch] = {
    "start": services.start_data_ops_service,
    "stop": services.stop_data_ops_service,
    "restart": services.restart_data_ops_service,
}


def verb_of(request: Request) -> str:
    return request.url.path.rpartition("/")[2]


Verb = Annotated[str, Depends(verb_of)]


@router.get("/services/{name}/remove")
def ask_to_remove(request: Request, change: Changing, store: Opened, name: Name) -> Response:
    return removal(request, change, store, name)


@router.post("/services/{name}/remove")
def remove(
    request: Request,
    change: Changing,
    store: Opened,
    name: Name,
    confirm: Annotated[str, Form()] = "",
    purge: Annotated[bool, Form()] = False,
) -> Response:
    """Only once its name was typed: what it computed is gone then, with purge for ever."""
    if confirm.strip() != name:
        return removal(request, change, store, name, 400, wrong=True, typed=confirm, purge=purge)
    begun = services.delete_data_ops_service(replace(change, dry_run=False), name, store, purge)
    return to_operation(request, begun)


def removal(request: Request, change: Change, store: Store, name: str, status: int = 200, **values: Any) -> Response:
    found = inventory.service(change.kube, change.settings, name)
    plan = services.delete_data_ops_service(replace(change, dry_run=True), found.name, store)
    shown = {"wrong": False, "typed": "", "purge": False, **values}
    return page(request, "service_remove.html", status, name=found.name, plan=plan, **shown)


@router.get("/services/{name}/start")
@router.get("/services/{name}/stop")
@router.get("/services/{name}/restart")
def ask_to_switch(request: Request, change: Changing, name: Name, verb: Verb) -> Response:
    found = inventory.service(change.kube, change.settings, name)
    try:
        plan = SWITCHES[verb](replace(change, dry_run=True), found.name)
    except DataOpsError as error:
        problem = of_engine(error)
        return page(request, "service_switch.html", problem.status, name=found.name, verb=verb, problem=problem)
    return page(request, "service_switch.html", name=found.name, verb=verb, problem=None, plan=plan)


@router.post("/services/{name}/start")
@router.post("/services/{name}/stop")
@router.post("/services/{name}/restart")
def switch(request: Request, change: Changing, name: Name, verb: Verb) -> Response:
    try:
        begun = SWITCHES[verb](replace(change, dry_run=False), name)
    except DataOpsError as error:
        problem = of_engine(error)
        return page(request, "service_switch.html", problem.status, name=name, verb=verb, problem=problem)
    return to_operation(request, begun)
