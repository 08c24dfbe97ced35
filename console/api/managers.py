# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data Ops, which is this console's own Manager: list, show, change, its settings, and what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, NoReturn

from ansible_collections.scp.dataops.plugins.module_utils.airflow.preflight.run import OLDEST_KUBERNETES
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.common import validation as check
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome, Timeline
from ansible_collections.scp.dataops.plugins.module_utils.errors import Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.manager import info
from ansible_collections.scp.dataops.plugins.module_utils.manager import manager as engine
from ansible_collections.scp.dataops.plugins.module_utils.manager.effects import DEFAULTS
from fastapi import APIRouter, Body, Path, Query

from . import examples, inventory, mapping, models, telling
from .common import ERRORS, LOOKED_UP, PREFIX, Change, Changing, Force, Looking, Page, Size, View, ordered, page_of

router = APIRouter(prefix=f"{PREFIX}/data-ops", tags=["Data Ops"])

Id = Annotated[str, Path(description="Id or name of the Manager.", examples=["analytics"])]
ORDERS = ("created_dt", "modified_dt", "data_ops_name", "state", "version")
PLANNED: dict[int | str, dict[str, Any]] = {
    **ERRORS,
    200: {"model": models.Plan, "description": "With dry_run: what would be done."},
}
NOT_HERE: dict[int | str, dict[str, Any]] = {key: ERRORS[key] for key in (400, 401, 403, 404, 409)}


def target(name: str) -> str:
    return f"Manager {name}"


@router.get("", response_model=models.Managers, responses=LOOKED_UP)
def list_data_ops(
    look: Looking,
    page: Page = 0,
    size: Size = 20,
    sort: Annotated[str, Query(description=f"FIELD:asc or FIELD:desc of {', '.join(ORDERS)}.")] = "created_dt:desc",
    state: Annotated[models.State | None, Query()] = None,
    created_by: Annotated[str | None, Query()] = None,
    cluster_id: Annotated[str | None, Query()] = None,
    cluster_name: Annotated[str | None, Query()] = None,
    data_ops_name: Annotated[str | None, Query(description="Part of the name.")] = None,
    version: Annotated[str | None, Query()] = None,
) -> dict[str, Any]:
    """The Manager of this console, if it fits."""
    found = inventory.manager(look.kube, look.settings)
    item = item_of(look, found, described(look, found))
    asked = {
        "state": state,
        "created_by": created_by,
        "cluster_id": cluster_id,
        "cluster_name": cluster_name,
        "version": version,
    }
    fits = all(item[key] == value for key, value in asked.items() if value is not None)
    named = (data_ops_name or "") in found.name
    return page_of(ordered([item] if fits and named else [], sort, ORDERS), page, size)


def described(look: View, found: inventory.Manager) -> dict[str, Any]:
    return info.manager_info(look.kube, look.settings.namespace, found.name)


def item_of(look: View, found: inventory.Manager, told: dict[str, Any]) -> dict[str, Any]:
    cluster, history = inventory.cluster_id(look.kube, look.settings), inventory.history(look.kube, look.settings)
    return telling.manager_item(found, cluster, history, told, look.running.active(target(found.name)))


@router.post("", status_code=409, response_model=models.Error, responses=NOT_HERE)
def create_data_ops(change: Changing) -> NoReturn:
    """A console is part of its Manager and makes no other one: this is always refused."""
    raise Refused(
        f"a console is part of one Manager, '{change.settings.manager}', and makes no other one",
        where="/v1/data-ops",
        next_step="Use the module scp.dataops.dataops_manager, or its role",
    )


@router.get("/image-versions", response_model=models.Images, responses={key: ERRORS[key] for key in (401,)})
def list_data_ops_image_versions(look: Looking) -> dict[str, Any]:
    """Which Airflow is offered."""
    oldest = ".".join(str(part) for part in OLDEST_KUBERNETES)
    images = [
        {
            "image_id": f"{inventory.IMAGE_ID}{profile.release}",
            "image_name": f"Apache Airflow {profile.release}",
            "version": profile.release,
            "image_attr": {"k8s.version": f">={oldest}", "os.type": "linux"},
        }
        for _minor, profile in sorted(PROFILES.items(), reverse=True)
    ]
    return {"contents": images, "total_count": len(images)}


@router.get("/clusters/{cluster_id}/ingress-controllers", response_model=models.Controllers, responses=LOOKED_UP)
def list_data_ops_ingress_controllers(look: Looking, cluster_id: str) -> dict[str, Any]:
    """By the names of their classes, as far as the console may see them."""
    inventory.this_cluster(look.kube, look.settings, cluster_id)
    told = info.ingress_info(look.kube)
    found = [
        {
            "ingress_controller_name": name,
            "controller": item["controller"],
            "default": item["default"],
            "addresses": item["addresses"],
        }
        for item in told["controllers"]
        for name in item["classes"]
    ]
    return {"contents": found, "total_count": len(found), "not_checked": told["not_checked"]}


@router.get(
    "/{data_ops_name}/check-duplication",
    response_model=models.Result,
    responses={key: ERRORS[key] for key in (400, 401, 409, 502)},
)
def check_data_ops_name_duplication(
    look: Looking, data_ops_name: Annotated[str, Path(examples=["analytics"])]
) -> dict[str, bool]:
    """Whether the Manager of this console has this name."""
    check.name(data_ops_name, "data_ops_name")
    return {"result": inventory.manager(look.kube, look.settings).name == data_ops_name}


@router.get("/{data_ops_id}", response_model=models.ManagerDetail, responses=LOOKED_UP)
def show_data_ops(look: Looking, data_ops_id: Id) -> dict[str, Any]:
    """All about the Manager."""
    return detail(look, inventory.this_manager(look.kube, look.settings, data_ops_id))


def detail(look: View, found: inventory.Manager) -> dict[str, Any]:
    told, operation = described(look, found), look.running.active(target(found.name))
    shown = telling.manager_detail(item_of(look, found, told), told, look.settings.url)
    return {**shown, "operation_id": operation.operation_id if operation else None}


@router.put("/{data_ops_id}", status_code=202, response_model=models.ManagerDetail | models.Plan, responses=PLANNED)
def update_data_ops(
    change: Changing,
    data_ops_id: Id,
    body: Annotated[models.ManagerUpdate, Body(openapi_examples=examples.MANAGER)],
    force: Force = False,
) -> dict[str, Any]:
    """Change the Manager: what is left out keeps its value, an explicit empty value clears it."""
    found = inventory.this_manager(change.kube, change.settings, data_ops_id)
    options = mapping.options(body.model_dump(exclude_unset=True), mapping.MANAGER)
    return changed(change, found, options, force=force)


def asked(body: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a body in which the default settings are, too."""
    options = mapping.options(body, mapping.MANAGER)
    if DEFAULTS in body:
        with mapping.inside_of(DEFAULTS):
            options[DEFAULTS] = mapping.options(body[DEFAULTS], mapping.SETTINGS)
    return options


def shown(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options in the form of such a body."""
    settings = mapping.shown(options.get(DEFAULTS, {}), mapping.SETTINGS)
    return {**mapping.shown(options, mapping.MANAGER), DEFAULTS: settings}


def changed(
    change: Change,
    found: inventory.Manager,
    options: Mapping[str, Any],
    *,
    force: bool = False,
    table: Mapping[str, mapping.Field] = mapping.MANAGER,
) -> dict[str, Any]:
    """:param table: in whose words a refusal is told."""
    options = record.asked(options)
    password = record.take(options, "account", "password")
    run = engine.Request(
        name=found.name,
        namespace=change.settings.namespace,
        options=options,
        account_password=password,
        force=force,
        # What it changes may be this console itself, which does not live to see its successor.
        wait=False,
        by=change.by,
    )

    def work(kube: Kube, timeline: Timeline | None = None) -> Outcome:
        with mapping.in_words_of(table):
            return engine.apply(kube, run, timeline)

    with mapping.in_words_of(table):
        planned = engine.apply(change.kube, replace(run, check_mode=True))
    if change.dry_run:
        return change.told(planned)
    return {**detail(change, found), **change.begun("change", target(found.name), work)}


@router.delete("/{data_ops_id}", status_code=409, response_model=models.Error, responses=NOT_HERE)
def delete_data_ops(change: Changing, data_ops_id: Id) -> NoReturn:
    """A console cannot remove the Manager that it is part of: this is always refused."""
    found = inventory.this_manager(change.kube, change.settings, data_ops_id)
    raise Refused(
        f"the console is part of Manager '{found.name}' and cannot remove it",
        where="data_ops_id",
        next_step="Use the module scp.dataops.dataops_manager with state: absent",
    )


@router.get("/{data_ops_id}/settings", response_model=models.SettingsShown, responses=LOOKED_UP)
def show_data_ops_settings(look: Looking, data_ops_id: Id) -> dict[str, Any]:
    """What its services have unless they choose themselves."""
    found = inventory.this_manager(look.kube, look.settings, data_ops_id)
    return {"settings": mapping.shown(found.options.get(DEFAULTS, {}), mapping.SETTINGS)}


@router.put(
    "/{data_ops_id}/settings",
    status_code=202,
    response_model=models.ManagerDetail | models.Plan,
    responses=PLANNED,
)
def update_data_ops_settings(
    change: Changing,
    data_ops_id: Id,
    body: Annotated[models.Settings, Body(openapi_examples=examples.SETTINGS)],
    force: Force = False,
) -> dict[str, Any]:
    """Change what its services inherit: what is left out keeps its value, an explicit empty value clears it.

    It reaches each service with its next change.
    """
    found = inventory.this_manager(change.kube, change.settings, data_ops_id)
    settings = mapping.options(body.model_dump(exclude_unset=True), mapping.SETTINGS)
    options = {DEFAULTS: settings} if settings else {}
    return changed(change, found, options, force=force, table=mapping.SETTINGS)
