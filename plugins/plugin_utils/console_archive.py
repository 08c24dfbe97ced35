# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console's application as this collection has it: one zip that Python imports from.

It is made where Ansible runs, out of the installed files, and travels to the cluster by way of the module. So console
and modules are of one version, and no image has to be built. The same files give the same archive.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from ansible_collections.scp.dataops.plugins.module_utils import door

COLLECTION = Path(door.__file__).parents[2]
PACKAGE = PurePosixPath("ansible_collections/scp/dataops")
PARTS = ("console", "plugins/module_utils")
# It knows Ansible, which is not where the console runs.
LEFT_OUT = ("plugins/module_utils/door.py",)
# The oldest time that a zip can hold.
NO_TIME = (1980, 1, 1, 0, 0, 0)


@cache
def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for folder in sorted(folders()):
            # Packages without a file of their own are found by their folder.
            target.writestr(entry(f"{folder}/", 0o40755), b"")
        for name in sorted(files()):
            data = (COLLECTION / name).read_bytes()
            target.writestr(entry(str(PACKAGE / name), 0o100644), data, zipfile.ZIP_DEFLATED, 9)
    return content.getvalue()


def files() -> Iterator[str]:
    """Every file that belongs to the application, by its path in the collection."""
    for part in PARTS:
        for path in (COLLECTION / part).rglob("*"):
            name = path.relative_to(COLLECTION).as_posix()
            if path.is_file() and "__pycache__" not in path.parts and name not in LEFT_OUT:
                yield name


def folders() -> set[str]:
    return {str(parent) for name in files() for parent in (PACKAGE / name).parents if parent.name}


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, NO_TIME)
    # As on Unix, wherever it is made.
    made.create_system = 3
    made.external_attr = mode << 16
    return made
