# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running playbooks: a line for each task that changes something or takes long, the whole output in a log file, and the
recap as a value.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cluster.progress import say

from .errors import DemoError

TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?P<name>.*)\] \*+$")
RESULT = re.compile(r"^(?P<result>ok|changed|skipping|included|failed|fatal|unreachable): ")
RECAP = re.compile(r"^\S+\s+: ok=(?P<tasks>\d+)\s+changed=(?P<changed>\d+)\s")
UNREMARKABLE = ("ok", "skipping", "included")
LONG_SECONDS = 5
SILENCE_SECONDS = 15


@dataclass(frozen=True)
class Recap:
    """What Ansible counts in its last line."""

    tasks: int
    changed: int


def environment() -> dict[str, str]:
    """Ansible as it comes: no settings of the user's own, and the form of output that is read here."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    home = Path(os.environ["CACHE"], "ansible")
    empty = home / "ansible.cfg"
    home.mkdir(parents=True, exist_ok=True)
    empty.touch()
    own = {"ANSIBLE_HOME": str(home), "ANSIBLE_CONFIG": str(empty)}
    return {**inherited, **own, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_NOCOLOR": "1"}


def variables(inventory: str) -> Mapping[str, Any]:
    """What an inventory says of its one host, as it is written there."""
    command = ["ansible-inventory", "--inventory", inventory, "--host", "localhost"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DemoError(f"The inventory {inventory} cannot be read: {done.stderr.strip()}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def run_playbook(
    name: str, arguments: Sequence[str], *, log: Path, waiting_for: Callable[[], str] = lambda: ""
) -> Recap:
    """Run a playbook to its end.

    :param log: where its whole output goes.
    :param waiting_for: asked when a task has been silent for a while; says what is not there yet, if it knows.
    :raises DemoError: quoting the task that failed.
    """
    follower = Follower(waiting_for)
    command = ["ansible-playbook", name, *arguments]
    with (
        log.open("w") as file,
        subprocess.Popen(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in follower.follow(process.stdout or ()):
            file.write(line)
    if process.returncode != 0 or follower.recap is None:
        said = "".join(f"\n    {line}" for line in follower.complaint)
        raise DemoError(f"Ansible failed at task '{follower.task}':{said}", f"\nIts whole output: {log}")
    return follower.recap


class Follower:
    """Reads Ansible's output while it appears, and says where it is."""

    def __init__(self, waiting_for: Callable[[], str]) -> None:
        self.recap: Recap | None = None
        self.task = "(none yet)"
        self.said: list[str] = []
        self._since = time.monotonic()
        self._waiting_for = waiting_for

    @property
    def complaint(self) -> Sequence[str]:
        """What the last task said, up to where Ansible begins to quote its own files."""
        return [line for line in itertools.takewhile(lambda line: not line.startswith("Origin: "), self.said) if line]

    def follow(self, output: IO[str] | tuple[()]) -> Iterator[str]:
        """Pass the lines on; while there are none, say for how long and why."""
        lines: queue.Queue[str | None] = queue.Queue()

        def read() -> None:
            for line in output:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=SILENCE_SECONDS)
            except queue.Empty:
                why = self._waiting_for()
                say(f"  {self.task}: {self._seconds()} so far{', ' if why else ''}{why}")
                continue
            if line is None:
                return
            self._take(line.rstrip())
            yield line

    def _take(self, line: str) -> None:
        if found := TASK.match(line):
            self.task, self.said, self._since = found["name"], [], time.monotonic()
        elif found := RECAP.match(line):
            self.recap = Recap(int(found["tasks"]), int(found["changed"]))
        else:
            self.said.append(line)
            found = RESULT.match(line)
            if found and (found["result"] not in UNREMARKABLE or time.monotonic() - self._since > LONG_SECONDS):
                say(f"  {self.task}: {found['result']}, {self._seconds()}")

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._since:.0f} s"
