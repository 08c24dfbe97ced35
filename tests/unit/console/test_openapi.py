# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document that describes the API is complete, and the page about it names nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.console.api.install import SCHEMES
from fastapi.testclient import TestClient

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
# Operations of the product's own API, by method and path.
REAL = {
    "POST /data-ops-services/clusters/{cluster_id}/validate-resources",
    "POST /data-ops-services/{data_ops_service_id}/validate-resources",
    "GET /data-ops/{data_ops_name}/check-duplication",
    "GET /data-ops-services/{data_ops_service_name}/check-duplication",
    "POST /data-ops",
    "POST /data-ops-services",
    "DELETE /data-ops/{data_ops_id}",
    "DELETE /data-ops-services/{data_ops_service_id}",
    "GET /data-ops",
    "GET /data-ops/image-versions",
    "GET /data-ops/clusters/{cluster_id}/ingress-controllers",
    "GET /data-ops-services",
    "GET /data-ops/{data_ops_id}",
    "GET /data-ops-services/{data_ops_service_id}",
    "GET /data-ops-services/data-ops/{data_ops_id}/sub-versions",
    "PUT /data-ops/{data_ops_id}",
    "PUT /data-ops-services/{data_ops_service_id}",
}


@pytest.fixture
def document(client: TestClient) -> Any:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield f"{verb.upper()} {path.removeprefix('/api/v1')}", operation


def test_all_operations_of_the_products_own_api_are_there(document: Any) -> None:
    assert {name for name, _operation in operations(document)} >= REAL


def test_each_says_who_may_ask_what_it_answers_and_how_it_refuses(document: Any) -> None:
    assert set(document["components"]["securitySchemes"]) == set(SCHEMES)
    for name, operation in operations(document):
        assert operation["security"], name
        assert operation["description"], name
        answers = operation["responses"]
        assert "401" in answers, name
        assert "422" not in answers, name
        for status, answer in answers.items():
            if "content" in answer:
                schema = answer["content"]["application/json"]["schema"]
                assert schema, f"{name} {status}"
        if "requestBody" in operation and "/files" not in name:
            examples = operation["requestBody"]["content"]["application/json"]["examples"]
            assert all(example["summary"] and example["value"] for example in examples.values()), name


def test_nothing_refers_to_what_is_not_there(document: Any) -> None:
    known = document["components"]["schemas"]
    found = set(re.findall(r"#/components/schemas/([^'\"]+)", str(document)))
    assert found <= set(known)


def test_a_client_that_sends_its_defaults_clears_nothing(document: Any) -> None:
    for body in ("DataOpsServiceUpdateRequest", "DataOpsUpdateRequest", "Account", "HostAlias", "ServiceGitSync"):
        fields = document["components"]["schemas"][body]["properties"]
        assert [name for name, field in fields.items() if "default" in field] == [], body


def test_what_a_client_calls_its_functions(document: Any) -> None:
    names = [operation["operationId"] for _name, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() and "api_v1" not in name for name in names)


def test_a_plan_and_a_begun_operation_have_codes_of_their_own(document: Any) -> None:
    for name, operation in operations(document):
        if "202" in operation["responses"]:
            begun, planned = (operation["responses"][code]["content"]["application/json"] for code in ("202", "200"))
            assert planned["schema"] == {"$ref": "#/components/schemas/Plan"}, name
            assert "Plan" not in str(begun), name


def test_passwords_are_marked(document: Any) -> None:
    schemas = document["components"]["schemas"]
    marked = {
        f"{name}.{key}"
        for name, schema in schemas.items()
        for key, field in schema.get("properties", {}).items()
        if field.get("format") == "password"
    }
    assert {"Account.account_password", "ServiceGitSync.password", "ServiceGitSync.ssh_key"} <= marked
    assert "null" not in str(schemas["DataOpsServiceUpdateRequest"])


def test_the_page_names_what_is_there(document: Any) -> None:
    known = [re.sub(r"{[^}]+}", "[^/]+", path) for path in document["paths"]]
    text = PAGE.read_text(encoding="utf-8")
    named = {path for path in re.findall(r"(/api/v1/[a-z/A-Z0-9-]+)", text) if path != "/api/v1/openapi"}
    short = {f"/api/v1/{path}" for path in re.findall(r"\.\.\./(data-ops[a-zA-Z/-]+)", text)}
    for path in named | short:
        assert any(re.fullmatch(pattern, path) for pattern in known), path
