# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: a namespace's admin can run everything; who lacks a right is told each one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.deletion import delete_all
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Ref
from conftest import MANAGER, SMALL
from driver import Audit, Driver
from places import granted

PLACE = "e2e-rights"


@pytest.fixture
def place(kube: Kube) -> Iterator[Kube]:
    """A namespace that somebody else made; what a killed run left there goes first."""
    namespace = Ref("Namespace", PLACE)
    delete_all(kube, [namespace], timeout=120)
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLACE}})
    yield kube
    Driver().run("dataops_service", name="small", manager=PLACE, state="absent", purge=True)
    delete_all(kube, [namespace], timeout=120)


def test_a_namespace_admin_can_run_everything(place: Kube) -> None:
    admin = Driver(common=granted(place, PLACE, "admin", "admin"))
    before = place.get("Namespace", PLACE)
    made = admin.run("dataops_manager", **{**MANAGER, "name": PLACE, "default_settings": SMALL})
    assert not made.failed, made.message
    assert any("ingress controller" in line for line in made["not_checked"])
    assert place.get("Namespace", PLACE) == before
    done = admin.run("dataops_service", name="small", manager=PLACE, storage_size="1Gi")
    assert not done.failed, done.message
    assert done["service"]["health"] == "healthy"
    assert any("host in other namespaces" in line for line in done["not_checked"])
    gone = admin.run("dataops_service", name="small", manager=PLACE, state="absent", purge=True)
    assert not gone.failed and gone["kept"] == []
    gone = admin.run("dataops_manager", name=PLACE, state="absent", purge=True)
    assert not gone.failed and place.get("Namespace", PLACE)


def test_missing_rights_are_all_named(place: Kube, audit: Audit) -> None:
    viewer = Driver(common=granted(place, PLACE, "viewer", "view"))
    position = audit.position()
    message = viewer.refused("dataops_manager", **{**MANAGER, "name": PLACE})
    for right in ("create secrets", "list secrets", "create configmaps", "create persistentvolumeclaims"):
        assert right in message
    assert audit.writes_since(position, PLACE) == []
