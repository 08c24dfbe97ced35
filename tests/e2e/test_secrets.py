# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Secrets hold is nowhere else: looked for in all that modules print, people see, and the cluster shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from browser import VIEWS, sign_in, window
from conftest import CONSOLE, NAMESPACE, SERVICE
from driver import Driver
from places import decoded
from playwright.sync_api import Browser, Page
from test_pages import PAGES

PLANTED = "planted-9f3c5e7a1b"
KINDS = (
    *("ConfigMap", "Deployment", "StatefulSet", "Pod", "Job", "Service", "Ingress", "Event", "Lease"),
    *("ServiceAccount", "PersistentVolumeClaim", "Role", "RoleBinding"),
)
# Too short to be told from other words.
SHORTEST = 12


@pytest.fixture(scope="module")
def printed(service: Driver, repository: dict[str, object]) -> Iterator[str]:
    """A password is planted; what Ansible printed at its most talkative. The repository asks nobody for one."""
    plain = {"username": "", "password": ""}
    yield service.service(SERVICE, verbose=True, git_sync={**repository, "username": "e2e", "password": PLANTED}).output
    service.service(SERVICE, git_sync={**repository, **plain})


@pytest.fixture(scope="module")
def secret(printed: str, kube: Kube) -> Mapping[str, str]:
    """Each thing that is secret by the place where it stands."""
    found = {}
    for item in kube.list("Secret", NAMESPACE):
        for key, value in decoded(item).items():
            for line in value.splitlines():
                # A Secret may hold a file of settings, and a URL with its password.
                for part in {line, line.partition("=")[2], *re.findall(r"://[^:/]*:([^@/]+)@", line)}:
                    if len(part) >= SHORTEST and not is_public(key, line):
                        found[part] = f"{item['metadata']['name']}/{key}"
    assert PLANTED in found
    return found


def is_public(key: str, line: str) -> bool:
    return key in ("tls.crt", "ca.crt", "known_hosts", "server") or line.startswith("-----")


def betrayed(text: str, secret: Mapping[str, str]) -> list[str]:
    """Where in Secrets what stands in this text comes from."""
    return sorted({place for value, place in secret.items() if value in text})


def test_nothing_that_ansible_prints(printed: str, secret: Mapping[str, str]) -> None:
    assert SERVICE in printed
    assert betrayed(printed, secret) == []


def test_no_object_but_secrets(kube: Kube, secret: Mapping[str, str]) -> None:
    items = [(kind, item) for kind in KINDS for item in kube.list(kind, NAMESPACE)]
    assert {kind for kind, _item in items} >= {"ConfigMap", "Deployment", "Pod", "Event"}
    found = {f"{kind} {item['metadata']['name']}": betrayed(json.dumps(item), secret) for kind, item in items}
    assert {name: places for name, places in found.items() if places} == {}


def test_no_log(kube: Kube, secret: Mapping[str, str]) -> None:
    found = {}
    for pod in kube.list("Pod", NAMESPACE):
        spec = pod["spec"]
        for container in [*spec.get("initContainers", ()), *spec["containers"]]:
            name = pod["metadata"]["name"]
            text = kube.logs(name, NAMESPACE, container=container["name"], lines=100000)
            found[f"{name} {container['name']}"] = betrayed(text, secret)
    assert len(found) > 5
    assert {name: places for name, places in found.items() if places} == {}


def test_no_argument_of_a_process(secret: Mapping[str, str]) -> None:
    """The node of the embedded cluster is this machine."""
    arguments = [arguments_of(process) for process in Path("/proc").glob("[0-9]*")]
    assert any("airflow" in line for line in arguments)
    assert betrayed("\n".join(arguments), secret) == []


def arguments_of(process: Path) -> str:
    """Empty when it ended meanwhile."""
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def test_no_page_and_no_answer_of_the_api(browser: Browser, account: dict[str, str], secret: Mapping[str, str]) -> None:
    with window(browser, VIEWS["desk, light"]) as page:
        sign_in(page, CONSOLE, account)
        paths = [*PAGES, *readable(page), "/metrics"]
        found = {path: betrayed(fetched(page, path), secret) for path in paths}
    assert len(paths) > len(PAGES) + 10
    assert {path: places for path, places in found.items() if places} == {}


def readable(page: Page) -> list[str]:
    """What the API's own document says can be got of this Manager and its service."""
    document = json.loads(fetched(page, "/api/v1/openapi.json"))
    found = []
    for path, methods in document["paths"].items():
        if "get" in methods:
            for parameter, value in (("{data_ops_id}", NAMESPACE), ("{data_ops_service_id}", SERVICE)):
                path = path.replace(parameter, value)
            found += [] if "{" in path else [path]
    return found


def fetched(page: Page, path: str) -> str:
    return str(page.evaluate("path => fetch(path).then(answer => answer.text())", path))
