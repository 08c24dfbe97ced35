# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a failed connection into the error a person can act on. Read from the chain of causes, so that it does not
depend on which version of urllib3 wraps them in what."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator

from ..errors import Unreachable
from .access import Access
from .masking import scrubbed

_TRUST = "Give the CA's certificate as ca_cert; only to try things out, use validate_certs: false"
_CUT = {
    "ProtocolError",
    "IncompleteRead",
    "SSLEOFError",
    "ConnectionResetError",
    "ConnectionAbortedError",
    "BrokenPipeError",
}
# Names of exceptions (of any cause, or of a class it is made from), the first that fits counts: what it means, what
# to do about it.
_STORIES = (
    ({"CertificateError"}, "its certificate is for another name", "Use a name that the certificate holds"),
    ({"ProxyError"}, "the proxy does not let it through", "Correct proxy, or name the host in no_proxy"),
    ({"gaierror"}, "the name of the API server cannot be resolved", "Correct host, or the DNS of this machine"),
    (
        {"ConnectionRefusedError"},
        "the connection is refused: nothing listens at this address",
        "Check address and port, and that the API server runs",
    ),
    ({"ConnectTimeoutError"}, "no connection in time", "Check the address, and that no firewall is in between"),
    (
        {"ReadTimeoutError", "TimeoutError"},
        "connected, but no answer in time",
        "Look at the load of the API server, then run this again",
    ),
    (
        {"InvalidChunkLength", "IncompleteRead"},
        "the answer was cut off",
        "Run this again; if it stays, look at proxies and load balancers in between",
    ),
    (
        _CUT,
        "the connection was closed before an answer came",
        "Run this again; if it stays, look at proxies and load balancers in between",
    ),
)
# OpenSSL's verify codes.
_CERTIFICATE_EXPIRED, _SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _UNKNOWN_ISSUER, _WRONG_NAME = 10, 18, 19, 20, 62


def explain_trouble(error: BaseException, access: Access) -> Unreachable:
    """The error for a request to which no answer came."""
    what, next_step = _story(list(_chain(error)))
    return Unreachable(scrubbed(what, access.secrets), where=f"{access.host} ({access.source})", next_step=next_step)


def is_reset(error: BaseException) -> bool:
    """Whether an open connection was cut; asking again is then worth it."""
    return bool(_CUT & _names(_chain(error)))


def is_refused(error: BaseException) -> bool:
    """Whether nobody listens at the address; a server that answered before may be starting again."""
    return any(isinstance(cause, ConnectionRefusedError) for cause in _chain(error))


def _story(causes: list[BaseException]) -> tuple[str, str]:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause)
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return _handshake(cause)
    names = _names(causes)
    for kinds, what, next_step in _STORIES:
        if kinds & names:
            return what, next_step
    said = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
    return f"no connection: {said or type(causes[0]).__name__}", "Check the address and the network in between"


def _names(causes: Iterable[BaseException]) -> set[str]:
    return {base.__name__ for cause in causes for base in type(cause).__mro__}


def _certificate(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    code = error.verify_code
    if code in (_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _UNKNOWN_ISSUER):
        return "its certificate is signed by an authority that is not trusted here", _TRUST
    if code == _CERTIFICATE_EXPIRED:
        return "its certificate has expired", "Renew it, and check the clock of this machine"
    if code == _WRONG_NAME or "match" in error.verify_message:
        return f"its certificate is for another name: {error.verify_message}", "Use a name that the certificate holds"
    return f"its certificate is not valid: {error.verify_message}", _TRUST


def _handshake(error: ssl.SSLError) -> tuple[str, str]:
    reason = error.reason or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return "it does not speak TLS", "Write the host as http://, or correct the port"
    if "CERTIFICATE" in reason and "ALERT" in reason:
        return "it does not accept the client certificate", "Give a client_cert and client_key of this cluster"
    return f"the TLS handshake failed: {reason.replace('_', ' ').lower() or 'no reason given'}", _TRUST


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, and the exceptions that urllib3 carries as arguments."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        current = todo.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo += [argument for argument in current.args if isinstance(argument, BaseException)]
        todo += [current.__cause__, current.__context__]
