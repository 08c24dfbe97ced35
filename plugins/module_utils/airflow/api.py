# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few questions asked of a running Airflow, through the API server's service proxy.

That way needs no ingress, no port-forward and no name resolution, just the connection that is there already. The proxy
drops the Authorization header, so the token travels in the cookie that Airflow's own pages use.
"""

from __future__ import annotations

import json
from typing import Any

from ..errors import ApiError, NotReady, Unreachable
from ..kube.client import Kube
from . import names
from .secrets import Values
from .versions import WEB_SERVER_PORT, Profile


class AirflowApi:
    def __init__(self, kube: Kube, namespace: str, service: str, profile: Profile) -> None:
        self._kube = kube
        self._namespace = namespace
        self._service = names.web_server(service)
        self._profile = profile

    def health(self) -> dict[str, str]:
        """Status of ``metadatabase``, ``scheduler``, ``dag_processor`` and ``triggerer``; empty when none answers."""
        try:
            answer = self._ask("GET", self._profile.health_path)
        except (ApiError, NotReady, Unreachable):
            return {}
        return {key: part.get("status") or "unknown" for key, part in answer.items() if isinstance(part, dict)}

    def commits(self, account: Values) -> dict[str, str]:
        """Commit that each DAG was last read from, by DAG id.

        :raises NotReady: when Airflow does not answer or does not take the account.
        """
        if not account:
            raise NotReady("the Secret of its account is missing", where=self._service)
        login = json.dumps({"username": account["id"], "password": account["password"]}).encode()
        token = self._ask("POST", self._profile.token_path, body=login)["access_token"]
        answer = self._ask("GET", f"{self._profile.dags_path}?limit=1000", cookie=f"_token={token}")
        return {dag["dag_id"]: dag.get("bundle_version") or "" for dag in answer["dags"]}

    def _ask(self, method: str, path: str, *, body: bytes | None = None, cookie: str = "") -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if cookie:
            headers["Cookie"] = cookie
        status, content = self._kube.proxy(
            method, self._namespace, self._service, WEB_SERVER_PORT, path, body=body, headers=headers
        )
        if status >= 300:
            raise NotReady(f"Airflow answered {method} {path} with status {status}", where=self._service)
        try:
            answer: dict[str, Any] = json.loads(content)
        except ValueError as error:
            raise NotReady(f"Airflow's answer to {method} {path} is not JSON", where=self._service) from error
        return answer
