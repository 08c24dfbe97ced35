# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server that says what a test wants, and remembers what it was asked; the real client talks to it."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def writes(self) -> bool:
        return self.method != "GET" and self.query.get("dryRun") != "All"


@dataclass(frozen=True)
class Answer:
    """What comes back. `fault`: "reset" (connection cut before an answer), "cut" (in the middle), "slow"."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def status(code: int, reason: str, message: str, causes: list[dict[str, str]] | None = None) -> Answer:
    """An error as the API server words it."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
        "details": {"causes": causes or []},
    }
    return Answer(code, body)


class FakeApi:
    """Answers come from a list, in order, the last one again and again; or from a function of the request."""

    def __init__(self, *answers: Answer, respond: Callable[[Asked], Answer] | None = None) -> None:
        self.asked: list[Asked] = []
        self._answers = list(answers) or [Answer()]
        self._respond = respond
        self._lock = threading.Lock()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                api.serve(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        asked = Asked(handler.command, url.path, query, dict(handler.headers.items()), body)
        with self._lock:
            self.asked.append(asked)
            if self._respond is None:
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if self._respond is not None:
            answer = self._respond(asked)
        _send(handler, answer)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    if answer.fault == "reset":
        # With a linger time of zero, closing sends a reset.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()
        return
    if answer.fault == "slow":
        time.sleep(0.6)
    content = answer.content()
    handler.send_response(answer.status)
    for name, value in {"Content-Type": "application/json", **answer.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content) + (100 if answer.fault == "cut" else 0)))
    handler.end_headers()
    handler.wfile.write(content)
    if answer.fault == "cut":
        handler.close_connection = True
