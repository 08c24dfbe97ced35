# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which uploaded files a service uses: generations, which are immutable folders on the Manager's volume.

The Manager publishes them in a ConfigMap, by service; ``_all`` stands for every service without files of its own.
Shared files are not in it: they are one live folder per service.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from ...kube.objects import Manifest

ALL = "_all"


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """Names of generations; empty for none. ``requirements`` is what a set of libraries asks for."""

    plugins: str = ""
    requirements: str = ""


NOTHING = Uploads()


def of_service(published: Manifest | None, service: str) -> Uploads:
    """What the Manager has published for a service."""
    values = (published or {}).get("data") or {}
    text = values.get(service, values.get(ALL, "{}"))
    found: dict[str, str] = json.loads(text)
    return Uploads(plugins=found.get("plugins", ""), requirements=found.get("requirements", ""))
