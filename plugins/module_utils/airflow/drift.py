# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what the cluster differs from the record: a plan that asks for nothing new, told object by object.

It is the very plan that the next run would make, so what is told here is what that run sets right. Fields are named and
never quoted: a value may be a secret wherever somebody put one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..common.outcome import shown
from ..errors import DataOpsError, Unauthorized
from ..kube.client import Kube
from ..kube.objects import Manifest
from ..kube.plan import Change
from .plan import Live, Request, examined

DIFFERENCES = {"create": "missing", "update": "changed", "delete": "left over"}
# What makes an item of a list known, so that it is found again at another place in it.
KNOWN_BY = ("name", "mountPath", "containerPort", "ip", "key")


def drift(kube: Kube, request: Request) -> list[dict[str, Any]]:
    """One line per object that differs; empty when there is none. Nothing is written.

    :param request: names the service and its state, and no option.
    """
    # Forced, since a field that somebody set by hand is theirs now, and the server would only speak of a conflict.
    asked = replace(request, check_mode=True, force=True, preflight=False)
    try:
        plan, problem = examined(kube, asked)
    except Unauthorized:
        raise
    except DataOpsError as error:
        return [not_compared(request, error)]
    lines = [line(change, plan.live) for change in plan.changes]
    return [*lines, *([not_compared(request, problem)] if problem else [])]


def line(change: Change, live: Live) -> dict[str, Any]:
    # A Job that is to be made although it is there did not succeed.
    failed = change.action == "create" and change.ref in live
    return {
        "object": shown(change.ref),
        "difference": "failed" if failed else DIFFERENCES[change.action],
        "fields": list(fields(change.before, change.after)) if change.action == "update" else [],
        "reason": "",
    }


def not_compared(request: Request, error: DataOpsError) -> dict[str, Any]:
    return {
        "object": error.where or f"service {request.name}",
        "difference": "not compared",
        "fields": [],
        "reason": str(error),
    }


def fields(before: Manifest | None, after: Manifest | None) -> Iterator[str]:
    """Paths at which two objects differ, such as ``spec.template.spec.containers[scheduler].image``."""
    yield from differing(before or {}, after or {}, "")


def differing(before: Any, after: Any, at: str) -> Iterator[str]:
    both = (before, after)
    if all(isinstance(value, dict) for value in both):
        for key in sorted({*before, *after}):
            inside = f"[{key}]" if set("./") & set(key) else f".{key}" if at else key
            yield from differing(before.get(key), after.get(key), f"{at}{inside}")
    elif all(isinstance(value, list) for value in both):
        old, new = by_name(before), by_name(after)
        for name in dict.fromkeys([*old, *new]):
            yield from differing(old.get(name), new.get(name), f"{at}[{name}]")
    elif before != after:
        yield at


def by_name(items: list[Any]) -> dict[str, Any]:
    """Items of a list by what they are known by, else by their place."""
    known = next((key for key in KNOWN_BY if all(isinstance(item, dict) and key in item for item in items)), "")
    return {str(item[known] if known else place): item for place, item in enumerate(items)}
