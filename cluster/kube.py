# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""The few requests that bringing up a cluster needs; everything else goes through kubectl."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from . import settings
from .errors import ClusterError
from .shell import run


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    return run([settings.BIN / "kubectl", f"--kubeconfig={settings.KUBECONFIG}", *arguments], stdin=stdin)


def apply(manifests: str) -> None:
    """Server-side apply, because unlike the other kind it does not mind CRDs of any size."""
    kubectl(
        "apply", "--server-side", "--force-conflicts", "--field-manager=scp-dataops-cluster", "-f", "-", stdin=manifests
    )


def get(path: str) -> Any:
    """The object or list at an API path. Raises ClusterError if there is none or the server does not answer."""
    reason, body = _request(path)
    if reason:
        raise ClusterError(f"{path}: {reason}.")
    return json.loads(body)


def why_not_ready() -> str:
    """A Probe: empty when the API server says that it is ready."""
    return _request("/readyz")[0]


def _request(path: str) -> tuple[str, bytes]:
    """Reason of a failure, or nothing and the body."""
    try:
        token = _client()["users"][0]["user"]["token"]
        request = urllib.request.Request(f"https://{settings.API}{path}", headers={"Authorization": f"Bearer {token}"})
        with _open(request) as answer:
            return "", answer.read()
    except urllib.error.HTTPError as error:
        return f"the API server answered {error.code}", b""
    except (OSError, ValueError) as error:
        return f"the API server cannot be reached ({getattr(error, 'reason', error)})", b""


def _client() -> Any:
    return json.loads(settings.KUBECONFIG.read_text())


def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(settings.PKI / "ca.crt"))


def _open(request: urllib.request.Request) -> Any:
    # A proxy of the environment cannot reach an address that only this machine has.
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_trust())]
    return urllib.request.build_opener(*handlers).open(request, timeout=5)
