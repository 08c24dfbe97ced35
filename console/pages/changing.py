# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages that change something share: what was typed, in what objects would differ, the way to the operation."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from ..cluster import settings

DIFF_MARKS = {"+": "add", "-": "drop", "@": "place"}


async def typed(request: Request) -> dict[str, str]:
    """Fields of a form; files are none of them."""
    return {key: value for key, value in (await request.form()).items() if isinstance(value, str)}


Typed = Annotated[dict[str, str], Depends(typed)]


def difference(both: Mapping[str, str]) -> list[tuple[str, str]]:
    """Lines with what they are, some of those around the ones that differ."""
    before, after = both["before"].splitlines(), both["after"].splitlines()
    lines = list(difflib.unified_diff(before, after, lineterm=""))[2:]
    return [(DIFF_MARKS.get(line[:1], ""), line) for line in lines]


def to_operation(request: Request, begun: Mapping[str, Any]) -> Response:
    """Where it tells how far it is."""
    return RedirectResponse(f"{settings(request).root_path}/operations/{begun['operation_id']}", status_code=303)
