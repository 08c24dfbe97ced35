# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, host keys and certificates: what is repaired, and in which words the rest is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git import keys
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

from .samples import CERTIFICATE, HOST_KEY, KEY, KNOWN_HOSTS, der, openssh, pem

AT = "git_sync.ssh_key"


def in_base64(text: str, times: int = 1) -> str:
    for _again in range(times):
        text = base64.b64encode(text.encode()).decode()
    return text


def in_lines(text: str, width: int = 76) -> str:
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))


REPAIRED = {
    "as it should be": KEY,
    "without the last line break": KEY.rstrip("\n"),
    "with Windows line ends": KEY.replace("\n", "\r\n"),
    "with old Macintosh line ends": KEY.replace("\n", "\r"),
    "with spaces for line breaks": KEY.replace("\n", " "),
    "with the two characters \\n for line breaks": KEY.replace("\n", "\\n"),
    "indented": "".join(f"    {line}\n" for line in KEY.splitlines()),
    "with a byte order mark": "\ufeff" + KEY,
    "with text around it": f"my key:\n{KEY}\nthat was it\n",
    "in base64": in_base64(KEY),
    "in base64, twice": in_base64(KEY, 2),
    "in base64, in lines": in_lines(in_base64(KEY)),
    "with Windows line ends, in base64": in_base64(KEY.replace("\n", "\r\n")),
}


@pytest.mark.parametrize("text", REPAIRED.values(), ids=REPAIRED.keys())
def test_a_key_that_is_certain_is_repaired(text: str) -> None:
    assert keys.private_key(text, AT) == KEY


KINDS = ("RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY")


@pytest.mark.parametrize("kind", KINDS)
def test_older_forms(kind: str) -> None:
    assert keys.private_key(pem(kind, der(), 64), AT) == pem(kind, der())


PROTECTED = f"{AT}: the key is protected by a passphrase, which nobody could enter. {keys.NEW_KEY}."
DAMAGED = f"{AT}: the key is damaged or not complete. Copy it anew, from BEGIN to END."
NO_KEY = f"{AT}: this is not a private SSH key. {keys.NEW_KEY}."
PUBLIC = f"{AT}: this is the public part of a key. Give the private part, the file whose name has no .pub at its end."
LEGACY = pem("RSA PRIVATE KEY", der()).replace(
    "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,19E70A\n\n", 1
)
REFUSED = {
    "passphrase": (pem("OPENSSH PRIVATE KEY", openssh(b"aes256-ctr")), PROTECTED),
    "passphrase, older form": (LEGACY, PROTECTED),
    "passphrase, PKCS 8": (pem("ENCRYPTED PRIVATE KEY", der()), PROTECTED),
    "public part": (f"{HOST_KEY} me@example.com", PUBLIC),
    "public part in PEM": (pem("PUBLIC KEY", der()), PUBLIC),
    "public part of SSH2": ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", PUBLIC),
    "PuTTY": (
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
        f"{AT}: the key is in PuTTY's own format. "
        "Export it with PuTTYgen, 'Conversions', 'Export OpenSSH key', without a passphrase.",
    ),
    "PuTTY in base64": (
        in_base64("PuTTY-User-Key-File-3: ssh-ed25519\n"),
        f"{AT}: the key is in PuTTY's own format. "
        "Export it with PuTTYgen, 'Conversions', 'Export OpenSSH key', without a passphrase.",
    ),
    "a line is missing": ("\n".join(KEY.splitlines()[:2] + KEY.splitlines()[3:]), DAMAGED),
    "cut off": (pem("OPENSSH PRIVATE KEY", openssh()[:60]), DAMAGED),
    "cut off, older form": (pem("RSA PRIVATE KEY", der()[:60]), DAMAGED),
    "a letter too much": (KEY.replace("\n-----END", "SENTINEL!\n-----END"), DAMAGED),
    "the end is missing": (KEY.partition("-----END")[0], NO_KEY),
    "DSA": (pem("DSA PRIVATE KEY", der()), NO_KEY),
    "certificate": (CERTIFICATE, NO_KEY),
    "garbage": ("SENTINEL", NO_KEY),
    "white space": (" \n", NO_KEY),
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_other_keys_are_refused_and_not_quoted(text: str, sentence: str) -> None:
    with pytest.raises(BadOption) as caught:
        keys.private_key(text, AT)
    assert str(caught.value) == sentence
    assert "SENTINEL" not in sentence


def hashed(name: str) -> str:
    salt = b"s" * 20
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


LINES = {
    "as it should be": (KNOWN_HOSTS, KNOWN_HOSTS),
    "Windows line ends": (KNOWN_HOSTS.replace("\n", "\r\n"), KNOWN_HOSTS),
    "without the last line break": (KNOWN_HOSTS.strip(), KNOWN_HOSTS),
    "comments and empty lines": (f"# git.example.com:22 SSH-2.0\n\n{KNOWN_HOSTS}\n", KNOWN_HOSTS),
    "a comment behind the key": (f"git.example.com {HOST_KEY} our server", f"git.example.com {HOST_KEY} our server\n"),
    "an authority": (f"@cert-authority *.example.com {HOST_KEY}", f"@cert-authority *.example.com {HOST_KEY}\n"),
}


@pytest.mark.parametrize(("text", "kept"), LINES.values(), ids=LINES.keys())
def test_host_keys_are_kept_line_by_line(text: str, kept: str) -> None:
    assert keys.known_hosts(text, "git_sync.known_hosts") == kept


NO_HOST_KEYS = {
    "a key without a host": HOST_KEY,
    "a private key": KEY,
    "a key of another type than it says": f"git.example.com {HOST_KEY.replace('ssh-ed25519', 'ssh-rsa')}",
    "a key that is cut off": f"git.example.com {HOST_KEY[:16]}",
    "no base64": "git.example.com ssh-ed25519 AAAA!",
    "only comments": "# nothing\n",
}


@pytest.mark.parametrize("text", NO_HOST_KEYS.values(), ids=NO_HOST_KEYS.keys())
def test_other_lines_are_refused(text: str) -> None:
    with pytest.raises(BadOption, match=r"^git_sync.known_hosts: (line 1 is not|there is no) a? ?host key"):
        keys.known_hosts(text, "git_sync.known_hosts")


COVERED = {
    "by name": ("git.example.com", "ssh://git@git.example.com", True),
    "by name, port 22": ("git.example.com", "ssh://git@git.example.com:22", True),
    "in a list": ("10.0.0.1,git.example.com", "ssh://git@git.example.com", True),
    "by wildcard": ("*.example.com", "ssh://git@git.example.com", True),
    "by wildcard with an exception": ("*.example.com,!git.example.com", "ssh://git@git.example.com", False),
    "with a port": ("[git.example.com]:2222", "ssh://git@git.example.com:2222", True),
    "another port": ("git.example.com", "ssh://git@git.example.com:2222", False),
    "hashed": (hashed("git.example.com"), "ssh://git@git.example.com", True),
    "hashed, another host": (hashed("git.example.org"), "ssh://git@git.example.com", False),
    "another host": ("git.example.org", "ssh://git@git.example.com", False),
    "an authority": ("@cert-authority *.example.com", "ssh://git@git.example.com", True),
    "revoked": ("@revoked git.example.com", "ssh://git@git.example.com", False),
}


@pytest.mark.parametrize(("hosts", "server", "yes"), COVERED.values(), ids=COVERED.keys())
def test_which_server_a_line_is_for(hosts: str, server: str, yes: bool) -> None:
    assert keys.covers(keys.known_hosts(f"{hosts} {HOST_KEY}", "known_hosts"), server) is yes


AUTHORITIES = {
    "one": (CERTIFICATE, CERTIFICATE),
    "two, with text between": (f"first\n{CERTIFICATE}second\n{CERTIFICATE}", CERTIFICATE * 2),
    "Windows line ends": (CERTIFICATE.replace("\n", "\r\n"), CERTIFICATE),
    "in base64": (in_base64(CERTIFICATE), CERTIFICATE),
}


@pytest.mark.parametrize(("text", "kept"), AUTHORITIES.values(), ids=AUTHORITIES.keys())
def test_certificates(text: str, kept: str) -> None:
    assert keys.certificates(text, "git_sync.ca") == kept


NO_AUTHORITIES = {
    "a key": (KEY, "this contains a private key"),
    "a certificate and its key": (CERTIFICATE + pem("PRIVATE KEY", der()), "this contains a private key"),
    "cut off": (pem("CERTIFICATE", der()[:50]), "this is not a certificate in PEM form, or not a whole one"),
    "a path": ("/etc/ssl/ca.pem", "this is not a certificate in PEM form, or not a whole one"),
}


@pytest.mark.parametrize(("text", "what"), NO_AUTHORITIES.values(), ids=NO_AUTHORITIES.keys())
def test_no_certificates(text: str, what: str) -> None:
    with pytest.raises(BadOption, match=f"^git_sync.ca: {what}. Give "):
        keys.certificates(text, "git_sync.ca")
