# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the contestants in turn and keeping what was measured."""

from __future__ import annotations

import re
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from cluster.progress import say
from scripts.lib.demo.errors import DemoError

from .audit import AuditLog, Traffic
from .workplace import USER, Contestant, Workplace

CHANGED = re.compile(r"changed=[1-9]")


@dataclass(frozen=True)
class Sample:
    """One run of one contestant.

    :param wall: seconds from start to end of the program.
    :param cpu: seconds of processor time of the program and all that it started; hardly touched by other load.
    :param module: seconds that the module's process lived on the host, from the start of Python to its end; 0 if none.
    :param traffic: None when there is no audit log to count in.
    :param said_changed: whether Ansible reported a change, which is wrong here: nothing is to be changed.
    """

    wall: float
    cpu: float
    module: float
    traffic: Traffic | None
    said_changed: bool


@dataclass(frozen=True)
class Result:
    contestant: Contestant
    samples: tuple[Sample, ...]
    baseline: float

    @property
    def wall(self) -> float:
        return median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        return median(sample.cpu for sample in self.samples)

    @property
    def own(self) -> float:
        """Seconds less those of an empty playbook; a program outside of Ansible has none to take off."""
        return self.wall - self.baseline if self.contestant.in_ansible else self.wall

    @property
    def module(self) -> float:
        return median(sample.module for sample in self.samples)

    @property
    def requests(self) -> int | None:
        """The most of any round: a count is not noise."""
        counts = [sample.traffic.requests for sample in self.samples if sample.traffic]
        return max(counts) if counts else None

    @property
    def wrong(self) -> int:
        """In how many rounds a change was reported that was none."""
        return sum(sample.said_changed for sample in self.samples)

    @property
    def talking(self) -> float | None:
        """Seconds from the first request to the last answer."""
        spans = [sample.traffic.seconds for sample in self.samples if sample.traffic]
        return median(spans) if spans else None


def measure(place: Workplace, audit: AuditLog | None, rounds: int) -> list[Result]:
    """Every contestant once per round, each round beginning with another one; before that one that is not counted."""
    contestants = list(place.contestants())
    samples: dict[str, list[Sample]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds + 1):
        taken = {one.name: run(one, place, audit) for one in turned(contestants, number)}
        line = ", ".join(f"{one.name} {taken[one.name].wall:.2f} s" for one in contestants)
        say(f"  {f'round {number} of {rounds}' if number else 'not counted'}: {line}")
        if number:
            for name, sample in taken.items():
                samples[name].append(sample)
    baseline = median(sample.wall for sample in samples["empty"])
    return [Result(contestant, tuple(samples[contestant.name]), baseline) for contestant in contestants]


def turned(contestants: Sequence[Contestant], by: int) -> list[Contestant]:
    first = by % len(contestants)
    return [*contestants[first:], *contestants[:first]]


def run(contestant: Contestant, place: Workplace, audit: AuditLog | None) -> Sample:
    place.times.unlink(missing_ok=True)
    position = audit.position() if audit else 0
    start, used = time.perf_counter(), cpu_of_children()
    done = subprocess.run(
        contestant.command,
        env=place.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    wall, cpu = time.perf_counter() - start, cpu_of_children() - used
    if done.returncode != 0:
        raise DemoError(f"{contestant.title} failed:\n{(done.stdout + done.stderr).strip()}")
    module = sum(int(line) for line in place.times.read_text().split()) / 1e9 if place.times.exists() else 0.0
    traffic = audit.since(position, USER) if audit else None
    return Sample(wall, cpu, module, traffic, said_changed=bool(CHANGED.search(done.stdout)))


def cpu_of_children() -> float:
    """Seconds of all programs that have ended so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
