# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is declared and what Airflow has to the changes between them: pure, so check mode and run plan alike."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import BadOption, Refused
from ...kube.masking import CHANGED, HIDDEN
from ..versions import Api
from .kinds import CONNECTIONS, DEFAULT_POOL, OWN_ROLES, POOLS, ROLES, USERS, VARIABLES, Fields, Kind
from .sameness import as_value, compare, masked, secret_texts
from .spec import UNLIMITED, Item

# Objects of one kind by key, and fingerprints by kind, key and field.
Live = Mapping[str, Fields]
Marks = dict[str, dict[str, dict[str, str]]]
Mark = Callable[[Kind, str, str, Any], str]
# Before the fingerprint of what came from a Secret: it stays hidden when it is changed or removed, whatever its name.
FROM_SECRET = "~"
# Accounts that a service had under another id; they are locked, and kept so.
FORMER_ACCOUNT = "@account.scp-dataops.invalid"


@dataclass(frozen=True)
class Wanted:
    """An item with the values of its Secrets; ``concealed`` are fields, or keys of ``extra``, that came from one."""

    item: Item
    fields: Fields = field(default_factory=dict, repr=False)
    concealed: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return self.item.key

    def secrets(self) -> Iterable[str]:
        """Texts that must not show up in a message, even if Airflow repeats them."""
        for name, value in self.fields.items():
            concealed = name in self.concealed or name in self.item.kind.secrets
            yield from secret_texts(_called(self.item.kind, self.key, name), value, all_of_it=concealed)
            if name == "extra":
                yield from secret_texts("", {k: v for k, v in value.items() if k in self.concealed}, all_of_it=True)


@dataclass(frozen=True, kw_only=True)
class Change:
    """``fields`` is what is to be written, ``before`` and ``after`` what may be shown of it.

    ``from_secrets`` names the fields that were read from Secrets.
    """

    action: Literal["create", "update", "delete"]
    kind: Kind
    key: str
    fields: Fields = field(default_factory=dict, repr=False)
    live: Fields = field(default_factory=dict, repr=False)
    from_secrets: frozenset[str] = frozenset()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.action} {self.kind.singular}/{self.key}"


@dataclass(frozen=True)
class KindPlan:
    """What a kind needs, and how what was found differs from what is declared."""

    changes: tuple[Change, ...]
    drift: Mapping[str, Any]


def marker(key: str) -> Mark:
    """Makes fingerprints that change with a value, yet tell nothing about it."""

    def mark(kind: Kind, item: str, name: str, value: Any) -> str:
        message = json.dumps([kind.name, item, name, value], sort_keys=True).encode()
        return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()[:32]

    return mark


def plan_kind(
    kind: Kind, wanted: Sequence[Wanted], live: Live, *, marks: Marks, mark: Mark, prune: bool, account: str, api: Api
) -> KindPlan:
    """
    :param account: the service's own, which is not touched here.
    :raises DataOpsError: for what Airflow certainly would refuse.
    """
    changes: list[Change] = []
    different: dict[str, list[str]] = {}
    kept: set[str] = set()
    for one in wanted:
        if kind is USERS and one.key == account:
            raise BadOption(
                f"'{account}' is the service's own account",
                where=f"{one.item.at}.username",
                next_step="Set its password with account.password of scp.dataops.dataops_service",
            )
        if one.item.absent:
            continue
        kept.add(one.key)
        if kind is POOLS and not api.endless_pools:
            only_limited(one)
        has = live.get(one.key)
        known = marks.get(kind.name, {}).get(one.key, {})
        if has is None:
            changes.append(creation(one))
        elif fields := pending(one, has, known, mark):
            if kind is ROLES and not api.roles_shrink:
                only_more(one, has)
            different[one.key] = list(fields)
            changes.append(update(one, has, fields, were_secret(known)))
    unwanted = {one.key for one in wanted if one.item.absent and one.key in live}
    undeclared = [
        key for key in live if key not in kept and key not in unwanted and not is_own(kind, key, live, account)
    ]
    doomed = [key for key in live if key in unwanted or (prune and key in undeclared)]
    of_kind = marks.get(kind.name, {})
    deletions = [deletion(kind, key, live[key], were_secret(of_kind.get(key, {}))) for key in doomed]
    drift = {
        "missing": [change.key for change in changes if change.action == "create"],
        "different": different,
        "undeclared": sorted([*undeclared, *unwanted]),
    }
    return KindPlan((*changes, *deletions), drift)


def is_own(kind: Kind, key: str, live: Live, account: str) -> bool:
    """Whether Airflow or the service needs it, so that it is nothing left over."""
    if kind is USERS:
        return key == account or str(live[key].get("email", "")).endswith(FORMER_ACCOUNT)
    return (kind is POOLS and key == DEFAULT_POOL) or (kind is ROLES and key in OWN_ROLES)


def pending(one: Wanted, live: Fields, marks: Mapping[str, str], mark: Mark) -> tuple[str, ...]:
    """Fields to be written. What Airflow does not show was written if the fingerprint of the last time says so."""
    kind = one.item.kind

    def is_due(name: str, value: Any) -> bool:
        comparable = as_value(value) if kind is VARIABLES and isinstance(value, str) else value
        verdict = compare(comparable, live[name]) if name in live else "hidden"
        known = marks.get(name, "").removeprefix(FROM_SECRET)
        return verdict == "different" or (verdict == "hidden" and known != mark(kind, one.key, name, value))

    return tuple(name for name, value in one.fields.items() if is_due(name, value))


def were_secret(marks: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, mark in marks.items() if mark.startswith(FROM_SECRET))


def creation(one: Wanted) -> Change:
    kind = one.item.kind
    missing = [name for name in kind.needed if name not in one.fields]
    if missing:
        raise BadOption(
            f"{kind.singular} '{one.key}' does not exist yet, and cannot be made without {', '.join(missing)}",
            where=one.item.at,
            next_step="Set what is missing",
        )
    after = shown(one, one.fields)
    return Change(
        action="create",
        kind=kind,
        key=one.key,
        fields=one.fields,
        from_secrets=frozenset(one.item.references),
        after=after,
    )


def update(one: Wanted, live: Fields, names: Collection[str], secret: frozenset[str]) -> Change:
    """:param secret: fields that came from a Secret when they were last written."""
    kind = one.item.kind
    before = shown(one, {name: live.get(name, HIDDEN) for name in names}, secret)
    after = shown(one, {name: one.fields[name] for name in names})
    # A variable is always written with its value: Airflow asks for it.
    sent = {*names, "value"} if kind is VARIABLES else names
    return Change(
        action="update",
        kind=kind,
        key=one.key,
        fields={name: one.fields[name] for name in one.fields if name in sent},
        live=live,
        from_secrets=frozenset(one.item.references),
        before=before,
        # What looks alike because it is hidden is told apart.
        after={name: CHANGED if before[name] == value else value for name, value in after.items()},
    )


def deletion(kind: Kind, key: str, live: Fields, secret: frozenset[str]) -> Change:
    before = shown(Wanted(Item(kind, key, "")), live, secret)
    return Change(action="delete", kind=kind, key=key, live=live, before=before)


def shown(one: Wanted, fields: Fields, secret: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Fields fit to be shown; those named in ``secret`` are hidden besides."""
    kind = one.item.kind

    def show(name: str, value: Any) -> Any:
        if name in kind.secrets or name in one.concealed or name in secret:
            return HIDDEN if value not in ("", None) else value
        if name == "extra" and isinstance(value, dict):
            return {key: HIDDEN if key in one.concealed else masked(key, item) for key, item in value.items()}
        return masked(_called(kind, one.key, name), value)

    return {name: show(name, value) for name, value in fields.items()}


def only_more(one: Wanted, live: Fields) -> None:
    kept = one.fields.get("permissions", [])
    lost = [f"{pair['action']} on {pair['resource']}" for pair in live["permissions"] if pair not in kept]
    if lost:
        raise Refused(
            f"Airflow 2.11 cannot take permissions away from a role: '{one.key}' would keep {', '.join(lost)}",
            where=f"{one.item.at}.permissions",
            next_step="Declare a role of another name with fewer of them and give that to the users",
        )


def only_limited(pool: Wanted) -> None:
    if pool.fields.get("slots") == UNLIMITED:
        raise Refused(
            "Airflow 2.11 can no longer list its pools when one has no limit",
            where=f"{pool.item.at}.slots",
            next_step="Use a number that is never reached, such as 10000",
        )


def known_roles(
    users: Iterable[Wanted], roles: Iterable[Wanted], live: Collection[str], doomed: Collection[str]
) -> None:
    """
    :raises Refused: for a user with a role that neither is there nor is declared.
    """
    declared = {one.key for one in roles if not one.item.absent}
    there = ({*live, *OWN_ROLES} - set(doomed)) | declared
    for one in users:
        unknown = [name for name in one.fields.get("roles", []) if name not in there]
        if unknown:
            raise Refused(
                f"there is no role '{unknown[0]}'",
                where=f"{one.item.at}.roles",
                next_step=f"Use {', '.join(sorted(there))}, or declare it under roles",
            )


def marks_after(before: Marks, live: Mapping[str, Live], done: Iterable[Change], mark: Mark) -> Marks:
    """Fingerprints of what was ever written and still is there. Kinds that were not looked at keep theirs."""
    after: Marks = {
        kind: {key: dict(marks) for key, marks in of_kind.items() if kind not in live or key in live[kind]}
        for kind, of_kind in before.items()
    }
    for change in done:
        of_kind = after.setdefault(change.kind.name, {})
        if change.action != "update":
            of_kind.pop(change.key, None)
        if change.action != "delete":
            fresh = {name: value for name, value in change.fields.items() if _is_marked(change.kind, name)}
            of_kind.setdefault(change.key, {}).update(
                {
                    name: (FROM_SECRET if name in change.from_secrets else "")
                    + mark(change.kind, change.key, name, value)
                    for name, value in fresh.items()
                }
            )
    return {
        kind: kept
        for kind, of_kind in sorted(after.items())
        if (kept := {key: marks for key, marks in sorted(of_kind.items()) if marks})
    }


def _is_marked(kind: Kind, name: str) -> bool:
    return name in kind.secrets or (kind, name) in ((CONNECTIONS, "extra"), (VARIABLES, "value"))


def _called(kind: Kind, key: str, name: str) -> str:
    """The name under which Airflow decides whether a value is secret: that of a variable, else that of the field."""
    return key if kind is VARIABLES and name == "value" else name if name in kind.secrets else ""
