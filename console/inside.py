# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services called at their address in the cluster, in the form in which the engine calls them through the API server.

What is asked again and again, of every service, shall not be a burden on the API server.
"""

from __future__ import annotations

from collections.abc import Mapping

import urllib3
from ansible_collections.scp.dataops.plugins.module_utils.kube.access import Access
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube

NOT_THERE = 503


class Inside(Kube):
    """A connection whose calls of services go straight to them."""

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._pool = urllib3.PoolManager(num_pools=100, retries=False)

    def proxy(
        self,
        method: str,
        namespace: str,
        service: str,
        port: int,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        timeout: float = 10,
    ) -> tuple[int, bytes]:
        # Each call finds a pod that is ready now; a connection that is kept stays with one that may be on its way out.
        sent = {"Accept": "*/*", "Connection": "close", **(headers or {})}
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        url = f"http://{service}.{namespace}.svc:{port}/{path.lstrip('/')}"
        try:
            answer = self._pool.request(method, url, body=body, headers=sent, timeout=timeout, redirect=False)
        except urllib3.exceptions.HTTPError:
            return NOT_THERE, b""
        if cookies is not None:
            for line in answer.headers.getlist("Set-Cookie"):
                name, _equals, value = line.partition(";")[0].partition("=")
                cookies[name.strip()] = value.strip()
        return answer.status, answer.data
