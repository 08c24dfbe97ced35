# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugin Files before Airflow sees them: Python that can be read, and nothing that was meant for another place."""

from __future__ import annotations

from pathlib import PurePosixPath

from ...errors import BadOption
from .model import Entry

# A file of Python of this size is data; reading it would take much memory.
SOURCE_MAX = 2 * 2**20
LIBRARY_INSTEAD = "Upload it as kind library"
LINUX_INSTEAD = "Services run on Linux, leave it out"
# What is no part of a plugin, and what to do with it.
MISPLACED = {
    ".whl": LIBRARY_INSTEAD,
    ".egg": LIBRARY_INSTEAD,
    ".exe": LINUX_INSTEAD,
    ".dll": LINUX_INSTEAD,
    ".dylib": LINUX_INSTEAD,
    ".msi": LINUX_INSTEAD,
}


def is_source(entry: Entry) -> bool:
    return entry.path.endswith(".py")


def check_tree(entries: tuple[Entry, ...], name: str) -> None:
    """What can be said without opening a file."""
    for entry in entries:
        suffix = PurePosixPath(entry.path).suffix.lower()
        if suffix in MISPLACED:
            raise BadOption(f"'{entry.path}' is no part of a plugin", where=name, next_step=MISPLACED[suffix])
        if is_source(entry) and entry.size > SOURCE_MAX:
            raise BadOption(
                f"'{entry.path}' is too large for Python code",
                where=name,
                next_step="Keep data in a file of another kind",
            )
    if not any(is_source(entry) for entry in entries):
        raise BadOption(
            "there is no file of Python in it, so Airflow would load nothing",
            where=name,
            next_step="Upload .py files; files that tasks read are of kind shared",
        )


def check_source(content: bytes, path: str) -> None:
    """Compiled, never run; by the Python that the console runs on, which is that of Airflow's image."""
    try:
        compile(content, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        at = f"{path} line {error.lineno}" if error.lineno is not None else path
        raise BadOption(f"Python cannot read it ({error.msg})", where=at) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadOption(f"Python cannot read it ({error or 'it is nested too deeply'})", where=path) from error
