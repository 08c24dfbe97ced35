# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run in the form that both doors show, and what must not be shown of what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...errors import needed_library
from .planning import Change
from .sameness import secret_texts
from .service import Report


def result(done: Report, *, with_diff: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "changed": bool(done.changes),
        "actions": [str(change) for change in done.changes],
        "drift": dict(done.drift),
        "warnings": list(done.warnings),
    }
    if with_diff:
        shown["diff"] = diff(done.changes)
    return shown


def diff(changes: Iterable[Change]) -> dict[str, str]:
    """What changes, before and after, by kind and key."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for change in changes:
        for side, fields in ((before, change.before), (after, change.after)):
            if fields is not None:
                side.setdefault(change.kind.name, {})[change.key] = dict(fields)
    return {"before": as_yaml(before), "after": as_yaml(after)}


def as_yaml(content: Mapping[str, Any]) -> str:
    with needed_library("pyyaml"):
        import yaml
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True) if content else ""
    return text


def written_secrets(options: Mapping[str, Any]) -> Iterator[str]:
    """Texts that were written out in the options under a name that sounds secret."""
    for item in options.get("connections") or ():
        yield from secret_texts("", item.get("extra") or {})
    for item in options.get("variables") or ():
        yield from secret_texts(str(item.get("key") or ""), item.get("value"))
