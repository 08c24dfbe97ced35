# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorities that a service trusts besides those of its image.

Programs take one file with all authorities. Only the image knows its own, so a helper of the same image writes both
into a folder of the pod before anything else starts; no image has to be built for it.
"""

from __future__ import annotations

import binascii
import re
import ssl
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..errors import BadOption
from ..kube.objects import Manifest

FOLDER = "/etc/scp-dataops/authorities"
BUNDLE = f"{FOLDER}/bundle.pem"
# A variable of a container may hold 128 KiB.
MOST_CHARACTERS = 65536
BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)

# Python and all that uses OpenSSL, requests and curl have a variable each. Git's own would win over what a repository
# says of its server, so git reads a file of settings, which comes after all others.
VARIABLES = {
    "SSL_CERT_FILE": BUNDLE,
    "REQUESTS_CA_BUNDLE": BUNDLE,
    "CURL_CA_BUNDLE": BUNDLE,
    "GIT_CONFIG_SYSTEM": f"{FOLDER}/gitconfig",
}
VOLUME: Manifest = {"name": "authorities", "emptyDir": {}}
MOUNT: Manifest = {"name": "authorities", "mountPath": FOLDER, "readOnly": True}
# Where images keep theirs: Debian and Alpine, then Red Hat; else the one that comes with Python's requests.
WRITE_BUNDLE = f"""\
for own in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt "$(python -m certifi 2>/dev/null)"; do
  if [ -s "$own" ]; then break; fi
done
set -eu
{{ cat "$own"; echo; printf '%s' "$AUTHORITIES"; }} >{BUNDLE}
printf '[include]\n\tpath = /etc/gitconfig\n[http]\n\tsslCAInfo = {BUNDLE}\n' >{FOLDER}/gitconfig
"""


def from_text(text: str, at: str) -> str:
    """The certificates in one form: comments dropped, lines of 64 characters; empty when there is no text.

    :raises BadOption: for what is no certificate, and for a private key, which nobody may see here.
    """
    if not text.strip():
        return ""
    if len(text) > MOST_CHARACTERS:
        raise BadOption(
            f"{len(text)} characters are too many",
            where=at,
            next_step=f"Name only the authorities that are missing, in at most {MOST_CHARACTERS} characters",
        )
    if "PRIVATE KEY" in text:
        raise BadOption(
            "the text holds a private key, which belongs nowhere but to its authority",
            where=at,
            next_step="Leave the key out; only certificates are needed",
        )
    blocks = [(kind, "".join(body.split())) for kind, body in BLOCK.findall(text)]
    if not blocks or any(kind != "CERTIFICATE" for kind, _body in blocks):
        raise BadOption(
            "this is not a certificate in PEM form",
            where=at,
            next_step="Use text that begins with -----BEGIN CERTIFICATE----- and ends with -----END CERTIFICATE-----",
        )
    return "".join(certificate(body, position, at) for position, (_kind, body) in enumerate(blocks, start=1))


def certificate(body: str, position: int, at: str) -> str:
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    pem = "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
    try:
        context(pem)
    except (ssl.SSLError, ValueError, binascii.Error) as error:
        raise BadOption(
            f"certificate {position} cannot be read",
            where=at,
            next_step="Copy it anew, whole and without changes",
        ) from error
    return pem


def context(pem: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cadata=pem)
    return made


def expired(pem: str, now: datetime) -> list[str]:
    """One sentence for each authority whose time is over."""
    if not pem:
        return []
    found = []
    for item in context(pem).get_ca_certs():
        until = str(item["notAfter"])
        if datetime.fromtimestamp(ssl.cert_time_to_seconds(until), timezone.utc) < now:
            found.append(f"ca_certificates: the authority {subject(item)} has expired on {until}")
    return found


def subject(certificate: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for part in certificate["subject"] for key, value in part)


def container(pem: str, image: str) -> Manifest:
    return {
        "name": "authorities",
        "image": image,
        # Not the image's entry point, which prepares Airflow and takes seconds.
        "command": ["sh", "-c", WRITE_BUNDLE],
        "env": [{"name": "AUTHORITIES", "value": pem}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "authorities", "mountPath": FOLDER}],
    }
