# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service is asked to be: defaults, every option in its form, and the sentence for what cannot be."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.broker import Broker
from ansible_collections.scp.dataops.plugins.module_utils.airflow.database import Database
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import OPTIONS, ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

from .builders import EXTERNAL, FULL, GIT, full, service


def size(cpu: str, memory: str) -> dict[str, Any]:
    """One pod without a limit of its own."""
    return {"cpu": cpu, "memory": memory, "cpu_limit": "", "memory_limit": memory, "replicas": 1}


def test_defaults() -> None:
    assert asdict(service()) == {
        "name": "etl",
        "manager": "analytics",
        "namespace": "data",
        "description": "",
        "domain": "example.com",
        "ingress_class": "",
        "tls_secret": "",
        "image_registry": "",
        "image": "",
        "image_pull_secrets": (),
        "storage_class": "",
        "storage_size": "10Gi",
        "account_id": "dataops",
        "executor": "KubernetesExecutor",
        "drain_timeout": 600,
        "flower": False,
        "version": "3.3",
        "size": "",
        "sizes": {
            "web-server": size("500m", "2Gi"),
            "scheduler": size("500m", "1536Mi"),
            "dag-processor": size("500m", "1Gi"),
            "triggerer": size("250m", "1Gi"),
            "worker": size("500m", "2Gi"),
            "task": size("500m", "1Gi"),
            "flower": size("100m", "512Mi"),
            "database": {**size("100m", "256Mi"), "memory_limit": "1Gi"},
            "broker": {**size("50m", "128Mi"), "memory_limit": "512Mi"},
        },
        "workers": {"concurrency": 4, "autoscaling": None},
        "git_sync": None,
        "database": asdict(Database()),
        "broker": asdict(Broker()),
        "placement": {
            "host_aliases": (),
            "node_selector": {},
            "tolerations": (),
            "affinity": {},
            "priority_class": "",
            "ca_certificates": "",
            "proxy": None,
        },
        "python_index": None,
        "tags": {},
        "config": {},
        "environment": {},
        "overrides": {},
        "monitoring": {"enabled": False, "labels": {}, "dashboard": True, "interval": 30},
        "running": True,
        "uploads": {"plugins": "", "requirements": ""},
    }


def test_the_full_example_sets_every_option() -> None:
    assert FULL.keys() | EXTERNAL.keys() == set(OPTIONS)


def test_host() -> None:
    assert full().host == "etl.dataops.example.com"


def test_slash_after_the_registry_is_dropped() -> None:
    assert service(image_registry="registry.example.com/mirror/").image_registry == "registry.example.com/mirror"


REPO_RULE = (
    "git_sync.repo: this is not the address of a repository. Use https://HOST/PATH, ssh://USER@HOST/PATH or "
    "USER@HOST:PATH, such as https://git.example.com/team/dags.git."
)
USER_RULE = (
    "git_sync.repo: the address contains a user or password. Take them out of the address and use git_sync.username "
    "and git_sync.password."
)
FOLDER_RULE = "is not a folder inside the repository. Use a relative path such as team/dags."
WORKER_RULE = (
    "worker.replicas: the KubernetesExecutor starts one pod per task, so workers have no replicas. "
    "Leave it out; cpu and memory are those of each task's pod."
)
REF_RULE = "is not a branch, tag or commit. Use a name such as main or v1.2."
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no domain": ({"domain": ""}, "domain: it is not set. Set it; the address will be etl.DOMAIN."),
    "unknown option": ({"domian": "x.com"}, "domian: no such option. Use domain."),
    "another executor": (
        {"executor": "LocalExecutor"},
        "executor: 'LocalExecutor' is not supported. Use one of KubernetesExecutor | CeleryExecutor | "
        "CeleryExecutor,KubernetesExecutor | KubernetesExecutor,CeleryExecutor.",
    ),
    "another version": ({"version": "2.10"}, "version: Airflow '2.10' is not supported. Use 2.11, 3.3."),
    "Flower without Celery": (
        {"flower": {"enabled": True}},
        "flower.enabled: Flower shows Celery workers, which a service with KubernetesExecutor does not have. "
        "Leave it out, or choose an executor with CeleryExecutor.",
    ),
    "drain timeout": (
        {"drain_timeout": -1},
        "drain_timeout: -1 is out of range. Use a whole number from 0 to 86400.",
    ),
    "cpu lots": (
        {"worker": {"cpu": "lots"}},
        "worker.cpu: 'lots' is not an amount of CPU. Use cores or thousandths of a core, such as 2 or 500m.",
    ),
    "too little memory": (
        {"web_server": {"memory": "64Mi"}},
        "web_server.memory: '64Mi' is not a size of at least 128Mi. Use a number with a unit, such as 512Mi or 2Gi.",
    ),
    "no replicas": (
        {"scheduler": {"replicas": 0}},
        "scheduler.replicas: 0 is out of range. Use a whole number from 1 to 20.",
    ),
    "workers with replicas": (
        {"worker": {"replicas": 2}},
        WORKER_RULE,
    ),
    "unknown key of a size": (
        {"triggerer": {"memry": "1Gi"}},
        "triggerer.memry: no such option. Use memory.",
    ),
    "storage too small": (
        {"storage_size": "1Mi"},
        "storage_size: '1Mi' is not a size of at least 1Gi. Use a number with a unit, such as 512Mi or 2Gi.",
    ),
    "account": (
        {"account": {"id": "Admin"}},
        "account.id: 'Admin' is not a valid account id. Use 6 to 30 lower-case letters and digits.",
    ),
    "repository without address": ({"git_sync": {"ref": "main"}}, REPO_RULE),
    "repository without path": ({"git_sync": {"repo": "https://git.example.com/"}}, REPO_RULE),
    "repository with a password": ({"git_sync": {"repo": "https://u:SENTINEL@git.example.com/x"}}, USER_RULE),
    "ref that is an option of git": (
        {"git_sync": {**GIT, "ref": "--upload-pack=x"}},
        f"git_sync.ref: '--upload-pack=x' {REF_RULE}",
    ),
    "ref with dots": ({"git_sync": {**GIT, "ref": "a..b"}}, f"git_sync.ref: 'a..b' {REF_RULE}"),
    "ref with a space": ({"git_sync": {**GIT, "ref": "a b"}}, f"git_sync.ref: 'a b' {REF_RULE}"),
    "folder above": ({"git_sync": {**GIT, "subdir": "a/../../b"}}, f"git_sync.subdir: 'a/../../b' {FOLDER_RULE}"),
    "folder from the root": ({"git_sync": {**GIT, "subdir": "/dags"}}, f"git_sync.subdir: '/dags' {FOLDER_RULE}"),
    "interval too short": (
        {"git_sync": {**GIT, "interval": 4}},
        "git_sync.interval: 4 is out of range. Use a whole number from 5 to 86400.",
    ),
    "password where it must not be": (
        {"git_sync": {**GIT, "password": "SENTINEL"}},
        "git_sync.password: no such option. Use repo, ref, subdir, interval, depth, submodules, username, known_hosts, "
        "ca, mode, repositories.",
    ),
}


@pytest.mark.parametrize(("options", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadOption) as caught:
        service(**options)
    assert str(caught.value) == sentence
    assert "SENTINEL" not in str(caught.value)


NAMES = {
    "too short": ("ab", "name: 'ab' is not a valid name."),
    "reserved": ("dataops-manager", "name: 'dataops-manager' is reserved. Choose another name."),
}


@pytest.mark.parametrize(("name", "sentence"), NAMES.values(), ids=NAMES.keys())
def test_name_refused(name: str, sentence: str) -> None:
    with pytest.raises(BadOption) as caught:
        service(name)
    assert str(caught.value).startswith(sentence)


def test_options_stay_as_they_were() -> None:
    before = repr(FULL)
    assert isinstance(full(), ServiceSpec)
    assert repr(FULL) == before
