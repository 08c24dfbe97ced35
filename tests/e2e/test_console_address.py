# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console by HTTPS and below a path of its host: in a real Chromium, by token, and for the modules."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from browser import VIEWS, chromium, sign_in, window
from conftest import CONSOLE, DOMAIN, MANAGER, NAMESPACE, SERVICE
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from driver import Driver
from embedded import settings
from outside import authority, secret
from places import until
from playwright.sync_api import Page, expect
from test_pages import PAGES

SECRET, UPLOAD = "e2e-console-tls", "e2e-address.txt"
HOST, PATH = f"{NAMESPACE}.{DOMAIN}", "/dataops"
ADDRESS = f"https://{HOST}{PATH}"
ADDRESSES_OF = """() => [...document.querySelectorAll("*")].flatMap((one) =>
  ["href", "src", "action", "hx-get", "hx-post", "data-api", "data-operations"].map((name) => one.getAttribute(name))
).filter((address) => address?.startsWith("/"))"""
STATUSES_OF = """(addresses) => Promise.all(
  addresses.map(async (address) => [address, (await fetch(address)).status]))"""


@dataclass(frozen=True)
class Trust:
    """What proves who the server is: to a program the certificate of the authority, to the browser its key."""

    authority: str
    key: str


@pytest.fixture(scope="module")
def trust(service: Driver, manager: Driver, kube: Kube) -> Iterator[Trust]:
    """The console at its other address, as long as these tests go on; afterwards all is as it was."""
    signer = authority()
    issued = signer.issue(HOST)
    kube.apply({**secret(SECRET, NAMESPACE, issued), "type": "kubernetes.io/tls"})
    done = manager.run("dataops_manager", name=NAMESPACE, tls_secret=SECRET, console={"path": PATH})
    assert not done.failed, done.message
    assert (done["manager"]["web_url"], done["restarted"]) == (ADDRESS, ["console"])
    trusted = Trust(issued["ca.crt"], fingerprint(issued["tls.crt"]))
    until(lambda: is_served(trusted), "the certificate is served", 60)
    yield trusted
    service.run("dataops_upload", kind="shared", name=UPLOAD, state="absent")
    service.service(SERVICE, description="")
    done = manager.run("dataops_manager", name=NAMESPACE, tls_secret="", console={"path": ""})
    assert (done["manager"]["web_url"], done["manager"]["state"]) == (CONSOLE, "RUNNING")
    assert manager.run("dataops_manager", **MANAGER)["changed"] is False
    kube.delete("Secret", SECRET, NAMESPACE)


def fingerprint(certificate: str) -> str:
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    written = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(written).digest()).decode()


@pytest.fixture(scope="module")
def page(trust: Trust, account: dict[str, str]) -> Iterator[Page]:
    """A window whose user has signed in."""
    with (
        chromium(f"*.{settings.INGRESS_ZONE}", settings.INGRESS_HTTP.host, trust.key) as browser,
        window(browser, VIEWS["desk, light"]) as found,
    ):
        sign_in(found, ADDRESS, account)
        yield found


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    body: Any


def asked(trust: Trust, method: str, path: str, token: str = "", body: Any = None) -> Answer:
    """What the Ingress Controller answers to a program that trusts one authority only."""
    context = ssl.create_default_context(cadata=trust.authority)
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    endpoint = settings.INGRESS_HTTPS
    with (
        socket.create_connection((endpoint.host, endpoint.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as secure,
        closing(http.client.HTTPSConnection(HOST, timeout=30)) as connection,
    ):
        connection.sock = secure
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers.get("Location", ""), json.loads(answer.read()))


def is_served(trust: Trust) -> bool:
    try:
        return asked(trust, "GET", f"{PATH}/readyz").status == 200
    except (OSError, ValueError):
        return False


def test_who_comes_by_http_is_led_to_https(trust: Trust) -> None:
    """In a browser that has not been there: another one remembers, and asks by HTTPS at once."""
    with (
        chromium(f"*.{settings.INGRESS_ZONE}", settings.INGRESS_HTTP.host, trust.key) as browser,
        window(browser, VIEWS["phone, light"]) as stranger,
    ):
        stranger.goto(f"{CONSOLE}{PATH}/files")
        expect(stranger).to_have_url(f"{ADDRESS}/sign-in?back=%2Ffiles")


def test_cookies_stay_with_https_and_below_the_path(page: Page) -> None:
    page.get_by_role("link", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url(f"{ADDRESS}/")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies.keys() == {"dataops-session", "dataops-language"}
    for cookie in cookies.values():
        assert (cookie["path"], cookie["secure"], cookie["httpOnly"]) == (PATH, True, True)
    assert cookies["dataops-session"]["sameSite"] == "Strict"


def test_every_address_on_every_page_is_below_the_path_and_leads_somewhere(page: Page) -> None:
    found: set[str] = set()
    for path in PAGES:
        answer = page.goto(f"{ADDRESS}{path}")
        assert answer and answer.status == 200, path
        assert "max-age=31536000" in answer.headers["strict-transport-security"]
        found |= set(page.evaluate(ADDRESSES_OF))
    assert [address for address in found if not f"{address}/".startswith(f"{PATH}/")] == []
    # What these do is for the other tests; the API has no page.
    others = re.compile("/language/|/sign-out$|/revoke$|/api/v1$|/operations$|/apply$")
    pages = sorted(address for address in found if not others.search(address))
    assert f"{PATH}/services/{SERVICE}/logs" in pages
    refused = [(address, status) for address, status in page.evaluate(STATUSES_OF, pages) if status != 200]
    assert refused == []


def test_parts_of_pages_refresh_themselves(page: Page) -> None:
    page.goto(f"{ADDRESS}/")
    with page.expect_response(f"{ADDRESS}/dashboard/live", timeout=20_000) as asked_again:
        page.wait_for_load_state()
    assert asked_again.value.status == 200


def test_a_form_is_previewed_and_applied(page: Page, driver: Driver) -> None:
    page.goto(f"{ADDRESS}/services/{SERVICE}/change/description")
    page.get_by_role("textbox", name="Description").fill("By HTTPS")
    page.get_by_role("button", name="Preview").click()
    page.wait_for_url(re.compile(f"^{ADDRESS}/previews/"))
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile(f"^{ADDRESS}/operations/"))
    expect(page.locator("#ending .mark")).to_have_text("Done", timeout=60_000)
    (told,) = driver.run("dataops_service_info", name=SERVICE)["services"]
    assert told["description"] == "By HTTPS"


def test_a_file_is_uploaded_and_the_modules_find_it(page: Page, driver: Driver) -> None:
    """They come through the API server, and know of no path."""
    page.goto(f"{ADDRESS}/files")
    given = {"name": UPLOAD, "mimeType": "text/plain", "buffer": b"1.5"}
    page.locator("#upload-form input[type=file]").set_input_files([given])
    page.locator("#upload-form").get_by_role("button", name="Upload").click()
    expect(page.locator("#uploading .mark")).to_have_text("In use", timeout=60_000)
    (item,) = driver.run("dataops_upload_info", kind="shared", name=UPLOAD)["uploads"]
    assert (item["version"], item["size"]) == (1, 3)


def test_a_program_with_a_token_of_the_page(page: Page, trust: Trust) -> None:
    page.goto(f"{ADDRESS}/tokens")
    page.get_by_label("Name").fill("e2e address")
    page.get_by_label("Role").select_option("operator")
    page.get_by_role("button", name="Create").click()
    token = page.locator("input.secret").input_value()
    api = f"{PATH}/api/v1"
    services = f"{api}/data-ops-services"
    assert asked(trust, "GET", f"{api}/openapi.json").body["servers"] == [{"url": PATH}]
    assert asked(trust, "GET", services).status == 401
    listed = asked(trust, "GET", services, token).body["contents"]
    assert SERVICE in [one["data_ops_service_name"] for one in listed]
    begun = asked(trust, "PUT", f"{services}/{SERVICE}", token, {"description": "By token"})
    assert (begun.status, begun.location) == (202, f"{api}/operations/{begun.body['operation_id']}")
    until(lambda: asked(trust, "GET", begun.location, token).body["state"] == "DONE", "the change is made", 60)
    page.goto(f"{ADDRESS}/tokens")
    page.get_by_label("Revoke e2e address").click()
    page.get_by_role("button", name="Revoke e2e address").click()
    expect(page).to_have_url(f"{ADDRESS}/tokens")
    assert asked(trust, "GET", services, token).status == 401


def test_signed_out_one_is_a_stranger(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{ADDRESS}/sign-in")
    assert "dataops-session" not in {cookie["name"] for cookie in page.context.cookies()}
    page.goto(f"{ADDRESS}/tokens")
    expect(page).to_have_url(f"{ADDRESS}/sign-in?back=%2Ftokens")
