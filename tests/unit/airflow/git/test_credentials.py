# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secret for git: what is in it, what is kept, and for whom."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git import credentials
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.credentials import Given
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

from .samples import CERTIFICATE, KEY, KNOWN_HOSTS
from .test_spec import HTTPS, SSH, made

SERVER = "https://git.example.com"
CREDENTIAL = "username=deploy\npassword=to=ken\n"
HELPER = '!f() { test \\"$1\\" = get && cat /etc/scp-dataops/git/credential; }; f'
CONFIG = f'[credential "{SERVER}"]\n\thelper =\n\thelper = "{HELPER}"\n'
DEPLOY = {**HTTPS, "username": "deploy"}
PRIVATE = {"credential": CREDENTIAL, "server": SERVER, "gitconfig": CONFIG}
BY_SSH = {"ssh-key": KEY, "known-hosts": KNOWN_HOSTS, "server": "ssh://git@git.example.com"}


def stored(credential: str, server: str = SERVER) -> dict[str, str]:
    return {"credential": credential, "server": server}


TAKEN: dict[str, tuple[dict[str, Any], Given, dict[str, str], dict[str, str]]] = {
    "public repository": (HTTPS, Given(), {}, {}),
    "public repository, empty password": (HTTPS, Given({"dags": ""}), {}, {}),
    "user and password": (DEPLOY, Given({"dags": "to=ken"}), {}, PRIVATE),
    "the password is kept": (DEPLOY, Given(), stored(CREDENTIAL), PRIVATE),
    "another user keeps the password": (
        {**HTTPS, "username": "other"},
        Given(),
        stored(CREDENTIAL),
        {**PRIVATE, "credential": "username=other\npassword=to=ken\n"},
    ),
    "a password with rare separators is kept": (
        DEPLOY,
        Given(),
        stored("username=deploy\npassword=a\u2028b\x85c\n"),
        {**PRIVATE, "credential": "username=deploy\npassword=a\u2028b\x85c\n"},
    ),
    "a new password wins": (
        DEPLOY,
        Given({"dags": "new"}),
        stored(CREDENTIAL),
        {**PRIVATE, "credential": "username=deploy\npassword=new\n"},
    ),
    "user cleared, so the password goes": (HTTPS, Given(), stored(CREDENTIAL), {}),
    "a key": (SSH, Given({}, {"dags": KEY.replace("\n", "\r\n")}), {}, BY_SSH),
    "the key is kept": (SSH, Given(), BY_SSH, BY_SSH),
    "an authority": (
        {**HTTPS, "ca": CERTIFICATE},
        Given(),
        {},
        {"ca": CERTIFICATE, "gitconfig": f'[http "{SERVER}/"]\n\tsslCAInfo = /etc/scp-dataops/git/ca\n'},
    ),
    "GitSync is off": ({}, Given(), stored(CREDENTIAL), {}),
}


@pytest.mark.parametrize(("options", "given", "there", "kept"), TAKEN.values(), ids=TAKEN.keys())
def test_values(options: dict[str, Any], given: Given, there: dict[str, str], kept: dict[str, str]) -> None:
    assert credentials.values(made(**options) if options else None, there, given) == kept


def test_every_repository_has_its_own() -> None:
    further = [
        {"name": "models", **SSH},
        {"name": "reports", **HTTPS, "repo": f"{SERVER}/reports.git", "username": "reader"},
        {"name": "public", "repo": "https://git.example.org/x.git"},
    ]
    git = made(**DEPLOY, repositories=further)
    given = Given({"dags": "to=ken", "reports": "other"}, {"models": KEY})
    found = credentials.values(git, {}, given)
    assert found.keys() == {
        "credential",
        "server",
        "models.ssh-key",
        "models.known-hosts",
        "models.server",
        "reports.credential",
        "reports.server",
        "gitconfig",
    }
    assert found["reports.credential"] == "username=reader\npassword=other\n"
    # The first one is for the server, the second for itself, after it: there the last one counts.
    scopes = [line for line in found["gitconfig"].splitlines() if line.startswith("[")]
    assert scopes == [f'[credential "{SERVER}"]', f'[credential "{SERVER}/reports.git"]']


NO_PASSWORD = (
    f"git_sync.password: user 'deploy' is set but no password for {SERVER}. "
    "Set it, or clear git_sync.username for a public repository."
)
REFUSED: dict[str, tuple[dict[str, Any], Given, dict[str, str], str]] = {
    "password without user": (
        HTTPS,
        Given({"dags": "SENTINEL"}),
        {},
        "git_sync.username: a password is set but no user. Set it, or clear the password.",
    ),
    "user without password": (DEPLOY, Given(), {}, NO_PASSWORD),
    "user with an empty password": (DEPLOY, Given({"dags": ""}), stored(CREDENTIAL), NO_PASSWORD),
    "the password of another server": (DEPLOY, Given(), stored(CREDENTIAL, "https://git.example.org"), NO_PASSWORD),
    "line break in the password": (
        DEPLOY,
        Given({"dags": "SENTINEL\nhost=evil.example.com"}),
        {},
        "git_sync.password: a line break cannot be sent to a git server. Remove it.",
    ),
    "SSH without a key": (
        SSH,
        Given(),
        {},
        "git_sync.ssh_key: there is no key for ssh://git@git.example.com. Set it.",
    ),
    "SSH with the key of another server": (
        SSH,
        Given(),
        {**BY_SSH, "server": "ssh://git@git.example.org"},
        "git_sync.ssh_key: there is no key for ssh://git@git.example.com. Set it.",
    ),
    "SSH with a password": (
        SSH,
        Given({"dags": "SENTINEL"}, {"dags": KEY}),
        {},
        "git_sync.password: it is for HTTPS, and this repository is read by SSH. "
        "Leave it out and use git_sync.ssh_key.",
    ),
    "HTTPS with a key": (
        HTTPS,
        Given({}, {"dags": KEY}),
        {},
        "git_sync.ssh_key: it is for SSH, and this repository is read by HTTP. "
        "Leave it out, or use an address such as ssh://git@HOST/PATH.",
    ),
}


@pytest.mark.parametrize(("options", "given", "there", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(options: dict[str, Any], given: Given, there: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadOption) as caught:
        credentials.values(made(**options), there, given)
    assert str(caught.value) == sentence
    assert "SENTINEL" not in sentence


WITH_SECRETS: dict[str, tuple[dict[str, Any], dict[str, Any], Given]] = {
    "none": ({"git_sync": dict(HTTPS)}, {"git_sync": HTTPS}, Given()),
    "no GitSync": ({"description": "x"}, {"description": "x"}, Given()),
    "GitSync is turned off": ({"git_sync": {}}, {"git_sync": {}}, Given()),
    "only a password, which turns nothing off": ({"git_sync": {"password": "p"}}, {}, Given({"dags": "p"})),
    "of several repositories": (
        {"git_sync": {"ssh_key": "k", "repositories": [{"name": "more", "password": "p"}, {"name": "other"}]}},
        {"git_sync": {"repositories": [{"name": "more"}, {"name": "other"}]}},
        Given({"more": "p"}, {"dags": "k"}),
    ),
}


@pytest.mark.parametrize(("options", "left", "given"), WITH_SECRETS.values(), ids=WITH_SECRETS.keys())
def test_secrets_are_taken_out_of_the_options(options: dict[str, Any], left: dict[str, Any], given: Given) -> None:
    assert credentials.take(options) == given
    assert options == left


def test_nobody_prints_a_secret_by_accident() -> None:
    assert "SENTINEL" not in repr(Given({"dags": "SENTINEL"}, {"dags": "SENTINEL"}))
