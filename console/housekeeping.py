# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the console does without being asked: fill folders of new services, sweep the volume, forget old previews.

The first Job of a service makes the folder of its shared files, and knows no upload. So folders are looked for that
nobody has filled yet.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from ansible_collections.scp.dataops.plugins.module_utils.manager.files import usage

from .cluster import Connect
from .drafts import Drafts
from .settings import Settings
from .volume import Volume

log = logging.getLogger("uvicorn.error")

LOOK_SECONDS = 3.0
# A console that has just started has something better to do.
FIRST_SWEEP_SECONDS, SWEEP_SECONDS = 600.0, 3600.0


@dataclass
class Housekeeping:
    settings: Settings
    volume: Volume
    connect: Connect
    drafts: Drafts
    clock: Callable[[], float] = time.monotonic
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """In a thread, as long as this lasts."""
        threading.Thread(target=self.run, name="housekeeping", daemon=True).start()
        try:
            yield
        finally:
            self._over.set()

    def run(self) -> None:
        next_sweep = self.clock() + FIRST_SWEEP_SECONDS
        while not self._over.wait(LOOK_SECONDS):
            self.attempt("fill folders of shared files", self.fill)
            self.attempt("forget previews", self.drafts.forget)
            if self.clock() >= next_sweep:
                next_sweep = self.clock() + SWEEP_SECONDS
                self.attempt("sweep the volume of files", self.sweep)

    def attempt(self, what: str, work: Callable[[], None]) -> None:
        """A trouble now says nothing about the next time."""
        try:
            work()
        except Exception:
            log.exception("could not %s", what)

    def fill(self) -> None:
        for service in self.volume.store().fill_new():
            log.info("shared files of service %s are in its folder", service)

    def sweep(self) -> None:
        with closing(self.connect()) as kube:
            in_use = usage.in_use(kube, self.settings.namespace, self.settings.manager)
        swept = self.volume.store().sweep(in_use)
        log.info("swept the volume of files: %s", swept)
