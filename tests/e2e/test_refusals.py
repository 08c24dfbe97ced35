# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be is refused in one sentence, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import NAMESPACE
from driver import Audit, Driver

BAD_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "Etl"}, "name: 'Etl' is not a valid name"),
    "domain": ({"domain": "-x"}, "domain: '-x' is not a valid domain"),
    "account": ({"account": {"id": "Me"}}, "account.id: 'Me' is not a valid account id"),
    "password": ({"account": {"password": "Password1"}}, "account.password: the password is too weak"),
    "size": ({"scheduler": {"cpu": "lots"}}, "scheduler.cpu: 'lots' is not an amount of CPU"),
    "alias twice": (
        {"host_aliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}, {"ip": "10.0.0.2", "hostnames": ["a"]}]},
        "'a' is an alias twice, for 10.0.0.1 and for 10.0.0.2",
    ),
    "storage class": ({"storage_class": "gold"}, "storage_class: storage class 'gold' does not exist"),
    "node selector": ({"node_selector": {"pool": "none"}}, "node_selector: no node has the labels pool=none"),
    "repository": ({"git_sync": {"repo": "dags"}}, "git_sync.repo: this is not the address of a repository"),
}


@pytest.mark.parametrize(("options", "sentence"), BAD_OPTIONS.values(), ids=BAD_OPTIONS.keys())
def test_bad_options(manager: Driver, driver: Driver, audit: Audit, options: dict[str, Any], sentence: str) -> None:
    position = audit.position()
    message = driver.refused("dataops_service", **{"name": "refused", **options})
    assert sentence in message
    assert audit.writes_since(position, NAMESPACE) == []


def test_a_host_that_another_ingress_has(manager: Driver, driver: Driver, audit: Audit) -> None:
    position = audit.position()
    message = driver.refused("dataops_service", name="git", domain="dataops.local")
    assert "host git.dataops.local is already used by Ingress git-server in namespace git" in message
    assert audit.writes_since(position, NAMESPACE) == []


def test_a_manager_that_does_not_exist(audit: Audit) -> None:
    position = audit.position()
    message = Driver().refused("dataops_service", name="etl", manager="nobody")
    assert "Manager 'nobody' does not exist" in message and "dataops_manager" in message
    assert audit.writes_since(position, "nobody") == []


@contextmanager
def only_ingress_class(kube: Kube, *names: str) -> Iterator[None]:
    """The cluster's IngressClasses are just these for a while."""
    kept = kube.list("IngressClass")
    added = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": name},
            "spec": {"controller": f"example.com/{name}"},
        }
        for name in names
    ]
    for item in kept:
        kube.delete("IngressClass", item["metadata"]["name"])
    for item in added:
        kube.apply(item)
    try:
        yield
    finally:
        for item in added:
            kube.delete("IngressClass", item["metadata"]["name"])
        for item in kept:
            metadata = {key: item["metadata"].get(key) for key in ("name", "annotations", "labels")}
            kube.create({**item, "metadata": {key: value for key, value in metadata.items() if value}})


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [((), "the cluster has no Ingress Controller"), (("one", "two"), "the cluster has 2 Ingress Controllers")],
    ids=["none", "two"],
)
def test_not_exactly_one_ingress_controller(
    manager: Driver, driver: Driver, kube: Kube, audit: Audit, classes: tuple[str, ...], sentence: str
) -> None:
    with only_ingress_class(kube, *classes):
        position = audit.position()
        message = driver.refused("dataops_service", name="refused")
        assert sentence in message
        assert audit.writes_since(position, NAMESPACE) == []


UNREACHABLE: dict[str, tuple[dict[str, Any], str]] = {
    "nobody listens": ({"host": "https://127.0.0.1:9", "api_key": "S3NT1NEL"}, "127.0.0.1:9"),
    "no kubeconfig": ({"kubeconfig": "/nonexistent/kubeconfig"}, "/nonexistent/kubeconfig"),
    "no such context": ({"context": "elsewhere"}, "elsewhere"),
    "expired token": ({"api_key": "S3NT1NEL"}, "token"),
}


@pytest.mark.parametrize(("options", "part"), UNREACHABLE.values(), ids=UNREACHABLE.keys())
def test_no_way_to_the_api_server(driver: Driver, kube: Kube, options: dict[str, Any], part: str) -> None:
    if "api_key" in options and "host" not in options:
        options = {**options, "host": kube.access.host, "validate_certs": False}
    done = driver.run("dataops_service", name="etl", verbose=True, **options)
    assert done.failed and part in done.message
    assert "Traceback" not in done.output
    assert "S3NT1NEL" not in done.message
