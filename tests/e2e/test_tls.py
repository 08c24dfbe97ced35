# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service by HTTPS: the Ingress Controller serves its certificate, and its cookies stay with HTTPS."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import DOMAIN, NAMESPACE, SERVICE
from driver import Driver
from embedded import settings
from places import until

SECRET = "e2e-tls"
HOST = f"{SERVICE}.{DOMAIN}"


@pytest.fixture
def certificate(service: Driver, kube: Kube, tmp_path: Path) -> Iterator[Path]:
    """A certificate for the service's address, in a Secret; afterwards the service is as it was."""
    key, crt = tmp_path / "tls.key", tmp_path / "tls.crt"
    files = ["-keyout", str(key), "-out", str(crt)]
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-days", "2"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *subject]
    subprocess.run(command, check=True, capture_output=True)
    kube.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET, "namespace": NAMESPACE},
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": crt.read_text(), "tls.key": key.read_text()},
        }
    )
    yield crt
    cleared = service.service(SERVICE, tls_secret="")
    assert cleared["service"]["web_url"] == f"http://{HOST}"
    kube.delete("Secret", SECRET, NAMESPACE)


def answer(path: str, trusted: Path) -> str:
    """Head of what the Ingress Controller answers to who trusts only this certificate; empty when it does not."""
    context = ssl.create_default_context(cafile=str(trusted))
    endpoint = settings.INGRESS_HTTPS
    try:
        with (
            socket.create_connection((endpoint.host, endpoint.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as secure,
        ):
            secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            return secure.recv(65536).decode(errors="replace").partition("\r\n\r\n")[0]
    except OSError:
        return ""


def led_from_http() -> str:
    """Where who asks for the service without TLS is sent."""
    connection = http.client.HTTPConnection(settings.INGRESS_HTTP.host, settings.INGRESS_HTTP.port, timeout=10)
    with closing(connection):
        connection.request("GET", "/auth/login/", headers={"Host": HOST})
        return connection.getresponse().getheader("Location", "")


def test_https_with_a_certificate_of_its_own(service: Driver, certificate: Path) -> None:
    done = service.service(SERVICE, tls_secret=SECRET)
    assert done["restarted"] == ["web-server"]
    assert done["service"]["web_url"] == f"https://{HOST}"
    until(lambda: " 200 " in answer("/api/v2/version", certificate), "the certificate is served", 60)
    cookies = [
        line for line in answer("/auth/login/", certificate).splitlines() if line.lower().startswith("set-cookie")
    ]
    assert cookies and all("secure" in line.lower() for line in cookies)
    assert led_from_http() == f"https://{HOST}/auth/login/"


def test_a_certificate_that_is_not_there_is_refused(service: Driver) -> None:
    message = service.refused("dataops_service", name=SERVICE, tls_secret="nowhere")
    assert f"tls_secret: Secret 'nowhere' does not exist in namespace {NAMESPACE}" in message
