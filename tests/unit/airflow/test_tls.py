# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service with a certificate: its Ingress, its address, its cookies, and a Secret that cannot be used."""

from __future__ import annotations

import base64
import configparser
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import configuration
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

from ..fake_kube import cluster_object
from ..runs import NAMESPACE, cluster, run
from .builders import named, rendered, service

PEM = {"tls.crt": "-----BEGIN CERTIFICATE-----\n", "tls.key": "-----BEGIN PRIVATE KEY-----\n"}
# Where each version keeps its cookie's option.
SECTIONS = {"3.3": ("api", "fab"), "2.11": ("webserver", "webserver")}


def secret(values: dict[str, str]) -> Manifest:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return cluster_object("Secret", "etl-tls", metadata={"namespace": NAMESPACE}, data=data)


def test_the_ingress_serves_the_certificate() -> None:
    found = named(rendered(service(tls_secret="etl-tls")).all, "Ingress", "etl")
    assert found["spec"]["tls"] == [{"hosts": ["etl.example.com"], "secretName": "etl-tls"}]
    assert found["metadata"]["annotations"] == {"ingress.kubernetes.io/force-ssl-redirect": "true"}
    plain = named(rendered(service()).all, "Ingress", "etl")
    assert "tls" not in plain["spec"] and "annotations" not in plain["metadata"]


@pytest.mark.parametrize("version", SECTIONS)
def test_address_and_cookies(version: str) -> None:
    address, cookie = SECTIONS[version]
    for options, url, secure in (
        ({"tls_secret": "etl-tls"}, "https://etl.example.com", "True"),
        ({}, "http://etl.example.com", None),
    ):
        read = configparser.ConfigParser(interpolation=None)
        read.read_string(configuration.as_text(configuration.sections(service(version=version, **options))))
        assert read[address]["base_url"] == url
        assert read[cookie].get("cookie_secure") == secure


def test_a_service_with_a_certificate() -> None:
    kube = cluster()
    kube.put(secret(PEM))
    assert run(kube, tls_secret="etl-tls").details["web_url"] == "https://etl.example.com"
    kube.forget()
    assert run(kube, tls_secret="").details["web_url"] == "http://etl.example.com"
    assert kube.find("Secret", "etl-tls", NAMESPACE)


REFUSED: dict[str, tuple[list[Manifest], str]] = {
    "no Secret": ([], "tls_secret: Secret 'etl-tls' does not exist in namespace data. Create it, and run this again."),
    "no key": ([secret({"tls.crt": PEM["tls.crt"]})], "tls_secret: key 'tls.key' of Secret etl-tls does not exist."),
    "no PEM": (
        [secret({**PEM, "tls.crt": "text"})],
        "tls_secret: key 'tls.crt' of Secret etl-tls is not in PEM form. Make it with 'kubectl create secret tls'.",
    ),
}


@pytest.mark.parametrize(("objects", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_secret_that_cannot_be_used(objects: list[Any], sentence: str) -> None:
    kube = cluster()
    for item in objects:
        kube.put(item)
    with pytest.raises(Refused) as caught:
        run(kube, tls_secret="etl-tls")
    assert str(caught.value).startswith(sentence)
    assert kube.writes == []


def test_a_name_that_no_secret_can_have() -> None:
    with pytest.raises(BadOption, match="tls_secret: 'Etl_TLS' is not a valid name of a Secret"):
        service(tls_secret="Etl_TLS")
