# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights a run says are missing: all of them at once, and no more than it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import rights as of_service
from ansible_collections.scp.dataops.plugins.module_utils.airflow.manifests import KINDS as SERVICE_KINDS
from ansible_collections.scp.dataops.plugins.module_utils.airflow.manifests import RULES
from ansible_collections.scp.dataops.plugins.module_utils.common import rights
from ansible_collections.scp.dataops.plugins.module_utils.errors import Forbidden
from ansible_collections.scp.dataops.plugins.module_utils.kube.kinds import KINDS
from ansible_collections.scp.dataops.plugins.module_utils.kube.rights import Right
from ansible_collections.scp.dataops.plugins.module_utils.manager import rights as of_manager

from ..fake_kube import FakeKube


def test_the_first_refusal_becomes_the_whole_list() -> None:
    kube = FakeKube()
    kube.forbid("create", "Secret", "data")
    kube.forbid("list", "Job", "data")
    needed = rights.of_kinds(("Secret", "Job", "Pod"), ("list", "create"), "data")
    with pytest.raises(Forbidden) as caught, rights.explained(kube, "data", needed):
        raise Forbidden("user jane may not create secrets", where="Secret/x", status=403, reason="Forbidden")
    assert str(caught.value) == (
        "namespace data: missing rights: create secrets in namespace data, list jobs.batch in namespace data. "
        "Bind the ClusterRole 'admin' in this namespace to this user, or grant these rights."
    )
    assert caught.value.status == 403
    assert isinstance(caught.value.__cause__, Forbidden)


def test_a_refusal_for_another_reason_stays_as_it_is() -> None:
    refusal = Forbidden("exceeded quota: small", where="Deployment/x", status=403)
    with pytest.raises(Forbidden) as caught, rights.explained(FakeKube(), "data", [Right("list", "", "pods", "data")]):
        raise refusal
    assert caught.value is refusal


def test_a_service_needs_what_it_grants() -> None:
    """Kubernetes lets nobody pass on a right that they do not have."""
    needed = of_service.needed("data")
    for role in RULES.values():
        for rule in role:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    assert Right(verb, rule["apiGroups"][0], resource, "data") in needed


def test_rights_are_for_each_kind_and_never_wider_than_the_namespace() -> None:
    for kind in SERVICE_KINDS:
        for verb in ("list", "create", "patch", "delete"):
            assert Right(verb, KINDS[kind].group, KINDS[kind].plural, "data") in of_service.needed("data")
    assert {right.namespace for right in of_service.needed("data")} == {"data"}
    cluster_wide = [right for right in of_manager.needed("data") if not right.namespace]
    assert cluster_wide == [Right("create", "", "namespaces", "")]


@pytest.mark.parametrize("needed", [of_service.needed("data"), of_manager.needed("data")], ids=["service", "manager"])
def test_no_right_is_asked_for_twice(needed: list[Right]) -> None:
    assert len(needed) == len(set(needed))


@pytest.mark.parametrize("needed", [of_service.needed("data"), of_manager.needed("data")], ids=["service", "manager"])
def test_reading_the_managers_record_is_among_them(needed: list[Right]) -> None:
    assert Right("get", "", "configmaps", "data") in needed


# A lock is let go without waiting, and through a proxy something else is deleted.
NO_OBJECTS = ("leases", "services/proxy")
NEEDED = {"service": of_service.needed, "Manager": of_manager.needed, "console": of_manager.of_console}


@pytest.mark.parametrize("needed", NEEDED.values(), ids=NEEDED.keys())
def test_who_deletes_may_wait_until_it_is_gone(needed: Callable[[str], list[Right]]) -> None:
    found = set(needed("data"))
    deleted = {right for right in found if right.verb == "delete" and right.resource not in NO_OBJECTS}
    assert deleted
    assert {replace(right, verb="watch") for right in deleted} <= found
