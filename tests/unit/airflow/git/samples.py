# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys as ssh would read them, made of nothing: whole in form, and a secret of nobody."""

from __future__ import annotations

import base64
import struct

HOST_KEY = "ssh-ed25519 " + base64.b64encode(struct.pack(">I", 11) + b"ssh-ed25519" + bytes(36)).decode()
KNOWN_HOSTS = f"git.example.com {HOST_KEY}\n"


def texts(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def openssh(cipher: bytes = b"none", private: bytes = b"\x07" * 120) -> bytes:
    return b"openssh-key-v1\0" + texts(cipher, b"none", b"") + struct.pack(">I", 1) + texts(b"public" * 8, private)


def der(content: bytes = b"\x05" * 300) -> bytes:
    return b"\x30\x82" + struct.pack(">H", len(content)) + content


def pem(kind: str, data: bytes, width: int = 70) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[start : start + width] for start in range(0, len(text), width)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


KEY = pem("OPENSSH PRIVATE KEY", openssh())
CERTIFICATE = pem("CERTIFICATE", der())
