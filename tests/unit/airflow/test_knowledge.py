# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each version of Airflow knows: complete enough, typed, and only loaded when asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.knowledge import knowledge
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES

VERSIONS = ("3.3", "2.11")
# Facts that Airflow's own documentation states; a reading that lost them lost more.
FACTS: dict[str, tuple[str, str, str, bool]] = {
    "a number that is called a string": ("2.11", "core.parallelism", "integer", False),
    "a switch that is called a string": ("3.3", "core.load_examples", "boolean", False),
    "a provider's option": ("3.3", "celery.broker_url", "text", True),
    "an option with a fraction": ("3.3", "scheduler.scheduler_idle_sleep_time", "number", False),
    "a key": ("2.11", "webserver.secret_key", "text", True),
    "a section with a dot": ("2.11", "common.io.xcom_objectstorage_threshold", "integer", False),
}


@pytest.mark.parametrize(("version", "path", "kind", "sensitive"), FACTS.values(), ids=FACTS.keys())
def test_facts(version: str, path: str, kind: str, sensitive: bool) -> None:
    section, option = path.rsplit(".", 1)
    found = knowledge(version).options[section][option]
    assert (found.kind, found.sensitive) == (kind, sensitive)


def test_every_supported_version_is_known() -> None:
    assert set(PROFILES) <= set(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_is_whole(version: str) -> None:
    known = knowledge(version)
    assert {"core", "database", "logging", "scheduler", "celery", "kubernetes_executor", "fab"} <= set(known.options)
    kinds = {option.kind for options in known.options.values() for option in options.values()}
    assert kinds == {"text", "boolean", "integer", "number"}
    assert all(known.options.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_what_moved_is_gone_there_and_known_here(version: str) -> None:
    known = knowledge(version)
    for old, new in known.moved.items():
        section, option = old.rsplit(".", 1)
        assert option not in known.options.get(section, {})
        section, option = new.rsplit(".", 1)
        assert option in known.options[section]


def test_the_tables_are_loaded_only_when_asked_for() -> None:
    program = (
        "import sys\n"
        "from ansible_collections.scp.dataops.plugins.module_utils.airflow import service\n"
        "print([name for name in sys.modules if 'knowledge.options' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
