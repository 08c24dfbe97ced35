# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for git-sync keeps git-sync's contract; it runs here as it does in its container, with a real git."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from cluster import settings

PROGRAM = settings.SOURCES / "images" / "git-sync" / "git_sync.py"
IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
# Far more than it takes, even on a busy machine.
SECONDS = 60
Start = Callable[..., "subprocess.Popen[str]"]


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("git_sync", PROGRAM)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["git_sync"] = module
    spec.loader.exec_module(module)
    return module


git_sync = loaded()


def commit(repository: Path, text: str) -> str:
    (repository / "dag.py").write_text(text)
    for arguments in (["add", "-A"], ["commit", "-q", "-m", text]):
        subprocess.run(["git", *IDENTITY, *arguments], cwd=repository, check=True)
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository with one commit."""
    repository = tmp_path / "source"
    subprocess.run(["git", "init", "-q", "-b", "main", repository], check=True)
    commit(repository, "first")
    return repository


@pytest.fixture
def start(source: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts the program on that repository; what still runs ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*flags: str, repo: str = "", **environment: str) -> subprocess.Popen[str]:
        fixed = [f"--repo={repo or source.as_uri()}", "--ref=main", f"--root={tmp_path / 'root'}", "--link=current"]
        process = subprocess.Popen(
            [sys.executable, PROGRAM, *fixed, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path), **environment},
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said = process.communicate(timeout=SECONDS)[1]
    return process.returncode, said


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


FLAGS = {
    "equals sign": (["--period=1m30s"], "period", 90.0),
    "two words": (["--depth", "0"], "depth", 0),
    "a truth alone": (["--one-time", "--depth=3"], "one-time", True),
    "a truth that is not": (["--ssh-known-hosts=false"], "ssh-known-hosts", False),
    "parts of a second": (["--period=500ms"], "period", 0.5),
    "a default": ([], "ref", "HEAD"),
    "the last one wins": (["--ref=a", "--ref=b"], "ref", "b"),
}


@pytest.mark.parametrize(("arguments", "name", "value"), FLAGS.values(), ids=FLAGS.keys())
def test_flags_are_read(arguments: list[str], name: str, value: object) -> None:
    assert git_sync.parsed(arguments, {})[name] == value


def test_a_variable_counts_where_there_is_no_flag() -> None:
    variables = {"GITSYNC_REF": "variable", "GITSYNC_MAX_FAILURES": "3", "GIT_SYNC_REV": "obsolete"}
    flags = git_sync.parsed(["--ref=flag"], variables)
    assert (flags["ref"], flags["max-failures"]) == ("flag", 3)


BAD_FLAGS = {
    "unknown": (["--wait=5"], "unknown flag: --wait"),
    "one dash": (["-repo=x"], "unknown flag: -repo"),
    "a number without unit": (["--period=5"], 'invalid argument "5" for "--period" flag'),
    "no number": (["--depth=all"], 'invalid argument "all" for "--depth" flag'),
    "no truth": (["--one-time=maybe"], 'invalid argument "maybe" for "--one-time" flag'),
    "nothing follows": (["--repo"], "flag needs an argument: --repo"),
}


@pytest.mark.parametrize(("arguments", "complaint"), BAD_FLAGS.values(), ids=BAD_FLAGS.keys())
def test_a_bad_flag_ends_it(arguments: list[str], complaint: str, start: Start) -> None:
    code, said = ended(start(*arguments))
    assert code == 2
    assert complaint in said


COMBINATIONS = {
    "no password": (["--username=me"], "--password-file must be specified when --username is specified"),
    "no user": (["--password-file=/x"], "may only be specified when --username is specified"),
    "metrics of nothing": (["--http-metrics"], "--http-bind must be specified when --http-metrics is set"),
    "submodules": (["--submodules=some"], "--submodules must be one of"),
    "too often": (["--period=1ms"], "--period must be at least 10ms"),
    "depth": (["--depth=-1"], "--depth must be greater than or equal to 0"),
    "no ref": (["--ref="], "--ref must be specified"),
}


@pytest.mark.parametrize(("arguments", "complaint"), COMBINATIONS.values(), ids=COMBINATIONS.keys())
def test_values_that_do_not_go_together_end_it(arguments: list[str], complaint: str, start: Start) -> None:
    code, said = ended(start(*arguments))
    assert code == 1
    assert complaint in said


GIT_CONFIGS = {
    "nothing": ("", []),
    "one": ("include.path:/etc/git/config", [("include.path", "/etc/git/config")]),
    "two": ("a.b:1,c.d:x:y", [("a.b", "1"), ("c.d", "x:y")]),
    "quoted": (r'"http.https://a.b":"/a,b","c.d":"e\"f"', [("http.https://a.b", "/a,b"), ("c.d", 'e"f')]),
    "escaped": (r"a.b:x\,y", [("a.b", "x,y")]),
}


@pytest.mark.parametrize(("text", "pairs"), GIT_CONFIGS.values(), ids=GIT_CONFIGS.keys())
def test_git_settings(text: str, pairs: list[tuple[str, str]]) -> None:
    assert git_sync.git_settings(text) == pairs


def test_git_settings_that_are_none() -> None:
    with pytest.raises(git_sync.BadFlag, match="can't parse --git-config"):
        git_sync.git_settings("a.b")


def test_ssh_with_and_without_known_hosts() -> None:
    known = git_sync.ssh_command(git_sync.parsed(["--ssh-key-file=/k", "--ssh-known-hosts-file=/h"], {}))
    assert known == "ssh -i /k -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/h"
    unknown = git_sync.ssh_command(git_sync.parsed(["--ssh-key-file=/k", "--ssh-known-hosts=false"], {}))
    assert unknown == "ssh -i /k -o StrictHostKeyChecking=no"


def test_one_sync(start: Start, source: Path, tmp_path: Path) -> None:
    head = commit(source, "second")
    code, said = ended(start("--one-time", "--touch-file=touched", "--group-write"))
    assert code == 0
    link = tmp_path / "root" / "current"
    assert os.readlink(link) == f".worktrees/{head}"
    assert (link / "dag.py").read_text() == "second"
    assert (link / "dag.py").stat().st_mode & 0o020
    assert (tmp_path / "root" / "touched").exists()
    news = [json.loads(line) for line in said.splitlines()]
    assert {"msg": "updated successfully", "ref": "main", "remote": head, "syncCount": 1}.items() <= news[1].items()


def test_the_folder_may_be_mounted_elsewhere(start: Start, tmp_path: Path) -> None:
    assert ended(start("--one-time"))[0] == 0
    elsewhere = (tmp_path / "root").rename(tmp_path / "elsewhere")
    told = subprocess.run(
        ["git", "log", "--format=%s"], cwd=elsewhere / "current", capture_output=True, text=True, check=True
    )
    assert told.stdout == "first\n"


def test_a_new_commit_is_followed_and_the_old_one_kept_for_a_while(start: Start, source: Path, tmp_path: Path) -> None:
    link, trees = tmp_path / "root" / "current", tmp_path / "root" / ".worktrees"
    start("--period=50ms", "--stale-worktree-timeout=1h")
    until(link.exists)
    commit(source, "second")
    until(lambda: (link / "dag.py").read_text() == "second")
    assert len(list(trees.iterdir())) == 2


def test_a_stale_worktree_goes(start: Start, source: Path, tmp_path: Path) -> None:
    link, trees = tmp_path / "root" / "current", tmp_path / "root" / ".worktrees"
    start("--period=50ms")
    until(link.exists)
    second = commit(source, "second")
    until(lambda: [tree.name for tree in trees.iterdir()] == [second])
    assert (link / "dag.py").read_text() == "second"


def test_what_is_there_already_is_used(start: Start, tmp_path: Path) -> None:
    assert ended(start("--one-time"))[0] == 0
    before = (tmp_path / "root" / "current" / "dag.py").stat()
    assert ended(start("--one-time"))[0] == 0
    assert (tmp_path / "root" / "current" / "dag.py").stat().st_mtime_ns == before.st_mtime_ns


def test_a_folder_that_is_no_clone_is_emptied(start: Start, tmp_path: Path) -> None:
    (tmp_path / "root" / ".git").mkdir(parents=True)
    (tmp_path / "root" / "rest").write_text("x")
    assert ended(start("--one-time"))[0] == 0
    assert not (tmp_path / "root" / "rest").exists()
    assert (tmp_path / "root" / "current" / "dag.py").exists()


def test_a_commit_is_a_ref_too(start: Start, source: Path, tmp_path: Path) -> None:
    first = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=source, capture_output=True, text=True, check=True
    ).stdout.strip()
    commit(source, "second")
    process = start(f"--ref={first}", "--period=50ms")
    until(lambda: (tmp_path / "root" / "current").exists())
    assert (tmp_path / "root" / "current" / "dag.py").read_text() == "first"
    process.terminate()
    assert ended(process)[0] == 143


def test_submodules(start: Start, source: Path, tmp_path: Path) -> None:
    module = tmp_path / "module"
    subprocess.run(["git", "init", "-q", "-b", "main", module], check=True)
    commit(module, "of a module")
    allowed = ["-c", "protocol.file.allow=always"]
    subprocess.run(
        ["git", *IDENTITY, *allowed, "submodule", "--quiet", "add", "../module", "lib"], cwd=source, check=True
    )
    commit(source, "with a module")
    assert ended(start("--one-time", "--git-config=protocol.file.allow:always"))[0] == 0
    assert (tmp_path / "root" / "current" / "lib" / "dag.py").read_text() == "of a module"


FAILURES = {
    "the first is too many": (["--max-failures=0"], 1),
    "the third is too many": (["--max-failures=3"], 3),
}


@pytest.mark.parametrize(("flags", "times"), FAILURES.values(), ids=FAILURES.keys())
def test_it_gives_up_after_so_many_failures(flags: list[str], times: int, start: Start, tmp_path: Path) -> None:
    code, said = ended(start("--period=10ms", "--error-file=error.json", *flags, repo=f"file://{tmp_path}/none"))
    assert code == 1
    last = json.loads(said.splitlines()[-1])
    assert (last["msg"], last["failCount"]) == ("too many failures, aborting", times)
    assert "does not appear to be a git repository" in last["error"]
    told = json.loads((tmp_path / "root" / "error.json").read_text())
    assert (told["Msg"], told["Err"], told["Args"]) == (last["msg"], last["error"], {"failCount": times})


def test_without_a_limit_it_goes_on_and_the_error_file_goes_away(start: Start, source: Path, tmp_path: Path) -> None:
    away = source.rename(tmp_path / "away")
    start("--period=50ms", "--max-failures=-1", "--error-file=error.json")
    until((tmp_path / "root" / "error.json").exists)
    away.rename(source)
    until(lambda: not (tmp_path / "root" / "error.json").exists())
    assert (tmp_path / "root" / "current" / "dag.py").read_text() == "first"


def test_the_probe_tells_the_first_sync_and_metrics_count(start: Start, source: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"

    def ask(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    away = source.rename(tmp_path / "away")
    start("--period=50ms", "--max-failures=-1", f"--http-bind={address}", "--http-metrics=true")
    until(lambda: 'git_sync_count_total{status="error"}' in ask("/metrics")[1])
    assert ask("/") == (503, "repo is not ready\n")
    away.rename(source)
    until(lambda: ask("/")[0] == 200)
    code, told = ask("/metrics")
    assert code == 200
    assert 'git_sync_count_total{status="success"} 1' in told
    assert 'git_sync_duration_seconds_count{status="success"} 1' in told


def test_a_password_stays_out_of_log_and_clone(start: Start, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("not-to-be-seen")
    process = start("--one-time", "--username=me", f"--password-file={tmp_path / 'password'}")
    code, said = ended(process)
    assert (code, "not-to-be-seen" in said) == (0, False)
    found = subprocess.run(["grep", "-r", "not-to-be-seen", tmp_path / "root"], capture_output=True, check=False)
    assert found.returncode == 1
