# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Airflow is told of repositories: bundles, connections, the folder of DAGs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git import bundles
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.spec import git_sync

from .test_spec import HTTPS, PROFILE, SSH, WITHOUT_BUNDLES, made

MORE = {"name": "more-dags", **SSH, "subdir": "a"}
GIT = "airflow.providers.git.bundles.git.GitDagBundle"
LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"
LISTED: dict[str, tuple[dict[str, Any], list[tuple[str, str, dict[str, Any]]]]] = {
    "only the address": (
        HTTPS,
        [("dags", GIT, {"git_conn_id": "git_dags", "tracking_ref": "main", "refresh_interval": 60})],
    ),
    "all": (
        {**HTTPS, "ref": "v1", "subdir": "dags", "interval": 30, "submodules": True, "depth": 5, "username": "deploy"},
        [
            (
                "dags",
                GIT,
                {
                    "git_conn_id": "git_dags",
                    "tracking_ref": "v1",
                    "subdir": "dags",
                    "submodules": True,
                    "refresh_interval": 30,
                },
            )
        ],
    ),
    "two": (
        {**HTTPS, "repositories": [MORE]},
        [
            ("dags", GIT, {"git_conn_id": "git_dags", "tracking_ref": "main", "refresh_interval": 60}),
            (
                "more-dags",
                GIT,
                {"git_conn_id": "git_dags_more_dags", "tracking_ref": "main", "subdir": "a", "refresh_interval": 60},
            ),
        ],
    ),
    "two by sidecar": (
        {**HTTPS, "mode": "sidecar", "repositories": [MORE]},
        [
            ("dags", LOCAL, {"path": "/opt/airflow/dags/dags/current", "refresh_interval": 60}),
            ("more-dags", LOCAL, {"path": "/opt/airflow/dags/more-dags/current/a", "refresh_interval": 60}),
        ],
    ),
}


@pytest.mark.parametrize(("options", "expected"), LISTED.values(), ids=LISTED.keys())
def test_bundles(options: dict[str, Any], expected: list[tuple[str, str, dict[str, Any]]]) -> None:
    found = bundles.listed(made(**options))
    assert [(item["name"], item["classpath"], item["kwargs"]) for item in found] == expected


def test_without_git_sync_there_is_nothing() -> None:
    assert bundles.listed(None) == []
    assert bundles.connections(None) == {}
    assert bundles.dags_folder(None, WITHOUT_BUNDLES) == ""


def test_connections_name_files_and_hold_no_secret() -> None:
    found = bundles.connections(made(**HTTPS, username="deploy", repositories=[MORE]))
    assert {name: json.loads(text) for name, text in found.items()} == {
        "AIRFLOW_CONN_GIT_DAGS": {"conn_type": "git", "host": HTTPS["repo"]},
        "AIRFLOW_CONN_GIT_DAGS_MORE_DAGS": {
            "conn_type": "git",
            "host": SSH["repo"],
            "extra": {
                "key_file": "/etc/scp-dataops/git/more-dags.ssh-key",
                "known_hosts_file": "/etc/scp-dataops/git/more-dags.known-hosts",
                "strict_host_key_checking": "yes",
            },
        },
    }
    assert bundles.connections(made(**HTTPS, mode="sidecar")) == {}


FOLDERS: dict[str, tuple[dict[str, Any], str]] = {
    "one repository": (HTTPS, "/opt/airflow/dags/dags/current"),
    "a folder of it": ({**HTTPS, "subdir": "team/dags"}, "/opt/airflow/dags/dags/current/team/dags"),
    "several": ({**HTTPS, "repositories": [MORE]}, "/opt/airflow/dags/_all"),
}


@pytest.mark.parametrize(("options", "folder"), FOLDERS.values(), ids=FOLDERS.keys())
def test_the_one_folder_of_a_version_without_bundles(options: dict[str, Any], folder: str) -> None:
    assert bundles.dags_folder(git_sync(options, WITHOUT_BUNDLES, "2.11"), WITHOUT_BUNDLES) == folder
    assert bundles.dags_folder(git_sync({**options, "mode": "sidecar"}, PROFILE, "3.3"), PROFILE) == ""
