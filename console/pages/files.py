# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugin, Shared and Python Library Files: the list of uploads, and for each of them its versions and what to use.

Contents are sent by the page's script to the API, see static/files.js.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from io import BytesIO
from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.common.labels import INSTANCE
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, DataOpsError, NotFound
from ansible_collections.scp.dataops.plugins.module_utils.manager import manager as managers
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import disk
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.layout import EVERY_SERVICE
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import (
    KINDS,
    LITTER,
    LITTER_SUFFIXES,
    SHARED,
    Entry,
    Key,
    Version,
    checked_key,
)
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.store import Store
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.versions import Upload
from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import Response

from .. import volume
from ..api import file_models as models
from ..api import files as api
from ..api.common import Change, Changing, Looking, View, Viewer
from ..api.files import Opened
from ..errors import Problem, of_engine
from .changing import to_operation
from .page import page

router = APIRouter(prefix="/files", include_in_schema=False)
Room = Annotated[volume.Room, Depends(volume.room)]
Service = Annotated[str, Query(max_length=30)]

# Of the files of a version; whoever wants all of thousands asks the API.
FILES_SHOWN = 200
# Of a file that is written on a page, in bytes.
LONGEST_TEXT = 2**18


@dataclass(frozen=True)
class Text:
    """A small file as it was typed."""

    kind: str = SHARED
    service: str = ""
    name: str = ""
    text: str = ""


FIELDS = frozenset(field.name for field in fields(Text))


def typed_text(
    kind: Annotated[str, Form()] = "",
    service: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
) -> Text:
    # Forms send the ends of lines as no file has them.
    return Text(kind, service, name, text.replace("\r\n", "\n"))


@dataclass(frozen=True)
class Row:
    """An upload as the list has it; ``version`` is the one that is used, or the newest where none is."""

    key: Key
    version: Version
    is_used: bool
    newest: int
    services: Sequence[str]

    @property
    def address(self) -> str:
        return address(self.key)


def address(key: Key) -> str:
    return f"/files/{key.kind}/{key.scope or EVERY_SERVICE}/{key.name}"


def row(upload: Upload, services: Sequence[str]) -> Row:
    return Row(
        key=upload.key,
        version=upload.active or upload.newest,
        is_used=upload.active is not None,
        newest=upload.newest.version,
        services=[name for name in services if upload.active and upload.key.scope in ("", name)],
    )


def addressed(
    kind: Annotated[models.Kind, Path()],
    scope: Annotated[str, Path(max_length=30)],
    name: Annotated[models.UploadName, Path()],
) -> Key:
    return checked_key(kind, "" if scope == EVERY_SERVICE else scope, name)


Addressed = Annotated[Key, Depends(addressed)]
Number = Annotated[models.VersionNumber, Path()]


@router.get("")
def every(request: Request, look: Looking, who: Viewer, store: Opened, room: Room, service: Service = "") -> Response:
    return listed(request, look, who.role == "operator", store, room, "", service)


@router.get("/text")
def blank(request: Request, change: Changing, service: Service = "") -> Response:
    return text_form(request, change, Text(service=service), None)


@router.post("/text")
def write(request: Request, change: Changing, store: Opened, typed: Annotated[Text, Depends(typed_text)]) -> Response:
    """Checked at once, since it is small: what is wrong with it is said where it was typed."""
    try:
        key = checked_key(typed.kind, typed.service, typed.name)
        version = staged(store, key, typed.text, change.by.name)
        begun = published(change, store, key, version.version, dry_run=False)
    except DataOpsError as error:
        return text_form(request, change, typed, of_engine(error))
    return to_operation(request, begun)


def staged(store: Store, key: Key, text: str, by: str) -> Version:
    content = text.encode()
    if len(content) > LONGEST_TEXT:
        raise BadOption(
            f"it is longer than {disk.in_words(LONGEST_TEXT)}", where="text", next_step="Upload it as a file"
        )
    sha256 = hashlib.sha256(content).hexdigest()
    if store.missing([sha256]):
        begun = store.offset(sha256)
        store.write(sha256, len(content), begun, BytesIO(content[begun:]))
    return store.stage(key.kind, key.scope, key.name, by=by, entries=[Entry(key.name, sha256, len(content))])


def text_form(request: Request, change: Change, typed: Text, problem: Problem | None) -> Response:
    return page(
        request,
        "files_text.html",
        problem.status if problem else 200,
        typed=typed,
        problem=problem,
        # What is said of the content names its file.
        at=(problem.where if problem.where in FIELDS else "text") if problem else "",
        kinds=KINDS,
        services=services_of(change),
        longest=LONGEST_TEXT,
    )


@router.get("/{kind}")
def of_kind(
    request: Request, look: Looking, who: Viewer, store: Opened, room: Room, kind: models.Kind, service: Service = ""
) -> Response:
    return listed(request, look, who.role == "operator", store, room, kind, service)


def listed(
    request: Request, look: View, may_change: bool, store: Store, room: volume.Room, kind: str, service: str
) -> Response:
    services = services_of(look)
    found = [row(upload, services) for upload in store.catalog() if service == "" or upload.key.scope in ("", service)]
    return page(
        request,
        "files.html",
        kinds=[(each, sum(item.key.kind == each for item in found)) for each in KINDS],
        rows=[item for item in found if kind in ("", item.key.kind)],
        kind=kind,
        service=service,
        services=services,
        room=room,
        left_out={"names": sorted(LITTER), "suffixes": LITTER_SUFFIXES},
        may_change=may_change,
        in_words=disk.in_words,
    )


def services_of(look: View) -> list[str]:
    """Their names, by one list."""
    found = managers.services(look.kube, look.settings.namespace, look.settings.manager)
    return sorted(item["metadata"]["labels"][INSTANCE] for item in found)


@router.get("/{kind}/{scope}/{name}")
def history(request: Request, look: Looking, who: Viewer, store: Opened, key: Addressed) -> Response:
    upload = known(store, key)
    return page(
        request,
        "files_history.html",
        row=row(upload, services_of(look)),
        decided=upload.decided,
        versions=store.history(key.kind, key.scope, key.name),
        shown=FILES_SHOWN,
        may_change=who.role == "operator",
        in_words=disk.in_words,
    )


def known(store: Store, key: Key) -> Upload:
    found = next((upload for upload in store.catalog() if upload.key == key), None)
    if found is None:
        raise NotFound(f"there is no {key}", where="name", next_step="Choose one of the list of files")
    return found


@router.get("/{kind}/{scope}/{name}/use/{version}")
def ask_use(request: Request, change: Changing, store: Opened, key: Addressed, version: Number) -> Response:
    return asked(request, change, store, key, version)


@router.post("/{kind}/{scope}/{name}/use/{version}")
def use(request: Request, change: Changing, store: Opened, key: Addressed, version: Number) -> Response:
    return decided(request, change, store, key, version)


@router.get("/{kind}/{scope}/{name}/delete")
def ask_delete(request: Request, change: Changing, store: Opened, key: Addressed) -> Response:
    return asked(request, change, store, key, None)


@router.post("/{kind}/{scope}/{name}/delete")
def delete(request: Request, change: Changing, store: Opened, key: Addressed) -> Response:
    return decided(request, change, store, key, None)


def asked(request: Request, change: Change, store: Store, key: Key, version: int | None) -> Response:
    """What it would do, before anybody decides."""
    try:
        plan = published(change, store, key, version, dry_run=True)
    except DataOpsError as error:
        return confirmation(request, store, key, version, {}, of_engine(error))
    return confirmation(request, store, key, version, plan, None)


def decided(request: Request, change: Change, store: Store, key: Key, version: int | None) -> Response:
    try:
        begun = published(change, store, key, version, dry_run=False)
    except DataOpsError as error:
        return confirmation(request, store, key, version, {}, of_engine(error))
    return to_operation(request, begun)


def published(change: Change, store: Store, key: Key, version: int | None, *, dry_run: bool) -> dict[str, Any]:
    chosen = {"kind": key.kind, "service": key.scope, "name": key.name, "version": version}
    return api.publish(replace(change, dry_run=dry_run), models.Chosen.model_validate(chosen), store)


def confirmation(
    request: Request,
    store: Store,
    key: Key,
    version: int | None,
    plan: Mapping[str, Any],
    problem: Problem | None,
) -> Response:
    status = problem.status if problem else 200
    upload = row(known(store, key), ())
    return page(request, "files_confirm.html", status, row=upload, version=version, plan=plan, problem=problem)
