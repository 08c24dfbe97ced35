# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk to one API server: the few verbs that everything else is made of."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar
from urllib.parse import quote

from ..errors import Conflict, NotFound, Unreachable
from .access import Access
from .answers import explain, status_of
from .kinds import KINDS, path
from .masking import encoded
from .objects import Manifest, Ref, ref_of
from .request import Request, target
from .transport import Answer, Transport
from .watch import Watch

FIELD_MANAGER = "scp.dataops"

_AT_ONCE = 8
_PAGE = 500
_LOG_BYTES = 65536
# A watch that the server should have closed by now: its connection was lost without a word.
_WATCH_GRACE = 10
_SPEAKS_FOR_ITSELF = (401, 403, 404)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Kube:
    """A cluster, seen as one user. Threads may share it."""

    _guard: Callable[[Ref], None] | None = None

    def __init__(self, access: Access, *, request_timeout: float = 30) -> None:
        self.access = access
        self._transport = Transport(access, request_timeout=request_timeout)

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._transport.requests

    def now(self) -> datetime:
        """The time by the API server's clock (as of its last answer), to compare with times in its objects."""
        return datetime.now(timezone.utc) + timedelta(seconds=self._transport.clock_ahead)

    @contextmanager
    def guarded(self, guard: Callable[[Ref], None]) -> Iterator[None]:
        """Meanwhile `guard` is asked before each write, of whichever part of a run, and may refuse it by an error.

        Of one inside another only the inner one is asked.
        """
        outer, self._guard = self._guard, guard
        try:
            yield
        finally:
            self._guard = outer

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        """One object; None when it does not exist."""
        try:
            return self._object(Request("GET", path(kind, namespace, name), "get", target(kind, name, namespace)))
        except NotFound:
            return None

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "", limit: int = 0
    ) -> builtins.list[Manifest]:
        """Objects of a kind, in all namespaces when none is given; at most `limit` of them unless it is 0."""
        return self.list_versioned(kind, namespace, labels=labels, fields=fields, limit=limit)[0]

    def list_versioned(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "", limit: int = 0
    ) -> tuple[builtins.list[Manifest], str]:
        """Like `list`, with the resource version from which a watch goes on."""
        query = {"limit": str(limit or _PAGE), "labelSelector": labels, "fieldSelector": fields}
        items: builtins.list[Manifest] = []
        while True:
            sent = {key: value for key, value in query.items() if value}
            page = self._object(Request("GET", path(kind, namespace), "list", target(kind, "", namespace), sent))
            # The server leaves out of a list what all of its items share.
            shared = {"apiVersion": KINDS[kind].api_version, "kind": kind}
            items.extend({**shared, **item} for item in page.get("items") or [])
            query["continue"] = page["metadata"].get("continue") or ""
            if limit or not query["continue"]:
                return items, str(page["metadata"].get("resourceVersion") or "")

    def list_all(self, kinds: Sequence[str], namespace: str, *, labels: str) -> builtins.list[Manifest]:
        """Objects of several kinds, one request each, all at once."""
        found = self.each(lambda kind: self.list(kind, namespace, labels=labels), kinds)
        return [item for items in found for item in items]

    def apply(
        self, manifest: Manifest, *, dry_run: bool = False, force: bool = False, manager: str = FIELD_MANAGER
    ) -> Manifest:
        """Server-side apply as a field manager, ours by default; `force` takes fields over from other managers."""
        try:
            return self._apply(manifest, dry_run=dry_run, force=force, manager=manager)
        except Conflict as error:
            # What we created or patched counts as another owner of the same name; it is nobody else's.
            if error.owners != (FIELD_MANAGER,):
                raise
            return self._apply(manifest, dry_run=dry_run, force=True, manager=manager)

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create an object; raises Conflict when it exists. Reviews, which only ask, are created too."""
        kind, metadata = manifest["kind"], manifest.get("metadata") or {}
        namespace = metadata.get("namespace")
        review = kind.endswith("Review")
        self._ask_guard(Ref(kind, metadata.get("name") or "", namespace or ""), dry_run=dry_run or review)
        request = Request(
            "POST",
            path(kind, namespace),
            "create",
            target(kind, metadata.get("name") or "", namespace),
            {} if review else {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"},
            json.dumps(encoded(manifest)).encode(),
            {"Content-Type": "application/json"},
            repeatable=dry_run or review,
            manifest=manifest,
        )
        return self._sent(request, dry_run=dry_run)

    def patch(
        self, kind: str, name: str, namespace: str | None, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> Manifest:
        """JSON merge patch; with metadata.resourceVersion in it, Conflict when that is not the newest one."""
        self._ask_guard(Ref(kind, name, namespace or ""), dry_run=dry_run)
        request = Request(
            "PATCH",
            path(kind, namespace, name),
            "patch",
            target(kind, name, namespace),
            {"fieldManager": FIELD_MANAGER},
            json.dumps(body).encode(),
            {"Content-Type": "application/merge-patch+json"},
            manifest={"kind": kind, **body},
        )
        return self._sent(request, dry_run=dry_run)

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        propagation: str = "Background",
        version: str = "",
        grace: int | None = None,
    ) -> None:
        """Delete an object; that it does not exist is fine. Conflict when `version` is given and not the newest one.

        :param grace: seconds in which a pod has to end, instead of those that it asks for.
        """
        self._ask_guard(Ref(kind, name, namespace or ""), dry_run=dry_run)
        options = {
            "propagationPolicy": propagation,
            **({"preconditions": {"resourceVersion": version}} if version else {}),
            **({} if grace is None else {"gracePeriodSeconds": grace}),
        }
        body = json.dumps(options).encode()
        request = Request(
            "DELETE",
            path(kind, namespace, name),
            "delete",
            target(kind, name, namespace),
            _dry_run(dry_run),
            body,
            {"Content-Type": "application/json"},
        )
        try:
            self._transport.send(request)
        except NotFound:
            return

    def watch(
        self,
        kind: str,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
        timeout: float,
    ) -> Watch:
        """Events (ADDED, MODIFIED, DELETED, BOOKMARK) until the server closes the watch, at the latest after `timeout`.

        Raises ApiError with status 410 when `resource_version` is too old to go on from, Unreachable when the
        connection breaks.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, round(timeout))),
            "labelSelector": labels,
            "fieldSelector": fields,
            "resourceVersion": resource_version,
        }
        sent = {key: value for key, value in query.items() if value}
        request = Request(
            "GET", path(kind, namespace), "watch", target(kind, "", namespace), sent, timeout=timeout + _WATCH_GRACE
        )
        return Watch(kind, request, self._transport.stream(request), self.access)

    def logs(self, pod: str, namespace: str, *, container: str = "", lines: int = 20, previous: bool = False) -> str:
        """The last log lines of a container, "" when there are none (yet)."""
        query = {
            "tailLines": str(lines),
            "limitBytes": str(_LOG_BYTES),
            "container": container,
            "previous": "true" if previous else "",
        }
        request = Request(
            "GET",
            f"{path('Pod', namespace, pod)}/log",
            "get the log of",
            target("Pod", pod, namespace),
            {key: value for key, value in query.items() if value},
            headers={"Accept": "*/*"},
        )
        answer = self._transport.exchange(request)
        # 400: the container has not started, or has no previous one.
        if answer.status in (400, 404):
            return ""
        if answer.status >= 300:
            raise explain(request, answer.status, answer.body, self.access)
        return answer.body.decode(errors="replace")

    def proxy(
        self,
        method: str,
        namespace: str,
        service: str,
        port: int,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        timeout: float = 10,
    ) -> tuple[int, bytes]:
        """Call a service through the API server: its status and body, 502 to 504 when nothing behind it answers.

        `cookies` are sent along, and changed as the service sets them: one dictionary over several calls is a session.
        Raises ApiError only when the API server itself says that we may not, or that there is no such service.
        """
        sent = {**_cookie_header(cookies), **(headers or {})}
        answer = self.reach(method, namespace, service, port, path, body=body, headers=sent, timeout=timeout)
        if cookies is not None:
            cookies.update(_cookie(line) for line in answer.cookies)
        return answer.status, answer.body

    def reach(
        self,
        method: str,
        namespace: str,
        service: str,
        port: int,
        path: str,
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10,
    ) -> Answer:
        """Like `proxy`, with the headers of the answer; `body` may come in blocks, with its Content-Length."""
        request = Request(
            method,
            f"/api/v1/namespaces/{quote(namespace, safe='')}/services/{quote(service, safe='')}:{port}/proxy/"
            + path.lstrip("/"),
            "reach",
            target("Service", service, namespace),
            body=body,
            headers={"Accept": "*/*", **(headers or {})},
            repeatable=method in ("GET", "HEAD"),
            timeout=timeout,
        )
        answer = self._transport.exchange(request, retry_broken=False)
        if answer.status in _SPEAKS_FOR_ITSELF and status_of(answer.body) is not None:
            raise explain(request, answer.status, answer.body, self.access)
        return answer

    def version(self) -> str:
        """Version of the API server, such as "v1.33.1"."""
        return str(self._object(Request("GET", "/version", "get", "version")).get("gitVersion") or "")

    def each(self, function: Callable[[Item], Result], items: Iterable[Item]) -> builtins.list[Result]:
        """Call `function` on every item, several at once; results in order, the first error once all have ended."""
        todo = tuple(items)
        if len(todo) < 2:
            return [function(item) for item in todo]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(_AT_ONCE, len(todo)), thread_name_prefix="kube") as threads:
            running = [threads.submit(function, item) for item in todo]
        return [future.result() for future in running]

    def close(self) -> None:
        """Drop connections and end open watches."""
        self._transport.close()

    def _apply(self, manifest: Manifest, *, dry_run: bool, force: bool, manager: str) -> Manifest:
        manifest = encoded(manifest)
        ref = ref_of(manifest)
        self._ask_guard(ref, dry_run=dry_run)
        request = Request(
            "PATCH",
            path(ref.kind, ref.namespace, ref.name),
            "apply",
            target(ref.kind, ref.name, ref.namespace),
            {"fieldManager": manager, "fieldValidation": "Strict", "force": "true" if force else "false"},
            json.dumps(manifest).encode(),
            {"Content-Type": "application/apply-patch+yaml"},
            manifest=manifest,
        )
        return self._sent(request, dry_run=dry_run)

    def _ask_guard(self, ref: Ref, *, dry_run: bool) -> None:
        if self._guard and not dry_run:
            self._guard(ref)

    def _sent(self, request: Request, *, dry_run: bool) -> Manifest:
        return self._object(replace(request, query={**request.query, **_dry_run(dry_run)}))

    def _object(self, request: Request) -> Manifest:
        return self._parsed(self._transport.send(request))

    def _parsed(self, body: bytes) -> Manifest:
        try:
            value = json.loads(body)
        except ValueError as error:
            raise self._stranger() from error
        if not isinstance(value, dict):
            raise self._stranger()
        return value

    def _stranger(self) -> Unreachable:
        return Unreachable(
            "what answers at this address is not a Kubernetes API server",
            where=f"{self.access.host} ({self.access.source})",
            next_step="Correct host, and look at proxies and login pages in between",
        )


def _dry_run(asked: bool) -> dict[str, str]:
    return {"dryRun": "All"} if asked else {}


def _cookie_header(cookies: Mapping[str, str] | None) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}


def _cookie(line: str) -> tuple[str, str]:
    """Name and value of a Set-Cookie line; for how long and where it holds does not matter to a session this short."""
    name, _equals, value = line.partition(";")[0].partition("=")
    return name.strip(), value.strip()
