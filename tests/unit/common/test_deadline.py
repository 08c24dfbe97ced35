# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deadline comes, except while it is stopped."""

from __future__ import annotations

from ansible_collections.scp.dataops.plugins.module_utils.common.deadline import LEAST, Deadline


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_comes() -> None:
    clock = Clock()
    deadline = Deadline(60, clock)
    assert deadline.left() == 60
    clock.now += 50
    assert deadline.left() == 10
    clock.now += 50
    assert deadline.left() == LEAST


def test_time_while_it_is_stopped_does_not_count() -> None:
    clock = Clock()
    deadline = Deadline(60, clock)
    with deadline.stopped():
        clock.now += 500
    assert deadline.left() == 60
