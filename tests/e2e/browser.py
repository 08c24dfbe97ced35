# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Chromium, as people use the console: by name through the ingress, on desk and phone, by day and night."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
# It looks for updates and for other hosts otherwise, at every start.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic")
# A form that is refused in words is no fault of a page, though Chromium notes its status.
REFUSED = re.compile(r"responded with a status of 4(00|09)\b")
# What it notes besides while a console is away.
AWAY = re.compile(rf"{REFUSED.pattern}|responded with a status of 50[234]\b|net::ERR_")


@dataclass(frozen=True)
class View:
    """A screen: its size in CSS pixels, and the colours that its user prefers."""

    width: int
    height: int
    colours: Literal["light", "dark"]


VIEWS = {
    "desk, light": View(1280, 900, "light"),
    "desk, dark": View(1280, 900, "dark"),
    "phone, light": View(390, 844, "light"),
    "phone, dark": View(390, 844, "dark"),
}


@contextmanager
def chromium(names: str, address: str, trusted: str = "") -> Iterator[Browser]:
    """
    :param names: hosts, with ``*``, that are found at ``address`` and in no DNS.
    :param trusted: fingerprint of a key, in Base64; a server that has it is trusted as one with a known authority.
    """
    arguments = [*QUIET, "--no-sandbox", f"--host-resolver-rules=MAP {names} {address}"]
    arguments += [f"--ignore-certificate-errors-spki-list={trusted}"] if trusted else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser, view: View, locale: str = "en", expected: re.Pattern[str] = REFUSED) -> Iterator[Page]:
    """What goes wrong in its scripts, is forbidden to them or is asked of other hosts is an error of the test."""
    size = {"width": view.width, "height": view.height}
    context = browser.new_context(viewport=size, color_scheme=view.colours, locale=locale)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if is_complaint(line, expected) else None)
    try:
        yield page
        assert complaints == [], complaints
    finally:
        context.close()


def is_complaint(line: ConsoleMessage, expected: re.Pattern[str]) -> bool:
    return line.type == "error" and not expected.search(line.text)


def sign_in(page: Page, console: str, account: dict[str, str]) -> None:
    page.goto(f"{console}/sign-in")
    page.locator("input[name=account]").fill(account["id"])
    page.locator("input[name=password]").fill(account["password"])
    page.locator("main button").click()
    page.wait_for_url(f"{console}/")


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is: rule and elements."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {', '.join(node['html'] for node in rule['nodes'])}" for rule in found]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
