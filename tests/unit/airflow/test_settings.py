# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``config``: what Airflow knows is taken in its own form, all else is refused in words."""

from __future__ import annotations

import configparser
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import configuration, settings
from ansible_collections.scp.dataops.plugins.module_utils.airflow.knowledge import knowledge
from ansible_collections.scp.dataops.plugins.module_utils.airflow.knowledge.limits import (
    CHOICES,
    DICTIONARIES,
    OPEN_SECTIONS,
    RANGES,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.knowledge.owned import OWNED
from ansible_collections.scp.dataops.plugins.module_utils.common.secret_keys import SecretKey
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

VERSIONS = ("3.3", "2.11")
REFERENCE = {"secret": "sentry", "key": "dsn"}

# Path, value as written, value as Airflow reads it.
TAKEN: dict[str, tuple[str, Any, Any]] = {
    "number": ("core.parallelism", 64, "64"),
    "number as text": ("core.parallelism", "64", "64"),
    "fraction": ("scheduler.scheduler_idle_sleep_time", 0.5, "0.5"),
    "boolean": ("core.dags_are_paused_at_creation", False, "False"),
    "boolean as text": ("core.dags_are_paused_at_creation", "yes", "True"),
    "text": ("api.instance_name", " Nightly loads ", "Nightly loads"),
    "text of another alphabet": ("api.instance_name", "데이터 ✓", "데이터 ✓"),
    "percent and dollar": ("logging.log_format", "%(asctime)s 100% $cost", "%(asctime)s 100% $cost"),
    "several lines": ("email.subject_template", "one\ntwo\n", "one\ntwo"),
    "list of words": ("metrics.metrics_allow_list", ["scheduler", "executor"], "scheduler,executor"),
    "dictionary": ("fab.custom_roles", {"a": [1, "ü"]}, '{"a": [1, "ü"]}'),
    "list of dictionaries": ("metrics.statsd_datadog_tags", [{"a": 1}], '[{"a": 1}]'),
    "dictionary as text": ("api.theme", '{"a": 1}', '{"a": 1}'),
    "one of several words, in any case": ("logging.logging_level", "debug", "DEBUG"),
    "sensitive, by Secret": ("sentry.sentry_dsn", REFERENCE, SecretKey("sentry", "dsn")),
    "any other, by Secret": ("core.parallelism", REFERENCE, SecretKey("sentry", "dsn")),
    "what Celery's broker takes": ("celery_broker_transport_options.max_connections", 20, "20"),
    "below zero where that has a meaning": ("scheduler.num_runs", -1, "-1"),
}


def checked(path: str, value: Any, version: str = "3.3") -> Any:
    section, option = path.rsplit(".", 1)
    return settings.config({section: {option: value}}, version)[section][option]


@pytest.mark.parametrize(("path", "value", "expected"), TAKEN.values(), ids=TAKEN.keys())
def test_taken(path: str, value: Any, expected: Any) -> None:
    assert checked(path, value) == expected


# Version, path, value, and the whole sentence.
REFUSED: dict[str, tuple[str, str, Any, str]] = {
    "section with a typing error": (
        "3.3",
        "schedular.num_runs",
        1,
        "config.schedular.num_runs: Airflow 3.3 has no section 'schedular'. Use scheduler.",
    ),
    "option with a typing error": (
        "3.3",
        "core.paralelism",
        1,
        "config.core.paralelism: Airflow 3.3 has no option 'paralelism' in section 'core'. Use parallelism.",
    ),
    "option of another section": (
        "3.3",
        "core.parsing_processes",
        1,
        "config.core.parsing_processes: Airflow 3.3 has no option 'parsing_processes' in section 'core'. "
        "Use dag_processor.parsing_processes.",
    ),
    "option that moved": (
        "3.3",
        "webserver.instance_name",
        "x",
        "config.webserver.instance_name: in Airflow 3.3 it is api.instance_name. Use api.instance_name.",
    ),
    "option that moved and is owned": (
        "3.3",
        "webserver.workers",
        2,
        "config.webserver.workers: in Airflow 3.3 it is api.workers. Use api.workers.",
    ),
    "nothing like it": (
        "3.3",
        "zzz.qqq",
        1,
        "config.zzz.qqq: Airflow 3.3 has no section 'zzz'. Look it up in the configuration reference of this version.",
    ),
    "known to another version only": (
        "2.11",
        "dag_processor.parsing_processes",
        1,
        "config.dag_processor.parsing_processes: Airflow 2.11 has no section 'dag_processor'. "
        "Use scheduler.parsing_processes.",
    ),
    "owned": (
        "3.3",
        "core.executor",
        "LocalExecutor",
        "config.core.executor: the service sets it itself. Use the option executor.",
    ),
    "no boolean": (
        "3.3",
        "core.load_examples",
        "maybe",
        "config.core.load_examples: 'maybe' is neither true nor false. Use true or false.",
    ),
    "no number": (
        "3.3",
        "core.parallelism",
        "many",
        "config.core.parallelism: 'many' is not a whole number. Use a whole number of at least 1.",
    ),
    "fraction of a whole number": (
        "3.3",
        "core.parallelism",
        1.5,
        "config.core.parallelism: '1.5' is not a whole number. Use a whole number of at least 1.",
    ),
    "too small": (
        "3.3",
        "core.parallelism",
        0,
        "config.core.parallelism: 0 is out of range. Use a whole number of at least 1.",
    ),
    "too large": (
        "3.3",
        "smtp.smtp_port",
        70000,
        "config.smtp.smtp_port: 70000 is out of range. Use a whole number from 1 to 65535.",
    ),
    "below zero": (
        "3.3",
        "core.default_task_retries",
        -1,
        "config.core.default_task_retries: -1 is out of range. Use a whole number of at least 0.",
    ),
    "not a number at all": (
        "3.3",
        "sensors.default_timeout",
        "nan",
        "config.sensors.default_timeout: nan is out of range. Use a number of at least 0.",
    ),
    "no JSON": (
        "3.3",
        "api.theme",
        "{'a': 1}",
        "config.api.theme: it is no JSON. Write a dictionary.",
    ),
    "no dictionary": (
        "3.3",
        "api.theme",
        [{"a": 1}],
        "config.api.theme: it is no dictionary. Write a dictionary.",
    ),
    "none of the words": (
        "3.3",
        "core.default_task_weight_rule",
        "sideways",
        "config.core.default_task_weight_rule: 'sideways' is not one of them. Use absolute, downstream, upstream.",
    ),
    "sensitive in plain text": (
        "3.3",
        "sentry.sentry_dsn",
        "s3cret",
        "config.sentry.sentry_dsn: its value is a secret. "
        "Put it into a Secret in the service's namespace and write {secret: NAME, key: KEY}.",
    ),
    "password in an address": (
        "3.3",
        "elasticsearch.host",
        "https://me:s3cret@es.example.com",
        "config.elasticsearch.host: the value contains a user and a password. "
        "Put it into a Secret in the service's namespace and write {secret: NAME, key: KEY}.",
    ),
    "half a reference": (
        "3.3",
        "sentry.sentry_dsn",
        {"secret": "sentry"},
        "config.sentry.sentry_dsn.key: it is not set. Write {secret: NAME, key: KEY}.",
    ),
    "a line that would be a comment": (
        "3.3",
        "email.subject_template",
        "one\n# two",
        "config.email.subject_template: airflow.cfg would not give these lines back as they are. "
        "Write it in one line (JSON can be written as a dictionary), or as {secret: NAME, key: KEY}.",
    ),
    "an indented line": (
        "3.3",
        "email.subject_template",
        "one\n  two",
        "config.email.subject_template: airflow.cfg would not give these lines back as they are. "
        "Write it in one line (JSON can be written as a dictionary), or as {secret: NAME, key: KEY}.",
    ),
}


@pytest.mark.parametrize(("version", "path", "value", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(version: str, path: str, value: Any, sentence: str) -> None:
    with pytest.raises(BadOption) as refusal:
        checked(path, value, version)
    assert str(refusal.value) == sentence
    assert "s3cret" not in str(refusal.value)


def test_a_section_must_have_options() -> None:
    with pytest.raises(BadOption, match=r"config\.core: it is no section with options"):
        settings.config({"core": "parallelism=3"}, "3.3")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_sensitive_option_is_owned_or_only_by_secret(version: str) -> None:
    for section, options in knowledge(version).options.items():
        for option, about in options.items():
            if about.sensitive:
                with pytest.raises(BadOption):
                    checked(f"{section}.{option}", "plain", version)


@pytest.mark.parametrize(
    "table", [OWNED, CHOICES, RANGES, DICTIONARIES], ids=["owned", "choices", "ranges", "dictionaries"]
)
def test_tables_name_options_that_exist(table: Any) -> None:
    known = {
        f"{section}.{option}"
        for version in VERSIONS
        for section, options in knowledge(version).options.items()
        for option in options
    }
    assert set(table) - known == set()


@pytest.mark.parametrize("version", VERSIONS)
def test_ranges_are_those_of_numbers(version: str) -> None:
    kinds = {
        path: about.kind
        for section, options in knowledge(version).options.items()
        for option, about in options.items()
        if (path := f"{section}.{option}") in RANGES
    }
    assert {path for path, kind in kinds.items() if kind not in ("integer", "number")} == set()


def test_open_sections_are_known() -> None:
    assert all(section in knowledge(version).options for section in OPEN_SECTIONS for version in VERSIONS)


HARD = [
    "100 %",
    "%(x)s %% %",
    "$HOME ${x}",
    "a = b",
    "[section]",
    "ü 데이터 ✓",
    '{"a": "b"}',
    "one\ntwo: x\n[three]",
    "x;y #z",
]


@pytest.mark.parametrize("value", HARD)
def test_what_is_taken_survives_the_file(value: str) -> None:
    taken = checked("api.instance_name", value)
    parser = configparser.ConfigParser()
    parser.read_string(configuration.as_text({"api": {"instance_name": taken, "page": "1"}}))
    assert (parser["api"]["instance_name"], parser["api"]["page"]) == (value, "1")


def test_names_of_variables() -> None:
    assert settings.variable("common.io", "xcom_objectstorage_path") == "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH"
