# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""What the cluster changes on its machine - address, kernel settings, control group - and how it is all undone."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

from . import settings
from .errors import ClusterError
from .shell import run, succeeds

# What a node needs, and what kubelet and kube-proxy would set by themselves: all is remembered and put back.
_WANTED = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}
_TOUCHED_BY_COMPONENTS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/ipv4/conf/all/route_localnet",
    "net/bridge/bridge-nf-call-ip6tables",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
)
_REMEMBERED = settings.STATE / "sysctls.json"
_CGROUPS = Path("/sys/fs/cgroup")
# Where containerd and kubelet leave files outside the folders they are given.
_CNI_RESULTS = Path("/var/lib/cni/results")
_CONTAINER_LOG_LINKS = Path("/var/log/containers")
# For what is still on its way to an address of a Service when all rules of kube-proxy were asked. Its tables change one
# after the other, and for that moment a connection would be made with whatever answers beyond the machine.
_STRAY = "KUBE-DATAOPS-STRAY"
# A chain, a rule in it, or a rule that leads to it; not a rule that has such a name in its comment only.
_OUR_CHAINS = re.compile(r"^(:|-A |-[AI] .* -[jg] )(KUBE|CNI)-[^ ]*( |$)")


def prepare() -> None:
    """Give the machine what a node needs. Safe to repeat."""
    if not Path("/proc/sys/net/bridge").is_dir():
        succeeds(["modprobe", "br_netfilter"])
    _remember_sysctls()
    for name, value in _WANTED.items():
        _write_sysctl(name, value)
    run(["ip", "address", "replace", f"{settings.NODE_ADDRESS}/32", "dev", "lo"])
    _reject_strays()
    for hierarchy in _hierarchies():
        group = hierarchy / settings.CGROUP
        group.mkdir(exist_ok=True)
        _inherit_cpuset(hierarchy, group)
    settings.VOLUMES.mkdir(parents=True, exist_ok=True)


def _reject_strays() -> None:
    """It goes with the chains of kube-proxy, whose prefix it has."""
    iptables = ["iptables", "--wait"]
    if not succeeds([*iptables, "--new-chain", _STRAY]):
        run([*iptables, "--flush", _STRAY])
    run([*iptables, "--append", _STRAY, "--destination", settings.SERVICE_NETWORK, "--jump", "REJECT"])
    for chain in ("FORWARD", "OUTPUT"):
        if not succeeds([*iptables, "--check", chain, "--jump", _STRAY]):
            run([*iptables, "--append", chain, "--jump", _STRAY])


def has_leftovers() -> bool:
    """Whether a cluster has been here and was not taken down."""
    return settings.PROCESSES.exists() or any((root / settings.CGROUP).exists() for root in _hierarchies())


def clear() -> None:
    """Undo everything, in the order in which one thing holds the next. The components have ended already."""
    _kill_containers()
    _unmount()
    _remove_interfaces()
    _remove_firewall_rules()
    succeeds(["ip", "address", "delete", f"{settings.NODE_ADDRESS}/32", "dev", "lo"])
    _remove_cgroups()
    _restore_sysctls()
    _remove_strays()
    if settings.STATE.exists():
        shutil.rmtree(settings.STATE)


def _read_sysctl(name: str) -> str | None:
    try:
        return (Path("/proc/sys") / name).read_text().strip()
    except OSError:
        return None


def _write_sysctl(name: str, value: str) -> None:
    # Not every kernel has every setting, and in a container some are read-only; the node works without the optional.
    with contextlib.suppress(OSError):
        (Path("/proc/sys") / name).write_text(value)


def _remember_sysctls() -> None:
    if _REMEMBERED.exists():
        return
    settings.STATE.mkdir(parents=True, exist_ok=True)
    values = {name: value for name in (*_WANTED, *_TOUCHED_BY_COMPONENTS) if (value := _read_sysctl(name)) is not None}
    _REMEMBERED.write_text(json.dumps(values))


def _restore_sysctls() -> None:
    with contextlib.suppress(OSError, ValueError):
        for name, value in json.loads(_REMEMBERED.read_text()).items():
            if _read_sysctl(name) != value:
                _write_sysctl(name, value)


def _hierarchies() -> list[Path]:
    """The root of each control group hierarchy: one with version 2, one for each controller with version 1."""
    if (_CGROUPS / "cgroup.controllers").exists():
        return [_CGROUPS]
    return [folder for folder in _CGROUPS.iterdir() if folder.is_dir() and (folder / "cgroup.procs").exists()]


def _inherit_cpuset(parent: Path, group: Path) -> None:
    """With version 1 a new cpuset group is empty, and no process can be put into it before it has CPUs."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = group / name
        if "cpuset" in parent.name and file.exists() and not file.read_text().strip():
            file.write_text((parent / name).read_text())


def _container_pids() -> set[int]:
    """Every process in the control groups of this cluster, and containerd's shims, which stay outside of them."""
    pids: set[int] = set()
    for hierarchy in _hierarchies():
        for file in (hierarchy / settings.CGROUP).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                pids.update(int(pid) for pid in file.read_text().split())
    # Only a shim of our own containerd has our socket among its arguments.
    socket = os.fsencode(settings.CONTAINERD_SOCKET)
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                arguments = (process / "cmdline").read_bytes().split(b"\0")
                if b"containerd-shim" in arguments[0] and any(part.startswith(socket) for part in arguments):
                    pids.add(int(process.name))
    return pids


def _kill_containers() -> None:
    """End every container. containerd must not be asked: it may be the very thing that is broken."""
    deadline = time.monotonic() + 10
    while (pids := _container_pids()) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def _unmount() -> None:
    """Detach every mount below the state folder, the innermost first. Raises ClusterError before one is deleted."""
    for _ in range(3):
        for point in reversed(_mounts()):
            succeeds(["umount", "--lazy", point])
    if left := _mounts():
        raise ClusterError(f"{left[-1]} cannot be unmounted; what is mounted there would be deleted.", "Unmount it.")


def _mounts() -> list[str]:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [point for point in map(_unescape, points) if point.startswith(f"{settings.STATE}/")]


def _unescape(point: str) -> str:
    """mountinfo writes blanks and the like as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)


def _remove_interfaces() -> None:
    bridge = Path("/sys/class/net") / settings.BRIDGE
    for port in list((bridge / "brif").iterdir()) if bridge.exists() else []:
        succeeds(["ip", "link", "delete", port.name])
    if bridge.exists():
        succeeds(["ip", "link", "delete", settings.BRIDGE])


def _remove_firewall_rules() -> None:
    """Take out the chains of kube-proxy, kubelet and the CNI plugins, and every rule that leads there."""
    for family in ("iptables", "ip6tables"):
        if not shutil.which(f"{family}-save"):
            continue
        lines = run([f"{family}-save"]).splitlines()
        kept = [line for line in lines if not _OUR_CHAINS.search(line)]
        if len(kept) < len(lines):
            run([f"{family}-restore"], stdin="\n".join(kept) + "\n")


def _remove_cgroups() -> None:
    for hierarchy in _hierarchies():
        top = hierarchy / settings.CGROUP
        groups = [folder for folder in top.rglob("*") if folder.is_dir()]
        for group in [*sorted(groups, key=lambda folder: len(folder.parts), reverse=True), top]:
            with contextlib.suppress(OSError):
                group.rmdir()


def _remove_strays() -> None:
    for file in _CNI_RESULTS.glob(f"{settings.CNI_NETWORK}-*"):
        file.unlink(missing_ok=True)
    for link in _CONTAINER_LOG_LINKS.glob("*"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{settings.STATE}/"):
            link.unlink(missing_ok=True)
