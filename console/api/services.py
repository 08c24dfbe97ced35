# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data Ops Services: list, show, create, change, start, stop, restart, remove, and what is known about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils import arguments
from ansible_collections.scp.dataops.plugins.module_utils.airflow import info, inheritance, removal
from ansible_collections.scp.dataops.plugins.module_utils.airflow import service as engine
from ansible_collections.scp.dataops.plugins.module_utils.airflow.info import More
from ansible_collections.scp.dataops.plugins.module_utils.airflow.plan import Request as Run
from ansible_collections.scp.dataops.plugins.module_utils.airflow.plan import examined
from ansible_collections.scp.dataops.plugins.module_utils.airflow.preflight import demand
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.common import findings, owner
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome, Timeline
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotFound
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.quantities import quantity
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.purge import Uploaded
from fastapi import APIRouter, Body, Path, Query

from ..operations import Operation
from ..settings import Settings
from . import examples, inventory, mapping, models, telling
from .common import ERRORS, LOOKED_UP, PREFIX, Change, Changing, Force, Looking, Page, Size, View, ordered, page_of
from .files import Opened

router = APIRouter(prefix=f"{PREFIX}/data-ops-services", tags=["Data Ops Services"])

Id = Annotated[str, Path(description="Id or name of the service.", examples=["etl"])]
ORDERS = ("created_dt", "modified_dt", "data_ops_service_name", "state", "version")
PLANNED: dict[int | str, dict[str, Any]] = {
    **ERRORS,
    200: {"model": models.Plan, "description": "With dry_run: what would be done."},
}
# Nobody has this name: what a service of this size would ask for is looked at, and nothing else.
PROBE = "capacity-check"
ROOM = ("capacity", "resource quota", "limit range", "pods")


def target(name: str) -> str:
    return f"service {name}"


def given(body: Any) -> dict[str, Any]:
    """What a client wrote; what it left out keeps its value."""
    found: dict[str, Any] = body.model_dump(exclude_unset=True)
    return found


def run_of(settings: Settings, name: str, options: Mapping[str, Any], **how: Any) -> Run:
    """What the modules make of these options."""
    identity = {"name": name, "manager": settings.manager, "namespace": settings.namespace}
    return arguments.request({**dict.fromkeys(arguments.OWN), **options, **identity}, **how)


def asked(settings: Settings, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of a body, without passwords and keys."""
    return run_of(settings, name, mapping.options(body, mapping.SERVICE)).options


def apply(kube: Kube, run: Run, timeline: Timeline | None = None) -> Outcome:
    with mapping.in_words_of(mapping.SERVICE):
        return engine.apply(kube, run, timeline)


def applied(change: Change, verb: str, run: Run) -> dict[str, Any]:
    """Whatever can be refused is refused now, and not later in an operation that nobody looks at."""
    planned = apply(change.kube, replace(run, check_mode=True))
    if change.dry_run:
        return change.told(planned)
    return change.begun(verb, target(run.name), lambda kube, timeline: apply(kube, run, timeline))


@router.get("", response_model=models.Services, responses=LOOKED_UP)
def list_data_ops_services(
    look: Looking,
    page: Page = 0,
    size: Size = 20,
    sort: Annotated[str, Query(description=f"FIELD:asc or FIELD:desc of {', '.join(ORDERS)}.")] = "created_dt:desc",
    state: Annotated[models.State | None, Query()] = None,
    created_by: Annotated[str | None, Query()] = None,
    data_ops_name: Annotated[str | None, Query()] = None,
    data_ops_service_name: Annotated[str | None, Query(description="Part of the name.")] = None,
) -> dict[str, Any]:
    """All services that fit, a page of them."""
    teller = Teller.of(look)
    items = [teller.item(each) for each in inventory.services(look.kube, look.settings)]
    exact = {"state": state, "created_by": created_by, "data_ops_name": data_ops_name}
    wanted = {key: value for key, value in exact.items() if value is not None}
    fitting = [
        item
        for item in items
        if all(item[key] == value for key, value in wanted.items())
        and (data_ops_service_name or "") in item["data_ops_service_name"]
    ]
    return page_of(ordered(fitting, sort, ORDERS), page, size)


@router.post("", status_code=202, response_model=models.Accepted | models.Plan, responses=PLANNED)
def create_data_ops_service(
    change: Changing, body: Annotated[models.ServiceCreate, Body(openapi_examples=examples.CREATE)]
) -> dict[str, Any]:
    """Create a service. What stands in the way is told at once; the rest is an operation."""
    asked = given(body)
    inventory.this_manager(change.kube, change.settings, asked.pop("data_ops_id"))
    name = asked.pop("data_ops_service_name")
    done = created(change, name, asked)
    return done if change.dry_run else {**done, "data_ops_service_name": name, "data_ops_service_id": None}


def created(change: Change, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """:param asked: a body without what says which service it is."""
    inventory.missing(change.kube, change.settings, name)
    options = mapping.options(asked, mapping.SERVICE)
    return applied(change, "create", run_of(change.settings, name, options, by=change.by))


@router.get("/data-ops/{data_ops_id}/sub-versions", response_model=models.SubVersions, responses=LOOKED_UP)
def show_data_ops_service_sub_versions(
    look: Looking, data_ops_id: Annotated[str, Path(examples=["analytics"])]
) -> dict[str, Any]:
    """Which Airflow its services can have; all parts of a service have the same."""
    inventory.this_manager(look.kube, look.settings, data_ops_id)
    releases = sorted((profile.release for profile in PROFILES.values()), reverse=True)
    return {
        "data_ops_service_count": len(inventory.services(look.kube, look.settings)),
        "versions": dict.fromkeys(("scheduler", "webserver", "worker"), releases),
    }


@router.post("/clusters/{cluster_id}/validate-resources", response_model=models.ResourceCheck, responses=LOOKED_UP)
def check_cluster_resource_size_for_create(
    look: Looking, cluster_id: str, body: Annotated[models.ValidateResources, Body(openapi_examples=examples.WORKLOAD)]
) -> dict[str, Any]:
    """Whether the cluster has room for a new service of this size."""
    inventory.this_cluster(look.kube, look.settings, cluster_id)
    return room(look, PROBE, given(body))


@router.post("/{data_ops_service_id}/validate-resources", response_model=models.ResourceCheck, responses=LOOKED_UP)
def check_cluster_resource_size_for_update(
    look: Looking,
    data_ops_service_id: Id,
    body: Annotated[models.ValidateResources, Body(openapi_examples=examples.WORKLOAD)],
) -> dict[str, Any]:
    """Whether the cluster has room for a service if it changes to this size."""
    found = inventory.service(look.kube, look.settings, data_ops_service_id)
    return room(look, found.name, given(body))


def room(look: View, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    with mapping.in_words_of(mapping.SERVICE):
        run = run_of(look.settings, name, mapping.options(asked, mapping.SERVICE), check_mode=True)
        plan, problem = examined(look.kube, run)
    told = [item for item in plan.findings if item.check in ROOM and item.status != "ok"]
    refused = any(item.status == "refused" for item in told) or problem is not None
    lasting = [item for item in demand.of(plan.changes) if item.lasts]
    return {
        "result": not refused,
        "err_code": "NOT_ENOUGH_RESOURCES" if refused else "NOT_CHECKED" if findings.skipped(told) else "",
        "cpu": str(int(requested(lasting, "cpu") * 1000)),
        "memory": str(int(requested(lasting, "memory") / mapping.MEBIBYTE)),
        "findings": [*map(str, told), *([str(problem)] if problem else [])],
    }


def requested(demands: list[demand.Demand], resource: str) -> Decimal:
    return sum(
        (
            quantity(container.get("resources", {}).get("requests", {}).get(resource, 0)) * item.count
            for item in demands
            for container in item.spec["containers"]
        ),
        Decimal(0),
    )


@router.get(
    "/{data_ops_service_name}/check-duplication",
    response_model=models.Result,
    responses={key: ERRORS[key] for key in (400, 401, 502)},
)
def check_data_ops_service_name_duplication(
    look: Looking, data_ops_service_name: Annotated[str, Path(examples=["etl"])]
) -> dict[str, bool]:
    """Whether a service has this name."""
    return {"result": inventory.is_taken(look.kube, look.settings, data_ops_service_name)}


@router.get("/{data_ops_service_id}", response_model=models.ServiceDetail, responses=LOOKED_UP)
def show_data_ops_service(look: Looking, data_ops_service_id: Id) -> dict[str, Any]:
    """All about a service."""
    return Teller.of(look).detail(inventory.service(look.kube, look.settings, data_ops_service_id))


@router.put(
    "/{data_ops_service_id}",
    status_code=202,
    response_model=models.ServiceDetail | models.Plan,
    responses=PLANNED,
)
def update_data_ops_service(
    change: Changing,
    data_ops_service_id: Id,
    body: Annotated[models.ServiceUpdate, Body(openapi_examples=examples.UPDATE)],
    force: Force = False,
) -> dict[str, Any]:
    """Change a service: what is left out keeps its value, an explicit empty value clears it."""
    found = inventory.service(change.kube, change.settings, data_ops_service_id)
    done = updated(change, found, given(body), force=force)
    return done if change.dry_run else {**Teller.of(change).detail(found), **done}


def updated(
    change: Change, found: inventory.Service, asked: Mapping[str, Any], *, force: bool = False
) -> dict[str, Any]:
    """A stopped service takes settings over and stays so; to start it is a verb of its own."""
    options = mapping.options(asked, mapping.SERVICE)
    state = "stopped" if found.described.get("state") == "STOPPED" else "present"
    return applied(
        change, "change", run_of(change.settings, found.name, options, by=change.by, force=force, state=state)
    )


@router.delete(
    "/{data_ops_service_id}", status_code=202, response_model=models.Accepted | models.Plan, responses=PLANNED
)
def delete_data_ops_service(
    change: Changing,
    data_ops_service_id: Id,
    store: Opened,
    purge: Annotated[
        bool,
        Query(description="Remove its volumes, Secrets and uploaded files, too. That cannot be undone."),
    ] = False,
) -> dict[str, Any]:
    """Remove a service. Its volumes, Secrets and the files that were uploaded for it stay unless purge is true."""
    found = inventory.service(change.kube, change.settings, data_ops_service_id)
    run = run_of(change.settings, found.name, {}, by=change.by)

    def removed(kube: Kube, run: Run, timeline: Timeline) -> Outcome:
        return removal.remove(kube, run, purge=Uploaded(kube, store, run) if purge else None, timeline=timeline)

    if change.dry_run:
        return change.told(removed(change.kube, replace(run, check_mode=True), Timeline()))

    def work(kube: Kube, timeline: Timeline) -> Outcome:
        return removed(kube, run, timeline)

    return {**change.begun("remove", target(found.name), work), **names_of(found)}


@router.post(
    "/{data_ops_service_id}/start", status_code=202, response_model=models.Accepted | models.Plan, responses=PLANNED
)
def start_data_ops_service(change: Changing, data_ops_service_id: Id) -> dict[str, Any]:
    """Give a stopped service its pods back."""
    return switched(change, data_ops_service_id, "start", "present")


@router.post(
    "/{data_ops_service_id}/stop", status_code=202, response_model=models.Accepted | models.Plan, responses=PLANNED
)
def stop_data_ops_service(change: Changing, data_ops_service_id: Id) -> dict[str, Any]:
    """Let running tasks end, then take all pods away. Settings, data, keys and address stay."""
    return switched(change, data_ops_service_id, "stop", "stopped")


@router.post(
    "/{data_ops_service_id}/restart", status_code=202, response_model=models.Accepted | models.Plan, responses=PLANNED
)
def restart_data_ops_service(change: Changing, data_ops_service_id: Id) -> dict[str, Any]:
    """Give all components new pods, in an order that keeps tasks alive."""
    return switched(change, data_ops_service_id, "restart", "restarted")


def switched(change: Change, asked: str, verb: str, state: str) -> dict[str, Any]:
    found = inventory.service(change.kube, change.settings, asked)
    done = applied(change, verb, run_of(change.settings, found.name, {}, by=change.by, state=state))
    return done if change.dry_run else {**done, **names_of(found)}


def names_of(found: inventory.Service) -> dict[str, str]:
    return {"data_ops_service_name": found.name, "data_ops_service_id": found.id}


@router.get("/{data_ops_service_id}/export", response_model=models.Exported, responses=LOOKED_UP)
def export_data_ops_service(look: Looking, data_ops_service_id: Id) -> dict[str, Any]:
    """The service as a task of a playbook. No password or key is in it."""
    return {"task": told(look, data_ops_service_id, More(export=True))["task"]}


@router.get("/{data_ops_service_id}/drift", response_model=models.Drift, responses=LOOKED_UP)
def show_data_ops_service_drift(look: Looking, data_ops_service_id: Id) -> dict[str, Any]:
    """In what the cluster differs from what was asked for; the next change sets it right."""
    lines = told(look, data_ops_service_id, More(drift=True))["drift"]
    return {"contents": lines, "total_count": len(lines)}


@router.get("/{data_ops_service_id}/settings", response_model=models.ServiceSettings, responses=LOOKED_UP)
def show_data_ops_service_settings(look: Looking, data_ops_service_id: Id) -> dict[str, Any]:
    """What the service was asked for, and what it has from its Manager because it was not."""
    found = inventory.service(look.kube, look.settings, data_ops_service_id)
    passed_on = owner.inherited(inventory.manager(look.kube, look.settings).manifest)
    # A service that stands keeps its version.
    passed_on.pop("version", None)
    return {
        "own": mapping.shown(found.options, mapping.SERVICE),
        "inherited": mapping.shown(inheritance.unchosen(passed_on, found.options), mapping.SERVICE),
    }


def told(look: View, asked: str, more: More) -> dict[str, Any]:
    found = inventory.service(look.kube, look.settings, asked)
    described = info.services_info(look.kube, look.settings.namespace, look.settings.manager, found.name, more)
    if not described:
        raise NotFound("it was removed meanwhile", where=target(found.name))
    return described[0]


@dataclass(frozen=True)
class Teller:
    """What is the same for all services of an answer, read once."""

    look: View
    manager: inventory.Manager
    cluster: str
    history: inventory.History

    @classmethod
    def of(cls, look: View) -> Teller:
        kube, settings = look.kube, look.settings
        return cls(
            look,
            inventory.manager(kube, settings),
            inventory.cluster_id(kube, settings),
            inventory.history(kube, settings),
        )

    def active(self, name: str) -> Operation | None:
        return self.look.running.active(target(name))

    def item(self, found: inventory.Service) -> dict[str, Any]:
        operation, namespace = self.active(found.name), self.look.settings.namespace
        return telling.service_item(found, self.manager, self.cluster, self.history, operation, namespace)

    def detail(self, found: inventory.Service) -> dict[str, Any]:
        operation = self.active(found.name)
        settings = self.look.settings
        described = (
            info.services_info(self.look.kube, settings.namespace, settings.manager, found.name) if found.spec else []
        )
        if found.spec and not described:
            raise NotFound("it was removed meanwhile", where=target(found.name))
        shown = telling.service_detail(self.item(found), found, described[0] if described else {})
        return {**shown, "operation_id": operation.operation_id if operation else None}
