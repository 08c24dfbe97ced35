# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call to the API server as a value, made before anything is sent; it also knows how to speak about itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .masking import secret_values
from .objects import Manifest


@dataclass(frozen=True)
class Request:
    """One HTTP request; `verb` and `target` are how an error speaks of it ("create", "Secret/keys in namespace x").

    A body in blocks is sent one by one and never held as a whole; it needs a Content-Length, and cannot be repeated.
    """

    method: str
    path: str
    verb: str
    target: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    repeatable: bool = True
    timeout: float = 0
    manifest: Manifest | None = field(default=None, repr=False)

    @property
    def streams(self) -> bool:
        return self.body is not None and not isinstance(self.body, bytes)

    def secrets(self) -> tuple[str, ...]:
        """Values it carries that must not show up in a message, even if the server repeats them."""
        return tuple(secret_values(self.manifest)) if self.manifest else ()


def target(kind: str, name: str = "", namespace: str | None = None) -> str:
    """How an object, or all objects of a kind, is called in a message."""
    called = f"{kind}/{name}" if name else kind
    return f"{called} in namespace {namespace}" if namespace else called
