# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules' documentation is a contract: options, examples and results are what it says, no more and no less."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from .running import NAMES, PLUGINS, documentation, module, module_files, returned

# What a task may say besides the module and its options.
TASK_KEYWORDS = {"name", "register", "check_mode", "diff", "loop", "until", "retries", "delay", "when", "vars"}


def each_module(test: Any) -> Any:
    return pytest.mark.parametrize("name", NAMES)(test)


def differences(spec: dict[str, Any], documented: dict[str, Any], at: str = "") -> Iterator[str]:
    """Where the options that a module takes and those that it documents are not the same."""
    for option in sorted(spec.keys() | documented.keys()):
        path = f"{at}{option}"
        if option not in documented:
            yield f"{path} is not documented"
            continue
        if option not in spec:
            yield f"{path} does not exist"
            continue
        own, told = spec[option], documented[option]
        for key, otherwise in (
            ("type", "str"),
            ("choices", None),
            ("default", None),
            ("required", False),
            ("elements", None),
        ):
            if own.get(key, otherwise) != told.get(key, otherwise):
                yield f"{path}: {key} is {own.get(key, otherwise)}, documented as {told.get(key, otherwise)}"
        yield from differences(own.get("options", {}), told.get("suboptions", {}), f"{path}.")


@each_module
def test_options_are_those_documented(name: str) -> None:
    assert list(differences(module(name).argument_spec(), documentation(name)["options"])) == []


def test_a_difference_is_found() -> None:
    spec = {"a": {"type": "int"}, "b": {"type": "dict", "options": {"c": {}}}, "d": {"default": 1}}
    documented = {"a": {"type": "str"}, "b": {"type": "dict"}, "e": {}}
    assert list(differences(spec, documented)) == [
        "a: type is int, documented as str",
        "b.c is not documented",
        "d is not documented",
        "e does not exist",
    ]


def described(options: dict[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for name, option in options.items():
        yield f"{at}{name}", option.get("description")
        yield from described(option.get("suboptions", {}) | option.get("contains", {}), f"{at}{name}.")


@each_module
def test_every_option_and_result_is_described_in_sentences(name: str) -> None:
    everything = [*described(documentation(name)["options"]), *described(returned(name))]
    for path, text in everything:
        assert text, path
        for paragraph in [text] if isinstance(text, str) else text:
            assert paragraph.endswith("."), f"{path}: {paragraph}"


def secrets(spec: dict[str, Any], at: str = "") -> Iterator[tuple[str, bool]]:
    for name, option in spec.items():
        # The name of a key in a Secret is no secret itself.
        if (
            name != "password_key"
            and option.get("type") == "str"
            and any(word in name for word in ("password", "token", "api_key"))
        ):
            yield f"{at}{name}", option.get("no_log") is True
        yield from secrets(option.get("options", {}), f"{at}{name}.")


@each_module
def test_no_password_is_ever_logged(name: str) -> None:
    found = dict(secrets(module(name).argument_spec()))
    assert {"password", "api_key"} <= found.keys()
    assert [path for path, hidden in found.items() if not hidden] == []


def tasks(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(module(name).EXAMPLES)
    return found


def unknown(given: Any, spec: dict[str, Any], at: str = "") -> Iterator[str]:
    """Options of an example that the module does not take."""
    for key, value in given.items():
        option = spec.get(key)
        if option is None:
            yield f"{at}{key}"
        elif "options" in option:
            for item in value if isinstance(value, list) else [value]:
                yield from unknown(item, option["options"], f"{at}{key}.")


@each_module
def test_examples_parse_and_use_what_exists(name: str) -> None:
    used = 0
    for task in tasks(name):
        assert task["name"][0].isupper()
        (action,) = task.keys() - TASK_KEYWORDS
        collection, _dot, called = action.rpartition(".")
        assert collection in ("scp.dataops", "ansible.builtin"), action
        if collection == "scp.dataops":
            spec = module(called).argument_spec()
            given = task[action]
            assert list(unknown(given, spec)) == []
            assert {key for key, option in spec.items() if option.get("required")} <= given.keys()
            used += called == name
    assert used


def test_every_module_is_in_the_action_group_and_tested() -> None:
    runtime = yaml.safe_load((PLUGINS.parent / "meta" / "runtime.yml").read_text())
    assert sorted(runtime["action_groups"]["dataops"]) == module_files() == sorted(NAMES)


@each_module
def test_the_documentation_names_the_module_and_its_group(name: str) -> None:
    text = documentation(name)
    assert text["module"] == name
    assert not text["short_description"].endswith(".")
    assert text["description"]


@each_module
def test_changing_modules_share_their_attributes_and_readers_theirs(name: str) -> None:
    fragments = yaml.safe_load(module(name).DOCUMENTATION)["extends_documentation_fragment"]
    otherwise = {
        "dataops_objects": "scp.dataops.change.objects",
        "dataops_preflight": "scp.dataops.service",
        "dataops_upload": "scp.dataops.change.upload",
    }
    own = "scp.dataops.change.info" if name.endswith("_info") else otherwise.get(name, "scp.dataops.change")
    assert fragments == ["scp.dataops.auth", own]
