# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the installed collection as a user does: one task at a time, through Ansible, against the cluster."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.common import activity

RESULT = re.compile(r"^\S+ \| (?P<state>\w+)!? ?(?:\|.*)?=> (?P<json>\{.*\})$", re.MULTILINE)
SECONDS = 900


@dataclass(frozen=True)
class Result:
    """What one task returned. ``output`` is all that was printed, for looking for what must not be there."""

    failed: bool
    values: dict[str, Any]
    output: str

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    @property
    def message(self) -> str:
        return str(self.values.get("msg", ""))


@dataclass(frozen=True)
class Driver:
    """Runs modules on one host, with fixed options (such as the Manager) beside those of each call."""

    common: dict[str, Any] = field(default_factory=dict)
    host: tuple[str, ...] = ("localhost",)

    def run(self, module: str, *, check: bool = False, verbose: bool = False, **options: Any) -> Result:
        arguments = json.dumps({**self.common, **options})
        flags = [*(["--check"] if check else []), *(["-vvvv"] if verbose else []), "--diff"]
        command = ["ansible", *self.host, "-o", "-m", f"scp.dataops.{module}", "-a", arguments, *flags]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        found = RESULT.search(done.stdout)
        assert found, f"{' '.join(command[:5])} printed no result:\n{done.stdout}\n{done.stderr}"
        output = done.stdout + done.stderr
        return Result(found["state"] in ("FAILED", "UNREACHABLE"), json.loads(found["json"]), output)

    def service(self, name: str, **options: Any) -> Result:
        done = self.run("dataops_service", name=name, **options)
        assert not done.failed, done.message
        return done

    def refused(self, module: str, **options: Any) -> str:
        """The sentence with which a call that must fail did fail."""
        done = self.run(module, **options)
        assert done.failed, f"accepted: {done.values}"
        assert "Traceback" not in done.output
        return done.message


@dataclass(frozen=True)
class Audit:
    """The API server's own log of requests: what was really asked, by whom, dry or not."""

    path: Path

    def position(self) -> int:
        return self.path.stat().st_size

    def since(self, position: int, user_agent: str = "scp.dataops") -> list[dict[str, Any]]:
        with self.path.open() as log:
            log.seek(position)
            entries = [json.loads(line) for line in log if line.endswith("\n")]
        return [entry for entry in entries if user_agent in entry.get("userAgent", "") and not of_console(entry)]

    def writes_since(self, position: int, namespace: str) -> list[str]:
        """Requests that changed something in the namespace or in the cluster's own objects."""
        mine = [
            entry
            for entry in self.since(position)
            if entry.get("objectRef", {}).get("namespace", namespace) == namespace
        ]
        return self.writes(mine)

    def effects_since(self, position: int, namespace: str, trial: str) -> list[str]:
        """As :meth:`writes_since`, without the Job by whose name something was tried, and without the notes of a run:
        who is at it, and why it was refused."""
        notes = (trial, "/leases", f"/configmaps/{activity.NAME}")
        written = self.writes_since(position, namespace)
        return [line for line in written if not any(note in line for note in notes)]

    @staticmethod
    def writes(entries: list[dict[str, Any]]) -> list[str]:
        """Requests that changed something: no dry run, and not a question about rights or through a proxy."""
        return [
            f"{entry['verb']} {entry['requestURI']}"
            for entry in entries
            if entry["verb"] not in ("get", "list", "watch")
            and "dryRun=All" not in entry["requestURI"]
            and "accessreviews" not in entry["requestURI"]
            and "/proxy" not in entry["requestURI"]
        ]


def of_console(entry: dict[str, Any]) -> bool:
    """A Manager's console looks at its services all the time, with the same client as the modules."""
    return str(entry["user"]["username"]).endswith(":dataops-manager-console")
