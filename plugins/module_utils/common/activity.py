# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Activity: who changed what and when, whichever door it came by.

A ConfigMap beside the Manager's record, one key per entry, so that a run appends by one patch and reads nothing first;
two runs at once cannot lose each other's entry. The Manager makes it and it goes with the Manager. A run that changes
nothing writes no entry, and an entry that cannot be written never fails a run: what was done is done.

Options are named, and what they hold is left out. Objects have names only, too.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import timezone
from typing import Any

from ..errors import DataOpsError
from ..kube.client import Kube
from ..kube.lease import user_at_host
from ..kube.objects import Manifest
from ..kube.plan import Change
from .labels import MANAGER, labels
from .outcome import actions

NAME = "dataops-manager-activity"
KEPT = 500
# Old entries go in batches, so that a full list costs one write per run like any other.
BATCH = 25
# An entry is to be read by people, and all of them together must fit into a ConfigMap, which takes a mebibyte.
LONGEST_LIST = 8
LONGEST_LINE = 72
LONGEST_REASON = 200

CONSOLE, API, PLAYBOOK = "console", "api", "playbook"
DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class By:
    """Who: the door that somebody came by, and the name that they have there."""

    door: str
    name: str


def this_process() -> By:
    """A module, in a playbook or by hand."""
    return By(PLAYBOOK, user_at_host())


@dataclass(frozen=True)
class Deed:
    """What a run sets out to do."""

    by: By
    # "service etl"
    target: str
    # create, change, upgrade, start, stop, restart, remove
    verb: str
    options: Sequence[str] = ()
    changes: Sequence[Change] = ()
    restarted: Sequence[str] = ()


@dataclass(frozen=True)
class Entry:
    """One line of the activity, as it is kept; `when` is the API server's time."""

    when: str
    door: str
    name: str
    target: str
    verb: str
    result: str = DONE
    reason: str = ""
    options: tuple[str, ...] = field(default=())
    actions: tuple[str, ...] = field(default=())
    restarted: tuple[str, ...] = field(default=())


def manifest(manager: str, namespace: str) -> Manifest:
    """Without entries: those belong to the runs that wrote them."""
    metadata = {"name": NAME, "namespace": namespace, "labels": labels(MANAGER, manager, manager, "activity")}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


@contextmanager
def told(kube: Kube, namespace: str, deed: Deed) -> Iterator[None]:
    """Do it inside; that it was done, or why it was not, becomes an entry. A deed without changes is none."""
    try:
        yield
    except DataOpsError as error:
        _append(kube, namespace, deed, FAILED, str(error))
        raise
    _append(kube, namespace, deed, DONE, "")


def _append(kube: Kube, namespace: str, deed: Deed, result: str, reason: str) -> None:
    if not deed.changes:
        return
    moment = kube.now().astimezone(timezone.utc)
    entry = Entry(
        when=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        door=deed.by.door,
        name=_shortened(deed.by.name, LONGEST_LINE),
        target=deed.target,
        verb=deed.verb,
        result=result,
        reason=_shortened(reason, LONGEST_REASON),
        options=_listed(deed.options),
        actions=_listed(actions(deed.changes)),
        restarted=tuple(deed.restarted),
    )
    said = {key: value for key, value in asdict(entry).items() if value}
    # Keys sort by time, those of one moment by chance.
    key = f"{moment.strftime('%Y-%m-%dT%H-%M-%S.%f')}-{uuid.uuid4().hex[:6]}"
    with suppress(DataOpsError):
        after = kube.patch("ConfigMap", NAME, namespace, {"data": {key: json.dumps(said, ensure_ascii=False)}})
        keys = sorted(after.get("data") or {})
        if len(keys) >= KEPT + BATCH:
            kube.patch("ConfigMap", NAME, namespace, {"data": dict.fromkeys(keys[:-KEPT])})


def _shortened(text: str, most: int) -> str:
    """Its first line: what an error quotes of a log can be long."""
    line = text.partition("\n")[0]
    return line if len(line) <= most else f"{line[:most]}…"


def _listed(lines: Iterable[str]) -> tuple[str, ...]:
    every = tuple(_shortened(line, LONGEST_LINE) for line in lines)
    more = len(every) - LONGEST_LIST
    return every if more <= 0 else (*every[:LONGEST_LIST], f"and {more} more")


def read(found: Manifest | None) -> list[Entry]:
    """The newest first. What a later release wrote besides is left out."""
    data = (found or {}).get("data") or {}
    known = {item.name for item in fields(Entry)}
    return [
        Entry(**{name: _frozen(value) for name, value in json.loads(data[key]).items() if name in known})
        for key in sorted(data, reverse=True)[:KEPT]
    ]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def names_of_changes(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Options that differ between two records, such as ``git_sync.ref``."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        both = [value for value in (old, new) if value is not None]
        if all(isinstance(value, Mapping) for value in both):
            yield from names_of_changes(old or {}, new or {}, f"{at}{key}.")
        elif old != new:
            yield f"{at}{key}"
