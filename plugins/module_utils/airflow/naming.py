# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the objects of a service are called while somebody waits for them."""

from __future__ import annotations

from collections.abc import Callable

from ..common.outcome import FINGERPRINT
from ..kube.objects import Ref

# A Job is what it does.
DOING = {
    "migration": "migrating the database",
    "account": "setting up the account",
    "libraries": "installing libraries",
    "plugins": "trying the plugins",
    "git-check": "trying the repository",
}


def called(service: str) -> Callable[[Ref], str]:
    """``Deployment/etl-web-server`` is the "web server", ``Job/etl-migration-...`` is "migrating the database"."""

    def name(ref: Ref) -> str:
        part = FINGERPRINT.sub("", ref.name).removeprefix(f"{service}-")
        if ref.kind == "PersistentVolumeClaim":
            return f"volume {part}"
        return DOING.get(part, part.replace("-", " "))

    return name
