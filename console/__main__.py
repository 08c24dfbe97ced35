# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the console: python -m ansible_collections.scp.dataops.console."""

from __future__ import annotations

import os

import uvicorn

from .app import create_app
from .settings import PORT, Settings

# Seconds. Pages refresh more often, so that what was seen is shown soon.
LOOK_EVERY = 10


def main() -> None:
    app = create_app(Settings.from_environment(os.environ), look_every=LOOK_EVERY)
    # Whose address a request comes from is for security.py to judge; here nothing is believed that a client can write.
    uvicorn.run(app, host="", port=PORT, proxy_headers=False, server_header=False, access_log=False, log_level="info")


if __name__ == "__main__":
    main()
