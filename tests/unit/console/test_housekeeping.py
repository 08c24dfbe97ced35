# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the console does without being asked: folders of new services are filled, and the volume is swept."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from ansible_collections.scp.dataops.console import housekeeping
from ansible_collections.scp.dataops.console.drafts import Drafts
from ansible_collections.scp.dataops.console.housekeeping import Housekeeping
from ansible_collections.scp.dataops.console.settings import Settings
from ansible_collections.scp.dataops.console.volume import Volume

from ..fake_kube import FakeKube


@pytest.fixture
def work(settings: Settings, kube: FakeKube) -> Housekeeping:
    return Housekeeping(settings, Volume(settings.files), lambda: kube, Drafts())


def test_a_new_service_gets_its_folder_filled(work: Housekeeping, settings: Settings) -> None:
    work.volume.store()
    (settings.files / "shared" / "etl").mkdir()
    work.fill()
    assert (settings.files / "views" / "etl.json").is_file()


def test_a_sweep_asks_the_cluster(work: Housekeeping, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    work.volume.store().refresh("gone")
    with caplog.at_level(logging.INFO):
        work.sweep()
    assert not (settings.files / "shared" / "gone").exists()
    assert "services=('gone',)" in caplog.text


def test_it_looks_often_and_sweeps_now_and_then(work: Housekeeping, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on after a trouble, and ends when it is told."""
    seconds = 0
    swept = []
    forgot = []

    def fill() -> None:
        nonlocal seconds
        seconds += 300
        if seconds == 9000:
            work._over.set()
        raise OSError("the volume does not answer")

    monkeypatch.setattr(housekeeping, "LOOK_SECONDS", 0)
    monkeypatch.setattr(work, "clock", lambda: seconds)
    monkeypatch.setattr(work, "fill", fill)
    monkeypatch.setattr(work, "sweep", lambda: swept.append(seconds))
    monkeypatch.setattr(work.drafts, "forget", lambda: forgot.append(seconds))
    work.run()
    assert forgot == list(range(300, 9001, 300))
    assert swept == [600, 4200, 7800]


def test_it_ends_with_the_application(work: Housekeeping) -> None:
    with work.going_on():
        assert not work._over.is_set()
    assert work._over.is_set()


def test_a_volume_is_opened_once(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert volume.store() is volume.store()
