# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What up and down decide, with every step noted instead of done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import lifecycle, processes, settings
from cluster.errors import ClusterError

Read = pytest.CaptureFixture[str]


class Steps:
    """The steps taken; how the machine and the cluster are."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.healthy = False
        self.repairable = False
        self.fails = False
        self.leftovers = False
        self.owner = ""

    def note(self, name: str) -> Callable[..., None]:
        return lambda *_args, **_how: self.taken.append(name)

    def bring_up(self, _binaries: object) -> None:
        self.taken.append("bring up")
        if self.fails and self.taken.count("bring up") == 1:
            raise ClusterError("etcd has ended.")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    made = Steps()
    for name in ("check_machine", "check_state_folder", "install_packages", "check_room", "check_ports"):
        monkeypatch.setattr(lifecycle.prerequisites, name, made.note(name))
    monkeypatch.setattr(lifecycle.build, "build", made.note("build"))
    monkeypatch.setattr(lifecycle.node, "clear", made.note("clear"))
    monkeypatch.setattr(lifecycle.node, "has_leftovers", lambda: made.leftovers)
    monkeypatch.setattr(lifecycle, "taken", lambda _endpoint: made.owner)
    monkeypatch.setattr(lifecycle, "_healthy", lambda: made.healthy)
    monkeypatch.setattr(lifecycle, "_can_be_repaired", lambda: made.repairable)
    monkeypatch.setattr(lifecycle, "_bring_up", made.bring_up)
    return made


BEFORE = ["check_machine", "check_state_folder", "install_packages", "check_room", "build"]

# How it is; the steps that are taken; what is said among others.
UPS = {
    "healthy": ({"healthy": True}, ["check_machine"], "The cluster is up already. KUBECONFIG={state}/kubeconfig\n"),
    "none": ({}, [*BEFORE, "check_ports", "bring up"], ""),
    "leftovers": ({"leftovers": True}, [*BEFORE, "clear", "check_ports", "bring up"], ""),
    "damaged": ({"repairable": True, "leftovers": True}, [*BEFORE, "bring up"], "repair the cluster: done in"),
    "beyond repair": (
        {"repairable": True, "leftovers": True, "fails": True},
        [*BEFORE, "bring up", "clear", "check_ports", "bring up"],
        "The cluster could not be repaired and is built anew: etcd has ended.\n",
    ),
}


@pytest.mark.parametrize(("how", "taken", "said"), UPS.values(), ids=UPS.keys())
def test_up(how: dict[str, bool], taken: list[str], said: str, steps: Steps, capsys: Read) -> None:
    vars(steps).update(how)
    lifecycle.up()
    assert steps.taken == taken
    assert said.format(state=settings.STATE) in capsys.readouterr().err


def test_down_without_a_cluster(steps: Steps, capsys: Read) -> None:
    lifecycle.down()
    assert steps.taken == ["check_machine"]
    assert capsys.readouterr().err == "There is no cluster.\n"


def test_down(steps: Steps, capsys: Read) -> None:
    steps.leftovers = True
    lifecycle.down()
    assert steps.taken == ["check_machine", "clear"]
    assert "take down the cluster: done in" in capsys.readouterr().err


def test_the_cluster_of_another_state_folder_is_left_alone(steps: Steps) -> None:
    steps.leftovers, steps.owner = True, "kube-apiserver (pid 7)"
    with pytest.raises(ClusterError) as caught:
        lifecycle.down()
    assert str(caught.value) == (
        "kube-apiserver (pid 7) serves another cluster on 10.250.0.1:6443; a machine has room for one."
        f" Its state folder is not {settings.STATE}: set SCP_DATAOPS_STATE to the right one."
    )
    assert "clear" not in steps.taken


# Whether there is a kubeconfig; boots of the records; whether a repair makes sense.
REPAIRS = {
    "of this boot": (True, ["now"], True),
    "of the last boot": (True, ["before"], False),
    "one is of this boot": (True, ["before", "now"], True),
    "nothing was started": (True, [], False),
    "never complete": (False, ["now"], False),
}


@pytest.mark.parametrize(("complete", "boots", "sense"), REPAIRS.values(), ids=REPAIRS.keys())
def test_can_be_repaired(complete: bool, boots: list[str], sense: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "boot_id", lambda: "now")
    settings.PROCESSES.mkdir(parents=True)
    for number, boot in enumerate(boots):
        record = {"pid": 1, "started": "1", "boot": boot, "fingerprint": ""}
        (settings.PROCESSES / f"{number}.json").write_text(json.dumps(record))
    if complete:
        settings.KUBECONFIG.write_text("{}")
    assert lifecycle._can_be_repaired() is sense


def test_status_names_every_component_and_what_the_cluster_must_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "OBJECTS", {"node": lambda: "the node has not reported yet"})
    rows = lifecycle.status()
    assert [name for name, _ in rows] == [
        "registry", "containerd", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet",
        "kube-proxy", "coredns", "shared-storage", "contour", "envoy", "node",
    ]  # fmt: skip
    assert {complaint for _, complaint in rows[:-1]} == {"not started"}
    assert rows[-1][1] == "the node has not reported yet"


def test_programs_are_linked_and_an_older_link_is_replaced(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        lifecycle._link_programs(lifecycle.build.Binaries(*[folder] * 6))
    assert (settings.BIN / "kubectl").readlink() == new / "kubernetes"
    assert (settings.BIN / "envoy").readlink() == new / "envoy"
