# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the REST API and the options of the modules: one table, read in both directions.

Where the product's own API has a name and a form for something, it is used here; whatever else a module can be asked
for has the name and the form of its option. A refusal of the engine, which names an option, is told with the API's key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils import arguments
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import INHERITED
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, DataOpsError
from ansible_collections.scp.dataops.plugins.module_utils.kube.quantities import quantity
from ansible_collections.scp.dataops.plugins.module_utils.manager.effects import DEFAULTS

# Plain numbers are thousandths of a core and mebibytes; so few of them were meant as cores and gibibytes.
FEWEST_MILLICORES = 10
FEWEST_MEBIBYTES = 64
MEBIBYTE = 1024 * 1024


def as_it_is(value: Any) -> Any:
    return value


def _pair(text: str, at: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key.strip() or not equals:
        raise BadOption("it is not a label", where=at, next_step="Write KEY=VALUE, several with commas between them")
    return key.strip(), value.strip()


def labels(value: str | Mapping[str, str]) -> Mapping[str, str]:
    """``pool=dataops``, as the product writes a node selector; a dictionary is taken, too."""
    if isinstance(value, Mapping):
        return value
    return dict(_pair(part, "node_selector") for part in value.split(",") if part.strip())


def labels_shown(value: Mapping[str, str]) -> str:
    return ",".join(f"{key}={each}" for key, each in sorted(value.items()))


def tags(value: Sequence[Mapping[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in value:
        if tag["tag_key"] in found:
            raise BadOption(f"'{tag['tag_key']}' is given twice", where="tags", next_step="Give each key once")
        found[tag["tag_key"]] = tag["tag_value"]
    return found


def tags_shown(value: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"tag_key": key, "tag_value": value[key]} for key in sorted(value)]


def account(value: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix("account_"): each for key, each in value.items()}


def account_shown(value: Mapping[str, str]) -> dict[str, str]:
    """Without a password, wherever it comes from."""
    return {"account_id": value["id"]} if "id" in value else {}


def host_alias(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One name per entry becomes one address with its names."""
    if str(value.get("enabled", "true")).lower() == "false":
        return []
    by_address: dict[str, list[str]] = {}
    for entry in value.get("host_alias_list", ()):
        by_address.setdefault(entry["ip"], []).append(entry["hostname"])
    return [{"ip": ip, "hostnames": names} for ip, names in by_address.items()]


def host_alias_shown(value: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    entries = [{"hostname": name, "ip": alias["ip"]} for alias in value for name in alias["hostnames"]]
    return {"enabled": "true" if entries else "false", "host_alias_list": entries}


def host_alias_list_shown(value: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"hostnames": list(alias["hostnames"]), "ip": alias["ip"]} for alias in value]


def workloads(value: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {WORKLOADS[part]: workload(part, each) for part, each in value.items()}


def workload(part: str, value: Mapping[str, Any]) -> dict[str, Any]:
    at = f"service_workload.{part}"
    size = {key: each for key, each in value.items() if key not in ("cpu", "memory", "replica", "version")}
    if "cpu" in value:
        size["cpu"] = cores(value["cpu"], f"{at}.cpu")
    if "memory" in value:
        size["memory"] = memory(value["memory"], f"{at}.memory")
    if "replica" in value:
        size["replicas"] = count(value["replica"], f"{at}.replica")
    return size


def cores(value: str | int, at: str) -> str:
    """``2000`` thousandths become ``2``, as people write it in playbooks."""
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        return text
    number = int(text)
    if number < FEWEST_MILLICORES:
        raise BadOption(
            f"{number} is a number of thousandths of a core, at least {FEWEST_MILLICORES}",
            where=at,
            next_step=f"Write {number * 1000} for {number} cores" if number else "Leave it out for the default",
        )
    return str(number // 1000) if number % 1000 == 0 else f"{number}m"


def memory(value: str | int, at: str) -> str:
    """``2048`` mebibytes become ``2Gi``."""
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        return text
    number = int(text)
    if number < FEWEST_MEBIBYTES:
        raise BadOption(
            f"{number} is a number of mebibytes, at least {FEWEST_MEBIBYTES}",
            where=at,
            next_step=f"Write {number * 1024} for {number} GiB" if number else "Leave it out for the default",
        )
    return f"{number // 1024}Gi" if number % 1024 == 0 else f"{number}Mi"


def count(value: str | int, at: str) -> int | str:
    if value == "":
        return ""
    if not re.fullmatch(r"[0-9]{1,4}", str(value)):
        raise BadOption("it is not a whole number", where=at, next_step="Write a number such as '2'")
    return int(value)


def version(body: Mapping[str, Any]) -> str:
    """The Airflow version that a body asks for, as a whole or for its parts; empty when it does not."""
    parts = body.get("service_workload", {})
    asked = {"version": body["version"]} if body.get("version") else {}
    asked |= {
        f"service_workload.{name}.version": part["version"] for name, part in parts.items() if part.get("version")
    }
    minors = {at: minor(value, at) for at, value in asked.items()}
    if len(set(minors.values())) > 1:
        where, other = list(minors.items())[-1]
        first = next(iter(minors.values()))
        raise BadOption(f"'{other}' is not '{first}'", where=where, next_step="All parts of a service have one version")
    return next(iter(minors.values()), "")


def minor(value: str, at: str) -> str:
    """``3.3.2`` and ``3.3`` are the same here: one release of each minor version is offered."""
    known = {text: name for name, profile in PROFILES.items() for text in (name, profile.release)}
    if value not in known:
        raise BadOption("it is not offered", where=at, next_step=f"Use {', '.join(sorted(known))}")
    return known[value]


def shown_cores(value: str) -> str:
    """Thousandths, as far as it is a number of them."""
    if not value:
        return ""
    number = quantity(value) * 1000
    return str(int(number)) if number == int(number) else value


def shown_memory(value: str) -> str:
    """Mebibytes, as far as it is a number of them."""
    if not value:
        return ""
    number = quantity(value) / MEBIBYTE
    return str(int(number)) if number == int(number) else value


@dataclass(frozen=True)
class Field:
    """A key of a body: the option that it becomes, and how its value is read and shown."""

    option: str
    read: Callable[[Any], Any] = as_it_is
    show: Callable[[Any], Any] = as_it_is


# The parts in service_workload, each of them an option.
WORKLOADS = {name: name for name in ("scheduler", "web_server", "dag_processor", "triggerer", "worker")}
_BOTH = {
    "description": Field("description"),
    "domain": Field("domain"),
    "storage_class_name": Field("storage_class"),
    "node_selector": Field("node_selector", labels, labels_shown),
    "account": Field("account", account, account_shown),
    "tags": Field("tags", tags, tags_shown),
}
_SERVICE = {
    **_BOTH,
    "host_alias": Field("host_aliases", host_alias, host_alias_shown),
    "worker_type": Field("executor"),
}
_MANAGER = {
    **_BOTH,
    "host_alias_list": Field("host_aliases", list, host_alias_list_shown),
    "ingress_controller_name": Field("ingress_class"),
}


def _with_the_rest(named: Mapping[str, Field], options: Mapping[str, Any], *others: str) -> dict[str, Field]:
    taken = {field.option for field in named.values()} | set(others)
    return {**named, **{option: Field(option) for option in options if option not in taken}}


# Key of the API -> option. `service_workload` holds several options and stands beside the tables.
SERVICE = _with_the_rest(_SERVICE, arguments.OWN, *WORKLOADS.values())
MANAGER = _with_the_rest(_MANAGER, arguments.MANAGER, DEFAULTS)
SETTINGS = {key: field for key, field in SERVICE.items() if field.option in INHERITED}

# Where a key inside of an option differs. Of paths that begin alike the longest holds.
_INSIDE = {
    "account.id": "account.account_id",
    "account.password": "account.account_password",
    **{option: f"service_workload.{part}" for part, option in WORKLOADS.items()},
    **{f"{option}.replicas": f"service_workload.{part}.replica" for part, option in WORKLOADS.items()},
    "name": "data_ops_service_name",
    "manager": "data_ops_id",
}
_OPTION_NAME = re.compile(r"^[a-z_]+")


def key_of(option: str, table: Mapping[str, Field]) -> str:
    """The API's key of an option, by paths: ``worker.replicas`` is ``service_workload.worker.replica``."""
    if option.startswith(f"{DEFAULTS}."):
        key = key_of(option.removeprefix(f"{DEFAULTS}."), SETTINGS)
        return key if table is SETTINGS else f"{DEFAULTS}.{key}"
    paths = {**{field.option: key for key, field in table.items()}, **_INSIDE}
    known = [path for path in paths if option == path or option.startswith((f"{path}.", f"{path}["))]
    if not known:
        return option
    longest = max(known, key=len)
    return f"{paths[longest]}{option[len(longest) :]}"


@contextmanager
def in_words_of(table: Mapping[str, Field]) -> Iterator[None]:
    """What the engine refuses inside is said of the API's keys."""
    try:
        yield
    except DataOpsError as error:
        error.where = key_of(error.where, table)
        raise


@contextmanager
def inside_of(key: str) -> Iterator[None]:
    """What is refused is a part of this key."""
    try:
        yield
    except DataOpsError as error:
        error.where = f"{key}.{error.where}"
        raise


def options(body: Mapping[str, Any], table: Mapping[str, Field]) -> dict[str, Any]:
    """What a body asks for, as options.

    :raises BadOption: naming the key.
    """
    found = {field.option: field.read(body[key]) for key, field in table.items() if key in body}
    found |= workloads(body.get("service_workload", {}))
    if asked := version(body):
        found["version"] = asked
    return found


def shown(recorded: Mapping[str, Any], table: Mapping[str, Field]) -> dict[str, Any]:
    """Options in the form of a body."""
    body = {key: field.show(recorded[field.option]) for key, field in table.items() if field.option in recorded}
    parts = {part: workload_shown(recorded[option]) for part, option in WORKLOADS.items() if option in recorded}
    return {**body, **({"service_workload": parts} if parts else {})}


def workload_shown(size: Mapping[str, Any]) -> dict[str, Any]:
    body = {key: value for key, value in size.items() if key not in ("cpu", "memory", "replicas")}
    if "cpu" in size:
        body["cpu"] = shown_cores(size["cpu"])
    if "memory" in size:
        body["memory"] = shown_memory(size["memory"])
    if "replicas" in size:
        body["replica"] = str(size["replicas"])
    return body
