# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a form is about, and what somebody filled in and was shown the effect of, until it is applied.

That stays here, for a quarter of an hour and for that session only: a password need not travel back into a page, and
what is applied is what was shown.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.errors import NotFound
from ansible_collections.scp.dataops.plugins.module_utils.manager.effects import Effect

from .api.common import Change
from .forms import NAME, Body, Form

SECONDS = 15 * 60
MOST = 50


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a form is about, as it is now; ``name`` and ``base`` are empty for what is not there yet.

    ``base`` tells one state of it from another. ``options`` is what is recorded, ``own`` the same as a body, and
    ``usual`` holds by field what is so where nothing is chosen. When ``folded``, groups but the first are closed unless
    something is in them. ``merged`` tells what would be recorded, ``apply`` does it or plans it, and ``effects`` says
    what that does to others.
    """

    form: Form
    title: str
    path: str
    back: str
    merged: Callable[[Body], Mapping[str, Any]]
    apply: Callable[[Change, Body], dict[str, Any]]
    effects: Callable[[Change, Mapping[str, Any]], Sequence[Effect]] | None = None
    folded: bool = False
    name: str = ""
    base: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, str] = field(default_factory=dict)


Opened = Callable[[Change], Subject]


@dataclass(frozen=True, kw_only=True, repr=False)
class Draft:
    """``body`` may hold passwords, hence no ``repr``; ``values`` are what was typed, without them.

    ``subject`` is as it was when this was filled in, ``opened`` looks at it again. ``changes`` are options with their
    value before and after, ``effects`` what becomes of others; None where nothing ever does.
    """

    owner: str
    opened: Opened
    subject: Subject
    values: Mapping[str, str]
    body: Body
    plan: Mapping[str, Any]
    changes: Sequence[tuple[str, str, str]] = ()
    effects: Sequence[Effect] | None = None

    @property
    def name(self) -> str:
        return self.subject.name or self.body[NAME.key]


@dataclass
class Drafts:
    """In memory only; the oldest makes room for one too many."""

    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, tuple[float, Draft]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, draft: Draft) -> str:
        """Where it can be found."""
        number = secrets.token_urlsafe(18)
        with self._lock:
            self._forget()
            self._kept[number] = (self.clock(), draft)
        return number

    def get(self, number: str, owner: str) -> Draft:
        """:raises NotFound: it is too old, was applied, or is somebody else's."""
        with self._lock:
            self._forget(0)
            found = self._kept.get(number, (0, None))[1]
        if found is None or found.owner != owner:
            raise NotFound("this preview is not kept any more", next_step="Fill in the form again")
        return found

    def drop(self, number: str) -> None:
        with self._lock:
            self._kept.pop(number, None)

    def forget(self) -> None:
        """What is too old, though nobody asks for it: there may be a password in it."""
        with self._lock:
            self._forget(0)

    def _forget(self, room: int = 1) -> None:
        now = self.clock()
        young = [(number, kept) for number, kept in self._kept.items() if now - kept[0] < SECONDS]
        self._kept = dict(young[max(0, len(young) + room - MOST) :])
