# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page of the console in a real Chromium: on a desk and on a phone, by day and night, in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from browser import REFUSED, VIEWS, View, overflow, sign_in, violations, window
from conftest import CONSOLE, SERVICE
from driver import Driver
from playwright.sync_api import Browser, Page

FILE = "pages.csv"
PAGES = (
    "/",
    f"/services/{SERVICE}",
    f"/services/{SERVICE}/logs",
    f"/services/{SERVICE}/stop",
    f"/services/{SERVICE}/remove",
    "/services/new",
    *(f"/services/{SERVICE}/change/{what}" for what in ("description", "size", "git-sync", "host-alias")),
    *(f"/services/{SERVICE}/change/{what}" for what in ("version", "executor", "airflow-configuration")),
    "/operations",
    "/files",
    "/files/text",
    "/settings",
    "/settings/change",
    "/activity",
    "/tokens",
)
# Among the pages is one that says that there is nothing.
EXPECTED = re.compile(rf"{REFUSED.pattern}|responded with a status of 404\b")
# Takes a signed-in user to a page that has no address of its own.
Way: TypeAlias = "Callable[[Page], object]"


def filled_in(path: str, key: str, text: str, *, shows: str) -> Way:
    """What answers a form with one field changed; ``shows``: what is only there."""

    def way(page: Page) -> None:
        page.goto(f"{CONSOLE}{path}")
        field = page.locator(f"[name='{key}']")
        field.evaluate("field => field.closest('details')?.setAttribute('open', '')")
        field.fill(text)
        page.locator("form.form button").click()
        page.locator(shows).wait_for()

    return way


def history(page: Page) -> None:
    page.goto(f"{CONSOLE}/files/shared")
    page.locator("main a", has_text=FILE).click()
    page.locator("#versions").wait_for()


def deletion(page: Page) -> None:
    history(page)
    page.locator("a.button.bad").click()
    page.locator("button.bad").wait_for()


def nothing(page: Page) -> None:
    answer = page.goto(f"{CONSOLE}/services/nobody")
    assert answer and answer.status == 404


def operation(page: Page) -> None:
    """A change of the description that is not what it was, carried out."""
    page.goto(f"{CONSOLE}/services/{SERVICE}/change/description")
    field = page.locator("[name='description']")
    field.fill("Of pages" if field.input_value() != "Of pages" else "Of other pages")
    page.locator("form.form button").click()
    page.wait_for_url("**/previews/*")
    page.locator("main form button").click()
    page.wait_for_url("**/operations/*")


HOST_ALIAS = f"/services/{SERVICE}/change/host-alias"
WAYS: dict[str, Way] = {
    "preview": filled_in(HOST_ALIAS, "host_alias", "192.0.2.9 pages.internal", shows="#plan"),
    "preview of settings": filled_in(
        "/settings/change", "default_settings.config", "core:\n  max_active_tasks_per_dag: 5", shows="#effects"
    ),
    "refused form": filled_in(HOST_ALIAS, "host_alias", "nonsense", shows="#host_alias-wrong"),
    "operation": operation,
    "history": history,
    "deletion": deletion,
    "nothing there": nothing,
}


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages are left for those who want to look at them."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def filled(service: Driver, driver: Driver) -> Iterator[Driver]:
    """A driver whose Manager has a file with two versions."""
    for content in ("1", "2"):
        done = driver.run("dataops_upload", kind="shared", name=FILE, content=content)
        assert not done.failed, done.message
    yield driver
    driver.run("dataops_upload", kind="shared", name=FILE, state="absent")


def wrong_with(page: Page, name: str, shots: Path, secret: str) -> list[str]:
    """What is wrong with the page as it is, which has to be free of the secret."""
    page.screenshot(path=shots / f"{name}.png", full_page=True)
    assert secret not in page.content(), name
    wide = overflow(page)
    return [f"{name}: {problem}" for problem in (*violations(page), *([f"{wide} px too wide"] if wide else []))]


def wrong_with_any(page: Page, view: str, shots: Path, secret: str) -> list[str]:
    """Of all pages that a signed-in user sees."""
    found = []
    for path in PAGES:
        answer = page.goto(f"{CONSOLE}{path}")
        assert answer and answer.status == 200, f"{path}: {answer and answer.status}"
        found += wrong_with(page, f"{view}{path.replace('/', '-')}", shots, secret)
    for name, way in WAYS.items():
        way(page)
        found += wrong_with(page, f"{view}, {name}", shots, secret)
    return found


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_every_page_is_accessible_and_fits(
    filled: Driver, browser: Browser, account: dict[str, str], shots: Path, view: View
) -> None:
    name, secret = f"{view.width}-{view.colours}", account["password"]
    with window(browser, view, expected=EXPECTED) as page:
        page.goto(f"{CONSOLE}/sign-in")
        found = wrong_with(page, f"{name}-sign-in", shots, secret)
        sign_in(page, CONSOLE, account)
        found += wrong_with_any(page, name, shots, secret)
    assert found == []


def test_in_korean(filled: Driver, browser: Browser, account: dict[str, str], shots: Path) -> None:
    with window(browser, VIEWS["phone, light"], locale="ko-KR", expected=EXPECTED) as page:
        sign_in(page, CONSOLE, account)
        found = wrong_with_any(page, "korean", shots, account["password"])
        assert page.locator("html").get_attribute("lang") == "ko"
    assert found == []
