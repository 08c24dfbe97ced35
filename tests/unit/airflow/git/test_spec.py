# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of GitSync: what they mean, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.spec import (
    REPOSITORIES_MAX,
    GitSync,
    git_sync,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

from .samples import CERTIFICATE, KNOWN_HOSTS

PROFILE = PROFILES["3.3"]
WITHOUT_BUNDLES = replace(PROFILE, bundles=False)
HTTPS: dict[str, Any] = {"repo": "https://git.example.com/team/dags.git"}
SSH: dict[str, Any] = {"repo": "git@git.example.com:team/dags.git", "known_hosts": KNOWN_HOSTS}


def made(**options: Any) -> GitSync:
    return git_sync(options, PROFILE, "3.3")


VALUES = {
    "only the address": (HTTPS, ("main", "", 60, 1, False, "", "")),
    "all": (
        {
            **HTTPS,
            "ref": "v1",
            "subdir": "a/b/",
            "interval": 5,
            "depth": 0,
            "submodules": True,
            "username": "u",
            "ca": CERTIFICATE,
        },
        ("v1", "a/b", 5, 0, True, "u", CERTIFICATE),
    ),
}


@pytest.mark.parametrize(("raw", "kept"), VALUES.values(), ids=VALUES.keys())
def test_values(raw: dict[str, Any], kept: tuple[Any, ...]) -> None:
    main = made(**raw).main
    found = (main.ref, main.subdir, main.interval, main.depth, main.submodules, main.username, main.ca)
    assert found == kept


def test_the_mode_is_what_the_version_has() -> None:
    assert made(**HTTPS).mode == "bundle"
    assert made(**HTTPS, mode="sidecar").mode == "sidecar"
    assert git_sync(HTTPS, WITHOUT_BUNDLES, "2.11").mode == "sidecar"


def test_bundles_want_a_version_that_has_them() -> None:
    with pytest.raises(BadOption) as caught:
        git_sync({**HTTPS, "mode": "bundle"}, WITHOUT_BUNDLES, "2.11")
    assert str(caught.value) == "git_sync.mode: Airflow 2.11 has no DAG bundles. Use sidecar, or leave it out."


SERVERS = {
    "https://git.example.com/team/dags.git": ("https://git.example.com", False),
    "http://git:8080/dags": ("http://git:8080", False),
    "ssh://git@git.example.com/team/dags.git": ("ssh://git@git.example.com", True),
    "ssh://git@git.example.com:22/team/dags.git": ("ssh://git@git.example.com:22", True),
    "git@git.example.com:team/dags.git": ("ssh://git@git.example.com", True),
}


@pytest.mark.parametrize(("repo", "found"), SERVERS.items(), ids=SERVERS.keys())
def test_the_server_of_an_address(repo: str, found: tuple[str, bool]) -> None:
    main = made(repo=repo, **({"known_hosts": KNOWN_HOSTS} if found[1] else {})).main
    assert (main.server, main.by_ssh) == found


PINS = {"0123456789" * 4: True, "0123456": False, "main": False}


@pytest.mark.parametrize(("ref", "pinned"), PINS.items(), ids=PINS.keys())
def test_a_whole_commit_pins(ref: str, pinned: bool) -> None:
    assert made(**HTTPS, ref=ref).main.pinned is pinned


def test_several_repositories() -> None:
    further = [{"name": "reports", "repo": "https://git.example.com/reports.git"}, {"name": "models", **SSH}]
    git = made(**HTTPS, repositories=further)
    assert [(item.name, item.repo) for item in git.repositories] == [
        ("dags", HTTPS["repo"]),
        ("reports", "https://git.example.com/reports.git"),
        ("models", SSH["repo"]),
    ]


ADDRESS = (
    "this is not the address of a repository. Use https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH, "
    "such as https://git.example.com/team/dags.git."
)
SCAN = "Give the lines that 'ssh-keyscan{port} git.example.com' prints, after comparing them with what the server's "
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "mode": ({**HTTPS, "mode": "x"}, "git_sync.mode: 'x' is no way to get DAGs. Use bundle or sidecar."),
    "no address": ({"ref": "main"}, f"git_sync.repo: {ADDRESS}"),
    "no path": ({"repo": "https://git.example.com"}, f"git_sync.repo: {ADDRESS}"),
    "a path without a host": ({"repo": "/srv/git/dags.git"}, f"git_sync.repo: {ADDRESS}"),
    "an option of ssh for a host": ({"repo": "git@-oProxyCommand=x:y"}, f"git_sync.repo: {ADDRESS}"),
    "white space": ({"repo": "https://git.example.com/a b"}, f"git_sync.repo: {ADDRESS}"),
    "another scheme": ({"repo": "file:///srv/git"}, f"git_sync.repo: {ADDRESS}"),
    "no port": ({"repo": "https://git.example.com:x/y"}, f"git_sync.repo: {ADDRESS}"),
    "SSH without a user": (
        {"repo": "ssh://git.example.com/dags.git", "known_hosts": KNOWN_HOSTS},
        "git_sync.repo: an SSH address names a user and no password. "
        "Use an address such as ssh://git@git.example.com/dags.git, and git_sync.ssh_key.",
    ),
    "SSH with a password": (
        {"repo": "ssh://git:SENTINEL@git.example.com/dags.git"},
        "git_sync.repo: an SSH address names a user and no password. "
        "Use an address such as ssh://git@git.example.com/dags.git, and git_sync.ssh_key.",
    ),
    "SSH without host keys": (
        {"repo": SSH["repo"]},
        "git_sync.known_hosts: the host keys of git.example.com are not given, so nobody could tell whether it is that "
        f"server which answers. {SCAN.format(port='')}administrators publish.",
    ),
    "SSH at a port without host keys": (
        {"repo": "ssh://git@git.example.com:2222/dags.git"},
        "git_sync.known_hosts: the host keys of [git.example.com]:2222 are not given, so nobody could tell whether it "
        f"is that server which answers. {SCAN.format(port=' -p 2222')}administrators publish.",
    ),
    "SSH with host keys of another": (
        {**SSH, "repo": "git@git.example.org:dags.git"},
        "git_sync.known_hosts: no line is for git.example.org. "
        "Add the lines that 'ssh-keyscan git.example.org' prints.",
    ),
    "SSH with a user for HTTP": (
        {**SSH, "username": "deploy"},
        "git_sync.username: it is for HTTPS, and this repository is read by SSH. "
        "Clear it, or use an address such as https://HOST/PATH.",
    ),
    "SSH with a CA": (
        {**SSH, "ca": CERTIFICATE},
        "git_sync.ca: it is for HTTPS, and this repository is read by SSH. "
        "Clear it, or use an address such as https://HOST/PATH.",
    ),
    "HTTPS with host keys": (
        {**HTTPS, "known_hosts": KNOWN_HOSTS},
        "git_sync.known_hosts: host keys are for SSH, and this repository is read by HTTP. "
        "Clear it, or use an address such as ssh://git@HOST/PATH.",
    ),
    "depth": ({**HTTPS, "depth": -1}, "git_sync.depth: -1 is out of range. Use a whole number from 0 to 1000000."),
    "the name of the main one": (
        {**HTTPS, "repositories": [{"name": "dags", **HTTPS}]},
        "git_sync.repositories: 'dags' is the name of the repository in git_sync.repo. Use another name.",
    ),
    "a name twice": (
        {**HTTPS, "repositories": [{"name": "more", **HTTPS}, {"name": "more", **HTTPS}]},
        "git_sync.repositories: two repositories are called 'more'. Give each a name of its own.",
    ),
    "too many": (
        {**HTTPS, "repositories": [{"name": f"more-{n}", **HTTPS} for n in range(REPOSITORIES_MAX)]},
        "git_sync.repositories: 10 further repositories are too many. Use at most 9.",
    ),
    "a further one, by its place": (
        {**HTTPS, "repositories": [{"name": "more", **HTTPS, "subdir": "../x"}]},
        "git_sync.repositories[0].subdir: '../x' is not a folder inside the repository. "
        "Use a relative path such as team/dags.",
    ),
    "a misspelt option of a further one": (
        {**HTTPS, "repositories": [{"name": "more", "reop": "https://g/x"}]},
        "git_sync.repositories[0].reop: no such option. Use repo.",
    ),
}


@pytest.mark.parametrize(("raw", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(raw: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadOption) as caught:
        made(**raw)
    assert str(caught.value) == sentence
    assert "SENTINEL" not in sentence
