# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database: what may be asked for, the addresses made of it, and who is told of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import database
from ansible_collections.scp.dataops.plugins.module_utils.airflow.database import Database, from_options
from ansible_collections.scp.dataops.plugins.module_utils.airflow.endpoint import Login
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import Secrets, provide
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, index

from .builders import EXTERNAL, rendered, service

DRIVERS = ("postgresql+psycopg2", "postgresql+asyncpg")
OPTION: dict[str, Any] = {"host": "db.example.com", "secret": "login"}

ACCEPTED: dict[str, tuple[dict[str, Any], Database]] = {
    "nothing": ({}, Database()),
    "the least": (
        OPTION,
        Database(
            host="db.example.com",
            secret="login",
            username_key="username",
            password_key="password",
            ssl_mode="prefer",
            ca_key="ca.crt",
        ),
    ),
    "everything": (EXTERNAL["database"], Database(**EXTERNAL["database"])),
}


@pytest.mark.parametrize(("raw", "expected"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(raw: dict[str, Any], expected: Database) -> None:
    assert from_options(raw) == expected


def test_an_authority_is_there_to_verify_with() -> None:
    assert from_options({**OPTION, "ca_secret": "ca"}).ssl_mode == "verify-full"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown option": ({**OPTION, "sslmode": "require"}, "database.sslmode: no such option. Use ssl_mode."),
    "no host": (
        {"secret": "login"},
        "database.host: it is not set. Set it, or clear all of database to use the embedded one.",
    ),
    "no login": (
        {"host": "db"},
        "database.secret: it is not set. Name the Secret in the service's namespace that holds user and password.",
    ),
    "address instead of a host": (
        {**OPTION, "host": "postgresql://db/airflow"},
        "database.host: 'postgresql://db/airflow' is not a valid host name. Use lower-case letters, digits, '-' and "
        "'.'.",
    ),
    "name": (
        {**OPTION, "name": "data?ops"},
        "database.name: 'data?ops' is not a database's name that Airflow can take. Use at most 63 letters, digits, "
        "'_', '.' and '-'.",
    ),
    "mode": (
        {**OPTION, "ssl_mode": "on"},
        "database.ssl_mode: 'on' is not a mode of PostgreSQL. Use disable, prefer, require, verify-ca, verify-full.",
    ),
    "authority that nobody reads": (
        {**OPTION, "ssl_mode": "require", "ca_secret": "ca"},
        "database.ca_secret: with ssl_mode require the server's certificate is not verified. Use ssl_mode verify-ca "
        "or verify-full, or leave ca_secret out.",
    ),
}


@pytest.mark.parametrize(("raw", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOption) as caught:
        from_options(raw)
    assert str(caught.value) == said


VECTORS: dict[str, tuple[Login, str]] = {
    "plain": (Login("airflow", "secret"), "airflow:secret"),
    "all that an address is split at": (
        Login("da:ta@ops", "p@ss$wo%rd/#:? "),
        "da%3Ata%40ops:p%40ss%24wo%25rd%2F%23%3A%3F%20",
    ),
    "plus and ampersand": (Login("a+b", "x&y=z+"), "a%2Bb:x%26y%3Dz%2B"),
    "quotes and braces": (Login("u", "'\"`{}[]\\"), "u:%27%22%60%7B%7D%5B%5D%5C"),
    "encoded already": (Login("u", "%40"), "u:%2540"),
    "other scripts": (Login("ünï", "密碼"), "%C3%BCn%C3%AF:%E5%AF%86%E7%A2%BC"),
}


@pytest.mark.parametrize(("login", "credential"), VECTORS.values(), ids=VECTORS.keys())
def test_every_character_survives(login: Login, credential: str) -> None:
    written = database.connections(from_options(OPTION), "etl", DRIVERS, login)
    assert written == {
        "connection": f"postgresql+psycopg2://{credential}@db.example.com:5432/airflow?sslmode=prefer",
        "connection-async": f"postgresql+asyncpg://{credential}@db.example.com:5432/airflow?ssl=prefer",
    }
    for address in written.values():
        parts = urlsplit(address)
        assert (unquote(parts.username or ""), unquote(parts.password or "")) == (login.user, login.password)


PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "embedded": ({}, "etl-database:5432/airflow"),
    "name and port": ({**OPTION, "port": 6432, "name": "dataops"}, "db.example.com:6432/dataops"),
    "IPv4": ({**OPTION, "host": "10.0.0.7"}, "10.0.0.7:5432/airflow"),
    "IPv6": ({**OPTION, "host": "2001:db8::7"}, "[2001:db8::7]:5432/airflow"),
    "IPv6 in brackets": ({**OPTION, "host": "[2001:DB8:0::7]"}, "[2001:db8::7]:5432/airflow"),
}


@pytest.mark.parametrize(("raw", "place"), PLACES.values(), ids=PLACES.keys())
def test_places(raw: dict[str, Any], place: str) -> None:
    written = database.connections(from_options(raw), "etl", DRIVERS, Login("u", "p"))
    assert written["connection"].partition("?")[0] == f"postgresql+psycopg2://u:p@{place}"


def test_the_embedded_address_never_changes() -> None:
    spec = service()
    before = provide(spec, {})
    again = provide(spec, index(item for item in rendered(spec, before).all if item["kind"] == "Secret"))
    assert again.database == before.database
    assert "?" not in before.database["connection"]


def external(**options: Any) -> ServiceSpec:
    return service(database={**OPTION, "ca_secret": "ca"}, **options)


def provided(spec: ServiceSpec, password: str = "SENTINEL", keys: Secrets | None = None) -> Secrets:
    login = Login("u", password)
    kept = index(item for item in rendered(spec, keys).all if item["kind"] == "Secret") if keys else {}
    return provide(spec, kept, logins={"database": login, "broker": login})


def pods_by_name(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {
        item["metadata"]["labels"]["app.kubernetes.io/component"]: item["spec"]["template"]
        for item in manifests
        if item["kind"] in ("Deployment", "Job", "StatefulSet")
    }


def test_an_external_database_leaves_a_secret_and_nothing_else() -> None:
    spec = external()
    found = rendered(spec, provided(spec)).all
    assert [item["kind"] for item in found if item["metadata"]["name"] == "etl-database"] == ["Secret"]


OPENERS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "3.3": ({}, {"web-server", "scheduler", "dag-processor", "triggerer", "migration", "account"}),
    "3.3 with Celery": (
        {"executor": "CeleryExecutor"},
        {"web-server", "scheduler", "dag-processor", "triggerer", "migration", "account"},
    ),
    "results of RabbitMQ": (
        {
            "executor": "CeleryExecutor",
            "flower": {"enabled": True},
            "broker": {"type": "rabbitmq", "host": "r", "secret": "s"},
        },
        {"web-server", "scheduler", "dag-processor", "triggerer", "migration", "account", "worker", "flower"},
    ),
    "2.11 with Celery": (
        {"executor": "CeleryExecutor", "version": "2.11"},
        {"web-server", "scheduler", "dag-processor", "triggerer", "migration", "account", "worker"},
    ),
}


@pytest.mark.parametrize(("options", "expected"), OPENERS.values(), ids=OPENERS.keys())
def test_who_opens_the_database_can_verify_it(options: dict[str, Any], expected: set[str]) -> None:
    spec = external(**options)
    found = pods_by_name(rendered(spec, provided(spec)).all)

    def verifies(pod: Manifest) -> bool:
        container = pod["spec"]["containers"][0]
        told = {"name": "PGSSLROOTCERT", "value": "/etc/scp-dataops/database-ca/ca.crt"} in container.get("env", [])
        mounted = any(mount["mountPath"] == "/etc/scp-dataops/database-ca" for mount in container["volumeMounts"])
        assert told == mounted == any(volume["name"] == "database-ca" for volume in pod["spec"]["volumes"])
        return told

    assert {name for name, pod in found.items() if verifies(pod)} == expected


def test_without_an_authority_of_its_own_the_image_is_asked() -> None:
    spec = service(database={**OPTION, "ssl_mode": "verify-full"})
    container = pods_by_name(rendered(spec, provided(spec)).all)["scheduler"]["spec"]["containers"][0]
    assert {"name": "PGSSLROOTCERT", "value": "/etc/ssl/certs/ca-certificates.crt"} in container.get("env", [])
    assert not any(mount["name"] == "database-ca" for mount in container["volumeMounts"])


BROKER = {"host": "redis.example.com", "secret": "login"}
RESTARTED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "of the database": ({}, {"web-server", "scheduler", "dag-processor", "triggerer"}),
    "of database and broker": (
        {"executor": "CeleryExecutor", "broker": BROKER},
        {"web-server", "scheduler", "dag-processor", "triggerer", "worker"},
    ),
}


@pytest.mark.parametrize(("options", "expected"), RESTARTED.values(), ids=RESTARTED.keys())
def test_a_changed_password_restarts_who_uses_it(options: dict[str, Any], expected: set[str]) -> None:
    spec = external(**options)
    first = provided(spec, "SENTINEL-one")
    other = provided(spec, "SENTINEL-two", keys=first)
    before, after = (pods_by_name(rendered(spec, secrets).components) for secrets in (first, other))
    assert {name for name in before if before[name] != after[name]} == expected
    assert "SENTINEL" not in str([before, after])


def test_a_changed_password_of_the_broker_restarts_no_more_than_needed() -> None:
    spec = service(executor="CeleryExecutor", broker=BROKER, flower={"enabled": True})
    first = provided(spec, "SENTINEL-one")
    other = provided(spec, "SENTINEL-two", keys=first)
    before, after = (pods_by_name(rendered(spec, secrets).components) for secrets in (first, other))
    assert {name for name in before if before[name] != after[name]} == {"scheduler", "worker", "flower"}


def test_another_database_is_migrated_and_gets_the_account() -> None:
    keys = provided(external())
    one, other = external(), service(database={**OPTION, "host": "other.example.com"})
    stages = [rendered(spec, provided(spec, keys=keys)) for spec in (one, other)]
    names = [{item["metadata"]["name"] for item in [*stage.migration, *stage.account]} for stage in stages]
    assert not names[0] & names[1]
    assert parse_qs(urlsplit(keys.database["connection"]).query) == {"sslmode": ["verify-full"]}
