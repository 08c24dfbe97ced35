# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send requests over kept-alive connections: credentials, TLS, retries, and every failure as a DataOpsError.

urllib3 alone: importing the generated kubernetes.client takes longer than all requests of an unchanged run.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from ..errors import Unreachable, needed_library
from .access import Access
from .answers import explain, is_final, status_of
from .proxies import bypasses_proxy, proxied_pool
from .request import Request
from .tls import tls_context
from .trouble import explain_trouble, is_refused, is_reset

if TYPE_CHECKING:
    import urllib3

_CONNECT_TIMEOUT = 10
_CONNECTIONS = 16
_TRIES = 5
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0
_TOO_BUSY = 429


# Between two tries; tests note the seconds instead.
pause = time.sleep


class Answer(NamedTuple):
    """What a server answered: its status, its body, the lines with which it sets cookies, and its other headers."""

    status: int
    body: bytes
    cookies: tuple[str, ...] = ()
    headers: Mapping[str, str] = MappingProxyType({})


class Transport:
    """Connections to one API server; may be used by several threads."""

    def __init__(self, access: Access, *, request_timeout: float) -> None:
        self.access = access
        self.requests = 0
        # Seconds by which the clock of the API server is ahead of ours, from its last answer.
        self.clock_ahead = 0.0
        self._timeout = request_timeout
        self._answered = False
        self._lock = threading.Lock()
        with needed_library("urllib3"):
            import urllib3
        self._urllib3 = urllib3
        self._pool = _pool(access)
        self._streams: set[Stream] = set()

    def send(self, request: Request) -> bytes:
        """Body of a successful answer; tries again what may be tried again. Raises Unreachable or an ApiError."""
        answer = self.exchange(request)
        if answer.status >= 300:
            raise explain(request, answer.status, answer.body, self.access)
        return answer.body

    def exchange(self, request: Request, *, retry_broken: bool = True) -> Answer:
        """Any answer; a server error counts as an answer at once unless `retry_broken`."""
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            seconds = _FIRST_PAUSE * 2**attempt
            try:
                response = self._request(request, request.timeout or self._timeout, stream=False)
            except self._urllib3.exceptions.HTTPError as error:
                again = request.repeatable and (is_reset(error) or (self._answered and is_refused(error)))
                if last or not again:
                    raise explain_trouble(error, self.access) from error
            else:
                busy = response.status == _TOO_BUSY and status_of(response.data) is not None
                broken = retry_broken and request.repeatable and not is_final(response.status, response.data)
                if last or not (busy or broken):
                    cookies = tuple(response.headers.getlist("Set-Cookie"))
                    return Answer(response.status, response.data, cookies, response.headers)
                seconds = max(seconds, _wished_pause(response))
            pause(min(seconds, _LONGEST_PAUSE))
        raise AssertionError("the last try returns or raises")

    def stream(self, request: Request) -> Stream:
        """Lines of an answer that goes on, such as a watch."""
        try:
            response = self._request(request, request.timeout, stream=True)
            if response.status >= 300:
                raise explain(request, response.status, response.read(), self.access)
        except self._urllib3.exceptions.HTTPError as error:
            raise explain_trouble(error, self.access) from error
        opened = Stream(response, self.access, self._urllib3.exceptions.HTTPError, self._streams.discard)
        self._streams.add(opened)
        return opened

    def close(self) -> None:
        """End open streams and drop the connections."""
        for stream in tuple(self._streams):
            stream.close()
        self._pool.clear()

    def _request(self, request: Request, timeout: float, *, stream: bool) -> urllib3.BaseHTTPResponse:
        url = self.access.host + request.path
        if request.query:
            url = f"{url}?{urlencode(request.query)}"
        with self._lock:
            self.requests += 1
        # urllib3 waits for each block that it sends as long as it would for a connection.
        sending = timeout if request.streams else min(_CONNECT_TIMEOUT, timeout)
        response = self._pool.request(
            request.method,
            url,
            body=request.body,
            headers=self._headers(request),
            timeout=self._urllib3.Timeout(connect=sending, read=timeout),
            retries=False,
            redirect=False,
            preload_content=not stream,
        )
        self._answered = True
        self._read_clock(response.headers.get("Date"))
        return response

    def _headers(self, request: Request) -> Mapping[str, str]:
        access = self.access
        headers: dict[str, str] = {"Accept": "application/json", "User-Agent": "scp.dataops", **request.headers}
        token = _token(access)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        elif access.username:
            pair = base64.b64encode(f"{access.username}:{access.password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        if access.impersonate_user:
            headers["Impersonate-User"] = access.impersonate_user
        if access.impersonate_groups:
            from urllib3._collections import HTTPHeaderDict

            repeated = HTTPHeaderDict(headers)
            for group in access.impersonate_groups:
                repeated.add("Impersonate-Group", group)
            return repeated
        return headers

    def _read_clock(self, date: str | None) -> None:
        if date:
            self.clock_ahead = parsedate_to_datetime(date).timestamp() - time.time()


class Stream:
    """Iterates over the lines of a response; `close` may be called from another thread to end it."""

    def __init__(
        self,
        response: urllib3.BaseHTTPResponse,
        access: Access,
        broken: type[Exception],
        forget: Callable[[Stream], None],
    ) -> None:
        self._response = response
        self._broken = broken
        self._access = access
        self._forget = forget
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            for line in self._response:
                if line.strip():
                    yield line
        except (self._broken, OSError, ValueError) as error:
            # A stream that was closed under its reader ends; every other end has a reason.
            if not self._closed:
                raise explain_trouble(error, self._access) from error
        finally:
            self._forget(self)
            self._response.close()

    def close(self) -> None:
        """Wake the reader up and let it end."""
        self._closed = True
        shutdown = getattr(self._response, "shutdown", None)
        if shutdown is None:
            return  # urllib3 before 2.3: the reader ends when the server closes the stream
        try:
            shutdown()
        except (ValueError, RuntimeError, OSError):
            return  # it has ended already


def _pool(access: Access) -> urllib3.PoolManager:
    import urllib3

    settings: dict[str, Any] = {"maxsize": _CONNECTIONS, "block": False}
    if access.host.startswith("https://"):
        settings["ssl_context"] = tls_context(access)
        if not hasattr(urllib3, "BaseHTTPResponse"):
            # urllib3 before 2 compares names itself; it passes no IP address on to the check that Python would do.
            settings["ssl_context"].check_hostname = False
        if access.tls_server_name:
            settings |= {"server_hostname": access.tls_server_name, "assert_hostname": access.tls_server_name}
        if not access.validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if not access.proxy or bypasses_proxy(access):
        return urllib3.PoolManager(**settings)
    return proxied_pool(access.proxy, settings)


def _token(access: Access) -> str:
    if access.renew_token:
        return access.renew_token()
    if not access.token_file:
        return access.token
    try:
        # Read each time: the kubelet and other agents replace it before it expires.
        with open(access.token_file, encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        raise Unreachable(
            f"the token file {access.token_file} cannot be read: {error.strerror}", where=access.source
        ) from error


def _wished_pause(response: urllib3.BaseHTTPResponse) -> float:
    wish = response.headers.get("Retry-After") or ""
    return float(wish) if wish.isdigit() else 0.0
