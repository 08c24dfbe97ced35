# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One large file, by dataops_upload and by kubectl cp: the same bytes into the same volume, new ones in each round.

kubectl cp compares nothing. What it takes to know that all arrived is measured beside it: a checksum at either end.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from cluster.progress import say
from plugins.module_utils.common.labels import COMPONENT, MANAGER, selector
from plugins.module_utils.manager.console import FILES_FOLDER
from plugins.module_utils.manager.names import CONSOLE
from scripts.lib.demo.errors import DemoError
from scripts.lib.demo.playbook import environment

from .life import Scene
from .report import Criterion, origin
from .workplace import kubectl

MEBIBYTE = 2**20
TIMES_FASTER = 2
MOST_MEMORY = 100 * 10**6
COPY = f"{FILES_FOLDER}/bench-copy"


@dataclass(frozen=True)
class Round:
    """Seconds of each way, of checksums at both ends, of an empty playbook; bytes of Ansible's memory at its peak."""

    shared: float
    plugin: float
    copied: float
    checksums: float
    empty: float
    memory: int

    @property
    def compared(self) -> float:
        return self.copied + self.checksums


Way: TypeAlias = "Callable[[Round], float]"


@dataclass(frozen=True)
class Uploads:
    """``size`` in MiB; ``console``: bytes of the console's memory at its peak."""

    size: int
    rounds: tuple[Round, ...]
    console: int

    def seconds(self, way: Way) -> float:
        return median(way(one) for one in self.rounds)

    @property
    def ansible(self) -> int:
        return max(one.memory for one in self.rounds)


def measure(here: Scene, size: int, rounds: int) -> Uploads:
    """One more round comes before those that count."""
    pod = console(here)
    taken = [one_round(here, pod, size, number) for number in range(rounds + 1)]
    peak = inside(here, pod, "awk", "/VmHWM/ {print $2}", "/proc/1/status")
    return Uploads(size, tuple(taken[1:]), int(peak) * 1024)


def console(here: Scene) -> str:
    """The pod of the Manager's console."""
    labels = f"{selector(MANAGER, here.demo.manager)},{COMPONENT}=console"
    pods = here.demo.kube.list("Pod", here.demo.namespace, labels=labels)
    if len(pods) != 1:
        raise DemoError(f"{CONSOLE} has {len(pods)} pods, where one was expected.")
    return str(pods[0]["metadata"]["name"])


def one_round(here: Scene, pod: str, size: int, number: int) -> Round:
    content, archive = here.folder / "content.bin", here.folder / "plugin.zip"
    fill(content, size)
    empty, _memory = play(here, [])
    shared, of_shared = play(here, [upload(here, "shared", content)])
    # The console takes no content a second time.
    fill(content, size)
    pack(archive, content)
    plugin, of_plugin = play(here, [upload(here, "plugin", archive)])
    copied = timed(lambda: copy(here, pod, archive))
    checksums = timed(lambda: compare(here, pod, archive))
    inside(here, pod, "rm", COPY)
    told = f"shared {shared:.2f} s, plugin {plugin:.2f} s, copied {copied:.2f} s, checksums {checksums:.2f} s"
    say(f"  {f'round {number}' if number else 'not counted'}: {told}, empty {empty:.2f} s")
    return Round(shared, plugin, copied, checksums, empty, max(of_shared, of_plugin))


def fill(file: Path, size: int) -> None:
    """So many MiB that were never sent before, and that nothing can make smaller."""
    noise = os.urandom(MEBIBYTE)
    with file.open("wb") as content:
        for number in range(size):
            content.write(number.to_bytes(8, "big") + noise[8:])


def pack(archive: Path, content: Path) -> None:
    """A plugin with a large file beside its code."""
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("bench_plugin/__init__.py", "")
        packed.write(content, "bench_plugin/content.bin")


def upload(here: Scene, kind: str, file: Path) -> Mapping[str, Any]:
    """The task of a playbook."""
    options = {"manager": here.demo.manager, "kind": kind, "name": file.name, "src": str(file)}
    return {"scp.dataops.dataops_upload": options}


def play(here: Scene, tasks: Sequence[Mapping[str, Any]]) -> tuple[float, int]:
    """A playbook, each task of which changes something: seconds, and bytes at the peak of its largest process."""
    file, log = here.folder / "upload.yml", here.folder / "upload.log"
    # JSON is YAML.
    file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = ["ansible-playbook", "--inventory", here.demo.inventory, str(file)]
    begin = time.perf_counter()
    with log.open("w") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment())
        # Popen itself does not tell what was used.
        _pid, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or (tasks and f"changed={len(tasks)} " not in log.read_text()):
        raise DemoError(f"The upload failed:\n{log.read_text().strip()}")
    return seconds, used.ru_maxrss * 1024


def copy(here: Scene, pod: str, file: Path) -> None:
    run(kubectl(), "cp", str(file), f"{here.demo.namespace}/{pod}:{COPY}", "-c", "console")


def compare(here: Scene, pod: str, file: Path) -> None:
    sums = run("sha256sum", str(file)).split()[0], inside(here, pod, "sha256sum", COPY).split()[0]
    if sums[0] != sums[1]:
        raise DemoError("What kubectl cp brought is not what was sent.")


def inside(here: Scene, pod: str, *command: str) -> str:
    return run(kubectl(), "exec", f"--namespace={here.demo.namespace}", pod, "-c", "console", "--", *command)


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise DemoError(f"{' '.join(command[:2])} failed:\n{done.stderr.strip()}")
    return done.stdout


def timed(way: Callable[[], object]) -> float:
    begin = time.perf_counter()
    way()
    return time.perf_counter() - begin


def table(uploads: Uploads) -> str:
    def row(title: str, wall: Way, own: Way) -> str:
        return f"{title:<48}{uploads.seconds(wall):>10.2f}{uploads.seconds(own):>10.2f}"

    return "\n".join(
        [
            f"{f'{uploads.size} MiB, medians':<48}{'wall s':>10}{'own s':>10}",
            row("dataops_upload, shared file", lambda one: one.shared, lambda one: one.shared - one.empty),
            row("dataops_upload, plugin, unpacked", lambda one: one.plugin, lambda one: one.plugin - one.empty),
            row("kubectl cp", lambda one: one.copied, lambda one: one.copied),
            row("kubectl cp, checksums at both ends", lambda one: one.compared, lambda one: one.compared),
        ]
    )


def criteria(uploads: Uploads) -> Sequence[Criterion]:
    shared = uploads.seconds(lambda one: one.shared - one.empty)
    plugin = uploads.seconds(lambda one: one.plugin - one.empty)
    theirs = uploads.seconds(lambda one: one.copied)
    return [
        faster("shared file", shared, theirs),
        faster("plugin, unpacked", plugin, theirs),
        within("Ansible", uploads.ansible),
        within("the console", uploads.console),
    ]


def faster(what: str, ours: float, theirs: float) -> Criterion:
    return Criterion(
        f"{what}: at least {TIMES_FASTER} times faster than kubectl cp",
        f"{ours:.2f} s and {theirs:.2f} s, {theirs / ours:.1f} times faster",
        theirs / ours >= TIMES_FASTER,
    )


def within(where: str, used: int) -> Criterion:
    return Criterion(f"at most {MOST_MEMORY // 10**6} MB in {where}", f"{used / 10**6:.0f} MB", used <= MOST_MEMORY)


def as_data(uploads: Uploads) -> dict[str, Any]:
    return {
        **origin(),
        "size": uploads.size,
        "rounds": [asdict(one) for one in uploads.rounds],
        "console": uploads.console,
        "criteria": [asdict(criterion) for criterion in criteria(uploads)],
    }
