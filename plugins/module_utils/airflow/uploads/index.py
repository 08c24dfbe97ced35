# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``python_index``: where libraries come from that were not uploaded as wheels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ...common import validation as check
from ...errors import BadOption

EXAMPLE = "Use https://HOST/PATH, such as https://pypi.example.com/simple"


@dataclass(frozen=True, kw_only=True)
class PythonIndex:
    """``secret`` names a Secret with the keys ``username`` and ``password``; empty when nobody asks for a login."""

    url: str
    secret: str


def python_index(raw: Mapping[str, Any], at: str = "python_index") -> PythonIndex | None:
    """None where pip's own setting in the image holds, which is PyPI unless the image says otherwise.

    :raises BadOption: naming the option, its value and what is allowed.
    """
    check.known_keys(raw, ("url", "secret"), at)
    if not raw:
        return None
    url = raw.get("url", "")
    parts = urlsplit(url)
    if "@" in parts.netloc:
        # Not quoted back: it holds the password.
        raise BadOption(
            "the address contains a user or password, which everybody who may look at a pod could read",
            where=f"{at}.url",
            next_step="Put them into a Secret with the keys username and password, and name it in secret",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise BadOption(f"'{url}' is not the address of a package index", where=f"{at}.url", next_step=EXAMPLE)
    return PythonIndex(url=url, secret=check.name_of_secret(raw.get("secret", ""), f"{at}.secret"))
