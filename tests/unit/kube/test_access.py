# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster and as whom: options, variables, kubeconfigs; and that no secret shows."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, DataOpsError, Unreachable
from ansible_collections.scp.dataops.plugins.module_utils.kube.access import find_access

from .conftest import SENTINEL


def config(**user: Any) -> dict[str, Any]:
    return {
        "current-context": "one",
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "n"}},
            {"name": "two", "context": {"cluster": "d", "user": "u"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": "https://c:6443/", "certificate-authority": "ca.pem"}},
            {"name": "d", "cluster": {"server": "https://d", "insecure-skip-tls-verify": True}},
        ],
        "users": [{"name": "u", "user": user or {"token": SENTINEL}}],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def written(raw: Any, name: str = "config") -> str:
        file = tmp_path / name
        file.write_text(raw if isinstance(raw, str) else yaml.safe_dump(raw), encoding="utf-8")
        return str(file)

    return written


def test_kubeconfig(write: Callable[..., str], tmp_path: Path) -> None:
    access = find_access({"kubeconfig": write(config())}, {})
    assert (access.host, access.token, access.namespace) == ("https://c:6443", SENTINEL, "n")
    assert access.ca_file == str(tmp_path / "ca.pem")
    assert SENTINEL not in repr(access)


def test_context_and_single_options_override(write: Callable[..., str]) -> None:
    access = find_access({"kubeconfig": write(config()), "context": "two", "validate_certs": True, "api_key": "k"}, {})
    assert (access.host, access.validate_certs, access.token) == ("https://d", True, "k")


def test_kubeconfig_as_mapping() -> None:
    assert find_access({"kubeconfig": config()}, {}).token == SENTINEL


def test_first_of_several_files_wins(write: Callable[..., str]) -> None:
    other = config(token="other")
    other["clusters"].append({"name": "e", "cluster": {"server": "https://e"}})
    other["contexts"].append({"name": "three", "context": {"cluster": "e", "user": "u"}})
    paths = os.pathsep.join((write(config(), "a"), "/no/such/file", write(other, "b")))
    access = find_access({"context": "three"}, {"KUBECONFIG": paths})
    assert (access.host, access.token) == ("https://e", SENTINEL)


def test_environment_of_kubernetes_core() -> None:
    env = {"K8S_AUTH_HOST": "https://h", "K8S_AUTH_API_KEY": "k", "K8S_AUTH_VERIFY_SSL": "no"}
    access = find_access({}, env)
    assert (access.host, access.token, access.validate_certs) == ("https://h", "k", False)


def test_option_before_environment_before_kubeconfig(write: Callable[..., str]) -> None:
    env = {"K8S_AUTH_API_KEY": "from the environment", "KUBECONFIG": write(config())}
    assert find_access({}, env).token == "from the environment"
    assert find_access({"api_key": "from the option"}, env).token == "from the option"


def test_a_given_host_never_gets_credentials_of_a_kubeconfig(write: Callable[..., str]) -> None:
    access = find_access({"host": "https://elsewhere"}, {"KUBECONFIG": write(config())})
    assert (access.host, access.token) == ("https://elsewhere", "")


def test_given_credentials_replace_all_others(write: Callable[..., str]) -> None:
    path = write(config(**{"client-certificate": "a.pem", "client-key": "a.key"}))
    access = find_access({"kubeconfig": path, "username": "ann", "password": SENTINEL}, {})
    assert (access.client_cert, access.username, access.password) == ("", "ann", SENTINEL)
    assert SENTINEL not in repr(access)


def test_embedded_client_certificate(write: Callable[..., str]) -> None:
    data = base64.b64encode(SENTINEL.encode()).decode()
    path = write(config(**{"client-certificate-data": data, "client-key-data": data}))
    access = find_access({"kubeconfig": path}, {})
    assert access.client_pem == f"{SENTINEL}\n{SENTINEL}"
    assert SENTINEL not in repr(access)


def test_credential_plugin(write: Callable[..., str], tmp_path: Path) -> None:
    reply = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t-1"}}'
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "echo",
        "args": [reply],
        "interactiveMode": "Never",
    }
    (tmp_path / "ca.pem").write_text("")
    access = find_access({"kubeconfig": write(config(exec=plugin))}, {})
    assert access.renew_token is not None
    assert access.renew_token() == "t-1"


PROXIES = {
    "from the environment": ({}, {"https_proxy": "http://p:1"}, "http://p:1"),
    "option first": ({"proxy": "http://q:1"}, {"https_proxy": "http://p:1"}, "http://q:1"),
    "never for this host itself": ({"host": "https://127.0.0.1:6443"}, {"https_proxy": "http://p:1"}, ""),
}


@pytest.mark.parametrize(("options", "env", "expected"), PROXIES.values(), ids=PROXIES.keys())
def test_proxy(options: dict[str, str], env: dict[str, str], expected: str) -> None:
    assert find_access({"host": "https://h", **options}, env).proxy == expected


WRONG = {
    "no file": (
        lambda write: {"kubeconfig": "/no/such/file"},
        Unreachable,
        "kubeconfig /no/such/file: there is no such file",
    ),
    "not YAML": (lambda write: {"kubeconfig": write(f"a: [\n token: {SENTINEL}\n: :")}, Unreachable, "not valid YAML"),
    "no kubeconfig": (lambda write: {"kubeconfig": write("just text")}, Unreachable, "it is not a kubeconfig"),
    "no context": (
        lambda write: {"kubeconfig": write(config()), "context": "x"},
        Unreachable,
        "no context 'x'. Choose one of: one, two",
    ),
    "no current context": (
        lambda write: {"kubeconfig": write({**config(), "current-context": ""})},
        Unreachable,
        "no current context.*one, two",
    ),
    "no user": (
        lambda write: {"kubeconfig": write({**config(), "users": []})},
        Unreachable,
        r"no user 'u'.*\(there are none\)",
    ),
    "bad base64": (
        lambda write: {"kubeconfig": write(config(**{"client-key-data": f"{SENTINEL}!"}))},
        Unreachable,
        "client-key-data is not valid base64",
    ),
    "bad host": (lambda write: {"host": "h:6443"}, BadOption, "'h:6443' is not the address of an API server"),
    "bad truth": (
        lambda write: {"host": "https://h", "validate_certs": "maybe"},
        BadOption,
        "'maybe' is neither true nor false",
    ),
    "no certificate": (
        lambda write: {"host": "https://h", "ca_cert": "/no/ca.pem"},
        BadOption,
        "there is no file /no/ca.pem",
    ),
}


@pytest.mark.parametrize(("options", "kind", "words"), WRONG.values(), ids=WRONG.keys())
def test_wrong(
    write: Callable[..., str],
    options: Callable[[Callable[..., str]], dict[str, Any]],
    kind: type[DataOpsError],
    words: str,
) -> None:
    with pytest.raises(kind, match=words) as caught:
        find_access(options(write), {})
    assert SENTINEL not in str(caught.value)


def test_nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Unreachable, match="no Kubernetes cluster is given"):
        find_access({}, {})
