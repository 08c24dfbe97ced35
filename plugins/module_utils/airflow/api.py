# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk to a running Airflow through the API server's service proxy.

That way needs no ingress, no port-forward and no name resolution, just the connection that is there already. The proxy
drops the Authorization header, so a session lives in cookies, as in a browser: a token where the version has one, else
what the sign-in form gives.
"""

from __future__ import annotations

import html
import json
import re
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ..errors import AirflowError, ApiError, NotReady, Unreachable
from ..kube.client import Kube
from . import names
from .secrets import Values
from .versions import WEB_SERVER_PORT, Profile

ACCEPT = {"Accept": "application/json"}
JSON = {**ACCEPT, "Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CSRF_FIELD = re.compile(r'<input[^>]*name="csrf_token"[^>]*value="([^"]*)"')
# As many as Airflow gives at once unless it is configured otherwise.
PAGE = 100
# A busy web server takes its time over what it is asked for; how it is must be known sooner.
ANSWER_SECONDS = 60.0
HEALTH_SECONDS = 10.0
# Some versions take five sign-ins in 40 seconds and no more, from all who come through the API server together.
TOO_MANY = 429
SIGN_IN_PAUSE = 8.0
SIGN_IN_TRIES = 8
NOT_THERE = (502, 503, 504)
UNFINISHED = ("running", "queued")

# Between two tries; tests note the seconds instead.
pause = time.sleep


@dataclass(frozen=True)
class Task:
    """One task instance; ``executor`` is empty where it is the service's first one. A task that is not mapped is -1."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    state: str
    executor: str


class AirflowApi:
    """One Airflow as its own account sees it. It signs in once, when that is first needed; threads may share it."""

    def __init__(
        self, kube: Kube, namespace: str, service: str, profile: Profile, account: Values | None = None
    ) -> None:
        self.profile = profile
        self.where = names.web_server(service)
        self._kube = kube
        self._namespace = namespace
        self._account = account or {}
        self._session: dict[str, str] = {}
        self._lock = threading.Lock()

    def health(self) -> dict[str, str]:
        """Status of ``metadatabase``, ``scheduler``, ``dag_processor`` and ``triggerer``; empty when none answers."""
        try:
            answer = self._json("GET", self.profile.health_path, timeout=HEALTH_SECONDS)
        except (ApiError, NotReady, Unreachable):
            return {}
        return {key: part.get("status") or "unknown" for key, part in answer.items() if isinstance(part, dict)}

    def commits(self) -> dict[str, str]:
        """Commit that each DAG was last read from, by DAG id; empty where the version does not know it.

        :raises NotReady: when Airflow does not answer or does not take the account.
        """
        dags = self.all(f"{self.profile.api.root}/dags", "dags")
        return {dag["dag_id"]: dag.get("bundle_version") or "" for dag in dags}

    def plugin_errors(self) -> list[str]:
        """Plugins that the web server could not load, and why; empty where the version does not tell.

        :raises NotReady: when Airflow does not answer or does not take the account.
        """
        if not self.profile.api.plugin_errors:
            return []
        answer = self.ask("GET", f"{self.profile.api.root}{self.profile.api.plugin_errors}")
        return [f"{item['source']}: {item['error']}" for item in answer["import_errors"]]

    def tasks(self, states: Collection[str] = UNFINISHED) -> list[Task]:
        """Task instances of all DAGs in one of these states.

        :raises NotReady: when Airflow does not answer or does not take the account.
        """
        return [
            Task(
                dag_id=item["dag_id"],
                run_id=item["dag_run_id"],
                task_id=item["task_id"],
                map_index=item["map_index"],
                state=item["state"] or "",
                executor=item["executor"] or "",
            )
            for item in self.all(self._tasks_path(), "task_instances", [("state", state) for state in states])
        ]

    def count_tasks(self, states: Collection[str] = UNFINISHED) -> int:
        """How many :meth:`tasks` there are, at the price of one request.

        :raises NotReady: when Airflow does not answer or does not take the account.
        """
        query = urlencode([*(("state", state) for state in states), ("limit", 1)])
        total: int = self.ask("GET", f"{self._tasks_path()}?{query}")["total_entries"]
        return total

    def all(self, path: str, key: str, query: Collection[tuple[str, str]] = ()) -> list[dict[str, Any]]:
        """All items of a list, page by page; ``key`` is what Airflow calls them."""
        return list(self._pages(path, key, query))

    def ask(self, method: str, path: str, body: Any = None, *, timeout: float = ANSWER_SECONDS) -> Any:
        """Answer to a request of the service's account.

        :raises AirflowError: when Airflow says no.
        :raises NotReady: when it does not answer or does not take the account.
        """
        return self._json(method, path, body, self._signed_in(), timeout)

    def _tasks_path(self) -> str:
        return f"{self.profile.api.root}/dags/~/dagRuns/~/taskInstances"

    def _pages(self, path: str, key: str, query: Collection[tuple[str, str]]) -> Iterator[dict[str, Any]]:
        offset, total = 0, 1
        while offset < total:
            page = self.ask("GET", f"{path}?{urlencode([*query, ('limit', PAGE), ('offset', offset)])}")
            items = page[key]
            yield from items
            # A list that gets shorter while it is read ends with an empty page.
            offset, total = offset + len(items), page["total_entries"] if items else 0

    def _signed_in(self) -> Mapping[str, str]:
        with self._lock:
            if not self._session:
                self._session = self._patiently_sign_in()
            return self._session

    def _patiently_sign_in(self) -> dict[str, str]:
        for _try in range(SIGN_IN_TRIES):
            try:
                return self._sign_in()
            except AirflowError as error:
                if error.status != TOO_MANY:
                    raise
            pause(SIGN_IN_PAUSE)
        return self._sign_in()

    def _sign_in(self) -> dict[str, str]:
        if not self._account:
            raise NotReady("the Secret of its account is missing", where=self.where)
        credential = {"username": self._account["id"], "password": self._account["password"]}
        path = self.profile.api.sign_in_path
        if self.profile.api.sign_in == "token":
            return {"_token": self._json("POST", path, credential)["access_token"]}
        cookies: dict[str, str] = {}
        field = self._csrf_field(cookies)
        if field is None:
            raise NotReady(f"Airflow's page {path} is not its sign-in form", where=self.where)
        filled = urlencode({**credential, "csrf_token": html.unescape(field[1])}).encode()
        self._exchange("POST", path, filled, FORM, cookies)
        # Right or wrong, the answer is the same redirect; but only who is signed in is not shown the form again.
        if self._csrf_field(cookies):
            raise self._not_taken()
        return cookies

    def _csrf_field(self, cookies: dict[str, str]) -> re.Match[str] | None:
        page = self._exchange("GET", self.profile.api.sign_in_path, cookies=cookies)
        return CSRF_FIELD.search(page.decode(errors="replace"))

    def _not_taken(self) -> NotReady:
        return NotReady(
            f"Airflow does not take the service's account '{self._account.get('id', '')}'",
            where=self.where,
            next_step="Give the service an account.password, which sets it anew",
        )

    def _json(
        self,
        method: str,
        path: str,
        body: Any = None,
        session: Mapping[str, str] | None = None,
        timeout: float = ANSWER_SECONDS,
    ) -> Any:
        data = None if body is None else json.dumps(body).encode()
        # Version 2 reads a body where one is announced, and takes none for a broken one.
        headers = ACCEPT if data is None else JSON
        content = self._exchange(method, path, data, headers, dict(session or {}), timeout)
        if not content:
            return {}
        try:
            return json.loads(content)
        except ValueError as error:
            raise NotReady(f"Airflow's answer to {_shown(method, path)} is not JSON", where=self.where) from error

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        timeout: float = ANSWER_SECONDS,
    ) -> bytes:
        status, content = self._kube.proxy(
            method,
            self._namespace,
            self.where,
            WEB_SERVER_PORT,
            path,
            body=body,
            headers=headers,
            cookies=cookies,
            timeout=timeout,
        )
        if status in NOT_THERE:
            raise NotReady(f"Airflow does not answer (status {status})", where=self.where)
        if status == 401:
            raise self._not_taken()
        if status >= 400:
            detail = _detail(content)
            what = f"Airflow answered {_shown(method, path)} with status {status}"
            raise AirflowError(f"{what}: {detail}" if detail else what, where=self.where, status=status, detail=detail)
        return content


def _shown(method: str, path: str) -> str:
    return f"{method} {path.partition('?')[0]}"


def _detail(content: bytes) -> str:
    """What Airflow says is wrong, without the input that it may repeat beside it."""
    try:
        answer = json.loads(content)
    except ValueError:
        return ""
    detail = answer.get("detail") if isinstance(answer, dict) else None
    if isinstance(detail, list):
        return "; ".join(_complaint(item) for item in detail if isinstance(item, dict))
    if isinstance(detail, dict):
        return "; ".join(f"{key}: {value}" for key, value in detail.items() if key in ("reason", "message"))
    return str(detail or "").strip().rstrip(".")


def _complaint(item: Mapping[str, Any]) -> str:
    field = ".".join(str(part) for part in item.get("loc", ()) if part != "body")
    return f"{field}: {item.get('msg', '')}" if field else str(item.get("msg", ""))
