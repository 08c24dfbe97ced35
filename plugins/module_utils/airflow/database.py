# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Airflow's database: embedded PostgreSQL, or one that somebody else keeps.

This module knows the option and the addresses made of it. The embedded one as objects of the cluster is in
:mod:`.embedded`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..common import validation as check
from ..errors import BadOption
from . import endpoint, names
from .endpoint import Login

NAME = USER = "airflow"
PORT = 5432
OPTIONS = (
    "host",
    "port",
    "name",
    "secret",
    "username_key",
    "password_key",
    "ssl_mode",
    "ca_secret",
    "ca_key",
    "moved_from",
)
SSL_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
VERIFYING = ("verify-ca", "verify-full")
# Airflow's address reader takes a database's name literally, so it can hold nothing that would need encoding.
DATABASE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where Airflow keeps its state. Without a host it is the embedded one."""

    host: str = ""
    port: int = PORT
    name: str = NAME
    secret: str = ""
    username_key: str = ""
    password_key: str = ""
    ssl_mode: str = ""
    ca_secret: str = ""
    ca_key: str = ""
    moved_from: str = ""

    @property
    def embedded(self) -> bool:
        return not self.host

    @property
    def verifies(self) -> bool:
        return self.ssl_mode in VERIFYING

    @property
    def ca_file(self) -> str:
        """Authorities that the server's certificate is held against; without one given, those of the image."""
        return names.DATABASE_CA_FILE if self.ca_secret else names.SYSTEM_CA_FILE

    @property
    def place(self) -> str:
        """HOST:PORT/NAME, which tells one external database from another."""
        return place(self.host, self.port, self.name)


EMBEDDED = Database()


def from_options(raw: Mapping[str, Any], at: str = "database") -> Database:
    """:raises BadOption: naming the option and what is allowed."""
    check.known_keys(raw, OPTIONS, at)
    if not raw:
        return EMBEDDED
    for key, why in (
        ("host", "Set it, or clear all of database to use the embedded one"),
        ("secret", "Name the Secret in the service's namespace that holds user and password"),
    ):
        if not raw.get(key):
            raise BadOption("it is not set", where=f"{at}.{key}", next_step=why)
    name = raw.get("name", NAME)
    if not DATABASE_NAME.fullmatch(name):
        raise BadOption(
            f"'{name}' is not a database's name that Airflow can take",
            where=f"{at}.name",
            next_step="Use at most 63 letters, digits, '_', '.' and '-'",
        )
    mode = raw.get("ssl_mode", "verify-full" if raw.get("ca_secret") else "prefer")
    if mode not in SSL_MODES:
        raise BadOption(
            f"'{mode}' is not a mode of PostgreSQL", where=f"{at}.ssl_mode", next_step=f"Use {', '.join(SSL_MODES)}"
        )
    if raw.get("ca_secret") and mode not in VERIFYING:
        raise BadOption(
            f"with ssl_mode {mode} the server's certificate is not verified",
            where=f"{at}.ca_secret",
            next_step=f"Use ssl_mode {' or '.join(VERIFYING)}, or leave ca_secret out",
        )
    return Database(
        host=endpoint.host(raw["host"], f"{at}.host"),
        port=endpoint.port(raw.get("port", PORT), f"{at}.port"),
        name=name,
        secret=raw["secret"],
        username_key=raw.get("username_key", "username"),
        password_key=raw.get("password_key", "password"),
        ssl_mode=mode,
        ca_secret=raw.get("ca_secret", ""),
        ca_key=raw.get("ca_key", "ca.crt"),
        moved_from=raw.get("moved_from", ""),
    )


def place(host: str, port: int, name: str) -> str:
    return f"[{host}]:{port}/{name}" if ":" in host else f"{host}:{port}/{name}"


def connections(database: Database, service: str, drivers: tuple[str, str], login: Login) -> dict[str, str]:
    """Both addresses are written out: Airflow would derive the second from the first and get drivers wrong.

    The two drivers also disagree on what the option for TLS is called.
    """
    host = database.host or names.database(service)

    def address(driver: str, option: str) -> str:
        options = {option: database.ssl_mode} if database.ssl_mode else None
        return endpoint.url(driver, host, database.port, database.name, login, options)

    sync, parallel = drivers
    return {"connection": address(sync, "sslmode"), "connection-async": address(parallel, "ssl")}
