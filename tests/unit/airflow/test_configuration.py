# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""airflow.cfg: valid, without secrets, and consumed section by section."""

from __future__ import annotations

import configparser
import json
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import configuration
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import AIRFLOW_3_COMPONENTS, SHARED_SECTIONS

from .builders import GIT, full, named, rendered, service


def parsed(**options: Any) -> configparser.ConfigParser:
    """As Airflow reads it."""
    parser = configparser.ConfigParser()
    parser.read_string(named(rendered(service(**options)).all, "ConfigMap", "etl-config")["data"]["airflow.cfg"])
    return parser


def test_the_file_reads_back() -> None:
    sections = configuration.sections(service(git_sync=GIT))
    read = parsed(git_sync=GIT)
    assert {name: dict(read[name]) for name in read.sections()} == sections


def test_percent_signs_survive() -> None:
    text = configuration.as_text({"core": {"a": "100 % and %(b)s"}})
    parser = configparser.ConfigParser()
    parser.read_string(text)
    assert parser["core"]["a"] == "100 % and %(b)s"


def test_every_section_is_read_by_somebody() -> None:
    read = SHARED_SECTIONS.union(*(part.reads for part in AIRFLOW_3_COMPONENTS))
    assert set(configuration.sections(full())) <= read


def test_what_a_person_would_look_for() -> None:
    read = parsed(git_sync=GIT)
    assert read["core"]["executor"] == "KubernetesExecutor"
    assert read["core"]["execution_api_server_url"] == "http://etl-web-server:8080/execution/"
    assert read["api"]["base_url"] == "http://etl.example.com"
    assert read["kubernetes_executor"]["namespace"] == "data"


BUNDLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "only the address": (
        {"repo": "https://g/x"},
        {"git_conn_id": "git_dags", "tracking_ref": "main", "refresh_interval": 60},
    ),
    "all": (
        {**GIT, "ref": "v1", "username": "deploy"},
        {"git_conn_id": "git_dags", "tracking_ref": "v1", "subdir": "dags", "refresh_interval": 30},
    ),
}


@pytest.mark.parametrize(("git", "kwargs"), BUNDLES.values(), ids=BUNDLES.keys())
def test_bundle(git: dict[str, Any], kwargs: dict[str, Any]) -> None:
    (bundle,) = json.loads(parsed(git_sync=git)["dag_processor"]["dag_bundle_config_list"])
    assert bundle["kwargs"] == kwargs


def test_without_git_sync_there_is_no_bundle() -> None:
    assert json.loads(parsed()["dag_processor"]["dag_bundle_config_list"]) == []
    assert configuration.git_environment(service()) == {}


def test_git_reads_the_address_and_never_the_user() -> None:
    environment = configuration.git_environment(full())
    assert json.loads(environment["AIRFLOW_CONN_GIT_DAGS"]) == {
        "conn_type": "git",
        "host": "https://git.example.com/team/dags.git",
    }
    assert environment["GIT_CONFIG_KEY_0"] == "credential.https://git.example.com.helper"
    assert "deploy" not in json.dumps(environment)


def test_config_map_has_what_pods_refer_to() -> None:
    files = named(rendered(full()).all, "ConfigMap", "etl-config")["data"]
    assert files.keys() == {
        "airflow.cfg",
        "task-pod.yaml",
        "account.py",
        "heartbeat.py",
        "worker_alive.py",
        "AIRFLOW_CONN_GIT_DAGS",
        "GIT_CONFIG_KEY_0",
        "GIT_CONFIG_COUNT",
    }
    for name in ("account.py", "heartbeat.py", "worker_alive.py"):
        compile(files[name], name, "exec")
