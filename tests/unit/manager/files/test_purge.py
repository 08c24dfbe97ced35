# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was uploaded for one service goes with its purge, and with nothing less: by the module and the real console."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common import activity, owner
from ansible_collections.scp.dataops.plugins.module_utils.errors import Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.lease import DURATION_SECONDS
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Ref
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import sending
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import Key
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.remote import RemoteStore
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.store import Store

from ...fake_kube import FakeKube
from ...killing import Killed, killed_after
from ...modules.running import Result, Run, runner
from ...runs import MANAGER, NAMESPACE, cluster, remove, remove_manager
from ...runs import run as run_service
from .building import used
from .served import CONSOLE, KEYS, Proxy, console

WHERE = {"manager": MANAGER, "namespace": NAMESPACE}
GONE = ["delete Upload/plugin/menu.py", "delete Upload/shared/rates.csv"]
OF_ALL = Key("plugin", "", "lineage")
Removal = Callable[..., Result]


@pytest.fixture
def kube() -> FakeKube:
    """A cluster with two services."""
    found = cluster()
    run_service(found)
    run_service(found, "web")
    return found


@pytest.fixture
def proxy(tmp_path: Path, kube: FakeKube, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with console(tmp_path, kube, monkeypatch) as found:
        yield found


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "pause", lambda seconds: None)


@pytest.fixture
def run(kube: FakeKube, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Modules, after files were uploaded for one service, for the other one, and for all."""
    found = runner(monkeypatch, capsys, kube)
    for kind, name, service in (
        ("plugin", "lineage.py", ""),
        ("plugin", "menu.py", "etl"),
        ("shared", "rates.csv", "etl"),
        ("shared", "rates.csv", "web"),
    ):
        done = found("dataops_upload", **WHERE, kind=kind, name=name, service=service, content="A = 1\n")
        assert done.get("failed") is not True, done
    kube.forget()
    return found


@pytest.fixture
def removal(run: Run) -> Removal:
    return lambda **options: run("dataops_service", **WHERE, name="etl", state="absent", **options)


def uploads(run: Run) -> list[tuple[str, str, str]]:
    found = run("dataops_upload_info", **WHERE)["uploads"]
    return [(each["kind"], each["name"], each["service"]) for each in found]


def published(kube: FakeKube) -> dict[str, Any]:
    found = kube.get("ConfigMap", owner.PUBLISHED, NAMESPACE)
    return {name: json.loads(text) for name, text in (found or {})["data"].items()}


def told(kube: FakeKube) -> list[tuple[str, str, int]]:
    """Of removals: what of, how they ended, and how many objects they named, those left out of the list included."""
    found = activity.read(kube.get("ConfigMap", activity.NAME, NAMESPACE))
    return [(entry.target, entry.result, named(entry.actions)) for entry in found if entry.verb == "remove"]


def named(actions: Sequence[str]) -> int:
    more = re.fullmatch(r"and (\d+) more", actions[-1])
    return len(actions) + (int(more[1]) - 1 if more else 0)


def objects(kube: FakeKube) -> list[str]:
    """Of the service, except a lock that a killed run has left."""
    return [str(ref) for ref in kube.state() if ref.name.startswith("etl-") and ref.kind != "Lease"]


def test_it_is_foretold_done_and_not_done_again(run: Run, removal: Removal, kube: FakeKube, tmp_path: Path) -> None:
    assert published(kube).keys() == {"_all", "etl"}
    foretold = removal(purge=True, check=True, diff=True)
    assert kube.writes == [] and ("plugin", "menu.py", "etl") in uploads(run)
    done = removal(purge=True, diff=True)
    same = ("changed", "actions", "kept", "diff")
    assert {key: done[key] for key in same} == {key: foretold[key] for key in same}
    assert done["actions"][-2:] == GONE
    assert "plugin 'menu.py' of service etl" in done["diff"]["before"]
    assert uploads(run) == [("plugin", "lineage.py", ""), ("shared", "rates.csv", "web")]
    assert published(kube).keys() == {"_all"}
    assert [folder.name for folder in (tmp_path / "files" / "shared").iterdir()] == ["web"]
    assert told(kube) == [("service etl", "done", len(done["actions"]))]

    kube.forget()
    again = removal(purge=True)
    assert (again["changed"], again["actions"], kube.writes) == (False, [], [])


def test_a_service_of_that_name_begins_without_them(removal: Removal, kube: FakeKube, tmp_path: Path) -> None:
    removal(purge=True)
    run_service(kube)
    scheduler = json.dumps(kube.find("Deployment", "etl-scheduler", NAMESPACE))
    assert published(kube)["_all"]["plugins"] in scheduler
    store = Store(tmp_path / "files")
    store.refresh("etl")
    assert list((tmp_path / "files" / "shared" / "etl").iterdir()) == []


def test_a_removal_without_purge_keeps_them_and_asks_nobody(
    run: Run, removal: Removal, proxy: Proxy, kube: FakeKube
) -> None:
    before, generations = uploads(run), published(kube)
    proxy.asked.clear()
    done = removal()
    assert done["changed"] is True and proxy.asked == []
    assert not any("Upload" in line for line in [*done["actions"], *done["kept"]])
    assert (uploads(run), published(kube)) == (before, generations)
    run_service(kube)
    assert generations["etl"]["plugins"] in json.dumps(kube.find("Deployment", "etl-scheduler", NAMESPACE))
    removal()
    assert removal(purge=True, check=True)["actions"][-2:] == GONE


def test_a_console_that_does_not_answer_is_in_the_way_before_anything_is_deleted(
    removal: Removal, proxy: Proxy, kube: FakeKube
) -> None:
    for check in (True, False):
        proxy.losses += [503] * 12
        done = removal(purge=True, check=check)
        assert done["msg"] == (
            f"console of Manager {MANAGER}: it does not answer (status 503), so files that were uploaded for service "
            f"etl cannot be removed. Nothing was changed. Look at Deployment {CONSOLE}, then run this again; a removal "
            "without purge does not need it."
        )
    assert kube.writes == []


def test_a_console_that_goes_away_meanwhile_is_told_and_the_next_run_finishes(
    run: Run, removal: Removal, proxy: Proxy, kube: FakeKube
) -> None:
    proxy.losses += [0, *[503] * 12]
    done = removal(purge=True)
    assert "(service etl is removed, the files that were uploaded for it are not)" in done["msg"]
    assert "Then run this again: it removes what is left" in done["msg"]
    assert objects(kube) == [] and ("plugin", "menu.py", "etl") in uploads(run)
    assert [result for _target, result, _actions in told(kube)] == ["failed"]
    assert removal(purge=True)["actions"] == GONE
    assert ("plugin", "menu.py", "etl") not in uploads(run)


def test_a_manager_without_a_console_cannot_remove_them_and_says_so(kube: FakeKube) -> None:
    kube.delete("Secret", KEYS, NAMESPACE)
    done = remove(kube, purge=True, store=RemoteStore(kube, NAMESPACE, MANAGER))
    assert objects(kube) == []
    assert done.warnings == (
        f"Manager {MANAGER} has no console: "
        f"files that were uploaded for service etl, if any, stay on volume {owner.FILES}.",
    )


def test_without_a_manager_only_a_volume_is_worth_a_word(kube: FakeKube) -> None:
    for name in ("etl", "web"):
        remove(kube, name)
    remove_manager(kube)
    (warning,) = remove(kube, purge=True).warnings
    assert warning.endswith(f"stay on volume {owner.FILES}.")
    kube.delete("PersistentVolumeClaim", owner.FILES, NAMESPACE)
    assert remove(kube, "web", purge=True).warnings == ()


def test_who_publishes_is_not_disturbed(removal: Removal, kube: FakeKube) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "ansible_collections.scp.dataops.plugins.module_utils.common.lock.held", refused_to_all("dataops-manager")
        )
        done = removal(purge=True)
    assert done["msg"].startswith("dataops-manager-lock: somebody publishes.")
    assert kube.writes == []


def refused_to_all(start: str) -> Callable[..., Any]:
    def held(kube: FakeKube, ref: Ref, *what: Any, **how: Any) -> Any:
        assert ref.name.startswith(start), f"{ref.name} is taken before that of the Manager"
        raise Refused("somebody publishes", where=ref.name)

    return held


def test_a_purge_that_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    def prepared(name: str) -> tuple[FakeKube, Store]:
        kube, store = cluster(), Store(tmp_path / name)
        run_service(kube)
        used(store, "shared", "etl", "rates.csv", {"rates.csv": b"1"})
        used(store, "plugin", "etl", "menu.py", {"menu.py": b"A = 1\n"})
        used(store, OF_ALL.kind, OF_ALL.scope, OF_ALL.name, {"lineage.py": b"A = 1\n"})
        data = {name: json.dumps({"plugins": name, "requirements": ""}) for name in ("_all", "etl")}
        metadata = {"name": owner.PUBLISHED, "namespace": NAMESPACE}
        kube.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        return kube, store

    for writes in itertools.count():
        kube, store = prepared(str(writes))
        try:
            with killed_after(kube, writes):
                remove(kube, purge=True, store=store)
            break
        except Killed:
            kube.pass_time(DURATION_SECONDS + 1)
        remove(kube, purge=True, store=store)
        assert (objects(kube), published(kube).keys()) == ([], {"_all"}), f"killed after {writes} writes"
        assert [upload.key for upload in store.catalog()] == [OF_ALL], f"killed after {writes} writes"
        kube.forget()
        assert remove(kube, purge=True, store=store).changes == ()
        assert kube.writes == [], f"killed after {writes} writes, a third run still writes"
    assert writes > 10
