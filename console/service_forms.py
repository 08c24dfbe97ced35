# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms of a service as data: each field is a key of the REST API, so a refusal that names the key names the field.

What a form showed travels along with what was typed: only what was changed is asked for, and what was emptied is
cleared. Whatever else somebody changed meanwhile stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from ansible_collections.scp.dataops.plugins.module_utils.airflow.sizes import SIZE_PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import EXECUTORS, ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES

from . import option_texts
from .api import mapping, telling

Typed = Mapping[str, str]
Body = dict[str, Any]
# What was typed, what stood there before, and the key.
Read = Callable[[str, str, str], Any]
WAS = "was."
NUMBER_OF_CORES = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


def as_typed(typed: str, was: str, key: str) -> Any:
    return typed


def number(typed: str, was: str, key: str) -> int | str:
    return option_texts.number(typed, key)


def tags(typed: str, was: str, key: str) -> list[dict[str, str]]:
    return [{"tag_key": name, "tag_value": value} for name, value in option_texts.pairs(typed, key).items()]


def tags_shown(value: Sequence[Mapping[str, str]]) -> str:
    return option_texts.pairs_shown({tag["tag_key"]: tag["tag_value"] for tag in value})


def hosts(typed: str, was: str, key: str) -> dict[str, Any]:
    aliases = option_texts.aliases(typed, key)
    entries = [{"ip": alias["ip"], "hostname": name} for alias in aliases for name in alias["hostnames"]]
    return {"enabled": "true" if entries else "false", "host_alias_list": entries}


def hosts_shown(value: Mapping[str, Any]) -> str:
    return option_texts.aliases_shown(mapping.host_alias(value))


def cores(typed: str, was: str, key: str) -> str:
    """People write cores; a plain number of the API is one of thousandths."""
    return str(int(Decimal(typed) * 1000)) if NUMBER_OF_CORES.fullmatch(typed) else typed


def cores_shown(value: str) -> str:
    return mapping.cores(value, "cpu")


def memory_shown(value: str) -> str:
    return mapping.memory(value, "memory")


def version_shown(value: str) -> str:
    return PROFILES[value].release


def two_levels(typed: str, was: str, key: str) -> dict[str, Any]:
    """Sections and options that differ; those that are not there any more are cleared, one by one."""
    now = option_texts.settings(typed, key)
    return option_texts.difference(option_texts.settings(was, key), now, 2) if now else {}


@dataclass(frozen=True, kw_only=True)
class Field:
    """``text`` and ``hint``: keys of texts. ``choices``: values, besides none."""

    key: str
    text: str
    kind: Literal["line", "area", "secret", "secret area", "choice"] = "line"
    choices: tuple[str, ...] = ()
    hint: str = ""
    read: Read = as_typed
    show: Callable[[Any], str] = str

    @property
    def id(self) -> str:
        return self.key.replace(".", "-")

    @property
    def is_secret(self) -> bool:
        return self.kind.startswith("secret")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Fields below one heading; with ``rows`` they make a table, a row for each part."""

    text: str
    fields: tuple[Field, ...] = ()
    rows: tuple[tuple[str, tuple[Field, ...]], ...] = ()

    @property
    def all(self) -> Iterator[Field]:
        yield from self.fields
        for _name, fields in self.rows:
            yield from fields


Form = tuple[Group, ...]
COLUMNS = ("cpu", "memory", "cpu_limit", "memory_limit", "replica")
_SHOWN = {"cpu": cores_shown, "memory": memory_shown}


def row(part: str) -> tuple[Field, ...]:
    return tuple(
        Field(
            key=f"service_workload.{part}.{column}",
            text="settings_size_replicas" if column == "replica" else f"settings_size_{column}",
            read=cores if column == "cpu" else as_typed,
            show=_SHOWN.get(column, str),
        )
        for column in COLUMNS
    )


NAME = Field(key="data_ops_service_name", text="name", hint="hint_name")
DESCRIPTION = Group(
    text="description",
    fields=(
        Field(key="description", text="description", hint="hint_description"),
        Field(key="tags", text="tags", kind="area", hint="hint_tags", read=tags, show=tags_shown),
    ),
)
VERSION = Field(
    key="version",
    text="version",
    kind="choice",
    choices=tuple(sorted((profile.release for profile in PROFILES.values()), reverse=True)),
    show=version_shown,
)
EXECUTOR = Field(key="worker_type", text="executor", kind="choice", choices=EXECUTORS)
SIZE = Field(key="size", text="size", kind="choice", choices=tuple(SIZE_PROFILES), hint="hint_size")
SIZES = Group(text="sizes", rows=tuple((part, row(part)) for part in mapping.WORKLOADS))
STORAGE = Group(
    text="storage",
    fields=(
        Field(key="storage_size", text="storage_size", hint="hint_storage_size"),
        Field(key="storage_class_name", text="storage_class", hint="hint_storage_class"),
    ),
)
GIT_SYNC = Group(
    text="git_sync",
    fields=(
        Field(key="git_sync.repo", text="git_repo", hint="hint_repo"),
        Field(key="git_sync.ref", text="git_ref", hint="hint_ref"),
        Field(key="git_sync.subdir", text="git_subdir"),
        Field(key="git_sync.interval", text="git_interval", hint="hint_interval", read=number),
        Field(key="git_sync.username", text="git_username", hint="hint_username"),
        Field(key="git_sync.password", text="git_password", kind="secret", hint="hint_secret"),
        Field(key="git_sync.ssh_key", text="git_ssh_key", kind="secret area", hint="hint_secret"),
        Field(key="git_sync.known_hosts", text="git_known_hosts", kind="area", hint="hint_known_hosts"),
    ),
)
HOST_ALIAS = Group(
    text="host_alias",
    fields=(
        Field(
            key="host_alias", text="host_alias_lines", kind="area", hint="hint_host_alias", read=hosts, show=hosts_shown
        ),
    ),
)
CONFIGURATION = Group(
    text="airflow_configuration",
    fields=(
        Field(
            key="config",
            text="config",
            kind="area",
            hint="hint_config",
            read=two_levels,
            show=option_texts.settings_shown,
        ),
        Field(
            key="environment",
            text="environment",
            kind="area",
            hint="hint_environment",
            read=two_levels,
            show=option_texts.settings_shown,
        ),
    ),
)
NEW: Form = (
    Group(text="about", fields=(NAME, *DESCRIPTION.fields, VERSION, EXECUTOR, SIZE)),
    STORAGE,
    GIT_SYNC,
    HOST_ALIAS,
    SIZES,
    CONFIGURATION,
)
# What a service can be changed in, by the end of the form's address.
CHANGES: Mapping[str, Form] = {
    "description": (DESCRIPTION,),
    "size": (Group(text="size", fields=(SIZE,)), SIZES),
    "git-sync": (GIT_SYNC,),
    "host-alias": (HOST_ALIAS,),
    "executor": (Group(text="executor", fields=(EXECUTOR,)),),
    "version": (Group(text="version", fields=(VERSION,)),),
    "airflow-configuration": (CONFIGURATION,),
}


def fields_of(form: Form) -> list[Field]:
    return [field for group in form for field in group.all]


def asked(form: Form, typed: Typed) -> Body:
    """What was changed, as a body of the REST API.

    :raises BadOption: naming the field.
    """
    body: Body = {}
    for field in fields_of(form):
        now, was = clean(typed.get(field.key, "")), clean(typed.get(f"{WAS}{field.key}", ""))
        if now != was:
            put(body, field.key, field.read(now, was, field.key))
    if body.get("git_sync", {}).get("repo") == "":
        # Without a repository nothing is left to be read.
        body["git_sync"] = {}
    return body


def clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def put(body: Body, key: str, value: Any) -> None:
    """By a path, such as ``git_sync.ref``."""
    *above, last = key.split(".")
    for part in above:
        body = body.setdefault(part, {})
    body[last] = value


def shown(form: Form, own: Mapping[str, Any]) -> dict[str, str]:
    """What stands in each field at first.

    :param own: what the service was asked for, as a body.
    """
    found = {field: at(own, field.key) for field in fields_of(form) if not field.is_secret}
    return {field.key: field.show(value) for field, value in found.items() if value not in (None, "")}


def at(body: Mapping[str, Any], key: str) -> Any:
    found: Any = body
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def effective(spec: ServiceSpec) -> dict[str, str]:
    """The size that each part has, chosen or not; to be seen where nothing was chosen."""
    told: dict[str, str] = {}
    for part, size, stands in telling.sized(spec):
        if size:
            values = (size.cpu, size.memory, size.cpu_limit, size.memory_limit, str(size.replicas) if stands else "")
            told |= {f"service_workload.{part}.{column}": value for column, value in zip(COLUMNS, values, strict=True)}
    return told


def field_at(form: Form, where: str) -> str:
    """The key of the field that a refusal is about; empty when it is about none."""
    keys = [field.key for field in fields_of(form)]
    inside = [key for key in keys if where == key or where.startswith((f"{key}.", f"{key}["))]
    around = [key for key in keys if where and key.startswith(f"{where}.")]
    return next(iter([*inside, *around]), "")
