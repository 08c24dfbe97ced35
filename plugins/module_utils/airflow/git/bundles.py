# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Airflow is told of the repositories: its DAG bundles, and a connection for each that git is to read."""

from __future__ import annotations

import json
from typing import Any

from .. import names
from ..versions import Profile
from . import credentials
from .spec import BUNDLE, MAIN, GitSync, Repository

GIT_BUNDLE = "airflow.providers.git.bundles.git.GitDagBundle"
LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
# The name of git-sync's link, which always leads to the newest complete commit.
LINK = "current"


def listed(git: GitSync | None) -> list[dict[str, object]]:
    """DAG bundles as Airflow reads them; none without GitSync."""
    if git is None:
        return []
    if git.mode == BUNDLE:
        return [bundle(item.name, GIT_BUNDLE, item, from_git(item)) for item in git.repositories]
    return [bundle(item.name, LOCAL_BUNDLE, item, {"path": folder(item)}) for item in git.repositories]


def bundle(name: str, classpath: str, item: Repository, kwargs: dict[str, Any]) -> dict[str, object]:
    return {"name": name, "classpath": classpath, "kwargs": {**kwargs, "refresh_interval": item.interval}}


def from_git(item: Repository) -> dict[str, Any]:
    source = {
        "git_conn_id": connection_id(item),
        "tracking_ref": item.ref,
        "subdir": item.subdir or None,
        "submodules": item.submodules or None,
    }
    return {key: value for key, value in source.items() if value is not None}


def folder(item: Repository) -> str:
    """Where the DAGs of a repository are in Airflow's containers, when git-sync brings them."""
    return "/".join(part for part in (names.DAGS, item.name, LINK, item.subdir) if part)


def dags_folder(git: GitSync | None, profile: Profile) -> str:
    """Airflow's one folder of DAGs, where there are no bundles; empty where it is not used."""
    if git is None or profile.bundles:
        return ""
    return folder(git.main) if len(git.repositories) == 1 else names.ALL_DAGS


def connection_id(item: Repository) -> str:
    if item.name == MAIN:
        return names.GIT_CONNECTION
    return f"{names.GIT_CONNECTION}_{item.name}".replace("-", "_")


def connections(git: GitSync | None) -> dict[str, str]:
    """Airflow's connections as environment variables. Nothing in them is secret: they name files."""
    if git is None or git.mode != BUNDLE:
        return {}
    return {f"AIRFLOW_CONN_{connection_id(item).upper()}": connection(item) for item in git.repositories}


def connection(item: Repository) -> str:
    content: dict[str, object] = {"conn_type": "git", "host": item.repo}
    if item.by_ssh:
        content["extra"] = {
            "key_file": credentials.path(item, credentials.SSH_KEY),
            "known_hosts_file": credentials.path(item, credentials.KNOWN_HOSTS),
            # Airflow's own default takes the first key that any server shows.
            "strict_host_key_checking": "yes",
        }
    return json.dumps(content)
