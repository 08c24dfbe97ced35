# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""What a managed cluster has inside: DNS, storage and ingress classes, Contour's CRDs, and the demo git server."""

from __future__ import annotations

import base64
import json
import secrets
import tempfile
from pathlib import Path

from . import certificates, kube, settings
from .build import Binaries
from .components import filled_in
from .errors import ClusterError
from .shell import run

GIT_USER = "demo"
_MANIFESTS = settings.SOURCES / "manifests"
_ENVOY_SERVICE = "/api/v1/namespaces/projectcontour/services/envoy"


def apply(binaries: Binaries) -> None:
    """Apply everything; what is there already stays as it is."""
    contour = [(binaries.contour / name).read_text() for name in ("01-crds.yaml", "02-role-contour.yaml")]
    parts = [filled_in(_MANIFESTS / "cluster.yaml"), *contour, filled_in(_MANIFESTS / "git-server.yaml")]
    kube.apply("\n---\n".join(parts))
    _publish_node_address()
    _make_git_secrets()


def _publish_node_address() -> None:
    """Do what a cloud does for a Service of type LoadBalancer: write the address it is reached at into its status.

    "Proxy" keeps kube-proxy from taking over the address, on which Envoy itself listens.
    """
    status = json.dumps({"status": {"loadBalancer": {"ingress": [{"ip": settings.NODE_ADDRESS, "ipMode": "Proxy"}]}}})
    service = ("service", "envoy", "--namespace=projectcontour")
    kube.kubectl("patch", *service, "--subresource=status", "--type=merge", f"--patch={status}")


def _make_git_secrets() -> None:
    """What the git server and its users prove themselves with; it stays what it is for as long as the cluster lives."""
    for name, make in (("users", _git_users), ("ssh", _git_ssh_keys), ("tls", _git_certificate)):
        secret = f"git-server-{name}"
        try:
            kube.get(f"/api/v1/namespaces/git/secrets/{secret}")
        except ClusterError:
            data = {key: base64.b64encode(value.encode()).decode() for key, value in make().items()}
            metadata = {"name": secret, "namespace": "git"}
            # JSON is YAML.
            kube.apply(json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}))


def _git_users() -> dict[str, str]:
    password = secrets.token_urlsafe(18)
    crypted = run(["openssl", "passwd", "-6", "-stdin"], stdin=password).strip()
    return {"username": GIT_USER, "password": password, "users": f"{GIT_USER}:{crypted}\n"}


def _git_ssh_keys() -> dict[str, str]:
    """The server's key with the line by which it is known, and a user's key with the line that admits it."""
    with tempfile.TemporaryDirectory() as folder:
        host, user = Path(folder) / "host", Path(folder) / "user"
        for file in (host, user):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file])
        return {
            "host-key": host.read_text(),
            "known_hosts": f"{','.join(settings.GIT_SERVICE)} {host.with_suffix('.pub').read_text()}",
            "ssh-privatekey": user.read_text(),
            "authorized_keys": user.with_suffix(".pub").read_text(),
        }


def _git_certificate() -> dict[str, str]:
    certificates.certificate("git-server", "git-server", "serverAuth", [f"DNS:{name}" for name in settings.GIT_SERVICE])
    files = {"ca.crt": "ca.crt", "tls.crt": "git-server.crt", "tls.key": "git-server.key"}
    return {key: (settings.PKI / file).read_text() for key, file in files.items()}


def why_not_published() -> str:
    """A Probe: whether the ingress controller's Service carries the node address."""
    try:
        ingress = kube.get(_ENVOY_SERVICE)["status"]["loadBalancer"].get("ingress", [])
    except ClusterError as error:
        return str(error)
    return "" if [entry.get("ip") for entry in ingress] == [settings.NODE_ADDRESS] else "Service envoy has no address"


def why_node_not_ready() -> str:
    """A Probe: what the node says of itself."""
    try:
        conditions = kube.get(f"/api/v1/nodes/{settings.NODE}")["status"]["conditions"]
    except ClusterError as error:
        return str(error)
    for condition in conditions:
        if condition["type"] == "Ready":
            return "" if condition["status"] == "True" else str(condition["message"])
    return "the node has not reported yet"


def why_git_not_ready() -> str:
    """A Probe: whether the git server runs, which also shows that images, storage and the network work."""
    try:
        status = kube.get("/apis/apps/v1/namespaces/git/deployments/git-server")["status"]
    except ClusterError as error:
        return str(error)
    return "" if status.get("availableReplicas") else "Deployment git/git-server has no available pod"


def why_ingress_not_ready() -> str:
    """A Probe: whether Contour admitted the git server's Ingress at the node address."""
    path = "/apis/networking.k8s.io/v1/namespaces/git/ingresses/git-server"
    try:
        ingress = kube.get(path)["status"]["loadBalancer"].get("ingress", [])
    except ClusterError as error:
        return str(error)
    return "" if ingress else "Ingress git/git-server was not admitted yet"
