# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything lies on the Manager's volume. What is here is a contract with the pods that mount it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from .model import Key

# No service can have this name.
EVERY_SERVICE = "_all"


@dataclass(frozen=True)
class Layout:
    root: Path

    @property
    def objects(self) -> Path:
        """Content by checksum, immutable."""
        return self.root / "objects"

    @property
    def incoming(self) -> Path:
        """What is being written; nothing reads it but who goes on writing."""
        return self.root / "incoming"

    @property
    def uploads(self) -> Path:
        """Versions of each upload, and which of them is active."""
        return self.root / "uploads"

    @property
    def plugins(self) -> Path:
        """One immutable folder for each set of plugins; pods mount one of them."""
        return self.root / "generations" / "plugins"

    @property
    def requirements(self) -> Path:
        """One immutable folder for each set of libraries, as it was asked for."""
        return self.root / "generations" / "requirements"

    @property
    def libraries(self) -> Path:
        """Installed packages; Jobs in a service's image write here, this package only removes."""
        return self.root / "generations" / "libraries"

    @property
    def shared(self) -> Path:
        """One live folder for each service."""
        return self.root / "shared"

    @property
    def views(self) -> Path:
        """What was last put into each of the live folders."""
        return self.root / "views"

    def folders(self) -> tuple[Path, ...]:
        generations = (self.plugins, self.requirements, self.libraries)
        return (self.objects, self.incoming, self.uploads, *generations, self.shared, self.views)

    def object(self, sha256: str) -> Path:
        return self.objects / sha256[:2] / sha256

    def partial(self, sha256: str) -> Path:
        return self.incoming / sha256

    def temporary(self) -> Path:
        """On the same file system as everything else, so that it can be renamed into place."""
        return self.incoming / f"tmp-{uuid.uuid4().hex}"

    def upload(self, key: Key) -> Path:
        return self.uploads / key.kind / (key.scope or EVERY_SERVICE) / key.name

    def view(self, service: str) -> Path:
        return self.shared / service

    def record_of_view(self, service: str) -> Path:
        return self.views / f"{service}.json"
