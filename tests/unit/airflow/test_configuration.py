# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""airflow.cfg: valid, without secrets, and consumed section by section."""

from __future__ import annotations

import configparser
from typing import Any

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


def test_config_map_has_what_pods_refer_to() -> None:
    files = named(rendered(full()).all, "ConfigMap", "etl-config")["data"]
    assert files.keys() == {
        "airflow.cfg",
        "task-pod.yaml",
        "account.py",
        "sitecustomize.py",
        "heartbeat.py",
        "worker_alive.py",
    }
    for name in ("account.py", "sitecustomize.py", "heartbeat.py", "worker_alive.py"):
        compile(files[name], name, "exec")
