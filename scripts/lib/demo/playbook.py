# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running playbooks: one line per task while they run, the full output in a log file, and the recap as a value."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cluster.progress import say

from .errors import DemoError

TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?P<name>.*)\] \*+$")
RESULT = re.compile(r"^(?P<result>ok|changed|skipping|included|failed|fatal|unreachable): ")
RECAP = re.compile(r"^\S+\s+: ok=(?P<tasks>\d+)\s+changed=(?P<changed>\d+)\s")
SILENCE_SECONDS = 15


@dataclass(frozen=True)
class Recap:
    """What Ansible counts in its last line."""

    tasks: int
    changed: int


def environment() -> dict[str, str]:
    """Ansible as it comes: no settings of the user's own, and one form of output, which is read here."""
    own = {"ANSIBLE_CONFIG": os.devnull, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_NOCOLOR": "1"}
    return {**os.environ, **own, "ANSIBLE_HOME": str(Path(os.environ["CACHE"], "ansible"))}


def run_playbook(
    name: str,
    arguments: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    waiting_for: Callable[[], str] = lambda: "",
) -> Recap:
    """Run a playbook to its end.

    :param log: where its whole output goes.
    :param waiting_for: asked when a task has been silent for a while; it says what the task waits for, if it knows.
    :raises DemoError: quoting the task that failed.
    """
    follower = Follower(waiting_for)
    command = ["ansible-playbook", name, *arguments]
    with (
        log.open("w") as file,
        subprocess.Popen(
            command, env=env or environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        ) as process,
    ):  # fmt: skip
        for line in follower.lines(process.stdout):
            file.write(line)
    if process.returncode != 0 or follower.recap is None:
        said = "".join(["\n    " + text for text in follower.of_task if text])
        raise DemoError(f"Ansible failed at task '{follower.task}':{said}\n", f"Its whole output is in {log}")
    return follower.recap


class Follower:
    """Reads Ansible's output while it appears and says, in a line per task, where it is."""

    def __init__(self, waiting_for: Callable[[], str]) -> None:
        self.recap: Recap | None = None
        self.task = "(none yet)"
        self.of_task: list[str] = []
        self._since = time.monotonic()
        self._waiting_for = waiting_for

    def lines(self, output: IO[str] | None) -> Sequence[str] | Iterator[str]:
        """The lines, each as soon as it is there."""
