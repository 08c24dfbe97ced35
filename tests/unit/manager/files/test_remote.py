# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Large files over real connections to the real console, which are cut on purpose."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from ansible_collections.scp.dataops.console.app import create_app
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError, NotReady
from ansible_collections.scp.dataops.plugins.module_utils.kube import transport
from ansible_collections.scp.dataops.plugins.module_utils.kube.access import find_access
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import disk, sending, sources
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import Entry, Key
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.remote import RemoteStore

from ...fake_kube import FakeKube
from ...runs import MANAGER, NAMESPACE
from .served import CONSOLE, KEYS, SECRETS, settings

PROXY = f"/api/v1/namespaces/{NAMESPACE}/services/{CONSOLE}:80/proxy"
SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/{KEYS}"
BLOCK = disk.BLOCK

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


class ApiServer:
    """Hands out the Secret, and leads to the console, as an ASGI application."""

    def __init__(self, console: Any) -> None:
        self._console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if path == SECRET:
            token = base64.b64encode(SECRETS["keys"]["engine-token"].encode())
            body = b'{"kind": "Secret", "metadata": {"name": "%s"}, "data": {"engine-token": "%s"}}' % (
                KEYS.encode(),
                token,
            )
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
        else:
            inner = path.removeprefix(PROXY)
            await self._console({**scope, "path": inner, "raw_path": inner.encode()}, receive, send)


class Cable:
    """A port that leads to another one. A connection breaks as soon as as many bytes as the next cut says went in."""

    def __init__(self, port: int) -> None:
        self.cuts: list[int] = []
        self.connections = 0
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(self._target)
            threading.Thread(target=self._in, args=(near, far), daemon=True).start()
            threading.Thread(target=self._out, args=(far, near), daemon=True).start()

    def _in(self, near: socket.socket, far: socket.socket) -> None:
        passed = 0
        while data := received(near):
            passed += len(data)
            if self.cuts and passed >= self.cuts[0]:
                self.cuts.pop(0)
                # What came so far goes through; then both ends see a reset.
                sent(far, data)
                reset(near)
                break
            sent(far, data)
        reset(far)

    def _out(self, far: socket.socket, near: socket.socket) -> None:
        while data := received(far):
            sent(near, data)
        reset(near)


def received(from_where: socket.socket) -> bytes:
    try:
        return from_where.recv(65536)
    except OSError:
        return b""


def sent(where: socket.socket, data: bytes) -> None:
    try:
        where.sendall(data)
    except OSError:
        return


def reset(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
    finally:
        connection.close()


@contextmanager
def listening(application: Any) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_config=None, access_log=False, lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.02)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    app = create_app(settings(tmp_path / "console"), FakeKube)
    with listening(ApiServer(app)) as port, closing(Cable(port)) as found:
        yield found


@pytest.fixture
def store(cable: Cable) -> Iterator[RemoteStore]:
    with closing(Kube(find_access({"host": cable.url}, {}))) as kube:
        yield RemoteStore(kube, NAMESPACE, MANAGER)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    noted: list[float] = []

    def pause(seconds: float) -> None:
        noted.append(seconds)
        threading.Event().wait(0.05)

    monkeypatch.setattr(sending, "pause", pause)
    monkeypatch.setattr(transport, "pause", lambda seconds: None)
    return noted


def large(folder: Path, size: int) -> sources.Source:
    file = folder / "large.bin"
    with file.open("wb") as content:
        for number in range(size // BLOCK):
            content.write(bytes([number % 256]) * BLOCK)
        content.write(b"x" * (size % BLOCK))
    return sources.found_at(str(file)).files[0]


def test_a_large_file_arrives(store: RemoteStore, tmp_path: Path) -> None:
    source = large(tmp_path, 20 * BLOCK + 5)
    lines: list[str] = []
    assert sending.send(store, [source], lines.append) == source.size
    version = store.stage("shared", "", "large.bin", entries=[source.entry])
    assert (version.size, version.entries) == (source.size, (source.entry,))
    assert sending.send(store, [source], lines.append) == 0
    assert lines == []


CUTS: dict[str, list[int]] = {
    "half way": [10 * BLOCK],
    "at the beginning": [BLOCK // 4],
    "again and again": [10 * BLOCK, BLOCK // 2, 4 * BLOCK, BLOCK // 2, BLOCK // 2],
}


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS.keys())
def test_a_cut_connection_goes_on(
    store: RemoteStore, cable: Cable, tmp_path: Path, pauses: list[float], cuts: list[int]
) -> None:
    source = large(tmp_path, 20 * BLOCK)
    store.missing([])
    cable.cuts = list(cuts)
    lines: list[str] = []
    sending.send(store, [source], lines.append)
    assert cable.cuts == []
    assert len(pauses) == len(cuts)
    assert store.missing([source.sha256]) == []
    assert lines[0] == "connection lost while large.bin was sent, trying again"


def test_a_run_that_gave_up_is_gone_on_with_by_the_next(
    store: RemoteStore, cable: Cable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PAUSES", (0.1, 0.1))
    source = large(tmp_path, 20 * BLOCK)
    store.missing([])
    # Nothing gets through again, however often it is tried.
    cable.cuts = [10 * BLOCK, *([0] * 1000)]
    with pytest.raises(NotReady, match=r"large\.bin: the connection was lost 3 times in a row"):
        sending.send(store, [source], lambda line: None)
    cable.cuts = []
    assert store.offset(source.sha256) > 5 * BLOCK
    sending.send(store, [source], lambda line: None)
    assert store.missing([source.sha256]) == []


def test_what_changed_on_the_way_is_refused(store: RemoteStore, tmp_path: Path) -> None:
    source = large(tmp_path, 2 * BLOCK)
    sha256 = source.sha256
    Path(source.file).write_bytes(b"y" * source.size)
    with pytest.raises(DataOpsError, match="so what came is not what was sent"):
        sending.send(store, [source], lambda line: None)
    assert store.offset(sha256) == 0


def test_it_has_the_methods_of_the_store(store: RemoteStore) -> None:
    text = sources.of_text("x", "a.txt").files
    sending.send(store, text, lambda line: None)
    version = store.stage("shared", "etl", "a.txt", by="me", entries=[text[0].entry])
    assert version.key == Key("shared", "etl", "a.txt")
    store.activate("shared", "etl", "a.txt", version.version, "me")
    assert store.history("shared", "etl", "a.txt") == [version]
    (listed,) = store.catalog()
    assert (listed["name"], listed["active"]) == ("a.txt", 1)
    plugin = sources.of_text("x = 1\n", "a.py").files
    sending.send(store, plugin, lambda line: None)
    staged = store.stage("plugin", "", "a.py", entries=[Entry("a.py", plugin[0].sha256, plugin[0].size)])
    assert store.prospective("etl").plugins == ""
    found = store.prospective("etl", {staged.key: staged.version})
    assert (len(found.plugins), found.requirements) == (64, "")
