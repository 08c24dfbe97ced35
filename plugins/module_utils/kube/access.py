# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster, and as whom: the options and K8S_AUTH_* variables that users of kubernetes.core know.

A value is taken from the option, else from its K8S_AUTH_* variable, else from the place found by this order:
an explicit host, the kubeconfig (option, K8S_AUTH_KUBECONFIG, KUBECONFIG, ~/.kube/config), the pod's service account.
With an explicit host and no kubeconfig or context named, nothing is read from a kubeconfig: credentials
that were made for one cluster are never sent to another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import BadOption, Unreachable
from .kubeconfig import KubeConfig, read_kubeconfig

AUTH_OPTIONS: tuple[str, ...] = (
    "kubeconfig",
    "context",
    "host",
    "api_key",
    "username",
    "password",
    "ca_cert",
    "client_cert",
    "client_key",
    "validate_certs",
    "proxy",
    "no_proxy",
    "impersonate_user",
    "impersonate_groups",
)

# kubernetes.core reads these variables by the option's name and by its client's name for the same thing.
_VARIABLES = {
    "ca_cert": ("K8S_AUTH_CA_CERT", "K8S_AUTH_SSL_CA_CERT"),
    "client_cert": ("K8S_AUTH_CLIENT_CERT", "K8S_AUTH_CERT_FILE"),
    "client_key": ("K8S_AUTH_CLIENT_KEY", "K8S_AUTH_KEY_FILE"),
    "validate_certs": ("K8S_AUTH_VALIDATE_CERTS", "K8S_AUTH_VERIFY_SSL"),
}
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_YES = ("1", "true", "yes", "on", "y", "t")
_NO = ("0", "false", "no", "off", "n", "f")


@dataclass(frozen=True)
class Access:
    """Where an API server is and how to be let in. Its repr never holds a secret."""

    host: str
    source: str
    user: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    renew_token: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    ca_data: str = field(default="", repr=False)
    client_cert: str = ""
    client_key: str = ""
    client_pem: str = field(default="", repr=False)
    validate_certs: bool = True
    tls_server_name: str = ""
    proxy: str = field(default="", repr=False)
    no_proxy: str = ""
    impersonate_user: str = ""
    impersonate_groups: tuple[str, ...] = ()
    # The namespace of the kubeconfig's context or of the pod; a hint, never used on its own.
    namespace: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never show up in a message."""
        return tuple(secret for secret in (self.token, self.password, self.client_pem) if secret)


def find_access(options: Mapping[str, Any], env: Mapping[str, str] | None = None) -> Access:
    """Read options and environment (`env`, the process's own when None); raises BadOption or Unreachable."""
    env = os.environ if env is None else env
    given = _given(options, env)
    asks_for_kubeconfig = "kubeconfig" in given or "context" in given
    if "host" in given and not asks_for_kubeconfig:
        access = Access(host="", source="option host")
    else:
        access = _from_kubeconfig(given, env, asked=asks_for_kubeconfig) or _from_pod(env) or _nowhere()
    access = _overridden(access, given)
    return access if access.proxy else _with_proxy_of(access, env)


def _given(options: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """Options that say something, completed from the environment."""
    unknown = sorted(set(options) - set(AUTH_OPTIONS))
    if unknown:
        raise ValueError(f"not options of access: {', '.join(unknown)}")
    given: dict[str, Any] = {}
    for name in AUTH_OPTIONS:
        value = options.get(name)
        for variable in _VARIABLES.get(name, (f"K8S_AUTH_{name.upper()}",)):
            if value in (None, "", [], {}):
                value = env.get(variable)
        if value not in (None, "", [], {}):
            given[name] = value
    return given


def _from_kubeconfig(given: Mapping[str, Any], env: Mapping[str, str], *, asked: bool) -> Access | None:
    source = given.get("kubeconfig") or env.get("KUBECONFIG")
    if not source:
        source = os.path.expanduser("~/.kube/config")
        if not asked and not os.path.exists(source):
            return None
    config = read_kubeconfig(source)
    return _of_context(config, str(given.get("context") or ""))


def _of_context(config: KubeConfig, name: str) -> Access:
    name = config.chosen(name)
    context = config.context(name)
    cluster, user = config.cluster(context), config.user(context)
    where = f"{config.source}, context {name}"
    access = Access(
        host=_host(cluster.get("server"), where),
        source=where,
        user=f"user {context.get('user')} of {where}" if user else "",
        namespace=str(context.get("namespace") or ""),
        ca_file=str(cluster.get("certificate-authority") or ""),
        ca_data=config.decoded(cluster, "certificate-authority-data"),
        validate_certs=not cluster.get("insecure-skip-tls-verify", False),
        tls_server_name=str(cluster.get("tls-server-name") or ""),
        proxy=str(cluster.get("proxy-url") or ""),
        impersonate_user=str(user.get("as") or ""),
        impersonate_groups=tuple(user.get("as-groups") or ()),
    )
    if "exec" in user or "auth-provider" in user:
        return config.with_plugin_credentials(access, name)
    certificate, key = (config.decoded(user, f"client-{part}-data") for part in ("certificate", "key"))
    return replace(
        access,
        token=str(user.get("token") or ""),
        token_file=str(user.get("tokenFile") or ""),
        username=str(user.get("username") or ""),
        password=str(user.get("password") or ""),
        client_cert="" if certificate else str(user.get("client-certificate") or ""),
        client_key="" if key else str(user.get("client-key") or ""),
        client_pem="\n".join(part for part in (certificate, key) if part),
    )


def _from_pod(env: Mapping[str, str]) -> Access | None:
    host, token_file = env.get("KUBERNETES_SERVICE_HOST"), f"{_SERVICE_ACCOUNT}/token"
    if not host or not os.path.exists(token_file):
        return None
    address = f"[{host}]" if ":" in host else host
    with open(f"{_SERVICE_ACCOUNT}/namespace", encoding="utf-8") as file:
        namespace = file.read().strip()
    return Access(
        host=f"https://{address}:{env.get('KUBERNETES_SERVICE_PORT') or '443'}",
        source="service account of this pod",
        user=f"service account of this pod in namespace {namespace}",
        token_file=token_file,
        ca_file=f"{_SERVICE_ACCOUNT}/ca.crt",
        namespace=namespace,
    )


def _nowhere() -> Access:
    raise Unreachable(
        "no Kubernetes cluster is given: no option, no K8S_AUTH_* variable, no KUBECONFIG, no ~/.kube/config",
        next_step="Give the option kubeconfig, or host and api_key",
    )


def _overridden(access: Access, given: Mapping[str, Any]) -> Access:
    """Single values that were given replace what the kubeconfig or the pod say."""
    changes: dict[str, Any] = {
        name: str(given[name]) for name in ("proxy", "no_proxy", "impersonate_user") if name in given
    }
    if "host" in given:
        changes["host"] = _host(given["host"], "option host")
        changes["tls_server_name"] = ""
    if "ca_cert" in given:
        changes |= {"ca_file": _file(given["ca_cert"], "ca_cert"), "ca_data": ""}
    if "validate_certs" in given:
        changes["validate_certs"] = _truth(given["validate_certs"])
    if "impersonate_groups" in given:
        groups = given["impersonate_groups"]
        changes["impersonate_groups"] = tuple(groups.split(",") if isinstance(groups, str) else groups)
    return replace(access, **changes, **_credentials(given))


def _credentials(given: Mapping[str, Any]) -> dict[str, Any]:
    """Credentials that were given replace all others, so that two ways in are never mixed."""
    none = {
        "token": "",
        "token_file": "",
        "renew_token": None,
        "username": "",
        "password": "",
        "client_cert": "",
        "client_key": "",
        "client_pem": "",
    }
    if "api_key" in given:
        return {**none, "token": str(given["api_key"]), "user": "option api_key"}
    if "username" in given:
        name = str(given["username"])
        return {**none, "username": name, "password": str(given.get("password", "")), "user": "option username"}
    if "client_cert" in given:
        certificate = _file(given["client_cert"], "client_cert")
        key = _file(given["client_key"], "client_key") if "client_key" in given else ""
        return {**none, "client_cert": certificate, "client_key": key, "user": f"option client_cert, {certificate}"}
    return {}


def _with_proxy_of(access: Access, env: Mapping[str, str]) -> Access:
    """The proxy that every program on this host uses; addresses of the host itself never go through it."""
    scheme, _separator, rest = access.host.partition("://")
    name = f"{scheme}_proxy"
    proxy = env.get(name) or env.get(name.upper()) or ""
    if not proxy or rest.startswith(("localhost", "127.", "[::1]")):
        return access
    no_proxy = access.no_proxy or env.get("no_proxy") or env.get("NO_PROXY") or ""
    return replace(access, proxy=proxy, no_proxy=no_proxy)


def _host(value: Any, where: str) -> str:
    host = str(value or "").strip().rstrip("/")
    if not host.startswith(("https://", "http://")):
        raise BadOption(
            f"'{host}' is not the address of an API server" if host else "it names no API server",
            where=where,
            next_step="Write it as https://NAME:PORT",
        )
    return host


def _file(value: Any, option: str) -> str:
    name = os.path.expanduser(str(value))
    if not os.path.isfile(name):
        raise BadOption(f"there is no file {name}", where=f"option {option}", next_step="Give the path of a PEM file")
    return name


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _YES + _NO:
        raise BadOption(
            f"'{value}' is neither true nor false",
            where="option validate_certs (or K8S_AUTH_VERIFY_SSL)",
            next_step="Write true or false",
        )
    return word in _YES
