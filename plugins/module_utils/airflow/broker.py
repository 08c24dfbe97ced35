# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker of the CeleryExecutor: embedded Redis, or a Redis or RabbitMQ that somebody else keeps.

This module knows the option, the addresses made of it, and what Celery must be told. The embedded one as objects of
the cluster is in :mod:`.embedded`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..common import validation as check
from ..errors import BadOption
from . import endpoint, names
from .endpoint import Login

REDIS, RABBITMQ = "redis", "rabbitmq"
TYPES = (REDIS, RABBITMQ)
REDIS_PORT = 6379
RABBITMQ_PORT, RABBITMQ_TLS_PORT = 5672, 5671
# Redis numbers its databases; the one after the queues holds the results.
REDIS_DATABASES = (0, 1022)
OPTIONS = (
    "type",
    "host",
    "port",
    "database",
    "vhost",
    "secret",
    "username_key",
    "password_key",
    "tls",
    "ca_secret",
    "ca_key",
)


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Where tasks wait for a Celery worker. Without a host it is the embedded one."""

    type: str = REDIS
    host: str = ""
    port: int = REDIS_PORT
    database: int = 0
    vhost: str = "/"
    secret: str = ""
    username_key: str = ""
    password_key: str = ""
    tls: bool = False
    ca_secret: str = ""
    ca_key: str = ""

    @property
    def embedded(self) -> bool:
        return not self.host

    @property
    def results_in_database(self) -> bool:
        """Whether results of tasks go to Airflow's database; RabbitMQ cannot keep them."""
        return self.type == RABBITMQ


EMBEDDED = Broker()


def from_options(raw: Mapping[str, Any], at: str = "broker") -> Broker:
    """:raises BadOption: naming the option and what is allowed."""
    check.known_keys(raw, OPTIONS, at)
    if not raw:
        return EMBEDDED
    kind = raw.get("type", REDIS)
    if kind not in TYPES:
        raise BadOption(f"'{kind}' is not supported", where=f"{at}.type", next_step=f"Use {' or '.join(TYPES)}")
    if not raw.get("host"):
        raise BadOption(
            "it is not set", where=f"{at}.host", next_step="Set it, or clear all of broker to use the embedded one"
        )
    refuse_options_of_the_other_type(kind, raw, at)
    tls = raw.get("tls", False)
    if raw.get("ca_secret") and not tls:
        raise BadOption("it is of no use without TLS", where=f"{at}.ca_secret", next_step=f"Set {at}.tls: true")
    if kind == RABBITMQ and not raw.get("secret"):
        raise BadOption(
            "it is not set",
            where=f"{at}.secret",
            next_step="Name the Secret in the service's namespace that holds user and password of RabbitMQ",
        )
    low, high = REDIS_DATABASES
    usual_port = {REDIS: REDIS_PORT, RABBITMQ: RABBITMQ_TLS_PORT if tls else RABBITMQ_PORT}[kind]
    return Broker(
        type=kind,
        host=endpoint.host(raw["host"], f"{at}.host"),
        port=endpoint.port(raw.get("port", usual_port), f"{at}.port"),
        database=check.whole_number(raw.get("database", 0), f"{at}.database", low=low, high=high),
        vhost=raw.get("vhost", "/"),
        secret=raw.get("secret", ""),
        # Redis knows one password without a user; RabbitMQ always wants both.
        username_key=raw.get("username_key", "username" if kind == RABBITMQ else ""),
        password_key=raw.get("password_key", "password"),
        tls=tls,
        ca_secret=raw.get("ca_secret", ""),
        ca_key=raw.get("ca_key", "ca.crt"),
    )


def refuse_options_of_the_other_type(kind: str, raw: Mapping[str, Any], at: str) -> None:
    foreign, instead = {REDIS: ("vhost", "database"), RABBITMQ: ("database", "vhost")}[kind]
    if foreign in raw:
        raise BadOption(f"{kind} has none", where=f"{at}.{foreign}", next_step=f"Leave it out, or use {at}.{instead}")


def values(broker: Broker, service: str, login: Login, connection: str) -> dict[str, str]:
    """The service's broker Secret, by key.

    :param connection: address of Airflow's database, where results go that the broker cannot keep.
    """
    held = {"password": login.password, "broker-url": address(broker, service, login)}
    if broker.results_in_database:
        return {**held, "result-backend": f"db+{connection}"}
    held["result-backend"] = redis_address(broker, service, login, broker.database + 1)
    return {**held, "redis.conf": redis_configuration(login.password)} if broker.embedded else held


def address(broker: Broker, service: str, login: Login) -> str:
    if broker.type == RABBITMQ:
        scheme = "amqps" if broker.tls else "amqp"
        # The default virtual host is named "/", so it has to be encoded, too.
        return endpoint.url(scheme, broker.host, broker.port, quote(broker.vhost, safe=""), login)
    return redis_address(broker, service, login, broker.database)


def redis_address(broker: Broker, service: str, login: Login, database: int) -> str:
    scheme = "rediss" if broker.tls else "redis"
    return endpoint.url(scheme, broker.host or names.broker(service), broker.port, str(database), login)


def redis_configuration(password: str) -> str:
    """redis.conf of the embedded broker: the password stands in a file, for arguments can be read by everyone."""
    lines = (
        "dir /data",
        # A queue must survive a restart: each message is appended to a file, synced every second.
        "appendonly yes",
        'save ""',
        f"requirepass {password}",
    )
    return "\n".join(lines) + "\n"


def celery_settings(broker: Broker) -> dict[str, object]:
    """What Celery must be told besides the addresses: how to verify the server. For [celery] extra_celery_config.

    Here and not in the address, because RabbitMQ's client and Flower do not read it there. Nothing in it is secret.
    """
    if not broker.tls:
        return {}
    if broker.type == RABBITMQ:
        # 2 is ssl.CERT_REQUIRED; without the server's name any certificate of the authority would do.
        rabbitmq = {"cert_reqs": 2, "server_hostname": broker.host}
        return {"broker_use_ssl": {**rabbitmq, **({"ca_certs": names.BROKER_CA_FILE} if broker.ca_secret else {})}}
    redis = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    verified = {**redis, **({"ssl_ca_certs": names.BROKER_CA_FILE} if broker.ca_secret else {})}
    return {"broker_use_ssl": verified, "redis_backend_use_ssl": verified}
