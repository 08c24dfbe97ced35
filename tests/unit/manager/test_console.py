# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the console consists of: its pod, its rights, its address."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import rights as of_services
from ansible_collections.scp.dataops.plugins.module_utils.kube.rights import Right
from ansible_collections.scp.dataops.plugins.module_utils.manager import console, rights

from ..airflow.test_manifests import offences
from .test_spec import ACCOUNT, FULL, manager

KEY = "SENTINEL-key"


def test_its_pod_passes_the_restricted_standard() -> None:
    assert offences(console.pod(manager(**FULL))) == []


def test_its_root_file_system_cannot_be_written() -> None:
    [container] = console.pod(manager())["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_it_runs_on_the_image_of_the_site() -> None:
    [container] = console.pod(manager(**FULL))["containers"]
    assert container["image"] == "registry.example.com/mirror/apache/airflow:3.3.2"


def test_what_the_manager_chose_for_its_pods() -> None:
    pod = console.pod(manager(**FULL))
    assert pod["nodeSelector"] == {"pool": "dataops"}
    assert pod["hostAliases"] == [{"ip": "10.0.0.5", "hostnames": ["warehouse.internal"]}]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["containers"][0]["resources"] == {
        "requests": {"cpu": "1", "memory": "1Gi"},
        "limits": {"cpu": "2", "memory": "2Gi"},
    }
    assert not {"nodeSelector", "hostAliases", "imagePullSecrets"} & set(console.pod(manager()))


INGRESSES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {"path": "/", "tls": None}),
    "under a path": ({"console": {"path": "/dataops"}}, {"path": "/dataops", "tls": None}),
    "with TLS": (
        {"tls_secret": "own"},
        {"path": "/", "tls": [{"hosts": ["analytics.example.com"], "secretName": "own"}]},
    ),
}


@pytest.mark.parametrize(("options", "expected"), INGRESSES.values(), ids=INGRESSES.keys())
def test_its_address(options: dict[str, Any], expected: dict[str, Any]) -> None:
    spec = console.ingress(manager(**options))["spec"]
    [rule] = spec["rules"]
    assert rule["host"] == "analytics.example.com"
    assert {"path": rule["http"]["paths"][0]["path"], "tls": spec.get("tls")} == expected


def test_with_a_certificate_nobody_stays_without_tls() -> None:
    asked = {"ingress.kubernetes.io/force-ssl-redirect": "true"}
    plain, secure = (console.ingress(manager(tls_secret=own))["metadata"]["annotations"] for own in ("", "own"))
    assert secure == {**plain, **asked}
    assert not asked.keys() & plain.keys()


def test_pieces_of_uploads_and_long_answers_pass_the_ingress() -> None:
    asked = console.ingress(manager())["metadata"]["annotations"]
    assert asked["nginx.ingress.kubernetes.io/proxy-body-size"] == "0"
    assert asked["projectcontour.io/response-timeout"] == "300s"


def test_the_fingerprint_of_the_account_changes_with_it_and_tells_nothing() -> None:
    first = console.fingerprint(ACCOUNT, KEY)
    assert first == console.fingerprint(dict(reversed(ACCOUNT.items())), KEY)
    others = [console.fingerprint({**ACCOUNT, "password": "other"}, KEY), console.fingerprint(ACCOUNT, "other")]
    assert len({first, *others}) == 3
    assert "SENTINEL" not in first


def test_its_rights_are_in_its_namespace_and_those_of_the_engine() -> None:
    """A rule has no namespace: that of its Role holds, so nothing of another one may get in."""
    granted = rights.of_console("data")
    assert {right.namespace for right in granted} == {"data"}
    allowed = {
        (group, resource, verb)
        for rule in console.rules(granted, "data")
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert allowed == {(right.group, right.resource, right.verb) for right in granted}
    assert set(of_services.needed("data")) <= set(granted)
    assert not {"*", "escalate", "bind", "impersonate"} & {verb for _group, _resource, verb in allowed}


def test_what_is_outside_of_the_namespace_is_left_out() -> None:
    every = [Right("get", "", "pods", "data"), Right("create", "", "namespaces", ""), Right("get", "", "pods", "other")]
    assert console.rules(every, "data") == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]


def test_who_creates_it_needs_what_it_grants() -> None:
    assert set(rights.of_console("data")) <= set(rights.needed("data"))
