#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""A stand-in for git-sync v4 (https://github.com/kubernetes/git-sync), for the embedded cluster only.

The real program comes as an image from registry.k8s.io, which a machine without access to it cannot pull, and its Go
module could not be had from the module proxy that the rest of the cluster is built from. So this obeys what git-sync v4
publishes as its contract, as far as a container beside Airflow uses it, and nothing more:

- the flags of :data:`FLAGS` (each also as ``GITSYNC_<NAME>``) and ``GITSYNC_PASSWORD``; any other flag ends it with 2;
- worktrees named after their commit, one link that is swapped at once, stale worktrees removed later;
- ``--one-time``, ``--max-failures`` and their exit codes; SIGTERM ends it;
- 503 at ``/`` before the first sync and 200 after; ``/metrics``; the error file; log lines in JSON.

What the real one has besides (hooks, webhooks, cookies, askpass URLs, GitHub apps, sparse checkouts) is not here.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
TRUTHS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


class BadFlag(Exception):
    """A flag that git-sync does not have, or a value that it does not take."""


class SyncFailed(Exception):
    """One sync did not work; the next one may."""


def duration(text: str) -> float:
    """Seconds in Go's notation, such as ``1m30s``; a number without a unit is none."""
    parts = re.findall(r"([\d.]+)(ms|s|m|h)", text)
    if text != "0" and (not parts or "".join(number + unit for number, unit in parts) != text):
        raise ValueError(f"time: invalid duration {text!r}")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def truth(text: str) -> bool:
    if text.lower() not in TRUTHS:
        raise ValueError(f"invalid boolean {text!r}")
    return TRUTHS[text.lower()]


# Name of each flag: how its text is read, and its default.
FLAGS: dict[str, tuple[Callable[[str], Any], str]] = {
    "repo": (str, ""),
    "ref": (str, "HEAD"),
    "depth": (int, "1"),
    "submodules": (str, "recursive"),
    "root": (str, ""),
    "link": (str, ""),
    "period": (duration, "10s"),
    "sync-timeout": (duration, "120s"),
    "one-time": (truth, "false"),
    "max-failures": (int, "0"),
    "touch-file": (str, ""),
    "error-file": (str, ""),
    "group-write": (truth, "false"),
    "stale-worktree-timeout": (duration, "0s"),
    "username": (str, ""),
    "password-file": (str, ""),
    "ssh-key-file": (str, "/etc/git-secret/ssh"),
    "ssh-known-hosts": (truth, "true"),
    "ssh-known-hosts-file": (str, "/etc/git-secret/known_hosts"),
    "git-config": (str, ""),
    "http-bind": (str, ""),
    "http-metrics": (truth, "false"),
    "verbose": (int, "0"),
}


def given(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and text of each flag on the command line: ``--flag=text``, ``--flag text``, or ``--flag`` for a truth."""
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, has_text, text = word.removeprefix("--").partition("=")
        if not word.startswith("-"):
            continue
        if not word.startswith("--") or name not in FLAGS:
            raise BadFlag(f"unknown flag: {word.partition('=')[0]}")
        if not has_text and FLAGS[name][0] is truth:
            text = "true"
        elif not has_text:
            if not rest:
                raise BadFlag(f"flag needs an argument: --{name}")
            text = rest.pop(0)
        yield name, text


def parsed(arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """Every flag's value: from the command line, else from its variable, else its default."""
    variables = {name: environment.get(f"GITSYNC_{name.replace('-', '_').upper()}", "") for name in FLAGS}
    texts = {name: variables[name] or default for name, (_read, default) in FLAGS.items()} | dict(given(arguments))
    return {name: value(name, text) for name, text in texts.items()}


def value(flag: str, text: str) -> Any:
    try:
        return FLAGS[flag][0](text)
    except ValueError as error:
        raise BadFlag(f'invalid argument "{text}" for "--{flag}" flag: {error}') from error


def why_not(flags: Mapping[str, Any], password: str) -> str:
    """What is wrong with values that are well-formed one by one; empty if nothing is."""
    secret = password or flags["password-file"]
    rules = (
        (flags["root"], "required flag: --root must be specified"),
        (flags["repo"], "required flag: --repo must be specified"),
        (flags["ref"], "required flag: --ref must be specified"),
        (flags["depth"] >= 0, "invalid flag: --depth must be greater than or equal to 0"),
        (
            flags["submodules"] in ("recursive", "shallow", "off"),
            'invalid flag: --submodules must be one of "recursive", "shallow", or "off"',
        ),
        (flags["period"] >= 0.01, "invalid flag: --period must be at least 10ms"),
        (flags["sync-timeout"] >= 0.01, "invalid flag: --sync-timeout must be at least 10ms"),
        (
            secret or not flags["username"],
            "required flag: $GITSYNC_PASSWORD or --password-file must be specified when --username is specified",
        ),
        (
            not (password and flags["password-file"]),
            "invalid flag: only one of $GITSYNC_PASSWORD and --password-file may be specified",
        ),
        (
            flags["username"] or not secret,
            "invalid flag: a password may only be specified when --username is specified",
        ),
        (
            flags["http-bind"] or not flags["http-metrics"],
            "required flag: --http-bind must be specified when --http-metrics is set",
        ),
    )
    return next((complaint for holds, complaint in rules if not holds), "")


def git_settings(text: str) -> list[tuple[str, str]]:
    """The pairs of ``section.name:value,"section.sub.name":"value"``; a backslash makes a character an ordinary one."""
    quoted, plain = r'"(?:[^"\\]|\\.)*"', r'[^",:\\]+'
    pair = re.compile(rf'({quoted}|{plain}):({quoted}|(?:[^",\\]|\\.)*)(?:,|$)', re.DOTALL)
    pairs: list[tuple[str, str]] = []
    end = 0
    while end < len(text):
        found = pair.match(text, end)
        if not found:
            raise BadFlag(f"can't parse --git-config flag: at {text[end:]!r}")
        pairs.append((unquoted(found[1]), unquoted(found[2])))
        end = found.end()
    return pairs


def unquoted(text: str) -> str:
    if text.startswith('"'):
        text = text[1:-1]
    return re.sub(r"\\(.)", lambda escape: {"n": "\n", "t": "\t"}.get(escape[1], escape[1]), text)


def ssh_command(flags: Mapping[str, Any]) -> str:
    command = ["ssh", "-i", flags["ssh-key-file"]]
    if flags["ssh-known-hosts"]:
        command += ["-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={flags['ssh-known-hosts-file']}"]
    else:
        command += ["-o", "StrictHostKeyChecking=no"]
    return shlex.join(command)


@dataclass
class Journal:
    """JSON lines on stderr, and the last error in the error file for as long as it holds."""

    error_file: Path | None = None

    def say(self, message: str, **details: object) -> None:
        self._line({"level": 0, "msg": message, **details})

    def fail(self, message: str, error: str, **details: object) -> None:
        self._line({"msg": message, "error": error, **details})
        if self.error_file:
            self.error_file.parent.mkdir(parents=True, exist_ok=True)
            replaced(self.error_file, json.dumps({"Msg": message, "Err": error, "Args": details}))

    def all_is_well(self) -> None:
        if self.error_file:
            self.error_file.unlink(missing_ok=True)

    @staticmethod
    def _line(content: dict[str, object]) -> None:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
        print(json.dumps({"logger": "", "ts": now, **content}), file=sys.stderr, flush=True)


def replaced(file: Path, text: str) -> None:
    """Write a file so that a reader sees the old content or the new one."""
    new = file.with_name(f"tmp-{file.name}")
    new.write_text(text)
    new.chmod(0o644)
    new.replace(file)


@dataclass
class Meter:
    """What was done so far; /metrics tells most of it."""

    ready: bool = False
    fetches: int = 0
    updates: int = 0
    syncs: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def note(self, status: str, started: float) -> None:
        self.syncs[status] += 1
        self.seconds[status] = self.seconds.get(status, 0.0) + time.monotonic() - started

    def text(self) -> str:
        lines = ["# TYPE git_fetch_count_total counter", f"git_fetch_count_total {self.fetches}"]
        lines.append("# TYPE git_sync_count_total counter")
        lines += [f'git_sync_count_total{{status="{status}"}} {count}' for status, count in self.syncs.items()]
        lines.append("# TYPE git_sync_duration_seconds summary")
        for status, count in self.syncs.items():
            lines.append(f'git_sync_duration_seconds_sum{{status="{status}"}} {self.seconds[status]:.6f}')
            lines.append(f'git_sync_duration_seconds_count{{status="{status}"}} {count}')
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Repository:
    """The clone below ``root``, the link to publish, and git with a settings file of its own."""

    flags: Mapping[str, Any]
    root: Path
    environment: Mapping[str, str]

    @property
    def link(self) -> Path:
        name: str = self.flags["link"] or self.flags["repo"].strip("/").rsplit("/", 1)[-1]
        return self.root / name

    def worktree(self, commit: str) -> Path:
        return self.root / ".worktrees" / commit

    def git(self, *arguments: str | Path, cwd: Path | None = None, stdin: str = "", seconds: float = 30) -> str:
        command = ["git", *(str(argument) for argument in arguments)]
        try:
            done = subprocess.run(
                command,
                cwd=cwd or self.root,
                input=stdin,
                env=self.environment,
                timeout=max(seconds, 0.01),
                capture_output=True,
                text=True,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SyncFailed(f"Run({' '.join(command)}): context deadline exceeded") from error
        if done.returncode != 0:
            outcome = json.dumps({"stdout": done.stdout.strip(), "stderr": done.stderr.strip()})
            raise SyncFailed(f"Run({' '.join(command)}): exit status {done.returncode}: {outcome}")
        return done.stdout.strip()

    def configure(self, password: str) -> None:
        """Settings for every later call of git; the password is in a file of this container that only it can read."""
        credentials = Path(self.environment["GIT_CONFIG_GLOBAL"]).with_name("credentials")
        defaults = [("gc.autoDetach", "false"), ("core.askPass", "true"), ("safe.directory", "*")]
        defaults.append(("credential.helper", f"store --file={credentials}"))
        for name, text in defaults + git_settings(self.flags["git-config"]):
            self.git("config", "--global", name, text, cwd=Path("/"))
        if self.flags["username"]:
            lines = f"url={self.flags['repo']}\nusername={self.flags['username']}\npassword={password}\n"
            self.git("credential", "approve", stdin=lines, cwd=Path("/"))

    def current(self) -> str:
        """The commit that is published, or nothing."""
        return Path(os.readlink(self.link)).name if self.link.is_symlink() else ""

    def sync(self, meter: Meter) -> tuple[bool, str]:
        """Fetch, and publish what is new: whether anything was, and the commit."""
        deadline = time.monotonic() + self.flags["sync-timeout"]

        def git(*arguments: str | Path, cwd: Path | None = None) -> str:
            return self.git(*arguments, cwd=cwd, seconds=deadline - time.monotonic())

        if not self._is_mine():
            for leftover in self.root.iterdir():
                shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()
            git("init", "--quiet", "--initial-branch=git-sync")
        # What relative addresses of submodules start from.
        git("config", "remote.origin.url", self.flags["repo"])
        depth = ["--depth", str(self.flags["depth"])] if self.flags["depth"] else []
        was_shallow = not depth and git("rev-parse", "--is-shallow-repository") == "true"
        how = ["--no-progress", "--prune", "--no-auto-gc", *(["--unshallow"] if was_shallow else depth)]
        git("fetch", *how, self.flags["repo"], self.flags["ref"])
        commit = git("rev-parse", "FETCH_HEAD^{}")
        meter.fetches += 1
        old, tree = self.current(), self.worktree(commit)
        if old == commit and (tree / ".git").exists():
            return False, commit
        if tree.exists():
            shutil.rmtree(tree)
        git("worktree", "prune")
        git("worktree", "add", "--quiet", "--force", "--detach", "--no-checkout", tree, commit)
        # Relative, because other containers mount this folder elsewhere.
        (tree / ".git").write_text(f"gitdir: ../../.git/worktrees/{commit}\n")
        git("reset", "--quiet", "--hard", commit, "--", cwd=tree)
        if self.flags["submodules"] != "off":
            recursive = ["--recursive"] if self.flags["submodules"] == "recursive" else []
            git("submodule", "update", "--quiet", "--init", *recursive, *depth, cwd=tree)
        self.publish(tree)
        if old and self.worktree(old).exists():
            # Its time as a stale worktree starts now.
            os.utime(self.worktree(old))
        return True, commit

    def publish(self, tree: Path) -> None:
        """Swap the link at once: a reader follows the old one or the new one."""
        self.link.parent.mkdir(parents=True, exist_ok=True)
        new = self.link.parent / "tmp-link"
        new.unlink(missing_ok=True)
        new.symlink_to(os.path.relpath(tree, self.link.parent))
        new.replace(self.link)

    def remove_stale(self) -> None:
        now, kept = time.time(), self.current()
        stale = [
            tree
            for tree in (self.root / ".worktrees").iterdir()
            if tree.name != kept and now - tree.stat().st_mtime > self.flags["stale-worktree-timeout"]
        ]
        for tree in stale:
            shutil.rmtree(tree)
        if stale:
            self.git("worktree", "prune")
            self.git("gc", "--quiet", seconds=self.flags["sync-timeout"])

    def _is_mine(self) -> bool:
        """Whether the root is a sound clone of an earlier run; whatever else is there has to go."""
        if not any(self.root.iterdir()) or (self.root / ".git/shallow.lock").exists():
            return False
        try:
            self.git("fsck", "--no-progress", "--connectivity-only", seconds=self.flags["sync-timeout"])
            return self.git("rev-parse", "--show-toplevel") == str(self.root)
        except SyncFailed:
            return False


def serve(address: str, with_metrics: bool, meter: Meter) -> ThreadingHTTPServer:
    """Answer on ``[host]:port`` in the background."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if with_metrics and self.path == "/metrics":
                self._answer(200, meter.text())
            elif meter.ready:
                self._answer(200, "")
            else:
                self._answer(503, "repo is not ready\n")

        def _answer(self, code: int, text: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_request: object) -> None:
            """Probes are no news."""

    host, _colon, port = address.rpartition(":")
    server = ThreadingHTTPServer((host.strip("[]"), int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def keep_in_sync(repository: Repository, meter: Meter, journal: Journal) -> int:
    """Sync again and again; the exit code."""
    flags, failures = repository.flags, 0
    touch_file = repository.root / flags["touch-file"] if flags["touch-file"] else None
    while True:
        started = time.monotonic()
        try:
            changed, commit = repository.sync(meter)
        except (SyncFailed, OSError) as error:
            failures += 1
            meter.note("error", started)
            if 0 <= flags["max-failures"] <= failures:
                journal.fail("too many failures, aborting", str(error), failCount=failures)
                return 1
            journal.fail("error syncing repo, will retry", str(error), failCount=failures)
            time.sleep(flags["period"])
            continue
        if changed or not meter.ready:
            meter.updates += 1
            journal.say("updated successfully", ref=flags["ref"], remote=commit, syncCount=meter.updates)
            if touch_file:
                touch_file.parent.mkdir(parents=True, exist_ok=True)
                touch_file.touch()
        meter.note("success" if changed or not meter.ready else "noop", started)
        meter.ready, failures = True, 0
        try:
            repository.remove_stale()
        except (SyncFailed, OSError) as error:
            journal.fail("git cleanup failed", str(error))
        journal.all_is_well()
        if flags["one-time"]:
            journal.say("exiting after one sync", status=0)
            return 0
        if commit == flags["ref"]:
            journal.say("ref appears to be a git hash, no further sync needed", ref=flags["ref"])
            threading.Event().wait()
        time.sleep(flags["period"])


def refuse(code: int, complaint: str, journal: Journal) -> NoReturn:
    print(complaint, file=sys.stderr)
    if journal.error_file:
        journal.fail(complaint, "")
    raise SystemExit(code)


def main() -> int:
    # As process 1 of a container it would not hear this otherwise.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        flags = parsed(sys.argv[1:], os.environ)
    except BadFlag as error:
        refuse(2, str(error), Journal())
    root = Path(flags["root"]).absolute()
    journal = Journal(root / flags["error-file"] if flags["error-file"] and flags["root"] else None)
    password = os.environ.get("GITSYNC_PASSWORD", "")
    if complaint := why_not(flags, password):
        refuse(1, complaint, journal)
    os.umask(0o002 if flags["group-write"] else 0o022)
    root.mkdir(parents=True, exist_ok=True, mode=0o775)
    home = Path(tempfile.mkdtemp(prefix="git-sync-"))
    own = {"GIT_CONFIG_GLOBAL": str(home / "gitconfig"), "GIT_CONFIG_NOSYSTEM": "true"}
    environment = {**os.environ, **own, "GIT_SSH_COMMAND": ssh_command(flags), "GIT_TERMINAL_PROMPT": "0"}
    repository, meter = Repository(flags, root.resolve(), environment), Meter()
    journal.say("starting up", pid=os.getpid(), uid=os.getuid(), gid=os.getgid())
    try:
        password = password or (Path(flags["password-file"]).read_text() if flags["password-file"] else "")
        repository.configure(password)
        if flags["http-bind"]:
            serve(flags["http-bind"], flags["http-metrics"], meter)
    except (BadFlag, SyncFailed, OSError) as error:
        journal.fail("can't start", str(error))
        return 1
    return keep_in_sync(repository, meter, journal)


if __name__ == "__main__":
    sys.exit(main())
