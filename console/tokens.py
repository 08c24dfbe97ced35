# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API tokens: made once, shown once, kept as fingerprints in a Secret beside the Manager."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import decoded
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import MANAGER, labels
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, NotFound, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.manager.names import TOKENS

from .settings import Settings

Role = Literal["viewer", "operator"]
ROLES = get_args(Role)
PREFIX = "dops"
LONGEST_NAME = 60
# Each request with a token goes through all of them, and one Secret holds them.
MOST = 200
# A token that is revoked elsewhere is taken for so long at most.
REMEMBERED_SECONDS = 5.0


@dataclass(frozen=True)
class Token:
    id: str
    name: str
    role: Role
    created: str
    sha256: str


class Tokens:
    """All tokens of the Manager; threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, Token] = {}
        self._looked = float("-inf")
        self._lock = threading.Lock()

    def of(self, kube: Kube, shown: str) -> Token | None:
        """The token that somebody shows; None when it is none of ours."""
        prefix, _first, rest = shown.partition("_")
        identifier, _second, secret = rest.partition("_")
        if prefix != PREFIX or not secret:
            return None
        token = self.all(kube).get(identifier)
        return token if token and hmac.compare_digest(fingerprint(secret), token.sha256) else None

    def all(self, kube: Kube) -> Mapping[str, Token]:
        with self._lock:
            if time.monotonic() - self._looked > REMEMBERED_SECONDS:
                found = decoded(kube.get("Secret", TOKENS, self._settings.namespace))
                self._known = {key: Token(**json.loads(value)) for key, value in found.items()}
                self._looked = time.monotonic()
            return dict(self._known)

    def get(self, kube: Kube, identifier: str) -> Token:
        """:raises NotFound: there is none."""
        found = self.all(kube).get(identifier)
        if found is None:
            raise NotFound("there is no such token", where="token_id", next_step="List /v1/tokens")
        return found

    def check(self, kube: Kube, name: str, role: str) -> tuple[str, Role]:
        """Name and role of a token that can be made.

        :raises BadOption: they cannot be. :raises Refused: the name is taken, or there are too many.
        """
        name = name.strip()
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise BadOption("a token needs a name", where="name", next_step=f"Use 1 to {LONGEST_NAME} characters")
        if role not in ROLES:
            raise BadOption(f"'{role}' is not a role", where="role", next_step="Use viewer or operator")
        known = self.all(kube).values()
        # The activity tells by this name who did what.
        if name in {token.name for token in known}:
            raise Refused(f"there is a token '{name}'", where="name", next_step="Revoke it, or choose another name")
        if len(known) >= MOST:
            raise Refused(f"there are {len(known)} tokens", where="name", next_step="Revoke those that nobody uses")
        return name, "operator" if role == "operator" else "viewer"

    def create(self, kube: Kube, name: str, role: str) -> tuple[Token, str]:
        """A new token, and its text, which nobody can read again.

        :raises DataOpsError: as :meth:`check`.
        """
        name, kind = self.check(kube, name, role)
        identifier, secret = secrets.token_hex(4), secrets.token_hex(24)
        created = kube.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        made = Token(identifier, name, kind, created, fingerprint(secret))
        self._write(kube, {identifier: base64.b64encode(json.dumps(asdict(made)).encode()).decode()})
        return made, f"{PREFIX}_{identifier}_{secret}"

    def revoke(self, kube: Kube, identifier: str) -> None:
        """:raises NotFound: there is none."""
        self._write(kube, {self.get(kube, identifier).id: None})

    def _write(self, kube: Kube, data: Mapping[str, Any]) -> None:
        place = self._settings.namespace
        if kube.get("Secret", TOKENS, place) is None:
            kube.apply(empty(self._settings))
        kube.patch("Secret", TOKENS, place, {"data": dict(data)})
        with self._lock:
            self._looked = float("-inf")


def empty(settings: Settings) -> dict[str, Any]:
    marks = labels(MANAGER, settings.manager, settings.manager, "tokens")
    metadata = {"name": TOKENS, "namespace": settings.namespace, "labels": marks}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}


def fingerprint(secret: str) -> str:
    """Of 192 random bits, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
