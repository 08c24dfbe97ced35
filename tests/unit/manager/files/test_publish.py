# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing: proven everywhere first, then written down, then rolled out; and what is left when something fails."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common import activity, owner
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotReady, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.lease import DURATION_SECONDS
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import Entry, Key
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.publish import (
    Publication,
    Published,
    publish,
    standing_of,
)
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.store import Store

from ...fake_kube import FakeKube
from ...killing import Killed, killed_after
from ...runs import MANAGER, NAMESPACE, cluster, done, remove, remove_manager, run, run_manager

ANNA = By("playbook", "anna@host")
STANDING = ["web-server", "scheduler", "dag-processor", "triggerer"]
BOTH = [f"{service}/{part}" for service in ("etl", "web") for part in STANDING]


class Uploads:
    """A store on a volume, and who stages files and publishes them."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)

    def stage(self, kind: str, text: str, *, scope: str = "", name: str = "one", path: str = "one.py") -> Publication:
        content = text.encode()
        sha256 = hashlib.sha256(content).hexdigest()
        if self.store.missing([sha256]):
            self.store.write(sha256, len(content), 0, io.BytesIO(content))
        version = self.store.stage(kind, scope, name, by="anna", entries=[Entry(path, sha256, len(content))])
        return wish(Key(kind, scope, name), version.version)

    def plugin(self, text: str, **where: str) -> Publication:
        return self.stage("plugin", text, **where)

    def library(self, text: str, **where: str) -> Publication:
        return self.stage("library", text, path="requirements.txt", **where)

    def publish(self, kube: FakeKube, what: Publication) -> Published:
        return publish(kube, self.store, what)

    def active(self) -> dict[str, int | None]:
        return {str(item.key): item.active.version if item.active else None for item in self.store.catalog()}


def wish(key: Key, version: int | None, **how: Any) -> Publication:
    return Publication(key=key, version=version, manager=MANAGER, namespace=NAMESPACE, by=ANNA, **how)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path)


@pytest.fixture
def kube() -> FakeKube:
    return two_services()


def two_services() -> FakeKube:
    made = cluster()
    for name in ("etl", "web"):
        run(made, name)
    made.forget()
    return made


def written(kube: FakeKube) -> dict[str, Any]:
    found = kube.get("ConfigMap", owner.PUBLISHED, NAMESPACE)
    return {name: json.loads(text) for name, text in (found or {}).get("data", {}).items()}


def mounted(kube: FakeKube, service: str, path: str = "/opt/airflow/plugins") -> str:
    """The generation that a service's scheduler mounts."""
    pod = kube.find("Deployment", f"{service}-scheduler", NAMESPACE)["spec"]["template"]["spec"]
    found = [item["subPath"] for item in pod["containers"][0]["volumeMounts"] if item["mountPath"] == path]
    return found[0].rpartition("/")[2] if found else ""


def order(kube: FakeKube) -> list[str]:
    """What was written, in order, without what is written together; Jobs without what they are made of."""
    lines = [line.rpartition("-")[0] if " Job/" in line else line for line in kube.writes]
    wanted = ("Job/", f"ConfigMap/{owner.PUBLISHED}", "scheduler")
    return [line for line in lines if any(word in line for word in wanted)]


def test_proven_everywhere_then_written_down_then_rolled_out(kube: FakeKube, uploads: Uploads) -> None:
    outcome = uploads.publish(kube, uploads.plugin("A = 1\n"))
    assert order(kube) == [
        "apply Job/etl-plugins",
        "apply Job/web-plugins",
        f"apply ConfigMap/{owner.PUBLISHED}",
        "apply Deployment/etl-scheduler",
        "apply Deployment/web-scheduler",
    ]
    assert list(outcome.restarted) == BOTH
    (entry,) = written(kube).items()
    assert entry == ("_all", {"plugins": mounted(kube, "etl"), "requirements": ""})
    assert mounted(kube, "etl") == mounted(kube, "web") != ""
    assert uploads.active() == {"plugin 'one' of all services": 1}
    assert "Lease/dataops-manager-lock" not in kube.refs(NAMESPACE)


def test_again_changes_nothing(kube: FakeKube, uploads: Uploads) -> None:
    what = uploads.plugin("A = 1\n")
    uploads.publish(kube, what)
    kube.forget()
    assert uploads.publish(kube, what).restarted == ()
    assert kube.writes == []


def test_for_one_service(kube: FakeKube, uploads: Uploads) -> None:
    uploads.publish(kube, uploads.plugin("A = 1\n"))
    outcome = uploads.publish(kube, uploads.plugin("B = 1\n", scope="web", name="two", path="two.py"))
    assert list(outcome.restarted) == [f"web/{part}" for part in STANDING]
    assert set(written(kube)) == {"_all", "web"}
    assert mounted(kube, "etl") != mounted(kube, "web")
    # What changes for all changes for it, too.
    assert list(uploads.publish(kube, uploads.plugin("A = 2\n")).restarted) == BOTH
    assert set(written(kube)) == {"_all", "web"}
    uploads.publish(kube, wish(Key("plugin", "web", "two"), None))
    assert set(written(kube)) == {"_all"}
    assert mounted(kube, "etl") == mounted(kube, "web")


def test_back_and_away(kube: FakeKube, uploads: Uploads) -> None:
    first, second = uploads.plugin("A = 1\n"), uploads.plugin("A = 2\n")
    uploads.publish(kube, first)
    old = mounted(kube, "etl")
    uploads.publish(kube, second)
    assert mounted(kube, "etl") != old
    uploads.publish(kube, first)
    assert mounted(kube, "etl") == old
    assert list(uploads.publish(kube, wish(first.key, None)).restarted) == BOTH
    assert mounted(kube, "etl") == ""
    assert uploads.active() == {"plugin 'one' of all services": None}
    kube.forget()
    assert done(run(kube)) == []


def test_libraries_of_an_image(kube: FakeKube, uploads: Uploads) -> None:
    uploads.publish(kube, uploads.library("humanize\n"))
    assert mounted(kube, "etl", "/opt/airflow/libraries") == mounted(kube, "web", "/opt/airflow/libraries") != ""
    assert mounted(kube, "etl") == ""


def test_shared_files_restart_nothing(kube: FakeKube, uploads: Uploads) -> None:
    uploads.store.refresh("etl")
    outcome = uploads.publish(kube, uploads.stage("shared", "1.5\n", path="rates.csv"))
    assert outcome.restarted == ()
    assert kube.writes == []
    assert uploads.active() == {"shared 'one' of all services": 1}


def test_a_stopped_service_is_tried_and_left_stopped(kube: FakeKube, uploads: Uploads) -> None:
    run(kube, "web", state="stopped")
    outcome = uploads.publish(kube, uploads.plugin("A = 1\n"))
    assert list(outcome.restarted) == [f"etl/{part}" for part in STANDING]
    assert outcome.stopped == ("web",)
    assert kube.find("Deployment", "web-scheduler", NAMESPACE)["spec"]["replicas"] == 0
    kube.forget()
    run(kube, "web")
    assert "apply Job/web-plugins" not in order(kube)
    assert mounted(kube, "web") == mounted(kube, "etl")


def test_a_service_that_comes_later_gets_them(kube: FakeKube, uploads: Uploads) -> None:
    uploads.publish(kube, uploads.plugin("A = 1\n"))
    uploads.publish(kube, uploads.plugin("B = 1\n", scope="new", name="two", path="two.py"))
    uploads.publish(kube, uploads.plugin("A = 2\n"))
    run(kube, "later")
    run(kube, "new")
    assert mounted(kube, "later") == mounted(kube, "etl")
    assert mounted(kube, "new") == written(kube)["new"]["plugins"] != mounted(kube, "etl")


def failing_in(kube: FakeKube, service: str) -> Callable[..., Any]:
    """Jobs fail in this service only."""
    apply = kube.apply

    def applied(manifest: Any, **how: Any) -> Any:
        here = manifest["metadata"]["name"].startswith(f"{service}-plugins-")
        kube.failing = {"plugins"} if here else set()
        if here:
            said = json.dumps({"refused": "one.py line 1: NameError: x", "next_step": "Correct it"})
            kube.printed = {manifest["metadata"]["name"]: said}
        return apply(manifest, **how)

    return applied


def test_what_one_service_cannot_load_reaches_none(
    kube: FakeKube, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.publish(kube, uploads.plugin("A = 1\n"))
    before = kube.state()
    with monkeypatch.context() as patched:
        patched.setattr(kube, "apply", failing_in(kube, "web"))
        with pytest.raises(Refused) as raised:
            uploads.publish(kube, uploads.plugin("A = 2\n"))
    assert str(raised.value) == (
        "service web: the plugins cannot be loaded: one.py line 1: NameError: x. Nothing was restarted. Correct it."
    )
    # The trial in the first service was good, and goes with the next run of that service.
    kinds = {ref.name.rpartition("-")[0] for ref in kube.state().keys() ^ before.keys() if ref.kind != "Lease"}
    assert kinds == {"etl-plugins"}
    assert uploads.active() == {"plugin 'one' of all services": 1}
    (entry,) = [item for item in activity.read(kube.get("ConfigMap", activity.NAME, NAMESPACE)) if item.reason]
    assert (entry.verb, entry.target, entry.name) == ("publish", "plugin 'one' of all services", "anna@host")


def test_a_rollout_that_fails_says_who_has_it(
    kube: FakeKube, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = kube.apply

    def applied(manifest: Any, **how: Any) -> Any:
        kube.stuck = {"scheduler"} if manifest["metadata"]["name"] == "web-scheduler" else set()
        return apply(manifest, **how)

    monkeypatch.setattr(kube, "apply", applied)
    what = uploads.plugin("A = 1\n")
    with pytest.raises(NotReady) as raised:
        publish(kube, uploads.store, wish(what.key, what.version, timeout=1))
    assert "(plugin 'one' of all services is published; etl runs with it)" in raised.value.what
    assert raised.value.where == "service web"
    assert "publish the version before it to go back" in raised.value.next_step


SAID: dict[str, tuple[list[str], list[str], str]] = {
    "the first of one": ([], [], "no service runs with it"),
    "the first of two": ([], ["web"], "no service runs with it; web was not touched"),
    "the second of two": (["etl"], [], "etl runs with it"),
    "in the middle": (["a", "b"], ["d", "e"], "a and b run with it; d and e were not touched"),
}


@pytest.mark.parametrize(("have", "left", "expected"), SAID.values(), ids=SAID.keys())
def test_who_has_it(have: list[str], left: list[str], expected: str) -> None:
    assert standing_of(have, left) == expected


def test_check_mode_writes_nothing_and_says_the_same(kube: FakeKube, uploads: Uploads) -> None:
    what = uploads.plugin("A = 1\n")
    outcome = publish(kube, uploads.store, wish(what.key, what.version, check_mode=True))
    assert kube.writes == []
    assert uploads.active() == {"plugin 'one' of all services": None}
    assert outcome.restarted == uploads.publish(kube, what).restarted


def test_one_at_a_time(kube: FakeKube, uploads: Uploads) -> None:
    """The Manager is held from the first trial to the last rollout."""
    held: list[bool] = []
    apply, what = kube.apply, uploads.plugin("A = 1\n")

    def applied(manifest: Any, **how: Any) -> Any:
        held.append("Lease/dataops-manager-lock" in kube.refs(NAMESPACE))
        return apply(manifest, **how)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kube, "apply", applied)
        uploads.publish(kube, what)
    assert held
    assert all(held)


def test_without_a_manager(uploads: Uploads) -> None:
    with pytest.raises(Refused, match="Manager 'analytics' does not exist"):
        uploads.publish(FakeKube(), uploads.plugin("A = 1\n"))


def test_a_killed_run_is_finished_by_the_next(tmp_path: Path) -> None:
    def tried(kube: FakeKube, folder: str) -> Callable[[], Published]:
        uploads = Uploads(tmp_path / folder)
        what = uploads.plugin("A = 1\n")
        return lambda: uploads.publish(kube, what)

    undisturbed = two_services()
    tried(undisturbed, "undisturbed")()
    # At every third write: each of them costs two rollouts.
    for writes in itertools.count(0, 3):
        kube = two_services()
        again = tried(kube, str(writes))
        try:
            with killed_after(kube, writes):
                again()
            break
        except Killed:
            kube.pass_time(DURATION_SECONDS + 1)
        again()
        assert mounted(kube, "etl") == mounted(kube, "web") == mounted(undisturbed, "etl"), writes
        kube.forget()
        again()
        assert kube.writes == [], f"killed after {writes} writes, a third run still writes"
        assert done(run(kube, "etl")) == done(run(kube, "web")) == [], writes
    assert writes > 10


def test_what_is_published_outlives_its_manager_as_the_files_do(kube: FakeKube, uploads: Uploads) -> None:
    uploads.publish(kube, uploads.plugin("A = 1\n"))
    before = written(kube)
    for name in ("etl", "web"):
        remove(kube, name)
    assert f"ConfigMap/{owner.PUBLISHED}" in remove_manager(kube).kept
    run_manager(kube, domain="example.com")
    run(kube)
    assert written(kube) == before
    assert mounted(kube, "etl") == before["_all"]["plugins"]
    remove(kube, purge=True)
    remove_manager(kube, purge=True)
    assert written(kube) == {}


def test_removal_of_a_service_leaves_what_others_use(kube: FakeKube, uploads: Uploads) -> None:
    uploads.publish(kube, uploads.plugin("A = 1\n"))
    remove(kube, "web")
    assert list(uploads.publish(kube, uploads.plugin("A = 2\n")).restarted) == [f"etl/{part}" for part in STANDING]
