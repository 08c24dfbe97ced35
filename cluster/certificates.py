# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""Who may talk to the API server, and how each proves it: one authority, two certificates, one token per client."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from . import settings
from .shell import run

# The audit log leaves this group out: it is the cluster talking to itself.
COMPONENTS_GROUP = "dataops:components"


@dataclass(frozen=True)
class Client:
    """A user of the API server. The file of its kubeconfig is named after ``name``."""

    name: str
    user: str
    groups: tuple[str, ...]


ADMIN = Client("admin", "admin", ("system:masters",))
CLIENTS = (
    ADMIN,
    Client("kube-controller-manager", "system:kube-controller-manager", (COMPONENTS_GROUP,)),
    Client("kube-scheduler", "system:kube-scheduler", (COMPONENTS_GROUP,)),
    Client("kube-proxy", "system:kube-proxy", (COMPONENTS_GROUP,)),
    Client("kubelet", f"system:node:{settings.NODE}", ("system:nodes",)),
    Client("coredns", "coredns", (COMPONENTS_GROUP,)),
    Client("contour", "contour", (COMPONENTS_GROUP,)),
    Client("shared-storage", "shared-storage", (COMPONENTS_GROUP,)),
)


def make() -> None:
    """Make keys, certificates, tokens and kubeconfigs, once for each cluster."""
    if settings.KUBECONFIG.exists():
        return
    settings.PKI.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.CONFIG.mkdir(parents=True, exist_ok=True, mode=0o700)
    _authority()
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
    names.append(f"kubernetes.default.svc.{settings.CLUSTER_DOMAIN}")
    addresses = [settings.NODE_ADDRESS, settings.KUBERNETES_SERVICE, settings.LOOPBACK]
    alternatives = [f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses]
    certificate("apiserver", "kube-apiserver", "serverAuth", alternatives)
    certificate("apiserver-client", "kube-apiserver-kubelet-client", "clientAuth", ["DNS:kube-apiserver"])
    certificate("etcd", "etcd", "serverAuth,clientAuth", [f"IP:{settings.LOOPBACK}", "DNS:localhost"])
    _key("service-accounts")
    tokens = {client: secrets.token_urlsafe(32) for client in CLIENTS}
    rows = [f'{token},{client.user},{client.name},"{",".join(client.groups)}"' for client, token in tokens.items()]
    _write_private("tokens.csv", "\n".join(rows) + "\n")
    for client, token in tokens.items():
        if client is not ADMIN:
            _write_kubeconfig(settings.CONFIG / f"{client.name}.kubeconfig", client.name, token)
    # Last, because its presence says that everything else is complete.
    _write_kubeconfig(settings.KUBECONFIG, ADMIN.name, tokens[ADMIN])


def _key(name: str) -> None:
    run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", settings.PKI / f"{name}.key"])


def _authority() -> None:
    _key("ca")
    usage = "keyUsage=critical,keyCertSign,digitalSignature"
    subject = ["-subj", "/CN=scp-dataops", "-days", "3650", "-addext", usage]
    pki = settings.PKI
    run(["openssl", "req", "-x509", "-new", "-key", pki / "ca.key", "-out", pki / "ca.crt", *subject])


def certificate(name: str, common_name: str, usage: str, alternatives: list[str]) -> None:
    """A key and a certificate of the cluster's authority, as files of that name."""
    _key(name)
    extensions = settings.PKI / f"{name}.ext"
    extensions.write_text(f"extendedKeyUsage={usage}\nsubjectAltName={','.join(alternatives)}\n")
    pki = settings.PKI
    request = run(["openssl", "req", "-new", "-key", pki / f"{name}.key", "-subj", f"/CN={common_name}"])
    authority: list[str | Path] = ["-CA", pki / "ca.crt", "-CAkey", pki / "ca.key", "-CAcreateserial", "-days", "3650"]
    run(["openssl", "x509", "-req", *authority, "-extfile", extensions, "-out", pki / f"{name}.crt"], stdin=request)


def _write_private(name: str, text: str) -> None:
    file = settings.PKI / name
    file.touch(mode=0o600)
    file.write_text(text)


def _write_kubeconfig(file: Path, user: str, token: str) -> None:
    """JSON is YAML, so no YAML library is needed."""
    authority = base64.b64encode((settings.PKI / "ca.crt").read_bytes()).decode()
    name = "scp-dataops"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [
            {"name": name, "cluster": {"server": f"https://{settings.API}", "certificate-authority-data": authority}}
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(config, indent=2) + "\n")
