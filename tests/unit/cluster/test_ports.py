# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has a port, from tables as the kernel writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import ports
from cluster.settings import Endpoint

HEAD = "  sl  local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode\n"
WEB = Endpoint("envoy", "10.250.0.1", 80)
# Addresses as the kernel of a little-endian machine writes them.
NODE, LOOPBACK, ANY = "0100FA0A", "0100007F", "00000000"
ANY6, MAPPED, LOOPBACK6 = "0" * 32, f"0000000000000000FFFF0000{NODE}", "0" * 24 + "01000000"
LISTENS, CONNECTED = "0A", "01"


def row(address: str, port: int, state: str = LISTENS) -> str:
    return f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 77 1 0\n"


# Table of IPv4; table of IPv6 or none; whether port 80 of the node address is taken.
TABLES = {
    "nobody listens": ("", "", False),
    "no IPv6 on this machine": ("", None, False),
    "on the very address": (row(NODE, 80), "", True),
    "on every address": (row(ANY, 80), "", True),
    "on every address of both kinds": ("", row(ANY6, 80), True),
    "as Java does": ("", row(MAPPED, 80), True),
    "on another address": (row(LOOPBACK, 80), "", False),
    "on an address of IPv6": ("", row(LOOPBACK6, 80), False),
    "on another port": (row(NODE, 8080), row(ANY6, 8080), False),
    "a connection, not a listener": (row(NODE, 80, CONNECTED), "", False),
    "the second row": (row(LOOPBACK, 22) + row(NODE, 80), "", True),
}


@pytest.mark.parametrize(("v4", "v6", "taken"), TABLES.values(), ids=TABLES.keys())
def test_taken(v4: str, v6: str | None, taken: bool, machine: Callable[[dict[str, str]], Path]) -> None:
    tables = {"/proc/net/tcp": HEAD + v4} | ({} if v6 is None else {"/proc/net/tcp6": HEAD + v6})
    root = machine({**tables, "/proc/self/": "", "/proc/41/fd/": "", "/proc/42/fd/": "", "/proc/42/comm": "nginx\n"})
    (root / "proc/41/fd/3").symlink_to("socket:[78]")
    (root / "proc/42/fd/3").symlink_to("socket:[77]")
    assert ports.taken(WEB) == ("nginx (pid 42)" if taken else "")


def test_an_owner_outside_of_this_container(machine: Callable[[dict[str, str]], Path]) -> None:
    machine({"/proc/net/tcp": HEAD + row(NODE, 80), "/proc/1/fd/": ""})
    assert ports.taken(WEB) == "a program that cannot be seen from here"


def test_a_socket_file_with_nobody_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "no.sock"
    assert ports.accepts(path) == f"{path} does not answer (No such file or directory)"
