# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once on the same Service or Manager: one writes, the other writes nothing and says who does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import Forbidden, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube import lease
from ansible_collections.scp.dataops.plugins.module_utils.kube.lease import Lease
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref

from .fake_kube import FakeKube
from .runs import NAMESPACE, cluster, cluster_with_service, done, remove, remove_manager, run, run_manager

Run = Callable[[FakeKube], object]
SERVICE_LOCK, MANAGER_LOCK = "etl-lock", "dataops-manager-lock"
WRITING: dict[str, tuple[Callable[[], FakeKube], Run, str, str]] = {
    "create": (cluster, run, SERVICE_LOCK, "service etl"),
    "change": (cluster_with_service, lambda kube: run(kube, description="other"), SERVICE_LOCK, "service etl"),
    "remove": (cluster_with_service, remove, SERVICE_LOCK, "service etl"),
    "create a Manager": (FakeKube, lambda kube: run_manager(kube, domain="example.com"), MANAGER_LOCK, ""),
    "change a Manager": (cluster, lambda kube: run_manager(kube, description="x"), MANAGER_LOCK, "Manager analytics"),
    "remove a Manager": (cluster, remove_manager, MANAGER_LOCK, "Manager analytics"),
}


def _refused(kube: FakeKube) -> None:
    with pytest.raises(Refused):
        run(kube, node_selector={"pool": "nowhere"})


QUIET: dict[str, Run] = {
    "unchanged": run,
    "check mode": lambda kube: run(kube, check_mode=True, description="other"),
    "check mode of a removal": lambda kube: remove(kube, check_mode=True),
    "unchanged Manager": run_manager,
    "check mode of a Manager": lambda kube: run_manager(kube, check_mode=True, description="other"),
    "refused": _refused,
}


@pytest.mark.parametrize(("before", "task", "name", "_about"), WRITING.values(), ids=WRITING.keys())
def test_every_write_is_made_under_the_lock(
    before: Callable[[], FakeKube], task: Run, name: str, _about: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kube = before()
    kube.forget()
    without: list[str] = []

    def noted(write: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*what: Any, **rest: Any) -> Any:
            if not rest.get("dry_run") and f"Lease/{name}" not in kube.refs(NAMESPACE):
                without.append(str(what[0]["kind"] if isinstance(what[0], dict) else what[0]))
            return write(*what, **rest)

        return wrapped

    for write in ("apply", "delete"):
        monkeypatch.setattr(kube, write, noted(getattr(kube, write)))
    task(kube)
    # A Lease needs a namespace.
    assert without in ([], ["Namespace"])
    assert kube.leases[0] == f"create Lease/{name}"
    assert f"Lease/{name}" not in kube.refs(NAMESPACE)


@pytest.mark.parametrize("task", QUIET.values(), ids=QUIET.keys())
def test_who_writes_nothing_takes_no_lock(task: Run) -> None:
    kube = cluster_with_service()
    task(kube)
    assert kube.leases == []


@pytest.mark.parametrize(
    ("before", "task", "name", "about"),
    [case for case in WRITING.values() if case[3]],
    ids=[k for k, c in WRITING.items() if c[3]],
)
def test_the_loser_writes_nothing_and_says_who_won(
    before: Callable[[], FakeKube], task: Run, name: str, about: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kube = before()
    winner = Lease(kube, Ref("Lease", name, NAMESPACE), {}, about)
    winner.take(str)

    def pause(seconds: float) -> None:
        kube.pass_time(seconds)
        winner.renew()

    monkeypatch.setattr(lease, "pause", pause)
    state = kube.state()
    kube.forget()
    with pytest.raises(Refused) as caught:
        task(kube)
    assert f"{about} in namespace data: {winner.holder} is changing it since 2026-01-02 00:00:00 UTC" in str(
        caught.value
    )
    assert kube.writes == []
    assert {r: i for r, i in kube.state().items() if r.kind != "Lease"} == {
        r: i for r, i in state.items() if r.kind != "Lease"
    }


def test_who_comes_second_plans_with_what_the_first_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its plan and its lock another run made the service: its keys are kept, its options, too."""
    kube = cluster()
    create = kube.create

    def late(manifest: Manifest, **rest: Any) -> Manifest:
        monkeypatch.setattr(kube, "create", create)
        run(kube, description="of the first", web_server={"replicas": 2})
        return create(manifest, **rest)

    monkeypatch.setattr(kube, "create", late)
    outcome = run(kube, tags={"team": "x"})
    assert done(outcome) == ["update ConfigMap/etl-record"]
    assert outcome.details["description"] == "of the first"
    assert kube.find("Deployment", "etl-web-server", NAMESPACE)["spec"]["replicas"] == 2


def test_without_the_right_to_a_lock_nothing_is_written() -> None:
    kube = cluster()
    kube.forbid("create", "Lease", NAMESPACE)
    with pytest.raises(Forbidden, match="missing rights: create leases"):
        run(kube)
    assert kube.writes == []
