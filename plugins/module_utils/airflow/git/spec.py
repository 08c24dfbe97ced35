# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitSync as it shall be: in which way DAGs get to Airflow, and from which repositories.

Passwords and keys are not here: they live in a Secret only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ...common import validation as check
from ...errors import BadOption
from ..versions import Profile
from . import keys

BUNDLE, SIDECAR = "bundle", "sidecar"
MODES = (BUNDLE, SIDECAR)
# The repository that the options of git_sync itself describe.
MAIN = "dags"
DEFAULT_REF = "main"
DEFAULT_DEPTH = 1
INTERVAL_SECONDS = (5, 86400)
DEFAULT_INTERVAL = 60
DEPTHS = (0, 1_000_000)
REPOSITORIES_MAX = 10
# Passwords and keys are not among them: they are taken out before anything is recorded.
OPTIONS = ("repo", "ref", "subdir", "interval", "depth", "submodules", "username", "known_hosts", "ca")

REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,249}")
COMMIT = re.compile(r"[0-9a-f]{40}")
SCP_ADDRESS = re.compile(r"(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^:\s]+)")
ADDRESSES = (
    "Use https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH, such as https://git.example.com/team/dags.git"
)


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One repository. ``at`` is the path of its options, for messages."""

    name: str
    repo: str
    ref: str
    subdir: str
    interval: int
    depth: int
    submodules: bool
    username: str
    known_hosts: str
    ca: str
    at: str

    @property
    def by_ssh(self) -> bool:
        return not self.repo.startswith(("https://", "http://"))

    @property
    def server(self) -> str:
        """What a credential is for, and may be sent to: scheme and host, with SSH also the user."""
        if found := SCP_ADDRESS.fullmatch(self.repo):
            return f"ssh://{found['user']}@{found['host']}"
        parts = urlsplit(self.repo)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def pinned(self) -> bool:
        """It names one commit, so there is nothing to look for."""
        return bool(COMMIT.fullmatch(self.ref))


@dataclass(frozen=True, kw_only=True)
class GitSync:
    """The main repository comes first."""

    mode: str
    repositories: tuple[Repository, ...]

    @property
    def main(self) -> Repository:
        return self.repositories[0]


def git_sync(raw: Mapping[str, Any], profile: Profile, version: str) -> GitSync:
    """:raises BadOption: naming the option and what is allowed."""
    at = "git_sync"
    check.known_keys(raw, (*OPTIONS, "mode", "repositories"), at)
    mode = raw.get("mode") or (BUNDLE if profile.bundles else SIDECAR)
    if mode not in MODES:
        raise BadOption(f"'{mode}' is no way to get DAGs", where=f"{at}.mode", next_step=f"Use {' or '.join(MODES)}")
    if mode == BUNDLE and not profile.bundles:
        raise BadOption(
            f"Airflow {version} has no DAG bundles", where=f"{at}.mode", next_step=f"Use {SIDECAR}, or leave it out"
        )
    given = list(raw.get("repositories") or ())
    if len(given) >= REPOSITORIES_MAX:
        raise BadOption(
            f"{len(given)} further repositories are too many",
            where=f"{at}.repositories",
            next_step=f"Use at most {REPOSITORIES_MAX - 1}",
        )
    further = [repository(part, f"{at}.repositories[{place}]", "") for place, part in enumerate(given)]
    unique([item.name for item in further], f"{at}.repositories")
    return GitSync(mode=mode, repositories=(repository(raw, at, MAIN), *further))


def unique(names: Sequence[str], at: str) -> None:
    for name in names:
        if name == MAIN:
            raise BadOption(
                f"'{MAIN}' is the name of the repository in git_sync.repo", where=at, next_step="Use another name"
            )
        if names.count(name) > 1:
            raise BadOption(f"two repositories are called '{name}'", where=at, next_step="Give each a name of its own")


def repository(raw: Mapping[str, Any], at: str, name: str) -> Repository:
    """:param name: empty for a further repository, which brings its own."""
    if not name:
        check.known_keys(raw, (*OPTIONS, "name"), at)
        name = check.name(raw.get("name") or "", f"{at}.name")
    low, high = INTERVAL_SECONDS
    found = Repository(
        name=name,
        repo=address(raw.get("repo") or "", f"{at}.repo", at),
        ref=ref(raw.get("ref") or DEFAULT_REF, f"{at}.ref"),
        subdir=subdir(raw.get("subdir") or "", f"{at}.subdir"),
        interval=check.whole_number(raw.get("interval", DEFAULT_INTERVAL), f"{at}.interval", low=low, high=high),
        depth=check.whole_number(raw.get("depth", DEFAULT_DEPTH), f"{at}.depth", low=DEPTHS[0], high=DEPTHS[1]),
        submodules=bool(raw.get("submodules", False)),
        username=raw.get("username") or "",
        known_hosts=keys.known_hosts(raw["known_hosts"], f"{at}.known_hosts") if raw.get("known_hosts") else "",
        ca=keys.certificates(raw["ca"], f"{at}.ca") if raw.get("ca") else "",
        at=at,
    )
    fitting(found)
    return found


def fitting(found: Repository) -> None:
    """Options that belong to the other way to reach a server would be read by nobody."""
    if not found.by_ssh:
        if found.known_hosts:
            raise BadOption(
                "host keys are for SSH, and this repository is read by HTTP",
                where=f"{found.at}.known_hosts",
                next_step="Clear it, or use an address such as ssh://git@HOST/PATH",
            )
        return
    for option, value in (("username", found.username), ("ca", found.ca)):
        if value:
            raise BadOption(
                "it is for HTTPS, and this repository is read by SSH",
                where=f"{found.at}.{option}",
                next_step="Clear it, or use an address such as https://HOST/PATH",
            )
    if not found.known_hosts:
        raise BadOption(
            f"the host keys of {keys.host_name(found.server)} are not given, so nobody could tell whether it is "
            "that server which answers",
            where=f"{found.at}.known_hosts",
            next_step=f"Give the lines that '{keys.scan(found.server)}' prints, after comparing them with what the "
            "server's administrators publish",
        )
    if not keys.covers(found.known_hosts, found.server):
        raise BadOption(
            f"no line is for {keys.host_name(found.server)}",
            where=f"{found.at}.known_hosts",
            next_step=f"Add the lines that '{keys.scan(found.server)}' prints",
        )


def address(value: str, where: str, at: str) -> str:
    if SCP_ADDRESS.fullmatch(value):
        return value
    try:
        parts = urlsplit(value)
        whole = bool(parts.hostname and parts.path.strip("/") and not re.search(r"\s", value) and parts.port != 0)
    except ValueError:
        whole = False
    if not whole or parts.scheme not in ("https", "http", "ssh"):
        raise BadOption("this is not the address of a repository", where=where, next_step=ADDRESSES)
    if parts.scheme == "ssh":
        if not parts.username or parts.password:
            raise BadOption(
                "an SSH address names a user and no password",
                where=where,
                next_step=f"Use an address such as ssh://git@{parts.hostname}{parts.path}, and {at}.ssh_key",
            )
    elif "@" in parts.netloc:
        # The address is not quoted back: it holds the credential.
        raise BadOption(
            "the address contains a user or password",
            where=where,
            next_step=f"Take them out of the address and use {at}.username and {at}.password",
        )
    return value


def ref(value: str, at: str) -> str:
    if not REF.fullmatch(value) or ".." in value:
        raise BadOption(
            f"'{value}' is not a branch, tag or commit", where=at, next_step="Use a name such as main or v1.2"
        )
    return value


def subdir(value: str, at: str) -> str:
    parts = value.strip("/").split("/") if value else []
    if value.startswith("/") or ".." in parts:
        raise BadOption(
            f"'{value}' is not a folder inside the repository",
            where=at,
            next_step="Use a relative path such as team/dags",
        )
    return "/".join(parts)
