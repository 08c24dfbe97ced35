# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploaded files: contents piece by piece, versions, and what services would get.

A client asks which contents are missing, sends those from the offset at which each of them goes on, and then names the
files that they are (stage). What has been staged is used by nobody before it is activated.
"""

from __future__ import annotations

from asyncio import Future, ensure_future
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome, Timeline
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import disk
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import publish as publishing
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import Key, Version
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.publish import Publication
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.store import Store
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from .. import volume
from . import file_models as models
from .common import ERRORS, PREFIX, Change, Changing, Operator, Viewer
from .models import Accepted, Plan

# Refused while a client still sends: so much is taken and thrown away, since a client that cannot send on does not
# read why. Whatever is more ends with the connection.
DRAINED = 8 * 2**20
OFFSET, LENGTH, COMPLETE = "Upload-Offset", "Upload-Length", "Upload-Complete"
HEADERS = {
    OFFSET: {"description": "Where the next piece begins.", "schema": {"type": "integer"}},
    COMPLETE: {"description": "?1 when the content is whole and its checksum right.", "schema": {"type": "string"}},
}
PIECE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: ERRORS[status] for status in statuses}


PLANNED = {**ERRORS, 200: {"model": Plan, "description": "With dry_run: what would be done."}}
router = APIRouter(prefix=f"{PREFIX}/files", tags=["files"])
Opened = Annotated[Store, Depends(volume.store)]
Sha256 = Annotated[models.Sha256, Path()]


@router.post("/objects/missing", responses=refusals(400, 401, 403))
def missing(wanted: models.Wanted, store: Opened, who: Operator) -> models.Missing:
    """Which contents have to be uploaded."""
    return models.Missing(missing=store.missing(wanted.sha256s))


@router.head("/objects/{sha256}", status_code=204, responses={204: {"headers": HEADERS}, **refusals(400, 401)})
def offset(sha256: Sha256, store: Opened, who: Viewer) -> Response:
    """How much of a content is there."""
    return Response(status_code=204, headers=progress(store, sha256, store.offset(sha256)))


@router.patch(
    "/objects/{sha256}",
    status_code=204,
    responses={204: {"headers": HEADERS}, **refusals(400, 401, 403, 409)},
    openapi_extra=PIECE,
)
async def write(
    request: Request,
    sha256: Sha256,
    upload_offset: Annotated[models.Bytes, Header(description="Where this piece begins.")],
    upload_length: Annotated[models.Bytes, Header(description="Bytes of the whole content.")],
    store: Opened,
    who: Operator,
) -> Response:
    """The next piece of a content. What came before a connection broke is kept; a wrong content is thrown away."""
    try:
        receiving = await run_in_threadpool(store.receive, sha256, upload_length, upload_offset)
        try:
            await fed(blocks_of(request), receiving.feed)
            done = await run_in_threadpool(receiving.finish)
        finally:
            store.leave(receiving)
    except DataOpsError:
        await drain(request)
        raise
    return Response(status_code=204, headers=await run_in_threadpool(progress, store, sha256, done))


def progress(store: Store, sha256: str, done: int) -> dict[str, str]:
    whole = not store.missing([sha256])
    return {OFFSET: str(done), COMPLETE: "?1" if whole else "?0", "Cache-Control": "no-store"}


async def fed(blocks: AsyncIterator[bytes], feed: Callable[[bytes], None]) -> None:
    """Each block is written and taken into the checksum while the next one comes."""
    writing: Future[None] | None = None
    try:
        async for block in blocks:
            if writing:
                await writing
            writing = ensure_future(run_in_threadpool(feed, block))
    finally:
        if writing:
            await writing


async def blocks_of(request: Request) -> AsyncIterator[bytes]:
    """What comes, in pieces that are worth a write. A client that goes away has sent all that it will."""
    held: list[bytes] = []
    size = 0
    with suppress(ClientDisconnect):
        async for chunk in request.stream():
            held.append(chunk)
            size += len(chunk)
            if size >= disk.BLOCK:
                yield b"".join(held)
                held, size = [], 0
    if held:
        yield b"".join(held)


async def drain(request: Request) -> None:
    left = DRAINED
    with suppress(ClientDisconnect, RuntimeError):
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                break


@router.post("/stage", responses=refusals(400, 401, 403, 409))
def stage(asked: models.Staging, store: Opened, who: Operator) -> models.UploadVersion:
    """Check an upload and make it a version. With the content of the active or the newest version it is that one.

    A large archive takes longer than some Ingress Controllers wait for an answer; upload does not.
    """
    return models.UploadVersion.of(staged(store, asked, who.name))


def staged(store: Store, asked: models.Staging, by: str) -> Version:
    return store.stage(
        asked.kind,
        asked.service,
        asked.name,
        by=by,
        entries=[file.entry() for file in asked.entries or ()],
        archive=asked.archive.archive() if asked.archive else None,
    )


@router.post("/prospective", responses=refusals(400, 401, 403, 409))
def prospective(asked: models.Prospect, store: Opened, who: Operator) -> models.Generations:
    """What a service would get if these versions were active."""
    replacing = {chosen.key(): chosen.version for chosen in asked.replacing}
    found = store.prospective(asked.service, replacing)
    return models.Generations(plugins=found.plugins, requirements=found.requirements)


@router.post("/activate", status_code=204, responses=refusals(400, 401, 403, 409))
def activate(asked: models.Chosen, store: Opened, who: Operator) -> None:
    """Use a version from now on, or with null none of them. Shared files are in every pod within seconds."""
    store.activate(asked.kind, asked.service, asked.name, asked.version, who.name)


@router.post("/forget", status_code=204, responses=refusals(400, 401, 403))
def forget(asked: models.Forgotten, store: Opened, who: Operator) -> None:
    """Remove for ever what is for one service alone, as its removal with purge does. Twice is no harm.

    Pods of a service that still runs lose their shared files by that.
    """
    store.forget(asked.service)


@router.post("/upload", status_code=202, response_model=Accepted | Plan, responses=PLANNED)
def upload(change: Changing, asked: models.Staging, store: Opened) -> dict[str, Any]:
    """Check an upload, make it a version and publish that: stage and publish at once.

    What the check refuses is the error of the operation. With dry_run it becomes a version that is not used.
    """
    key = asked.key()

    def work(kube: Kube, timeline: Timeline) -> Outcome:
        timeline.say(f"checking {key}")
        return published(kube, store, wish_for(change, key, staged(store, asked, change.by.name).version), timeline)

    return change.told(work(change.kube, Timeline())) if change.dry_run else change.begun("publish", str(key), work)


@router.post("/publish", status_code=202, response_model=Accepted | Plan, responses=PLANNED)
def publish(change: Changing, asked: models.Chosen, store: Opened) -> dict[str, Any]:
    """Activate a version, or with null delete the upload, and bring that to the services.

    Plugins and libraries are tried in the image of each service first, and then rolled out.
    """
    key = asked.key()
    store.ensure_known(key, asked.version)
    wish = wish_for(change, key, asked.version)

    def work(kube: Kube, timeline: Timeline) -> Outcome:
        return published(kube, store, wish, timeline)

    return change.told(work(change.kube, Timeline())) if change.dry_run else change.begun(wish.verb, str(key), work)


def wish_for(change: Change, key: Key, version: int | None) -> Publication:
    return Publication(
        key=key,
        version=version,
        manager=change.settings.manager,
        namespace=change.settings.namespace,
        check_mode=change.dry_run,
        by=change.by,
    )


def published(kube: Kube, store: Store, wish: Publication, timeline: Timeline) -> Outcome:
    """The upload itself is the first of what changes: for shared files it is all."""
    before = next((upload.active for upload in store.catalog() if upload.key == wish.key), None)
    is_used = before.version if before else None
    own = publishing.deed(wish).changes if is_used != wish.version else ()
    done = publishing.publish(kube, store, wish, timeline)
    stopped = (f"service {name} is stopped and takes the files when it starts" for name in done.stopped)
    changes = (*own, *done.changes)
    return Outcome(changes, {}, restarted=done.restarted, warnings=tuple(stopped), timeline=done.timeline)


@router.get("", responses=refusals(400, 401))
def uploads(
    store: Opened,
    who: Viewer,
    kind: Annotated[models.Kind | None, Query(description="Only of this kind.")] = None,
    service: Annotated[str | None, Query(description="Only what this service gets: its own and that of all.")] = None,
) -> models.Uploads:
    """Every upload, those that were deleted included as long as there are versions of them."""
    found = [
        models.Upload.of(upload)
        for upload in store.catalog()
        if kind in (None, upload.key.kind) and (service is None or upload.key.scope in ("", service))
    ]
    return models.Uploads(uploads=found)


@router.get("/history", responses=refusals(400, 401))
def history(
    store: Opened,
    who: Viewer,
    kind: Annotated[models.Kind, Query()],
    name: Annotated[models.UploadName, Query()],
    service: Annotated[models.Service, Query()] = "",
) -> models.UploadHistory:
    """Versions of an upload with their files, newest first; none when there is no such upload."""
    found = [models.UploadVersion.of(version) for version in store.history(kind, service, name)]
    return models.UploadHistory(versions=found)
