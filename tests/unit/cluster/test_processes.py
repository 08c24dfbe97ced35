# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the very process that was started is ever believed in, or ended."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from cluster import processes, settings
from cluster.errors import ClusterError
from cluster.processes import Component, Record, is_alive, read_record, start, state_of, stop, tail, why_dead

# More than the kernel gives out.
NOBODY = 2**22 + 1
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True);"


def python(code: str = "") -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", f"import time; {code} time.sleep(60)")


def component(name: str = "etcd", argv: tuple[str, ...] = python(), answer: str = "", **over: Any) -> Component:
    return Component(name, argv, lambda: answer, **over)


def kept(record: Record) -> Component:
    """Another component, with this record on disk."""
    made = component("stale")
    made.record.parent.mkdir(parents=True, exist_ok=True)
    made.record.write_text(json.dumps(asdict(record)))
    return made


def record_of(made: Component) -> Record:
    found = read_record(made.record)
    assert found
    return found


def soon(holds: Callable[[], bool]) -> bool:
    """Whether something becomes true within the time that even a busy machine needs."""
    deadline = time.monotonic() + 20
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return held


@pytest.fixture
def _ended(folders: Path) -> Iterator[None]:
    """Whatever a test starts has ended after it."""
    yield
    stop(settings.PROCESSES.glob("*.json"), patience=0)


@pytest.fixture
def running(_ended: None) -> Component:
    made = component()
    start(made)
    return made


# Each turns the record of a running process into one that must not match it.
FOREIGN: dict[str, Callable[[Record], Record]] = {
    "its number was given to another process": lambda own: replace(own, started=str(int(own.started) - 1)),
    "the machine was booted since": lambda own: replace(own, boot="another-boot"),
    "there is no such process": lambda own: replace(own, pid=NOBODY),
    "it had ended before its start was noted": lambda own: replace(own, pid=NOBODY, started=""),
    "so, and its number was given away": lambda own: replace(own, started=""),
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_stale_record_matches_nothing_and_nothing_is_ended(
    foreign: Callable[[Record], Record], running: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = kept(foreign(record_of(running)))
    reached: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(processes.os, "kill", lambda pid, _number: reached.append(pid))
        stop([stale.record])
    assert reached == []
    assert not is_alive(record_of(stale))
    assert state_of(stale) == f"ended, see {settings.LOGS}/stale.log"
    assert why_dead(stale) == f"stale has ended. Its last lines ({settings.LOGS}/stale.log):\n  (no log)"
    assert is_alive(record_of(running))


BROKEN = {
    "no file": None,
    "cut short": '{"pid": 1, "star',
    "of another version": '{"pid": 1}',
    "no object": "[]",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_record_that_cannot_be_read_is_none(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "etcd.json"
    if text is not None:
        file.write_text(text)
    assert read_record(file) is None
    assert not is_alive(None)


def test_this_very_process_is_recognised() -> None:
    own = Record(os.getpid(), processes._start_time(os.getpid()), processes.boot_id(), "")
    assert is_alive(own)


# What follows the pid in /proc/PID/stat; its start time, empty for one that has ended.
FIELDS = "0 " * 14
STATS = {
    "running": (f"(etcd) S {FIELDS} 0 0 9 0 4711 0", "4711"),
    "brackets and blanks in its name": (f"(a) b (c)) R {FIELDS} 0 0 1 0 4711 0", "4711"),
    "waits to be reaped": (f"(etcd) Z {FIELDS} 0 0 1 0 4711 0", ""),
    "its first thread has ended, others hold the port": (f"(etcd) Z {FIELDS} 0 0 9 0 4711 0", "4711"),
    "dead": (f"(etcd) X {FIELDS} 0 0 1 0 4711 0", ""),
}


@pytest.mark.parametrize(("stat", "started"), STATS.values(), ids=STATS.keys())
def test_start_time(stat: str, started: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "proc" / "42").mkdir(parents=True)
    (tmp_path / "proc" / "42" / "stat").write_text(f"42 {stat}")
    monkeypatch.setattr(processes, "Path", lambda name: tmp_path / name.lstrip("/"))
    assert processes._start_time(42) == started


def test_what_runs_as_it_should_is_left_alone(running: Component) -> None:
    before = record_of(running)
    start(component())
    assert record_of(running) == before


# What is different the second time.
NEWS: dict[str, dict[str, Any]] = {
    "other options": {"argv": python("pass;")},
    "another environment": {"environment": {"A": "1"}},
    "it reads a file now": {"reads": (Path(__file__),)},
}


@pytest.mark.parametrize("news", NEWS.values(), ids=NEWS.keys())
def test_what_runs_with_old_settings_is_restarted(news: dict[str, Any], running: Component) -> None:
    before = record_of(running)
    start(component(**news))
    assert record_of(running).pid != before.pid
    assert is_alive(record_of(running))
    assert not is_alive(before)


def test_another_content_of_a_file_it_reads_is_another_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "etcd.yaml"
    prints = []
    for text in ("a", "b", "a"):
        file.write_text(text)
        prints.append(component(reads=(file,)).fingerprint())
    assert prints[0] != prints[1]
    assert prints[0] == prints[2]


@pytest.mark.usefixtures("_ended")
def test_what_a_component_said_before_it_ended_is_quoted() -> None:
    made = component(argv=(sys.executable, "-S", "-c", "print('one', flush=True); raise SystemExit('no such option')"))
    start(made)
    assert soon(lambda: why_dead(made).endswith("no such option"))
    assert soon(lambda: state_of(made) == f"ended, see {made.log}")


@pytest.mark.usefixtures("_ended")
def test_one_that_does_not_listen_is_killed() -> None:
    made = component(argv=python(STUBBORN))
    start(made)
    assert soon(lambda: "ready" in tail(made.log, 1))
    before = record_of(made)
    stop([made.record], patience=0.1)
    assert not is_alive(before)
    assert not made.record.exists()


def test_a_program_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ClusterError) as caught:
        start(component(argv=("/no/such/program",)))
    assert str(caught.value) == "etcd could not be started: No such file or directory."


def test_state_of_one_that_was_never_started() -> None:
    assert state_of(component()) == "not started"


def test_state_of_one_that_runs_is_what_its_probe_says(running: Component) -> None:
    assert state_of(running) == ""
    assert state_of(component(answer="its health page answers 500")) == "its health page answers 500"


def test_the_end_of_a_log_is_short(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    log.write_bytes(b"first\n" + b"x" * 400 + b"\nlast \xff\n")
    assert tail(log, 2) == f"  {'x' * 300}\n  last \N{REPLACEMENT CHARACTER}"
