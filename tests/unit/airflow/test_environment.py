# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``environment``: variables by part, settings of Airflow checked as such, secrets only by reference."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import environment
from ansible_collections.scp.dataops.plugins.module_utils.common.secret_keys import SecretKey
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

REFERENCE = {"secret": "s", "key": "k"}
TAKEN: dict[str, tuple[str, Any, Any]] = {
    "text": ("TEAM", "analytics", "analytics"),
    "empty text": ("TEAM_TOKEN", "", ""),
    "number": ("OMP_NUM_THREADS", 2, "2"),
    "boolean": ("DEBUG", True, "true"),
    "by Secret": ("API_TOKEN", REFERENCE, SecretKey("s", "k")),
    "a path to a credential": ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/gcp.json", "/etc/gcp.json"),
    "a connection by Secret": ("AIRFLOW_CONN_WAREHOUSE", REFERENCE, SecretKey("s", "k")),
    "a variable of Airflow": ("AIRFLOW_VAR_REGION", "kr-west1", "kr-west1"),
    "a setting": ("AIRFLOW__CORE__PARALLELISM", 8, "8"),
    "a setting of a section with a dot": (
        "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH",
        "file:///x",
        "file:///x",
    ),
}


@pytest.mark.parametrize(("name", "value", "expected"), TAKEN.values(), ids=TAKEN.keys())
def test_taken(name: str, value: Any, expected: Any) -> None:
    assert environment.environment({"all": {name: value}}, "3.3") == {"all": {name: expected}}


REFUSED: dict[str, tuple[str, str, Any, str]] = {
    "an unknown part": ("schedular", "A", "b", "environment.schedular: no such option. Use scheduler."),
    "the database": (
        "database",
        "A",
        "b",
        "environment.database: no such option. "
        "Use all, web-server, scheduler, dag-processor, triggerer, worker, task, jobs.",
    ),
    "no name": ("all", "A-B", "c", "environment.all.A-B: this is no name of a variable. Use letters, digits and '_'."),
    "owned": (
        "task",
        "HTTPS_PROXY",
        "http://p",
        "environment.task.HTTPS_PROXY: the service sets this variable. Use the option egress_proxy.",
    ),
    "a step before Airflow": (
        "all",
        "_PIP_ADDITIONAL_REQUIREMENTS",
        "x",
        "environment.all._PIP_ADDITIONAL_REQUIREMENTS: the service sets this variable. Use an image of your own.",
    ),
    "the connection of git": (
        "all",
        "AIRFLOW_CONN_GIT_DAGS",
        REFERENCE,
        "environment.all.AIRFLOW_CONN_GIT_DAGS: the service sets this variable. Use the option git_sync.",
    ),
    "a connection in plain text": (
        "task",
        "AIRFLOW_CONN_X",
        "postgres://u:s3cret@h/d",
        "environment.task.AIRFLOW_CONN_X: a connection holds a password. "
        "Put it into a Secret in the service's namespace and write {secret: NAME, key: KEY}.",
    ),
    "a password in plain text": (
        "task",
        "DB_PASSWORD",
        "s3cret",
        "environment.task.DB_PASSWORD: it reads like a secret in plain text. "
        "Put it into a Secret in the service's namespace and write {secret: NAME, key: KEY}.",
    ),
    "an owned setting": (
        "all",
        "AIRFLOW__CORE__FERNET_KEY",
        "s3cret",
        "environment.all.AIRFLOW__CORE__FERNET_KEY: the service sets it itself. "
        "It is made once and kept in the service's Secret; leave it out.",
    ),
    "an unknown setting": (
        "all",
        "AIRFLOW__CORE__PARALELISM",
        "3",
        "environment.all.AIRFLOW__CORE__PARALELISM: Airflow 3.3 has no option 'paralelism' in section 'core'. "
        "Use parallelism.",
    ),
    "a setting from a command": (
        "all",
        "AIRFLOW__SENTRY__SENTRY_DSN_CMD",
        "cat x",
        "environment.all.AIRFLOW__SENTRY__SENTRY_DSN_CMD: Airflow 3.3 has no option 'sentry_dsn_cmd' in section "
        "'sentry'. Use sentry_dsn, sentry_on.",
    ),
    "no text": ("all", "A", ["b"], "environment.all.A: it is no text. Write a text, or {secret: NAME, key: KEY}."),
}


@pytest.mark.parametrize(("part", "name", "value", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(part: str, name: str, value: Any, sentence: str) -> None:
    with pytest.raises(BadOption) as refusal:
        environment.environment({part: {name: value}}, "3.3")
    assert str(refusal.value) == sentence
    assert "s3cret" not in str(refusal.value)
