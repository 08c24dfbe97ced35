# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change may touch: for each option, exactly the workloads whose running pods it replaces."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import Secrets
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.common.secret_keys import SecretKey
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, index

from .builders import FULL, SECRETS, full, rendered

ALL = {"web-server", "scheduler", "dag-processor", "triggerer", "worker", "flower"}
STORES = {"database", "broker"}
# What runs beside Airflow.
BESIDE = STORES | {"metrics"}
# Who reads the list of repositories at its start.
READERS = {"dag-processor", "worker"}
OTHER_GIT = dataclasses.replace(SECRETS, git={"credential": "username=deploy\npassword=other\n"})
OTHER_DSN = dataclasses.replace(SECRETS, named={**SECRETS.named, SecretKey("sentry", "dsn"): "other"})
OTHER_TOKEN = dataclasses.replace(SECRETS, named={**SECRETS.named, SecretKey("warehouse", "token"): "other"})
OTHER_PASSWORD = dataclasses.replace(SECRETS, account={"id": "operator", "password": "Other-Account1!"})


def git(**change: Any) -> dict[str, Any]:
    return {"git_sync": {**FULL["git_sync"], **change}}


def size(option: str, **change: Any) -> dict[str, Any]:
    return {option: {**FULL[option], **change}}


def config(section: str, **options: Any) -> dict[str, Any]:
    return {"config": {**FULL["config"], section: {**FULL["config"].get(section, {}), **options}}}


def override(part: str, **fields: Any) -> dict[str, Any]:
    return {"overrides": {**FULL["overrides"], part: {"spec": fields}}}


# Option by option: what is asked, the secrets then, and the components that restart.
TOUCHED: dict[str, tuple[dict[str, Any], Secrets, set[str]]] = {
    "nothing": ({}, SECRETS, set()),
    "description": ({"description": "other"}, SECRETS, set()),
    "tags": ({"tags": {"team": "other"}}, SECRETS, set()),
    "host_aliases": ({"host_aliases": [{"ip": "10.0.0.6", "hostnames": ["other"]}]}, SECRETS, ALL),
    "host_aliases cleared": ({"host_aliases": []}, SECRETS, ALL),
    "node_selector": ({"node_selector": {"pool": "other"}}, SECRETS, ALL | BESIDE),
    "image_registry": ({"image_registry": "other.example.com"}, SECRETS, BESIDE),
    "image": ({"image": "own:2"}, SECRETS, ALL),
    "image_pull_secrets": ({"image_pull_secrets": ["other"]}, SECRETS, ALL | BESIDE),
    "tolerations": ({"tolerations": [{"operator": "Exists"}]}, SECRETS, ALL | BESIDE),
    "affinity": ({"affinity": {}}, SECRETS, ALL | BESIDE),
    "priority_class": ({"priority_class": "other"}, SECRETS, ALL | BESIDE),
    "ca_certificates": ({"ca_certificates": ""}, SECRETS, ALL),
    "python_index": ({"python_index": {}}, SECRETS, set()),
    "egress_proxy": ({"egress_proxy": {}}, SECRETS, ALL),
    "worker size": (size("worker", cpu="4"), SECRETS, {"scheduler", "worker"}),
    "worker replicas": (size("worker", replicas=5), SECRETS, set()),
    "worker concurrency": (size("worker", concurrency=16), SECRETS, {"scheduler", "worker", "flower"}),
    "drain_timeout": ({"drain_timeout": 1200}, SECRETS, {"worker"}),
    "size": ({"size": "recommended"}, SECRETS, STORES | {"flower"}),
    "task_pod size": (size("task_pod", memory="8Gi"), SECRETS, {"scheduler"}),
    "web_server limit": (size("web_server", cpu_limit="3"), SECRETS, {"web-server"}),
    "scheduler size": (size("scheduler", memory="8Gi"), SECRETS, {"scheduler"}),
    "web_server size": (size("web_server", cpu="1500m"), SECRETS, {"web-server"}),
    "dag_processor size": (size("dag_processor", cpu="4"), SECRETS, {"dag-processor"}),
    "triggerer size": (size("triggerer", cpu="4"), SECRETS, {"triggerer"}),
    "web_server replicas": (size("web_server", replicas=3), SECRETS, set()),
    "git ref": (git(ref="v1.3"), SECRETS, READERS),
    "git repo": (git(repo="https://git.example.com/team/other.git"), SECRETS, READERS),
    "git server": (git(repo="https://other.example.com/team/dags.git"), SECRETS, READERS),
    "git subdir": (git(subdir="other"), SECRETS, READERS),
    "git interval": (git(interval=600), SECRETS, READERS),
    "git user": (git(username="other"), SECRETS, set()),
    "git password": ({}, OTHER_GIT, set()),
    "git_sync cleared": ({"git_sync": {}}, dataclasses.replace(SECRETS, git={}), READERS),
    "domain": ({"domain": "other.example.com"}, SECRETS, {"web-server"}),
    "ingress_class": ({"ingress_class": "nginx"}, SECRETS, set()),
    "tls_secret renamed": ({"tls_secret": "other"}, SECRETS, set()),
    "tls_secret cleared": ({"tls_secret": ""}, SECRETS, {"web-server"}),
    "account id": ({"account": {"id": "other1"}}, SECRETS, set()),
    "account password": ({}, OTHER_PASSWORD, set()),
    "config of all": (config("core", parallelism=8), SECRETS, ALL),
    "config of the scheduler": (config("scheduler", max_tis_per_query=8), SECRETS, {"scheduler"}),
    "config that one more reads": (
        config("scheduler", scheduler_health_check_threshold=60),
        SECRETS,
        {"scheduler", "web-server"},
    ),
    "config of the web server": (config("api", instance_name="Loads"), SECRETS, {"web-server"}),
    "config of DAG files": (config("email", from_email="a@b"), SECRETS, {"dag-processor", "worker"}),
    "config of tasks": (config("workers", max_failed_heartbeats=4), SECRETS, {"worker"}),
    "config in a Secret, other content": ({}, OTHER_DSN, ALL),
    "config cleared": ({"config": {}}, SECRETS, ALL),
    "environment of all": ({"environment": {"all": {"TEAM": "other"}}}, SECRETS, ALL - {"flower"}),
    "environment of tasks": ({"environment": {**FULL["environment"], "task": {"A": "1"}}}, SECRETS, {"scheduler"}),
    "environment of tasks in a Secret, other content": ({}, OTHER_TOKEN, set()),
    "environment of one": (
        {"environment": {**FULL["environment"], "triggerer": {"A": "1"}}},
        SECRETS,
        {"triggerer"},
    ),
    "environment of jobs": ({"environment": {**FULL["environment"], "jobs": {"A": "1"}}}, SECRETS, set()),
    "overrides of one": (override("scheduler", hostname="x"), SECRETS, {"scheduler"}),
    "overrides of tasks": (override("task", hostname="x"), SECRETS, {"scheduler"}),
    "overrides of the database": (override("database", hostname="x"), SECRETS, {"database"}),
    "overrides cleared": ({"overrides": {}}, SECRETS, {"triggerer"}),
    "storage_size": ({"storage_size": "40Gi"}, SECRETS, set()),
    "monitoring interval": ({"monitoring": {**FULL["monitoring"], "interval": 60}}, SECRETS, set()),
}
NOT_CHANGEABLE = {"storage_class", "executor", "version", "flower"}


def workloads(spec: ServiceSpec, secrets: Secrets) -> dict[Ref, Manifest]:
    found = index(rendered(spec, secrets).all)
    return {ref: item for ref, item in found.items() if ref.kind in ("Deployment", "StatefulSet")}


def replaced(before: dict[Ref, Manifest], after: dict[Ref, Manifest]) -> set[str]:
    assert before.keys() == after.keys()
    return {
        ref.name.removeprefix("etl-")
        for ref in before
        if before[ref]["spec"]["template"] != after[ref]["spec"]["template"]
    }


@pytest.mark.parametrize(("change", "secrets", "expected"), TOUCHED.values(), ids=TOUCHED.keys())
def test_touched(change: dict[str, Any], secrets: Secrets, expected: set[str]) -> None:
    assert replaced(workloads(full(), SECRETS), workloads(full(**change), secrets)) == expected


def test_the_table_covers_every_option() -> None:
    named = {label.split()[0] for label in TOUCHED}
    covered = {"git_sync" if name == "git" else name for name in named}
    assert set(FULL) - NOT_CHANGEABLE <= covered


def test_replicas_change_the_number_only() -> None:
    before, after = workloads(full(), SECRETS), workloads(full(**size("web_server", replicas=3)), SECRETS)
    assert {ref.name for ref in before if before[ref] != after[ref]} == {"etl-web-server"}
