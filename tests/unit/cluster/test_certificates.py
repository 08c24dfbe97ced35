# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One authority, certificates for the names and addresses in use, one token per client."""

from __future__ import annotations

import base64
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from cluster import certificates, components, settings


@pytest.fixture
def made(commands: Any) -> Any:
    """All is made, with openssl's part noted instead of done."""
    settings.PKI.mkdir(parents=True)
    (settings.PKI / "ca.crt").write_text("AUTHORITY")
    commands.answers["openssl req -new"] = "REQUEST"
    certificates.make()
    return commands


def tokens() -> dict[str, list[str]]:
    """Rows of the API server's list, by the name in the third column."""
    with (settings.PKI / "tokens.csv").open() as file:
        return {row[2]: row for row in csv.reader(file)}


def kubeconfig(name: str) -> Any:
    file = settings.KUBECONFIG if name == "admin" else settings.CONFIG / f"{name}.kubeconfig"
    return json.loads(file.read_text())


# Certificate; what it may be used for; its names and addresses.
CERTIFICATES = {
    "apiserver": (
        "serverAuth",
        "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,"
        "DNS:kubernetes.default.svc.cluster.local,IP:10.250.0.1,IP:10.252.0.1,IP:127.0.0.1",
    ),
    "apiserver-client": ("clientAuth", "DNS:kube-apiserver"),
    "etcd": ("serverAuth,clientAuth", "IP:127.0.0.1,DNS:localhost"),
}


@pytest.mark.parametrize(("name", "usage", "alternatives"), [(name, *row) for name, row in CERTIFICATES.items()])
def test_certificates(name: str, usage: str, alternatives: str, made: Any) -> None:
    pki = settings.PKI
    assert (pki / f"{name}.ext").read_text() == f"extendedKeyUsage={usage}\nsubjectAltName={alternatives}\n"
    (signed,) = [at for at, words in enumerate(made.ran) if words.endswith(f"-out {pki}/{name}.crt")]
    assert made.ran[signed] == (
        f"openssl x509 -req -CA {pki}/ca.crt -CAkey {pki}/ca.key -CAcreateserial -days 3650"
        f" -extfile {pki}/{name}.ext -out {pki}/{name}.crt"
    )
    assert made.given[signed] == "REQUEST"
    assert f"openssl ecparam -name prime256v1 -genkey -noout -out {pki}/{name}.key" in made.ran


def test_the_authority_may_sign_and_comes_first(made: Any) -> None:
    pki = settings.PKI
    assert made.ran[:2] == [
        f"openssl ecparam -name prime256v1 -genkey -noout -out {pki}/ca.key",
        f"openssl req -x509 -new -key {pki}/ca.key -out {pki}/ca.crt -subj /CN=scp-dataops -days 3650"
        " -addext keyUsage=critical,keyCertSign,digitalSignature",
    ]


def test_every_file_of_certificates_that_a_component_is_given_is_made(made: Any) -> None:
    words = [word.partition("=")[2] for make in components.ALL for word in make().argv]
    wanted = {Path(word).name for word in words if word.startswith(str(settings.PKI))}
    ran = {word for words in made.ran for word in words.split()}
    assert len(wanted) > 5
    assert {name for name in wanted if f"{settings.PKI}/{name}" not in ran and name != "tokens.csv"} == set()


# Client; its user and groups.
CLIENTS = {
    "admin": ("admin", "system:masters"),
    "kubelet": ("system:node:dataops", "system:nodes"),
    "kube-scheduler": ("system:kube-scheduler", "dataops:components"),
    "shared-storage": ("shared-storage", "dataops:components"),
}


@pytest.mark.parametrize(("name", "user", "groups"), [(name, *row) for name, row in CLIENTS.items()])
@pytest.mark.usefixtures("made")
def test_clients(name: str, user: str, groups: str) -> None:
    token, *rest = tokens()[name]
    assert rest == [user, name, groups]
    assert kubeconfig(name)["users"] == [{"name": name, "user": {"token": token}}]


@pytest.mark.usefixtures("made")
def test_only_the_administrator_is_a_master() -> None:
    assert [name for name, row in tokens().items() if "system:masters" in row[3]] == ["admin"]


@pytest.mark.usefixtures("made")
def test_no_two_clients_share_a_token() -> None:
    rows = tokens()
    assert set(rows) == {client.name for client in certificates.CLIENTS}
    assert len({row[0] for row in rows.values()}) == len(rows)
    assert min(len(row[0]) for row in rows.values()) > 40


@pytest.mark.usefixtures("made")
def test_every_component_finds_its_kubeconfig() -> None:
    words = {word.partition("=")[2] for make in components.ALL for word in make().argv}
    wanted = {Path(word) for word in words if word.endswith(".kubeconfig")}
    assert len(wanted) == 6
    assert {file for file in wanted if not file.exists()} == set()
    assert (settings.CONFIG / "coredns.kubeconfig").exists()


@pytest.mark.usefixtures("made")
def test_a_kubeconfig_names_server_and_authority() -> None:
    config = kubeconfig("admin")
    (cluster,) = config["clusters"]
    assert cluster["cluster"]["server"] == "https://10.250.0.1:6443"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == b"AUTHORITY"
    assert config["current-context"] == config["contexts"][0]["name"] == cluster["name"]


@pytest.mark.usefixtures("made")
def test_nobody_else_may_read_a_token() -> None:
    files = [settings.KUBECONFIG, settings.PKI / "tokens.csv", *settings.CONFIG.glob("*.kubeconfig")]
    assert len(files) == 9
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in files} == {file.name: "0o600" for file in files}


def test_a_second_start_changes_nothing(made: Any) -> None:
    before = settings.KUBECONFIG.read_bytes()
    made.ran.clear()
    certificates.make()
    assert made.ran == []
    assert settings.KUBECONFIG.read_bytes() == before
