# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""What a machine must have before a cluster can start on it; each reason against it is one sentence."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from . import settings
from .errors import ClusterError
from .ports import taken
from .progress import say, step
from .shell import run


def check_machine() -> None:
    """Refuse a machine that can never run the cluster."""
    if sys.platform != "linux":
        raise ClusterError("The embedded cluster needs Linux.", "Set KUBECONFIG to use another cluster.")
    if os.geteuid() != 0:
        raise ClusterError("The embedded cluster must be started by root: it makes networks and mounts.", "Use sudo.")
    if not _cgroups_usable():
        raise ClusterError(
            "The control groups of this machine (/sys/fs/cgroup) cannot be written, so no container can be started.",
            "In a container, run it privileged and with its own cgroup namespace.",
        )


def check_state_folder() -> None:
    """Refuse a folder below which no socket could be made."""
    if len(str(settings.STATE)) > settings.LONGEST_STATE_PATH:
        raise ClusterError(
            f"The path {settings.STATE} is longer than {settings.LONGEST_STATE_PATH} characters, too long for sockets.",
            "Set SCP_DATAOPS_STATE to a shorter one.",
        )


def check_room(first_build: bool) -> None:
    """Refuse too small disks before a build fills them."""
    needed = settings.DISK_GIB_FIRST_BUILD if first_build else settings.DISK_GIB_RUNNING
    for folder in (settings.CACHE, settings.STATE):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free / 2**30
        if free < needed:
            raise ClusterError(
                f"{folder} has {free:.1f} GiB free and {needed} GiB are needed.", "Make room or move it."
            )


def check_ports() -> None:
    """Refuse if another program listens where the cluster must."""
    for endpoint in settings.ENDPOINTS:
        if owner := taken(endpoint):
            raise ClusterError(
                f"Port {endpoint.port}, which {endpoint.component} needs on {endpoint.host}, is taken by {owner}.",
                "Stop it first.",
            )


def install_packages() -> None:
    """Install the Debian packages that are missing, if this is a Debian."""
    missing = [package for package, proof in settings.PACKAGES.items() if not _present(proof)]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise ClusterError(f"These programs are missing and there is no apt to install them: {', '.join(missing)}.")
    with step(f"install {' '.join(missing)}"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], env=environment)
        run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing], env=environment)
    if still := [package for package in missing if not _present(settings.PACKAGES[package])]:
        raise ClusterError(f"apt-get installed {', '.join(still)} without the programs that are needed from them.")


def uses_other_cluster() -> bool:
    """With KUBECONFIG set the caller has a cluster already."""
    other = os.environ.get("KUBECONFIG", "")
    if other and Path(other).resolve() != settings.KUBECONFIG:
        say(f"KUBECONFIG is set: {other} is the cluster in use, none is built here.")
        return True
    return False


def _present(proof: str) -> bool:
    if proof.startswith("/"):
        return Path(proof).exists()
    return shutil.which(proof, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def _cgroups_usable() -> bool:
    root = Path("/sys/fs/cgroup")
    if not (root / "cgroup.controllers").exists():
        root = root / "memory"
    return root.is_dir() and os.access(root, os.W_OK)
