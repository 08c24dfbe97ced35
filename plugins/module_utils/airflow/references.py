# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that options refer to, such as those of external stores: read when a run is planned.

So that what is missing is said before anything is written, and a password changed there is noticed by the next run.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..common import findings
from ..common.cluster import Cluster
from ..common.findings import Finding
from ..common.secret_keys import SecretKey
from ..errors import Refused
from ..kube.client import Kube
from . import tailoring
from .broker import Broker
from .database import Database
from .endpoint import Login
from .secrets import Logins, Values, decoded
from .spec import ServiceSpec

CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def external(spec: ServiceSpec) -> dict[str, Database | Broker]:
    """Stores that somebody else keeps, by the option that describes them."""
    stores: dict[str, Database | Broker] = {"database": spec.database}
    if spec.uses_celery:
        stores["broker"] = spec.broker
    return {option: store for option, store in stores.items() if not store.embedded}


def logins(kube: Kube, spec: ServiceSpec) -> Logins:
    """User and password of each external store.

    :raises Refused: naming the Secret or the key that is not there.
    """
    found = {}
    for option, store in external(spec).items():
        found[option] = login(kube, spec.namespace, option, store)
        if store.ca_secret:
            authority(kube, spec.namespace, option, store)
    return found


def not_known_yet(spec: ServiceSpec) -> Logins:
    """Stand-ins, for a check mode in whose world not even the namespace exists."""
    return {option: Login("not-known-yet", "not-known-yet") for option in external(spec)}


def login(kube: Kube, namespace: str, option: str, store: Database | Broker) -> Login:
    if not store.secret:
        return Login("", "")
    values = read(kube, namespace, store.secret, f"{option}.secret")
    user = text(values, store.secret, store.username_key, f"{option}.username_key") if store.username_key else ""
    return Login(user, text(values, store.secret, store.password_key, f"{option}.password_key"))


def authority(kube: Kube, namespace: str, option: str, store: Database | Broker) -> None:
    values = read(kube, namespace, store.ca_secret, f"{option}.ca_secret")
    value = held(values, store.ca_secret, store.ca_key, f"{option}.ca_key")
    if CERTIFICATE not in value:
        raise Refused(
            f"key '{store.ca_key}' of Secret {store.ca_secret} holds no certificate in PEM form",
            where=f"{option}.ca_key",
            next_step=f"Put the certificate of the authority there, which begins with {CERTIFICATE}",
        )


def certificate(cluster: Cluster, name: str) -> list[Finding]:
    """An Ingress Controller with a Secret it cannot use serves a certificate of its own, and says so nowhere."""
    check, option = "tls secret", "tls_secret"

    def look() -> Iterator[Finding]:
        values = read(cluster.kube, cluster.namespace, name, option)
        for key, begins in (("tls.crt", CERTIFICATE), ("tls.key", "-----BEGIN ")):
            if begins not in held(values, name, key, option):
                what = f"key '{key}' of Secret {name} is not in PEM form"
                raise Refused(what, where=option, next_step="Make it with 'kubectl create secret tls'")
        yield findings.ok(check, f"Secret {name} holds a certificate and a key")

    try:
        return findings.readable(check, look)
    except Refused as error:
        return [findings.of_error(check, error)]


def named(kube: Kube, spec: ServiceSpec) -> dict[SecretKey, str]:
    """What settings and variables of the user's own take from Secrets; each Secret is asked for once.

    :raises Refused: naming the Secret or the key that is not there.
    """
    wanted = tailoring.secret_keys(spec)
    options = {item.secret: option for item, option in wanted.items()}
    found = {secret: read(kube, spec.namespace, secret, option) for secret, option in options.items()}
    return {item: held(found[item.secret], item.secret, item.key, option) for item, option in wanted.items()}


def read(kube: Kube, namespace: str, name: str, option: str) -> Values:
    secret = kube.get("Secret", name, namespace)
    if secret is None:
        raise Refused(
            f"Secret '{name}' does not exist in namespace {namespace}",
            where=option,
            next_step="Create it, and run this again",
        )
    try:
        return decoded(secret)
    except UnicodeDecodeError as error:
        raise Refused(
            f"Secret '{name}' holds something that is no text", where=option, next_step="Write it anew as UTF-8"
        ) from error


def held(values: Values, secret: str, key: str, option: str) -> str:
    if not values.get(key):
        there = ", ".join(sorted(name for name, value in values.items() if value)) or "none"
        what = "is empty" if key in values else "does not exist"
        raise Refused(
            f"key '{key}' of Secret {secret} {what}",
            where=option,
            next_step=f"Add it, or name another one; keys with a value: {there}",
        )
    return values[key]


def text(values: Values, secret: str, key: str, option: str) -> str:
    """A user or password. Most line breaks in one were put there by an editor or by ``echo``, and nobody sees them."""
    value = held(values, secret, key, option)
    if any(character in value for character in "\r\n\0"):
        raise Refused(
            f"key '{key}' of Secret {secret} holds a line break",
            where=option,
            next_step="Write it without one, such as with 'kubectl create secret generic --from-literal', or printf "
            "instead of echo",
        )
    return value
