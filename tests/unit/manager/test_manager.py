# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Manager is created, changed and removed: what is written, what is kept, and whose things are never touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import decoded
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import diff
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, DataOpsError, Forbidden, Refused
from ansible_collections.scp.dataops.plugins.module_utils.manager import manager

from ..fake_kube import FakeKube, cluster_object
from ..runs import NAMESPACE, cluster, cluster_with_service, done, manager_request, remove_manager, run, run_manager
from ..runs import remove as remove_service

CREATED = [
    "create Namespace/data",
    "create ConfigMap/dataops-manager-record",
    "create ConfigMap/dataops-manager-activity",
    "create Secret/dataops-manager-account",
    "create PersistentVolumeClaim/dataops-manager-files",
]
REQUESTS_OF_AN_UNCHANGED_RUN = 15


def with_namespace() -> FakeKube:
    """A namespace that somebody else made."""
    kube = FakeKube()
    kube.put(cluster_object("Namespace", NAMESPACE, metadata={"labels": {"team": "them"}}))
    return kube


def account(kube: FakeKube) -> dict[str, str]:
    return decoded(kube.find("Secret", "dataops-manager-account", NAMESPACE))


def recorded(kube: FakeKube) -> dict[str, Any]:
    return record.read(kube.find("ConfigMap", "dataops-manager-record", NAMESPACE))


def refusal(kube: FakeKube, kind: type[DataOpsError] = Refused, /, **options: Any) -> str:
    """The sentence of a run that must not write; neither must it in check mode."""
    said = set()
    before = kube.state()
    for check_mode in (True, False):
        with pytest.raises(kind) as caught:
            run_manager(kube, check_mode=check_mode, **options)
        said.add(str(caught.value))
    assert kube.writes == []
    assert kube.state() == before
    assert len(said) == 1
    return said.pop()


def test_create() -> None:
    kube = FakeKube()
    predicted = run_manager(kube, domain="example.com", check_mode=True)
    assert kube.log == []
    assert predicted.details["state"] == "UNDEPLOYED"
    outcome = run_manager(kube, domain="example.com")
    assert done(outcome) == done(predicted) == CREATED
    assert kube.writes[0] == "apply Namespace/data"
    assert outcome.details["state"] == "RUNNING"
    assert outcome.details["files"] == {"volume": "dataops-manager-files", "phase": "Bound"}
    assert account(kube)["id"] == "dataops"


def test_second_run_changes_nothing_and_asks_little() -> None:
    kube = cluster()
    assert done(run_manager(kube, domain="example.com")) == []
    assert done(run_manager(kube)) == []
    assert kube.writes == []
    assert kube.requests <= 2 * REQUESTS_OF_AN_UNCHANGED_RUN


CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "description": ({"description": "other"}, ["update ConfigMap/dataops-manager-record"]),
    "defaults": (
        {"default_settings": {"worker": {"cpu": "2"}}},
        ["update ConfigMap/dataops-manager-record"],
    ),
    "password": ({"account": {"password": "Given-By-Me1!"}}, ["update Secret/dataops-manager-account"]),
    "account": (
        {"account": {"id": "operator"}},
        ["update ConfigMap/dataops-manager-record", "update Secret/dataops-manager-account"],
    ),
    "size": (
        {"storage_size": "200Gi"},
        ["update ConfigMap/dataops-manager-record", "update PersistentVolumeClaim/dataops-manager-files"],
    ),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_change(change: dict[str, Any], expected: list[str]) -> None:
    kube = cluster()
    before = kube.state()
    assert done(run_manager(kube, check_mode=True, **change)) == expected
    assert kube.writes == []
    assert kube.state() == before
    assert done(run_manager(kube, **change)) == expected
    assert done(run_manager(kube, **change)) == []


def test_an_option_left_out_keeps_its_value_and_an_empty_one_clears_it() -> None:
    kube = cluster(description="ours", default_settings={"worker": {"cpu": "2", "memory": "2Gi"}, "domain": "a.com"})
    run_manager(kube, description="", default_settings={"worker": {"memory": "4Gi"}})
    assert recorded(kube) == {
        "domain": "example.com",
        "default_settings": {"worker": {"cpu": "2", "memory": "4Gi"}, "domain": "a.com"},
    }
    run_manager(kube, default_settings={})
    assert recorded(kube) == {"domain": "example.com"}


def test_the_password_is_kept_until_another_is_given() -> None:
    kube = cluster()
    made = account(kube)["password"]
    run_manager(kube, account={"id": "operator"})
    assert account(kube) == {"id": "operator", "password": made}
    run_manager(kube, account={"password": "Given-By-Me1!"})
    assert account(kube) == {"id": "operator", "password": "Given-By-Me1!"}
    assert recorded(kube)["account"] == {"id": "operator"}


def test_no_secret_in_what_is_told() -> None:
    kube = FakeKube()
    outcome = run_manager(kube, domain="example.com", account={"password": "SENTINEL-Pass1!"})
    told = json.dumps([outcome.details, done(outcome), outcome.timeline, diff(outcome.changes), recorded(kube)])
    assert "SENTINEL" not in told


# Whose namespace it is


def test_a_namespace_of_others_is_used_and_never_changed() -> None:
    kube = with_namespace()
    before = kube.find("Namespace", NAMESPACE)
    assert done(run_manager(kube, domain="example.com")) == CREATED[1:]
    assert kube.find("Namespace", NAMESPACE) == before
    removed = done(remove_manager(kube, purge=True))
    assert sorted(removed) == sorted(line.replace("create", "delete") for line in CREATED[1:])
    assert kube.find("Namespace", NAMESPACE) == before
    assert not [line for line in kube.writes if "Namespace/" in line]


def test_the_namespace_of_another_manager() -> None:
    kube = cluster()
    found = kube.find("ConfigMap", "dataops-manager-record", NAMESPACE)
    found["metadata"]["labels"]["app.kubernetes.io/instance"] = "marketing"
    kube.put(found)
    sentence = (
        "namespace: namespace data belongs to Manager 'marketing'. "
        "Use another namespace for 'analytics', or name Manager 'marketing'."
    )
    assert refusal(kube) == sentence
    with pytest.raises(Refused) as caught:
        remove_manager(kube, purge=True)
    assert str(caught.value) == sentence
    assert kube.writes == []


# Refused before anything is written


def two_controllers(kube: FakeKube) -> None:
    kube.put(cluster_object("IngressClass", "nginx", spec={"controller": "k8s.io/ingress-nginx"}))


def no_controller(kube: FakeKube) -> None:
    kube.remove("IngressClass", "contour")


def nothing(kube: FakeKube) -> None:
    pass


REFUSED: dict[str, tuple[Callable[[FakeKube], None], dict[str, Any], str]] = {
    "no Ingress Controller": (
        no_controller,
        {},
        "ingress_class: the cluster has no Ingress Controller (no IngressClass was found).",
    ),
    "two Ingress Controllers": (two_controllers, {}, "ingress_class: the cluster has 2 Ingress Controllers ("),
    "unknown ingress class": (
        two_controllers,
        {"ingress_class": "traefik"},
        "ingress_class: ingress class 'traefik' does not exist. There is k8s.io/ingress-nginx with class nginx; "
        "projectcontour.io/ingress-controller with class contour.",
    ),
    "unknown storage class": (
        nothing,
        {"storage_class": "gold"},
        "storage_class: storage class 'gold' does not exist. Use one of those in the cluster: nfs, standard.",
    ),
    "unknown storage class of services": (
        nothing,
        {"default_settings": {"storage_class": "gold"}},
        "storage_class: storage class 'gold' does not exist. Use one of those in the cluster: nfs, standard.",
    ),
    "node selector that no node matches": (
        nothing,
        {"node_selector": {"pool": "nobody"}},
        "node_selector: no node has the labels pool=nobody. Compare with 'kubectl get nodes --show-labels'.",
    ),
    "node selector of services that no node matches": (
        nothing,
        {"default_settings": {"node_selector": {"pool": "nobody"}}},
        "node_selector: no node has the labels pool=nobody.",
    ),
}


@pytest.mark.parametrize(("before", "options", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(before: Callable[[FakeKube], None], options: dict[str, Any], sentence: str) -> None:
    kube = FakeKube()
    before(kube)
    assert refusal(kube, domain="example.com", **options).startswith(sentence)


def test_bad_options_are_refused_before_anything_is_read() -> None:
    kube = FakeKube()
    assert refusal(kube, BadOption, domain="-").startswith("domain: '-' is not a valid domain.")
    assert refusal(kube, BadOption).startswith("domain: it is not set.")
    assert refusal(kube, BadOption, domain="example.com", account={"password": "SENTINEL"}).startswith(
        "account.password: the password is too weak or has the wrong length."
    )


def test_storage_class_cannot_be_changed() -> None:
    kube = cluster(storage_class="nfs")
    assert refusal(kube, storage_class="standard") == (
        "storage_class: the volume of 'analytics' has class 'nfs', which cannot be changed to 'standard'. "
        "Leave it out, or remove the Manager with purge and create it anew."
    )
    assert done(run_manager(kube, storage_class="nfs")) == []


# Rights


def test_only_admin_in_the_namespace() -> None:
    kube = with_namespace()
    for verb, kind in (("list", "StorageClass"), ("list", "Node"), ("list", "IngressClass"), ("get", "Namespace"),
                       ("get", "StorageClass"), ("create", "Namespace")):  # fmt: skip
        kube.forbid(verb, kind)
    outcome = run_manager(kube, domain="example.com", node_selector={"pool": "unknown"}, storage_class="unknown")
    assert done(outcome) == CREATED[1:]
    assert outcome.not_checked == (
        "ingress controller: user jane may not list ingressclasses.networking.k8s.io in the cluster",
        "node selector: user jane may not list nodes in the cluster",
        "storage class: user jane may not list storageclasses.storage.k8s.io in the cluster",
    )
    assert done(remove_manager(kube, purge=True))
    assert "Namespace/data" not in done(remove_manager(kube, purge=True))


def test_missing_rights_are_all_named() -> None:
    kube = cluster()
    for verb, kind in (("list", "Secret"), ("patch", "ConfigMap")):
        kube.forbid(verb, kind, NAMESPACE)
    assert refusal(kube, Forbidden, description="other") == (
        "namespace data: missing rights: patch configmaps in namespace data, list secrets in namespace data. "
        "Bind the ClusterRole 'admin' in this namespace to this user, or grant these rights."
    )


# Waiting for the volume


def test_a_volume_that_binds_with_its_first_user_is_not_waited_for() -> None:
    kube = FakeKube()
    kube.put(cluster_object("StorageClass", "late", volumeBindingMode="WaitForFirstConsumer"))
    kube.stuck = {"files"}
    outcome = run_manager(kube, domain="example.com", storage_class="late")
    assert outcome.details["files"]["phase"] == "Pending"


def test_a_volume_that_binds_at_once_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = FakeKube()
    kube.stuck = {"files"}
    waited: list[str] = []
    monkeypatch.setattr(manager, "wait_ready", lambda kube, namespace, refs, **rest: waited.extend(map(str, refs)))
    run_manager(kube, domain="example.com")
    assert waited == ["PersistentVolumeClaim/dataops-manager-files"]
    waited.clear()
    run_manager(kube, wait=False)
    assert waited == []


# Removing


def test_a_manager_with_services_is_not_removed() -> None:
    kube = cluster_with_service()
    run(kube, "second")
    kube.forget()
    for check_mode in (True, False):
        with pytest.raises(Refused) as caught:
            remove_manager(kube, purge=True, check_mode=check_mode)
        assert str(caught.value) == (
            "Manager analytics: it still has services: etl, second. "
            "Remove them first with scp.dataops.dataops_service and state: absent."
        )
    assert kube.writes == []


def test_remove_keeps_files_and_account_and_says_so() -> None:
    kube = cluster()
    predicted = remove_manager(kube, check_mode=True)
    assert kube.writes == []
    outcome = remove_manager(kube)
    assert done(outcome) == done(predicted)
    assert done(outcome) == ["delete ConfigMap/dataops-manager-activity", "delete ConfigMap/dataops-manager-record"]
    claim, secret = "PersistentVolumeClaim/dataops-manager-files", "Secret/dataops-manager-account"
    assert outcome.kept == (claim, secret, f"Namespace/data (it still holds {claim}, {secret})")
    assert outcome.kept == predicted.kept
    assert outcome.details == {"name": "analytics", "state": "DELETED"}


def test_purge_takes_the_namespace_when_nothing_is_left_in_it() -> None:
    kube = cluster()
    kube.put(cluster_object("ConfigMap", "kube-root-ca.crt", metadata={"namespace": NAMESPACE}))
    outcome = remove_manager(kube, purge=True)
    assert outcome.kept == ()
    assert done(outcome)[-1] == "delete Namespace/data"
    assert kube.refs(NAMESPACE) == []


def test_purge_leaves_the_namespace_to_what_others_have_in_it() -> None:
    kube = cluster()
    kube.put(cluster_object("Secret", "of-somebody", metadata={"namespace": NAMESPACE}))
    outcome = remove_manager(kube, purge=True)
    assert outcome.kept == ("Namespace/data (it still holds Secret/of-somebody)",)
    assert kube.refs(NAMESPACE) == ["Secret/of-somebody"]


def test_data_of_removed_services_keeps_the_namespace() -> None:
    kube = cluster_with_service()
    remove_service(kube)
    outcome = remove_manager(kube, purge=True)
    assert "PersistentVolumeClaim/etl-database" in kube.refs(NAMESPACE)
    assert outcome.kept[0].startswith("Namespace/data (it still holds PersistentVolumeClaim/etl-database, ")


def test_removed_and_created_again_it_has_its_account() -> None:
    kube = cluster()
    before = account(kube)
    remove_manager(kube)
    run_manager(kube, domain="example.com")
    assert account(kube) == before


def test_removing_what_is_not_there() -> None:
    kube = FakeKube()
    outcome = remove_manager(kube, purge=True)
    assert done(outcome) == []
    assert kube.writes == []


def test_requests_hold_only_what_was_asked() -> None:
    request = manager_request(domain=None, account={"id": None, "password": "SENTINEL-Pass1!"})
    assert request.options == {}
    assert request.account_password == "SENTINEL-Pass1!"
