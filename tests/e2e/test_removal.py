# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is removed, what stays, and that what stayed is found again."""

from __future__ import annotations

from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import NAMESPACE
from driver import Driver

KEPT = ["PersistentVolumeClaim/kept-database", "PersistentVolumeClaim/kept-logs"]
KEPT += ["Secret/kept-account", "Secret/kept-database", "Secret/kept-keys"]


def remains(kube: Kube) -> list[str]:
    kinds = ("ConfigMap", "Secret", "PersistentVolumeClaim", "Service", "Deployment", "StatefulSet", "Job", "Ingress")
    found = kube.list_all(kinds, NAMESPACE, labels="app.kubernetes.io/instance=kept")
    return sorted(f"{item['kind']}/{item['metadata']['name']}" for item in found)


def test_removed_and_created_again_with_its_data_and_keys(manager: Driver, driver: Driver, kube: Kube) -> None:
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
    assert driver.service("kept", state="absent")["changed"] is False

    again = driver.service("kept", storage_size="1Gi")
    assert again["service"]["health"] == "healthy"
    keys_now = kube.get("Secret", "kept-keys", NAMESPACE)
    volume_now = kube.get("PersistentVolumeClaim", "kept-database", NAMESPACE)
    assert keys_now and keys_now["data"] == keys["data"]
    assert volume_now and volume_now["metadata"]["uid"] == volume["metadata"]["uid"]

    purged = driver.service("kept", state="absent", purge=True)
    assert purged["kept"] == [] and remains(kube) == []
