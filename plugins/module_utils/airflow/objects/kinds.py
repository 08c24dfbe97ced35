# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects that Airflow keeps in its database, as data: how each is called, listed, read and written.

An object is its key and its fields in the words of the module's options. What Airflow does not show is no field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..versions import Api
from .sameness import as_value

Fields = Mapping[str, Any]
Body = dict[str, Any]


def no_query(key: str, api: Api) -> str:
    return ""


DEFAULT_POOL = "default_pool"
# Airflow makes these itself and brings them back at each start.
OWN_ROLES = frozenset({"Admin", "Op", "Public", "User", "Viewer"})


@dataclass(frozen=True, kw_only=True)
class Kind:
    """``read`` turns Airflow's answer into fields, ``body`` fields into a request; ``live`` are those that it has.

    ``needed`` are the options without which none can be made, ``secrets`` the fields that never can be read back.
    ``query`` is what an update's path ends with.
    Kinds whose objects share rows in Airflow's database are written one after the other (``at_once``).
    """

    name: str
    singular: str
    key: str
    sent_key: str
    needed: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], dict[str, Any]]
    body: Callable[[str, Fields, Fields], Body]
    query: Callable[[str, Api], str] = no_query
    secrets: frozenset[str] = frozenset()
    of_users: bool = False
    at_once: bool = True

    def path(self, api: Api) -> str:
        return f"{api.users_root if self.of_users else api.root}/{self.name}"


def read_connection(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Version 2 does not list ``extra``; the password is a mask where there is one, or left out."""
    fields = {
        "type": answer["conn_type"],
        **{name: answer.get(name) or "" for name in ("description", "host", "login", "schema")},
        "port": answer.get("port") or 0,
    }
    if "extra" in answer:
        fields["extra"] = as_value(answer["extra"] or "{}")
    if "password" in answer:
        fields["password"] = answer["password"] or ""
    return fields


def connection_body(key: str, fields: Fields, live: Fields) -> Body:
    sent: Body = {"connection_id": key, "conn_type": live.get("type", ""), **fields}
    if "type" in fields:
        sent["conn_type"] = sent.pop("type")
    if "port" in fields:
        sent["port"] = fields["port"] or None
    if "extra" in fields:
        sent["extra"] = json.dumps(fields["extra"], ensure_ascii=False)
    return sent


def read_variable(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": as_value(answer["value"] or ""), "description": answer.get("description") or ""}


def variable_body(key: str, fields: Fields, live: Fields) -> Body:
    sent: Body = {"key": key, **fields}
    if not isinstance(fields["value"], str):
        sent["value"] = json.dumps(fields["value"], ensure_ascii=False)
    return sent


def read_pool(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "slots": answer["slots"],
        "include_deferred": bool(answer.get("include_deferred")),
        "description": answer.get("description") or "",
    }


def pool_body(key: str, fields: Fields, live: Fields) -> Body:
    return {"name": key, **live, **fields}


def pool_query(key: str, api: Api) -> str:
    """Of its own pool Airflow changes two things, and only when told that it shall not touch others."""
    fields = api.mask_separator.join(("slots", "include_deferred"))
    return f"?update_mask={fields}" if key == DEFAULT_POOL else ""


def read_role(answer: Mapping[str, Any]) -> dict[str, Any]:
    pairs = [
        {"action": permission["action"]["name"], "resource": permission["resource"]["name"]}
        for permission in answer.get("actions") or []
    ]
    return {"permissions": sorted_permissions(pairs)}


def sorted_permissions(pairs: list[dict[str, str]]) -> list[dict[str, str]]:
    """Each once, in one order: they are a set."""
    unique = {(pair["resource"], pair["action"]) for pair in pairs}
    return [{"action": action, "resource": resource} for resource, action in sorted(unique)]


def role_body(key: str, fields: Fields, live: Fields) -> Body:
    permissions = {**live, **fields}.get("permissions", [])
    pairs = [{"action": {"name": pair["action"]}, "resource": {"name": pair["resource"]}} for pair in permissions]
    return {"name": key, "actions": pairs}


def read_user(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: answer.get(name) or "" for name in ("email", "first_name", "last_name")},
        "roles": sorted(role["name"] for role in answer.get("roles") or []),
    }


def user_body(key: str, fields: Fields, live: Fields) -> Body:
    """All that can be read is sent along, since version 2 asks for it; a password only when it is to change."""
    whole = {**live, **fields}
    return {"username": key, **whole, "roles": [{"name": role} for role in whole.get("roles", [])]}


ROLES = Kind(
    name="roles",
    singular="role",
    key="name",
    sent_key="name",
    needed=(),
    read=read_role,
    body=role_body,
    of_users=True,
    at_once=False,
)
USERS = Kind(
    name="users",
    singular="user",
    key="username",
    sent_key="username",
    needed=("email", "first_name", "last_name", "password"),
    read=read_user,
    body=user_body,
    secrets=frozenset({"password"}),
    of_users=True,
    at_once=False,
)
POOLS = Kind(
    name="pools",
    singular="pool",
    key="name",
    sent_key="name",
    needed=("slots",),
    read=read_pool,
    body=pool_body,
    query=pool_query,
)
CONNECTIONS = Kind(
    name="connections",
    singular="connection",
    key="id",
    sent_key="connection_id",
    needed=("type",),
    read=read_connection,
    body=connection_body,
    secrets=frozenset({"password"}),
)
VARIABLES = Kind(
    name="variables",
    singular="variable",
    key="key",
    sent_key="key",
    needed=("value",),
    read=read_variable,
    body=variable_body,
)
# In the order of writing: a user needs its roles, and whatever reads a variable may need a connection or a pool.
KINDS = (ROLES, USERS, POOLS, CONNECTIONS, VARIABLES)
BY_NAME = {kind.name: kind for kind in KINDS}
