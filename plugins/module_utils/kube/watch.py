# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An open watch: what happens to the objects of a list, until the server ends it or somebody closes it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..errors import Unreachable
from .access import Access
from .answers import explain
from .kinds import KINDS
from .objects import Manifest
from .request import Request
from .transport import Stream


class Watch(Iterator[tuple[str, Manifest]]):
    """Yields (event, object); `close` may be called from another thread."""

    def __init__(self, kind: str, request: Request, stream: Stream, access: Access) -> None:
        self._kind = kind
        self._request = request
        self._stream = stream
        self._access = access
        self._events = self._read()

    def __next__(self) -> tuple[str, Manifest]:
        return next(self._events)

    def close(self) -> None:
        """End it; its reader sees no more events."""
        self._stream.close()

    def _read(self) -> Iterator[tuple[str, Manifest]]:
        for line in self._stream:
            try:
                event = json.loads(line)
                name, item = str(event["type"]), dict(event["object"])
            except (ValueError, TypeError, KeyError) as error:
                raise Unreachable(
                    f"the watch of {self._request.target} was cut off",
                    where=self._access.host,
                    next_step="Run this again; if it stays, look at proxies and load balancers in between",
                ) from error
            if name == "ERROR":
                raise explain(self._request, int(item.get("code") or 0), json.dumps(item).encode(), self._access)
            yield name, {"apiVersion": KINDS[self._kind].api_version, "kind": self._kind, **item}
