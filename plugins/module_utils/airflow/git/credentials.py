# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What git needs to be let in, as the files of one Secret: mounted as a folder, so that new ones need no restart.

Keys of the main repository have plain names, those of a further one begin with its name and a dot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import BadOption
from .. import names
from . import keys
from .spec import MAIN, GitSync, Repository

Values = dict[str, str]
CREDENTIAL, SERVER, SSH_KEY, KNOWN_HOSTS, CA = "credential", "server", "ssh-key", "known-hosts", "ca"
CONFIG = "gitconfig"


@dataclass(frozen=True, repr=False)
class Given:
    """Passwords and keys of this very run by name of the repository; no ``repr``, so that none is printed."""

    passwords: Mapping[str, str] = field(default_factory=dict)
    ssh_keys: Mapping[str, str] = field(default_factory=dict)


def take(options: dict[str, Any]) -> Given:
    """Take passwords and keys out of the options, so that they can neither be recorded nor shown."""
    main = options.get("git_sync") or {}
    whose = [(MAIN, main), *((part.get("name") or "", part) for part in main.get("repositories") or ())]
    passwords = {name: part.pop("password") for name, part in whose if "password" in part}
    ssh_keys = {name: part.pop("ssh_key") for name, part in whose if "ssh_key" in part}
    if (passwords or ssh_keys) and not main:
        # Naming only the secret must not read as an explicit empty value.
        del options["git_sync"]
    return Given(passwords, ssh_keys)


def file_of(repository: Repository, key: str) -> str:
    return key if repository.name == MAIN else f"{repository.name}.{key}"


def path(repository: Repository, key: str) -> str:
    """Where a file of the Secret is in every container that runs git."""
    return f"{names.GIT}/{file_of(repository, key)}"


CONFIG_PATH = f"{names.GIT}/{CONFIG}"


def values(git: GitSync | None, existing: Mapping[str, str], given: Given) -> Values:
    """Content of the Secret; empty when all repositories are public.

    A password or key is kept only for the server it was given for: another one must not be offered it.

    :raises BadOption: for a credential that lacks one half, or that cannot be one.
    """
    if git is None:
        return {}
    found: Values = {}
    for item in git.repositories:
        parts = by_ssh(item, existing, given) if item.by_ssh else by_http(item, existing, given)
        found |= {file_of(item, key): value for key, value in parts.items()}
    if text := config(git, found):
        found[CONFIG] = text
    return found


def by_ssh(item: Repository, existing: Mapping[str, str], given: Given) -> Values:
    if given.passwords.get(item.name):
        raise BadOption(
            "it is for HTTPS, and this repository is read by SSH",
            where=f"{item.at}.password",
            next_step=f"Leave it out and use {item.at}.ssh_key",
        )
    asked = given.ssh_keys.get(item.name)
    key = keys.private_key(asked, f"{item.at}.ssh_key") if asked else None
    if asked is None and existing.get(file_of(item, SERVER)) == item.server:
        key = existing.get(file_of(item, SSH_KEY))
    if not key:
        raise BadOption(f"there is no key for {item.server}", where=f"{item.at}.ssh_key", next_step="Set it")
    return {SSH_KEY: key, SERVER: item.server, KNOWN_HOSTS: item.known_hosts}


def by_http(item: Repository, existing: Mapping[str, str], given: Given) -> Values:
    if given.ssh_keys.get(item.name):
        raise BadOption(
            "it is for SSH, and this repository is read by HTTP",
            where=f"{item.at}.ssh_key",
            next_step="Leave it out, or use an address such as ssh://git@HOST/PATH",
        )
    trusted = {CA: item.ca} if item.ca else {}
    password = given.passwords.get(item.name)
    if not item.username and not password:
        return trusted
    if not item.username:
        raise BadOption(
            "a password is set but no user", where=f"{item.at}.username", next_step="Set it, or clear the password"
        )
    if password is None and existing.get(file_of(item, SERVER)) == item.server:
        lines = existing.get(file_of(item, CREDENTIAL), "").split("\n")
        password = dict(line.split("=", 1) for line in lines if "=" in line).get("password")
    if not password:
        raise BadOption(
            f"user '{item.username}' is set but no password for {item.server}",
            where=f"{item.at}.password",
            next_step=f"Set it, or clear {item.at}.username for a public repository",
        )
    if any(mark in item.username + password for mark in "\n\0"):
        raise BadOption(
            "a line break cannot be sent to a git server", where=f"{item.at}.password", next_step="Remove it"
        )
    credential = f"username={item.username}\npassword={password}\n"
    return {CREDENTIAL: credential, SERVER: item.server, **trusted}


def config(git: GitSync, found: Mapping[str, str]) -> str:
    """Git's own settings: which credential and which CA are for which address.

    The first repository of a server lends its credential to submodules there; a further one has it for itself. Later
    sections win, and each forgets the helpers before it.
    """
    credentials = [item for item in git.repositories if file_of(item, CREDENTIAL) in found]
    trusting = [item for item in git.repositories if file_of(item, CA) in found]
    sections = [
        f'[credential "{scope}"]\n\thelper =\n\thelper = "{helper(item)}"\n' for item, scope in scoped(credentials)
    ]
    sections += [f'[http "{scope}/"]\n\tsslCAInfo = {path(item, CA)}\n' for item, scope in scoped(trusting)]
    return "".join(sections)


def scoped(items: list[Repository]) -> list[tuple[Repository, str]]:
    """Whole servers first, single repositories after them."""
    servers: dict[str, Repository] = {}
    for item in items:
        servers.setdefault(item.server, item)
    whole = [(item, server) for server, item in servers.items()]
    return [*whole, *((item, item.repo) for item in items if servers[item.server] is not item)]


def helper(item: Repository) -> str:
    """A program instead of a password in the address, because addresses end up in process lists and logs."""
    return f'!f() {{ test \\"$1\\" = get && cat {path(item, CREDENTIAL)}; }}; f'
