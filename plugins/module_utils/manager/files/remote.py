# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of uploaded files as it is reached from outside: through the API server's service proxy and the console.

It has the methods of Store, so that whoever publishes files need not know on which side of the cluster it runs.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from ...airflow.secrets import decoded
from ...common import rights
from ...errors import BadOption, DataOpsError, NotFound, NotReady, Refused, Unreachable
from ...kube.client import Kube
from ...kube.lease import user_at_host
from ...kube.rights import Right
from ...kube.transport import Answer
from ..console import SERVICE_PORT
from ..manifests import ENGINE_TOKEN
from ..names import CONSOLE, KEYS
from .model import Archive, Entry, Key, Version
from .sending import Lost, patiently
from .store import Published

ROOT = "api/v1/files"
# Of a file that it has a part of the console makes the checksum first, and it unpacks archives before it answers.
ANSWER_SECONDS = 300.0
NOT_THERE = (502, 503, 504)
# What an answer is in the words of the engine.
REFUSALS: Mapping[int, type[DataOpsError]] = {400: BadOption, 404: Refused, 409: Refused}


class NoConsole(Refused):
    """The Manager is from before it had a console, or it was removed."""


def needed_rights(namespace: str) -> list[Right]:
    """Of whoever changes it. What a service's change needs it says itself."""
    read = [Right("get", "", resource, namespace) for resource in ("configmaps", "secrets")]
    through = [Right(verb, "", "services/proxy", namespace) for verb in ("get", "create", "patch")]
    return [*read, *through, *rights.of_lock(namespace)]


class RemoteStore:
    """The store behind the console of the Manager in ``namespace``."""

    def __init__(self, kube: Kube, namespace: str, manager: str) -> None:
        self._kube = kube
        self._namespace = namespace
        self._where = f"console of Manager {manager}"
        self._manager = manager
        self._headers: dict[str, str] = {}

    # Content, as sending.Receiver has it

    def missing(self, sha256s: Collection[str]) -> Sequence[str]:
        """Which of these objects have to be uploaded."""
        found: list[str] = self._ask("POST", "objects/missing", {"sha256s": list(sha256s)})["missing"]
        return found

    def offset(self, sha256: str) -> int:
        """How many bytes of an object are there."""
        return offset_in(self._exchange("HEAD", f"objects/{sha256}"))

    def write(self, sha256: str, size: int, offset: int, blocks: Iterable[bytes], length: int) -> int:
        """Send ``length`` bytes of an object; the offset where the next piece begins.

        :raises Lost: when it is worth to go on from where the other end has it.
        """
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(length),
            "Upload-Offset": str(offset),
            "Upload-Length": str(size),
        }
        try:
            return offset_in(self._exchange("PATCH", f"objects/{sha256}", body=blocks, headers=headers))
        except Refused as error:
            # An earlier connection may have brought more than we know, or still be at work.
            if self.offset(sha256) == offset:
                raise
            raise Lost(error.what, where=error.where) from error

    # Versions

    def stage(
        self,
        kind: str,
        scope: str,
        name: str,
        *,
        by: str = "",
        entries: Iterable[Entry] = (),
        archive: Archive | None = None,
    ) -> Version:
        """Make what was sent a version. Who did it the console knows by its own means."""
        content: dict[str, Any] = (
            {"archive": vars(archive)} if archive else {"entries": [vars(entry) for entry in entries]}
        )
        return Version.from_dict(self._ask("POST", "stage", {**key_of(kind, scope, name), **content}))

    def prospective(self, service: str, replacing: Mapping[Key, int | None] | None = None) -> Published:
        others = [
            {**key_of(key.kind, key.scope, key.name), "version": version} for key, version in (replacing or {}).items()
        ]
        found = self._ask("POST", "prospective", {"service": service, "replacing": others})
        return Published(found["plugins"], found["requirements"])

    def activate(self, kind: str, scope: str, name: str, version: int | None, by: str = "") -> None:
        self._ask("POST", "activate", {**key_of(kind, scope, name), "version": version})

    def catalog(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "")["uploads"]
        return found

    def history(self, kind: str, scope: str, name: str) -> list[Version]:
        found = self._ask("GET", f"history?{urlencode(key_of(kind, scope, name))}")
        return [Version.from_dict(version) for version in found["versions"]]

    def of_service(self, service: str) -> list[Key]:
        """Uploads that are for this service alone."""
        found = (Key(each["kind"], each["service"], each["name"]) for each in self.catalog())
        return [key for key in found if key.scope == service]

    def forget(self, service: str) -> None:
        self._ask("POST", "forget", {"service": service})

    # How it is asked

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """All of these may be asked twice: what was done already is not done again."""
        return patiently(lambda: self._answer(method, path, body))

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        content = {} if data is None else {"Content-Type": "application/json"}
        answer = self._exchange(method, path, body=data, headers=content)
        try:
            return json.loads(answer.body) if answer.body else {}
        except ValueError as error:
            raise NotReady("its answer is not JSON", where=self._where, next_step=self._update()) from error

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {"Accept": "application/json", **self._signed(), **(headers or {})}
        url = f"{ROOT}/{path}" if path else ROOT
        try:
            answer = self._kube.reach(
                method, self._namespace, CONSOLE, SERVICE_PORT, url, body=body, headers=sent, timeout=ANSWER_SECONDS
            )
        except NotFound as error:
            raise self._no_console() from error
        except Unreachable as error:
            raise Lost(error.what, where=error.where, next_step=error.next_step) from error
        if answer.status in NOT_THERE and not problem_in(answer.body):
            raise Lost(
                f"it does not answer (status {answer.status})",
                where=self._where,
                next_step=f"Look at Deployment {CONSOLE}",
            )
        if answer.status >= 300:
            raise self._refusal(answer)
        return answer

    def _signed(self) -> dict[str, str]:
        if not self._headers:
            token = decoded(self._kube.get("Secret", KEYS, self._namespace)).get(ENGINE_TOKEN)
            if not token:
                raise self._no_console()
            self._headers = {"X-DataOps-Token": token, "X-DataOps-By": user_at_host()}
        return self._headers

    def _refusal(self, answer: Answer) -> DataOpsError:
        said = problem_in(answer.body)
        if answer.status == 401:
            return Refused(f"it does not take the key of Secret {KEYS}", where=self._where, next_step=self._update())
        if said is None:
            what = f"it answered with status {answer.status}"
            return NotReady(what, where=self._where, next_step=self._update())
        kind = REFUSALS.get(answer.status, NotReady)
        return kind(said.get("what", ""), where=said.get("where", ""), next_step=said.get("next_step", ""))

    def _no_console(self) -> NoConsole:
        return NoConsole("it has no console", where=f"Manager {self._manager}", next_step=self._update())

    def _update(self) -> str:
        return f"Run scp.dataops.dataops_manager for '{self._manager}', which brings its console up to date"


def key_of(kind: str, scope: str, name: str) -> dict[str, str]:
    """An upload in the words of the console."""
    return {"kind": kind, "service": scope, "name": name}


def offset_in(answer: Answer) -> int:
    return int(answer.headers.get("Upload-Offset") or 0)


def problem_in(body: bytes) -> dict[str, str] | None:
    """What the console says is wrong; None when it was not the console that answered."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else None
