# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, in the words a person reads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import __main__ as command
from cluster import lifecycle, settings
from cluster.errors import ClusterError

NAMES = ["up", "down", "status", "kubeconfig", "logs", "images"]

Read = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been done to the machine."""
    noted: list[str] = []
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(lifecycle, "up", lambda: noted.append("up"))
    monkeypatch.setattr(lifecycle, "down", lambda: noted.append("down"))
    return noted


@pytest.fixture
def kubeconfig() -> Path:
    """There is a cluster, as far as its kubeconfig tells."""
    settings.STATE.mkdir()
    settings.KUBECONFIG.write_text("{}")
    return settings.KUBECONFIG


@pytest.fixture
def logs() -> Path:
    settings.LOGS.mkdir(parents=True)
    for name in ("kubelet", "audit"):
        (settings.LOGS / f"{name}.log").write_text(f"{name} says hello\n")
    return settings.LOGS


HELP = {"nothing": ([], 2), "help": (["help"], 0), "--help": (["--help"], 0), "-h": (["-h"], 0)}


@pytest.mark.parametrize(("arguments", "code"), HELP.values(), ids=HELP.keys())
def test_usage_lists_every_verb(arguments: list[str], code: int, capsys: Read) -> None:
    assert command.main(arguments) == code
    said = capsys.readouterr()
    first, *rows = said.err.splitlines()
    assert first == "usage: python3 -m cluster VERB"
    assert [row.split()[0] for row in rows] == NAMES == [verb.name for verb in command.VERBS]
    assert [row for row, verb in zip(rows, command.VERBS, strict=True) if not row.endswith(verb.help)] == []
    assert said.out == ""


def test_the_readme_shows_every_verb() -> None:
    readme = (settings.SOURCES / "README.md").read_text()
    assert [name for name in NAMES if f"python3 -m cluster {name}" not in readme] == []


# What is typed; exit code; the one sentence.
REFUSED = {
    "unknown verb": (
        ["dwon"], 2,
        'There is no verb "dwon". Use one of: up, down, status, kubeconfig, logs, images.',
    ),
    "an option of a verb": (["down", "--help"], 1, '"down" does not know "--help". Use: python3 -m cluster down'),
    "a name too many": (
        ["logs", "kubelet", "etcd"], 1,
        '"logs" does not know "etcd". Use: python3 -m cluster logs [component]',
    ),
    "status without a cluster": (["status"], 1, "There is no cluster. Start one with: python3 -m cluster up"),
    "kubeconfig without a cluster": (["kubeconfig"], 1, "There is no cluster. Start one with: python3 -m cluster up"),
    "images without a cluster": (["images"], 1, "There is no cluster. Start one with: python3 -m cluster up"),
    "logs without a cluster": (["logs", "etcd"], 1, "There is no log of etcd. There are: none"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_one_sentence(
    arguments: list[str], code: int, sentence: str, capsys: Read, calls: list[str]
) -> None:
    assert command.main(arguments) == code
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"{sentence}\n")
    assert calls == []


@pytest.mark.parametrize("verb", ["up", "down"])
def test_verbs_do_what_they_say(verb: str, calls: list[str]) -> None:
    assert command.main([verb]) == 0
    assert calls == [verb]


def test_with_a_kubeconfig_of_another_cluster_none_is_built(
    monkeypatch: pytest.MonkeyPatch, capsys: Read, calls: list[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/me/prod.yaml")
    assert command.main(["up"]) == 0
    assert capsys.readouterr().err == (
        "KUBECONFIG is set: /home/me/prod.yaml is the cluster in use, none is built here.\n"
    )
    assert calls == []


# The variable; that it names no other cluster.
OWN: dict[str, Callable[[Path], str]] = {
    "as printed": str,
    "through a link": lambda own: str(own.parent.parent / "link" / own.name),
    "empty": lambda own: "",
}


@pytest.mark.parametrize("spelled", OWN.values(), ids=OWN.keys())
def test_with_its_own_kubeconfig_the_cluster_is_started(
    spelled: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch, kubeconfig: Path, calls: list[str]
) -> None:
    own = kubeconfig.resolve()
    monkeypatch.setattr(settings, "KUBECONFIG", own)
    (own.parent.parent / "link").symlink_to(own.parent)
    monkeypatch.setenv("KUBECONFIG", spelled(own))
    assert command.main(["up"]) == 0
    assert calls == ["up"]


# Complaints of two components; exit code; what is printed.
STATES = {
    "all is well": ("", 0, "etcd                     ok\nkubelet                  ok\n"),
    "one has ended": ("ended", 1, "etcd                     ok\nkubelet                  ended\n"),
}


@pytest.mark.parametrize(("complaint", "code", "table"), STATES.values(), ids=STATES.keys())
@pytest.mark.usefixtures("kubeconfig")
def test_status(complaint: str, code: int, table: str, monkeypatch: pytest.MonkeyPatch, capsys: Read) -> None:
    monkeypatch.setattr(lifecycle, "status", lambda: [("etcd", ""), ("kubelet", complaint)])
    assert command.main(["status"]) == code
    assert capsys.readouterr().out == table


def test_the_path_of_the_kubeconfig_is_all_that_is_printed(kubeconfig: Path, capsys: Read) -> None:
    assert command.main(["kubeconfig"]) == 0
    assert capsys.readouterr() == (f"{kubeconfig}\n", "")


@pytest.mark.usefixtures("kubeconfig")
def test_images(monkeypatch: pytest.MonkeyPatch, capsys: Read) -> None:
    monkeypatch.setattr(command.build, "build", lambda: None)
    monkeypatch.setattr(command.images, "missing", lambda _binaries: ["10.250.0.1:5000/redis:7"])
    assert command.main(["images"]) == 1
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert rows.pop("10.250.0.1:5000/redis:7") == "missing or outdated"
    assert len(rows) == len(settings.IMAGES) - 1 and set(rows.values()) == {"present"}


def test_logs_are_listed(logs: Path, capsys: Read) -> None:
    assert command.main(["logs"]) == 0
    assert capsys.readouterr().out == (
        f"audit                    {logs}/audit.log\nkubelet                  {logs}/kubelet.log\n"
    )


@pytest.mark.usefixtures("logs")
def test_a_log_is_printed(capsys: Read) -> None:
    assert command.main(["logs", "kubelet"]) == 0
    assert capsys.readouterr().out == "kubelet says hello\n"


@pytest.mark.usefixtures("logs")
def test_a_log_that_is_not_there_names_those_that_are(capsys: Read) -> None:
    assert command.main(["logs", "kubelett"]) == 1
    assert capsys.readouterr().err == "There is no log of kubelett. There are: audit, kubelet\n"


def test_a_reader_that_has_seen_enough_is_no_failure(logs: Path) -> None:
    (logs / "kubelet.log").write_text("a line\n" * 100_000)
    environment = {**os.environ, "SCP_DATAOPS_STATE": str(settings.STATE)}
    with subprocess.Popen(
        [sys.executable, "-m", "cluster", "logs", "kubelet"],
        cwd=settings.SOURCES.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout and process.stderr
        assert process.stdout.readline() == b"a line\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def fail() -> None:
    raise ClusterError("etcd has ended.", "See its log.")


def interrupt() -> None:
    raise KeyboardInterrupt


# How a verb ends; exit code; what is said.
ENDS = {
    "failure": (fail, 1, "etcd has ended. See its log.\n"),
    "control-C": (interrupt, 130, "Interrupted. Run it again to go on from here.\n"),
}


@pytest.mark.parametrize(("end", "code", "said"), ENDS.values(), ids=ENDS.keys())
def test_ends(end: Callable[[], None], code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Read) -> None:
    monkeypatch.setattr(lifecycle, "up", end)
    assert command.main(["up"]) == code
    assert capsys.readouterr().err == said
