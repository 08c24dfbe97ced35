# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run tells: actions, diff, progress."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common import labels, outcome
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Timeline
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Ref
from ansible_collections.scp.dataops.plugins.module_utils.kube.plan import Action, Change


def change(action: Action, kind: str, name: str) -> Change:
    return Change(action, Ref(kind, name, "data"))


ACTIONS: dict[str, tuple[list[Change], list[str]]] = {
    "nothing": ([], []),
    "what is kept has no line": ([change("keep", "Secret", "etl-keys")], []),
    "in order": (
        [change("update", "ConfigMap", "b"), change("create", "Secret", "a")],
        ["update ConfigMap/b", "create Secret/a"],
    ),
    "a Job without its fingerprint": ([change("create", "Job", "etl-account-0123456789")], ["create Job/etl-account"]),
    "two Jobs of one purpose": (
        [change("delete", "Job", "etl-account-0123456789"), change("delete", "Job", "etl-account-abcdefabcd")],
        ["delete Job/etl-account"],
    ),
    "others keep their whole name": ([change("delete", "Pod", "dag-0123456789")], ["delete Pod/dag-0123456789"]),
}


@pytest.mark.parametrize(("changes", "expected"), ACTIONS.values(), ids=ACTIONS.keys())
def test_actions(changes: list[Change], expected: list[str]) -> None:
    assert outcome.actions(changes) == expected
    assert outcome.changed(changes) == bool(expected)


def test_the_diff_shows_state_and_no_jobs() -> None:
    shown = {"apiVersion": "v1", "kind": "Any", "metadata": {"name": "x", "namespace": "data"}}
    changes = [
        Change("create", Ref("Job", "etl-account-0123456789", "data"), after={**shown, "kind": "Job"}),
        Change("update", Ref("ConfigMap", "x", "data"), before={**shown, "data": {"a": "1"}}, after=shown),
    ]
    diff = outcome.diff(changes)
    assert "a: '1'" in diff["before"]
    assert "Job" not in diff["after"]


def test_timeline_counts_from_its_start() -> None:
    def ticking() -> Iterator[float]:
        yield from (100.0, 100.4, 112.06)

    ticks = ticking()
    told: list[str] = []
    timeline = Timeline(clock=lambda: next(ticks), tell=told.append)
    timeline.say("first")
    timeline.say("second")
    assert timeline.lines == told == ["0.4 s first", "12.1 s second"]


def test_selector_finds_what_is_labelled() -> None:
    marks = labels.labels(labels.SERVICE, "etl", "analytics", "scheduler")
    wanted = dict(pair.split("=") for pair in labels.selector(labels.SERVICE, "etl").split(","))
    assert marks.items() >= wanted.items()
    for other in (
        labels.labels(labels.SERVICE, "etl2", "analytics", "scheduler"),
        labels.labels(labels.MANAGER, "etl", "etl", "record"),
        {**marks, labels.MANAGED: "Helm"},
    ):
        assert not other.items() >= wanted.items()
