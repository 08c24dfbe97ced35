# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value that stands in a Secret of the user's own: named by an option, looked up before use, never shown."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import BadOption, Refused
from ..kube.client import Kube
from ..kube.objects import Manifest
from . import validation as check

KEYS = ("secret", "key")


@dataclass(frozen=True, order=True)
class SecretKey:
    """One key of one Secret in the service's namespace."""

    secret: str
    key: str

    @property
    def source(self) -> Manifest:
        """As an environment variable of a container takes it."""
        return {"secretKeyRef": {"name": self.secret, "key": self.key}}


def is_reference(value: Any) -> bool:
    """Whether this is meant as ``{secret: NAME, key: KEY}``, be it complete or not."""
    return isinstance(value, Mapping) and "secret" in value and set(value) <= set(KEYS)


def reference(raw: Mapping[str, Any], at: str) -> SecretKey:
    """:raises BadOption: when one half is missing, or no Secret can have this name."""
    for key in KEYS:
        if not isinstance(raw.get(key), str) or not raw[key]:
            raise BadOption("it is not set", where=f"{at}.{key}", next_step="Write {secret: NAME, key: KEY}")
    return SecretKey(check.hostname(raw["secret"], f"{at}.secret"), raw["key"])


def read(kube: Kube, namespace: str, wanted: Mapping[SecretKey, str]) -> dict[SecretKey, str]:
    """What stands in the Secrets; each is asked for once.

    :param wanted: which option names it, for the message.
    :raises Refused: naming all that is missing.
    """
    names = sorted({item.secret for item in wanted})
    found = dict(zip(names, kube.each(lambda name: kube.get("Secret", name, namespace), names), strict=True))
    missing = {
        item: f"Secret '{item.secret}' does not exist"
        if found[item.secret] is None
        else f"Secret '{item.secret}' has no key '{item.key}'"
        for item in wanted
        if item.key not in ((found[item.secret] or {}).get("data") or {})
    }
    if missing:
        raise Refused(
            "; ".join(dict.fromkeys(missing.values())),
            where=", ".join(wanted[item] for item in missing),
            next_step=f"Create it in namespace {namespace}, or correct the name",
        )
    return {item: _text((found[item.secret] or {})["data"][item.key], wanted[item]) for item in wanted}


def _text(encoded: str, at: str) -> str:
    try:
        return base64.b64decode(encoded).decode()
    except UnicodeDecodeError as error:
        raise Refused("the Secret holds no text", where=at, next_step="Store it as UTF-8") from error
