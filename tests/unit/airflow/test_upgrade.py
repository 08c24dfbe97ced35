# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade: refused where there is none, in an order in which nothing is lost, and taken back when it fails."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotReady, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.lease import DURATION_SECONDS
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref

from ..fake_kube import FakeKube
from ..killing import Killed, killed_after
from ..runs import NAMESPACE, cluster_with_service, done, run

COMPONENTS = ["web-server", "scheduler", "dag-processor", "triggerer"]


def image_of(kube: FakeKube, component: str) -> str:
    deployment = kube.find("Deployment", f"etl-{component}", NAMESPACE)
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def order(writes: list[str], *wanted: str) -> list[str]:
    """Which of ``wanted`` was written, in the order of the first time."""
    return list(dict.fromkeys(name for line in writes for name in wanted if name in line))


def test_nothing_runs_while_the_database_is_copied_and_migrated() -> None:
    kube = cluster_with_service(version="2.11")
    outcome = run(kube, version="3.3")
    stop = ("patch Deployment/etl-scheduler", "patch Deployment/etl-web-server")
    steps = (*stop, "apply Job/etl-copy", "apply Job/etl-migration", "apply Deployment/etl-scheduler")
    assert order(kube.writes, *steps) == list(steps)
    assert list(outcome.restarted) == COMPONENTS
    assert {image_of(kube, name) for name in COMPONENTS} == {"apache/airflow:3.3.2"}
    assert "PersistentVolumeClaim/etl-copies" in kube.refs(NAMESPACE)


def test_check_mode_says_what_the_upgrade_does() -> None:
    kube = cluster_with_service(version="2.11")
    predicted = run(kube, version="3.3", check_mode=True)
    assert kube.writes == []
    real = run(kube, version="3.3")
    assert (done(predicted), predicted.restarted) == (done(real), real.restarted)
    assert done(run(kube, version="3.3")) == []


def test_the_copy_stays_with_the_data() -> None:
    kube = cluster_with_service(version="2.11")
    run(kube, version="3.3")
    assert done(run(kube)) == []
    assert "PersistentVolumeClaim/etl-copies" in kube.refs(NAMESPACE)


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "back": (
        "3.3",
        {"version": "2.11"},
        "version: Airflow 3.3 cannot become 2.11. Leave it out; no newer version is supported yet.",
    ),
    "while stopped": (
        "2.11",
        {"version": "3.3", "state": "stopped"},
        "version: an upgrade from 2.11 to 3.3 has to start the service. "
        "Use state: present, and stop the service afterwards.",
    ),
}


@pytest.mark.parametrize(("before", "change", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(before: str, change: dict[str, Any], sentence: str) -> None:
    kube = cluster_with_service(version=before)
    with pytest.raises(Refused) as caught:
        run(kube, **change)
    assert str(caught.value) == sentence
    assert kube.writes == []


def test_a_service_keeps_its_version_unless_another_is_asked_for() -> None:
    kube = cluster_with_service(version="2.11")
    outcome = run(kube, version="", description="other")
    assert outcome.details["version"].startswith("2.11.")
    assert outcome.restarted == ()


def as_made(state: dict[Ref, Manifest]) -> dict[Ref, Manifest]:
    """Without what the new version leaves behind on purpose, and what is counted."""
    kept = {ref: item for ref, item in state.items() if ref.name != "etl-copies" and ref.kind != "Lease"}
    return {ref: {key: value for key, value in item.items() if key != "status"} for ref, item in kept.items()}


def sick(kube: FakeKube) -> None:
    kube.health = dict.fromkeys(kube.health or {}, "unhealthy")


FAILURES: dict[str, Callable[[FakeKube], None]] = {
    "migration": lambda kube: kube.failing.add("migration"),
    "health of the new version": sick,
}


@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES.keys())
def test_what_fails_is_taken_back(fail: Callable[[FakeKube], None]) -> None:
    kube = cluster_with_service(version="2.11")
    before = as_made(kube.state())
    fail(kube)
    with pytest.raises(NotReady, match=r"^upgrade of service etl to Airflow 3\.3: (.|\n)*2\.11 runs again"):
        run(kube, version="3.3", timeout=1.2)
    kube.failing.clear()
    assert as_made(kube.state()) == before
    assert done(run(kube)) == []


def migration_began(kube: FakeKube) -> bool:
    """Whether there is a Job of the new version; that of the old one has another name."""
    return sum(name.startswith("Job/etl-migration") for name in kube.refs(NAMESPACE)) > 1


def upgraded(kube: FakeKube) -> bool:
    """All is done but letting the lock go."""
    return "delete Secret/etl-former" in kube.writes


def test_a_run_after_a_killed_one_that_fails_goes_all_the_way_back() -> None:
    """Whatever the killed run had done: the database is put back, what ran runs, and the next attempt begins anew."""
    ways_back: set[bool] = set()
    for writes in itertools.count(1):
        kube = cluster_with_service(version="2.11")
        before = as_made(kube.state())
        try:
            with killed_after(kube, writes):
                run(kube, version="3.3")
            break
        except Killed:
            kube.pass_time(DURATION_SECONDS + 1)
        if upgraded(kube):
            break
        kube.forget()
        began, healthy = migration_began(kube), kube.health
        sick(kube)
        with pytest.raises(NotReady) as caught:
            run(kube, version="3.3", timeout=0.9)
        assert "2.11 runs again" in str(caught.value)
        ways_back.add(began)
        assert kube.writes.count("apply Job/etl-copy") == (1 if began else 2), f"after {writes} writes"
        assert as_made(kube.state()) == before, f"after {writes} writes"
        kube.health = healthy
        run(kube, version="3.3")
        assert {image_of(kube, name) for name in COMPONENTS} == {"apache/airflow:3.3.2"}
    assert ways_back == {False, True}


def test_a_migration_that_began_is_no_reason_for_another_copy() -> None:
    kube = cluster_with_service(version="2.11")
    planned = run(kube, version="3.3", check_mode=True)
    job = next(change.desired for change in planned.changes if "migration" in change.ref.name and change.desired)
    kube.put({**job, "status": {"conditions": [{"type": "Failed", "status": "True"}]}})
    run(kube, version="3.3")
    assert [line for line in kube.writes if "etl-copy" in line and "apply" in line] == []
