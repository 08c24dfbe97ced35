# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed, at whichever of its writes: the next run of the same task finishes what it began."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import secrets
from ansible_collections.scp.dataops.plugins.module_utils.common import owner
from ansible_collections.scp.dataops.plugins.module_utils.kube.lease import DURATION_SECONDS
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref
from ansible_collections.scp.dataops.plugins.module_utils.manager import manager

from .fake_kube import FakeKube, cluster_object
from .killing import Killed, killed_after
from .runs import NAMESPACE, cluster, cluster_with_service, remove, remove_manager, run, run_manager

Run = Callable[[FakeKube], object]
BOTH = "CeleryExecutor,KubernetesExecutor"
GIT = {"repo": "https://git.example.com/team/dags.git", "username": "deploy", "password": "SENTINEL-token"}


def final(kube: FakeKube) -> dict[Ref, Manifest]:
    """What is there, except who holds a lock that he let go of."""
    return {ref: item for ref, item in kube.state().items() if ref.kind != "Lease"}


@pytest.fixture
def same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clusters can be compared when their random values are the same."""
    monkeypatch.setattr(secrets.secrets, "token_bytes", lambda length: b"x" * length)
    monkeypatch.setattr(secrets.secrets, "token_urlsafe", lambda length: "y" * length)
    for module in (secrets, manager):
        monkeypatch.setattr(module, "new_password", lambda: "Made-once1!")


def no_service() -> FakeKube:
    return cluster()


def plain() -> FakeKube:
    return cluster_with_service()


def rich() -> FakeKube:
    return cluster_with_service(git_sync=GIT, web_server={"replicas": 2}, account={"id": "operator"})


def celery() -> FakeKube:
    return cluster_with_service(executor="CeleryExecutor", flower={"enabled": True})


def uploaded() -> FakeKube:
    """A service for which the Manager has published plugins and libraries since."""
    kube = plain()
    data = {"_all": json.dumps({"plugins": "p1", "requirements": "r1"})}
    kube.put(cluster_object("ConfigMap", owner.PUBLISHED, metadata={"namespace": NAMESPACE}, data=data))
    return kube


def older() -> FakeKube:
    return cluster_with_service(version="2.11")


def stopped() -> FakeKube:
    kube = plain()
    run(kube, state="stopped")
    kube.forget()
    return kube


def nothing() -> FakeKube:
    return FakeKube()


TASKS: dict[str, tuple[Callable[[], FakeKube], Run]] = {
    "create": (no_service, lambda kube: run(kube, git_sync=GIT, web_server={"replicas": 2})),
    "describe": (plain, lambda kube: run(kube, description="other")),
    "grow": (plain, lambda kube: run(kube, worker={"cpu": "2"}, scheduler={"memory": "3Gi", "replicas": 2})),
    "get a repository": (plain, lambda kube: run(kube, git_sync=GIT)),
    "leave everything": (
        rich,
        lambda kube: run(kube, git_sync={}, web_server={"replicas": 1}, account={"id": "admin1"}),
    ),
    "move": (plain, lambda kube: run(kube, domain="other.example.com", node_selector={"pool": "dataops"})),
    "new password": (plain, lambda kube: run(kube, account={"password": "Another-One1!"})),
    "add an executor": (plain, lambda kube: run(kube, executor=BOTH)),
    "change the executor": (plain, lambda kube: run(kube, executor="CeleryExecutor")),
    "take an executor away": (celery, lambda kube: run(kube, executor="KubernetesExecutor", flower={})),
    "use uploaded files": (uploaded, run),
    "upgrade": (older, lambda kube: run(kube, version="3.3")),
    "stop": (plain, lambda kube: run(kube, state="stopped")),
    "start": (stopped, run),
    "start with other settings": (stopped, lambda kube: run(kube, git_sync=GIT, scheduler={"replicas": 2})),
    "remove": (rich, remove),
    "purge": (rich, lambda kube: remove(kube, purge=True)),
    "create a Manager": (nothing, lambda kube: run_manager(kube, domain="example.com")),
    "change a Manager": (cluster, lambda kube: run_manager(kube, description="other", account={"id": "operator"})),
    "remove a Manager": (cluster, remove_manager),
    "purge a Manager": (cluster, lambda kube: remove_manager(kube, purge=True)),
}


@pytest.mark.usefixtures("same_keys")
@pytest.mark.parametrize(("before", "task"), TASKS.values(), ids=TASKS.keys())
def test_the_next_run_finishes(before: Callable[[], FakeKube], task: Run) -> None:
    undisturbed = before()
    task(undisturbed)
    for writes in itertools.count():
        kube = before()
        try:
            with killed_after(kube, writes):
                task(kube)
            break
        except Killed:
            kube.pass_time(DURATION_SECONDS + 1)
        task(kube)
        assert final(kube) == final(undisturbed), f"killed after {writes} writes"
        kube.forget()
        task(kube)
        assert kube.writes == [], f"killed after {writes} writes, a third run still writes"
    assert writes > 2


def test_a_secret_that_was_made_is_kept() -> None:
    """With random values this time: what a killed run made may be in use already."""
    for writes in itertools.count():
        kube = cluster()
        try:
            with killed_after(kube, writes):
                run(kube)
            break
        except Killed:
            kube.pass_time(DURATION_SECONDS + 1)
        made = {ref: item["data"] for ref, item in kube.state().items() if ref.kind == "Secret"}
        run(kube)
        assert made == {ref: kube.find(*ref_parts(ref))["data"] for ref in made}


def ref_parts(ref: Ref) -> tuple[str, str, str]:
    return ref.kind, ref.name, ref.namespace


def test_a_task_that_names_nothing_finishes_too() -> None:
    """Who finishes need not know what the killed run was asked for: from its first write on, the record does."""
    kube = plain()
    with pytest.raises(Killed), killed_after(kube, 3):
        run(kube, host_aliases=[{"ip": "10.0.0.5", "hostnames": ["db"]}])
    kube.pass_time(DURATION_SECONDS + 1)
    outcome = run(kube)
    assert set(outcome.restarted) == {"web-server", "scheduler", "dag-processor", "triggerer"}
    assert any("took over from" in line for line in outcome.timeline)
    assert "Lease/etl-lock" not in kube.refs(NAMESPACE)
