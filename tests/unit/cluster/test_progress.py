# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line when a step starts and one when it ends; a wait tells why, and ends when there is no hope."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from cluster import progress
from cluster.errors import ClusterError
from cluster.progress import step, wait_until
from cluster.shell import run, succeeds

Read = pytest.CaptureFixture[str]


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_a_step_tells_its_time(clock: Clock, capsys: Read) -> None:
    with step("start etcd"):
        clock.sleep(1.5)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "start etcd ...\nstart etcd: done in 1.5 s\n")


@pytest.mark.parametrize("end", [ClusterError("No."), KeyboardInterrupt()], ids=["failure", "control-C"])
def test_a_step_tells_its_time_also_on_failure(end: BaseException, clock: Clock, capsys: Read) -> None:
    def fail() -> None:
        with step("start etcd"):
            clock.sleep(61)
            raise end

    with pytest.raises(type(end)):
        fail()
    assert capsys.readouterr().err == "start etcd ...\nstart etcd: failed after 61.0 s\n"


def ready_at(clock: Clock, second: float) -> Callable[[], str]:
    return lambda: "" if clock.now >= 100 + second else "no answer"


# Ready after; dead after; what goes wrong; what is told meanwhile.
WAITS = {
    "ready at once": (0, 999, "", ""),
    "ready soon": (9, 999, "", ""),
    "ready after a while": (25, 999, "", "  still waiting for etcd: no answer\n" * 2),
    "never": (999, 999, "etcd was not ready after 30 s: no answer.", "  still waiting for etcd: no answer\n" * 2),
    "dead meanwhile": (999, 5, "etcd has ended.", ""),
    "ready counts more than dead": (0, 0, "", ""),
}


@pytest.mark.parametrize(("ready", "dead", "failure", "told"), WAITS.values(), ids=WAITS.keys())
def test_wait_until(ready: float, dead: float, failure: str, told: str, clock: Clock, capsys: Read) -> None:
    said = ""
    try:
        wait_until("etcd", ready_at(clock, ready), 30, lambda: "etcd has ended." if clock.now >= 100 + dead else "")
    except ClusterError as error:
        said = str(error)
    assert said == failure
    assert capsys.readouterr().err == told
    assert clock.now <= 131


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


# Program; its sentence.
FAILURES = {
    "said why": (
        python("import sys; print('some output'); sys.exit('no route\\nto host')"),
        f"{sys.executable} -S -c failed with exit code 1: \n  no route\n  to host",
    ),
    "said it on the wrong stream": (
        python("print('no route'); raise SystemExit(3)"),
        f"{sys.executable} -S -c failed with exit code 3: \n  no route",
    ),
    "said too much": (
        python("import sys; sys.exit('\\n'.join(f'line {n}' for n in range(100)))"),
        f"{sys.executable} -S -c failed with exit code 1: " + "".join(f"\n  line {n}" for n in range(92, 100)),
    ),
    "is not there": (["/no/such/program"], "/no/such/program could not be run: No such file or directory."),
}


@pytest.mark.parametrize(("argv", "sentence"), FAILURES.values(), ids=FAILURES.keys())
def test_a_program_that_fails_is_a_sentence(argv: list[str], sentence: str) -> None:
    with pytest.raises(ClusterError) as caught:
        run(argv)
    assert str(caught.value) == sentence
    assert not succeeds(argv)


def test_a_program_gets_its_input_and_gives_its_output() -> None:
    assert run(python("print(input() + '!')"), stdin="hello\n") == "hello!\n"
    assert succeeds(python(""))
