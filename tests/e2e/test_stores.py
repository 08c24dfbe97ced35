# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service on a PostgreSQL and a Redis of others, which take TLS only and have an odd user and password."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import outside
import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import DAG_ID, NAMESPACE, airflow_of, further
from driver import Audit, Driver, Result
from embedded import settings

OUTSIDE, SERVICE = "e2e-outside", "outer"
SECRETS = ("login", "wrong-login", "authority", "wrong-authority")
DATABASE = {"host": f"postgres.{OUTSIDE}.svc", "secret": "login", "ca_secret": "authority"}
BROKER = {
    "host": f"redis.{OUTSIDE}.svc",
    "secret": "login",
    "username_key": "username",
    "tls": True,
    "ca_secret": "authority",
}


@pytest.fixture(scope="module")
def stores(manager: Driver, kube: Kube) -> Iterator[None]:
    """Both servers, and the Secrets about them in the Manager's namespace."""
    signer = outside.authority()
    outside.start(kube, OUTSIDE, str(settings.REGISTRY), signer)
    values = (
        {"username": outside.USER, "password": outside.PASSWORD},
        {"username": outside.USER, "password": outside.OTHER_PASSWORD},
        {"ca.crt": signer.pem},
        {"ca.crt": outside.authority().pem},
    )
    for name, value in zip(SECRETS, values, strict=True):
        kube.apply(outside.secret(name, NAMESPACE, value))
    yield
    for name in SECRETS:
        kube.delete("Secret", name, NAMESPACE)
    kube.delete("Namespace", OUTSIDE)


@pytest.fixture(scope="module")
def service(stores: None, driver: Driver, kube: Kube, repository: dict[str, object]) -> Iterator[Result]:
    with further(
        driver, SERVICE, executor="CeleryExecutor", git_sync=repository, database=DATABASE, broker=BROKER
    ) as created:
        yield created


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no such Secret": (
        {"database": {**DATABASE, "secret": "nowhere"}},
        f"database.secret: Secret 'nowhere' does not exist in namespace {NAMESPACE}",
    ),
    "unknown host": (
        {"database": {**DATABASE, "host": f"nowhere.{OUTSIDE}.svc"}},
        f"database: host 'nowhere.{OUTSIDE}.svc' is not known inside the cluster",
    ),
    "wrong password": (
        {"database": {**DATABASE, "secret": "wrong-login"}},
        f"database: the server does not accept user '{outside.USER}' with the password given",
    ),
    "certificate of strangers": (
        {"database": {**DATABASE, "ca_secret": "wrong-authority"}},
        "database: the server's certificate is not signed by an authority that is trusted here",
    ),
    "no TLS": (
        {"database": {"host": DATABASE["host"], "secret": "login", "ssl_mode": "disable"}},
        f"database: the server admits no such connection of user '{outside.USER}' from this cluster",
    ),
    "no such database": (
        {"database": {**DATABASE, "name": "missing"}},
        f"database: there is no database 'missing' at {DATABASE['host']}:5432",
    ),
    "wrong encoding": (
        {"database": {**DATABASE, "name": outside.LATIN}},
        f"database: database '{outside.LATIN}' has encoding LATIN1, and Airflow needs UTF8",
    ),
    "no rights": (
        {"database": {**DATABASE, "name": outside.THEIRS}},
        f"database: user '{outside.USER}' may not create tables in schema 'public' of database '{outside.THEIRS}'",
    ),
    "wrong password of the broker": (
        {"executor": "CeleryExecutor", "broker": {**BROKER, "secret": "wrong-login"}},
        "broker: the server does not accept the user and password given",
    ),
    "broker without TLS": (
        {"executor": "CeleryExecutor", "broker": {"host": BROKER["host"], "secret": "login"}},
        f"broker: the server at {BROKER['host']}:6379 ends the connection; it may want TLS, or none",
    ),
}


@pytest.mark.parametrize(("options", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_anything_is_written(
    stores: None, driver: Driver, audit: Audit, options: dict[str, Any], sentence: str
) -> None:
    position = audit.position()
    message = driver.refused("dataops_service", name="refused", **options)
    assert sentence in message
    assert outside.PASSWORD not in message and outside.OTHER_PASSWORD not in message
    assert audit.effects_since(position, NAMESPACE, trial="store-check") == []


def test_both_were_tried_and_nothing_is_embedded(service: Result, kube: Kube) -> None:
    timeline = "\n".join(service["timeline"])
    assert "database: PostgreSQL 15" in timeline and "broker: Redis 7" in timeline
    assert timeline.count("with TLS") == 2
    assert service["service"]["database"]["type"] == "external"
    assert kube.get("StatefulSet", f"{SERVICE}-database", NAMESPACE) is None
    assert kube.get("StatefulSet", f"{SERVICE}-broker", NAMESPACE) is None


def test_a_dag_runs_on_them(service: Result, kube: Kube) -> None:
    airflow = airflow_of(kube, SERVICE)
    assert airflow.finish(DAG_ID, airflow.run_dag(DAG_ID)) == "success"


def test_a_second_run_changes_nothing(service: Result, driver: Driver) -> None:
    again = driver.service(SERVICE, database=DATABASE, broker=BROKER)
    assert not again["changed"], again["actions"]


def test_state_stays_where_it_is(service: Result, driver: Driver) -> None:
    message = driver.refused("dataops_service", name=SERVICE, database={"name": outside.THEIRS})
    assert f"the state of '{SERVICE}' is in the database at {DATABASE['host']}:5432/airflow" in message
    assert "embedded" in driver.refused("dataops_service", name=SERVICE, database={})
