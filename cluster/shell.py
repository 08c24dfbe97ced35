# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""Running other programs so that their failure becomes one readable sentence."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import ClusterError


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program and return its stdout; a failure quotes the end of what it printed."""
    command = [str(part) for part in argv]
    try:
        done = subprocess.run(command, input=stdin, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ClusterError(f"{command[0]} could not be run: {error.strerror}.") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
        raise ClusterError(
            f"{' '.join(command[:3])} failed with exit code {done.returncode}:", "\n  ".join(["", *said])
        )
    return done.stdout


def succeeds(argv: Sequence[str | Path]) -> bool:
    """Whether a program ran well; for questions where "no" is no error."""
    try:
        done = subprocess.run([str(part) for part in argv], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0
