# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing secret is shown, yet every change is."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.masking import (
    CHANGED,
    HIDDEN,
    cleaned,
    encoded,
    masked,
    scrubbed,
    secret_values,
)

from .conftest import SENTINEL


def secret(**data: str) -> dict[str, Any]:
    values = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"kind": "Secret", "metadata": {"name": "s"}, "data": values}


def pod(*env: tuple[str, str]) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "env": [{"name": name, "value": value} for name, value in env]}]},
    }


def test_secret() -> None:
    before, after = masked(secret(same="a", other="b", gone="c"), secret(same="a", other=SENTINEL, new="d"))
    assert before is not None and after is not None
    assert before["data"] == {"same": HIDDEN, "other": HIDDEN, "gone": HIDDEN}
    assert after["data"] == {"same": HIDDEN, "other": CHANGED, "new": CHANGED}


def test_environment() -> None:
    old = pod(("MODE", "a"), ("DB_PASSWORD", "x"), ("FERNET_KEY", "k"))
    new = pod(("FERNET_KEY", "k"), ("MODE", "b"), ("DB_PASSWORD", SENTINEL))
    after = masked(old, new)[1]
    assert after is not None
    shown = {item["name"]: item["value"] for item in after["spec"]["containers"][0]["env"]}
    assert shown == {"MODE": "b", "DB_PASSWORD": CHANGED, "FERNET_KEY": HIDDEN}


SECRET_NAMES = (
    "POSTGRES_PASSWORD",
    "AIRFLOW__CORE__FERNET_KEY",
    "api-key",
    "AIRFLOW_CONN_DB",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "GITSYNC_TOKEN",
    "Authorization",
)


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_names_that_look_secret(name: str) -> None:
    assert SENTINEL not in str(masked(None, pod((name, SENTINEL))))


def test_passwords_in_addresses_and_copies_of_manifests() -> None:
    item = pod(("REPO", f"https://user:{SENTINEL}@git.example.org/a.git"))
    item["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": SENTINEL, "a": "b"}
    after = masked(None, item)[1]
    assert SENTINEL not in str(after)
    assert after is not None
    assert after["metadata"]["annotations"] == {"a": "b"}


def test_the_manifest_itself_stays_as_it_is() -> None:
    item = pod(("DB_PASSWORD", SENTINEL))
    masked(item, item)
    assert item == pod(("DB_PASSWORD", SENTINEL))


def test_cleaned() -> None:
    metadata = {"name": "a", "uid": "u", "managedFields": [], "resourceVersion": "1", "generation": 2}
    assert cleaned({"metadata": metadata, "status": {}, "spec": {}}) == {"metadata": {"name": "a"}, "spec": {}}


def test_scrubbed() -> None:
    assert scrubbed("got abcdef and abcd", ["abcd", "abcdef"]) == f"got {HIDDEN} and {HIDDEN}"
    assert scrubbed("a no", ["no"]) == "a no"
    assert scrubbed("https://me:pw@host/x", []) == f"https://{HIDDEN}@host/x"


def test_secret_values_in_every_form() -> None:
    values = set(secret_values({**secret(a=SENTINEL), "stringData": {"b": "plain"}}))
    assert values == {SENTINEL, base64.b64encode(SENTINEL.encode()).decode(), "plain"}


def test_encoded() -> None:
    item = {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}, "data": {"c": "ZA=="}}
    assert encoded(item) == {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "Yg==", "c": "ZA=="}}
    assert "stringData" in item
