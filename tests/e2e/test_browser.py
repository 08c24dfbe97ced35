# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's whole life by hand, in a real Chromium through the ingress, while the modules watch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from browser import VIEWS, sign_in, window
from conftest import CONSOLE, airflow_of
from content import DAG, DAG_ID, PLUGIN, seen, wheel
from driver import Driver
from places import IN_CLUSTER_GIT, GitServer
from playwright.sync_api import Browser, Page, expect

SERVICE = "by-hand"
# A rollout of all components, on a machine that has other things to do.
DONE_WITHIN = 300_000


@pytest.fixture(scope="module")
def page(manager: Driver, driver: Driver, browser: Browser, account: dict[str, str]) -> Iterator[Page]:
    """A window whose user has signed in; what is left of the service goes at the end."""
    with window(browser, VIEWS["desk, light"]) as found:
        sign_in(found, CONSOLE, account)
        yield found
    driver.run("dataops_service", name=SERVICE, state="absent", purge=True)


def ends_well(page: Page) -> None:
    """The operation whose page is shown."""
    page.wait_for_url(re.compile("/operations/"))
    expect(page.locator("#ending .mark")).not_to_have_text("Running", timeout=DONE_WITHIN)
    expect(page.locator("#ending .mark")).to_have_text("Done")


def applied(page: Page, restarts: str = "") -> None:
    """The form is previewed and applied; the preview names what restarts."""
    page.get_by_role("button", name="Preview").click()
    preview = page.get_by_role("region", name="What would happen")
    expect(preview).to_contain_text(restarts or "No component restarts.")
    page.get_by_role("button", name="Apply").click()
    ends_well(page)


def change(page: Page, what: str) -> None:
    page.goto(f"{CONSOLE}/services/{SERVICE}/change/{what}")


def upload(page: Page, kind: str, *, path: Path | None = None, name: str = "", content: str = "") -> None:
    """A file of the disk, or one of this name and content."""
    page.goto(f"{CONSOLE}/files")
    form = page.locator("#upload-form")
    form.get_by_role("combobox", name="Kind").select_option(kind)
    form.get_by_role("combobox", name="For").select_option(SERVICE)
    given = {"name": name, "mimeType": "text/plain", "buffer": content.encode()}
    form.locator("input[type=file]").set_input_files(path or [given])
    form.get_by_role("button", name="Upload").click()
    expect(page.locator("#uploading .mark")).to_have_text("In use", timeout=DONE_WITHIN)


def told(driver: Driver) -> dict[str, object]:
    (found,) = driver.run("dataops_service_info", name=SERVICE)["services"]
    return dict(found)


def test_a_service_is_created_and_becomes_healthy(page: Page, driver: Driver, git: GitServer) -> None:
    git.push("public/e2e-uploads.git", dag_id=DAG_ID, text="seen", source=DAG)
    page.get_by_role("link", name="New service").click()
    page.get_by_label("Name", exact=True).fill("No Name")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("lower-case")
    page.get_by_label("Name", exact=True).fill(SERVICE)
    page.get_by_role("textbox", name="Description").fill("By hand")
    page.locator("summary", has_text="Storage").click()
    page.get_by_label("Storage size").fill("1Gi")
    page.locator("summary", has_text="DAGs GitSync").click()
    page.get_by_label("Repository").fill(f"{IN_CLUSTER_GIT}/public/e2e-uploads.git")
    page.get_by_label("Folder with DAGs").fill("dags")
    page.get_by_label("Look every (seconds)").fill("5")
    applied(page, f"create Deployment/{SERVICE}-scheduler")
    page.goto(f"{CONSOLE}/services/{SERVICE}")
    expect(page.locator("h1 .mark")).to_have_text(["RUNNING", "Healthy"], timeout=30_000)
    assert (told(driver)["state"], told(driver)["health"]) == ("RUNNING", "healthy")


def test_each_of_the_four_settings_is_changed(page: Page, driver: Driver) -> None:
    change(page, "description")
    page.get_by_role("textbox", name="Description").fill("Changed by hand")
    applied(page)
    change(page, "git-sync")
    page.get_by_label("Look every (seconds)").fill("7")
    applied(page, "dag-processor")
    change(page, "size")
    page.get_by_label("Worker: Memory", exact=True).fill("800Mi")
    applied(page, "scheduler")
    change(page, "host-alias")
    page.get_by_label("Addresses and names").fill("192.0.2.7 ledger.internal")
    applied(page, "web-server")
    asked = {
        "description": "Changed by hand",
        "git_sync": {"interval": 7},
        "worker": {"memory": "800Mi"},
        "host_aliases": [{"ip": "192.0.2.7", "hostnames": ["ledger.internal"]}],
    }
    assert driver.run("dataops_service", check=True, name=SERVICE, **asked)["actions"] == []
    other = driver.run("dataops_service", check=True, name=SERVICE, description="By a playbook")
    assert other["actions"] == [f"update ConfigMap/{SERVICE}-record"]


def test_the_airflow_configuration_is_changed(page: Page, driver: Driver) -> None:
    change(page, "airflow-configuration")
    options = page.get_by_label("Options of airflow.cfg (YAML)")
    options.fill("scheduler:\n  max_tis_per_query: many")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("max_tis_per_query")
    options.fill("scheduler:\n  max_tis_per_query: 8")
    applied(page, "scheduler")
    config = {"scheduler": {"max_tis_per_query": 8}}
    assert driver.run("dataops_service", check=True, name=SERVICE, config=config)["actions"] == []


def test_each_kind_of_file_is_uploaded_and_a_dag_uses_them(page: Page, kube: Kube, tmp_path: Path) -> None:
    upload(page, "library", path=wheel(tmp_path))
    upload(page, "plugin", name="e2e_plugin.py", content=PLUGIN.format(word="by hand"))
    upload(page, "shared", name="rates.csv", content="1.5")
    airflow = airflow_of(kube, SERVICE)
    assert seen(airflow) == "seen: by hand from a wheel 1.5"
    upload(page, "shared", name="rates.csv", content="1.7")
    assert seen(airflow) == "seen: by hand from a wheel 1.7"


def test_one_is_rolled_back(page: Page, driver: Driver, kube: Kube) -> None:
    page.goto(f"{CONSOLE}/files/shared?service={SERVICE}")
    page.get_by_role("link", name="rates.csv").click()
    page.get_by_role("link", name="Use version 1").click()
    expect(page.locator("main")).to_contain_text("Nothing restarts.")
    page.get_by_role("button", name="Use version 1").click()
    ends_well(page)
    assert seen(airflow_of(kube, SERVICE)) == "seen: by hand from a wheel 1.5"
    (item,) = driver.run("dataops_upload_info", kind="shared", name="rates.csv", service=SERVICE)["uploads"]
    assert item["version"] == 1


def test_it_stops_starts_and_goes(page: Page, driver: Driver) -> None:
    for verb, state in (("Stop", "STOPPED"), ("Start", "RUNNING")):
        page.goto(f"{CONSOLE}/services/{SERVICE}")
        page.get_by_role("link", name=verb, exact=True).click()
        page.get_by_role("button", name=verb, exact=True).click()
        ends_well(page)
        assert told(driver)["state"] == state
    page.goto(f"{CONSOLE}/services/{SERVICE}")
    page.get_by_role("link", name="Remove").click()
    page.get_by_label("Remove its data, too (purge)").check()
    page.get_by_label(f"Type {SERVICE} to confirm").fill("by-hnad")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("alert")).to_contain_text(f"This is not {SERVICE}.")
    page.get_by_label(f"Type {SERVICE} to confirm").fill(SERVICE)
    page.get_by_role("button", name="Remove").click()
    ends_well(page)
    assert driver.run("dataops_service_info", name=SERVICE)["services"] == []
    left = driver.run("dataops_upload_info", service=SERVICE)["uploads"]
    assert [each["name"] for each in left if each["service"]] == []
    page.goto(f"{CONSOLE}/activity")
    expect(page.locator("main")).to_contain_text(f"service {SERVICE}")
