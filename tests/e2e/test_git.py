# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitSync in both modes: every way into a repository, several of them, a commit pinned and rolled back to."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import NAMESPACE, SERVICE
from driver import Audit, Driver
from places import IN_CLUSTER_GIT, IN_CLUSTER_GIT_SSH, IN_CLUSTER_GIT_TLS, Airflow, GitServer

HOST = "git-server.git.svc"
# By this name of its no repository has a CA.
OTHER_NAME = "https://git-server.git/private/e2e-tls.git"
OTHER_KEY = f"{HOST} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC2rH+8LGXVVWQqizV40heKJUNaAPiDxmCXeVe2k+dHK"


def by_ssh(git: GitServer, repository: str = "private/e2e-ssh.git") -> dict[str, Any]:
    return {
        "repo": f"{IN_CLUSTER_GIT_SSH}/{repository}",
        "ssh_key": git.ssh_key,
        "known_hosts": git.known_hosts,
        "subdir": "dags",
        "interval": 5,
    }


def by_tls(git: GitServer, repository: str = "private/e2e-tls.git") -> dict[str, Any]:
    source = {
        "repo": f"{IN_CLUSTER_GIT_TLS}/{repository}",
        "username": git.user,
        "password": git.password,
        "ca": git.ca,
    }
    return {**source, "subdir": "dags", "interval": 5}


@pytest.fixture(scope="module")
def lent(service: Driver, repository: dict[str, Any]) -> Iterator[Driver]:
    """The shared service, whose GitSync is what it was when these tests are over."""
    yield service
    service.service(SERVICE, git_sync={})
    service.service(SERVICE, git_sync=repository)


@pytest.fixture(scope="module")
def other_key(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A key that no server knows."""
    file = tmp_path_factory.mktemp("keys") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
    return file.read_text()


def told(service: Driver) -> dict[str, Any]:
    found: dict[str, Any] = service.run("dataops_service_info", name=SERVICE)["services"][0]["git"]
    return found


@pytest.fixture(scope="module")
def commits(lent: Driver, git: GitServer) -> dict[str, str]:
    """Three repositories, one by SSH, one by HTTPS with a CA and a token, one that is public: all of them run."""
    pushed = {
        "dags": git.push("private/e2e-ssh.git", dag_id="e2e_ssh", text="by ssh"),
        "finance": git.push("private/e2e-tls.git", dag_id="e2e_tls", text="by tls"),
        "open-data": git.push("public/e2e-open.git", dag_id="e2e_open", text="for all"),
    }
    further = [
        {"name": "finance", **by_tls(git)},
        {"name": "open-data", "repo": f"{IN_CLUSTER_GIT}/public/e2e-open.git", "subdir": "dags", "interval": 5},
    ]
    source = {**by_ssh(git), "repositories": further}
    done = lent.service(SERVICE, git_sync=source, wait_for_commit=True)
    assert done["restarted"] == ["dag-processor"]
    assert git.password not in done.output
    assert git.ssh_key.splitlines()[1] not in done.output
    again = lent.service(SERVICE, git_sync=source)
    assert (again["changed"], again["actions"]) == (False, [])
    return pushed


def test_every_repository_runs_the_commit_that_was_pushed(
    lent: Driver, commits: dict[str, str], airflow: Airflow, kube: Kube, git: GitServer
) -> None:
    found = told(lent)
    assert {item["name"]: item["commit"] for item in found["repositories"]} == commits
    assert {item["name"]: item["error"] for item in found["repositories"]} == dict.fromkeys(commits, "")
    assert all(item["looked"] and item["pods"] for item in found["repositories"])
    for dag_id, text in {"e2e_ssh": "by ssh", "e2e_tls": "by tls"}.items():
        run = airflow.run_dag(dag_id)
        assert airflow.finish(dag_id, run) == "success"
        assert f"text of this commit: {text}" in airflow.log(dag_id, run)
    recorded = str(kube.get("ConfigMap", f"{SERVICE}-record", NAMESPACE))
    assert git.password not in recorded
    assert "PRIVATE KEY" not in recorded


def test_a_key_that_was_spoilt_on_its_way_is_the_same_key(
    lent: Driver, commits: dict[str, str], git: GitServer
) -> None:
    for key in (git.ssh_key.replace("\n", "\r\n").strip(), base64.b64encode(git.ssh_key.encode()).decode()):
        assert lent.service(SERVICE, git_sync={"ssh_key": key})["changed"] is False


def test_a_commit_is_pinned_and_rolled_back_to(
    lent: Driver, commits: dict[str, str], airflow: Airflow, git: GitServer
) -> None:
    first = commits["dags"]
    second = git.push("private/e2e-ssh.git", dag_id="e2e_ssh", text="the second")
    # It arrives by itself; that is waited for and changes nothing.
    done = lent.service(SERVICE, wait_for_commit=second)
    assert done["changed"] is False
    back = lent.service(SERVICE, git_sync={"ref": first}, wait_for_commit=True)
    assert back["restarted"] == ["dag-processor"]
    assert (told(lent)["commit"], told(lent)["wanted"]) == (first, first)
    run = airflow.run_dag("e2e_ssh")
    assert airflow.finish("e2e_ssh", run) == "success"
    assert "text of this commit: by ssh" in airflow.log("e2e_ssh", run)
    said = lent.refused("dataops_service", name=SERVICE, wait_for_commit=second)
    assert said.startswith(f"wait_for_commit: git_sync.ref is the commit {first}, so {second} will never run.")


def test_a_commit_that_does_not_come_is_named_with_the_one_that_runs(
    lent: Driver, commits: dict[str, str], git: GitServer
) -> None:
    newest = git.push("private/e2e-ssh.git", dag_id="e2e_ssh", text="the third")
    lent.service(SERVICE, git_sync={"ref": "main"}, wait_for_commit=newest)
    missing = "0" * 40
    said = lent.refused("dataops_service", name=SERVICE, wait_for_commit=missing, wait_timeout=5)
    assert f"wanted is commit {missing}, running is {newest}" in said


REFUSED = {
    "no host keys": ({"known_hosts": ""}, f"git_sync.known_hosts: the host keys of {HOST} are not given"),
    "host keys of another": (
        {"known_hosts": OTHER_KEY},
        "the server shows another host key than those in git_sync.known_hosts",
    ),
    "a key of nobody": ({"ssh_key": "SPOILT"}, "the server does not take git_sync.ssh_key"),
    "garbage for a key": ({"ssh_key": "garbage"}, "git_sync.ssh_key: this is not a private SSH key."),
    "a ref that is not there": ({"ref": "nowhere"}, "git_sync.ref is neither a branch nor a tag"),
    "HTTPS without its CA": (
        {
            "repo": OTHER_NAME,
            "known_hosts": "",
            "username": "PLACE",
            "password": "PLACE",
        },
        "the certificate is not signed by a CA that is known; give it in git_sync.ca",
    ),
    "a wrong token": (
        {"repo": f"{IN_CLUSTER_GIT}/private/e2e-ssh.git", "known_hosts": "", "username": "PLACE", "password": "x"},
        "the server does not take git_sync.username with git_sync.password",
    ),
}


@pytest.mark.parametrize(("change", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_in_words_before_anything_is_changed(
    change: dict[str, str],
    words: str,
    lent: Driver,
    commits: dict[str, str],
    git: GitServer,
    audit: Audit,
    other_key: str,
) -> None:
    real = {"username": git.user, "password": git.password, "ssh_key": other_key}
    asked = {key: real[key] if value in ("PLACE", "SPOILT") else value for key, value in change.items()}
    position = audit.position()
    said = lent.refused("dataops_service", name=SERVICE, git_sync=asked)
    assert words in said
    assert git.password not in said
    assert audit.effects_since(position, NAMESPACE, trial="git-check") == []


def test_the_same_by_git_sync_in_containers_beside_airflow(
    lent: Driver, commits: dict[str, str], airflow: Airflow, git: GitServer, kube: Kube
) -> None:
    """With a stand-in for git-sync that obeys its published contract; the real image cannot be had here."""
    done = lent.service(SERVICE, git_sync={"mode": "sidecar"}, wait_for_commit=True)
    # The scheduler holds the template of task pods.
    assert done["restarted"] == ["scheduler", "dag-processor"]
    found = told(lent)
    assert {pod["component"] for item in found["repositories"] for pod in item["pods"]} == {"dag-processor"}
    newest = git.push("private/e2e-ssh.git", dag_id="e2e_ssh", text="beside")
    assert lent.service(SERVICE, wait_for_commit=newest)["changed"] is False
    run = airflow.run_dag("e2e_ssh")
    assert airflow.finish("e2e_ssh", run) == "success"
    assert "text of this commit: beside" in airflow.log("e2e_ssh", run)
    pinned = lent.service(SERVICE, git_sync={"ref": commits["dags"]}, wait_for_commit=True)
    assert pinned["restarted"] == ["dag-processor"]
    run = airflow.run_dag("e2e_ssh")
    assert airflow.finish("e2e_ssh", run) == "success"
    assert "text of this commit: by ssh" in airflow.log("e2e_ssh", run)
