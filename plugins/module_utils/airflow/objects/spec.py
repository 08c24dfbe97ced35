# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user declares, every item checked, before anything is asked of cluster or Airflow."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...common import validation as check
from ...errors import BadOption
from .kinds import BY_NAME, DEFAULT_POOL, OWN_ROLES, VARIABLES, Kind, sorted_permissions

FROM = "_from"
CONNECTION_ID = re.compile(r"[\w.-]{1,200}", re.ASCII)
LONGEST = {"connections": 200, "variables": 250, "pools": 256, "roles": 64, "users": 64}
PORT = (0, 65535)
UNLIMITED = -1
MOST_SLOTS = 1_000_000


@dataclass(frozen=True)
class Reference:
    """A value that is in a Secret of the service's namespace; ``at`` is where it was asked for."""

    secret: str
    key: str
    at: str


@dataclass(frozen=True)
class Item:
    """One declared object. ``given`` are the fields that were written, ``references`` those to be read from Secrets."""

    kind: Kind
    key: str
    at: str
    absent: bool = False
    given: Mapping[str, Any] = field(default_factory=dict, repr=False)
    references: Mapping[str, Reference] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind.singular}/{self.key}"


@dataclass(frozen=True)
class Declared:
    """Items of each kind that was given, an empty list included; ``prune`` names the kinds to be kept to them."""

    items: Mapping[str, tuple[Item, ...]]
    prune: tuple[str, ...]

    @property
    def references(self) -> list[Reference]:
        return [ref for items in self.items.values() for item in items for ref in item.references.values()]


def declared(options: Mapping[str, Any], prune: Sequence[str]) -> Declared:
    """
    :param options: by kind, a list of items as they were written, or None.
    :raises BadOption: naming the item and what to do.
    """
    items = {name: _items(BY_NAME[name], raw) for name, raw in options.items() if raw is not None}
    for name in prune:
        if name not in items:
            raise BadOption(
                f"{name} are to be pruned, but none are declared",
                where="prune",
                next_step=f"Declare {name}; an empty list removes them all",
            )
    return Declared(items, tuple(dict.fromkeys(prune)))


def _items(kind: Kind, raw: Sequence[Mapping[str, Any]]) -> tuple[Item, ...]:
    found: dict[str, Item] = {}
    for position, entry in enumerate(raw):
        item = _item(
            kind, {key: value for key, value in entry.items() if value is not None}, f"{kind.name}[{position}]"
        )
        if item.key in found:
            raise BadOption(
                f"{kind.singular} '{item.key}' is declared twice", where=item.at, next_step="Keep one of the two"
            )
        found[item.key] = item
    return tuple(found.values())


def _item(kind: Kind, entry: Mapping[str, Any], at: str) -> Item:
    allowed = FIELDS[kind.name]
    with_references = [f"{name}{FROM}" for name in REFERABLE[kind.name]]
    check.known_keys(entry, [kind.key, "state", *allowed, *with_references], at)
    key = _key(kind, str(entry.get(kind.key) or ""), f"{at}.{kind.key}")
    absent = entry.get("state", "present") == "absent"
    given = {name: test(entry[name], f"{at}.{name}") for name, test in allowed.items() if name in entry}
    references = {name: _reference(entry, name, at) for name in REFERABLE[kind.name] if f"{name}{FROM}" in entry}
    if absent and (given or references):
        raise BadOption(
            f"{kind.singular} '{key}' is absent and yet has {', '.join([*given, *references])}",
            where=at,
            next_step=f"Leave only {kind.key} and state",
        )
    if absent and key == DEFAULT_POOL and kind.name == "pools":
        raise BadOption(f"Airflow needs '{key}'", where=at, next_step="Change its slots instead")
    if key == DEFAULT_POOL and kind.name == "pools" and "description" in given:
        raise BadOption(
            f"Airflow keeps the description of '{key}'", where=f"{at}.description", next_step="Leave it out"
        )
    if kind is VARIABLES and not absent and not {"value"} & {*given, *references}:
        raise BadOption(f"variable '{key}' has no value", where=at, next_step="Set value or value_from")
    return Item(kind, key, at, absent, given, references)


def _key(kind: Kind, key: str, at: str) -> str:
    longest = LONGEST[kind.name]
    if not key or len(key) > longest or key != key.strip():
        raise BadOption(
            f"'{key}' is not a valid {kind.key}",
            where=at,
            next_step=f"Use 1 to {longest} characters without spaces around them",
        )
    if kind.name == "connections" and not CONNECTION_ID.fullmatch(key):
        raise BadOption(
            f"'{key}' is not a valid connection id", where=at, next_step="Use letters, digits, '_', '-' and '.'"
        )
    if kind.name == "roles" and key in OWN_ROLES:
        raise BadOption(
            f"'{key}' is a role of Airflow itself, which sets its permissions anew at each start",
            where=at,
            next_step="Declare a role of another name",
        )
    return key


def _reference(entry: Mapping[str, Any], name: str, at: str) -> Reference:
    path = f"{at}.{name}{FROM}"
    if name in entry and name != "extra":
        raise BadOption(f"{name} is given as well", where=path, next_step="Keep one of the two")
    raw = entry[f"{name}{FROM}"]
    check.known_keys(raw, ("secret", "key"), path)
    for part in ("secret", "key"):
        if not raw.get(part):
            raise BadOption(f"{part} is missing", where=path, next_step="Name a Secret and one of its keys")
    return Reference(raw["secret"], raw["key"], path)


def _text(value: Any, at: str) -> str:
    return str(value)


def _type(value: Any, at: str) -> str:
    text = str(value)
    if not text.strip():
        raise BadOption("a connection has a type", where=at, next_step="Use one such as postgres, http or ssh")
    return text


def _port(value: Any, at: str) -> int:
    return check.whole_number(value, at, low=PORT[0], high=PORT[1])


def _slots(value: Any, at: str) -> int:
    if value == UNLIMITED:
        return UNLIMITED
    return check.whole_number(value, at, low=0, high=MOST_SLOTS)


def _value(value: Any, at: str) -> Any:
    return value


def _permissions(value: Sequence[Mapping[str, str]], at: str) -> list[dict[str, str]]:
    for position, pair in enumerate(value):
        check.known_keys(pair, ("action", "resource"), f"{at}[{position}]")
        if not pair.get("action") or not pair.get("resource"):
            raise BadOption(
                "a permission is an action on a resource",
                where=f"{at}[{position}]",
                next_step="Set both, such as can_read and DAGs",
            )
    return sorted_permissions([dict(pair) for pair in value])


def _role_names(value: Sequence[str], at: str) -> list[str]:
    return sorted(set(value))


def _filled(value: Any, at: str) -> str:
    text = str(value)
    if not text.strip():
        raise BadOption("it is empty", where=at, next_step="Set it; Airflow's users have one")
    return text


Check = Callable[[Any, str], Any]
FIELDS: dict[str, dict[str, Check]] = {
    "connections": {
        "type": _type,
        "host": _text,
        "schema": _text,
        "login": _text,
        "password": _text,
        "port": _port,
        "extra": lambda value, at: dict(value),
        "description": _text,
    },
    "variables": {"value": _value, "description": _text},
    "pools": {"slots": _slots, "include_deferred": lambda value, at: bool(value), "description": _text},
    "roles": {"permissions": _permissions},
    "users": {
        "email": _filled,
        "first_name": _filled,
        "last_name": _filled,
        "roles": _role_names,
        "password": _filled,
    },
}
REFERABLE: dict[str, Collection[str]] = {
    "connections": ("password", "extra"),
    "variables": ("value",),
    "pools": (),
    "roles": (),
    "users": ("password",),
}
