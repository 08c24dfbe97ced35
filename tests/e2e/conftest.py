# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Manager and one Service for all tests that look at a running Airflow; what a test adds it removes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.access import find_access
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.manager.names import ACCOUNT
from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).parent))

from browser import chromium
from driver import Audit, Driver, Result
from embedded import settings
from places import APIS, IN_CLUSTER_GIT, Airflow, GitServer, decoded

NAMESPACE = "e2e"
SERVICE = "etl"
CREATED_WITHIN_SECONDS = 180
DOMAIN = "e2e.dataops.local"
CONSOLE = f"http://{NAMESPACE}.{DOMAIN}"
DAG_ID = "e2e_pipeline"
# Two cores carry the control plane too: little is reserved, so that everything finds its place.
SMALL = {
    "web_server": {"cpu": "50m"},
    "scheduler": {"cpu": "50m"},
    "dag_processor": {"cpu": "20m"},
    "triggerer": {"cpu": "20m"},
    "worker": {"cpu": "20m", "memory": "768Mi"},
}
# For a service beside that of all tests: so little is reserved that both have room, and as much allowed as usual.
PARTS = ("web_server", "scheduler", "dag_processor", "triggerer", "worker")
THRIFTY = {part: {"cpu": "20m", "memory": "384Mi", "memory_limit": "2Gi"} for part in PARTS}
MANAGER = {
    "name": NAMESPACE,
    "domain": DOMAIN,
    "image_registry": str(settings.REGISTRY),
    "storage_class": "shared",
    "storage_size": "1Gi",
    "default_settings": SMALL,
}


@pytest.fixture(scope="session")
def kube() -> Iterator[Kube]:
    client = Kube(find_access({}, os.environ))
    yield client
    client.close()


@pytest.fixture(scope="session")
def audit() -> Audit:
    return Audit(settings.AUDIT_LOG)


@pytest.fixture(scope="session")
def driver() -> Driver:
    return Driver(common={"manager": NAMESPACE})


@pytest.fixture(scope="session")
def git(kube: Kube, tmp_path_factory: pytest.TempPathFactory) -> GitServer:
    secrets = [kube.get("Secret", f"git-server-{name}", "git") for name in ("users", "ssh", "tls")]
    assert all(secrets), "the embedded cluster's git server is not there, or not all of it: take the cluster down once"
    users, ssh, tls = (decoded(secret or {}) for secret in secrets)
    return GitServer(
        settings.GIT_HOST,
        settings.NODE_ADDRESS,
        users["username"],
        users["password"],
        tmp_path_factory.mktemp("git"),
        ssh_key=ssh["ssh-privatekey"],
        known_hosts=ssh["known_hosts"],
        ca=tls["ca.crt"],
    )


@pytest.fixture(scope="session")
def empty(kube: Kube) -> Iterator[Driver]:
    """A driver whose namespace does not exist; whatever the tests make there is purged at the end."""
    plain = Driver()
    purge(plain, kube)
    yield plain
    purge(plain, kube)


@pytest.fixture(scope="session")
def predicted(empty: Driver, driver: Driver, repository: dict[str, object]) -> dict[str, Result]:
    """What check mode says of Manager and Service while there is nothing at all."""
    manager = empty.run("dataops_manager", check=True, **MANAGER)
    service = driver.run("dataops_service", check=True, name=SERVICE, git_sync=repository, storage_size="1Gi")
    return {"manager": manager, "service": service}


@pytest.fixture(scope="session")
def created_manager(empty: Driver, predicted: dict[str, Result]) -> Result:
    """The run that made the Manager."""
    done = empty.run("dataops_manager", **MANAGER)
    assert not done.failed, done.message
    return done


@pytest.fixture(scope="session")
def manager(empty: Driver, created_manager: Result) -> Driver:
    """A driver whose namespace has a Manager."""
    return empty


def purge(plain: Driver, kube: Kube) -> None:
    """Remove every service of the Manager, then the Manager, with their data: also what a killed run left behind."""
    if not kube.get("Namespace", NAMESPACE):
        return
    found = plain.run("dataops_service_info", manager=NAMESPACE)
    for name in sorted({SERVICE, *(service["name"] for service in found["services"])}):
        plain.run("dataops_service", manager=NAMESPACE, name=name, state="absent", purge=True)
    plain.run("dataops_manager", name=NAMESPACE, state="absent", purge=True)
    if kube.get("Namespace", NAMESPACE):
        raise AssertionError(f"namespace {NAMESPACE} is not empty: remove it by hand and run this again")


@pytest.fixture(scope="session")
def repository(git: GitServer) -> dict[str, object]:
    git.push("public/e2e.git", dag_id=DAG_ID, text="first")
    return {"repo": f"{IN_CLUSTER_GIT}/public/e2e.git", "subdir": "dags", "interval": 5}


@pytest.fixture(scope="session")
def created_service(manager: Driver, driver: Driver, repository: dict[str, object]) -> Result:
    """The run that made the service :data:`SERVICE`: within three minutes it is healthy."""
    return driver.service(SERVICE, git_sync=repository, storage_size="1Gi", wait_timeout=CREATED_WITHIN_SECONDS)


@pytest.fixture(scope="session")
def service(created_service: Result, driver: Driver) -> Driver:
    """The driver of the running service :data:`SERVICE`."""
    return driver


@pytest.fixture(scope="session")
def airflow(service: Driver, kube: Kube) -> Airflow:
    return airflow_of(kube, SERVICE)


def airflow_of(kube: Kube, name: str, version: str = "3.3") -> Airflow:
    """The Airflow of a service, with its first account."""
    secret = kube.get("Secret", f"{name}-account", NAMESPACE)
    assert secret
    account = decoded(secret)
    address, host = f"http://{settings.INGRESS_HTTP}", f"{name}.{DOMAIN}"
    return Airflow(address, host, account["id"], account["password"], APIS[version])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(f"*.{settings.INGRESS_ZONE}", settings.INGRESS_HTTP.host) as found:
        yield found


@pytest.fixture(scope="module")
def account(manager: Driver, kube: Kube) -> dict[str, str]:
    """The Manager's account, with which people sign in to its console."""
    return decoded(kube.get("Secret", ACCOUNT, NAMESPACE) or {})


@contextmanager
def further(driver: Driver, name: str, **options: Any) -> Iterator[Result]:
    """One more service while a test, or a fixture of any scope, needs it; it goes with its data, ready or not.

    An Airflow takes most of a minute and a tenth of the machine: share it, and have one at a time.
    """
    usual = {"storage_size": "1Gi", "wait_timeout": CREATED_WITHIN_SECONDS, **THRIFTY}
    try:
        yield driver.service(name, **{**usual, **options})
    finally:
        driver.service(name, state="absent", purge=True)
