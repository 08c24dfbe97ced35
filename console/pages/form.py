# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create a service, change one, change the settings: a form, what would happen, the operation.

A form that was made before somebody else changed the same thing is not taken: it would take that change back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow import spec
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.common.secret_keys import is_reference
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError, NotFound, Refused
from ansible_collections.scp.dataops.plugins.module_utils.manager import spec as manager_spec
from ansible_collections.scp.dataops.plugins.module_utils.manager.effects import effects
from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from .. import errors, forms, option_texts, sessions
from ..api import inventory, managers, mapping, services
from ..api.common import Change, Changing, Operator
from ..cluster import settings
from ..drafts import Draft, Drafts, Opened, Subject
from ..forms import Body
from ..security import Identity
from .changing import Typed, difference, to_operation
from .page import page

router = APIRouter(include_in_schema=False)

Name = Annotated[str, Path()]
Part = Annotated[str, Path()]
# Which state of the thing a form was made from.
BASE = "base"


@router.get("/services/new")
def new(request: Request, change: Changing) -> Response:
    return unfilled(request, of_new(change))


@router.post("/services/new")
def preview_new(request: Request, change: Changing, who: Operator, typed: Typed) -> Response:
    return previewed(request, change, who, of_new, typed)


@router.get("/services/{name}/change/{part}")
def change_one(request: Request, change: Changing, name: Name, part: Part) -> Response:
    return unfilled(request, of_service(change, name, part))


@router.post("/services/{name}/change/{part}")
def preview_change(request: Request, change: Changing, who: Operator, name: Name, part: Part, typed: Typed) -> Response:
    return previewed(request, change, who, partial(of_service, name=name, part=part), typed)


@router.get("/settings/change")
def change_settings(request: Request, change: Changing) -> Response:
    return unfilled(request, of_settings(change))


@router.post("/settings/change")
def preview_settings(request: Request, change: Changing, who: Operator, typed: Typed) -> Response:
    return previewed(request, change, who, of_settings, typed)


def of_new(change: Change) -> Subject:
    here = change.settings

    def named(body: Body) -> tuple[str, Body]:
        return body.get(forms.NAME.key, ""), {key: value for key, value in body.items() if key != forms.NAME.key}

    return Subject(
        form=forms.NEW,
        title="new_service",
        path="/services/new",
        back="/",
        folded=True,
        merged=lambda body: services.asked(here, *named(body)),
        apply=lambda change, body: services.created(change, *named(body)),
    )


def of_service(change: Change, name: str, part: str) -> Subject:
    """:raises NotFound: there is no such service, or no such form."""
    if part not in forms.CHANGES:
        raise NotFound("there is no such form", where=part, next_step=f"Use {', '.join(forms.CHANGES)}")
    here, found = change.settings, inventory.service(change.kube, change.settings, name)

    def merged(body: Body) -> dict[str, Any]:
        return record.merged(found.options, services.asked(here, found.name, body), nested=spec.NESTED)

    return Subject(
        form=forms.CHANGES[part],
        title=f"change_{part.replace('-', '_')}",
        path=f"/services/{found.name}/change/{part}",
        back=f"/services/{found.name}",
        name=found.name,
        base=base_of(found.options),
        options=found.options,
        own=mapping.shown(found.options, mapping.SERVICE),
        usual=forms.effective(found.spec) if found.spec else {},
        merged=merged,
        apply=lambda change, body: services.updated(change, found, body),
    )


def of_settings(change: Change) -> Subject:
    here, found = change.settings, inventory.manager(change.kube, change.settings)
    told = managers.described(change, found)
    return Subject(
        form=forms.SETTINGS,
        title="settings_change_title",
        path="/settings/change",
        back="/settings",
        folded=True,
        name=found.name,
        base=base_of(found.options),
        options=found.options,
        own=managers.shown(found.options),
        usual={
            "ingress_controller_name": told["ingress_class"],
            "storage_class_name": told["storage_class"],
            "storage_size": told["storage_size"],
        },
        merged=lambda body: record.merged(found.options, managers.asked(body), nested=manager_spec.NESTED),
        apply=lambda change, body: managers.changed(change, found, managers.asked(body)),
        effects=lambda change, after: effects(change.kube, here.namespace, found.name, found.options, after),
    )


def base_of(options: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:16]


def unfilled(request: Request, subject: Subject) -> Response:
    return filled_in(request, subject, forms.shown(subject.form, subject.own), subject.base)


def filled_in(
    request: Request,
    subject: Subject,
    values: Mapping[str, str],
    base: str,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The form with these values, of which none is a secret."""
    return page(
        request,
        "form.html",
        status,
        subject=subject,
        values=values,
        filled={key for key, value in values.items() if value},
        base=base,
        problems=problems or {},
    )


def previewed(request: Request, change: Change, who: Identity, opened: Opened, typed: Mapping[str, str]) -> Response:
    """What it would do; the form again when that cannot be."""
    subject, base = opened(change), typed.get(BASE, "")
    values = forms.open_values(subject.form, typed)
    try:
        not_changed_meanwhile(subject, base)
        body, problems = forms.asked(subject.form, subject.own, typed)
        if problems:
            return filled_in(request, subject, values, base, problems, 400)
        after = subject.merged(body)
        plan = subject.apply(replace(change, dry_run=True), body)
    except DataOpsError as error:
        return filled_in(request, subject, values, base, forms.refusal(subject.form, error), errors.status_of(error))
    draft = Draft(
        owner=owner_of(request, who),
        opened=opened,
        subject=subject,
        values=values,
        body=body,
        plan=plan,
        changes=tuple(compared(subject.options, after)),
        effects=subject.effects(change, after) if subject.effects else None,
    )
    return RedirectResponse(f"{change.settings.root_path}/previews/{drafts(request).keep(draft)}", status_code=303)


def not_changed_meanwhile(subject: Subject, base: str) -> None:
    """:raises Refused: it was."""
    if subject.base != base:
        raise Refused(f"'{subject.name}' was changed meanwhile", next_step="Load the form again, and change it anew")


def compared(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str, str]]:
    """Each option that differs, with its value before and after; empty where there is none."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if all(isinstance(value, Mapping | None) and not is_reference(value) for value in (old, new)):
            yield from compared(old or {}, new or {}, f"{at}{key}.")
        else:
            was, now = ("" if value is None else option_texts.shown(key, value) for value in (old, new))
            yield f"{at}{key}", was, now


@router.get("/previews/{number}")
def preview(request: Request, who: Operator, number: str) -> Response:
    return shown(request, drafts(request).get(number, owner_of(request, who)), number)


@router.get("/previews/{number}/form")
def form_again(request: Request, who: Operator, number: str) -> Response:
    """As it was filled in, but for secrets."""
    draft = drafts(request).get(number, owner_of(request, who))
    return filled_in(request, draft.subject, draft.values, draft.subject.base)


@router.post("/previews/{number}")
def apply(request: Request, change: Changing, who: Operator, number: str) -> Response:
    draft = drafts(request).get(number, owner_of(request, who))
    try:
        subject = draft.opened(change)
        not_changed_meanwhile(subject, draft.subject.base)
        begun = subject.apply(replace(change, dry_run=False), draft.body)
    except DataOpsError as error:
        return shown(request, draft, number, errors.of_engine(error))
    drafts(request).drop(number)
    return to_operation(request, begun)


def shown(request: Request, draft: Draft, number: str, problem: errors.Problem | None = None) -> Response:
    return page(
        request,
        "preview.html",
        problem.status if problem else 200,
        draft=draft,
        number=number,
        problem=problem,
        difference=difference(draft.plan["diff"]),
    )


def drafts(request: Request) -> Drafts:
    found: Drafts = request.app.state.drafts
    return found


def owner_of(request: Request, who: Identity) -> str:
    """A session, or who has an API token."""
    session = sessions.read(request, settings(request)) if who.door == "console" else None
    return f"session {session.csrf}" if session else f"{who.door} {who.name}"
