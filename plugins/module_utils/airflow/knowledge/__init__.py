# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each supported version of Airflow knows to configure: sections, options and their types.

The tables are read from Airflow's own packages by scripts/knowledge. They are loaded only when somebody asks for an
option of airflow.cfg, which most runs do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Option:
    """``kind`` is ``text``, ``boolean``, ``integer`` or ``number``. A sensitive value is never written down."""

    kind: str
    sensitive: bool


@dataclass(frozen=True)
class Knowledge:
    """``moved``: where ``section.option`` of an earlier release is now."""

    options: Mapping[str, Mapping[str, Option]]
    moved: Mapping[str, str]


@cache
def knowledge(version: str) -> Knowledge:
    """What a supported minor version (``3.3``) can be configured with."""
    options, moved = _TABLES[version]()
    return Knowledge(_options(options), dict(line.split() for line in moved.splitlines()))


def _options(text: str) -> dict[str, dict[str, Option]]:
    sections: dict[str, dict[str, Option]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            known = sections.setdefault(line.strip("[]"), {})
        else:
            name, kind, *sensitive = line.split()
            known[name] = Option(kind, bool(sensitive))
    return sections


def _airflow_3_3() -> tuple[str, str]:
    from . import options_3_3 as table

    return table.OPTIONS, table.MOVED


def _airflow_2_11() -> tuple[str, str]:
    from . import options_2_11 as table

    return table.OPTIONS, table.MOVED


# Written as imports, because only those are sent along to a remote host.
_TABLES: Mapping[str, Callable[[], tuple[str, str]]] = {"3.3": _airflow_3_3, "2.11": _airflow_2_11}
