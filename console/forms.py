# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms as data: each field is a key of the REST API, so a refusal that names the key names the field.

What a form asks for is a body of the API with the fields whose text was changed: what was emptied is cleared, and what
has no field keeps its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from ansible_collections.scp.dataops.plugins.module_utils.airflow import inheritance
from ansible_collections.scp.dataops.plugins.module_utils.airflow.sizes import SIZE_PROFILES, TASK_OPTION, Size
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import EXECUTORS, ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, DataOpsError
from ansible_collections.scp.dataops.plugins.module_utils.manager.effects import DEFAULTS

from . import option_texts
from .api import mapping, telling

Body = dict[str, Any]
# What was typed, and the key.
Read = Callable[[str, str], Any]
NUMBER_OF_CORES = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
NOTHING: Sequence[Any] = (None, "", [], {})


def tags(typed: str, key: str) -> list[dict[str, str]]:
    return [{"tag_key": name, "tag_value": value} for name, value in option_texts.pairs(typed, key).items()]


def tags_shown(value: Sequence[Mapping[str, str]]) -> str:
    return option_texts.pairs_shown({tag["tag_key"]: tag["tag_value"] for tag in value})


def labels_shown(value: str) -> str:
    return option_texts.pairs_shown(mapping.labels(value))


def hosts(typed: str, key: str) -> dict[str, Any]:
    return mapping.host_alias_shown(option_texts.aliases(typed, key))


def hosts_shown(value: Mapping[str, Any]) -> str:
    return option_texts.aliases_shown(mapping.host_alias(value))


def cores(typed: str, key: str) -> str:
    """People write cores; a plain number of the API is one of thousandths."""
    return str(int(Decimal(typed) * 1000)) if NUMBER_OF_CORES.fullmatch(typed) else typed


def cores_shown(value: str) -> str:
    """Fewer thousandths than the API takes as a plain number have their unit."""
    few = value.isdecimal() and int(value) < mapping.FEWEST_MILLICORES
    return f"{value}m" if few else mapping.cores(value, "cpu")


def memory_shown(value: str) -> str:
    return mapping.memory(value, "memory")


def version_shown(value: str) -> str:
    return PROFILES[value].release


def repositories_shown(value: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(
        " ".join(str(item[key]) for key in ("name", "repo", "ref", "subdir") if item.get(key)) for item in value
    )


@dataclass(frozen=True, kw_only=True)
class Field:
    """``text`` and ``hint``: keys of texts. ``choices``: values, besides none; with ``words`` their texts begin so.

    ``levels``: so many levels of keys are asked for one by one. ``leads``: without it nothing is left of what it is in.
    What is ``fixed`` is shown and never read.
    """

    key: str
    text: str
    kind: Literal["line", "area", "secret", "secret area", "choice", "fixed"] = "line"
    choices: tuple[str, ...] = ()
    words: str = ""
    hint: str = ""
    read: Read = option_texts.text
    show: Callable[[Any], str] = str
    levels: int = 0
    leads: bool = False

    @property
    def id(self) -> str:
        return self.key.replace(".", "-")

    @property
    def is_secret(self) -> bool:
        return self.kind.startswith("secret")

    def shown(self, own: Mapping[str, Any]) -> str:
        value = None if self.is_secret else at(own, self.key)
        return "" if value in NOTHING else self.show(value)


# A name, and a field or none for each column.
Row = tuple[str, tuple[Field | None, ...]]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Fields below one heading, and below ``above``; with ``rows`` they make a table, a row for each part."""

    text: str
    above: str = ""
    hint: str = ""
    fields: tuple[Field, ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def all(self) -> Iterator[Field]:
        yield from self.fields
        for _name, cells in self.rows:
            yield from (field for field in cells if field)


Form = tuple[Group, ...]
COLUMNS = ("cpu", "memory", "cpu_limit", "memory_limit", "replica")
_SHOWN = {"cpu": cores_shown, "memory": memory_shown}


def row(part: str) -> Row:
    fields = (
        Field(
            key=f"service_workload.{part}.{column}",
            text=f"size_{column}",
            read=cores if column == "cpu" else option_texts.text,
            show=_SHOWN.get(column, str),
        )
        for column in COLUMNS
    )
    return part, tuple(fields)


def row_of_task_pods() -> Row:
    """They are no workload of the product's API: amounts are as in a playbook, and their number is that of tasks."""
    fields = [Field(key=f"{TASK_OPTION}.{column}", text=f"size_{column}") for column in COLUMNS[:-1]]
    return TASK_OPTION, (*fields, None)


def below(key: str, group: Group, above: str) -> Group:
    """The same group, a level deeper in the body."""

    def moved(field: Field) -> Field:
        return replace(field, key=f"{key}.{field.key}")

    rows = tuple((name, tuple(field and moved(field) for field in cells)) for name, cells in group.rows)
    return replace(group, above=above, fields=tuple(map(moved, group.fields)), rows=rows)


def fixed(field: Field) -> Field:
    """Shown where it cannot be chosen any more."""
    return replace(field, kind="fixed", hint="hint_fixed")


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
EXECUTION = (
    Field(key="worker_type", text="executor", kind="choice", choices=EXECUTORS),
    Field(key="drain_timeout", text="drain_timeout", hint="hint_drain_timeout", read=option_texts.number),
)
SIZE = Field(key="size", text="size", kind="choice", choices=tuple(SIZE_PROFILES), hint="hint_size")
SIZES = Group(text="sizes", hint="hint_sizes", rows=(*map(row, mapping.WORKLOADS), row_of_task_pods()))
WORKER = "service_workload.worker"
WORKERS = Group(
    text="workers",
    hint="hint_workers",
    fields=(
        Field(key=f"{WORKER}.concurrency", text="concurrency", hint="hint_concurrency", read=option_texts.number),
        Field(
            key=f"{WORKER}.autoscaling.max_replicas",
            text="most_workers",
            hint="hint_most_workers",
            read=option_texts.number,
            leads=True,
        ),
        Field(
            key=f"{WORKER}.autoscaling.min_replicas",
            text="fewest_workers",
            hint="hint_fewest_workers",
            read=option_texts.number,
        ),
    ),
)
STORAGE_SIZE = Field(key="storage_size", text="storage_size", hint="hint_storage_size")
STORAGE_CLASS = Field(key="storage_class_name", text="storage_class", hint="hint_storage_class")
STORAGE = Group(text="storage", fields=(STORAGE_SIZE, STORAGE_CLASS))
GIT_SYNC = Group(
    text="git_sync",
    fields=(
        Field(key="git_sync.repo", text="git_repo", hint="hint_repo", leads=True),
        Field(key="git_sync.ref", text="git_ref", hint="hint_ref"),
        Field(key="git_sync.subdir", text="git_subdir"),
        Field(key="git_sync.interval", text="git_interval", hint="hint_interval", read=option_texts.number),
        Field(key="git_sync.username", text="git_username", hint="hint_username"),
        Field(key="git_sync.password", text="git_password", kind="secret", hint="hint_secret"),
        Field(key="git_sync.ssh_key", text="git_ssh_key", kind="secret area", hint="hint_secret"),
        Field(key="git_sync.known_hosts", text="git_known_hosts", kind="area", hint="hint_known_hosts"),
        Field(key="git_sync.ca", text="git_ca", kind="area", hint="hint_git_ca"),
    ),
)
REPOSITORIES = Field(
    key="git_sync.repositories",
    text="git_repositories",
    kind="fixed",
    hint="hint_repositories",
    show=repositories_shown,
)
HOST_ALIAS = Group(
    text="host_alias",
    fields=(
        Field(
            key="host_alias", text="host_alias_lines", kind="area", hint="hint_host_alias", read=hosts, show=hosts_shown
        ),
    ),
)


def settings_of_airflow(option: str) -> Field:
    return Field(
        key=option,
        text=option,
        kind="area",
        hint=f"hint_{option}",
        read=option_texts.settings,
        show=option_texts.settings_shown,
        levels=inheritance.LEVELS[option],
    )


CONFIGURATION = Group(text="airflow_configuration", fields=tuple(map(settings_of_airflow, ("config", "environment"))))
NODE_SELECTOR = Field(
    key="node_selector",
    text="node_selector",
    kind="area",
    hint="hint_node_selector",
    read=option_texts.pairs,
    show=labels_shown,
)
NEW: Form = (
    Group(text="about", fields=(NAME, *DESCRIPTION.fields, VERSION, *EXECUTION, SIZE)),
    STORAGE,
    GIT_SYNC,
    HOST_ALIAS,
    SIZES,
    WORKERS,
    CONFIGURATION,
)
# What a service can be changed in, by the end of the form's address.
CHANGES: Mapping[str, Form] = {
    "description": (DESCRIPTION,),
    "size": (
        Group(text="size", fields=(SIZE,)),
        SIZES,
        WORKERS,
        Group(text="storage", fields=(replace(STORAGE_SIZE, hint="hint_larger"), fixed(STORAGE_CLASS))),
    ),
    "git-sync": (replace(GIT_SYNC, fields=(*GIT_SYNC.fields, REPOSITORIES)),),
    "host-alias": (HOST_ALIAS,),
    "executor": (Group(text="executor", fields=EXECUTION),),
    "version": (Group(text="version", fields=(VERSION,)),),
    "airflow-configuration": (CONFIGURATION,),
}
# What its services inherit from a Manager.
INHERITED: Form = (
    Group(text="sizes", hint="hint_default_sizes", fields=(SIZE,), rows=SIZES.rows),
    WORKERS,
    CONFIGURATION,
    Group(
        text="placement",
        fields=(
            NODE_SELECTOR,
            Field(
                key="tolerations",
                text="tolerations",
                kind="area",
                hint="hint_tolerations",
                read=option_texts.tolerations,
                show=option_texts.tolerations_shown,
            ),
        ),
    ),
    Group(
        text="network",
        fields=(
            replace(HOST_ALIAS.fields[0], text="host_alias"),
            Field(key="egress_proxy.http", text="proxy_http", hint="hint_proxy"),
            Field(key="egress_proxy.https", text="proxy_https", hint="hint_proxy"),
            Field(
                key="egress_proxy.no_proxy",
                text="no_proxy",
                kind="area",
                hint="hint_no_proxy",
                read=option_texts.each_line,
                show=option_texts.lines_shown,
            ),
            Field(key="ca_certificates", text="ca_certificates", kind="area", hint="hint_ca_certificates"),
        ),
    ),
    Group(
        text="storage",
        fields=(Field(key="storage_class_name", text="storage_class", hint="hint_default_storage_class"),),
    ),
    Group(
        text="monitoring",
        fields=(
            Field(
                key="monitoring.enabled",
                text="monitoring_enabled",
                kind="choice",
                choices=option_texts.ON_OFF,
                words="is_on_",
                hint="hint_monitoring",
                read=option_texts.is_on,
                show=option_texts.is_on_shown,
            ),
        ),
    ),
)
SETTINGS: Form = (
    Group(text="settings_manager", fields=(*DESCRIPTION.fields, replace(VERSION, hint="hint_default_version"))),
    Group(
        text="settings_console",
        fields=(
            Field(key="domain", text="settings_domain", hint="hint_domain"),
            Field(key="ingress_controller_name", text="settings_ingress", hint="hint_ingress"),
            NODE_SELECTOR,
            Field(
                key="host_alias_list",
                text="host_alias",
                kind="area",
                hint="hint_host_alias",
                read=option_texts.aliases,
                show=option_texts.aliases_shown,
            ),
        ),
    ),
    Group(
        text="settings_files",
        fields=(
            replace(STORAGE_SIZE, hint="hint_larger"),
            fixed(STORAGE_CLASS),
        ),
    ),
    *(below(DEFAULTS, group, "settings_defaults") for group in INHERITED),
)


def fields_of(form: Form) -> list[Field]:
    return [field for group in form for field in group.all]


def asked(form: Form, own: Mapping[str, Any], typed: Mapping[str, str]) -> tuple[Body, dict[str, str]]:
    """What was changed, as a body of the REST API, and by field what is wrong with it.

    :param own: what is recorded, as a body. :param typed: what is not among it was not touched.
    """
    body: Body = {}
    problems = {}
    for field in fields_of(form):
        now, was = clean(typed.get(field.key, "")), clean(field.shown(own))
        if field.kind == "fixed" or field.key not in typed or now == was:
            continue
        try:
            new = field.read(now, field.key)
        except BadOption as error:
            problems[field.key] = sentence(error, field.key)
            continue
        old = at(own, field.key)
        if new == old or (old is None and new in NOTHING):
            continue
        put(body, field.key, option_texts.difference(old or {}, new, field.levels) if field.levels and new else new)
    for field in fields_of(form):
        if field.leads and at(body, field.key) == "":
            put(body, field.key.rpartition(".")[0], {})
    return body, problems


def clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def put(body: Body, key: str, value: Any) -> None:
    """By a path, such as ``git_sync.ref``."""
    *above, last = key.split(".")
    for part in above:
        body = body.setdefault(part, {})
    body[last] = value


def at(body: Mapping[str, Any], key: str) -> Any:
    """None where there is nothing."""
    found: Any = body
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def shown(form: Form, own: Mapping[str, Any]) -> dict[str, str]:
    """What stands in each field at first."""
    return {field.key: field.shown(own) for field in fields_of(form)}


def open_values(form: Form, typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed and may travel back into a page."""
    return {field.key: typed.get(field.key, "") for field in fields_of(form) if not field.is_secret}


def effective(spec: ServiceSpec) -> dict[str, str]:
    """What a service has, chosen or not; to be seen where nothing was chosen."""
    found: list[tuple[str, Size | None, bool]] = [
        (f"service_workload.{part}", size, stands) for part, size, stands in telling.sized(spec)
    ]
    if spec.uses_kubernetes:
        found.append((TASK_OPTION, spec.sizes["task"], False))
    told = {
        "storage_size": spec.storage_size,
        "storage_class_name": spec.storage_class,
        "drain_timeout": str(spec.drain_timeout),
    }
    if spec.uses_celery:
        told[f"{WORKER}.concurrency"] = str(spec.workers.concurrency)
        if scaling := spec.workers.autoscaling:
            told[f"{WORKER}.autoscaling.min_replicas"] = str(scaling.min_replicas)
            told[f"{WORKER}.autoscaling.max_replicas"] = str(scaling.max_replicas)
    for key, size, stands in found:
        if size:
            values = (size.cpu, size.memory, size.cpu_limit, size.memory_limit, str(size.replicas) if stands else "")
            told |= {f"{key}.{column}": value for column, value in zip(COLUMNS, values, strict=True)}
    return told


def refusal(form: Form, error: DataOpsError) -> dict[str, str]:
    """What is wrong, by the key of the field that it is about; empty when it is about none."""
    key = field_at(form, error.where)
    return {key: sentence(error, key) if key else str(error)}


def field_at(form: Form, where: str) -> str:
    keys = [field.key for field in fields_of(form)]
    inside = [key for key in keys if where == key or where.startswith((f"{key}.", f"{key}["))]
    around = [key for key in keys if where and key.startswith(f"{where}.")]
    return next(iter([*inside, *around]), "")


def sentence(error: DataOpsError, key: str) -> str:
    """Where it is need not be said at the field itself, unless it is one line of many."""
    where = "" if error.where == key else error.where.removeprefix(f"{DEFAULTS}.")
    said = str(DataOpsError(error.what, where=where, next_step=error.next_step))
    return said if where else f"{said[:1].upper()}{said[1:]}"
