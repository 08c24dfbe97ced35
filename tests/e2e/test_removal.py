# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is removed, what stays, and that what stayed is found again."""

from __future__ import annotations

import subprocess

from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import NAMESPACE
from driver import Driver
from embedded import settings
from places import until

KEPT = ["PersistentVolumeClaim/kept-database", "PersistentVolumeClaim/kept-logs"]
KEPT += ["Secret/kept-account", "Secret/kept-database", "Secret/kept-keys"]
FILES = ["/opt/airflow/plugins/e2e_kept.py", "/opt/airflow/shared/kept.csv"]


def remains(kube: Kube) -> list[str]:
    kinds = ("ConfigMap", "Secret", "PersistentVolumeClaim", "Service", "Deployment", "StatefulSet", "Job", "Ingress")
    found = kube.list_all(kinds, NAMESPACE, labels="app.kubernetes.io/instance=kept")
    return sorted(f"{item['kind']}/{item['metadata']['name']}" for item in found)


def uploaded(driver: Driver) -> list[str]:
    """Names of what was uploaded for the service."""
    found = driver.run("dataops_upload_info", service="kept")["uploads"]
    return [each["name"] for each in found if each["service"] == "kept"]


def files(kube: Kube) -> list[str]:
    """What its scheduler finds in the folders of uploaded files."""
    labels = "app.kubernetes.io/instance=kept,app.kubernetes.io/component=scheduler"
    (pod,) = kube.list("Pod", NAMESPACE, labels=labels)
    kubectl = [str(settings.BIN / "kubectl"), "--kubeconfig", str(settings.KUBECONFIG), "-n", NAMESPACE, "exec"]
    look = "for folder in plugins shared; do ls -d /opt/airflow/$folder/*.* 2>/dev/null; done; true"
    command = [*kubectl, pod["metadata"]["name"], "-c", "scheduler", "--", "sh", "-c", look]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_removed_and_created_again_with_its_data_and_keys(manager: Driver, driver: Driver, kube: Kube) -> None:
    for kind, name in (("plugin", "e2e_kept.py"), ("shared", "kept.csv")):
        driver.run("dataops_upload", service="kept", kind=kind, name=name, content="A = 1\n")
    driver.service("kept", storage_size="1Gi")
    keys = kube.get("Secret", "kept-keys", NAMESPACE)
    volume = kube.get("PersistentVolumeClaim", "kept-database", NAMESPACE)
    assert keys and volume

    refused = manager.refused("dataops_manager", name=NAMESPACE, state="absent")
    assert "it still has services:" in refused and "kept" in refused

    predicted = driver.service("kept", state="absent", check=True)
    removed = driver.service("kept", state="absent")
    assert (predicted["actions"], predicted["kept"]) == (removed["actions"], removed["kept"])
    assert removed["kept"] == KEPT and remains(kube) == KEPT
    assert uploaded(driver) == ["e2e_kept.py", "kept.csv"]
    assert driver.service("kept", state="absent")["changed"] is False

    again = driver.service("kept", storage_size="1Gi")
    assert again["service"]["health"] == "healthy"
    keys_now = kube.get("Secret", "kept-keys", NAMESPACE)
    volume_now = kube.get("PersistentVolumeClaim", "kept-database", NAMESPACE)
    assert keys_now and keys_now["data"] == keys["data"]
    assert volume_now and volume_now["metadata"]["uid"] == volume["metadata"]["uid"]

    until(lambda: files(kube) == FILES, "its files are there again", 30)

    foretold = driver.service("kept", state="absent", purge=True, check=True)
    purged = driver.service("kept", state="absent", purge=True)
    assert purged["kept"] == [] and remains(kube) == []
    assert purged["actions"] == foretold["actions"]
    assert purged["actions"][-2:] == ["delete Upload/plugin/e2e_kept.py", "delete Upload/shared/kept.csv"]
    assert uploaded(driver) == []
    assert driver.service("kept", state="absent", purge=True)["changed"] is False

    driver.service("kept", storage_size="1Gi")
    assert files(kube) == []
    driver.service("kept", state="absent", purge=True)
