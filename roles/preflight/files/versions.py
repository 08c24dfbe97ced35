# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the version of this Python and of the distributions named as arguments, as JSON; empty: not installed."""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata


def version(name: str) -> str:
    if name == "python":
        return platform.python_version()
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


if __name__ == "__main__":
    print(json.dumps({name: version(name) for name in sys.argv[1:]}))
