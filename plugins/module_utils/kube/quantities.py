# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities ("500m", "1Gi", "0.5") by their value."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_FORM = re.compile(
    r"^(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?\d+))?$"
)
_FACTORS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}


def quantity(value: Any) -> Decimal:
    """Value of a quantity as a manifest holds it; raises ValueError for anything else."""
    match = _FORM.match(str(value))
    if not match or isinstance(value, bool):
        raise ValueError(f"not a quantity: {value}")
    number = Decimal(match["number"])
    if match["exponent"]:
        return number.scaleb(int(match["exponent"]))
    return number * _FACTORS[match["suffix"]] if match["suffix"] else number


def same_quantity(one: Any, other: Any) -> bool:
    """Whether two spellings mean the same amount."""
    try:
        return quantity(one) == quantity(other)
    except ValueError:
        return False
