# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large file on its way from a real Chromium when its console is killed: it goes on where it was, and says so."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from browser import AWAY, VIEWS, sign_in, window
from conftest import CONSOLE, NAMESPACE
from driver import Driver
from embedded import settings
from playwright.sync_api import Browser, Page, Request, expect

NAME = "e2e-large.bin"
MEBIBYTE = 2**20
SIZE, A_SECOND = 96 * MEBIBYTE, 24 * MEBIBYTE
LABELS = "app.kubernetes.io/component=console"
# A console starts anew within seconds, on a machine that has other things to do.
BACK_WITHIN, DONE_WITHIN = 60_000, 120_000
HALF_WAY = """() => document.querySelector('#uploading progress').value > 0.4
  && document.querySelector('#uploading .mark').textContent === 'Sending'"""


@pytest.fixture
def page(manager: Driver, browser: Browser, account: dict[str, str]) -> Iterator[Page]:
    with window(browser, VIEWS["desk, light"], expected=AWAY) as found:
        sign_in(found, CONSOLE, account)
        yield found
    Driver(common={"manager": NAMESPACE}).run("dataops_upload", kind="shared", name=NAME, state="absent")


def limit(page: Page, bytes_a_second: int) -> None:
    """What leaves the browser from now on; -1 is as much as there is room for."""
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", conditions)


def kill_console(kube: Kube) -> None:
    """At once, as when it has no more memory: what it has not written is lost."""
    kubectl = [str(settings.BIN / "kubectl"), "--kubeconfig", str(settings.KUBECONFIG), "-n", NAMESPACE]
    for pod in kube.list("Pod", NAMESPACE, labels=LABELS):
        command = [*kubectl, "delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force"]
        subprocess.run(command, check=True, capture_output=True)


def offset(piece: Request) -> int:
    return int(piece.headers["upload-offset"])


def test_an_upload_whose_console_is_killed_goes_on_where_it_was(page: Page, kube: Kube, tmp_path: Path) -> None:
    large = tmp_path / NAME
    large.write_bytes(os.urandom(MEBIBYTE) * (SIZE // MEBIBYTE))
    pieces: list[Request] = []
    page.on("request", lambda sent: pieces.append(sent) if sent.method == "PATCH" else None)
    page.goto(f"{CONSOLE}/files")
    form, step = page.locator("#upload-form"), page.locator("#uploading .mark")
    form.locator("input[type=file]").set_input_files(large)
    limit(page, A_SECOND)
    form.get_by_role("button", name="Upload").click()
    page.wait_for_function(HALF_WAY, timeout=DONE_WITHIN)
    kill_console(kube)
    expect(step).to_have_text("Connection lost, trying again", timeout=30_000)
    limit(page, -1)
    expect(step).to_have_text("Sending", timeout=BACK_WITHIN)
    expect(step).to_have_text("In use", timeout=DONE_WITHIN)
    # Once from the beginning, and then from what the console had written.
    assert offset(pieces[0]) == 0
    assert min(map(offset, pieces[1:])) > SIZE // 4
    (item,) = Driver(common={"manager": NAMESPACE}).run("dataops_upload_info", kind="shared", name=NAME)["uploads"]
    sha256 = hashlib.sha256(large.read_bytes()).hexdigest()
    assert [(file["sha256"], file["size"]) for file in item["files"]] == [(sha256, SIZE)]
