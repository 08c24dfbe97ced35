# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form by which the Manager and its default settings are changed: typed, looked at, applied.

What is asked for is the difference to what is recorded, so whatever has no field keeps its value. A form that was made
before somebody else changed the Manager is not taken: it would take that change back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow import inheritance, sizes
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.common.secret_keys import is_reference
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, DataOpsError, Refused
from ansible_collections.scp.dataops.plugins.module_utils.manager.effects import DEFAULTS, effects
from ansible_collections.scp.dataops.plugins.module_utils.manager.spec import NESTED
from fastapi import APIRouter, Request
from fastapi.responses import Response

from .. import errors, option_texts
from ..api import inventory, managers
from ..api.common import Changing, Looking, Operator
from .changing import Typed, difference, to_operation
from .page import page
from .settings import shown

router = APIRouter(prefix="/settings/change", include_in_schema=False)


@dataclass(frozen=True)
class Field:
    """``path``: of the option. ``levels``: how deep it is compared with what is recorded."""

    name: str
    path: tuple[str, ...]
    read: Callable[[str, str], Any] = option_texts.text
    show: Callable[[Any], str] = str
    levels: int = 1


def as_pairs(name: str, *path: str) -> Field:
    return Field(name, path, option_texts.pairs, option_texts.pairs_shown)


def as_aliases(name: str, *path: str) -> Field:
    return Field(name, path, option_texts.aliases, option_texts.aliases_shown)


def as_settings(option: str) -> Field:
    levels = inheritance.LEVELS[option]
    return Field(option, (DEFAULTS, option), option_texts.settings, option_texts.settings_shown, levels)


def of_size(part: str, key: str) -> Field:
    is_number = key in ("replicas", "concurrency")
    return Field(f"{part}.{key}", (DEFAULTS, part, key), option_texts.number if is_number else option_texts.text)


# Rows and columns of the table of sizes.
COLUMNS = (*sizes.RESOURCES, "replicas", "concurrency")
ONLY_OF_WORKERS = ("concurrency",)
PARTS: Mapping[str, tuple[str, ...]] = {
    part: tuple(
        key
        for key in COLUMNS
        if (key in sizes.RESOURCES or part != sizes.TASK_OPTION)
        and (key not in ONLY_OF_WORKERS or part == sizes.WORKER_OPTION)
    )
    for part in sizes.SIZED
}
FIELDS = (
    Field("description", ("description",)),
    as_pairs("tags", "tags"),
    as_aliases("host_aliases", "host_aliases"),
    Field("size", (DEFAULTS, "size")),
    *(of_size(part, key) for part, keys in PARTS.items() for key in keys),
    as_settings("config"),
    as_settings("environment"),
    as_pairs("node_selector", DEFAULTS, "node_selector"),
    as_aliases("service_host_aliases", DEFAULTS, "host_aliases"),
)
NAMES = frozenset(field.name for field in FIELDS)
# A field of another name than the key of the API that a refusal speaks of.
KEYS = {"host_alias_list": "host_aliases", "host_alias": "service_host_aliases"}


@dataclass(frozen=True)
class Form:
    """``base`` tells what was recorded when the form was made; ``problems`` are by field, "" for none of them."""

    typed: Mapping[str, str]
    base: str
    problems: Mapping[str, str]


@router.get("")
def form(request: Request, look: Looking, who: Operator) -> Response:
    options = inventory.manager(look.kube, look.settings).options
    return form_page(request, Form(typed_of(options), base_of(options), {}))


@router.post("")
def change(request: Request, change: Changing, sent: Typed) -> Response:
    """:param sent: the fields, and in ``step`` what to do with them."""
    found = inventory.manager(change.kube, change.settings)
    typed = {field.name: sent.get(field.name, "") for field in FIELDS}
    filled = Form(typed, sent.get("base", ""), {})
    if sent.get("step") == "edit":
        return form_page(request, filled)
    options, problems = asked(found.options, typed)
    if problems:
        return form_page(request, replace(filled, problems=problems), 400)
    try:
        if filled.base != base_of(found.options):
            raise Refused("the Manager was changed meanwhile", next_step="Load the page again, and change it anew")
        if sent.get("step") == "apply":
            begun = managers.changed(replace(change, dry_run=False), found, options, force=False)
            return to_operation(request, begun)
        planned = managers.changed(replace(change, dry_run=True), found, options, force=False)
    except DataOpsError as error:
        return form_page(request, replace(filled, problems=problem_of(error)), errors.status_of(error))
    after = record.merged(found.options, options, nested=NESTED)
    return page(
        request,
        "settings_preview.html",
        form=filled,
        planned=planned,
        changes=list(compared(found.options, after)),
        difference=difference(planned["diff"]),
        effects=effects(change.kube, change.settings.namespace, found.name, found.options, after),
        restarts="console" in planned["restarted"],
    )


def form_page(request: Request, form: Form, status: int = 200) -> Response:
    return page(request, "settings_change.html", status, form=form, parts=PARTS, columns=COLUMNS)


def typed_of(options: Mapping[str, Any]) -> dict[str, str]:
    found = {field.name: value_at(options, field.path) for field in FIELDS}
    return {field.name: "" if found[field.name] is None else field.show(found[field.name]) for field in FIELDS}


def value_at(options: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """None where it is not set."""
    value: Any = options
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def base_of(options: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:16]


def asked(options: Mapping[str, Any], typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the fields ask for beside what is recorded, and what is wrong with any of them."""
    wanted: dict[str, Any] = {}
    problems = {}
    for field in FIELDS:
        try:
            new = field.read(typed[field.name], field.name)
        except BadOption as error:
            problems[field.name] = sentence(error, field.name)
            continue
        old = value_at(options, field.path)
        if new == old or (old is None and new in ("", [], {})):
            continue
        if field.levels > 1 and isinstance(old, Mapping) and new:
            new = option_texts.difference(old, new, field.levels)
        *parents, last = field.path
        place = wanted
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = new
    return wanted, problems


def problem_of(error: DataOpsError) -> dict[str, str]:
    """At the field that the engine speaks of, in the words of the API; else above all of them."""
    path = error.where.replace("service_workload.", "").replace(".replica", ".replicas")
    head = path.partition(".")[0].partition("[")[0]
    place = next((name for name in (path, KEYS.get(head, head)) if name in NAMES), "")
    return {place: sentence(error, place)}


def sentence(error: DataOpsError, field: str) -> str:
    """Where it is need not be said at the field itself, unless it is a line of many."""
    where = "" if error.where == field or "." in field else error.where
    said = str(DataOpsError(error.what, where=where, next_step=error.next_step))
    return said if where else f"{said[:1].upper()}{said[1:]}"


def compared(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str, str]]:
    """Each option that differs, with its value before and after; empty where there is none."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if all(isinstance(value, Mapping | None) and not is_reference(value) for value in (old, new)):
            yield from compared(old or {}, new or {}, f"{at}{key}.")
        else:
            yield f"{at}{key}", "" if old is None else shown(key, old), "" if new is None else shown(key, new)
