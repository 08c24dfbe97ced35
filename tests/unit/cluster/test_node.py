# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is ours on a machine and goes, and what belongs to others and stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster import node, settings
from cluster.errors import ClusterError

Machine = Callable[[dict[str, str]], Path]

# A line of iptables-save; whether it goes.
RULES = {
    "a chain of kube-proxy": (":KUBE-SERVICES - [0:0]", True),
    "a chain of the CNI plugins": (":CNI-HOSTPORT-DNAT - [0:0]", True),
    "a rule in a chain": ("-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -j DROP", True),
    "a rule that leads to one": ("-A INPUT -j KUBE-FIREWALL", True),
    "the same with a comment": ('-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES', True),
    "a pod's way out": ('-A POSTROUTING -s 10.251.0.9/32 -m comment --comment "name: \\"x\\"" -j CNI-1f0c', True),
    "a jump that does not come back": ("-A PREROUTING -g CNI-HOSTPORT-DNAT", True),
    "a jump with options behind it": ("-A PREROUTING -j KUBE-X --some option", True),
    "a table": ("*nat", False),
    "a built-in chain": (":INPUT ACCEPT [0:0]", False),
    "the end of a table": ("COMMIT", False),
    "a chain of Docker": (":DOCKER - [0:0]", False),
    "a rule of Docker": ("-A FORWARD -o docker0 -j DOCKER", False),
    "only the comment tells of one": ('-A INPUT -m comment --comment "not for KUBE-SERVICES" -j ACCEPT', False),
    "a name that only begins alike": (":KUBERNETES - [0:0]", False),
    "a name that holds it": (":MY-KUBE-RULES - [0:0]", False),
}


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    there = {"iptables-save", "ip6tables-save"}
    monkeypatch.setattr(node.shutil, "which", lambda name: name if name in there else None)
    return there


@pytest.mark.parametrize(("line", "goes"), RULES.values(), ids=RULES.keys())
@pytest.mark.usefixtures("tools")
def test_rules(line: str, goes: bool, commands: Any) -> None:
    commands.answers["iptables-save"] = f"*filter\n{line}\n:KUBE-ANY - [0:0]\nCOMMIT\n"
    node._remove_firewall_rules()
    (restored,) = [given for given in commands.given if given]
    assert restored == ("*filter\nCOMMIT\n" if goes else f"*filter\n{line}\nCOMMIT\n")


@pytest.mark.usefixtures("tools")
def test_rules_are_not_touched_when_none_is_ours(commands: Any) -> None:
    commands.answers["iptables-save"] = "*filter\n:DOCKER - [0:0]\nCOMMIT\n"
    node._remove_firewall_rules()
    assert commands.ran == ["iptables-save", "ip6tables-save"]


def test_each_kind_of_rules_goes_by_its_own_tool(commands: Any, tools: set[str]) -> None:
    tools.remove("iptables-save")
    commands.answers["ip6tables-save"] = ":KUBE-X - [0:0]\n"
    node._remove_firewall_rules()
    assert commands.ran == ["ip6tables-save", "ip6tables-restore"]


class Mounts:
    """The kernel's table of mounts; umount takes a point away unless it is stuck."""

    def __init__(self, file: Path, points: list[str], stuck: tuple[str, ...] = ()) -> None:
        self.file, self.points, self.stuck = file, points, stuck
        self.gone: list[str] = []
        self.write()

    def write(self) -> None:
        rows = [f"{number} 1 0:1 / {point} rw - tmpfs none rw" for number, point in enumerate(self.points)]
        self.file.write_text("".join(f"{row}\n" for row in rows))

    def succeeds(self, argv: list[str]) -> bool:
        assert argv[:2] == ["umount", "--lazy"]
        escaped = argv[2].replace(" ", "\\040")
        if escaped in self.stuck:
            return False
        self.points.reverse()
        self.points.remove(escaped)
        self.points.reverse()
        self.gone.append(argv[2])
        self.write()
        return True


@pytest.fixture
def mounts(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Mounts]:
    def give(*points: str, stuck: tuple[str, ...] = ()) -> Mounts:
        file = machine({"/proc/self/mountinfo": ""}) / "proc/self/mountinfo"
        table = Mounts(file, list(points), stuck)
        monkeypatch.setattr(node, "succeeds", table.succeeds)
        return table

    return give


def test_mounts_below_the_state_folder_go_the_innermost_first(mounts: Callable[..., Mounts]) -> None:
    state = str(settings.STATE)
    others = ["/", "/home", state, f"{state}-of-another/pods", "/mnt/state/pods"]
    pods, volume, blank = f"{state}/pods", f"{state}/pods/1/volume", f"{state}/a\\040b"
    table = mounts(*others, pods, volume, blank)
    node._unmount()
    assert table.gone == [f"{state}/a b", volume, pods]
    assert table.points == others


def test_mounts_on_top_of_each_other(mounts: Callable[..., Mounts]) -> None:
    point = f"{settings.STATE}/pods"
    table = mounts(point, point)
    node._unmount()
    assert table.gone == [point, point]


def test_nothing_is_deleted_below_a_mount_that_stays(mounts: Callable[..., Mounts]) -> None:
    stuck = f"{settings.STATE}/pods"
    mounts(stuck, stuck=(stuck,))
    with pytest.raises(ClusterError) as caught:
        node._unmount()
    assert str(caught.value) == f"{stuck} cannot be unmounted; what is mounted there would be deleted. Unmount it."


def test_the_bridge_goes_with_its_ports_and_no_other_interface(machine: Machine, commands: Any) -> None:
    machine({
        "/sys/class/net/lo/": "",
        "/sys/class/net/eth0/": "",
        "/sys/class/net/docker0/brif/veth9/": "",
        "/sys/class/net/dataops0/brif/veth1/": "",
    })  # fmt: skip
    node._remove_interfaces()
    assert commands.ran == ["ip link delete veth1", "ip link delete dataops0"]


def test_without_a_bridge_no_interface_goes(machine: Machine, commands: Any) -> None:
    machine({"/sys/class/net/eth0/": ""})
    node._remove_interfaces()
    assert commands.ran == []


# Command line of a process; whether it is killed with the containers.
SHIMS = {
    "our shim": (["/usr/bin/containerd-shim-runc-v2", "-address", "{state}/containerd.sock"], True),
    "our shim's own socket": (["/usr/bin/containerd-shim-runc-v2", "{state}/containerd.sock.ttrpc"], True),
    "the shim of another containerd": (["containerd-shim-runc-v2", "-address", "/run/containerd.sock"], False),
    "another program that names our socket": (["ctr", "--address", "{state}/containerd.sock"], False),
    "a kernel thread": ([""], False),
}


@pytest.mark.parametrize(("arguments", "ours"), SHIMS.values(), ids=SHIMS.keys())
def test_shims(arguments: list[str], ours: bool, machine: Machine) -> None:
    line = "\0".join(word.format(state=settings.STATE) for word in arguments)
    machine({"/proc/42/cmdline": f"{line}\0", "/proc/self/cmdline": line, "/sys/fs/cgroup/cgroup.controllers": ""})
    assert node._container_pids() == ({42} if ours else set())


# Files of the control groups; the processes of our containers.
GROUPS = {
    "version 2": (
        {
            "cgroup.controllers": "",
            "cgroup.procs": "1",
            "scp-dataops/cgroup.procs": "",
            "scp-dataops/a/cgroup.procs": "5\n6",
        },
        {5, 6},
    ),
    "version 1": (
        {
            "memory/cgroup.procs": "1",
            "memory/scp-dataops/a/cgroup.procs": "5",
            "cpu/cgroup.procs": "1",
            "cpu/scp-dataops/a/cgroup.procs": "5\n7",
        },
        {5, 7},
    ),
    "of others": ({"cgroup.controllers": "", "docker/cgroup.procs": "8", "scp-dataops-2/cgroup.procs": "9"}, set()),
}


@pytest.mark.parametrize(("files", "pids"), GROUPS.values(), ids=GROUPS.keys())
def test_processes_of_containers(files: dict[str, str], pids: set[int], machine: Machine) -> None:
    machine({f"/sys/fs/cgroup/{name}": text for name, text in files.items()} | {"/proc/self/": ""})
    assert node._container_pids() == pids
    assert node.has_leftovers() is bool(pids)


def test_control_groups_go_from_the_inside_and_only_ours(machine: Machine) -> None:
    root = machine({
        "/sys/fs/cgroup/cgroup.controllers": "",
        "/sys/fs/cgroup/scp-dataops/a/b/": "",
        "/sys/fs/cgroup/docker/": "",
    })  # fmt: skip
    node._remove_cgroups()
    assert sorted(file.name for file in (root / "sys/fs/cgroup").iterdir()) == ["cgroup.controllers", "docker"]


def test_kernel_settings_come_back(machine: Machine) -> None:
    root = machine({"/proc/sys/net/ipv4/ip_forward": "0\n", "/proc/sys/vm/panic_on_oom": "0\n"})
    forward = root / "proc/sys/net/ipv4/ip_forward"
    node._remember_sysctls()
    forward.write_text("1")
    # A second start must not take what the first one set for what was there before.
    node._remember_sysctls()
    assert json.loads((settings.STATE / "sysctls.json").read_text()) == {
        "net/ipv4/ip_forward": "0",
        "vm/panic_on_oom": "0",
    }
    node._restore_sysctls()
    assert forward.read_text() == "0"


def test_strays_of_others_stay(machine: Machine) -> None:
    root = machine({
        "/var/lib/cni/results/scp-dataops-1-eth0": "",
        "/var/lib/cni/results/podman-1-eth0": "",
        "/var/log/containers/a-file.log": "",
    })  # fmt: skip
    links = root / "var/log/containers"
    (links / "ours.log").symlink_to(settings.STATE / "pods" / "1.log")
    (links / "theirs.log").symlink_to("/var/log/pods/1.log")
    node._remove_strays()
    assert [file.name for file in (root / "var/lib/cni/results").iterdir()] == ["podman-1-eth0"]
    assert sorted(file.name for file in links.iterdir()) == ["a-file.log", "theirs.log"]


def test_a_machine_without_a_cluster_has_no_leftovers(machine: Machine) -> None:
    machine({"/sys/fs/cgroup/cgroup.controllers": ""})
    assert not node.has_leftovers()
    settings.PROCESSES.mkdir(parents=True)
    assert node.has_leftovers()


def test_all_goes_in_the_order_in_which_one_thing_holds_the_next(
    monkeypatch: pytest.MonkeyPatch, commands: Any
) -> None:
    steps = (
        "_kill_containers", "_unmount", "_remove_interfaces", "_remove_firewall_rules", "_remove_cgroups",
        "_restore_sysctls", "_remove_strays",
    )  # fmt: skip
    done: list[str] = []
    for name in steps:
        monkeypatch.setattr(node, name, lambda name=name: done.append(name))
    settings.STATE.mkdir()
    node.clear()
    assert tuple(done) == steps
    assert commands.ran == ["ip address delete 10.250.0.1/32 dev lo"]
    assert not settings.STATE.exists()


def test_what_no_rule_of_kube_proxy_takes_does_not_leave_the_machine(commands: Any) -> None:
    node._reject_strays()
    rejected = [command for command in commands.ran if command.endswith("--jump REJECT")]
    assert rejected and all(settings.SERVICE_NETWORK in command for command in rejected)
    assert node._OUR_CHAINS.search(f":{node._STRAY} - [0:0]")
