# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Manager is created, changed and removed: what is written, what is kept, and whose things are never touched."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import decoded
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import diff
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, DataOpsError, Forbidden, Refused
from ansible_collections.scp.dataops.plugins.module_utils.manager import manager
from ansible_collections.scp.dataops.plugins.module_utils.manager.info import manager_info
from ansible_collections.scp.dataops.plugins.module_utils.manager.names import CONSOLE

from ..fake_kube import FakeKube, cluster_object
from ..runs import (
    NAMESPACE,
    cluster,
    cluster_with_service,
    done,
    manager_request,
    packed,
    remove_manager,
    run,
    run_manager,
)
from ..runs import remove as remove_service

CREATED = [
    "create Namespace/data",
    "create ConfigMap/dataops-manager-record",
    "create ConfigMap/dataops-manager-activity",
    "create Secret/dataops-manager-account",
    "create Secret/dataops-manager-keys",
    "create PersistentVolumeClaim/dataops-manager-files",
    "create ConfigMap/dataops-manager-console",
    "create ServiceAccount/dataops-manager-console",
    "create Role/dataops-manager-console",
    "create RoleBinding/dataops-manager-console",
    "create Service/dataops-manager-console",
    "create Deployment/dataops-manager-console",
    "create Ingress/dataops-manager-console",
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
    # The console is started anew, so that it knows the account of now.
    "password": (
        {"account": {"password": "Given-By-Me1!"}},
        ["update Secret/dataops-manager-account", "update Deployment/dataops-manager-console"],
    ),
    "account": (
        {"account": {"id": "operator"}},
        [
            "update ConfigMap/dataops-manager-record",
            "update Secret/dataops-manager-account",
            "update Deployment/dataops-manager-console",
        ],
    ),
    "size of the console": (
        {"console": {"memory": "1Gi"}},
        ["update ConfigMap/dataops-manager-record", "update Deployment/dataops-manager-console"],
    ),
    "domain": (
        {"domain": "other.com"},
        [
            "update ConfigMap/dataops-manager-record",
            "update Deployment/dataops-manager-console",
            "update Ingress/dataops-manager-console",
        ],
    ),
    "another version of the console": (
        {"application": packed("two")},
        ["update ConfigMap/dataops-manager-console", "update Deployment/dataops-manager-console"],
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
        "default_settings.storage_class: storage class 'gold' does not exist. Use one of those in the cluster: nfs, ",
    ),
    "node selector that no node matches": (
        nothing,
        {"node_selector": {"pool": "nobody"}},
        "node_selector: no node has the labels pool=nobody. Compare with 'kubectl get nodes --show-labels'.",
    ),
    "node selector of services that no node matches": (
        nothing,
        {"default_settings": {"node_selector": {"pool": "nobody"}}},
        "default_settings.node_selector: no node has the labels pool=nobody.",
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


def test_a_volume_grows_and_does_not_shrink() -> None:
    kube = cluster(storage_size="200Gi")
    assert refusal(kube, storage_size="100Gi") == (
        "storage_size: volume 'dataops-manager-files' has 200Gi, and no volume shrinks. "
        "Leave it out, or use at least 200Gi."
    )
    assert "update PersistentVolumeClaim/dataops-manager-files" not in done(run_manager(kube, storage_size=""))
    assert "update PersistentVolumeClaim/dataops-manager-files" in done(run_manager(kube, storage_size="300Gi"))


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


# The console


def test_the_state_is_that_of_the_console() -> None:
    kube = FakeKube()
    kube.stuck = {"console"}
    made = run_manager(kube, domain="example.com", wait=False).details
    assert (made["state"], made["console"]["state"]) == ("UPDATING", "waiting")
    kube.remove("Deployment", CONSOLE, NAMESPACE)
    found = manager_info(kube, NAMESPACE, "analytics")
    assert (found["state"], found["console"]["reason"]) == ("ERROR", "it does not exist")
    kube.stuck = set()
    made = run_manager(kube).details
    assert (made["state"], made["console"]["ready"], made["console"]["reason"]) == ("RUNNING", 1, "")


def test_its_address() -> None:
    told = run_manager(FakeKube(), domain="example.com").details
    assert told["web_url"] == "http://analytics.example.com"
    assert told["hosts_file"] == "10.0.0.10 analytics.example.com"
    assert told["ingress_class"] == "contour"


def test_the_ingress_class_stays_when_another_controller_comes() -> None:
    kube = cluster()
    two_controllers(kube)
    assert done(run_manager(kube)) == []
    assert kube.find("Ingress", CONSOLE, NAMESPACE)["spec"]["ingressClassName"] == "contour"


def test_volume_and_console_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = FakeKube()
    waited: list[str] = []
    monkeypatch.setattr(manager, "wait_ready", lambda kube, namespace, refs, **rest: waited.extend(map(str, refs)))
    run_manager(kube, domain="example.com")
    assert waited == ["PersistentVolumeClaim/dataops-manager-files", f"Deployment/{CONSOLE}"]
    waited.clear()
    run_manager(kube, wait=False)
    assert waited == []


def test_pods_that_are_replaced_are_told() -> None:
    kube = cluster()
    assert run_manager(kube, description="other").restarted == ()
    assert run_manager(kube, application=packed("two")).restarted == ("console",)


def test_the_application_stays_when_none_is_given() -> None:
    kube = cluster()
    assert done(run_manager(kube, application=None)) == []
    message = refusal(FakeKube(), BadOption, domain="example.com", application=None)
    assert message.startswith("console_archive: the console's application is missing.")
    message = refusal(FakeKube(), BadOption, domain="example.com", application=b"none")
    assert message.startswith("console_archive: it is not a zip archive.")


def test_the_same_files_packed_by_another_machine_are_the_same_application() -> None:
    kube = cluster()
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed())) as before, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, before.read(name))
    assert content.getvalue() != packed()
    assert done(run_manager(kube, application=content.getvalue())) == []


def test_keys_are_made_once() -> None:
    kube = cluster()
    before = decoded(kube.find("Secret", "dataops-manager-keys", NAMESPACE))
    run_manager(kube, account={"password": "Given-By-Me1!"}, application=packed("two"))
    assert decoded(kube.find("Secret", "dataops-manager-keys", NAMESPACE)) == before
    assert min(len(value) for value in before.values()) >= 43
    remove_manager(kube)
    run_manager(kube, domain="example.com")
    assert decoded(kube.find("Secret", "dataops-manager-keys", NAMESPACE)) == before


def test_the_address_of_somebody_else_is_refused() -> None:
    kube = FakeKube()
    rules = [{"host": "analytics.example.com"}]
    kube.put(cluster_object("Ingress", "shop", metadata={"namespace": "shop"}, spec={"rules": rules}))
    assert refusal(kube, domain="example.com").startswith(
        "domain: host analytics.example.com is already used by Ingress shop in namespace shop."
    )


def test_a_certificate_that_is_not_there_is_refused() -> None:
    kube = cluster()
    assert refusal(kube, tls_secret="own").startswith("tls_secret: Secret 'own' does not exist in namespace data.")


def test_a_diff_shows_no_archive() -> None:
    kube = cluster()
    shown = diff(run_manager(kube, application=packed("two")).changes)
    assert "characters in base64, sha256" in shown["before"]
    assert shown["before"] != shown["after"]
    assert base64.b64encode(packed()).decode() not in shown["before"]


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
    kept = (
        "PersistentVolumeClaim/dataops-manager-files",
        "Secret/dataops-manager-account",
        "Secret/dataops-manager-keys",
    )
    created = {line.replace("create", "delete") for line in CREATED[1:]}
    assert set(done(outcome)) == created - {f"delete {name}" for name in kept}
    assert outcome.kept == (*kept, f"Namespace/data (it still holds {', '.join(kept)})")
    assert outcome.kept == predicted.kept
    assert outcome.details == {"name": "analytics", "state": "DELETED"}


def test_purge_takes_the_namespace_when_nothing_is_left_in_it() -> None:
    kube = cluster()
    labels = kube.find("Deployment", CONSOLE, NAMESPACE)["metadata"]["labels"]
    kube.put(cluster_object("Pod", f"{CONSOLE}-1", metadata={"namespace": NAMESPACE, "labels": labels}))
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
