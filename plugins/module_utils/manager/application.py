# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console's application: an archive that doors hand over, and that a ConfigMap holds."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass

from ..errors import BadOption
from ..kube.objects import Manifest

KEY = "console.zip"


@dataclass(frozen=True, repr=False)
class Application:
    """``digest`` is that of the files in it. What packs them differs between machines and means nothing."""

    archive: bytes
    digest: str

    @property
    def encoded(self) -> str:
        return base64.b64encode(self.archive).decode()


def read(archive: bytes, at: str) -> Application:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            lines = [f"{hashlib.sha256(files.read(name)).hexdigest()} {name}" for name in sorted(files.namelist())]
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError) as error:
        raise BadOption("it is not a zip archive", where=at, next_step="Leave it to the action") from error
    return Application(archive, hashlib.sha256("\n".join(lines).encode()).hexdigest())


def chosen(given: bytes | None, live: Manifest | None) -> Application:
    """The one that is there, unless another one is given."""
    at = "console_archive"
    held = ((live or {}).get("binaryData") or {}).get(KEY)
    offered = [read(archive, at) for archive in (base64.b64decode(held) if held else None, given) if archive]
    if not offered:
        raise BadOption(
            "the console's application is missing",
            where=at,
            next_step="Run the module as a task of Ansible, whose action hands it over",
        )
    current, wanted = offered[0], offered[-1]
    return current if current.digest == wanted.digest else wanted
