# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of a service: made once, kept for ever.

Randomness lives here and nowhere else, so that rendering stays pure. A value that exists in the cluster always wins.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..common import validation as check
from ..common.secret_keys import SecretKey
from ..errors import Refused
from ..kube.objects import Manifest, Ref
from . import broker, database, names
from .endpoint import Login
from .git import credentials
from .spec import ServiceSpec

Values = dict[str, str]
Logins = dict[str, Login]


@dataclass(frozen=True, repr=False)
class Secrets:
    """Plain values by key, one mapping per Secret. No ``repr``: nothing may print them by accident."""

    keys: Values
    database: Values
    account: Values
    git: Values
    # Empty without the CeleryExecutor.
    broker: Values = field(default_factory=dict)
    # What stands in Secrets of the user's own that an option names. Never written, only known to have changed.
    named: Mapping[SecretKey, str] = field(default_factory=dict)

    def fingerprint(self, *values: str) -> str:
        """Changes with the values, yet tells nothing about them: it is keyed with a secret of this service."""
        message = "\0".join(values).encode()
        return hmac.new(self.keys["api-secret-key"].encode(), message, hashlib.sha256).hexdigest()[:10]


def provide(
    spec: ServiceSpec,
    live: Mapping[Ref, Manifest],
    *,
    logins: Logins | None = None,
    account_password: str | None = None,
    git: credentials.Given | None = None,
) -> Secrets:
    """The service's secrets: those in the cluster, those given now, and new random ones for what is missing.

    :param logins: user and password of external stores, by option.
    :raises BadOption: for a password that is too weak, or a GitSync credential that lacks one half.
    :raises Refused: for a key that somebody emptied.
    """

    def existing(name: str) -> Values:
        return decoded(live.get(Ref("Secret", name, spec.namespace)))

    keys = existing(names.keys(spec.name))
    not_empty(keys, f"Secret/{names.keys(spec.name)}")
    account = existing(names.account(spec.name))
    new_keys = {
        # Fernet wants exactly this form: 32 bytes, URL-safe base64.
        "fernet-key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "api-secret-key": secrets.token_urlsafe(32),
        "jwt-secret": secrets.token_urlsafe(48),
    }
    if account_password is not None:
        account["password"] = check.password(account_password, "account.password")
    stored = database_values(spec, existing(names.database(spec.name)), (logins or {}).get("database"))
    return Secrets(
        keys={**new_keys, **keys},
        database=stored,
        account=account_values(spec, {"password": new_password(), **account}),
        git=credentials.values(spec.git_sync, existing(names.git(spec.name)), git or credentials.Given()),
        broker=broker_values(
            spec, existing(names.broker(spec.name)), (logins or {}).get("broker"), stored["connection"]
        ),
    )


def not_empty(keys: Values, where: str) -> None:
    """An empty key lets each process make one of its own, which shows only where one reads what another wrote.

    :raises Refused: naming the keys.
    """
    if empty := sorted(key for key, value in keys.items() if not value):
        raise Refused(
            f"there is nothing in {', '.join(empty)}",
            where=where,
            next_step="Put back what was there; what was encrypted with it is lost otherwise",
        )


def account_values(spec: ServiceSpec, existing: Values) -> Values:
    """Id and password; for Flower once more, in the one form that it takes."""
    values = {"id": spec.account_id, "password": existing["password"]}
    return {**values, "flower": f"{values['id']}:{values['password']}"} if spec.flower else values


def database_values(spec: ServiceSpec, existing: Values, login: Login | None) -> Values:
    """The password is that of the embedded database, whose volume may outlive a move to another one.

    :param login: of the external database; None when it is embedded.
    """
    drivers = spec.profile.drivers
    if login is not None:
        kept = {key: value for key, value in existing.items() if key == "password"}
        return {**kept, **database.connections(spec.database, spec.name, drivers, login)}
    password = existing.get("password") or secrets.token_urlsafe(24)
    own = Login(database.USER, password)
    return {"password": password, **database.connections(spec.database, spec.name, drivers, own)}


def broker_values(spec: ServiceSpec, existing: Values, login: Login | None, connection: str) -> Values:
    """:param login: of the external broker; None when it is embedded.
    :param connection: address of Airflow's database, where results may go.
    """
    if not spec.uses_celery:
        return {}
    # Without the file for Redis it is the password of another server.
    kept = existing.get("password") if "redis.conf" in existing else None
    own = Login("", kept or secrets.token_urlsafe(24))
    return broker.values(spec.broker, spec.name, login or own, connection)


def decoded(secret: Manifest | None) -> Values:
    data = (secret or {}).get("data") or {}
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def new_password() -> str:
    """20 characters that satisfy the account's own rule."""
    classes = (string.ascii_uppercase, string.ascii_lowercase, string.digits, check.PASSWORD_SPECIAL)
    characters = [secrets.choice(characters) for characters in classes]
    characters += [secrets.choice("".join(classes)) for _more in range(16)]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)
