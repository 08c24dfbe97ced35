# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: which API server is trusted, and how we prove who we are."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterable

from ..errors import Unreachable
from .access import Access


class Unchanging(ssl.SSLContext):
    """Connections of several threads share it, so it must not be changed while one of them is made.

    urllib3 names the protocols anew for each connection. A thread that connects in that moment copies memory that was
    just freed into its first message, and the server answers "decode error": python/cpython issue 141012.
    """

    def __init__(self, _protocol: int) -> None:
        super().set_alpn_protocols(("http/1.1",))

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Nothing: they are named already."""


def tls_context(access: Access) -> ssl.SSLContext:
    """What a connection to the API server trusts, and the client certificate it shows; raises Unreachable."""
    context = Unchanging(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if not access.validate_certs:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif access.ca_data or access.ca_file:
            context.load_verify_locations(cafile=access.ca_file or None, cadata=access.ca_data or None)
        else:
            context.load_default_certs()
    except (OSError, ValueError) as error:
        raise _unusable("CA certificate", access.ca_file, error, access) from error
    try:
        if access.client_pem:
            _load_pem(context, access.client_pem)
        elif access.client_cert:
            context.load_cert_chain(access.client_cert, access.client_key or None, password=_no_passphrase)
    except (OSError, ValueError) as error:
        raise _unusable("client certificate or its key", access.client_cert, error, access) from error
    return context


def _load_pem(context: ssl.SSLContext, pem: str) -> None:
    """Python reads a client certificate from a file only: one that nobody else can read, for a moment."""
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(pem)
        context.load_cert_chain(name, password=_no_passphrase)
    finally:
        os.unlink(name)


def _no_passphrase() -> str:
    """Without this, OpenSSL asks on the terminal and the task hangs."""
    raise ValueError("the key is encrypted")


def _unusable(thing: str, file: str, error: Exception, access: Access) -> Unreachable:
    missing = isinstance(error, FileNotFoundError)
    reason = "there is no such file" if missing else "it is not PEM, or certificate and key do not belong together"
    if str(error) == "the key is encrypted":
        reason = "the key is protected by a passphrase"
    return Unreachable(
        f"the {thing}{f' {file}' if file else ''} cannot be used: {reason}",
        where=access.source,
        next_step="Give certificates and keys as PEM files without a passphrase",
    )
