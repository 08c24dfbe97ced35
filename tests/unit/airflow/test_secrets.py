# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: made once and kept for ever, changed only by what is given now, and told to nobody."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import manifests
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.credentials import Given
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import (
    Secrets,
    database_values,
    decoded,
    new_password,
    provide,
)
from ansible_collections.scp.dataops.plugins.module_utils.common import validation
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, index

from .builders import SECRETS, fresh_secrets, full, rendered, service


def live(spec: Any, secrets: Secrets) -> dict[Ref, Manifest]:
    return index(item for item in rendered(spec, secrets).all if item["kind"] == "Secret")


def test_created_complete() -> None:
    made = fresh_secrets(service())
    assert made.keys.keys() == {"fernet-key", "api-secret-key", "jwt-secret"}
    assert len(base64.urlsafe_b64decode(made.keys["fernet-key"])) == 32
    assert min(len(value) for value in made.keys.values()) >= 32
    assert made.database.keys() == {"password", "connection", "connection-async"}
    assert made.account["id"] == "dataops"
    assert made.git == {}


def test_two_services_share_nothing() -> None:
    one, other = fresh_secrets(service()), fresh_secrets(service())
    assert not set(one.keys.values()) & set(other.keys.values())
    assert one.database["password"] != other.database["password"]
    assert one.account["password"] != other.account["password"]


def test_kept_for_ever() -> None:
    spec = full()
    first = provide(spec, {}, git=Given({"dags": "token"}))
    again = provide(spec, live(spec, first))
    assert vars(again) == vars(first)
    assert first.broker["password"]


def test_a_missing_key_is_added_and_the_others_stay() -> None:
    spec = service()
    kept = {"fernet-key": "old", "api-secret-key": "old too"}
    made = provide(spec, index([manifests.secret(spec, "etl-keys", "keys", kept)]))
    assert made.keys.items() >= kept.items()
    assert made.keys["jwt-secret"]


def test_a_key_that_somebody_emptied_is_not_made_anew() -> None:
    spec = service()
    emptied = {"fernet-key": "", "api-secret-key": "old too"}
    with pytest.raises(Refused, match=r"^Secret/etl-keys: there is nothing in fernet-key\."):
        provide(spec, index([manifests.secret(spec, "etl-keys", "keys", emptied)]))


def test_the_account_changes_only_as_asked() -> None:
    spec = service()
    first = fresh_secrets(spec)
    renamed = provide(service(account={"id": "operator"}), live(spec, first))
    assert renamed.account == {"id": "operator", "password": first.account["password"]}
    given = provide(spec, live(spec, first), account_password="Given-By-Me1!")
    assert given.account == {"id": "dataops", "password": "Given-By-Me1!"}
    assert given.keys == first.keys


def test_a_weak_account_password_is_refused_and_not_quoted() -> None:
    with pytest.raises(BadOption) as caught:
        fresh_secrets(service(), account_password="sentinel")
    assert str(caught.value).startswith("account.password: the password is too weak or has the wrong length.")
    assert "sentinel" not in str(caught.value)


def test_new_passwords_satisfy_the_rule() -> None:
    made = {new_password() for _turn in range(200)}
    assert len(made) == 200
    for password in made:
        assert validation.password(password, "account.password") == password


def test_database_addresses_are_percent_encoded() -> None:
    password = "p@ss/w:rd?#%& ü"
    values = database_values(service(), {"password": password}, None)
    assert values["password"] == password
    for key, scheme in (("connection", "postgresql+psycopg2"), ("connection-async", "postgresql+asyncpg")):
        parts = urlsplit(values[key])
        assert (parts.scheme, parts.username, parts.hostname, parts.port, parts.path) == (
            scheme,
            "airflow",
            "etl-database",
            5432,
            "/airflow",
        )
        assert unquote(parts.password or "") == password
        assert password not in values[key]


def test_fingerprint_is_stable_and_tells_nothing() -> None:
    values = ("operator", "SENTINEL-Account1!")
    print_ = SECRETS.fingerprint(*values)
    assert print_ == SECRETS.fingerprint(*values)
    assert len(print_) == 10
    assert int(print_, 16) >= 0
    # Whoever knows account and password of this service cannot recognize them in another.
    assert fresh_secrets(service()).fingerprint(*values) != print_


DIFFERENT = {
    "another password": ("operator", "other"),
    "another id": ("other", "SENTINEL-Account1!"),
    "the border between them moved": ("operatorSENTINEL", "-Account1!"),
}


@pytest.mark.parametrize("values", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_fingerprint_changes_with_the_values(values: tuple[str, str]) -> None:
    assert SECRETS.fingerprint(*values) != SECRETS.fingerprint("operator", "SENTINEL-Account1!")


def test_nothing_prints_them_by_accident() -> None:
    assert "SENTINEL" not in f"{SECRETS!r} {SECRETS}"


DECODED: dict[str, tuple[Manifest | None, dict[str, str]]] = {
    "nothing": (None, {}),
    "no data": ({"kind": "Secret"}, {}),
    "null": ({"data": None}, {}),
}


@pytest.mark.parametrize(("secret", "values"), DECODED.values(), ids=DECODED.keys())
def test_decoded(secret: Manifest | None, values: dict[str, str]) -> None:
    assert decoded(secret) == values
