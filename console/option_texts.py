# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options in a form of text that people can type, and back: labels, aliases, and settings as in a playbook."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from ansible_collections.scp.dataops.plugins.module_utils.common.secret_keys import is_reference
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

LONGEST = 100_000
ON_OFF = ("true", "false")
TOLERATION = re.compile(
    r"(?P<key>\*|[^\s=:*]+)(=(?P<value>[^\s=:]*))?(:(?P<effect>[A-Za-z]+))?( +(?P<seconds>[0-9]{1,9}))?"
)
BEGINS = "-----BEGIN CERTIFICATE-----"


def text(typed: str, at: str) -> str:
    return typed.strip()


def number(typed: str, at: str) -> int | str:
    """Empty where nothing is typed."""
    given = typed.strip()
    if not given:
        return ""
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise BadOption("it is not a whole number", where=at, next_step="Write a number such as 2")
    return int(given)


def pairs(typed: str, at: str) -> dict[str, str]:
    """A line for each: ``KEY=VALUE``."""
    found: dict[str, str] = {}
    for line in lines(typed):
        key, equals, value = (part.strip() for part in line.partition("="))
        if not key or not equals:
            raise BadOption(f"'{line}' is no pair", where=at, next_step="Write KEY=VALUE, one in a line")
        if key in found:
            raise BadOption(f"'{key}' is given twice", where=at, next_step="Give each key once")
        found[key] = value
    return found


def pairs_shown(value: Mapping[str, Any]) -> str:
    return "\n".join(f"{key}={value[key]}" for key in sorted(value))


def aliases(typed: str, at: str) -> list[dict[str, Any]]:
    """A line for each address, as in a hosts file: the address and its names."""
    found = []
    for line in lines(typed):
        address, *names = line.split()
        if not names:
            raise BadOption(f"'{line}' has no name", where=at, next_step="Write ADDRESS NAME, one address in a line")
        found.append({"ip": address, "hostnames": names})
    return found


def aliases_shown(value: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(" ".join([str(item["ip"]), *item["hostnames"]]) for item in value)


def tolerations(typed: str, at: str) -> list[dict[str, Any]]:
    """A line for each, as taints are written: ``KEY=VALUE:EFFECT``, ``KEY:EFFECT`` or ``*``, and seconds behind it."""
    found = []
    for line in lines(typed):
        match = TOLERATION.fullmatch(line)
        if match is None:
            raise BadOption(f"'{line}' is no toleration", where=at, next_step="Write KEY=VALUE:EFFECT, KEY:EFFECT or *")
        whose: dict[str, Any] = {"operator": "Exists"} if match["value"] is None else {"value": match["value"]}
        key = {} if match["key"] == "*" else {"key": match["key"]}
        effect = {"effect": match["effect"]} if match["effect"] else {}
        seconds = {"tolerationSeconds": int(match["seconds"])} if match["seconds"] else {}
        found.append({**key, **whose, **effect, **seconds})
    return found


def tolerations_shown(value: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(toleration_shown(item) for item in value)


def toleration_shown(item: Mapping[str, Any]) -> str:
    value = "" if item.get("operator") == "Exists" else f"={item.get('value', '')}"
    effect = f":{item['effect']}" if item.get("effect") else ""
    seconds = f" {item['tolerationSeconds']}" if "tolerationSeconds" in item else ""
    return f"{item.get('key') or '*'}{value}{effect}{seconds}"


def each_line(typed: str, at: str) -> list[str]:
    return lines(typed)


def lines_shown(value: Sequence[str]) -> str:
    return "\n".join(value)


def is_on(typed: str, at: str) -> bool | str:
    """Empty where nothing is chosen."""
    if typed not in ("", *ON_OFF):
        raise BadOption(f"'{typed}' is neither on nor off", where=at, next_step=f"Use {' or '.join(ON_OFF)}")
    return typed and typed == ON_OFF[0]


def is_on_shown(value: bool) -> str:
    return ON_OFF[0] if value else ON_OFF[1]


def lines(typed: str) -> list[str]:
    return [line.strip() for line in typed.splitlines() if line.strip()]


def settings(typed: str, at: str) -> dict[str, Any]:
    """YAML, two levels: ``{section: {option: value}}``, as in a playbook. What has no value is left out."""
    if len(typed) > LONGEST:
        raise BadOption("it is too long", where=at, next_step=f"Use at most {LONGEST} characters")
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(typed, Loader=yaml.SafeLoader)):
            raise BadOption("it refers to another place of itself with *", where=at, next_step="Write it out")
        found = yaml.safe_load(typed)
        # What no playbook could hand over, such as a date, cannot be kept either.
        json.dumps(found, allow_nan=False)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        raise BadOption(f"it cannot be read{place}", where=at, next_step="Write it as in a playbook") from error
    except (TypeError, ValueError) as error:
        raise BadOption("it holds a date or the like", where=at, next_step="Write such a value in quotes") from error
    groups = found or {}
    if not isinstance(groups, dict) or not all(isinstance(value, dict | None) for value in groups.values()):
        raise BadOption(
            "it has not two levels", where=at, next_step="Write a name with a colon, and below it NAME: value"
        )
    kept = {
        str(group): {str(name): value for name, value in (values or {}).items() if value is not None}
        for group, values in groups.items()
    }
    return {group: values for group, values in kept.items() if values}


def settings_shown(value: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(value), allow_unicode=True, default_flow_style=False)).strip() if value else ""


def difference(old: Mapping[str, Any], new: Mapping[str, Any], levels: int) -> dict[str, Any]:
    """What to ask for, so that ``old`` becomes ``new``: an empty value clears what is there no more."""
    asked: dict[str, Any] = {}
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if levels > 1 and isinstance(before, Mapping) and isinstance(after, Mapping):
            asked[key] = difference(before, after, levels - 1)
        else:
            asked[key] = "" if after is None else after
    return asked


def shown(name: str, value: Any) -> str:
    """In a few words; the text of a certificate says nothing to anybody."""
    if isinstance(value, str) and BEGINS in value:
        return f"PEM ({value.count(BEGINS)})"
    if name == "host_aliases":
        return aliases_shown(value)
    if is_reference(value):
        return f"Secret {value['secret']}, {value.get('key', '')}"
    if isinstance(value, Mapping) and all(isinstance(each, str | int) for each in value.values()):
        return pairs_shown(value)
    if isinstance(value, list) and all(isinstance(each, str | int) for each in value):
        return "\n".join(str(each) for each in value)
    if isinstance(value, list | Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)
