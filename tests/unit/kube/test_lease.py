# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time: who gets the Lease, who is refused, who takes over, and who may no longer write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import Conflict, Refused, Unreachable
from ansible_collections.scp.dataops.plugins.module_utils.kube import lease
from ansible_collections.scp.dataops.plugins.module_utils.kube.lease import DURATION_SECONDS, Lease, held
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref

from ..fake_kube import FakeKube

LOCK = Ref("Lease", "etl-lock", "data")
CONFIG: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "etl-config", "namespace": "data"}}


class Scene:
    """A cluster whose clock goes on as somebody waits; `at` says what happens then, by the seconds waited."""

    def __init__(self) -> None:
        self.kube = FakeKube()
        self.kube.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "data"}})
        self.seconds = 0.0
        self.at: dict[float, Callable[[], object]] = {}
        self.said: list[str] = []

    def pause(self, seconds: float) -> None:
        assert self.seconds < 10 * DURATION_SECONDS, "it waits for ever"
        self.seconds += seconds
        self.kube.pass_time(seconds)
        for moment in [moment for moment in self.at if moment <= self.seconds]:
            self.at.pop(moment)()

    def lease(self) -> Lease:
        return Lease(self.kube, LOCK, {"team": "x"}, "service etl", lambda: self.seconds)

    def taken(self) -> Lease:
        mine = self.lease()
        mine.take(self.said.append)
        return mine

    def held(self) -> Any:
        return held(
            self.kube,
            LOCK,
            {},
            about="service etl",
            say=self.said.append,
            clock=lambda: self.seconds,
        )

    @property
    def holder(self) -> str:
        return str(self.kube.find(*_args(LOCK))["spec"]["holderIdentity"])


def _args(ref: Ref) -> tuple[str, str, str]:
    return ref.kind, ref.name, ref.namespace


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene()
    monkeypatch.setattr(lease, "pause", made.pause)
    return made


def test_a_lease_exists_only_while_it_is_held(scene: Scene) -> None:
    with scene.held() as mine:
        assert scene.holder == mine.holder
        assert "process" in mine.holder and "@" in mine.holder
    assert scene.kube.refs("data") == []
    assert scene.said == [] and scene.seconds == 0


def test_it_is_released_after_a_failure_too(scene: Scene) -> None:
    with pytest.raises(ZeroDivisionError), scene.held():
        raise ZeroDivisionError
    assert scene.kube.refs("data") == []


def test_the_loser_learns_who_holds_it_and_since_when(scene: Scene) -> None:
    first = scene.taken()
    scene.pause(7)
    scene.at = {9: first.renew}
    with pytest.raises(Refused) as caught:
        scene.taken()
    message = str(caught.value)
    assert f"service etl in namespace data: {first.holder} is changing it since 2026-01-02 00:00:00 UTC" in message
    assert "Nothing was changed" in message and "Run this again" in message
    assert scene.seconds <= 10
    assert scene.holder == first.holder


def test_of_two_at_the_same_moment_one_gets_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both see that there is none; the server lets one create it."""
    other, create = scene.lease(), scene.kube.create

    def slower(manifest: Manifest, **rest: Any) -> Manifest:
        monkeypatch.setattr(scene.kube, "create", create)
        other.take(scene.said.append)
        return create(manifest, **rest)

    monkeypatch.setattr(scene.kube, "create", slower)
    scene.at = {3: other.renew}
    with pytest.raises(Refused, match="is changing it since"):
        scene.taken()
    assert scene.holder == other.holder


def test_of_two_that_take_over_at_the_same_moment_one_gets_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.taken()
    scene.pause(DURATION_SECONDS + 1)
    other, patch = scene.lease(), scene.kube.patch

    def slower(*what: Any, **rest: Any) -> Manifest:
        monkeypatch.setattr(scene.kube, "patch", patch)
        other.take(scene.said.append)
        return patch(*what, **rest)

    monkeypatch.setattr(scene.kube, "patch", slower)
    scene.at = {DURATION_SECONDS + 4: other.renew}
    with pytest.raises(Refused, match="is changing it since"):
        scene.taken()
    assert scene.holder == other.holder


def test_who_was_killed_is_taken_over_from(scene: Scene) -> None:
    dead = scene.taken()
    scene.pause(2)
    mine = scene.taken()
    assert scene.holder == mine.holder
    assert DURATION_SECONDS <= scene.seconds <= DURATION_SECONDS + 3
    waiting, took = scene.said
    assert dead.holder in waiting and "still lives" in waiting
    assert took == f"took over from {dead.holder}, which gave no sign of life since 2026-01-02 00:00:00 UTC"
    assert scene.kube.find(*_args(LOCK))["spec"]["leaseTransitions"] == 1


def test_who_ends_meanwhile_is_waited_for(scene: Scene) -> None:
    first = scene.taken()
    scene.at = {3: first.release}
    mine = scene.taken()
    assert scene.holder == mine.holder and scene.seconds <= 4 and scene.said == []


def test_a_clock_far_ahead_does_not_hold_it_for_ever(scene: Scene) -> None:
    scene.kube.pass_time(3600)
    scene.taken()
    scene.kube.pass_time(-3600)
    mine = scene.taken()
    assert scene.holder == mine.holder and scene.seconds <= DURATION_SECONDS + 2


def test_its_own_request_whose_answer_was_lost_is_no_other_run(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    patch = scene.kube.patch

    def twice(*what: Any, **rest: Any) -> Manifest:
        patch(*what, **rest)
        return patch(*what, **rest)

    scene.taken()
    scene.pause(DURATION_SECONDS + 1)
    monkeypatch.setattr(scene.kube, "patch", twice)
    mine = scene.taken()
    assert scene.holder == mine.holder
    scene.pause(1)
    mine.renew()
    monkeypatch.undo()
    mine.check(Ref("ConfigMap", "etl-config", "data"))
    mine.release()
    assert scene.kube.refs("data") == []


def test_who_lost_it_writes_no_more(scene: Scene) -> None:
    with scene.held():
        scene.kube.apply(CONFIG)
        scene.pause(DURATION_SECONDS + 1)
        other = scene.taken()
        scene.kube.forget()
        for write in (
            lambda: scene.kube.apply(CONFIG),
            lambda: scene.kube.delete("ConfigMap", "etl-config", "data"),
            lambda: scene.kube.patch("ConfigMap", "etl-config", "data", {"data": {"a": "1"}}),
        ):
            with pytest.raises(Conflict, match="another run took over"):
                write()
        scene.kube.apply(CONFIG, dry_run=True)
        assert scene.kube.writes == []
    assert scene.holder == other.holder


def test_who_slept_but_was_not_taken_over_from_goes_on(scene: Scene) -> None:
    with scene.held() as mine:
        scene.pause(DURATION_SECONDS + 1)
        scene.kube.apply(CONFIG)
        assert scene.kube.find(*_args(LOCK))["spec"]["renewTime"] > "2026-01-02T00:00:30"
        assert scene.holder == mine.holder


def test_after_its_end_everybody_may_write_again(scene: Scene) -> None:
    with scene.held():
        pass
    scene.kube.apply(CONFIG)
    assert scene.kube.writes == ["apply ConfigMap/etl-config"]


def test_it_is_renewed_meanwhile_also_when_the_server_is_away_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_EVERY", 0.001)
    patch, tries, renewed = scene.kube.patch, 0, threading.Event()

    def sometimes(*what: Any, **rest: Any) -> Manifest:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Unreachable("no answer")
        renewed.set()
        return patch(*what, **rest)

    monkeypatch.setattr(scene.kube, "patch", sometimes)
    with scene.held():
        assert renewed.wait(10)
    assert scene.kube.refs("data") == []


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("no such uid")

    monkeypatch.setattr(lease.getpass, "getuser", nobody)
    assert lease.identity().startswith("uid ")
