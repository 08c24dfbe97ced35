# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests counted where nobody can miscount them: in the API server's audit log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Traffic:
    """Requests of one program in one run.

    :param seconds: from the arrival of the first to the answer of the last.
    """

    requests: int
    by_verb: dict[str, int]
    seconds: float


@dataclass(frozen=True)
class AuditLog:
    """The log holds neither bodies nor discovery (/api, /apis, /openapi, /version) nor the cluster's own components."""

    file: Path

    def position(self) -> int:
        return self.file.stat().st_size

    def since(self, position: int, user: str) -> Traffic:
        """What was asked since then by whoever acted as this user."""
        events: dict[str, list[dict[str, Any]]] = {}
        for event in self._events(position):
            if event.get("impersonatedUser", {}).get("username") == user:
                events.setdefault(event["auditID"], []).append(event)
        if not events:
            return Traffic(0, {}, 0.0)
        every = [event for of_one in events.values() for event in of_one]
        start = min(moment(event["requestReceivedTimestamp"]) for event in every)
        end = max(moment(event["stageTimestamp"]) for event in every)
        verbs = Counter(of_one[0]["verb"] for of_one in events.values())
        return Traffic(len(events), dict(sorted(verbs.items())), (end - start).total_seconds())

    def _events(self, position: int) -> Iterator[dict[str, Any]]:
        with self.file.open("rb") as log:
            # A log that is shorter now was begun anew.
            log.seek(position if position <= self.file.stat().st_size else 0)
            for line in log:
                yield json.loads(line)


def moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00"))
