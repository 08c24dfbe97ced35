# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot become ready is said early: object, container, reason and last log lines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import MANAGER, NAMESPACE, SERVICE
from driver import Driver
from places import IN_CLUSTER_GIT, GitServer, until

# The deadline a user gave is far away; what is found must be found long before.
EARLY_SECONDS = 90

BROKEN_SOURCES: dict[str, tuple[dict[str, Any], str]] = {
    "no such repository": ({"repo": f"{IN_CLUSTER_GIT}/public/none.git"}, "not found"),
    "no such host": ({"repo": "http://nowhere.invalid/x.git"}, "nowhere.invalid"),
    "no such ref": ({"ref": "release-9"}, "release-9"),
    "no such folder": ({"subdir": "nothing/here"}, "there is no folder 'nothing/here'"),
    "wrong password": (
        {"repo": f"{IN_CLUSTER_GIT}/private/e2e.git", "username": "demo", "password": "S3NT1NEL"},
        "Authentication failed",
    ),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN_SOURCES.values(), ids=BROKEN_SOURCES.keys())
def test_a_repository_that_cannot_be_read(
    service: Driver, kube: Kube, git: GitServer, source: dict[str, Any], reason: str
) -> None:
    git.push("private/e2e.git", dag_id="e2e_private", text="private")
    record = kube.get("ConfigMap", f"{SERVICE}-record", NAMESPACE)
    started = time.monotonic()
    done = service.run("dataops_service", name=SERVICE, git_sync=source)
    assert done.failed and time.monotonic() - started < EARLY_SECONDS
    assert reason in done.message and "git_sync" in done.message and "Nothing was changed" in done.message
    assert "S3NT1NEL" not in done.message
    assert kube.get("ConfigMap", f"{SERVICE}-record", NAMESPACE) == record
    assert kube.get("Job", f"{SERVICE}-git-check", NAMESPACE) is None


@pytest.fixture
def broken(manager: Driver, driver: Driver) -> Iterator[Driver]:
    """A driver for a service that will not come up; it is removed whatever happened."""
    yield driver
    driver.service("broken", state="absent", purge=True)


def test_an_image_that_cannot_be_pulled(broken: Driver, manager: Driver) -> None:
    wrong = f"{MANAGER['image_registry']}/nowhere"
    manager.run("dataops_manager", name=NAMESPACE, image_registry=wrong)
    try:
        message = broken.refused("dataops_service", name="broken", storage_size="1Gi")
    finally:
        manager.run("dataops_manager", **MANAGER)
    assert f"{wrong}/postgres:15" in message and "StatefulSet/broken-database" in message


def test_a_volume_that_cannot_be_bound(broken: Driver, kube: Kube) -> None:
    nobody = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "nobody"},
        "provisioner": "example.com/nobody",
    }
    kube.apply(nobody)
    try:
        message = broken.refused("dataops_service", name="broken", storage_class="nobody")
    finally:
        kube.delete("StorageClass", "nobody")
    assert "PersistentVolumeClaim/broken-database" in message or "broken-database" in message
    assert "volume" in message.lower()


def test_a_component_that_crashes(service: Driver, kube: Kube) -> None:
    """A web server with far too little memory is killed by the kernel; the others go on."""
    done = service.run("dataops_service", name=SERVICE, triggerer={"memory": "128Mi"})
    assert done.failed
    assert f"Deployment/{SERVICE}-triggerer" in done.message and "triggerer" in done.message
    assert "OOMKilled" in done.message or "exit code" in done.message
    service.service(SERVICE, triggerer={})


def test_a_database_that_is_down(service: Driver, kube: Kube) -> None:
    """The migration cannot reach it: a wrong password stands for every way in which a database refuses."""
    name = f"{SERVICE}-database"

    def run_on(pool: str | None) -> None:
        kube.patch("StatefulSet", name, NAMESPACE, {"spec": {"template": {"spec": {"nodeSelector": {"pool": pool}}}}})
        kube.delete("Pod", f"{name}-0", NAMESPACE)

    run_on("none")
    try:
        until(lambda: not pods_ready(kube, name), "Kubernetes has seen that its pod is gone", 60)
        found = service.run("dataops_service_info", name=SERVICE)["services"][0]
        message = service.refused("dataops_service", name=SERVICE, wait_timeout=120)
    finally:
        run_on(None)
        # Components that crashed meanwhile would wait for a while before they try again.
        service.service(SERVICE, state="restarted")
    assert found["health"] == "unhealthy"
    assert any(reason.startswith("database") for reason in found["reasons"])
    assert name in message


def pods_ready(kube: Kube, stateful_set: str) -> int:
    found = kube.get("StatefulSet", stateful_set, NAMESPACE) or {}
    return int(found["status"].get("readyReplicas", 0))
