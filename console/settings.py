# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the console is told when it starts: by its environment, and by files that hold its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PORT = 8080


@dataclass(frozen=True)
class Account:
    """Who may sign in. No ``repr``: nothing may print the password by accident."""

    id: str
    password: str

    def __repr__(self) -> str:
        return f"Account({self.id!r})"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``secrets`` is a folder with ``account/`` and ``keys/``; ``url`` is the address by which browsers come."""

    manager: str
    namespace: str
    files: Path
    secrets: Path
    url: str = ""
    root_path: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        return cls(
            manager=environment["DATAOPS_MANAGER"],
            namespace=environment["DATAOPS_NAMESPACE"],
            files=Path(environment.get("DATAOPS_FILES", "/files")),
            secrets=Path(environment.get("DATAOPS_SECRETS", "/secrets")),
            url=environment.get("DATAOPS_URL", ""),
            root_path=environment.get("DATAOPS_ROOT_PATH", "").rstrip("/"),
        )

    @property
    def secure(self) -> bool:
        """Whether browsers come by TLS, so that a cookie need never travel without it."""
        return urlsplit(self.url).scheme == "https"

    # Read each time: they are small, and a Secret that changes shows up in its file.

    @property
    def account(self) -> Account:
        return Account(self._secret("account", "id"), self._secret("account", "password"))

    @property
    def session_key(self) -> str:
        return self._secret("keys", "session-key")

    @property
    def engine_token(self) -> str:
        return self._secret("keys", "engine-token")

    def _secret(self, name: str, key: str) -> str:
        return (self.secrets / name / key).read_text(encoding="utf-8")
