# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's Python Library File: a small wheel that the image of Airflow lacks, fetched once.

A wheel and not its name, since the pods of the embedded cluster reach no package index.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cluster.progress import step

from .errors import DemoError

NAME, VERSION = "plotille", "6.0.5"


def path() -> Path:
    return Path(os.environ["CACHE"], "demo-files", f"{NAME}-{VERSION}-py3-none-any.whl")


def fetch() -> None:
    """:raises DemoError: when no package index can be reached."""
    if path().exists():
        return
    with step(f"Fetch {NAME} {VERSION} from the package index"):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        done = subprocess.run(
            [*pip, "--dest", str(path().parent), f"{NAME}=={VERSION}"], stderr=subprocess.PIPE, text=True
        )
        if done.returncode:
            raise DemoError(f"{NAME} cannot be fetched: {done.stderr.strip().splitlines()[-1]}", "Look at pip's index.")
