# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record: an option left out keeps its value, an explicit empty value clears it, a secret never gets in."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common import record

NESTED = frozenset(
    {"git_sync", "worker", "account", "default_settings", "default_settings.worker", "config", "config.*"}
)

ASKED = {
    "nothing": ({}, {}),
    "left out": ({"domain": None, "tags": None}, {}),
    "given": ({"domain": "example.com", "tags": None}, {"domain": "example.com"}),
    "left out inside": (
        {"git_sync": {"repo": "https://g/x", "ref": None}},
        {"git_sync": {"repo": "https://g/x"}},
    ),
    "left out inside a list": (
        {"host_aliases": [{"ip": "10.0.0.1", "hostnames": ["a"], "note": None}]},
        {"host_aliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}]},
    ),
    "empty text": ({"description": ""}, {"description": ""}),
    "empty list": ({"host_aliases": []}, {"host_aliases": []}),
    "empty dictionary": ({"tags": {}}, {"tags": {}}),
    "empty dictionary with fixed keys": ({"git_sync": {"repo": None, "ref": None}}, {"git_sync": {}}),
    "zero and false are values": ({"a": 0, "b": False}, {"a": 0, "b": False}),
}


@pytest.mark.parametrize(("options", "expected"), ASKED.values(), ids=ASKED.keys())
def test_asked(options: dict[str, Any], expected: dict[str, Any]) -> None:
    before = copy.deepcopy(options)
    assert record.asked(options) == expected
    assert options == before


TAKEN = {
    "only the password": ({"account": {"password": "s"}}, "s", {}),
    "password and id": ({"account": {"password": "s", "id": "operator"}}, "s", {"account": {"id": "operator"}}),
    "no password": ({"account": {"id": "operator"}}, None, {"account": {"id": "operator"}}),
    "explicitly empty": ({"account": {}}, None, {"account": {}}),
    "empty password": ({"account": {"password": ""}}, "", {}),
    "nothing": ({"domain": "example.com"}, None, {"domain": "example.com"}),
}


@pytest.mark.parametrize(("options", "secret", "left"), TAKEN.values(), ids=TAKEN.keys())
def test_take(options: dict[str, Any], secret: str | None, left: dict[str, Any]) -> None:
    options = copy.deepcopy(options)
    assert record.take(options, "account", "password") == secret
    assert options == left


MERGED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "left out keeps": ({"domain": "a.com", "tags": {"x": "1"}}, {}, {"domain": "a.com", "tags": {"x": "1"}}),
    "given replaces": ({"domain": "a.com"}, {"domain": "b.com"}, {"domain": "b.com"}),
    "empty text clears": ({"description": "old"}, {"description": ""}, {}),
    "empty list clears": ({"host_aliases": [{"ip": "10.0.0.1"}]}, {"host_aliases": []}, {}),
    "empty dictionary clears": ({"git_sync": {"repo": "r"}}, {"git_sync": {}}, {}),
    "clearing what is not there": ({}, {"description": "", "tags": {}, "host_aliases": []}, {}),
    "fixed keys merge one by one": (
        {"worker": {"cpu": "1", "memory": "1Gi"}},
        {"worker": {"cpu": "2"}},
        {"worker": {"cpu": "2", "memory": "1Gi"}},
    ),
    "one fixed key is cleared": (
        {"git_sync": {"repo": "r", "username": "u"}},
        {"git_sync": {"username": ""}},
        {"git_sync": {"repo": "r"}},
    ),
    "the last fixed key is cleared": ({"account": {"id": "operator"}}, {"account": {"id": ""}}, {}),
    "keys of the user's own are replaced as a whole": (
        {"tags": {"a": "1", "b": "2"}},
        {"tags": {"a": "3"}},
        {"tags": {"a": "3"}},
    ),
    "lists are replaced as a whole": ({"host_aliases": [1, 2]}, {"host_aliases": [3]}, {"host_aliases": [3]}),
    "fixed keys two levels deep merge one by one": (
        {"default_settings": {"domain": "a.com", "worker": {"cpu": "1", "memory": "1Gi"}}},
        {"default_settings": {"worker": {"cpu": "2"}}},
        {"default_settings": {"domain": "a.com", "worker": {"cpu": "2", "memory": "1Gi"}}},
    ),
    "two levels deep, an empty value clears": (
        {"default_settings": {"domain": "a.com", "worker": {"cpu": "1"}, "node_selector": {"pool": "x"}}},
        {"default_settings": {"worker": {}, "node_selector": {}}},
        {"default_settings": {"domain": "a.com"}},
    ),
    "two levels deep, keys of the user's own are replaced": (
        {"default_settings": {"node_selector": {"pool": "x", "zone": "a"}}},
        {"default_settings": {"node_selector": {"zone": "b"}}},
        {"default_settings": {"node_selector": {"zone": "b"}}},
    ),
    "below any key, one by one": (
        {"config": {"core": {"parallelism": 8, "max_active_runs_per_dag": 2}, "api": {"workers": 2}}},
        {"config": {"core": {"parallelism": 16}}},
        {"config": {"core": {"parallelism": 16, "max_active_runs_per_dag": 2}, "api": {"workers": 2}}},
    ),
    "below any key, only as deep as said": (
        {"config": {"core": {"x": {"secret": "a", "key": "b", "more": "c"}}}},
        {"config": {"core": {"x": {"secret": "d", "key": "b"}}}},
        {"config": {"core": {"x": {"secret": "d", "key": "b"}}}},
    ),
    "below any key, a text becomes a dictionary and back": (
        {"config": {"core": {"x": "text", "y": {"a": 1}}, "api": {"z": 1}}},
        {"config": {"core": {"x": {"a": 1}, "y": "text"}}},
        {"config": {"core": {"x": {"a": 1}, "y": "text"}, "api": {"z": 1}}},
    ),
    "below any key, false and zero are values": (
        {"config": {"core": {"load_examples": True}}},
        {"config": {"core": {"load_examples": False, "retries": 0}}},
        {"config": {"core": {"load_examples": False, "retries": 0}}},
    ),
    "below any key, empty clears": (
        {"config": {"core": {"a": 1}, "api": {"b": 1}, "fab": {"c": 1, "d": 1}}},
        {"config": {"core": {}, "api": {"b": ""}, "fab": {"c": ""}}},
        {"config": {"fab": {"d": 1}}},
    ),
    "an option of the same name elsewhere is another": (
        {"config": {"x": 1}, "tags": {"worker": {"a": 1, "b": 2}}},
        {"tags": {"worker": {"a": 3}}},
        {"config": {"x": 1}, "tags": {"worker": {"a": 3}}},
    ),
    "an empty tag value is a value": ({}, {"tags": {"a": ""}}, {"tags": {"a": ""}}),
}


@pytest.mark.parametrize(("recorded", "given", "expected"), MERGED.values(), ids=MERGED.keys())
def test_merged(recorded: dict[str, Any], given: dict[str, Any], expected: dict[str, Any]) -> None:
    inputs = copy.deepcopy((recorded, given))
    assert record.merged(recorded, given, nested=NESTED) == expected
    assert (recorded, given) == inputs
    assert record.merged(expected, {}, nested=NESTED) == expected


def test_a_password_alone_clears_nothing() -> None:
    given = record.asked({"account": {"id": None, "password": "Sentinel1!"}})
    record.take(given, "account", "password")
    assert record.merged({"account": {"id": "operator"}}, given, nested=NESTED) == {"account": {"id": "operator"}}


def test_manifest_reads_back_and_is_stable() -> None:
    options = {"tags": {"b": "2", "a": "ü"}, "domain": "example.com"}
    manifest = record.manifest("airflow", "etl", "analytics", "data", "etl-record", options)
    again = record.manifest("airflow", "etl", "analytics", "data", "etl-record", dict(reversed(options.items())))
    assert record.read(manifest) == options
    assert manifest == again
    assert manifest["metadata"]["namespace"] == "data"
    assert json.loads(manifest["data"]["spec.json"]) == options


READ: dict[str, tuple[dict[str, Any] | None, dict[str, Any]]] = {
    "no record": (None, {}),
    "a record without data": ({"metadata": {}}, {}),
    "a record without the key": ({"metadata": {}, "data": {"other": "x"}}, {}),
}


@pytest.mark.parametrize(("manifest", "expected"), READ.values(), ids=READ.keys())
def test_read(manifest: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    assert record.read(manifest) == expected
