# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker: what may be asked for, the addresses made of it, and the embedded one as objects of the cluster."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import broker, embedded
from ansible_collections.scp.dataops.plugins.module_utils.airflow.broker import Broker, from_options
from ansible_collections.scp.dataops.plugins.module_utils.airflow.endpoint import Login
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

from .builders import SECRETS, fresh_secrets, full, named, rendered, service

CONNECTION = "postgresql+psycopg2://airflow:x@etl-database:5432/airflow"
REDIS = {"host": "redis.example.com", "secret": "queue"}
RABBITMQ = {"type": "rabbitmq", "host": "rabbit.example.com", "secret": "queue"}

ACCEPTED: dict[str, tuple[dict[str, Any], Broker]] = {
    "nothing": ({}, Broker()),
    "redis": (
        {"host": "Redis.Example.com"},
        Broker(host="redis.example.com", password_key="password", ca_key="ca.crt"),
    ),
    "redis with a user": (
        {**REDIS, "username_key": "user", "port": 6380, "database": 3, "tls": True, "ca_secret": "ca"},
        Broker(
            host="redis.example.com",
            port=6380,
            database=3,
            secret="queue",
            username_key="user",
            password_key="password",
            tls=True,
            ca_secret="ca",
            ca_key="ca.crt",
        ),
    ),
    "IPv6 with brackets": (
        {"host": "[2001:DB8::5]"},
        Broker(host="2001:db8::5", password_key="password", ca_key="ca.crt"),
    ),
    "rabbitmq": (
        RABBITMQ,
        Broker(
            type="rabbitmq",
            host="rabbit.example.com",
            port=5672,
            secret="queue",
            username_key="username",
            password_key="password",
            ca_key="ca.crt",
        ),
    ),
}


@pytest.mark.parametrize(("raw", "expected"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(raw: dict[str, Any], expected: Broker) -> None:
    assert from_options(raw) == expected


def test_rabbitmq_with_tls_listens_elsewhere() -> None:
    assert from_options({**RABBITMQ, "tls": True}).port == 5671


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown option": ({**REDIS, "hots": "x"}, "broker.hots: no such option. Use host."),
    "unknown type": (
        {**REDIS, "type": "kafka"},
        "broker.type: 'kafka' is not supported. Use redis or rabbitmq.",
    ),
    "no host": (
        {"secret": "queue"},
        "broker.host: it is not set. Set it, or clear all of broker to use the embedded one.",
    ),
    "not a host": (
        {"host": "redis://x"},
        "broker.host: 'redis://x' is not a valid host name. Use lower-case letters, digits, '-' and '.'.",
    ),
    "address of one machine": (
        {"host": "fe80::1%eth0"},
        "broker.host: 'fe80::1%eth0' is an address of one machine only. Use a name or an address.",
    ),
    "port": ({**REDIS, "port": 0}, "broker.port: 0 is out of range. Use a whole number from 1 to 65535."),
    "database": (
        {**REDIS, "database": -1},
        "broker.database: -1 is out of range. Use a whole number from 0 to 1022.",
    ),
    "vhost of redis": (
        {**REDIS, "vhost": "x"},
        "broker.vhost: redis has none. Leave it out, or use broker.database.",
    ),
    "database of rabbitmq": (
        {**RABBITMQ, "database": 1},
        "broker.database: rabbitmq has none. Leave it out, or use broker.vhost.",
    ),
    "authority without TLS": (
        {**REDIS, "ca_secret": "ca"},
        "broker.ca_secret: it is of no use without TLS. Set broker.tls: true.",
    ),
    "rabbitmq without login": (
        {"type": "rabbitmq", "host": "rabbit"},
        "broker.secret: it is not set. Name the Secret in the service's namespace that holds user and password of "
        "RabbitMQ.",
    ),
}


@pytest.mark.parametrize(("raw", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOption) as caught:
        from_options(raw)
    assert str(caught.value) == said


NASTY = Login("ü ser", "p@ss$wo%rd/#:? +&=")
NASTY_TEXT = "%C3%BC%20ser:p%40ss%24wo%25rd%2F%23%3A%3F%20%2B%26%3D"
# Options, login, and the two addresses.
ADDRESSES: dict[str, tuple[dict[str, Any], Login, str, str]] = {
    "embedded": ({}, Login("", "pw"), "redis://:pw@etl-broker:6379/0", "redis://:pw@etl-broker:6379/1"),
    "no password": ({"host": "r"}, Login("", ""), "redis://r:6379/0", "redis://r:6379/1"),
    "odd characters": (REDIS, NASTY, f"redis://{NASTY_TEXT}@redis.example.com:6379/0", ""),
    "other database": ({**REDIS, "database": 4}, Login("", "pw"), "", "redis://:pw@redis.example.com:6379/5"),
    "TLS": ({**REDIS, "tls": True}, Login("", "pw"), "rediss://:pw@redis.example.com:6379/0", ""),
    "IPv6": ({"host": "2001:db8::5"}, Login("", "pw"), "redis://:pw@[2001:db8::5]:6379/0", ""),
    "rabbitmq": (RABBITMQ, Login("u", "pw"), "amqp://u:pw@rabbit.example.com:5672/%2F", f"db+{CONNECTION}"),
    "rabbitmq with TLS": (
        {**RABBITMQ, "vhost": "data/ops", "tls": True},
        NASTY,
        f"amqps://{NASTY_TEXT}@rabbit.example.com:5671/data%2Fops",
        f"db+{CONNECTION}",
    ),
}


@pytest.mark.parametrize(("raw", "login", "queue", "results"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_addresses(raw: dict[str, Any], login: Login, queue: str, results: str) -> None:
    held = broker.values(from_options(raw), "etl", login, CONNECTION)
    assert held["broker-url"] == (queue or held["broker-url"])
    assert held["result-backend"] == (results or held["result-backend"])
    parts = urlsplit(held["broker-url"])
    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (login.user, login.password)
    # Airflow expands what follows a "$" in its configuration.
    assert not any("$" in value for key, value in held.items() if key != "password")


CELERY: dict[str, tuple[dict[str, Any], dict[str, object]]] = {
    "plain": (REDIS, {}),
    "redis": (
        {**REDIS, "tls": True},
        {
            "broker_use_ssl": {"ssl_cert_reqs": "required", "ssl_check_hostname": True},
            "redis_backend_use_ssl": {"ssl_cert_reqs": "required", "ssl_check_hostname": True},
        },
    ),
    "rabbitmq with its own authority": (
        {**RABBITMQ, "tls": True, "ca_secret": "ca"},
        {
            "broker_use_ssl": {
                "cert_reqs": 2,
                "server_hostname": "rabbit.example.com",
                "ca_certs": "/etc/scp-dataops/broker-ca/ca.crt",
            }
        },
    ),
}


@pytest.mark.parametrize(("raw", "expected"), CELERY.values(), ids=CELERY.keys())
def test_how_celery_verifies_the_server(raw: dict[str, Any], expected: dict[str, object]) -> None:
    assert broker.celery_settings(from_options(raw)) == expected


def with_celery(spec: ServiceSpec, executor: str = "CeleryExecutor") -> ServiceSpec:
    return dataclasses.replace(spec, executor=executor)


@pytest.mark.parametrize(
    ("executor", "there"),
    [("KubernetesExecutor", False), ("CeleryExecutor", True), ("KubernetesExecutor,CeleryExecutor", True)],
)
def test_only_celery_has_a_broker(executor: str, there: bool) -> None:
    spec = with_celery(service(), executor)
    secrets = fresh_secrets(spec)
    found = {f"{item['kind']}/{item['metadata']['name']}" for item in rendered(spec, secrets).foundation}
    wanted = {f"{kind}/etl-broker" for kind in ("Secret", "PersistentVolumeClaim", "Service", "StatefulSet")}
    assert found & wanted == (wanted if there else set())


def test_an_external_broker_has_a_secret_and_nothing_else() -> None:
    spec = dataclasses.replace(with_celery(service()), broker=from_options({"host": "redis.example.com"}))
    found = rendered(spec, fresh_secrets(spec)).foundation
    assert [item["kind"] for item in found if item["metadata"]["name"] == "etl-broker"] == ["Secret"]


def test_the_password_of_the_embedded_broker_is_in_no_argument() -> None:
    spec = with_celery(full())
    secrets = dataclasses.replace(SECRETS, broker=broker.values(spec.broker, "etl", Login("", "SENTINEL"), CONNECTION))
    redis = named(rendered(spec, secrets).all, "StatefulSet", "etl-broker")
    assert "SENTINEL" not in str(redis)
    assert redis["spec"]["template"]["spec"]["containers"][0]["args"] == [
        "redis-server",
        f"{embedded.BROKER_FILES}/redis.conf",
    ]
    assert "requirepass SENTINEL\n" in secrets.broker["redis.conf"]
