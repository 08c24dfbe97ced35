# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Airflow's REST API through the Ingress, as any program outside of the cluster uses it.

The host name may be in no DNS, so requests go to the Ingress Controller's address and name the host in a header.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cluster.progress import say

from .errors import DemoError

PATIENCE_SECONDS = 180
POLL_SECONDS = 1.0
REMIND_SECONDS = 15
FINISHED = ("success", "failed")


@dataclass(frozen=True)
class Airflow:
    address: str
    host: str
    token: str = field(default="", repr=False)

    def sign_in(self, account: str, password: str) -> Airflow:
        """Exchange the account for a token; a new Ingress may need a moment before it leads anywhere."""
        login = {"username": account, "password": password}

        def look() -> tuple[str, Any]:
            answer = self.ask("POST", "/auth/token", login, may_be_missing=True)
            return ("", answer["access_token"]) if answer else ("nothing answers there yet", None)

        return Airflow(self.address, self.host, self._wait(f"Airflow at http://{self.host}", look))

    def wait_for_dag(self, dag: str, commit: str) -> None:
        """Until Airflow has read the DAG from this commit; from any, when it is empty."""

        def look() -> tuple[str, Any]:
            found = self.ask("GET", f"/api/v2/dags/{dag}", may_be_missing=True)
            if found is None:
                return "Airflow has not read it yet", None
            running = found.get("bundle_version") or ""
            if commit and running != commit:
                return f"it is still that of commit {running[:10]}", None
            if found["is_paused"]:
                self.ask("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})
            return "", found

        self._wait(f"DAG {dag}", look)

    def run(self, dag: str, waiting_for: Callable[[], str]) -> str:
        """Trigger a run, wait until it has succeeded, and return its id.

        :param waiting_for: says what a run that takes long waits for, if it knows.
        """
        run: str = self.ask("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None})["dag_run_id"]
        where = f"/api/v2/dags/{dag}/dagRuns/{run}"
        states: dict[str, str | None] = {}

        def look() -> tuple[str, Any]:
            state = self.ask("GET", where)["state"]
            for task in self.ask("GET", f"{where}/taskInstances")["task_instances"]:
                name, now = task["task_id"], task["state"]
                if now != states.get(name):
                    say(f"  {name}: {now}")
                states[name] = now
            return ("" if state in FINISHED else f"it is {state}"), state

        state = self._wait(f"DAG run {run}", look, waiting_for)
        if state != "success":
            raise DemoError(f"The DAG run {run} ended as {state}.", f"Its tasks: http://{self.host}/dags/{dag}")
        return run

    def log(self, dag: str, run: str, task: str) -> Iterator[str]:
        """What a task logged itself, line by line, without Airflow's own words around it."""
        where = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/1?full_content=true"
        for entry in self.ask("GET", where)["content"]:
            if isinstance(entry, dict) and entry.get("logger") == "airflow.task":
                yield f"{entry.get('timestamp', '')[:19]}  {entry['event']}"

    def ask(self, method: str, path: str, body: object = None, *, may_be_missing: bool = False) -> Any:
        """:param may_be_missing: give None while there is no such thing, or nothing behind the Ingress yet."""
        headers = {"Host": self.host, "Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", content, headers, method=method)
        # A proxy of the environment does not know the cluster's address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if may_be_missing and error.code in (404, 502, 503, 504):
                return None
            said = error.read(500).decode(errors="replace")
            raise DemoError(f"Airflow answered {method} {path} with status {error.code}: {said}") from error
        except OSError as error:
            raise DemoError(
                f"The Ingress Controller at {self.address} cannot be reached: {error}.", "Look at it: make status"
            ) from error

    def _wait(self, what: str, look: Callable[[], tuple[str, Any]], because: Callable[[], str] = lambda: "") -> Any:
        """Ask until there is no reason to wait any more; give what was found.

        :param look: gives the reason to wait, empty when there is none, and what was found.
        :param because: a better reason, asked for only when one is shown.
        """
        start = told = time.monotonic()
        while True:
            why, found = look()
            if not why:
                return found
            now = time.monotonic()
            if now - start > PATIENCE_SECONDS:
                raise DemoError(f"{what}: not there after {PATIENCE_SECONDS} s, {because() or why}.")
            if now - told > REMIND_SECONDS:
                say(f"  {what}: {now - start:.0f} s so far, {because() or why}")
                told = now
            time.sleep(POLL_SECONDS)
