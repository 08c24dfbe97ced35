# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On another host, reached by SSH, a module does and says what it does and says here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MANAGER
from driver import Driver
from places import until

SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Driver]:
    """A driver for a host behind an SSH server of its own, with nothing of this process's environment."""
    for key in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / key)]
        subprocess.run(command, check=True)
    port = free_port()
    config = tmp_path / "sshd_config"
    config.write_text(SSHD.format(port=port, folder=tmp_path))
    Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(config)], stdin=subprocess.DEVNULL) as server:
        try:
            until(lambda: answers(port), "the SSH server answers", 20)
            options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
            inventory = tmp_path / "hosts.ini"
            inventory.write_text(
                f"far ansible_host=127.0.0.1 ansible_port={port} ansible_user=root "
                f"ansible_ssh_private_key_file={tmp_path}/user ansible_ssh_common_args='{options}' "
                f"ansible_python_interpreter={sys.executable}\n"
            )
            yield Driver(common={"kubeconfig": os.environ["KUBECONFIG"]}, host=("far", "-i", str(inventory)))
        finally:
            server.terminate()


def test_a_remote_host(manager: Driver, far: Driver) -> None:
    here = manager.run("dataops_manager", **MANAGER)
    there = far.run("dataops_manager", **MANAGER)
    assert not there.failed, there.message
    assert there["changed"] is False
    assert there.values == here.values
    change = far.run("dataops_manager", name=MANAGER["name"], description="Changed from afar")
    assert change["actions"] == ["update ConfigMap/dataops-manager-record"]
    refused = far.refused("dataops_manager", name=MANAGER["name"], description="x" * 151)
    assert refused.startswith("description: 151 characters are too many")
    missing = Driver(host=far.host).refused("dataops_manager_info", name="x", kubeconfig="/nonexistent/kubeconfig")
    assert "/nonexistent/kubeconfig" in missing


def test_files_are_brought_to_a_remote_host(manager: Driver, far: Driver, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "run.sh").write_text("#!/bin/sh\n")
    (folder / "sub" / "run.sh").chmod(0o755)
    (folder / ".DS_Store").write_text("")
    options = {"manager": MANAGER["name"], "kind": "shared", "src": str(folder)}
    try:
        there = far.run("dataops_upload", **options)
        assert not there.failed, there.message
        assert [(one["path"], one["executable"]) for one in there["upload"]["files"]] == [("sub/run.sh", True)]
        assert there["left_out"] == [".DS_Store"]
        here = manager.run("dataops_upload", **options)
        assert (here["changed"], here["upload"]) == (False, there["upload"])
    finally:
        manager.run("dataops_upload", manager=MANAGER["name"], kind="shared", name="data", state="absent")
