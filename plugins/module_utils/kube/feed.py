# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow several lists of objects at once: threads list and watch, one queue brings what they see."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol

from ..errors import ApiError, DataOpsError, Forbidden, NotFound, Unauthorized, Unreachable
from .client import Kube
from .objects import Manifest
from .watch import Watch

_WATCH_FOR = 120
_PAUSE = 1.0
_GONE = 410


@dataclass(frozen=True)
class Source:
    """A list to follow, under a name of its own."""

    name: str
    kind: str
    namespace: str
    labels: str = ""
    fields: str = ""


@dataclass(frozen=True)
class Seen:
    """What a source brought: all its objects anew, one that changed, one that is gone, or why it ended."""

    source: str
    items: tuple[Manifest, ...] | None = None
    changed: Manifest | None = None
    gone: Manifest | None = None
    error: DataOpsError | None = field(default=None, compare=False)


class News(Protocol):
    """Where somebody who waits learns what happens: a Feed, or in tests a script."""

    def next(self, timeout: float) -> Seen | None:
        """What came next; None when nothing came in time."""

    def close(self) -> None:
        """No more is wanted."""


class Feed:
    """Follows its sources until it is closed; a watch that ends or breaks is opened again."""

    def __init__(self, kube: Kube, sources: Sequence[Source]) -> None:
        self._kube = kube
        self._queue: SimpleQueue[Seen] = SimpleQueue()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._watches: dict[str, Watch] = {}
        for source in sources:
            # Daemons: a reader whose server is silent must not keep the process from ending.
            threading.Thread(target=self._follow, args=(source,), name=f"feed {source.name}", daemon=True).start()

    def next(self, timeout: float) -> Seen | None:
        """What came next; None when nothing came for `timeout` seconds."""
        try:
            return self._queue.get(timeout=max(timeout, 0))
        except Empty:
            return None

    def close(self) -> None:
        """Let all threads end."""
        with self._lock:
            self._closed.set()
            for watch in self._watches.values():
                watch.close()

    def _follow(self, source: Source) -> None:
        version: str | None = ""
        while version is not None and not self._closed.is_set():
            version = self._go_on(source, version)

    def _go_on(self, source: Source, version: str) -> str | None:
        """List if need be, then watch; the version from which to go on, None when that is not possible."""
        try:
            return self._watch(source, version or self._list(source))
        except (Forbidden, Unauthorized, NotFound) as error:
            self._queue.put(Seen(source.name, error=error))
            return None
        except (ApiError, Unreachable) as error:
            # Expired (410), or the server is busy or away: start again from a list.
            if getattr(error, "status", 0) != _GONE:
                self._closed.wait(_PAUSE)
            return ""

    def _list(self, source: Source) -> str:
        items, version = self._kube.list_versioned(
            source.kind, source.namespace or None, labels=source.labels, fields=source.fields
        )
        self._queue.put(Seen(source.name, items=tuple(items)))
        return version

    def _watch(self, source: Source, version: str) -> str:
        watch = self._kube.watch(
            source.kind,
            source.namespace or None,
            labels=source.labels,
            fields=source.fields,
            resource_version=version,
            timeout=_WATCH_FOR,
        )
        with self._lock:
            self._watches[source.name] = watch
            if self._closed.is_set():
                watch.close()
        for event, item in watch:
            version = str(item["metadata"]["resourceVersion"])
            if event == "DELETED":
                self._queue.put(Seen(source.name, gone=item))
            elif event != "BOOKMARK":
                self._queue.put(Seen(source.name, changed=item))
        return version
