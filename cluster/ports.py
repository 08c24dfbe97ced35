# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""Who listens on a TCP port of this machine, read from /proc because no tool for it is sure to be installed."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from .settings import Endpoint

_LISTEN = "0A"
_ANY = "0.0.0.0"
# How an IPv6 socket writes the IPv4 address it is bound to, the way Java does it.
_MAPPED = "0000000000000000FFFF0000"


def taken(endpoint: Endpoint) -> str:
    """Name and pid of the program that keeps endpoint from being used, or an empty string."""
    for address, port, inode in _listeners():
        if port == endpoint.port and address in (_ANY, endpoint.host):
            return _owner(inode)
    return ""


def listens(endpoint: Endpoint) -> str:
    """Empty if something answers on endpoint, else why not; a Probe as processes.py wants it."""
    try:
        with socket.create_connection((endpoint.host, endpoint.port), timeout=2):
            return ""
    except OSError as error:
        return f"{endpoint} does not answer ({error.strerror or error})"


def accepts(path: Path) -> str:
    """The same for a socket in the file system, whose file may be there without anybody behind it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(path))
        except OSError as error:
            return f"{path} does not answer ({error.strerror or error})"
    return ""


def _listeners() -> Iterator[tuple[str, int, str]]:
    """IPv4 address, port and inode of each listening socket."""
    for file in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in _lines(Path(file)):
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == _LISTEN and (v4 := _v4(address)):
                yield v4, int(port, 16), fields[9]


def _v4(address: str) -> str:
    """The IPv4 address that a socket takes, empty if none; an IPv6 socket on "any" takes the IPv4 port as well."""
    if set(address) == {"0"}:
        return _ANY
    return _dotted(address[-8:]) if len(address) == 8 or address.startswith(_MAPPED) else ""


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()[1:]
    except OSError:
        return []


def _dotted(address: str) -> str:
    return socket.inet_ntoa(struct.pack("=I", int(address, 16)))


def _owner(inode: str) -> str:
    wanted = f"socket:[{inode}]"
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(str(link.readlink()) == wanted for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue
    return "a program that cannot be seen from here"
