# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service is created, changed and removed: what is written, in which order, and what never is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import removal, rollout
from ansible_collections.scp.dataops.plugins.module_utils.airflow.secrets import decoded
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import SERVICE
from ansible_collections.scp.dataops.plugins.module_utils.common.labels import labels as service_labels
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import diff
from ansible_collections.scp.dataops.plugins.module_utils.errors import (
    BadOption,
    DataOpsError,
    Forbidden,
    NotReady,
    Refused,
)
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, ref_of

from ..fake_kube import FakeKube, cluster_object
from ..runs import NAMESPACE, cluster, cluster_with_service, done, remove, run, run_manager

GIT: dict[str, Any] = {"repo": "https://git.example.com/team/dags.git"}
PRIVATE: dict[str, Any] = {**GIT, "username": "deploy", "password": "SENTINEL-token"}
REQUESTS_OF_AN_UNCHANGED_RUN = 17


def job(kube: FakeKube, component: str) -> Manifest:
    (found,) = kube.list("Job", NAMESPACE, labels=f"app.kubernetes.io/component={component}")
    return found


def recorded(kube: FakeKube) -> dict[str, Any]:
    return record.read(kube.find("ConfigMap", "etl-record", NAMESPACE))


def without_prints(lines: list[str]) -> list[str]:
    return [re.sub(r"(Job/.*)-[0-9a-f]{10}$", r"\1", line) for line in lines]


def refusal(kube: FakeKube, kind: type[DataOpsError] = Refused, /, **options: Any) -> str:
    """The sentence of a run that must not write; neither must it in check mode."""
    said = set()
    before = kube.state()
    for check_mode in (True, False):
        with pytest.raises(kind) as caught:
            run(kube, check_mode=check_mode, **options)
        said.add(str(caught.value))
    assert kube.writes == []
    assert kube.state() == before
    assert len(said) == 1
    return said.pop()


# Creating


def test_create() -> None:
    kube = cluster()
    outcome = run(kube)
    assert done(outcome) == [
        "create ConfigMap/etl-record",
        "create ServiceAccount/etl",
        "create ServiceAccount/etl-task",
        "create ServiceAccount/etl-web-server",
        "create ServiceAccount/etl-scheduler",
        "create Role/etl-web-server",
        "create Role/etl-scheduler",
        "create RoleBinding/etl-web-server",
        "create RoleBinding/etl-scheduler",
        "create Secret/etl-keys",
        "create Secret/etl-database",
        "create Secret/etl-account",
        "create ConfigMap/etl-config",
        "create PersistentVolumeClaim/etl-logs",
        "create Service/etl-web-server",
        "create PersistentVolumeClaim/etl-database",
        "create Service/etl-database",
        "create StatefulSet/etl-database",
        "create Job/etl-migration",
        "create Job/etl-account",
        "create Deployment/etl-web-server",
        "create Deployment/etl-scheduler",
        "create Deployment/etl-dag-processor",
        "create Deployment/etl-triggerer",
        "create Ingress/etl",
    ]
    assert outcome.details["state"] == "RUNNING"
    assert outcome.details["health"] == "healthy"
    assert outcome.details["web_url"] == "http://etl.example.com"
    assert outcome.details["hosts_file"] == "10.0.0.10 etl.example.com"
    assert outcome.restarted == ()
    assert outcome.not_checked == ()
    assert any("Airflow is healthy" in line for line in outcome.timeline)


def test_second_run_changes_nothing_and_asks_little() -> None:
    kube = cluster_with_service(git_sync=PRIVATE, web_server={"replicas": 2}, host_aliases=[])
    outcome = run(kube, git_sync=PRIVATE, web_server={"replicas": 2}, host_aliases=[])
    assert done(outcome) == []
    assert kube.writes == []
    assert outcome.details["state"] == "RUNNING"
    assert kube.requests <= REQUESTS_OF_AN_UNCHANGED_RUN


def test_a_run_that_names_nothing_keeps_everything() -> None:
    options = {
        "description": "Nightly loads",
        "git_sync": PRIVATE,
        "worker": {"cpu": "2"},
        "account": {"id": "operator", "password": "SENTINEL-Pass1!"},
    }
    kube = cluster_with_service(**options)
    assert done(run(kube)) == []
    assert kube.writes == []


def test_order_of_stages() -> None:
    kube = cluster()
    run(kube, git_sync=PRIVATE)
    lines = without_prints(kube.writes)
    stages = [
        "apply Secret/etl-git-check",
        "apply Job/etl-git-check",
        "delete Job/etl-git-check",
        "apply Secret/etl-database",
        "apply StatefulSet/etl-database",
        "apply Job/etl-migration",
        "apply Job/etl-account",
        "apply Deployment/etl-web-server",
    ]
    assert sorted(stages, key=lambda line: len(lines) - lines[::-1].index(line)) == stages
    assert lines[lines.index("apply Job/etl-git-check") - 1] == "apply Secret/etl-git-check"
    assert "Job/etl-git-check" not in kube.refs(NAMESPACE)
    assert "Secret/etl-git-check" not in kube.refs(NAMESPACE)


def test_what_is_no_longer_wanted_goes_last() -> None:
    kube = cluster_with_service(git_sync=PRIVATE, scheduler={"replicas": 2})
    outcome = run(kube, git_sync={}, scheduler={"replicas": 1}, account={"id": "operator"})
    gone = [line for line in kube.writes if line.startswith("delete ")]
    assert sorted(without_prints(gone)) == [
        "delete ConfigMap/etl-git",
        "delete Job/etl-account",
        "delete PodDisruptionBudget/etl-scheduler",
        "delete Secret/etl-git",
    ]
    assert kube.writes[-len(gone) :] == gone
    assert sorted(done(outcome)) == [
        "create Job/etl-account",
        "delete ConfigMap/etl-git",
        "delete Job/etl-account",
        "delete PodDisruptionBudget/etl-scheduler",
        "delete Secret/etl-git",
        "update ConfigMap/etl-config",
        "update ConfigMap/etl-record",
        "update Deployment/etl-dag-processor",
        "update Deployment/etl-scheduler",
        "update Secret/etl-account",
    ]


# Check mode


CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "description": {"description": "other"},
    "host alias": {"host_aliases": [{"ip": "10.0.0.5", "hostnames": ["db"]}]},
    "larger worker": {"worker": {"cpu": "2"}},
    "replicas": {"web_server": {"replicas": 2}},
    "git": {"git_sync": PRIVATE},
    "account": {"account": {"id": "operator"}},
    "password": {"account": {"password": "Another-One1!"}},
    "node selector": {"node_selector": {"pool": "dataops"}},
    "domain": {"domain": "other.example.com"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_check_mode_predicts_and_writes_nothing(change: dict[str, Any]) -> None:
    kube = cluster_with_service()
    before = kube.state()
    predicted = run(kube, check_mode=True, **change)
    assert kube.writes == []
    assert kube.state() == before
    real = run(kube, **change)
    assert done(predicted) == done(real)
    assert predicted.restarted == real.restarted
    assert done(run(kube, **change)) == []


def test_check_mode_predicts_a_creation() -> None:
    kube = cluster()
    before = kube.state()
    predicted = run(kube, check_mode=True, git_sync=PRIVATE)
    assert kube.writes == []
    assert kube.state() == before
    assert done(predicted) == done(run(kube, git_sync=PRIVATE))


RESTARTS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "description": ({"description": "other"}, ()),
    "tags": ({"tags": {"a": "b"}}, ()),
    "replicas": ({"web_server": {"replicas": 2}}, ()),
    "larger worker": ({"worker": {"cpu": "2"}}, ("scheduler",)),
    "git": ({"git_sync": GIT}, ("dag-processor",)),
    "domain": ({"domain": "other.example.com"}, ("web-server",)),
    "host alias": (
        {"host_aliases": [{"ip": "10.0.0.5", "hostnames": ["db"]}]},
        ("web-server", "scheduler", "dag-processor", "triggerer"),
    ),
    "node selector": (
        {"node_selector": {"pool": "dataops"}},
        ("database", "web-server", "scheduler", "dag-processor", "triggerer"),
    ),
}


@pytest.mark.parametrize(("change", "expected"), RESTARTS.values(), ids=RESTARTS.keys())
def test_restarted(change: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert run(cluster_with_service(), **change).restarted == expected


# Options and what is inherited


def test_an_option_left_out_keeps_its_value_and_an_empty_one_clears_it() -> None:
    kube = cluster_with_service(description="Nightly", worker={"cpu": "2", "memory": "2Gi"}, tags={"a": "b"})
    run(kube, worker={"memory": "4Gi"}, tags={})
    assert recorded(kube) == {"description": "Nightly", "worker": {"cpu": "2", "memory": "4Gi"}}
    assert run(kube, worker={}).details["worker"] == {"cpu": "500m", "memory": "1Gi"}
    assert recorded(kube) == {"description": "Nightly"}


def test_inherited_unless_chosen() -> None:
    kube = cluster(
        image_registry="registry.example.com",
        default_settings={"worker": {"cpu": "1", "memory": "2Gi"}, "node_selector": {"pool": "dataops"}},
    )
    details = run(kube, worker={"cpu": "4"}).details
    assert details["worker"] == {"cpu": "4", "memory": "2Gi"}
    assert details["node_selector"] == {"pool": "dataops"}
    assert details["domain"] == "example.com"
    assert details["image"] == "registry.example.com/apache/airflow:3.3.2"
    assert recorded(kube) == {"worker": {"cpu": "4"}}


def test_a_new_default_of_the_manager_arrives_with_the_next_run() -> None:
    kube = cluster_with_service(description="mine")
    run_manager(kube, default_settings={"worker": {"memory": "8Gi"}})
    outcome = run(kube)
    assert outcome.details["worker"]["memory"] == "8Gi"
    assert outcome.restarted == ("scheduler",)


def test_the_domain_of_default_settings_wins_over_that_of_the_manager() -> None:
    kube = cluster(default_settings={"domain": "services.example.com"})
    assert run(kube).details["web_url"] == "http://etl.services.example.com"


def test_the_class_of_an_existing_volume_stays_whatever_the_manager_prefers() -> None:
    kube = cluster_with_service()
    run_manager(kube, default_settings={"storage_class": "nfs"})
    outcome = run(kube)
    assert done(outcome) == []
    assert outcome.details["storage_class"] == "standard"


# Git


def test_git_fails_and_nothing_was_written() -> None:
    kube = cluster_with_service(git_sync=GIT)
    before = kube.state()
    kube.failing = {"git-check"}
    with pytest.raises(NotReady) as caught:
        run(kube, git_sync={"ref": "wrong"}, description="other")
    said = str(caught.value)
    assert said.startswith("git_sync: the repository could not be read: ")
    assert said.endswith("Nothing was changed. Correct what the log names, then run this again.")
    assert kube.state() == before
    assert {line.partition(" ")[2] for line in kube.writes} == {"Job/etl-git-check"}


def test_after_a_failed_try_the_next_run_tries_again() -> None:
    kube = cluster()
    kube.failing = {"git-check"}
    with pytest.raises(NotReady):
        run(kube, git_sync=PRIVATE)
    assert not [ref for ref in kube.refs(NAMESPACE) if "/etl" in ref]
    kube.failing = set()
    kube.forget()
    run(kube, git_sync=PRIVATE)
    assert kube.writes.index("apply Job/etl-git-check") < kube.writes.index("apply ConfigMap/etl-record")


TRIED: dict[str, tuple[dict[str, Any], bool]] = {
    "description": ({"description": "other"}, False),
    "interval": ({"git_sync": {"interval": 30}}, False),
    "the same again and a description": ({"git_sync": PRIVATE, "description": "other"}, False),
    "subdir written with a slash": ({"git_sync": {"subdir": "dags/"}, "description": "other"}, False),
    "ref": ({"git_sync": {"ref": "v2"}}, True),
    "repo": ({"git_sync": {"repo": "https://git.example.com/team/other.git"}}, True),
    "subdir": ({"git_sync": {"subdir": "other"}}, True),
    "password": ({"git_sync": {"password": "SENTINEL-new"}}, True),
    "user": ({"git_sync": {"username": "other"}}, True),
}


@pytest.mark.parametrize(("change", "tried"), TRIED.values(), ids=TRIED.keys())
def test_the_repository_is_tried_when_it_is_another_source(change: dict[str, Any], tried: bool) -> None:
    kube = cluster_with_service(git_sync={**PRIVATE, "subdir": "dags/"})
    run(kube, **change)
    assert ("apply Job/etl-git-check" in kube.writes) == tried


def test_a_new_git_password_restarts_nothing() -> None:
    kube = cluster_with_service(git_sync=PRIVATE)
    outcome = run(kube, git_sync={"password": "SENTINEL-new"})
    assert done(outcome) == ["update Secret/etl-git"]
    secret = decoded(kube.find("Secret", "etl-git", NAMESPACE))
    assert secret["credential"] == "username=deploy\npassword=SENTINEL-new\n"


def test_a_password_without_git_sync_is_refused() -> None:
    with pytest.raises(BadOption):
        run(cluster(), git_sync={**GIT, "password": "SENTINEL"})


# Refused before anything is written


def two_controllers(kube: FakeKube) -> None:
    kube.put(cluster_object("IngressClass", "nginx", spec={"controller": "k8s.io/ingress-nginx"}))


def no_controller(kube: FakeKube) -> None:
    kube.remove("IngressClass", "contour")


def host_in_use(kube: FakeKube) -> None:
    metadata = {"namespace": "shop"}
    kube.put(cluster_object("Ingress", "front", metadata=metadata, spec={"rules": [{"host": "etl.example.com"}]}))


def no_default_class(kube: FakeKube) -> None:
    kube.remove("StorageClass", "standard")


def nothing(kube: FakeKube) -> None:
    pass


REFUSED: dict[str, tuple[Callable[[FakeKube], None], dict[str, Any], str]] = {
    "unknown storage class": (
        nothing,
        {"storage_class": "gold"},
        "storage_class: storage class 'gold' does not exist. Use one of those in the cluster: nfs, standard.",
    ),
    "no default storage class": (
        no_default_class,
        {},
        "storage_class: the cluster has no default storage class. Name one of those in the cluster: nfs.",
    ),
    "node selector that no node matches": (
        nothing,
        {"node_selector": {"pool": "dataops", "zone": "b"}},
        "node_selector: no node has the labels pool=dataops,zone=b. Compare with 'kubectl get nodes --show-labels'.",
    ),
    "no Ingress Controller": (
        no_controller,
        {},
        (
            "ingress_class: the cluster has no Ingress Controller (no IngressClass was found). "
            "Install exactly one, such as Contour or ingress-nginx, and run this again."
        ),
    ),
    "two Ingress Controllers": (
        two_controllers,
        {},
        (
            "ingress_class: the cluster has 2 Ingress Controllers (k8s.io/ingress-nginx with class nginx; "
            "projectcontour.io/ingress-controller with class contour), and a Data Ops takes exactly one. "
            "Remove all but one, or name the class to use in the Manager's ingress_class."
        ),
    ),
    "host already used": (
        host_in_use,
        {},
        (
            "domain: host etl.example.com is already used by Ingress front in namespace shop. "
            "Use another name or domain, or remove that Ingress."
        ),
    ),
}


@pytest.mark.parametrize(("before", "options", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(before: Callable[[FakeKube], None], options: dict[str, Any], sentence: str) -> None:
    kube = cluster()
    before(kube)
    assert refusal(kube, **options) == sentence


BAD: dict[str, dict[str, Any]] = {
    "size": {"worker": {"cpu": "lots"}},
    "account": {"account": {"id": "A"}},
    "password": {"account": {"password": "weak"}},
    "alias": {"host_aliases": [{"ip": "10.0.0.5", "hostnames": ["a", "a"]}]},
    "description": {"description": "x" * 151},
}


@pytest.mark.parametrize("options", BAD.values(), ids=BAD.keys())
def test_bad_options_are_refused_before_anything_is_written(options: dict[str, Any]) -> None:
    refusal(cluster_with_service(), BadOption, **options)


def test_two_controllers_and_one_is_named() -> None:
    kube = cluster(ingress_class="contour")
    two_controllers(kube)
    run(kube)
    assert kube.find("Ingress", "etl", NAMESPACE)["spec"]["ingressClassName"] == "contour"


def test_the_own_ingress_is_no_obstacle() -> None:
    kube = cluster_with_service()
    assert done(run(kube, description="other")) == ["update ConfigMap/etl-record"]


def test_volumes_grow_and_do_not_shrink() -> None:
    kube = cluster_with_service(storage_size="20Gi")
    assert refusal(kube, storage_size="10Gi") == (
        "storage_size: volume 'etl-database' has 20Gi, and no volume shrinks. Leave it out, or use at least 20Gi."
    )
    assert "update PersistentVolumeClaim/etl-database" not in done(run(kube, storage_size=""))
    assert "update PersistentVolumeClaim/etl-database" in done(run(kube, storage_size="30Gi"))


def test_storage_class_cannot_be_changed() -> None:
    kube = cluster_with_service(storage_class="nfs")
    assert refusal(kube, storage_class="standard") == (
        "storage_class: the volumes of 'etl' have class 'nfs', which cannot be changed to 'standard'. "
        "Leave it out, or remove the service with purge and create it anew."
    )
    assert done(run(kube, storage_class="nfs")) == []


LOST = {"database": "etl-database", "keys": "etl-keys"}


@pytest.mark.parametrize("secret", LOST.values(), ids=LOST.keys())
def test_a_database_volume_without_its_secret(secret: str) -> None:
    kube = cluster_with_service()
    remove(kube)
    kube.remove("Secret", secret, NAMESPACE)
    kube.forget()
    assert refusal(kube) == (
        f"PersistentVolumeClaim/etl-database: the volume of an earlier 'etl' is there, but its Secret {secret} is not. "
        "Restore the Secret, or remove the volume with state: absent and purge: true."
    )


def test_without_a_manager_it_is_refused_and_in_check_mode_predicted() -> None:
    kube = FakeKube()
    with pytest.raises(Refused) as caught:
        run(kube, domain="example.com")
    assert str(caught.value) == (
        "manager: Manager 'analytics' does not exist in namespace data. "
        "Create it first with scp.dataops.dataops_manager."
    )
    predicted = run(kube, check_mode=True)
    assert "create Deployment/etl-scheduler" in done(predicted)
    assert predicted.warnings == (
        "Manager 'analytics' does not exist in namespace data; this is what would happen once it does. "
        "What it passes on is not known yet.",
    )
    assert kube.log == []


def test_another_manager_owns_the_namespace() -> None:
    kube = cluster()
    record_ = kube.find("ConfigMap", "dataops-manager-record", NAMESPACE)
    record_["metadata"]["labels"]["app.kubernetes.io/instance"] = "marketing"
    kube.put(record_)
    assert refusal(kube) == (
        "namespace: namespace data belongs to Manager 'marketing'. "
        "Use another namespace for 'analytics', or name Manager 'marketing'."
    )


# Rights


def test_only_admin_in_the_namespace() -> None:
    kube = cluster(domain="example.com")
    for kind in ("StorageClass", "Node", "IngressClass", "Ingress"):
        kube.forbid("list", kind)
    outcome = run(kube, node_selector={"pool": "unknown"}, storage_class="unknown")
    assert outcome.details["state"] == "RUNNING"
    assert outcome.not_checked == (
        "capacity: user jane may not list nodes in the cluster",
        "host in other namespaces: user jane may not list ingresses.networking.k8s.io in the cluster",
        "ingress controller: user jane may not list ingressclasses.networking.k8s.io in the cluster",
        "node selector: user jane may not list nodes in the cluster",
        "storage class: user jane may not list storageclasses.storage.k8s.io in the cluster",
    )
    kube.forget()
    assert run(kube).not_checked == ()
    assert kube.writes == []


def test_missing_rights_are_all_named() -> None:
    kube = cluster()
    for verb, kind in (("create", "Secret"), ("patch", "Deployment"), ("create", "Role")):
        kube.forbid(verb, kind, NAMESPACE)
    assert refusal(kube, Forbidden) == (
        "namespace data: missing rights: create secrets in namespace data, "
        "create roles.rbac.authorization.k8s.io in namespace data, patch deployments.apps in namespace data. "
        "Bind the ClusterRole 'admin' in this namespace to this user, or grant these rights."
    )


def test_a_namespace_that_may_not_be_read() -> None:
    kube = cluster()
    kube.forbid("list", "Secret", NAMESPACE)
    assert "missing rights: list secrets in namespace data." in refusal(kube, Forbidden)


# Jobs that did not end well


def end_job(kube: FakeKube, component: str, status: dict[str, Any]) -> Manifest:
    found = job(kube, component)
    kube.put({**found, "status": status})
    return found


FAILED = {"conditions": [{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]}
FAILURES: dict[str, tuple[str, dict[str, Any]]] = {
    "migration, same options": ("migration", {}),
    "migration, more memory": ("migration", {"scheduler": {"memory": "4Gi"}}),
    "account, same options": ("account", {}),
    "account, another node": ("account", {"node_selector": {"pool": "dataops"}}),
}


@pytest.mark.parametrize(("component", "change"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failed_job_is_replaced(component: str, change: dict[str, Any]) -> None:
    kube = cluster_with_service()
    failed = ref_of(end_job(kube, component, FAILED))
    predicted = run(kube, check_mode=True, **change)
    assert kube.writes == []
    outcome = run(kube, **change)
    assert f"create Job/etl-{component}" in done(outcome)
    assert done(outcome) == done(predicted)
    assert kube.writes.index(f"delete {failed}") < kube.writes.index(f"apply {failed}")
    assert job(kube, component)["status"]["conditions"][0]["type"] == "Complete"
    assert done(run(kube, **change)) == []


def test_a_job_that_cannot_start_is_replaced_when_it_is_asked_otherwise() -> None:
    kube = cluster_with_service(scheduler={"cpu": "12"})
    stuck = ref_of(end_job(kube, "migration", {"active": 1}))
    assert done(run(kube, check_mode=True)) == []
    outcome = run(kube, scheduler={"cpu": "1"})
    assert "create Job/etl-migration" in done(outcome)
    assert f"delete {stuck}" in kube.writes
    assert job(kube, "migration")["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "1"


def test_a_migration_that_fails_starts_no_component() -> None:
    kube = cluster()
    kube.failing = {"migration"}
    with pytest.raises(NotReady, match="the job failed: it said no"):
        run(kube)
    assert "Deployment" not in {line.split()[1].partition("/")[0] for line in kube.writes}
    kube.failing = set()
    assert run(kube).details["state"] == "RUNNING"


# Waiting


def test_airflow_does_not_get_healthy() -> None:
    kube = cluster()
    kube.health = {"metadatabase": "healthy", "scheduler": "unhealthy"}
    with pytest.raises(NotReady) as caught:
        run(kube, timeout=0)
    assert str(caught.value).startswith(
        "service etl: not healthy in time: dag_processor, scheduler, triggerer. Look at the logs: "
    )


def test_airflow_does_not_answer() -> None:
    kube = cluster()
    kube.health = None
    with pytest.raises(NotReady, match="not healthy in time"):
        run(kube, timeout=0)


def test_without_wait_nobody_asks_airflow() -> None:
    kube = cluster()
    kube.health = None
    kube.stuck = {"web-server"}
    outcome = run(kube, wait=False)
    assert kube.asked_airflow == []
    assert outcome.details["state"] == "UPDATING"
    assert outcome.details["health"] == "unhealthy"
    assert outcome.details["reasons"] == ["web-server: 0 of 1 pods are of the new revision"]


def test_what_an_earlier_run_left_unready_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = cluster()
    kube.stuck = {"triggerer"}
    run(kube, wait=False)
    kube.forget()
    waited: list[str] = []
    monkeypatch.setattr(rollout, "wait_ready", lambda kube, namespace, refs, **rest: waited.extend(map(str, refs)))
    assert done(run(kube)) == []
    assert waited == ["Deployment/etl-triggerer"]


# Secrets


def test_no_secret_in_what_is_told() -> None:
    kube = cluster()
    password = "SENTINEL-Pass1!"
    created = run(kube, git_sync=PRIVATE, account={"id": "operator", "password": password})
    changed = run(kube, git_sync={"password": "SENTINEL-new"}, account={"password": "SENTINEL-Two22!"})
    gone = remove(kube, purge=True)
    made = [value for name in ("etl-keys", "etl-database") for value in decoded_values(created, name)]
    for outcome in (created, changed, gone):
        told = json.dumps([outcome.details, done(outcome), outcome.timeline, diff(outcome.changes)])
        assert "SENTINEL" not in told
        assert not [value for value in made if value in told]


def decoded_values(outcome: Any, name: str) -> list[str]:
    secret = next(change.desired for change in outcome.changes if str(change.ref) == f"Secret/{name}")
    values = decoded(secret)
    assert values
    return list(values.values())


def test_no_password_in_the_record() -> None:
    kube = cluster()
    run(kube, git_sync=PRIVATE, account={"id": "operator", "password": "SENTINEL-Pass1!"})
    assert recorded(kube) == {
        "git_sync": {"repo": GIT["repo"], "username": "deploy"},
        "account": {"id": "operator"},
    }


def test_keys_are_never_made_anew() -> None:
    kube = cluster_with_service()
    before = kube.find("Secret", "etl-keys", NAMESPACE)["data"]
    run(kube, account={"password": "Another-One1!"}, worker={"cpu": "2"}, domain="other.example.com")
    assert kube.find("Secret", "etl-keys", NAMESPACE)["data"] == before


# Others in the same namespace


def test_others_are_left_alone() -> None:
    kube = cluster_with_service()
    foreign = cluster_object("Secret", "etl-of-somebody", metadata={"namespace": NAMESPACE}, data={"a": "YQ=="})
    kube.put(foreign)
    run(kube, "etl2")
    before = {ref: item for ref, item in kube.state().items() if "etl2" in ref.name or ref.name == "etl-of-somebody"}
    run(kube, description="other")
    remove(kube, purge=True)
    after = kube.state()
    assert {ref: after[ref] for ref in before} == before


def test_fields_of_others_stay() -> None:
    kube = cluster_with_service()
    ingress = kube.find("Ingress", "etl", NAMESPACE)
    ingress["metadata"]["annotations"] = {"cert-manager.io/cluster-issuer": "company"}
    kube.put(ingress)
    run(kube, domain="other.example.com")
    after = kube.find("Ingress", "etl", NAMESPACE)
    assert after["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "company"}
    assert after["spec"]["rules"][0]["host"] == "etl.other.example.com"


def of_the_service(kind: str, name: str, **rest: Any) -> Manifest:
    """An object of the service that this release does not make."""
    labels = service_labels(SERVICE, "etl", "analytics", "older")
    return cluster_object(kind, name, metadata={"namespace": NAMESPACE, "labels": labels}, **rest)


PRUNED: dict[str, tuple[Manifest, bool]] = {
    "a Secret": (of_the_service("Secret", "etl-older"), False),
    "a volume": (of_the_service("PersistentVolumeClaim", "etl-older", spec={}), False),
    "a ConfigMap": (of_the_service("ConfigMap", "etl-older"), True),
    "a credential that was being tried when a run was killed": (of_the_service("Secret", "etl-git-check"), True),
}


@pytest.mark.parametrize(("item", "goes"), PRUNED.values(), ids=PRUNED.keys())
def test_what_is_no_longer_made_goes_but_never_data_and_keys(item: Manifest, goes: bool) -> None:
    kube = cluster_with_service()
    kube.put(item)
    ref = str(ref_of(item))
    assert (f"delete {ref}" in done(run(kube))) == goes
    assert (ref not in kube.refs(NAMESPACE)) == goes


# Removing


KEPT = (
    "PersistentVolumeClaim/etl-database",
    "PersistentVolumeClaim/etl-logs",
    "Secret/etl-account",
    "Secret/etl-database",
    "Secret/etl-git",
    "Secret/etl-keys",
)


def ours(kube: FakeKube) -> list[str]:
    return [ref for ref in kube.refs(NAMESPACE) if "/etl" in ref]


def test_remove_keeps_data_and_keys_and_says_so() -> None:
    kube = cluster_with_service(git_sync=PRIVATE)
    predicted = remove(kube, check_mode=True)
    assert kube.writes == []
    outcome = remove(kube)
    assert done(outcome) == done(predicted)
    assert outcome.kept == predicted.kept == KEPT
    assert outcome.details == {"name": "etl", "state": "DELETED"}
    assert tuple(ours(kube)) == KEPT
    assert done(remove(kube)) == []


def test_created_again_it_finds_its_data_and_keys() -> None:
    kube = cluster_with_service(git_sync=PRIVATE, account={"password": "Given-By-Me1!"})
    before = {
        name: kube.find("Secret", name, NAMESPACE)["data"] for name in ("etl-keys", "etl-database", "etl-account")
    }
    remove(kube)
    outcome = run(kube, git_sync={**GIT, "username": "deploy"})
    assert {name: kube.find("Secret", name, NAMESPACE)["data"] for name in before} == before
    assert not [line for line in done(outcome) if "PersistentVolumeClaim" in line]


def test_purge_leaves_nothing() -> None:
    kube = cluster_with_service(git_sync=PRIVATE)
    outcome = remove(kube, purge=True)
    assert outcome.kept == ()
    assert ours(kube) == []


def test_purge_after_a_removal_that_kept() -> None:
    kube = cluster_with_service()
    remove(kube)
    remove(kube, purge=True)
    assert ours(kube) == []


def test_task_pods_go_too_and_users_go_first() -> None:
    kube = cluster_with_service()
    labels = {
        "app.kubernetes.io/name": "airflow",
        "app.kubernetes.io/instance": "etl",
        "app.kubernetes.io/component": "task",
        "app.kubernetes.io/managed-by": "scp.dataops",
    }
    kube.put(cluster_object("Pod", "hello-task-0123456789", metadata={"namespace": NAMESPACE, "labels": labels}))
    outcome = remove(kube)
    kinds = [line.split()[1].partition("/")[0] for line in kube.writes]
    assert "delete Pod/hello-task-0123456789" in done(outcome)
    assert kinds[0] == "Ingress"
    assert kinds.index("StatefulSet") > kinds.index("Deployment")
    assert kinds.index("ServiceAccount") > max(kinds.index("StatefulSet"), kinds.index("Pod"))
    assert "Pod/hello-task-0123456789" not in kube.refs(NAMESPACE)


def test_stores_are_there_until_nobody_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting returns when all of a group are gone."""
    groups: list[set[str]] = []
    whole = removal.delete_all

    def noted(kube: FakeKube, refs: Sequence[Ref], **rest: Any) -> None:
        groups.append({ref.kind for ref in refs})
        whole(kube, refs, **rest)

    monkeypatch.setattr(removal, "delete_all", noted)
    remove(cluster_with_service())
    assert groups[:3] == [{"Ingress"}, {"Deployment", "Job"}, {"StatefulSet"}]


def test_removing_what_is_not_there() -> None:
    kube = cluster()
    outcome = remove(kube)
    assert done(outcome) == []
    assert outcome.kept == ()
    assert kube.writes == []


def test_names_that_look_like_fingerprints_are_shown_whole() -> None:
    kube = cluster()
    lines = done(run(kube, "etl-0123456789"))
    assert "create Ingress/etl-0123456789" in lines
    assert "create Job/etl-0123456789-migration" in lines
