# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of the demo: a sentence for the person at the terminal."""

from __future__ import annotations


class DemoError(Exception):
    """Says what went wrong and what to look at. Its text is shown as it is, without a traceback."""

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(f"{what} {next_step}".rstrip())
