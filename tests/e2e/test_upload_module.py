# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared files from playbooks, through the API server and the console to the Manager's volume: they restart nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import sending, sources
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.remote import RemoteStore
from conftest import NAMESPACE
from driver import Audit, Driver, Result
from places import until

NAME = "e2e-module"
MEBIBYTE = 2**20
CONSOLE = "app.kubernetes.io/component=console"


@pytest.fixture
def uploads(manager: Driver) -> Iterator[Driver]:
    """A driver for this module's uploads; what is uploaded is taken away."""
    driver = Driver(common={"manager": NAMESPACE, "kind": "shared", "name": NAME})
    yield driver
    driver.run("dataops_upload", state="absent")


def files(result: Result) -> dict[str, int]:
    return {file["path"]: file["size"] for file in result["upload"]["files"]}


def test_a_folder_and_the_way_back(uploads: Driver, audit: Audit, tmp_path: Path) -> None:
    for path, text in {"a.csv": "1\n", "sub/b.csv": "2\n", ".git/HEAD": ""}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    foretold = uploads.run("dataops_upload", check=True, src=str(tmp_path))
    first = uploads.run("dataops_upload", src=str(tmp_path))
    assert not first.failed, first.message
    same = ("changed", "actions", "files", "left_out", "restarted")
    assert {key: first[key] for key in same} == {key: foretold[key] for key in same}
    assert files(first) == {"a.csv": 2, "sub/b.csv": 2}
    assert first["left_out"] == [".git"]

    position = audit.position()
    again = uploads.run("dataops_upload", src=str(tmp_path))
    assert (again["changed"], again["sent"]) == (False, 0)
    assert again["upload"] == first["upload"]
    assert audit.writes_since(position, NAMESPACE) == []

    (tmp_path / "a.csv").write_text("1\n3\n")
    (tmp_path / "sub" / "b.csv").unlink()
    second = uploads.run("dataops_upload", src=str(tmp_path))
    assert second["files"] == {"added": [], "changed": ["a.csv"], "removed": ["sub/b.csv"]}
    assert (second["sent"], second["restarted"]) == (4, [])
    back = uploads.run("dataops_upload", version=first["upload"]["version"])
    assert (back["changed"], back["sent"], files(back)) == (True, 0, files(first))
    gone = uploads.run("dataops_upload", state="absent")
    assert (gone["changed"], files(gone)) == (True, {})
    assert uploads.run("dataops_upload", state="absent")["changed"] is False


def test_refusals_name_what_is_wrong(uploads: Driver) -> None:
    plugin: dict[str, Any] = {"kind": "plugin", "name": f"{NAME}.py"}
    assert uploads.refused("dataops_upload", **plugin, content="def x(:") == (
        f"{NAME}.py line 1: Python cannot read it (invalid syntax)."
    )
    assert "none.csv where Ansible runs" in uploads.refused("dataops_upload", src="none.csv")
    found = Driver().run("dataops_upload_info", manager=NAMESPACE, kind="plugin")
    assert plugin["name"] not in [one["name"] for one in found["uploads"]]


class Killer(sending.Meter):
    """Ends the console when so much was sent, and lets the sender go on when the pod is gone."""

    def __init__(self, kube: Kube, after: int) -> None:
        self.lines: list[str] = []
        super().__init__(0, self.lines.append)
        self._kube = kube
        self._after = after

    def counted(self, blocks: Iterable[bytes], begin: int) -> Iterator[bytes]:
        for block in super().counted(blocks, begin):
            yield block
            self._after -= len(block)
            if -len(block) < self._after <= 0:
                self._kill()

    def _kill(self) -> None:
        for name in pods(self._kube):
            self._kube.delete("Pod", name, NAMESPACE)
            until(lambda name=name: name not in pods(self._kube), "the console's pod is gone", 60)


def pods(kube: Kube) -> list[str]:
    return [pod["metadata"]["name"] for pod in kube.list("Pod", NAMESPACE, labels=CONSOLE)]


def test_a_console_that_dies_in_the_middle_loses_nothing(uploads: Driver, kube: Kube, tmp_path: Path) -> None:
    before = uploads.run("dataops_upload", content="kept")
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(MEBIBYTE) * 64)
    source = sources.found_at(str(large)).files[0]
    store = RemoteStore(kube, NAMESPACE, NAMESPACE)
    killer = Killer(kube, after=40 * MEBIBYTE)
    sending.deliver(store, source, killer)
    assert "connection lost while large.bin was sent, trying again" in killer.lines
    assert [line for line in killer.lines if "going on at" in line]
    assert store.missing([source.sha256]) == []
    again = uploads.run("dataops_upload", content="kept")
    assert (again["changed"], again["upload"]) == (False, before["upload"])
