# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys, host keys and certificates as people paste them: repaired where it is certain what was meant, else refused.

What spoils a key on its way through editors, YAML, vaults and web forms changes its white space or wraps it in base64
once more; ssh then only says "error in libcrypto". No message quotes a key.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import re
import struct
from urllib.parse import urlsplit

from ...errors import BadOption

BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
PRIVATE_KEYS = ("OPENSSH PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY")
OPENSSH_MAGIC = b"openssh-key-v1\0"
KEY_TYPE = re.compile(r"(ssh|ecdsa-sha2|sk-ssh|sk-ecdsa-sha2)-[a-z0-9@.-]+")
MARKERS = ("@cert-authority", "@revoked")
# OpenSSH writes lines of 70, the older forms of 64; both read either.
LINE = 70
WRAPPED_AT_MOST = 3
# What a key begins with, and what that is in base64, once and twice.
KEY_STARTS = (b"-----BEGIN", b"PuTTY", b"LS0tLS1CRUdJTi", b"TFMwdExTMUNSVWRKVG")
SSH_PORT = 22
NEW_KEY = "Make one for this purpose with \"ssh-keygen -t ed25519 -N ''\" and give its private part"


def private_key(text: str, at: str) -> str:
    """The key in the form in which ssh reads it.

    :raises BadOption: for what is not an unprotected private key, in words that do not quote it.
    """
    text = unwrapped(text.replace("\\n", "\n"))
    if text.startswith("PuTTY-User-Key-File"):
        raise BadOption(
            "the key is in PuTTY's own format",
            where=at,
            next_step="Export it with PuTTYgen, 'Conversions', 'Export OpenSSH key', without a passphrase",
        )
    if KEY_TYPE.match(text) or "PUBLIC KEY" in text.partition("\n")[0]:
        raise BadOption(
            "this is the public part of a key",
            where=at,
            next_step="Give the private part, the file whose name has no .pub at its end",
        )
    found = BLOCK.search(text)
    if found is None or found[1] not in (*PRIVATE_KEYS, "ENCRYPTED PRIVATE KEY"):
        raise BadOption("this is not a private SSH key", where=at, next_step=NEW_KEY)
    kind, body = found[1], found[2]
    if kind.startswith("ENCRYPTED") or "ENCRYPTED" in body:
        raise protected(at)
    data = decoded("".join(body.split()))
    if kind == "OPENSSH PRIVATE KEY" and data.startswith(OPENSSH_MAGIC):
        used = cipher(data)
        if used not in (b"", b"none"):
            raise protected(at)
        whole = used == b"none"
    else:
        whole = kind != "OPENSSH PRIVATE KEY" and is_der(data)
    if not whole:
        raise BadOption("the key is damaged or not complete", where=at, next_step="Copy it anew, from BEGIN to END")
    return block(kind, data)


def protected(at: str) -> BadOption:
    return BadOption("the key is protected by a passphrase, which nobody could enter", where=at, next_step=NEW_KEY)


def unwrapped(text: str) -> str:
    """Without base64 around it, as often as it was put there."""
    text = text.lstrip("\ufeff").strip()
    for _again in range(WRAPPED_AT_MOST):
        inner = decoded("".join(text.split()))
        if not inner.lstrip(b"\xef\xbb\xbf \r\n").startswith(KEY_STARTS):
            break
        text = inner.decode(errors="replace").lstrip("\ufeff").strip()
    return text


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def cipher(data: bytes) -> bytes:
    """What an OpenSSH key is protected with, ``none`` for nothing; empty when the key is not a whole one.

    It consists of texts with their length before them: cipher, key derivation and its options, then the number of keys
    (always 1), the public and the private part.
    """
    place, texts = len(OPENSSH_MAGIC), []
    for skipped in (0, 0, 0, 4, 0):
        place += skipped
        if place + 4 > len(data):
            return b""
        end = place + 4 + int.from_bytes(data[place : place + 4], "big")
        texts.append(data[place + 4 : end])
        place = end
    return texts[0] if place == len(data) else b""


def is_der(data: bytes) -> bool:
    """One whole ASN.1 sequence, and nothing after it."""
    if len(data) < 2 or data[0] != 0x30:
        return False
    if data[1] < 0x80:
        return len(data) == 2 + data[1]
    octets = data[1] & 0x7F
    return len(data) == 2 + octets + int.from_bytes(data[2 : 2 + octets], "big")


def block(kind: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[start : start + LINE] for start in range(0, len(text), LINE)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


def certificates(text: str, at: str) -> str:
    """One or more CA certificates in PEM form."""
    text = unwrapped(text)
    found = BLOCK.findall(text)
    if any("PRIVATE" in kind for kind, _body in found):
        raise BadOption("this contains a private key", where=at, next_step="Give certificates only, and renew that key")
    bodies = [decoded("".join(body.split())) for kind, body in found if kind in ("CERTIFICATE", "TRUSTED CERTIFICATE")]
    if not bodies or not all(is_der(body) for body in bodies):
        raise BadOption(
            "this is not a certificate in PEM form, or not a whole one",
            where=at,
            next_step="Give all from '-----BEGIN CERTIFICATE-----' to '-----END CERTIFICATE-----', both included",
        )
    return "".join(block("CERTIFICATE", body) for body in bodies)


def known_hosts(text: str, at: str) -> str:
    """Lines of a known_hosts file, each checked; comments and empty lines go."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    kept = [line for line in lines if line and not line.startswith("#")]
    for number, line in enumerate(kept, start=1):
        if not is_host_key(line):
            raise BadOption(
                f"line {number} is not a host key",
                where=at,
                next_step="Use lines of the form 'git.example.com ssh-ed25519 AAAA...', as ssh-keyscan prints them",
            )
    if not kept:
        raise BadOption("there is no host key in it", where=at, next_step="Give what ssh-keyscan prints of the server")
    return "\n".join([*kept, ""])


def is_host_key(line: str) -> bool:
    parts = line.split()
    if parts[0] in MARKERS:
        parts = parts[1:]
    if len(parts) < 3 or not KEY_TYPE.fullmatch(parts[1]):
        return False
    data, kind = decoded(parts[2]), parts[1].encode()
    # A key begins with its own type.
    return data.startswith(struct.pack(">I", len(kind)) + kind) and len(data) > 4 + len(kind)


def covers(lines: str, server: str) -> bool:
    """Whether one of the lines is for this server."""
    name = host_name(server)
    fields = [line.split() for line in lines.splitlines()]
    hosts = [parts[1] if parts[0] in MARKERS else parts[0] for parts in fields if parts[0] != "@revoked"]
    return any(matches(host, name) for host in hosts)


def matches(pattern: str, name: str) -> bool:
    """A host field as ssh reads it: hashed, or names and wildcards with ``!`` for exceptions."""
    if pattern.startswith("|1|"):
        salt, sum_of_name = (decoded(part) for part in [*pattern.split("|"), "", ""][2:4])
        return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), sum_of_name)
    parts = pattern.lower().split(",")
    if any(part.startswith("!") and wild(part[1:], name) for part in parts):
        return False
    return any(wild(part, name) for part in parts if not part.startswith("!"))


def wild(pattern: str, name: str) -> bool:
    """Brackets stand for themselves here: they surround a host that has a port."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def host_name(server: str) -> str:
    """As known_hosts names it: ``host``, or ``[host]:port``."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    return f"[{host}]:{parts.port}" if parts.port not in (None, SSH_PORT) else host


def scan(server: str) -> str:
    """The command that prints the host keys of a server."""
    parts = urlsplit(server)
    port = f" -p {parts.port}" if parts.port not in (None, SSH_PORT) else ""
    return f"ssh-keyscan{port} {parts.hostname}"
