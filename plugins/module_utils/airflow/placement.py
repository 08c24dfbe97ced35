# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where pods of a service run, and what they reach: the same for components, jobs, task pods and their helpers.

Authorities and proxy are part of the pods themselves. So a pod shows them, a Job that runs before anything else is
there has them, and a change replaces just the pods that hold them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..common import validation as check
from ..common.validation import HostAlias
from ..errors import BadOption
from ..kube.objects import Manifest
from . import authorities, names

# What a Manager may set for all of its services, besides sizes.
OPTIONS = (
    "host_aliases",
    "node_selector",
    "tolerations",
    "affinity",
    "priority_class",
    "ca_certificates",
    "egress_proxy",
)
NESTED = ("egress_proxy",)

TOLERATION_KEYS = ("key", "operator", "value", "effect", "tolerationSeconds")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
REQUIRED, PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
AFFINITIES = ("nodeAffinity", "podAffinity", "podAntiAffinity")
NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
POD_OPERATORS = NODE_OPERATORS[:4]
# What every proxy must leave alone. Pods call each other by address for logs, and the API server by the address that
# Kubernetes puts into each container; private networks are what clusters number their pods from.
NEVER_BY_PROXY = (
    "localhost",
    "127.0.0.1",
    "::1",
    "$(KUBERNETES_SERVICE_HOST)",
    ".svc",
    ".cluster.local",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
)


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """How containers reach what is outside of the cluster; ``no_proxy`` is what was asked for, without our own."""

    http: str
    https: str
    no_proxy: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Tolerations and affinity are in Kubernetes' own form; ``ca_certificates`` is PEM in one form, or empty."""

    host_aliases: tuple[HostAlias, ...]
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, Any], ...]
    affinity: Mapping[str, Any]
    priority_class: str
    ca_certificates: str
    proxy: Proxy | None


def from_options(options: Mapping[str, Any], at: str = "") -> Placement:
    """:param at: path of the options, ending with a dot, when they are part of another option.

    :raises BadOption: naming the option, its value and what is allowed.
    """
    return Placement(
        host_aliases=check.host_aliases(options.get("host_aliases", ()), f"{at}host_aliases"),
        node_selector=check.node_selector(options.get("node_selector", {}), f"{at}node_selector"),
        tolerations=tolerations(options.get("tolerations", ()), f"{at}tolerations"),
        affinity=affinity(options.get("affinity", {}), f"{at}affinity"),
        priority_class=check.object_name(options["priority_class"], f"{at}priority_class")
        if options.get("priority_class")
        else "",
        ca_certificates=authorities.from_text(options.get("ca_certificates", ""), f"{at}ca_certificates"),
        proxy=proxy(options["egress_proxy"], f"{at}egress_proxy") if options.get("egress_proxy") else None,
    )


def tolerations(raw: Iterable[Mapping[str, Any]], at: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(toleration(entry, f"{at}[{position}]") for position, entry in enumerate(raw))


def toleration(raw: Mapping[str, Any], at: str) -> Mapping[str, Any]:
    """Kubernetes takes some combinations that tolerate nothing, or everything; those are refused."""
    check.known_keys(raw, TOLERATION_KEYS, at)
    operator, effect = raw.get("operator", "Equal"), raw.get("effect", "")
    if operator not in ("Equal", "Exists"):
        raise BadOption(f"'{operator}' is not an operator", where=f"{at}.operator", next_step="Use Equal or Exists")
    if effect and effect not in EFFECTS:
        raise BadOption(
            f"'{effect}' is not an effect of a taint", where=f"{at}.effect", next_step=f"Use {', '.join(EFFECTS)}"
        )
    if operator == "Equal" and not raw.get("key"):
        raise BadOption(
            "it is not set", where=f"{at}.key", next_step="Name the taint's key, or use operator Exists for every taint"
        )
    if operator == "Exists" and raw.get("value"):
        raise BadOption("Exists takes no value", where=f"{at}.value", next_step="Leave it out, or use operator Equal")
    if "tolerationSeconds" in raw and effect != "NoExecute":
        raise BadOption(
            "only pods that would be evicted can be so for a time",
            where=f"{at}.tolerationSeconds",
            next_step="Leave it out, or use effect NoExecute",
        )
    return dict(raw)


def affinity(raw: Mapping[str, Any], at: str) -> Mapping[str, Any]:
    """Kinds, strengths and operators by name; the server's own strict check looks at all the rest."""
    check.known_keys(raw, AFFINITIES, at)
    for kind, strengths in raw.items():
        is_mapping(strengths, f"{at}.{kind}")
        check.known_keys(strengths, (REQUIRED, PREFERRED), f"{at}.{kind}")
        operators(strengths, NODE_OPERATORS if kind == "nodeAffinity" else POD_OPERATORS, f"{at}.{kind}")
    return dict(raw)


def is_mapping(value: Any, at: str) -> None:
    if not isinstance(value, Mapping):
        raise BadOption("it has no keys", where=at, next_step="Use the form of a Pod's spec.affinity")


def operators(value: Any, known: Sequence[str], at: str) -> None:
    """Every ``operator`` at any depth is one of ``known``."""
    inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        where = f"{at}[{key}]" if isinstance(key, int) else f"{at}.{key}"
        if key == "operator" and item not in known:
            raise BadOption(f"'{item}' is not an operator", where=where, next_step=f"Use {', '.join(known)}")
        operators(item, known, where)


def proxy(raw: Mapping[str, Any], at: str) -> Proxy | None:
    check.known_keys(raw, ("http", "https", "no_proxy"), at)
    http, https = (proxy_address(raw.get(key, ""), f"{at}.{key}") for key in ("http", "https"))
    if not http and not https:
        raise BadOption(
            "neither http nor https is set", where=at, next_step="Set one, such as http://proxy.example.com:3128"
        )
    besides = tuple(not_by_proxy(entry, f"{at}.no_proxy") for entry in raw.get("no_proxy", ()))
    return Proxy(http=http, https=https, no_proxy=besides)


def proxy_address(value: str, at: str) -> str:
    if not value:
        return ""
    if "@" in value:
        # Not quoted back: it holds the password.
        raise BadOption(
            "the address contains a user or password, which everybody who may look at a pod could read",
            where=at,
            next_step="Use a proxy that knows this cluster by its address, or one in the cluster that signs in for it",
        )
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        port = None
    plain = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in ("http", "https") or not host_or_address(parts.hostname or "") or not port or not plain:
        raise BadOption(
            f"'{value}' is not the address of a proxy",
            where=at,
            next_step="Use http://HOST:PORT, such as http://proxy.example.com:3128",
        )
    return f"{parts.scheme}://{parts.netloc}"


def not_by_proxy(value: str, at: str) -> str:
    """A host, a domain with a dot before it, an address or a network: what all the programs here agree on."""
    if host_or_address(value.removeprefix(".")):
        return value
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise BadOption(
            f"'{value}' is neither a host, a domain nor a network",
            where=at,
            next_step="Use names such as git.example.com or .example.com, addresses, or networks such as 10.1.0.0/16",
        ) from error


def host_or_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return bool(value) and all(check.DNS_LABEL.fullmatch(part) for part in value.split("."))
    return True


def scheduling(placement: Placement) -> Manifest:
    """Fields of a pod that say on which node it runs: those of each pod, database and broker too."""
    return {
        "nodeSelector": dict(placement.node_selector) or None,
        "tolerations": [dict(entry) for entry in placement.tolerations] or None,
        "affinity": dict(placement.affinity) or None,
        "priorityClassName": placement.priority_class or None,
    }


def spread(placement: Placement, labels: Mapping[str, str]) -> list[Manifest] | None:
    """Pods of one component on different nodes where that is possible; None when an affinity says it otherwise.

    It does not depend on how many there are, so that another number restarts none of them.
    """
    if placement.affinity:
        return None
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(labels)},
        }
    ]


def connected(pod: Manifest, placement: Placement, service: str, image: str) -> Manifest:
    """A pod whose containers, helpers included, know the aliases, the authorities and the proxy.

    :param image: an image with a bundle of authorities.
    """
    variables = {
        **proxy_variables(placement.proxy, service),
        **(authorities.VARIABLES if placement.ca_certificates else {}),
    }
    mounts = [authorities.MOUNT] if placement.ca_certificates else []
    first = [authorities.container(placement.ca_certificates, image)] if placement.ca_certificates else []
    volumes = [authorities.VOLUME] if placement.ca_certificates else []
    helpers = [*first, *(equipped(item, variables, mounts) for item in pod.get("initContainers", []))]
    aliases = [{"ip": alias.ip, "hostnames": list(alias.hostnames)} for alias in placement.host_aliases]
    return {
        **pod,
        **({"hostAliases": aliases} if aliases else {}),
        **({"initContainers": helpers} if helpers else {}),
        "containers": [equipped(item, variables, mounts) for item in pod["containers"]],
        **({"volumes": [*pod.get("volumes", []), *volumes]} if volumes else {}),
    }


def equipped(container: Manifest, variables: Mapping[str, str], mounts: Sequence[Manifest]) -> Manifest:
    """The container with these variables, unless it has its own, and these mounts."""
    own = {variable["name"] for variable in container.get("env", [])}
    added = [{"name": name, "value": value} for name, value in variables.items() if name not in own]
    return {
        **container,
        **({"env": [*container.get("env", []), *added]} if added else {}),
        **({"volumeMounts": [*container.get("volumeMounts", []), *mounts]} if mounts else {}),
    }


def proxy_variables(proxy: Proxy | None, service: str) -> dict[str, str]:
    """Each in both spellings: some programs read only one of them."""
    if proxy is None:
        return {}
    own = [names.component(service, part) for part in ("web-server", "flower", "database", "broker")]
    values = {
        "http_proxy": proxy.http,
        "https_proxy": proxy.https,
        "no_proxy": ",".join([*NEVER_BY_PROXY, *own, *proxy.no_proxy]),
    }
    return {spelled: value for name, value in values.items() if value for spelled in (name.upper(), name)}
