# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``config``: what a user sets in airflow.cfg, checked against what this version of Airflow knows."""

from __future__ import annotations

import configparser
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..common.secret_keys import Value, is_reference, reference
from ..errors import BadOption
from .knowledge import Knowledge, Option, knowledge
from .knowledge.limits import CHOICES, DICTIONARIES, NOT_NEGATIVE, OPEN_SECTIONS, RANGES
from .knowledge.owned import OWNED

Config = dict[str, dict[str, Value]]

TRUE = ("true", "t", "1", "yes", "on")
FALSE = ("false", "f", "0", "no", "off")
PASSED_ON = Option("text", sensitive=False)
NAME_OF_OPEN_OPTION = re.compile(r"[A-Za-z0-9_.-]+")
USER_IN_URL = re.compile(r"://[^/@\s:]*:[^/@\s]+@")
BY_SECRET = "Put it into a Secret in the service's namespace and write {secret: NAME, key: KEY}"


def config(raw: Mapping[str, Any], version: str, at: str = "config") -> Config:
    """Sections and options in order, each value checked and in Airflow's own form.

    :raises BadOption: for what Airflow does not know, what the service owns, and values that cannot be right.
    """
    checked: Config = {}
    for section, options in sorted(raw.items()):
        where = f"{at}.{section}"
        if not isinstance(options, Mapping):
            raise BadOption("it is no section with options", where=where, next_step="Write {section: {option: value}}")
        checked[section] = {
            option: value_of(section, option, value, version, f"{where}.{option}")
            for option, value in sorted(options.items())
        }
    return checked


def value_of(section: str, option: str, raw: Any, version: str, at: str) -> Value:
    about = find(section, option, version, at)
    if is_reference(raw):
        return reference(raw, at)
    if about.sensitive:
        # Not quoted: it is a secret all the same.
        raise BadOption("its value is a secret", where=at, next_step=BY_SECRET)
    text = text_of(raw)
    if USER_IN_URL.search(text):
        raise BadOption("the value contains a user and a password", where=at, next_step=BY_SECRET)
    return readable(of_kind(text, about.kind, f"{section}.{option}", at), at)


def find(section: str, option: str, version: str, at: str) -> Option:
    """What is known of an option that may be set."""
    path = f"{section}.{option}"
    known = knowledge(version)
    if path in OWNED:
        raise BadOption("the service sets it itself", where=at, next_step=OWNED[path])
    if path in known.moved:
        new = known.moved[path]
        instead = OWNED.get(new, f"Use {new}")
        raise BadOption(f"in Airflow {version} it is {new}", where=at, next_step=instead)
    if section not in known.options:
        near = similar(section, known.options) or [place for place in places(option, known) if place not in OWNED]
        raise BadOption(f"Airflow {version} has no section '{section}'", where=at, next_step=_use(near))
    if option in known.options[section]:
        return known.options[section][option]
    if section in OPEN_SECTIONS and NAME_OF_OPEN_OPTION.fullmatch(option):
        return PASSED_ON
    near = places(option, known) or similar(option, known.options[section])
    raise BadOption(
        f"Airflow {version} has no option '{option}' in section '{section}'", where=at, next_step=_use(near)
    )


def similar(name: str, known: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(name, list(known), n=3)


def places(option: str, known: Knowledge) -> list[str]:
    """Sections that do have an option of this name."""
    return [f"{section}.{option}" for section, options in known.options.items() if option in options]


def _use(near: list[str]) -> str:
    return f"Use {', '.join(near)}" if near else "Look it up in the configuration reference of this version"


def text_of(raw: Any) -> str:
    """A value as Airflow writes it: a list of words with commas, anything deeper as JSON."""
    if isinstance(raw, list) and not any(isinstance(item, list | Mapping) for item in raw):
        return ",".join(str(item) for item in raw)
    if isinstance(raw, list | Mapping):
        return json.dumps(raw, ensure_ascii=False)
    return str(raw).strip()


def of_kind(text: str, kind: str, path: str, at: str) -> str:
    if path in CHOICES:
        return one_of(text, CHOICES[path], at)
    if path in DICTIONARIES:
        return dictionary(text, at)
    if kind == "boolean":
        if text.lower() not in (*TRUE, *FALSE):
            raise BadOption(f"'{text}' is neither true nor false", where=at, next_step="Use true or false")
        return str(text.lower() in TRUE)
    if kind in ("integer", "number"):
        return in_range(text, kind, RANGES.get(path, NOT_NEGATIVE), at)
    return text


def dictionary(text: str, at: str) -> str:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadOption("it is no JSON", where=at, next_step="Write a dictionary") from error
    if not isinstance(found, dict):
        raise BadOption("it is no dictionary", where=at, next_step="Write a dictionary")
    return text


def one_of(text: str, choices: tuple[str, ...], at: str) -> str:
    for choice in choices:
        if choice.lower() == text.lower():
            return choice
    raise BadOption(f"'{text}' is not one of them", where=at, next_step=f"Use {', '.join(filter(None, choices))}")


def in_range(text: str, kind: str, limits: tuple[int, int | None], at: str) -> str:
    low, high = limits
    allowed = f"from {low} to {high}" if high is not None else f"of at least {low}"
    word = "whole number" if kind == "integer" else "number"
    try:
        number = int(text) if kind == "integer" else float(text)
    except ValueError as error:
        raise BadOption(f"'{text}' is not a {word}", where=at, next_step=f"Use a {word} {allowed}") from error
    # Written so that "nan" is refused, too.
    if not (number >= low and (high is None or number <= high)):
        raise BadOption(f"{text} is out of range", where=at, next_step=f"Use a {word} {allowed}")
    return text


def readable(text: str, at: str) -> str:
    """The value, when airflow.cfg gives it back as it is: not so lines that look like comments, or are indented."""
    parser = configparser.ConfigParser()
    try:
        parser.read_string(f"[section]\n{line('option', text)}\n")
        survived = parser["section"]["option"] == text
    except configparser.Error:
        survived = False
    if not survived:
        raise BadOption(
            "airflow.cfg would not give these lines back as they are",
            where=at,
            next_step="Write it in one line (JSON can be written as a dictionary), or as {secret: NAME, key: KEY}",
        )
    return text


def line(option: str, value: str) -> str:
    """One option of airflow.cfg. ``%`` is doubled, since it would be interpolated; further lines are indented."""
    return f"{option} = {value}".replace("%", "%%").replace("\n", "\n    ")


def variable(section: str, option: str) -> str:
    """The environment variable that Airflow reads before airflow.cfg."""
    return f"AIRFLOW__{section.replace('.', '_')}__{option}".upper()
