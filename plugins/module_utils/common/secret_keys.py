# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value that stands in a Secret of the user's own: named by an option, never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import BadOption
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


# A text, or where it stands.
Value: TypeAlias = "str | SecretKey"


def is_reference(value: Any) -> bool:
    """Whether this is meant as ``{secret: NAME, key: KEY}``, be it complete or not."""
    return isinstance(value, Mapping) and "secret" in value and set(value) <= set(KEYS)


def reference(raw: Mapping[str, Any], at: str) -> SecretKey:
    """:raises BadOption: when one half is missing, or no Secret can have this name."""
    for key in KEYS:
        if not isinstance(raw.get(key), str) or not raw[key]:
            raise BadOption("it is not set", where=f"{at}.{key}", next_step="Write {secret: NAME, key: KEY}")
    return SecretKey(check.hostname(raw["secret"], f"{at}.secret"), raw["key"])
