# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tries the repositories from inside the cluster, before anything of the service changes.

The Job has a Secret of its own with the credentials to be tried: wrong ones must not reach running pods. It runs as any
pod of the service does, hence through the same host aliases and proxy, and tells which commit each ref stands for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...common.outcome import Timeline
from ...errors import BadOption, NotReady
from ...kube.client import Kube
from ...kube.objects import Manifest, Ref
from .. import inside, names, pods
from ..inside import Wait
from ..pieces import job as job_of
from ..pieces import secret as secret_of
from ..secrets import Secrets, decoded
from ..spec import ServiceSpec
from . import credentials, parts
from .spec import BUNDLE, GitSync, Repository, git_sync

FOUND = re.compile(r"^found (?P<name>\S+) (?P<commit>[0-9a-f]{40})$", re.MULTILINE)

SCRIPT = '''\
"""Fetch each repository as Airflow will, and say which commit its ref stands for; the first trouble ends it."""
import json
import os
import re
import subprocess
import sys
import tempfile

SECONDS = 60
# What ssh says of another host key is long, and its end the point.
LINES = 6
COMMIT = re.compile(r"[0-9a-f]{40}")
HINTS = {
    "Host key verification failed": "the server shows another host key than those in {at}.known_hosts",
    "Permission denied (publickey": "the server does not take {at}.ssh_key",
    "error in libcrypto": "{at}.ssh_key cannot be read",
    "Authentication failed": "the server does not take {at}.username with {at}.password",
    "could not read Username": "the server wants {at}.username and {at}.password",
    "SSL certificate problem": "the server's certificate is not signed by a CA that is known; give it in {at}.ca",
    "server certificate verification failed": "the certificate is not signed by a CA that is known; give it in {at}.ca",
    "Could not resolve host": "its host name does not resolve in the cluster; host_aliases can name its address",
    "couldn't find remote ref": "{at}.ref is neither a branch nor a tag, and a commit wants all of its 40 digits",
}


class Trouble(Exception):
    pass


def git(item, *arguments):
    command = ["git", *arguments]
    try:
        done = subprocess.run(
            command, env={**os.environ, **item["environment"]}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, timeout=SECONDS, universal_newlines=True,
        )
    except subprocess.TimeoutExpired:
        raise Trouble("no answer within %d s" % SECONDS)
    if done.returncode:
        raise Trouble(done.stderr.strip())
    return done.stdout.strip()


def fetch(item):
    try:
        git(item, "fetch", "-q", "--depth", "1", "origin", item["ref"])
        return git(item, "rev-parse", "FETCH_HEAD^{}")
    except Trouble as trouble:
        # Not every server hands out a single commit by name. A bundle has all branches and tags anyway.
        if not (item["whole"] and COMMIT.fullmatch(item["ref"]) and "no answer" not in str(trouble)):
            raise
    git(item, "fetch", "-q", "origin", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    try:
        return git(item, "rev-parse", "--verify", "-q", item["ref"] + "^{commit}")
    except Trouble:
        raise Trouble("there is no commit %s on any branch or tag" % item["ref"])


def try_one(item):
    os.chdir(tempfile.mkdtemp())
    git(item, "init", "-q", "--initial-branch", "scp-dataops-check")
    git(item, "remote", "add", "origin", item["repo"])
    commit = fetch(item)
    if item["subdir"]:
        try:
            git(item, "cat-file", "-e", "%s:%s" % (commit, item["subdir"]))
        except Trouble:
            raise Trouble("there is no folder '%s' at %s" % (item["subdir"], item["ref"]))
    if item["submodules"]:
        git(item, "checkout", "-q", commit)
        git(item, "submodule", "update", "-q", "--init", "--recursive", "--depth", "1")
    print("found %s %s" % (item["name"], commit), flush=True)


for item in json.loads(os.environ["REPOSITORIES"]):
    try:
        try_one(item)
    except Trouble as trouble:
        lines = [line for line in str(trouble).splitlines() if line.strip()]
        print("%s: %s" % (item["repo"], "\\n".join(lines[-LINES:])))
        for words, hint in HINTS.items():
            if words in str(trouble):
                print(hint.format(at=item["at"]))
                break
        sys.exit(1)
'''


def environment(item: Repository) -> dict[str, str]:
    if not item.by_ssh:
        return {}
    key, hosts = (credentials.path(item, name) for name in (credentials.SSH_KEY, credentials.KNOWN_HOSTS))
    options = "-o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o BatchMode=yes -o ConnectTimeout=20"
    return {"GIT_SSH_COMMAND": f"ssh -i {key} -o UserKnownHostsFile={hosts} {options}"}


def job(spec: ServiceSpec, git: GitSync) -> Manifest:
    """It needs nothing of the service but its own Secret, since there may be no service yet."""
    tried = [
        {
            "name": item.name,
            "at": item.at,
            "repo": item.repo,
            "ref": item.ref,
            "subdir": item.subdir,
            "submodules": item.submodules,
            "whole": git.mode == BUNDLE,
            "environment": environment(item),
        }
        for item in git.repositories
    ]
    container_environment = [
        pods.NO_DATABASE_CHECK,
        pods.plain("REPOSITORIES", json.dumps(tried)),
        *parts.git_environment(),
    ]
    pod = pods.job_pod(
        spec,
        pods.job_container(
            spec, "git-check", ["python", "-c", SCRIPT], container_environment, [parts.credential_mount()]
        ),
        [parts.credential_volume(names.git_check(spec.name))],
        account=None,
    )
    return job_of(spec, names.git_check(spec.name), "git-check", pod, retries=0)


def secret(spec: ServiceSpec, secrets: Secrets) -> Manifest:
    return secret_of(spec, names.git_check(spec.name), "git-check", secrets.git)


def found(log: str) -> dict[str, str]:
    """Commit by name of the repository, from the Job's log."""
    return {match["name"]: match["commit"] for match in FOUND.finditer(log)}


def untried(spec: ServiceSpec, secrets: Secrets, recorded: Mapping[str, Any], live: Mapping[Ref, Manifest]) -> bool:
    """Whether GitSync names a repository, ref or credential that has not been tried yet."""
    if spec.git_sync is None:
        return False
    tried = decoded(live.get(Ref("Secret", names.git(spec.name), spec.namespace)))
    return tried != secrets.git or sources(spec.git_sync) != sources(before(recorded, spec))


def before(recorded: Mapping[str, Any], spec: ServiceSpec) -> GitSync | None:
    """GitSync as it was; None also when this version of Airflow could not have it."""
    options = recorded.get("git_sync")
    try:
        return git_sync(options, spec.profile, spec.version) if options else None
    except BadOption:
        return None


def sources(git: GitSync | None) -> object:
    """What decides whether DAGs can be read."""
    if git is None:
        return None
    return git.mode, [
        (item.name, item.repo, item.ref, item.subdir, item.submodules, item.username) for item in git.repositories
    ]


def carry_out(kube: Kube, spec: ServiceSpec, secrets: Secrets, wait: Wait, progress: Timeline) -> dict[str, str]:
    """Try the repositories; the commit that each one's ref stands for, by name.

    :raises NotReady: with what git said, and nothing of the service changed.
    """
    if spec.git_sync is None:
        return {}
    credential = [secret(spec, secrets)] if secrets.git else []
    try:
        commits = found(inside.run(kube, [*credential, job(spec, spec.git_sync)], wait))
    except NotReady as error:
        raise NotReady(
            f"the repository could not be read: {error.what}",
            where="git_sync",
            next_step=f"Nothing was changed. {error.next_step}",
        ) from error
    progress.say("; ".join(["repository can be read", *(f"{name} is at {commit}" for name, commit in commits.items())]))
    return commits
