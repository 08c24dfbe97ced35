# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reach the API server through an HTTP proxy, or around it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..errors import BadOption
from .access import Access

if TYPE_CHECKING:
    import urllib3


def proxied_pool(proxy: str, settings: dict[str, Any]) -> urllib3.PoolManager:
    """Connections through `proxy`, whose address may hold user and password."""
    import urllib3

    wrong = BadOption(
        "it is not the address of a proxy", where="option proxy", next_step="Write it as http://NAME:PORT"
    )
    try:
        address = urlsplit(proxy)
        bare = address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()
        pair = f"{unquote(address.username)}:{unquote(address.password or '')}" if address.username else None
        return urllib3.ProxyManager(bare, proxy_headers=urllib3.make_headers(proxy_basic_auth=pair), **settings)
    except (ValueError, urllib3.exceptions.HTTPError) as error:
        raise wrong from error


def bypasses_proxy(access: Access) -> bool:
    """Whether no_proxy names the host: itself, a domain above it, a network it is in, or "*"."""
    host = (urlsplit(access.host).hostname or "").lower()
    entries = [entry.strip().lower() for entry in access.no_proxy.split(",")]
    return any(_matches(host, entry) for entry in entries if entry)


def _matches(host: str, entry: str) -> bool:
    if "/" in entry:
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name = entry.rpartition(":")[0] if entry.count(":") == 1 else entry
    return name == "*" or host == name.lstrip(".") or host.endswith(f".{name.lstrip('.')}")
