# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A preflight names everything that stands in the way, on a real API server, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.deletion import delete_all
from ansible_collections.scp.dataops.plugins.module_utils.kube.kinds import KINDS
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, ref_of
from conftest import MANAGER
from driver import Audit, Driver, Result
from places import IN_CLUSTER_GIT, GitServer, granted

PLACE = "e2e-preflight"
# Not that of the other tests, whose service of the same name has its address already.
DOMAIN = "preflight.dataops.local"
MODULE = "dataops_preflight"
REQUESTS = 60
# None of it is ever started here: it only has to find room beside what other tests run.
PARTS = ("web_server", "scheduler", "dag_processor", "triggerer", "worker")
TINY = {part: {"cpu": "10m", "memory": "128Mi"} for part in PARTS}


@pytest.fixture(scope="module")
def place(kube: Kube) -> Iterator[Driver]:
    """A namespace with a Manager, on which Pod Security is at its strictest."""
    strict = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLACE, "labels": strict}})
    made = Driver().run("dataops_manager", **{**MANAGER, "name": PLACE, "domain": DOMAIN, "default_settings": TINY})
    assert not made.failed, made.message
    yield Driver(common={"name": "etl", "manager": PLACE})
    delete_all(kube, [Ref("Namespace", PLACE)], timeout=120)


@contextmanager
def there(kube: Kube, kind: str, name: str, **rest: Any) -> Iterator[None]:
    """An object that is there for a while."""
    namespace = {"namespace": PLACE} if KINDS[kind].namespaced else {}
    manifest = {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": {"name": name, **namespace}, **rest}
    kube.apply(manifest)
    try:
        yield
    finally:
        delete_all(kube, [ref_of(manifest)], timeout=60)


def inside(kube: Kube) -> set[Ref]:
    """All that a trial could leave in the namespace."""
    kinds = ("Pod", "Job", "PersistentVolumeClaim", "Secret", "ConfigMap")
    refs = {ref_of(item) for item in kube.list_all(kinds, PLACE, labels="")}
    # Its pods come and go with the image of the Manager.
    return {ref for ref in refs if not ref.name.startswith("dataops-manager-console-")}


def found(result: Result, check: str) -> list[Manifest]:
    return [item for item in result["findings"] if item["check"] == check]


def test_all_is_well_in_a_restricted_namespace_and_nothing_is_written(place: Driver, audit: Audit) -> None:
    position = audit.position()
    looked = place.run(MODULE, region="local")
    assert not looked.failed, looked.message
    assert looked["passed"] and not looked["changed"]
    assert [item["status"] for item in found(looked, "admission")] == ["ok"]
    assert "dataops: " in found(looked, "capacity")[0]["found"]
    assert looked["requests"] <= REQUESTS
    assert audit.writes_since(position, PLACE) == []


def test_several_wrong_things_are_all_named_in_one_run(place: Driver, audit: Audit) -> None:
    position = audit.position()
    message = place.refused(
        MODULE,
        region="kr-east1",
        storage_class="gold",
        node_selector={"pool": "none"},
        account={"id": "Me"},
        git_sync={"repo": "dags"},
    )
    for part in (
        "region: Data Ops is not provided in kr-east1",
        "storage_class: storage class 'gold' does not exist",
        "node_selector: no node has the labels pool=none",
        "account.id: 'Me' is not a valid account id",
        "git_sync.repo: this is not the address of a repository",
    ):
        assert part in message
    assert audit.writes_since(position, PLACE) == []


def test_a_report_does_not_fail(place: Driver) -> None:
    looked = place.run(MODULE, scheduler={"cpu": "1000"}, fail=False)
    assert not looked.failed and not looked["passed"]
    assert "scheduler.cpu: each pod of scheduler reserves 1000 cores" in looked["report"]
    assert looked["findings"][0]["status"] == "refused"


WALLS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "quota": (
        "ResourceQuota",
        {"spec": {"hard": {"pods": "3", "requests.memory": "512Mi"}}},
        (
            "ResourceQuota wall of the namespace is too small",
            # The console has one.
            "pods: 5 more are needed, 2 of 3 are left",
            "requests.memory",
        ),
    ),
    "quota that wants sizes": (
        "ResourceQuota",
        {"spec": {"hard": {"limits.cpu": "100"}}},
        ("must specify limits.cpu", "says the API server of pods of task, database"),
    ),
    "limit range": (
        "LimitRange",
        {"spec": {"limits": [{"type": "Container", "max": {"memory": "100Mi"}}]}},
        ("maximum memory usage per Container is 100Mi",),
    ),
}


@pytest.mark.parametrize(("kind", "wall", "parts"), WALLS.values(), ids=WALLS.keys())
def test_what_the_namespace_does_not_admit_is_known_before_anything_is_written(
    place: Driver, kube: Kube, audit: Audit, kind: str, wall: dict[str, Any], parts: tuple[str, ...]
) -> None:
    with there(kube, kind, "wall", **wall):
        position = audit.position()
        for module in (MODULE, "dataops_service"):
            message = place.refused(module)
            assert [part for part in parts if part not in message] == []
        assert audit.writes_since(position, PLACE) == []


def test_missing_rights_are_named_verb_by_verb(place: Driver, kube: Kube) -> None:
    viewer = Driver(common={**place.common, **granted(kube, PLACE, "viewer", "view")})
    message = viewer.refused(MODULE, region="mars")
    for part in ("the region mars is not known", "create deployments.apps", "patch statefulsets.apps", "list secrets"):
        assert part in message


def test_who_sees_only_the_namespace_is_told_what_was_not_looked_at(place: Driver, kube: Kube) -> None:
    admin = Driver(common={**place.common, **granted(kube, PLACE, "admin", "admin")})
    looked = admin.run(MODULE)
    assert not looked.failed, looked.message
    unseen = {item["check"] for item in looked["findings"] if item["status"] == "not_checked"}
    assert {"capacity", "ingress controller", "host in other namespaces", "storage class"} <= unseen


def test_trials_pass_and_leave_nothing(place: Driver, kube: Kube, git: GitServer) -> None:
    git.push("public/preflight.git", dag_id="preflight", text="hello")
    before = inside(kube)
    repository = {"repo": f"{IN_CLUSTER_GIT}/public/preflight.git", "subdir": "dags"}
    looked = place.run(MODULE, test_storage=True, test_images=True, test_connections=True, git_sync=repository)
    assert not looked.failed, looked.message
    assert "wrote, renamed and read" in found(looked, "storage test")[0]["found"]
    assert len(found(looked, "image test")) == 2
    assert "can be read" in found(looked, "connection test")[0]["found"]
    assert inside(kube) == before


def test_trials_that_fail_say_why_and_leave_nothing(place: Driver, kube: Kube) -> None:
    before = inside(kube)
    with there(kube, "StorageClass", "nobody", provisioner="example.com/nobody"):
        repository = {"repo": f"{IN_CLUSTER_GIT}/public/nowhere.git"}
        message = place.refused(
            MODULE, storage_class="nobody", git_sync=repository, test_storage=True, test_connections=True
        )
    assert "storage_class: nobody does not serve two pods at once" in message
    assert "git_sync" in message and "could not be read" in message
    assert inside(kube) == before


def test_an_image_that_cannot_be_pulled(place: Driver, kube: Kube) -> None:
    before = inside(kube)
    registry = MANAGER["image_registry"]
    # The console's own image is not there either.
    assert not Driver().run("dataops_manager", name=PLACE, image_registry=f"{registry}/nowhere", wait=False).failed
    try:
        message = place.refused(MODULE, test_images=True)
    finally:
        Driver().run("dataops_manager", name=PLACE, image_registry=registry)
    assert f"{registry}/nowhere/apache/airflow:3.3.2 cannot be had" in message
    assert inside(kube) == before


def test_check_mode_makes_no_trial(place: Driver, audit: Audit) -> None:
    position = audit.position()
    looked = place.run(MODULE, check=True, test_storage=True)
    assert [item["status"] for item in found(looked, "storage test")] == ["not_checked"]
    assert audit.writes_since(position, PLACE) == []
