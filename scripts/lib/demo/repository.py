# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's DAG repository: a folder of this clone, as one branch on the cluster's git server.

Pushed with plain git through the Ingress. Its host name is in no DNS, so git is told the address. The password travels
in the environment of git alone, and from there through a credential helper.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from plugins.module_utils.airflow.secrets import decoded
from plugins.module_utils.kube.client import Kube

from .errors import DemoError

NAMESPACE, SERVER, USERS = "git", "git-server", "git-server-users"
PATH = "/public/demo.git"
BRANCH = "main"
HELPER = """!answer() { printf 'username=%s\\npassword=%s\\n' "$GIT_SERVER_USER" "$GIT_SERVER_PASSWORD"; }; answer"""


@dataclass(frozen=True)
class Server:
    """The git server as it is reached from outside, and the path of a repository on it."""

    address: str
    host: str
    user: str
    password: str = field(repr=False)
    path: str = PATH

    @property
    def url(self) -> str:
        return f"http://{self.host}{self.path}"


@dataclass(frozen=True)
class Published:
    """The commit at the head of the branch, and whether it is a new one."""

    commit: str
    new: bool


def find_server(kube: Kube) -> Server:
    """:raises DemoError: when the cluster has no git server of ours."""
    ingress = kube.get("Ingress", SERVER, NAMESPACE)
    users = decoded(kube.get("Secret", USERS, NAMESPACE))
    if ingress is None or not users:
        raise DemoError(
            "This cluster has no git server of the demo's own.",
            "Push examples/dags to a repository that its pods can reach, and name it: make demo T='--repo URL'",
        )
    published = (ingress.get("status") or {}).get("loadBalancer", {}).get("ingress") or [{}]
    address = published[0].get("ip")
    if not address:
        raise DemoError(
            f"The Ingress {NAMESPACE}/{SERVER} has no address.", "Look at the Ingress Controller: make status"
        )
    return Server(address, ingress["spec"]["rules"][0]["host"], users["username"], users["password"])


def publish(server: Server, folder: Path) -> Published:
    """Have the branch hold exactly the folder's content; a commit is made only when it does not."""
    if shutil.which("git") is None:
        raise DemoError("git is missing on this machine.", "Install it: apt-get install git")
    with tempfile.TemporaryDirectory(prefix="demo-git-") as place:
        git = Git(Path(place), folder, server)
        git("init", "--quiet")
        (Path(place) / "info" / "exclude").write_text("__pycache__/\n*.pyc\n")
        git("add", "--all")
        tree = git("write-tree")
        head = remote_head(git, server)
        if head and git("rev-parse", f"{head}^{{tree}}") == tree:
            return Published(head, new=False)
        parents = ["-p", head] if head else []
        commit = git("commit-tree", tree, *parents, "-m", f"DAGs of {folder.name}")
        git("push", "--quiet", server.url, f"{commit}:refs/heads/{BRANCH}")
        return Published(commit, new=True)


def remote_head(git: Git, server: Server) -> str:
    """The branch's commit, fetched; empty when there is no such branch or no repository yet."""
    refs = git("ls-remote", server.url, f"refs/heads/{BRANCH}", missing_is_empty=True)
    if not refs:
        return ""
    git("fetch", "--quiet", "--depth=1", server.url, BRANCH)
    return refs.split()[0]


@dataclass(frozen=True)
class Git:
    """git with a repository of its own and none of the user's settings."""

    folder: Path
    work_tree: Path
    server: Server

    def __call__(self, *arguments: str, missing_is_empty: bool = False) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.work_tree,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout.strip()
        if missing_is_empty and "not found" in done.stderr:
            return ""
        raise DemoError(f"git {arguments[0]} failed: {done.stderr.strip()}", f"The server is {self.server.url}")

    def _environment(self) -> Mapping[str, str]:
        settings = {
            "credential.helper": HELPER,
            "http.curloptResolve": f"{self.server.host}:80:{self.server.address}",
            # A proxy of the environment does not know the cluster's address.
            "http.proxy": "",
        }
        configuration = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings.items()):
            configuration |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        person = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Data Ops demo"), ("EMAIL", "demo@scp-dataops.invalid"))
        }
        return {
            **own,
            **configuration,
            **person,
            "GIT_DIR": str(self.folder),
            "GIT_WORK_TREE": str(self.work_tree),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
            "GIT_SERVER_USER": self.server.user,
            "GIT_SERVER_PASSWORD": self.server.password,
        }
