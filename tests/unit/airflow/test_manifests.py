# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for everything a service writes: security, names, labels, where secrets are and where they are not."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import manifests, tailoring
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.common import owner
from ansible_collections.scp.dataops.plugins.module_utils.kube.kinds import KINDS
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, ref_of

from .builders import (
    FULL,
    GIT,
    LONGEST_NAME,
    SECRETS,
    every_manifest,
    full,
    named,
    pods,
    rendered,
    service,
    task_template,
    uploading,
)

SPECS = {
    "smallest": service(),
    "public repository": service(git_sync=GIT),
    "every option": full(),
    "longest name": full(LONGEST_NAME),
    "uploaded files": uploading(full()),
}
ALIASES = [{"ip": "10.0.0.5", "hostnames": ["warehouse.internal"]}]
CALLERS = {"Deployment/etl-scheduler", "Deployment/etl-web-server"}


def each_spec(test: Any) -> Any:
    return pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())(test)


def offences(pod: Manifest) -> list[str]:
    """What the "restricted" Pod Security Standard forbids and this pod does, as far as it can concern us."""
    found = [f"{field} is set" for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    allowed = {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected"}
    volumes = pod.get("volumes", [])
    found += [f"volume {volume['name']} is of a forbidden kind" for volume in volumes if not volume.keys() & allowed]
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        found += [f"{container['name']} {what}" for what in container_offences(pod, container)]
    return found


def container_offences(pod: Manifest, container: Manifest) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = {**pod.get("securityContext", {}), **own}
    if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
        yield "may run as root"
    if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "has no seccomp profile"
    if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
        yield "may gain privileges"
    if own.get("capabilities") != {"drop": ["ALL"]}:
        yield "keeps capabilities"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "takes a port of the node"


@each_spec
def test_every_pod_passes_the_restricted_standard(spec: ServiceSpec) -> None:
    assert {name: offences(pod) for name, pod in pods(every_manifest(spec)) if offences(pod)} == {}


NOT_RESTRICTED: dict[str, tuple[dict[str, Any], str]] = {
    "root": ({"securityContext": {"runAsUser": 0}}, "main may run as root"),
    "no seccomp": ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "main has no seccomp profile"),
    "host's network": ({"hostNetwork": True}, "hostNetwork is set"),
    "host's disk": ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "volume v is of a forbidden kind"),
}


@pytest.mark.parametrize(("fields", "offence"), NOT_RESTRICTED.values(), ids=NOT_RESTRICTED.keys())
def test_the_check_itself_finds(fields: dict[str, Any], offence: str) -> None:
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    container = {
        "name": "main",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    good = {"securityContext": security, "containers": [container]}
    assert offences(good) == []
    bad = {**good, **fields, "securityContext": {**security, **fields.get("securityContext", {})}}
    assert offences(bad) == [offence]


@each_spec
def test_every_container_says_what_it_needs(spec: ServiceSpec) -> None:
    for name, pod in pods(every_manifest(spec)):
        for container in pod["containers"]:
            resources = container["resources"]
            assert resources["requests"].keys() == {"cpu", "memory"}, name
            assert "memory" in resources["limits"], name


def test_memory_and_cpu_of_each_component_are_those_asked_for() -> None:
    found = {name: pod["containers"][0]["resources"] for name, pod in pods(every_manifest(full()))}
    for option, pod in (
        ("scheduler", "Deployment/etl-scheduler"),
        ("dag_processor", "Deployment/etl-dag-processor"),
        ("triggerer", "Deployment/etl-triggerer"),
    ):
        asked = {key: FULL[option][key] for key in ("cpu", "memory")}
        assert found[pod] == {"requests": asked, "limits": {"memory": asked["memory"]}}, option
    assert found["Deployment/etl-web-server"] == {
        "requests": {"cpu": "1", "memory": "3Gi"},
        "limits": {"cpu": "2", "memory": "4Gi"},
    }
    # A task is as large as a worker where nothing else is said.
    assert found["Pod/etl-task"] == {"requests": {"cpu": "2", "memory": "5Gi"}, "limits": {"memory": "5Gi"}}


def test_every_pod_runs_where_it_may() -> None:
    found = dict(pods(every_manifest(full())))
    assert {name for name, pod in found.items() if pod.get("nodeSelector") != {"pool": "dataops"}} == set()
    assert {name for name, pod in pods(every_manifest(service())) if "nodeSelector" in pod} == set()


def test_every_pod_that_connects_to_others_has_the_host_aliases() -> None:
    found = dict(pods(every_manifest(full())))
    served = {"StatefulSet/etl-database", "StatefulSet/etl-broker", "Deployment/etl-metrics"}
    assert {name for name, pod in found.items() if pod.get("hostAliases") != ALIASES} == served
    assert {name for name, pod in pods(every_manifest(service())) if "hostAliases" in pod} == set()


def test_the_list_of_pods_is_the_whole_one() -> None:
    kinds = sorted(
        name.rpartition("-")[0] if "Job/" in name and "check" not in name else name
        for name, _pod in pods(every_manifest(full()))
    )
    assert kinds == [
        "Deployment/etl-dag-processor",
        "Deployment/etl-flower",
        "Deployment/etl-metrics",
        "Deployment/etl-scheduler",
        "Deployment/etl-triggerer",
        "Deployment/etl-web-server",
        "Deployment/etl-worker",
        "Job/etl-account",
        "Job/etl-git-check",
        "Job/etl-migration",
        "Pod/etl-task",
        "StatefulSet/etl-broker",
        "StatefulSet/etl-database",
    ]


@each_spec
def test_only_scheduler_and_web_server_hold_a_kubernetes_token(spec: ServiceSpec) -> None:
    callers = {f"Deployment/{spec.name}-scheduler", f"Deployment/{spec.name}-web-server"}
    found = every_manifest(spec)
    assert {name for name, pod in pods(found) if pod.get("automountServiceAccountToken") is not False} == callers
    accounts = [item for item in found if item["kind"] == "ServiceAccount"]
    assert accounts
    assert all(item["automountServiceAccountToken"] is False for item in accounts)


def test_rights_belong_to_accounts_of_their_own() -> None:
    found = every_manifest(full())
    accounts = {name: pod.get("serviceAccountName") for name, pod in pods(found)}
    assert accounts["Deployment/etl-scheduler"] == "etl-scheduler"
    assert accounts["Deployment/etl-web-server"] == "etl-web-server"
    assert accounts["Pod/etl-task"] == "etl-task"
    bound = {s["name"] for item in found if item["kind"] == "RoleBinding" for s in item["subjects"]}
    assert bound == {"etl-scheduler", "etl-web-server"}
    made = {item["metadata"]["name"] for item in found if item["kind"] == "ServiceAccount"}
    assert {name for name in accounts.values() if name} == made


def test_no_role_is_wider_than_pods_of_its_namespace() -> None:
    roles = [item for item in every_manifest(full()) if item["kind"] == "Role"]
    for rule in (rule for role in roles for rule in role["rules"]):
        assert rule["apiGroups"] == [""]
        assert set(rule["resources"]) <= {"pods", "pods/log"}
        assert "*" not in rule["verbs"]


def variables(pod: Manifest) -> dict[str, str]:
    """Secret keys by environment variable."""
    return {
        variable["name"]: f"{reference['name']}/{reference['key']}"
        for container in pod["containers"]
        for variable in container.get("env", [])
        if (reference := variable.get("valueFrom", {}).get("secretKeyRef"))
    }


@each_spec
def test_the_key_that_signs_tokens_is_where_tokens_are_signed(spec: ServiceSpec) -> None:
    key = f"{spec.name}-keys/jwt-secret"
    holders = {name for name, pod in pods(every_manifest(spec)) if key in variables(pod).values()}
    assert holders == {f"Deployment/{spec.name}-scheduler", f"Deployment/{spec.name}-web-server"}


@each_spec
def test_a_task_holds_no_key_and_no_database_address(spec: ServiceSpec) -> None:
    pod = task_template(rendered(spec).all)["spec"]
    asked = {f"{item.secret}/{item.key}" for item in tailoring.secret_keys(spec)}
    assert set(variables(pod).values()) == asked
    secrets = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
    assert secrets == [f"{spec.name}-git"]


@each_spec
def test_the_git_credential_is_where_git_runs(spec: ServiceSpec) -> None:
    holders = {
        name
        for name, pod in pods(every_manifest(spec))
        if any("git" in volume.get("secret", {}).get("secretName", "") for volume in pod["volumes"])
    }
    expected = {f"Deployment/{spec.name}-dag-processor", f"Pod/{spec.name}-task"}
    expected |= {f"Deployment/{spec.name}-worker"} if spec.uses_celery else set()
    assert holders == expected | ({f"Job/{spec.name}-git-check"} if spec.git_sync else set())


def volume_source(volume: Manifest) -> str:
    """What a volume needs to be there, "" when nothing."""
    if "secret" in volume and not volume["secret"].get("optional"):
        return f"Secret/{volume['secret']['secretName']}"
    if "configMap" in volume:
        return f"ConfigMap/{volume['configMap']['name']}"
    claim = volume.get("persistentVolumeClaim", {}).get("claimName")
    return f"PersistentVolumeClaim/{claim}" if claim else ""


@each_spec
def test_every_volume_is_there(spec: ServiceSpec) -> None:
    found = every_manifest(spec)
    # The volume of uploaded files is the Manager's.
    there = {"", f"PersistentVolumeClaim/{owner.FILES}", *(str(ref_of(item)) for item in found)}
    for name, pod in pods(found):
        needed = {volume_source(volume) for volume in pod.get("volumes", [])}
        assert needed <= there, name
        for container in pod["containers"]:
            mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
            assert mounts <= {volume["name"] for volume in pod.get("volumes", [])}, name


@each_spec
def test_every_key_is_there(spec: ServiceSpec) -> None:
    """Keys of Secrets and ConfigMaps that containers mount or read, unless marked as optional."""
    found = every_manifest(spec)
    keys = {item["metadata"]["name"]: set(item["data"]) for item in found if item["kind"] in ("Secret", "ConfigMap")}
    for item in tailoring.secret_keys(spec):
        keys.setdefault(item.secret, set()).add(item.key)
    if spec.python_index:
        keys[spec.python_index.secret] = {"username", "password"}
    for name, pod in pods(found):
        files = {volume["name"]: volume.get("configMap", {}).get("name") for volume in pod.get("volumes", [])}
        for container in pod["containers"]:
            for mount in container.get("volumeMounts", []):
                if "subPath" in mount and mount["name"] != "files":
                    assert mount["subPath"] in keys[files[mount["name"]]], name
            for variable in container.get("env", []):
                for reference in variable.get("valueFrom", {}).values():
                    assert reference.get("optional") or reference["key"] in keys[reference["name"]], name


@each_spec
def test_no_secret_outside_of_secrets(spec: ServiceSpec) -> None:
    options = {"domain": spec.domain, "account": {"id": "operator"}}
    found = [*rendered(spec, options=options).all, *every_manifest(spec)]
    for item in found:
        open_part = {key: value for key, value in item.items() if not (item["kind"] == "Secret" and key == "data")}
        text = json.dumps(open_part)
        assert "SENTINEL" not in text, ref_of(item)
        assert base64.b64encode(b"SENTINEL").decode()[:8] not in text, ref_of(item)


def test_secrets_hold_what_they_are_given() -> None:
    secret = named(rendered(full()).all, "Secret", "etl-account")
    values = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert values == SECRETS.account


@each_spec
def test_names_begin_with_the_service_and_fit(spec: ServiceSpec) -> None:
    found = [*every_manifest(spec), task_template(rendered(spec).all)]
    for item in found:
        name = item["metadata"]["name"]
        assert name == spec.name or name.startswith(f"{spec.name}-"), name
        assert len(name) <= 63, name
        for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            assert len(container["name"]) <= 63


@each_spec
def test_no_two_objects_have_one_name(spec: ServiceSpec) -> None:
    refs = [ref_of(item) for item in every_manifest(spec)]
    assert len(refs) == len(set(refs))


@each_spec
def test_labels_are_everywhere(spec: ServiceSpec) -> None:
    expected = {
        "app.kubernetes.io/name": "airflow",
        "app.kubernetes.io/instance": spec.name,
        "app.kubernetes.io/part-of": "analytics",
        "app.kubernetes.io/managed-by": "scp.dataops",
    }
    found = every_manifest(spec)
    templates = [item["spec"]["template"] for item in found if "template" in item.get("spec", {})]
    for item in [*found, *templates, task_template(found)]:
        labels = item["metadata"]["labels"]
        assert labels.items() >= expected.items(), item
        assert labels["app.kubernetes.io/component"], item
        assert all(len(value) <= 63 for value in labels.values()), item


@each_spec
def test_everything_is_in_the_namespace_and_of_a_known_kind(spec: ServiceSpec) -> None:
    for item in every_manifest(spec):
        assert item["metadata"]["namespace"] == "data"
        assert item["apiVersion"] == KINDS[item["kind"]].api_version
        assert item["kind"] in manifests.KINDS


@each_spec
def test_selectors_find_their_own_pods_only(spec: ServiceSpec) -> None:
    found = every_manifest(spec)
    labels = {name: item["spec"]["template"]["metadata"]["labels"] for item in found
              if "template" in item.get("spec", {}) for name in [str(ref_of(item))]}  # fmt: skip
    labels["Pod/task"] = task_template(found)["metadata"]["labels"]
    for item in found:
        if item["kind"] in ("Deployment", "StatefulSet"):
            wanted = item["spec"]["selector"]["matchLabels"]
            hits = [name for name, marks in labels.items() if marks.items() >= wanted.items()]
            assert hits == [str(ref_of(item))]
        if item["kind"] == "Service":
            hits = [name for name, marks in labels.items() if marks.items() >= item["spec"]["selector"].items()]
            assert [name.partition("/")[2] for name in hits] == [item["metadata"]["name"]]


@each_spec
def test_rendering_is_pure(spec: ServiceSpec) -> None:
    options = {"domain": "example.com", "tags": {"a": "b"}}
    inputs = copy.deepcopy((dataclasses.asdict(spec), vars(SECRETS), options))
    first = manifests.render(spec, SECRETS, options)
    kept = copy.deepcopy(first.all)
    for item in first.all:
        item["metadata"]["labels"]["changed"] = "by somebody"
        item.setdefault("spec", {})["changed"] = "by somebody"
    assert manifests.render(spec, SECRETS, options).all == kept
    assert (dataclasses.asdict(spec), vars(SECRETS), options) == inputs


@each_spec
def test_no_none_is_sent(spec: ServiceSpec) -> None:
    def empties(value: Any, at: str) -> Iterator[str]:
        if value is None:
            yield at
        for key, item in (
            value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else [])
        ):
            yield from empties(item, f"{at}.{key}")

    assert [at for item in every_manifest(spec) for at in empties(item, str(ref_of(item)))] == []


def test_order() -> None:
    stages = rendered(full())
    assert [str(ref_of(item)) for item in stages.foundation] == [
        "ConfigMap/etl-record",
        "ServiceAccount/etl",
        "ServiceAccount/etl-task",
        "ServiceAccount/etl-web-server",
        "ServiceAccount/etl-scheduler",
        "Role/etl-web-server",
        "Role/etl-scheduler",
        "RoleBinding/etl-web-server",
        "RoleBinding/etl-scheduler",
        "Secret/etl-keys",
        "Secret/etl-database",
        "Secret/etl-account",
        "Secret/etl-broker",
        "Secret/etl-git",
        "ConfigMap/etl-config",
        "ConfigMap/etl-git",
        "PersistentVolumeClaim/etl-logs",
        "Service/etl-web-server",
        "PersistentVolumeClaim/etl-database",
        "Service/etl-database",
        "StatefulSet/etl-database",
        "PersistentVolumeClaim/etl-broker",
        "Service/etl-broker",
        "StatefulSet/etl-broker",
        "Service/etl-flower",
        "ConfigMap/etl-metrics",
        "Service/etl-metrics",
    ]
    jobs = [*stages.migration, *stages.account]
    assert [str(ref_of(item)).rpartition("-")[0] for item in jobs] == ["Job/etl-migration", "Job/etl-account"]
    assert [str(ref_of(item)) for item in stages.components] == [
        "Deployment/etl-web-server",
        "Deployment/etl-scheduler",
        "Deployment/etl-dag-processor",
        "Deployment/etl-triggerer",
        "Deployment/etl-worker",
        "Deployment/etl-flower",
        "PodDisruptionBudget/etl-web-server",
        "PodDisruptionBudget/etl-scheduler",
        "PodDisruptionBudget/etl-worker",
        "Deployment/etl-metrics",
        "Ingress/etl",
    ]
    assert stages.files == []
    assert stages.all == [*stages.foundation, *stages.migration, *stages.account, *stages.components]


def test_without_a_class_of_its_own_the_cluster_chooses() -> None:
    found = rendered(service()).all
    assert "ingressClassName" not in named(found, "Ingress", "etl")["spec"]
    assert "storageClassName" not in named(found, "PersistentVolumeClaim", "etl-logs")["spec"]
    chosen = rendered(full()).all
    assert named(chosen, "Ingress", "etl")["spec"]["ingressClassName"] == "contour"
    assert named(chosen, "PersistentVolumeClaim", "etl-logs")["spec"]["storageClassName"] == "nfs"


OF_OTHERS = ("apache/airflow:3.3.2", "postgres:15", "redis:7", "prom/statsd-exporter:v0.31.0")
IMAGES = {
    "public": (service(), {"apache/airflow:3.3.2", "postgres:15"}),
    "from the registry": (
        full(image=""),
        {f"registry.example.com/mirror/{name}" for name in OF_OTHERS},
    ),
}


@pytest.mark.parametrize(("spec", "images"), IMAGES.values(), ids=IMAGES.keys())
def test_images(spec: ServiceSpec, images: set[str]) -> None:
    assert {c["image"] for _name, pod in pods(every_manifest(spec)) for c in pod["containers"]} == images


def test_the_address() -> None:
    ingress = named(rendered(full()).all, "Ingress", "etl")
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "etl.dataops.example.com"
    backend = rule["http"]["paths"][0]["backend"]["service"]
    service_ = named(rendered(full()).all, "Service", backend["name"])
    assert backend["port"]["number"] == service_["spec"]["ports"][0]["port"]


def job_names(spec: ServiceSpec, account: dict[str, str] | None = None) -> list[str]:
    secrets = dataclasses.replace(SECRETS, account=account or SECRETS.account)
    return [ref_of(item).name for item in rendered(spec, secrets).all if item["kind"] == "Job"]


RUN_AGAIN: dict[str, tuple[ServiceSpec, dict[str, str] | None, set[str]]] = {
    "nothing": (full(), None, set()),
    "description": (full(description="other"), None, set()),
    "scheduler size": (full(scheduler={"cpu": "4"}), None, set()),
    "another image": (full(image="own:2"), None, {"migration"}),
    "account id": (full(), {**SECRETS.account, "id": "other1"}, {"account"}),
    "account password": (full(), {**SECRETS.account, "password": "Other-One1!"}, {"account"}),
}


@pytest.mark.parametrize(("spec", "account", "again"), RUN_AGAIN.values(), ids=RUN_AGAIN.keys())
def test_jobs_run_again_when_what_they_do_changed(
    spec: ServiceSpec, account: dict[str, str] | None, again: set[str]
) -> None:
    new = set(job_names(spec, account)) - set(job_names(full()))
    assert {name.split("-")[1] for name in new} == again


def test_budgets_only_where_there_is_more_than_one_pod() -> None:
    assert not [item for item in rendered(service()).all if item["kind"] == "PodDisruptionBudget"]
    assert ref_of(named(rendered(full()).all, "PodDisruptionBudget", "etl-scheduler")) == Ref(
        "PodDisruptionBudget", "etl-scheduler", "data"
    )
