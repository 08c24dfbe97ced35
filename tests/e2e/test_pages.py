# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page of the console in a real Chromium: on a desk and on a phone, by day and night, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import VIEWS, View, overflow, sign_in, violations, window
from conftest import CONSOLE, SERVICE
from driver import Driver
from playwright.sync_api import Browser, Page

PAGES = (
    "/",
    f"/services/{SERVICE}",
    f"/services/{SERVICE}/logs",
    f"/services/{SERVICE}/stop",
    f"/services/{SERVICE}/remove",
    "/services/new",
    *(f"/services/{SERVICE}/change/{what}" for what in ("description", "size", "git-sync", "host-alias")),
    f"/services/{SERVICE}/change/airflow-configuration",
    "/operations",
    "/files",
    "/files/text",
    "/settings",
    "/settings/change",
    "/activity",
    "/tokens",
)


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages are left for those who want to look at them."""
    return tmp_path_factory.mktemp("pages")


def looked_at(page: Page, path: str, shots: Path, name: str, secret: str) -> list[str]:
    """What is wrong with a page, which has to be free of the secret."""
    answer = page.goto(f"{CONSOLE}{path}")
    assert answer and answer.status == 200, f"{path}: {answer and answer.status}"
    page.screenshot(path=shots / f"{name}{path.replace('/', '-')}.png", full_page=True)
    assert secret not in page.content(), path
    wide = overflow(page)
    return [f"{path}: {problem}" for problem in (*violations(page), *([f"{wide} px too wide"] if wide else []))]


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_every_page_is_accessible_and_fits(
    service: Driver, browser: Browser, account: dict[str, str], shots: Path, view: View
) -> None:
    name = f"{view.width}-{view.colours}"
    with window(browser, view) as page:
        found = looked_at(page, "/sign-in", shots, name, account["password"])
        sign_in(page, CONSOLE, account)
        for path in PAGES:
            found += looked_at(page, path, shots, name, account["password"])
    assert found == []


def test_in_korean(service: Driver, browser: Browser, account: dict[str, str], shots: Path) -> None:
    with window(browser, VIEWS["phone, light"], locale="ko-KR") as page:
        sign_in(page, CONSOLE, account)
        found = [problem for path in PAGES for problem in looked_at(page, path, shots, "korean", account["password"])]
        assert page.locator("html").get_attribute("lang") == "ko"
    assert found == []
