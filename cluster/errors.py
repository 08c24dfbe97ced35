# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""The one exception of this package: a sentence for the person at the terminal."""

from __future__ import annotations


class ClusterError(Exception):
    """Says what went wrong and, if known, what to do next. Its text is shown as it is, without a traceback."""

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(f"{what} {next_step}".rstrip())
