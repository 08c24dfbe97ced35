# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that is only a folder: nothing here changes, or depends on, the one the tests run on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cluster import certificates, components, images, node, ports, prerequisites, settings


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """State and cache of a cluster that is nobody's; the folder that holds both."""
    old_state, old_cache = settings.STATE, settings.CACHE
    for name, value in list(vars(settings).items()):
        if isinstance(value, Path):
            for old, new in ((old_state, tmp_path / "state"), (old_cache, tmp_path / "cache")):
                if value.is_relative_to(old):
                    monkeypatch.setattr(settings, name, new / value.relative_to(old))
    monkeypatch.setattr(components, "_PKI", settings.PKI)
    monkeypatch.setattr(node, "_REMEMBERED", settings.STATE / "sysctls.json")
    return tmp_path


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Give the machine these files, by their absolute path; a path that ends with a slash is a folder."""
    root = tmp_path / "machine"

    def path(name: str) -> Path:
        return root / name.lstrip("/")

    for module in (node, ports, prerequisites):
        monkeypatch.setattr(module, "Path", path)
    for module, name in ((node, "_CGROUPS"), (node, "_CNI_RESULTS"), (node, "_CONTAINER_LOG_LINKS")):
        monkeypatch.setattr(module, name, path(str(getattr(module, name))))

    def give(files: dict[str, str]) -> Path:
        for name, text in files.items():
            folder = path(name) if name.endswith("/") else path(name).parent
            folder.mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path(name).write_text(text)
        return root

    return give


class Commands:
    """Notes the programs that would have been run, and answers for them."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.given: list[str | None] = []
        self.answers: dict[str, str] = {}

    def run(self, argv: Sequence[object], *, stdin: str | None = None, **_how: object) -> str:
        words = " ".join(str(word) for word in argv)
        self.ran.append(words)
        self.given.append(stdin)
        return next((answer for start, answer in self.answers.items() if words.startswith(start)), "")

    def succeeds(self, argv: Sequence[object]) -> bool:
        self.run(argv)
        return True


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    noted = Commands()
    for module in (certificates, components, images, node, prerequisites):
        monkeypatch.setattr(module, "run", noted.run)
    monkeypatch.setattr(node, "succeeds", noted.succeeds)
    return noted
