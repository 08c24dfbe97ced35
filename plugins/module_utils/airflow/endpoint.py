# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of stores outside of the service: one way to check them, and one to write them as a URL.

Every user and password is percent-encoded as a whole. What is left holds no character that Airflow's configuration
would expand (``$``), that an address would be split at (``/ : @ ? #``) or that a list would be split at.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from ..common import validation as check
from ..errors import BadOption

PORTS = (1, 65535)


@dataclass(frozen=True, repr=False)
class Login:
    """User and password in the clear. No ``repr``: nothing may print them by accident."""

    user: str
    password: str


def host(value: str, at: str) -> str:
    """A name, an IPv4 or an IPv6 address, the latter with or without brackets; given back without them."""
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if "%" in bare:
        raise BadOption(f"'{value}' is an address of one machine only", where=at, next_step="Use a name or an address")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return check.hostname(value.lower(), at)


def port(value: int, at: str) -> int:
    low, high = PORTS
    return check.whole_number(value, at, low=low, high=high)


def url(scheme: str, host: str, port: int, path: str, login: Login, options: Mapping[str, str] | None = None) -> str:
    """:param path: without its slash, already in the form that the reader of this address wants."""
    user = quote(login.user, safe="")
    credential = f"{user}:{quote(login.password, safe='')}@" if login.user or login.password else ""
    where = f"[{host}]" if ":" in host else host
    return f"{scheme}://{credential}{where}:{port}/{path}" + (f"?{urlencode(options)}" if options else "")
