# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Push one DAG to the embedded cluster's git server; the argument is the repository's name.

The server is found in the cluster: its host name and address in its Ingress, user and password in its Secret.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.scp.dataops.plugins.module_utils.kube.access import find_access
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube

DAG = '''
"""The least that is a DAG."""

from airflow.sdk import dag, task


@dag(schedule=None)
def hello():
    @task
    def greet():
        print("hello")

    greet()


hello()
'''
# The password is read from the environment: arguments can be seen by everybody on the machine.
HELPER = '!f() { printf "username=%s\\npassword=%s\\n" "$SEED_USER" "$SEED_PASSWORD"; }; f'


def git(folder: Path, *arguments: str, environment: dict[str, str]) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, env={**os.environ, **environment})


def main(repository: str) -> None:
    kube = Kube(find_access({}, os.environ))
    secret = kube.get("Secret", "git-server-users", "git")
    ingress = kube.get("Ingress", "git-server", "git")
    if secret is None or ingress is None:
        sys.exit("This cluster has no git server of its own; name a repository that it reaches in DATAOPS_GIT_REPO.")
    values = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    host = ingress["spec"]["rules"][0]["host"]
    address = ingress["status"]["loadBalancer"]["ingress"][0]["ip"]
    who = {"SEED_USER": values["username"], "SEED_PASSWORD": values["password"]}
    # Fixed dates make the same commit each time, so that seeding twice is pushing nothing.
    who |= {"GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dags").mkdir()
        (folder / "dags" / "hello.py").write_text(DAG.lstrip())
        git(folder, "init", "--quiet", "--initial-branch=main", environment=who)
        git(folder, "add", ".", environment=who)
        identity = ("-c", "user.name=molecule", "-c", "user.email=molecule@example.com")
        git(folder, *identity, "commit", "--quiet", "--message=Say hello", environment=who)
        reach = ("-c", f"http.curloptResolve={host}:80:{address}", "-c", f"credential.helper={HELPER}")
        for branch in ("main", "next"):
            git(folder, *reach, "push", "--quiet", "--force", f"http://{host}/public/{repository}", f"main:{branch}",
                environment=who)  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
