# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create a service and change one: a form, what the cluster would do, and then the operation that does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError, NotFound
from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from .. import service_forms as forms
from .. import sessions
from ..api import inventory, mapping, services
from ..api.common import Change, Changing, Operator
from ..cluster import settings
from ..drafts import Draft, Drafts
from ..errors import Problem, of_engine
from ..security import Identity
from ..service_forms import Form
from .changing import Typed, difference, to_operation
from .page import page

router = APIRouter(include_in_schema=False)

Name = Annotated[str, Path()]
Part = Annotated[str, Path()]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which form it is. ``name`` is empty for a new service. ``usual``: what holds where nothing is chosen."""

    form: Form
    title: str
    path: str
    back: str
    name: str
    usual: Mapping[str, str]
    own: Mapping[str, str]


@router.get("/services/new")
def new(request: Request, change: Changing) -> Response:
    return filled_in(request, of_new(), {})


@router.post("/services/new")
def preview_new(request: Request, change: Changing, who: Operator, typed: Typed) -> Response:
    return previewed(request, change, who, of_new(), typed)


@router.get("/services/{name}/change/{part}")
def change_one(request: Request, change: Changing, name: Name, part: Part) -> Response:
    asked = of_change(change, name, part)
    return filled_in(request, asked, asked.own)


@router.post("/services/{name}/change/{part}")
def preview_change(request: Request, change: Changing, who: Operator, name: Name, part: Part, typed: Typed) -> Response:
    return previewed(request, change, who, of_change(change, name, part), typed)


def of_new() -> Asked:
    return Asked(form=forms.NEW, title="new_service", path="/services/new", back="/", name="", usual={}, own={})


def of_change(change: Change, name: str, part: str) -> Asked:
    """:raises NotFound: there is no such service, or no such form."""
    if part not in forms.CHANGES:
        raise NotFound("there is no such form", where=part, next_step=f"Use {', '.join(forms.CHANGES)}")
    found = inventory.service(change.kube, change.settings, name)
    form = forms.CHANGES[part]
    return Asked(
        form=form,
        title=f"change_{part.replace('-', '_')}",
        path=f"/services/{found.name}/change/{part}",
        back=f"/services/{found.name}",
        name=found.name,
        usual=forms.effective(found.spec) if found.spec else {},
        own=forms.shown(form, mapping.shown(found.options, mapping.SERVICE)),
    )


def filled_in(
    request: Request,
    asked: Asked,
    values: Mapping[str, str],
    was: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    """The form with these values, of which none is a secret."""
    secret = {field.key for field in forms.fields_of(asked.form) if field.is_secret}
    return page(
        request,
        "service_form.html",
        problem.status if problem else 200,
        asked=asked,
        values={key: value for key, value in values.items() if key not in secret},
        filled={key for key, value in values.items() if value},
        was=values if was is None else was,
        problem=problem,
        wrong=forms.field_at(asked.form, problem.where) if problem else "",
    )


def previewed(request: Request, change: Change, who: Identity, asked: Asked, typed: Mapping[str, str]) -> Response:
    """What it would do; the form again when that cannot be."""
    was = {key.removeprefix(forms.WAS): value for key, value in typed.items() if key.startswith(forms.WAS)}
    try:
        body = forms.asked(asked.form, typed)
        draft = Draft(
            owner=owner_of(request, who),
            name=asked.name or body.pop(forms.NAME.key, ""),
            new=not asked.name,
            path=asked.path,
            body=body,
            plan={},
        )
        plan = applied(replace(change, dry_run=True), draft)
    except DataOpsError as error:
        return filled_in(request, asked, typed, was, of_engine(error))
    number = drafts(request).keep(replace(draft, plan=plan))
    return RedirectResponse(f"{change.settings.root_path}/previews/{number}", status_code=303)


def applied(change: Change, draft: Draft) -> dict[str, Any]:
    if draft.new:
        return services.created(change, draft.name, draft.body)
    return services.updated(change, inventory.service(change.kube, change.settings, draft.name), draft.body)


@router.get("/previews/{number}")
def preview(request: Request, who: Operator, number: str) -> Response:
    return shown(request, drafts(request).get(number, owner_of(request, who)), number)


@router.post("/previews/{number}")
def apply(request: Request, change: Changing, who: Operator, number: str) -> Response:
    draft = drafts(request).get(number, owner_of(request, who))
    try:
        begun = applied(replace(change, dry_run=False), draft)
    except DataOpsError as error:
        return shown(request, draft, number, of_engine(error))
    drafts(request).drop(number)
    return to_operation(request, begun)


def shown(request: Request, draft: Draft, number: str, problem: Problem | None = None) -> Response:
    status = problem.status if problem else 200
    diff = difference(draft.plan["diff"])
    return page(
        request, "service_preview.html", status, draft=draft, plan=draft.plan, number=number, problem=problem, diff=diff
    )


def drafts(request: Request) -> Drafts:
    found: Drafts = request.app.state.drafts
    return found


def owner_of(request: Request, who: Identity) -> str:
    """A session, or who has an API token."""
    session = sessions.read(request, settings(request)) if who.door == "console" else None
    return f"session {session.csrf}" if session else f"{who.door} {who.name}"
