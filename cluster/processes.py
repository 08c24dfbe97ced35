# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""Programs that run in the background on the node, and pid files that can be trusted.

A pid alone proves nothing: after a crash the number may belong to somebody else. A record also holds the start time of
the process and the boot it was started in, and only a process that matches all three is ever touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import settings
from .errors import ClusterError

# What the kernel may need to take down a process that holds much memory.
_KILLED_IN = 20.0

Probe = Callable[[], str]
"""Empty when all is well, else the reason why not."""


@dataclass(frozen=True)
class Component:
    """A program of the node: how to start it, what it reads, how to see that it works."""

    name: str
    argv: tuple[str, ...]
    probe: Probe
    reads: tuple[Path, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        return settings.LOGS / f"{self.name}.log"

    @property
    def record(self) -> Path:
        return settings.PROCESSES / f"{self.name}.json"

    def fingerprint(self) -> str:
        """Changes when the running process would have to be restarted to follow its configuration."""
        digest = hashlib.sha256(json.dumps([self.argv, self.environment]).encode())
        for file in self.reads:
            digest.update(file.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Record:
    """What is remembered of a started process."""

    pid: int
    started: str
    boot: str
    fingerprint: str


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_time(pid: int) -> str:
    """Start of a process in clock ticks since boot; empty if there is none or it is only waiting to be reaped.

    A process whose first thread has ended looks like that too, but holds its ports until the others have ended.
    """
    try:
        # The second field is the program's name in brackets and may hold anything, spaces and brackets too.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, threads, started = fields[0], int(fields[17]), fields[19]
    return "" if state in "ZX" and threads <= 1 else started


def read_record(file: Path) -> Record | None:
    try:
        return Record(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_alive(record: Record | None) -> bool:
    """Whether exactly the process of a record is there. One that ended before its record was made has no start time."""
    if record is None or not record.started or record.boot != boot_id():
        return False
    return _start_time(record.pid) == record.started


def start(component: Component) -> None:
    """Start a component unless it runs already as it should; one that runs with old settings is restarted."""
    record = read_record(component.record)
    fingerprint = component.fingerprint()
    if record and is_alive(record):
        if record.fingerprint == fingerprint:
            return
        stop([component.record])
    component.record.parent.mkdir(parents=True, exist_ok=True)
    component.log.parent.mkdir(parents=True, exist_ok=True)
    with component.log.open("ab") as log:
        try:
            process = subprocess.Popen(
                component.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**os.environ, **component.environment},
                start_new_session=True,
            )
        except OSError as error:
            raise ClusterError(f"{component.name} could not be started: {error.strerror}.") from error
    # The process is meant to outlive this one; without this, Python warns about it at exit.
    process.returncode = 0
    new = Record(process.pid, _start_time(process.pid), boot_id(), fingerprint)
    scratch = component.record.with_suffix(".new")
    scratch.write_text(json.dumps(asdict(new)))
    scratch.rename(component.record)


def why_dead(component: Component) -> str:
    """Empty if the process is there, else a sentence with the end of its log."""
    if is_alive(read_record(component.record)):
        return ""
    return f"{component.name} has ended. Its last lines ({component.log}):\n{tail(component.log, 5)}"


def state_of(component: Component) -> str:
    """Empty if a component is up and works, else why not, in a few words."""
    record = read_record(component.record)
    if record is None:
        return "not started"
    if not is_alive(record):
        return f"ended, see {component.log}"
    return component.probe()


def tail(file: Path, lines: int) -> str:
    try:
        return "\n".join(f"  {line[:300]}" for line in file.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "  (no log)"


def stop(records: Iterable[Path], patience: float = 10.0) -> None:
    """End the processes of these records: all are asked at once, and killed if they do not listen."""
    running = [(file, record) for file in records if (record := read_record(file)) and is_alive(record)]
    for _, record in running:
        _signal(record, signal.SIGTERM)
    if not _gone([record for _, record in running], patience):
        for _, record in running:
            _signal(record, signal.SIGKILL)
        _gone([record for _, record in running], _KILLED_IN)
    for file, _ in running:
        file.unlink(missing_ok=True)


def _signal(record: Record, number: signal.Signals) -> None:
    if is_alive(record):
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, number)


def _gone(records: list[Record], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(is_alive(record) for record in records):
        if time.monotonic() > deadline:
            return False
        _reap()
        time.sleep(0.05)
    return True


def _reap() -> None:
    """Collect children of this very process, if the components were started by it."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
