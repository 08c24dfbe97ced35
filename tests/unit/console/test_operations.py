# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that outlasts a request: its progress, its end, and what is known of it after the process was killed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from ansible_collections.scp.dataops.console import operations
from ansible_collections.scp.dataops.console.operations import Operation, Operations
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome, Timeline
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotFound, NotReady, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube

from ..fake_kube import FakeKube

KIM = By("api", "kim")
NOTHING = Outcome(changes=(), details={}, kept=("Secret/etl-keys",))


def fine(kube: Kube, timeline: Timeline) -> Outcome:
    timeline.say("looked around")
    return NOTHING


def failing(kube: Kube, timeline: Timeline) -> Outcome:
    timeline.say("began")
    raise NotReady("no node has room", where="Deployment/etl-web-server", next_step="Add a node")


def broken(kube: Kube, timeline: Timeline) -> Outcome:
    raise ValueError("SENTINEL")


@pytest.fixture
def known(tmp_path: Path) -> Operations:
    return Operations(FakeKube, tmp_path / "operations")


def ended(known: Operations, work: operations.Work) -> Operation:
    return known.join(known.start("change", "service etl", KIM, work).operation_id, 10)


def test_done(known: Operations) -> None:
    found = ended(known, fine)
    assert (found.state, found.verb, found.target, found.by) == ("DONE", "change", "service etl", KIM)
    assert found.progress[0].endswith(" s looked around")
    assert found.result == {
        "changed": False,
        "actions": [],
        "restarted": [],
        "kept": ["Secret/etl-keys"],
        "not_checked": [],
        "warnings": [],
    }
    assert found.ended_dt
    assert known.all() == [found]


def test_failed(known: Operations) -> None:
    found = ended(known, failing)
    assert found.state == "FAILED"
    assert found.error == {
        "where": "Deployment/etl-web-server",
        "what": "no node has room",
        "next_step": "Add a node",
    }
    assert found.progress[0].endswith(" s began")


def test_what_nobody_foresaw_is_a_number(known: Operations) -> None:
    found = ended(known, broken)
    assert found.state == "FAILED"
    assert found.error
    assert "this is a bug in scp.dataops (incident " in found.error["what"]
    assert "SENTINEL" not in str(found)


def test_progress_is_seen_meanwhile_and_nobody_else_may_begin(known: Operations) -> None:
    said, go_on = threading.Event(), threading.Event()

    def slow(kube: Kube, timeline: Timeline) -> Outcome:
        timeline.say("half way")
        said.set()
        assert go_on.wait(10)
        return NOTHING

    begun = known.start("change", "service etl", KIM, slow)
    assert said.wait(10)
    assert known.get(begun.operation_id).progress[0].endswith(" s half way")
    assert known.active("service etl") == known.get(begun.operation_id)
    with pytest.raises(Refused) as caught:
        known.start("stop", "service etl", KIM, fine)
    assert (caught.value.where, caught.value.next_step) == ("service etl", "Wait for its end")
    other = known.start("change", "service other", KIM, fine)
    assert known.join(other.operation_id, 10).state == "DONE"
    go_on.set()
    assert known.join(begun.operation_id, 10).state == "DONE"
    assert known.active("service etl") is None


def test_after_a_kill_it_was_interrupted(known: Operations, tmp_path: Path) -> None:
    said, go_on = threading.Event(), threading.Event()

    def endless(kube: Kube, timeline: Timeline) -> Outcome:
        timeline.say("half way")
        said.set()
        go_on.wait(10)
        return NOTHING

    first = ended(known, fine)
    begun = known.start("create", "service etl", KIM, endless)
    assert said.wait(10)
    after = Operations(FakeKube, tmp_path / "operations")
    found = after.get(begun.operation_id)
    assert (found.state, found.by, found.result) == ("INTERRUPTED", KIM, None)
    assert found.progress[0].endswith(" s half way")
    assert after.get(first.operation_id) == first
    assert Operations(FakeKube, tmp_path / "operations").get(begun.operation_id) == found
    assert ended(after, fine).state == "DONE"
    go_on.set()
    known.join(begun.operation_id, 10)


def test_what_cannot_be_read_is_left_out(known: Operations, tmp_path: Path) -> None:
    ended(known, fine)
    for name, text in {"half": '{"operation_id": "x"', "other": '{"colour": "blue"}', "list": "[]"}.items():
        (tmp_path / "operations" / f"{name}.json").write_text(text)
    assert len(Operations(FakeKube, tmp_path / "operations").all()) == 1


def test_a_volume_that_takes_nothing_stops_no_work(tmp_path: Path) -> None:
    (tmp_path / "operations").write_text("no folder")
    assert ended(Operations(FakeKube, tmp_path / "operations"), fine).state == "DONE"


def test_only_so_many_are_kept(known: Operations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "KEPT", 3)
    for _number in range(5):
        ended(known, fine)
    assert len(known.all()) == 3
    assert len(list((tmp_path / "operations").glob("*.json"))) == 3


def test_nobody_knows_it(known: Operations) -> None:
    with pytest.raises(NotFound):
        known.get("x")
