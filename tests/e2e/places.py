# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests meet outside the collection: the git server that DAGs come from, and Airflow behind the ingress."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube

Answer = TypeVar("Answer")
IN_CLUSTER_GIT = "http://git-server.git.svc"
IN_CLUSTER_GIT_TLS = "https://git-server.git.svc"
IN_CLUSTER_GIT_SSH = "ssh://git@git-server.git.svc"

DAG = '''
import os
import socket
import time

import pendulum

try:
    from airflow.sdk import Param, dag, task
except ImportError:
    from airflow.decorators import dag, task
    from airflow.models.param import Param


@dag(dag_id="{dag_id}", schedule=None, start_date=pendulum.datetime(2026, 1, 1), params={{"seconds": Param(0)}})
def pipeline():
    @task
    def report(params=None):
        """Take some time, then tell what this pod knows."""
        time.sleep(int(params["seconds"]))
        try:
            print("alias resolves to", socket.gethostbyname("warehouse.internal"))
        except OSError:
            print("alias does not resolve")
        print("variables:", *(f"{{name}}={{value}}" for name, value in os.environ.items() if name.startswith("E2E_")))
        print("text of this commit: {text}")

    report()


pipeline()
'''


@dataclass(frozen=True)
class GitServer:
    """The cluster's git server, pushed to through its ingress. The password travels in an environment variable only.

    Pods may read with ``ssh_key`` (and know the server by ``known_hosts``), or by HTTPS, whose authority is ``ca``.
    """

    host: str
    node: str
    user: str
    # Not in the report of a test that fails.
    password: str = field(repr=False)
    folder: Path
    ssh_key: str = field(repr=False)
    known_hosts: str
    ca: str

    def push(self, repository: str, *, dag_id: str, text: str, subdir: str = "dags", source: str = DAG) -> str:
        """Commit one DAG that prints ``text`` and push it; ``repository`` is such as ``public/e2e.git``. The commit."""
        clone = self.folder / repository.replace("/", "-")
        if not clone.exists():
            clone.mkdir(parents=True)
            self._git(clone, "init", "-q", "--initial-branch=main")
            self._git(clone, "remote", "add", "origin", f"http://{self.host}/{repository}")
        dag = clone / subdir / f"{dag_id}.py"
        dag.parent.mkdir(parents=True, exist_ok=True)
        dag.write_text(textwrap.dedent(source.format(dag_id=dag_id, text=text)))
        self._git(clone, "add", "-A")
        self._git(clone, "commit", "-q", "--allow-empty", "-m", f"Print {text}")
        self._git(clone, "push", "-q", "--force", "origin", "main")
        return self._git(clone, "rev-parse", "HEAD").strip()

    def _git(self, clone: Path, *arguments: str) -> str:
        helper = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$E2E_USER" "$E2E_PASSWORD"; }; f'
        settings = ["user.name=e2e", "user.email=e2e@example.com", f"credential.helper={helper}"]
        # The ingress's host names are in no DNS outside of the cluster.
        settings.append(f"http.curloptResolve={self.host}:80:{self.node}")
        environment = {**os.environ, "E2E_USER": self.user, "E2E_PASSWORD": self.password}
        options = [part for setting in settings for part in ("-c", setting)]
        command = ["git", "-C", str(clone), *options, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass(frozen=True)
class Api:
    """How one version of Airflow is asked: path, whether a token comes first, what starting a run needs besides."""

    path: str
    by_token: bool
    run: dict[str, Any] = field(default_factory=dict)


APIS = {"3.3": Api("/api/v2", by_token=True, run={"logical_date": None}), "2.11": Api("/api/v1", by_token=False)}


@dataclass
class Airflow:
    """Airflow's own API as a user calls it: through the Ingress Controller, by host name."""

    address: str
    host: str
    account: str
    password: str = field(repr=False)
    api: Api = APIS["3.3"]
    token: str = field(default="", repr=False)

    def sign_in(self) -> None:
        body = {"username": self.account, "password": self.password}
        self.token = self._ask("POST", "/auth/token", body)["access_token"]

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if self.api.by_token and not self.token:
            self.sign_in()
        return self._ask(method, f"{self.api.path}{path}", body)

    def run_dag(self, dag_id: str, *, seconds: int = 0) -> str:
        """Trigger a run; its id."""
        until(lambda: dag_id in self.dags(), f"DAG {dag_id} is listed", 120)
        self.ask("PATCH", f"/dags/{dag_id}", {"is_paused": False})
        run = self.ask("POST", f"/dags/{dag_id}/dagRuns", {**self.api.run, "conf": {"seconds": seconds}})
        return str(run["dag_run_id"])

    def dags(self) -> dict[str, dict[str, Any]]:
        return {dag["dag_id"]: dag for dag in self.ask("GET", "/dags?limit=100")["dags"]}

    def state(self, dag_id: str, run_id: str) -> str:
        return str(self.ask("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_state(self, dag_id: str, run_id: str) -> str:
        return str(self.ask("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/report")["state"])

    def finish(self, dag_id: str, run_id: str, timeout: float = 240) -> str:
        """Wait for the end of a run; its state."""
        return until(
            lambda: (state := self.state(dag_id, run_id)) in ("success", "failed") and state, "run ends", timeout
        )

    def log(self, dag_id: str, run_id: str) -> str:
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/report/logs/1?full_content=true"
        return json.dumps(self.ask("GET", path)["content"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"Host": self.host, "Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        elif not self.api.by_token:
            pair = base64.b64encode(f"{self.account}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.address}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error
        return content


def until(probe: Callable[[], Answer], what: str, timeout: float) -> Answer:
    """The first true answer of ``probe``."""
    deadline = time.monotonic() + timeout
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(1)
    return answer


def decoded(secret: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}


def granted(kube: Kube, namespace: str, account: str, role: str) -> dict[str, Any]:
    """Connection options of a new account that has ClusterRole ``role`` in the namespace and nothing else."""
    metadata = {"name": account, "namespace": namespace}
    kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    kube.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", **metadata}],
        }
    )
    secret = {"name": account, "namespace": namespace, "annotations": {"kubernetes.io/service-account.name": account}}
    kube.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "type": "kubernetes.io/service-account-token"}
    )
    token = until(lambda: decoded(kube.get("Secret", account, namespace) or {}).get("token"), "the token is there", 30)
    return {"host": kube.access.host, "api_key": token, "validate_certs": False}
