# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What connections share stays as it is while others are made."""

from __future__ import annotations

import ssl
from contextlib import suppress

from ansible_collections.scp.dataops.plugins.module_utils.kube.access import Access
from ansible_collections.scp.dataops.plugins.module_utils.kube.tls import tls_context

HTTP, OTHER = b"\x08http/1.1", b"\x05other"


def greeting(context: ssl.SSLContext) -> bytes:
    """The first message of a connection."""
    answers, asked = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(answers, asked, server_hostname="api.example.com")
    with suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return asked.read()


def test_protocols_are_named_once() -> None:
    """urllib3 does it for each connection, which may destroy what another thread sends (python/cpython 141012)."""
    context = tls_context(Access(host="https://api.example.com", source="test"))
    context.set_alpn_protocols(["other"])
    assert HTTP in greeting(context)
    assert OTHER not in greeting(context)
    usual = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    usual.set_alpn_protocols(["other"])
    assert OTHER in greeting(usual)
