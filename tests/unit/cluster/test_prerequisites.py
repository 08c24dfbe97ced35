# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each reason against a machine is one sentence with what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster import prerequisites, settings
from cluster.errors import ClusterError
from cluster.prerequisites import check_machine, check_ports, check_room, check_state_folder, install_packages

GIB = 2**30
V2, V1 = "/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/memory/"

Machine = Callable[[dict[str, str]], Path]


def refusal(of: Callable[[], None]) -> str:
    """The sentence, or nothing if all is well."""
    try:
        of()
    except ClusterError as error:
        return str(error)
    return ""


# Platform; user; files; the part of the tree that is read-only; the sentence.
MACHINES = {
    "version 2": ("linux", 0, {V2: ""}, "", ""),
    "version 1": ("linux", 0, {V1: ""}, "", ""),
    "version 1 below a read-only folder": ("linux", 0, {V1: ""}, "sys/fs/cgroup", ""),
    "not Linux": (
        "darwin", 0, {V2: ""}, "",
        "The embedded cluster needs Linux. Set KUBECONFIG to use another cluster.",
    ),
    "not root": (
        "linux", 1000, {V2: ""}, "",
        "The embedded cluster must be started by root: it makes networks and mounts. Use sudo.",
    ),
    "no control groups": (
        "linux", 0, {"/sys/fs/": ""}, "",
        "The control groups of this machine (/sys/fs/cgroup) cannot be written, so no container can be started."
        " In a container, run it privileged and with its own cgroup namespace.",
    ),
    "read-only control groups of version 1": (
        "linux", 0, {V1: ""}, "sys/fs/cgroup/memory",
        "The control groups of this machine (/sys/fs/cgroup) cannot be written, so no container can be started."
        " In a container, run it privileged and with its own cgroup namespace.",
    ),
    "read-only control groups": (
        "linux", 0, {V2: ""}, "sys/fs/cgroup",
        "The control groups of this machine (/sys/fs/cgroup) cannot be written, so no container can be started."
        " In a container, run it privileged and with its own cgroup namespace.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("platform", "user", "files", "read_only", "sentence"), MACHINES.values(), ids=MACHINES.keys())
def test_machine(
    platform: str,
    user: int,
    files: dict[str, str],
    read_only: str,
    sentence: str,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = machine(files)
    # Root may write everything, and which user runs the tests must not matter, so nobody asks the real system.
    writable = SimpleNamespace(
        geteuid=lambda: user,
        access=lambda path, _mode: Path(path) != root / read_only,
        environ=os.environ,
        W_OK=os.W_OK,
    )
    monkeypatch.setattr(prerequisites, "os", writable)
    monkeypatch.setattr(prerequisites, "sys", SimpleNamespace(platform=platform))
    assert refusal(check_machine) == sentence


# What the disk has free; whether everything must be built; the figures in the sentence.
DISKS = {
    "room for a build": (16 * GIB, True, ""),
    "room to run": (5 * GIB, False, ""),
    "too small for a build": (15.9 * GIB, True, "has 15.9 GiB free and 16 GiB are needed. Make room or move it."),
    "too small to run": (4 * GIB, False, "has 4.0 GiB free and 5 GiB are needed. Make room or move it."),
}


@pytest.mark.parametrize("small", ["cache", "state"])
@pytest.mark.parametrize(("free", "first", "figures"), DISKS.values(), ids=DISKS.keys())
def test_room(
    free: float, first: bool, figures: str, small: str, monkeypatch: pytest.MonkeyPatch, folders: Path
) -> None:
    def usage(folder: Path) -> SimpleNamespace:
        assert folder.is_dir()
        return SimpleNamespace(free=free if folder == folders / small else 100 * GIB)

    monkeypatch.setattr(prerequisites.shutil, "disk_usage", usage)
    assert refusal(lambda: check_room(first)) == (figures and f"{folders / small} {figures}")


def test_a_path_too_long_for_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = Path("/" + "s" * 65)
    monkeypatch.setattr(settings, "STATE", longest)
    assert refusal(check_state_folder) == ""
    monkeypatch.setattr(settings, "STATE", Path(f"{longest}s"))
    assert refusal(check_state_folder) == (
        f"The path {longest}s is longer than 66 characters, too long for sockets."
        " Set SCP_DATAOPS_STATE to a shorter one."
    )


def test_a_taken_port_names_who_needs_it_and_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prerequisites, "taken", lambda at: "nginx (pid 7)" if at is settings.INGRESS_HTTP else "")
    assert refusal(check_ports) == (
        "Port 80, which envoy needs on 10.250.0.1, is taken by nginx (pid 7). Stop it first."
    )


def test_free_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(prerequisites, "taken", lambda at: asked.append(at) or "")
    check_ports()
    assert asked == list(settings.ENDPOINTS)


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Proofs of packages that are there; apt is there too. A test may take away or add."""
    there = {*settings.PACKAGES.values(), "apt-get"}
    monkeypatch.setattr(prerequisites, "_present", there.__contains__)
    monkeypatch.setattr(prerequisites.shutil, "which", lambda name: name if name in there else None)
    return there


def test_nothing_is_installed_when_all_is_there(packages: set[str], commands: Any) -> None:
    packages.discard("apt-get")
    install_packages()
    assert commands.ran == []


def test_missing_packages_without_apt(packages: set[str], commands: Any) -> None:
    packages -= {"runc", "modprobe", "apt-get"}
    assert refusal(install_packages) == ("These programs are missing and there is no apt to install them: runc, kmod.")
    assert commands.ran == []


def test_missing_packages_are_installed_by_their_own_name(
    packages: set[str], commands: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packages -= {"ip", "/usr/lib/cni/bridge"}

    def install(argv: list[str], **how: Any) -> str:
        if "install" in argv:
            packages.update({"ip", "/usr/lib/cni/bridge"})
        return str(commands.run(argv, **how))

    monkeypatch.setattr(prerequisites, "run", install)
    install_packages()
    assert commands.ran == [
        "apt-get update -qq",
        "apt-get install -qq -y --no-install-recommends containernetworking-plugins iproute2",
    ]
    assert "install containernetworking-plugins iproute2 ..." in capsys.readouterr().err


def test_packages_that_do_not_hold_what_was_expected(packages: set[str], commands: Any) -> None:
    packages -= {"runc"}
    assert refusal(install_packages) == "apt-get installed runc without the programs that are needed from them."
    assert len(commands.ran) == 2


def test_a_proof_is_a_file_or_a_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "some-program"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not prerequisites._present("some-program") and not prerequisites._present(str(program))
    program.touch(mode=0o755)
    assert prerequisites._present("some-program") and prerequisites._present(str(program))
