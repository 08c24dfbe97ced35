# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console behind the ingress, and what its service account may do."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.access import find_access
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.rights import Right, missing_rights
from ansible_collections.scp.dataops.plugins.module_utils.manager.names import ACCOUNT, CONSOLE
from ansible_collections.scp.dataops.plugins.module_utils.manager.rights import of_console
from conftest import DOMAIN, MANAGER, NAMESPACE
from driver import Driver, Result
from embedded import settings
from places import decoded


def test_it_answers_at_its_address(manager: Driver, created_manager: Result) -> None:
    told = created_manager["manager"]
    assert (told["state"], told["console"]["state"]) == ("RUNNING", "ready")
    assert told["web_url"] == f"http://{NAMESPACE}.{DOMAIN}"
    request = urllib.request.Request(
        f"http://{settings.INGRESS_HTTP}/readyz", headers={"Host": f"{NAMESPACE}.{DOMAIN}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {"missing": []}


def test_an_unchanged_manager_restarts_nothing(manager: Driver) -> None:
    done = manager.run("dataops_manager", **MANAGER)
    assert not done.failed and done["changed"] is False and done["restarted"] == []


@pytest.fixture
def as_console(manager: Driver) -> Kube:
    return Kube(find_access({"impersonate_user": f"system:serviceaccount:{NAMESPACE}:{CONSOLE}"}))


def test_its_account_can_do_what_the_engine_does_there_and_nothing_elsewhere(as_console: Kube) -> None:
    granted = of_console(NAMESPACE)
    assert missing_rights(as_console, granted) == []
    elsewhere = [
        *(Right(right.verb, right.group, right.resource, "git") for right in granted),
        *(Right(right.verb, right.group, right.resource, "") for right in granted),
        Right("list", "", "nodes"),
        Right("create", "", "namespaces"),
        Right("escalate", "rbac.authorization.k8s.io", "roles", NAMESPACE),
        Right("create", "", "pods/exec", NAMESPACE),
    ]
    assert missing_rights(as_console, elsewhere) == elsewhere


def test_signed_in_one_sees_the_dashboard(manager: Driver, kube: Kube) -> None:
    secret = kube.get("Secret", ACCOUNT, NAMESPACE)
    assert secret
    account = decoded(secret)
    given = urllib.parse.urlencode({"account": account["id"], "password": account["password"]}).encode()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    headers = {"Host": f"{NAMESPACE}.{DOMAIN}", "Accept": "text/html"}

    def shown(path: str, data: bytes | None = None) -> str:
        request = urllib.request.Request(f"http://{settings.INGRESS_HTTP}{path}", data, headers)
        with browser.open(request, timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    assert 'name="password"' in shown("/")
    assert "Dashboard" in shown("/sign-in", given)
    page = shown("/dashboard/live")
    assert "Seen" in page and account["password"] not in page
