# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an upload can be used at all, by its kind: asked before it becomes a version."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from ...errors import BadOption
from . import plugins, requirements, wheels
from .model import LIBRARY, PLUGIN, Entry, Key, Tree, checked_path
from .wheels import Target, Wheel

Opener = Callable[[str], BinaryIO]
REQUIREMENTS_SUFFIX, WHEEL_SUFFIX = ".txt", ".whl"
# Files of one upload, of whatever kind.
ENTRIES_MAX = 20_000


def check(key: Key, entries: tuple[Entry, ...], opened: Opener, target: Target) -> None:
    """:raises BadOption: naming the file, and the line where there is one."""
    if not entries:
        raise BadOption("there is no file in it", where=key.name, next_step="Upload at least one file")
    if len(entries) > ENTRIES_MAX:
        raise BadOption(f"it has more than {ENTRIES_MAX} files", where=key.name)
    tree = Tree()
    for entry in entries:
        tree.add(checked_path(entry.path, key.name), key.name)
    if key.kind == PLUGIN:
        check_plugin(key, entries, opened)
    elif key.kind == LIBRARY:
        check_library(key, entries, opened, target)


def check_plugin(key: Key, entries: tuple[Entry, ...], opened: Opener) -> None:
    plugins.check_tree(entries, key.name)
    for entry in filter(plugins.is_source, entries):
        with opened(entry.sha256) as file:
            plugins.check_source(file.read(), entry.path)


def check_library(key: Key, entries: tuple[Entry, ...], opened: Opener, target: Target) -> None:
    for entry in entries:
        if "/" in entry.path or not entry.path.endswith((REQUIREMENTS_SUFFIX, WHEEL_SUFFIX)):
            raise BadOption(
                f"'{entry.path}' is neither requirements nor a wheel",
                where=key.name,
                next_step="Upload a text of requirements (.txt) or wheels (.whl), without folders",
            )
    wheels.check_set(tuple(entry.path for entry in entries if is_wheel(entry)), target)
    for entry in entries:
        with opened(entry.sha256) as file:
            if is_wheel(entry):
                wheels.check_content(file, Wheel.parse(entry.path), target)
            elif entry.size > requirements.TEXT_MAX:
                raise BadOption("it is too large for a text of requirements", where=entry.path)
            else:
                requirements.check_text(file.read(), entry.path)


def is_wheel(entry: Entry) -> bool:
    return entry.path.endswith(WHEEL_SUFFIX)
