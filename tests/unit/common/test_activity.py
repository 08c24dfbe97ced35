# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who changed what: each changing run leaves one entry, whatever it did and however it ended, and no other run does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import service
from ansible_collections.scp.dataops.plugins.module_utils.common import activity
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By, Deed, Entry
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Ref
from ansible_collections.scp.dataops.plugins.module_utils.kube.plan import Change

from ..fake_kube import FakeKube
from ..runs import (
    NAMESPACE,
    cluster,
    cluster_with_service,
    remove,
    run,
    run_manager,
    service_request,
)

Run = Callable[[FakeKube], object]
PATCH = f"patch ConfigMap/{activity.NAME}"
GIT = {"repo": "https://git.example.com/dags.git", "username": "u", "password": "SENTINEL-token"}


def entries(kube: FakeKube) -> list[Entry]:
    return activity.read(kube.get("ConfigMap", activity.NAME, NAMESPACE))


def stopped() -> FakeKube:
    kube = cluster_with_service()
    kube.pass_time(1)
    run(kube, state="stopped")
    return kube


def older() -> FakeKube:
    return cluster_with_service(version="2.11")


DEEDS: dict[str, tuple[Callable[[], FakeKube], Run, str, str, tuple[str, ...]]] = {
    "create": (cluster, lambda kube: run(kube, git_sync=GIT, worker={"cpu": "1"}), "service etl", "create",
               ("git_sync.repo", "git_sync.username", "worker.cpu")),
    "describe": (cluster_with_service, lambda kube: run(kube, description="SENTINEL"), "service etl", "change",
                 ("description",)),
    "a password": (cluster_with_service, lambda kube: run(kube, account={"password": "SENTINEL-One1!"}),
                   "service etl", "change", ()),
    "a setting": (cluster_with_service, lambda kube: run(kube, config={"core": {"parallelism": 64}}), "service etl",
                  "change", ("config.core.parallelism",)),
    "stop": (cluster_with_service, lambda kube: run(kube, state="stopped"), "service etl", "stop", ()),
    "start": (stopped, run, "service etl", "start", ()),
    "restart": (cluster_with_service, lambda kube: run(kube, state="restarted"), "service etl", "restart", ()),
    "upgrade": (older, lambda kube: run(kube, version="3.3"), "service etl", "upgrade", ("version",)),
    "remove": (cluster_with_service, remove, "service etl", "remove", ()),
    "create a Manager": (FakeKube, lambda kube: run_manager(kube, domain="example.com"), "Manager analytics",
                         "create", ("domain",)),
    "change a Manager": (cluster, lambda kube: run_manager(kube, default_settings={"size": "small"}),
                         "Manager analytics", "change", ("default_settings.size",)),
}  # fmt: skip


@pytest.mark.parametrize(("before", "task", "target", "verb", "options"), DEEDS.values(), ids=DEEDS.keys())
def test_one_entry_by_one_write(
    before: Callable[[], FakeKube], task: Run, target: str, verb: str, options: tuple[str, ...]
) -> None:
    kube = before()
    kube.pass_time(1)
    kube.forget()
    task(kube)
    entry = entries(kube)[0]
    assert (entry.target, entry.verb, entry.options) == (target, verb, options)
    assert (entry.when, entry.result, entry.reason) == (kube.clock.strftime("%Y-%m-%dT%H:%M:%SZ"), "done", "")
    assert entry.door == "playbook"
    assert "@" in entry.name
    assert entry.actions
    assert kube.told == [PATCH]
    assert "SENTINEL" not in json.dumps(kube.find("ConfigMap", activity.NAME, NAMESPACE))


def _refused(kube: FakeKube) -> None:
    with pytest.raises(Refused):
        run(kube, node_selector={"pool": "nowhere"})


QUIET: dict[str, Run] = {
    "unchanged": run,
    "check mode": lambda kube: run(kube, check_mode=True, description="other"),
    "check mode of a removal": lambda kube: remove(kube, check_mode=True),
    "unchanged Manager": run_manager,
    "refused": _refused,
    "removed twice": lambda kube: [remove(kube, name="other"), remove(kube, name="other")],
}


@pytest.mark.parametrize("task", QUIET.values(), ids=QUIET.keys())
def test_who_changes_nothing_leaves_no_entry(task: Run) -> None:
    kube = cluster_with_service()
    task(kube)
    assert kube.told == []


def test_who_did_it() -> None:
    kube = cluster()
    kube.pass_time(1)
    request = service_request(by=By("console", "kim"))
    service.apply(kube, request)
    assert (entries(kube)[0].door, entries(kube)[0].name) == ("console", "kim")


def test_a_run_that_failed_says_why() -> None:
    kube = cluster_with_service()
    kube.pass_time(1)
    kube.failing = {"git-check"}
    with pytest.raises(DataOpsError):
        run(kube, git_sync=GIT)
    entry = entries(kube)[0]
    assert (entry.verb, entry.result) == ("change", "failed")
    assert entry.reason.startswith("git_sync: the repository could not be read: ")
    assert "\n" not in entry.reason


NOT_WRITTEN: dict[str, Callable[[FakeKube], None]] = {
    "no right": lambda kube: kube.forbid("patch", "ConfigMap", NAMESPACE),
    "a Manager of an earlier release": lambda kube: kube.remove("ConfigMap", activity.NAME, NAMESPACE),
}


@pytest.mark.parametrize("hinder", NOT_WRITTEN.values(), ids=NOT_WRITTEN.keys())
def test_that_it_cannot_be_written_fails_nothing(hinder: Callable[[FakeKube], None]) -> None:
    kube = cluster_with_service()
    hinder(kube)
    changed = remove(kube)
    assert changed.changes
    assert activity.NAME not in str(kube.log)


def test_old_entries_go_in_batches() -> None:
    kube = cluster()
    changes = [Change("update", Ref("ConfigMap", "x"))]
    for number in range(activity.KEPT + activity.BATCH):
        kube.pass_time(1)
        with activity.told(kube, NAMESPACE, Deed(By("api", "x"), f"service s{number}", "change", changes=changes)):
            pass
    found = entries(kube)
    assert len(found) == activity.KEPT
    assert found[0].target == f"service s{activity.KEPT + activity.BATCH - 1}"
    # One write each, and one more in as many runs as a batch has entries.
    assert len(kube.told) == activity.KEPT + activity.BATCH + 1


def test_a_full_list_of_long_entries_fits_into_a_config_map() -> None:
    kube = cluster()
    changes = [Change("update", Ref("PersistentVolumeClaim", f"{'x' * 50}-{number}")) for number in range(40)]
    options = [f"environment.all.{'X' * 50}_{number}" for number in range(40)]
    kube.pass_time(1)
    deed = Deed(By("playbook", "y" * 8000), f"service {'z' * 30}", "change", options, changes, ["web-server"] * 6)
    with pytest.raises(Refused), activity.told(kube, NAMESPACE, deed):
        raise Refused("w" * 5000)
    entry = entries(kube)[0]
    assert entry.actions[-1] == "and 32 more"
    assert entry.reason.endswith("…")
    longest = max(len(line) for line in kube.find("ConfigMap", activity.NAME, NAMESPACE)["data"].values())
    assert longest * (activity.KEPT + activity.BATCH) < 1024 * 1024 * 0.95


def test_what_a_later_release_wrote_is_read_as_far_as_it_is_known() -> None:
    line = {"when": "2026-01-02T00:00:00Z", "door": "api", "name": "x", "target": "service etl", "verb": "tune"}
    found = {"data": {"2026-01-02": json.dumps({**line, "colour": "blue"}), "2026-01-03": json.dumps(line)}}
    assert [entry.verb for entry in activity.read(found)] == ["tune", "tune"]
    assert activity.read(None) == []


NAMES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "nothing": ({"a": 1}, {"a": 1}, []),
    "new": ({}, {"git_sync": {"repo": "x"}}, ["git_sync.repo"]),
    "gone": ({"worker": {"cpu": "1", "memory": "1Gi"}}, {}, ["worker.cpu", "worker.memory"]),
    "another": ({"worker": {"cpu": "1", "memory": "1Gi"}}, {"worker": {"cpu": "2", "memory": "1Gi"}}, ["worker.cpu"]),
    "a list is one": ({"host_aliases": [{"ip": "x"}]}, {"host_aliases": []}, ["host_aliases"]),
    "another kind of value": ({"x": "a"}, {"x": {"b": 1}}, ["x"]),
}


@pytest.mark.parametrize(("before", "after", "expected"), NAMES.values(), ids=NAMES.keys())
def test_names_of_changes(before: dict[str, Any], after: dict[str, Any], expected: list[str]) -> None:
    assert list(activity.names_of_changes(before, after)) == expected
