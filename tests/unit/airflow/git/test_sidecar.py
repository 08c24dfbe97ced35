# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of the sidecar mode: their flags to the letter, and which pods have them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.credentials import Given
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import Secrets
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

from ..builders import AUTHORITY, every_manifest, fresh_secrets, named, pods, rendered, service, task_template
from .samples import KEY
from .test_spec import HTTPS, SSH

MORE = {"name": "more", **SSH, "ref": "v1", "interval": 30, "depth": 0, "submodules": True, "subdir": "a"}
CELERY = {"executor": "CeleryExecutor"}


def by_sidecar(**options: Any) -> ServiceSpec:
    git = {**HTTPS, "mode": "sidecar", **options.pop("git_sync", {})}
    return service(git_sync=git, image_registry="registry.example.com", **options)


def pod_of(spec: ServiceSpec, component: str) -> Manifest:
    found: Manifest = named(rendered(spec).all, "Deployment", f"etl-{component}")["spec"]["template"]["spec"]
    return found


def arguments(pod: Manifest, kind: str) -> dict[str, list[str]]:
    return {
        item["name"]: item["args"] for item in pod.get(kind, []) if item["name"].startswith(("git-init-", "git-sync-"))
    }


COMMON = [
    "--repo=https://git.example.com/team/dags.git",
    "--ref=main",
    "--root=/git/dags",
    "--link=current",
    "--depth=1",
    "--submodules=off",
    "--git-config=include.path:/etc/scp-dataops/git/gitconfig",
    "--sync-timeout=120s",
    "--stale-worktree-timeout=300s",
]
BY_SSH = [
    "--repo=git@git.example.com:team/dags.git",
    "--ref=v1",
    "--root=/git/more",
    "--link=current",
    "--depth=0",
    "--submodules=recursive",
    "--git-config=include.path:/etc/scp-dataops/git/gitconfig",
    "--ssh-key-file=/etc/scp-dataops/git/more.ssh-key",
    "--ssh-known-hosts=true",
    "--ssh-known-hosts-file=/etc/scp-dataops/git/more.known-hosts",
    "--sync-timeout=120s",
    "--stale-worktree-timeout=300s",
]
ONCE = ["--one-time", "--max-failures=5", "--period=5s"]


def standing(port: int, seconds: int) -> list[str]:
    return ["--max-failures=-1", f"--period={seconds}s", f"--http-bind=:{port}", "--http-metrics=true"]


def test_flags() -> None:
    pod = pod_of(by_sidecar(git_sync={"repositories": [MORE]}), "dag-processor")
    assert arguments(pod, "initContainers") == {"git-init-dags": [*COMMON, *ONCE], "git-init-more": [*BY_SSH, *ONCE]}
    assert arguments(pod, "containers") == {
        "git-sync-dags": [*COMMON, *standing(1234, 60)],
        "git-sync-more": [*BY_SSH, *standing(1235, 30)],
    }


def test_tasks_take_address_and_ref_by_reference() -> None:
    spec = by_sidecar(git_sync={"repositories": [MORE]})
    pod = task_template(rendered(spec).all)["spec"]
    found = arguments(pod, "initContainers")
    assert found["git-init-dags"] == ["--repo=$(REPO_0)", "--ref=$(REF_0)", *COMMON[2:], *ONCE]
    assert found["git-init-more"] == ["--repo=$(REPO_1)", "--ref=$(REF_1)", *BY_SSH[2:], *ONCE]
    assert arguments(pod, "containers") == {}
    values = named(rendered(spec).all, "ConfigMap", "etl-git")["data"]
    references = {
        variable["name"]: values[variable["valueFrom"]["configMapKeyRef"]["key"]]
        for item in pod["initContainers"]
        for variable in item["env"]
    }
    assert references == {"REPO_0": HTTPS["repo"], "REF_0": "main", "REPO_1": SSH["repo"], "REF_1": "v1"}


PLACES: dict[str, tuple[dict[str, Any], set[str], set[str]]] = {
    "3.3, a pod for each task": (
        {},
        {"Deployment/etl-dag-processor"},
        {"Pod/etl-task"},
    ),
    "3.3, workers": (
        CELERY,
        {"Deployment/etl-dag-processor", "Deployment/etl-worker"},
        {"Pod/etl-task"},
    ),
    "2.11, workers": (
        {**CELERY, "version": "2.11"},
        {"Deployment/etl-dag-processor", "Deployment/etl-worker", "Deployment/etl-triggerer"},
        {"Pod/etl-task"},
    ),
}


@pytest.mark.parametrize(("options", "both", "once"), PLACES.values(), ids=PLACES.keys())
def test_which_pods_have_git_sync(options: dict[str, Any], both: set[str], once: set[str]) -> None:
    spec = by_sidecar(**options)
    found = dict(pods(every_manifest(spec, fresh_secrets(spec))))
    first = {name for name, pod in found.items() if arguments(pod, "initContainers")}
    beside = {name for name, pod in found.items() if arguments(pod, "containers")}
    assert (beside, first - beside) == (both, once)


def test_no_variable_of_git_sync_is_set() -> None:
    spec = by_sidecar(**CELERY, git_sync={"repositories": [MORE]})
    for name, pod in pods(every_manifest(spec, fresh_with_key(spec))):
        variables = [v["name"] for c in [*pod["containers"], *pod.get("initContainers", [])] for v in c.get("env", [])]
        assert not [variable for variable in variables if re.match(r"GIT_?SYNC_", variable)], name


def fresh_with_key(spec: ServiceSpec) -> Secrets:
    return fresh_secrets(spec, git=Given({}, {"more": KEY}))


def test_airflow_reads_the_folder_above_the_link_and_git_sync_writes_nothing_else() -> None:
    pod = pod_of(by_sidecar(), "dag-processor")
    main, beside = pod["containers"]
    assert {"name": "dags", "mountPath": "/opt/airflow/dags", "readOnly": True} in main["volumeMounts"]
    assert not [mount for mount in main["volumeMounts"] if mount["name"] == "git"]
    assert beside["image"] == "registry.example.com/git-sync/git-sync:v4.7.1"
    assert beside["securityContext"]["readOnlyRootFilesystem"] is True
    assert beside["securityContext"]["runAsUser"] == 65533
    assert pod["securityContext"]["fsGroup"] == 0
    assert [mount["mountPath"] for mount in beside["volumeMounts"] if not mount.get("readOnly")] == ["/git", "/tmp"]
    assert beside["startupProbe"]["httpGet"] == {"path": "/", "port": 1234}
    (secret,) = [volume["secret"] for volume in pod["volumes"] if "secret" in volume and volume["name"] == "git"]
    assert secret == {"secretName": "etl-git", "optional": True, "defaultMode": 0o440}


def test_the_image_comes_from_where_it_is_published() -> None:
    spec = service(git_sync={**HTTPS, "mode": "sidecar"})
    images = {item["image"] for item in pod_of(spec, "dag-processor")["containers"]}
    assert "registry.k8s.io/git-sync/git-sync:v4.7.1" in images


def test_authorities_of_the_service_are_trusted_by_git_sync_too() -> None:
    pod = pod_of(by_sidecar(ca_certificates=AUTHORITY), "dag-processor")
    assert pod["initContainers"][0]["name"] != "git-init-dags"
    (flag,) = [flag for flag in arguments(pod, "containers")["git-sync-dags"] if flag.startswith("--git-config=")]
    assert flag == (
        "--git-config=include.path:/etc/scp-dataops/git/gitconfig,"
        "http.sslCAInfo:/etc/scp-dataops/authorities/bundle.pem"
    )


def test_without_bundles_there_is_one_folder_of_links() -> None:
    spec = by_sidecar(version="2.11", git_sync={"repositories": [MORE]})
    last = pod_of(spec, "dag-processor")["initContainers"][-1]
    assert last["name"] == "dags-folder"
    assert last["command"] == [
        "sh",
        "-c",
        "mkdir -p /opt/airflow/dags/_all"
        " && ln -sfn /opt/airflow/dags/dags/current /opt/airflow/dags/_all/dags"
        " && ln -sfn /opt/airflow/dags/more/current/a /opt/airflow/dags/_all/more",
    ]
    config = named(rendered(spec).all, "ConfigMap", "etl-config")["data"]["airflow.cfg"]
    assert "dags_folder = /opt/airflow/dags/_all\n" in config
    one = by_sidecar(version="2.11", git_sync={"subdir": "dags"})
    assert "dags-folder" not in json.dumps(pod_of(one, "dag-processor"))
    config = named(rendered(one).all, "ConfigMap", "etl-config")["data"]["airflow.cfg"]
    assert "dags_folder = /opt/airflow/dags/dags/current/dags\n" in config


CHANGED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "ref": ({"ref": "v2"}, {"dag-processor"}),
    "repo": ({"repo": "https://git.example.com/team/other.git"}, {"dag-processor"}),
    "interval": ({"interval": 7}, {"dag-processor"}),
    "subdir": ({"subdir": "x"}, {"dag-processor"}),
    # The template of task pods, which the scheduler holds, has other flags then.
    "submodules": ({"submodules": True}, {"dag-processor", "scheduler"}),
    "further": ({"repositories": [MORE]}, {"dag-processor", "scheduler"}),
}


@pytest.mark.parametrize(("change", "restarted"), CHANGED.values(), ids=CHANGED.keys())
def test_only_what_has_git_sync_restarts(change: dict[str, Any], restarted: set[str]) -> None:
    before, after = (rendered(by_sidecar(git_sync=git)).components for git in ({}, change))
    templates = [
        {item["metadata"]["name"]: item["spec"].get("template") for item in items} for items in (before, after)
    ]
    assert {name.removeprefix("etl-") for name in templates[0] if templates[0][name] != templates[1][name]} == restarted
