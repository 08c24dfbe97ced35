# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change finds in the cluster: room on the nodes, quotas, limits, admission; every reason at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.preflight import admission, capacity
from ansible_collections.scp.dataops.plugins.module_utils.airflow.preflight.demand import Demand
from ansible_collections.scp.dataops.plugins.module_utils.errors import Forbidden, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

from ..fake_kube import FakeKube, cluster_object, node
from ..runs import NAMESPACE, cluster, cluster_with_service, done, run

SMALL = {"cpu": "1", "memory": "1Gi"}


def pod(cpu: str = "1", memory: str = "1Gi", **spec: Any) -> Manifest:
    container = {"name": "main", "resources": {"requests": {"cpu": cpu, "memory": memory}}}
    return {"metadata": {"labels": {}}, "spec": {"containers": [container], **spec}}


def demand(component: str = "scheduler", count: int = 1, *, lasts: bool = True, **of_pod: Any) -> Demand:
    return Demand("etl", NAMESPACE, component, count, pod(**of_pod), lasts=lasts)


def running(on: str, cpu: str = "1", **metadata: Any) -> Manifest:
    made = pod(cpu, nodeName=on)
    return {**made, "metadata": {"name": "p", "namespace": "shop", **metadata}}


# Nodes

GPU = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]
        }
    }
}
TAKES: dict[str, tuple[Manifest, dict[str, Any], bool]] = {
    "nothing asked, nothing said": (node("n"), {}, True),
    "labels it has": (node("n", pool="x"), {"nodeSelector": {"pool": "x"}}, True),
    "labels it lacks": (node("n", pool="y"), {"nodeSelector": {"pool": "x"}}, False),
    "taint": (node("n", spec={"taints": [GPU]}), {}, False),
    "taint that only advises": (node("n", spec={"taints": [{**GPU, "effect": "PreferNoSchedule"}]}), {}, True),
    "taint that is tolerated": (
        node("n", spec={"taints": [GPU]}),
        {"tolerations": [{"key": "gpu", "value": "yes"}]},
        True,
    ),
    "taint with another value": (
        node("n", spec={"taints": [GPU]}),
        {"tolerations": [{"key": "gpu", "value": "no"}]},
        False,
    ),
    "whatever there is, is tolerated": (
        node("n", spec={"taints": [GPU]}),
        {"tolerations": [{"operator": "Exists"}]},
        True,
    ),
    "another effect is tolerated": (
        node("n", spec={"taints": [GPU]}),
        {"tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}]},
        False,
    ),
    "cordoned": (node("n", spec={"unschedulable": True}), {}, False),
    "affinity that holds": (node("n", zone="a"), {"affinity": AFFINITY}, True),
    "affinity that does not": (node("n", zone="b"), {"affinity": AFFINITY}, False),
}


@pytest.mark.parametrize(("where", "spec", "expected"), TAKES.values(), ids=TAKES.keys())
def test_which_node_takes_a_pod(where: Manifest, spec: dict[str, Any], expected: bool) -> None:
    assert capacity.takes(where, spec) is expected


def test_what_a_pod_reserves() -> None:
    spec = {
        "containers": [{"resources": {"requests": {"cpu": "500m"}}}, {"resources": {"limits": {"cpu": "1"}}}, {}],
        "initContainers": [
            {"resources": {"requests": {"cpu": "3"}}},
            {"restartPolicy": "Always", "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}}},
        ],
        "overhead": {"memory": "1Gi"},
    }
    assert capacity.asked(spec) == capacity.Room(Decimal(3), Decimal(2 * 2**30))


ROOM: dict[str, tuple[list[Manifest], list[Manifest], list[Demand], list[str]]] = {
    "all fit": (
        [node("n", cpu="4", memory="8Gi")],
        [running("n")],
        [demand(), demand("worker", lasts=False)],
        ["ok capacity: free are n: 3 cores and 7 GiB of 4 cores and 8 GiB"],
    ),
    "no node is large enough": (
        [node("n", cpu="2", memory="8Gi"), node("m", cpu="4", memory="8Gi")],
        [],
        [demand(cpu="1000")],
        [
            "refused scheduler.cpu: each pod of scheduler reserves 1000 cores and 1 GiB, more than any node has that "
            "takes it (allowed: at most 4 cores and 8 GiB, less what other pods have). "
            "Ask for less, or add a larger node."
        ],
    ),
    "memory is what lacks": (
        [node("n", cpu="2", memory="1Gi")],
        [],
        [demand("web-server", memory="2Gi")],
        [
            "refused web_server.memory: each pod of web-server reserves 1 cores and 2 GiB, more than any node has that "
            "takes it (allowed: at most 2 cores and 1 GiB, less what other pods have). "
            "Ask for less, or add a larger node."
        ],
    ),
    "others have the room": (
        [node("n", cpu="4", memory="8Gi")],
        [running("n", "3")],
        [demand(count=2)],
        [
            "refused scheduler: there is no room now for 1 of scheduler; free are n: 1 cores and 7 GiB of 4 "
            "cores and 8 GiB. Ask for less, or add a node or free one; "
            "where nodes come on demand, set preflight: false."
        ],
    ),
    "a pod on its way out leaves its room": (
        [node("n", cpu="4", memory="8Gi")],
        [running("n", "3", deletionTimestamp="now")],
        [demand(count=2)],
        ["ok capacity: free are n: 4 cores and 8 GiB of 4 cores and 8 GiB"],
    ),
    "no task beside it": (
        [node("n", cpu="1", memory="8Gi")],
        [],
        [demand(), demand("task", lasts=False)],
        [
            "ok capacity: free are n: 1 cores and 8 GiB of 1 cores and 8 GiB",
            "warning task_pod: beside the service there is no room for one task's pod; "
            "left are n: 0 cores and 7 GiB of 1 cores and 8 GiB. "
            "Tasks will wait until there is: ask for less, or add a node.",
        ],
    ),
    "no node takes them": (
        [node("n", spec={"unschedulable": True})],
        [],
        [demand()],
        [
            "refused node_selector: none of the 1 nodes takes pods of scheduler: each lacks a label or has a taint "
            "that they do not tolerate. Compare node_selector, tolerations and affinity with 'kubectl describe nodes'."
        ],
    ),
}


@pytest.mark.parametrize(("nodes", "pods", "demands", "expected"), ROOM.values(), ids=ROOM.keys())
def test_room(nodes: list[Manifest], pods: list[Manifest], demands: list[Demand], expected: list[str]) -> None:
    found = list(capacity.look(nodes, pods, demands))
    assert [
        f"{item.status} {item if item.status != 'ok' else f'{item.check}: {item.found}'}" for item in found
    ] == expected


# Quotas, limits, admission


def quota(hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> Manifest:
    return cluster_object(
        "ResourceQuota",
        "small",
        metadata={"namespace": NAMESPACE},
        spec={"hard": hard, **spec},
        status={"used": used or {}},
    )


QUOTAS: dict[str, tuple[Manifest, list[str]]] = {
    "room": (quota({"cpu": "4"}, {"cpu": "1"}), ["ok"]),
    "what it does not count": (quota({"configmaps": "0"}), ["ok"]),
    "for some pods only": (quota({"cpu": "1"}, scopes=["BestEffort"]), []),
    "too little": (
        quota({"requests.cpu": "4", "pods": "9"}, {"requests.cpu": "2500m"}),
        ["refused requests.cpu: 2 cores more are needed, 1.5 cores of 4 cores are left"],
    ),
    "too few pods": (quota({"pods": "1"}), ["refused pods: 2 more are needed, 1 of 1 are left"]),
}


@pytest.mark.parametrize(("item", "expected"), QUOTAS.values(), ids=QUOTAS.keys())
def test_quotas(item: Manifest, expected: list[str]) -> None:
    found = list(admission.quotas([item], [], [demand(count=2), demand("task", lasts=False)], []))
    assert [line.status for line in found] == [text.split()[0] for text in expected]
    assert all(text.partition(" ")[2] in line.found for line, text in zip(found, expected, strict=True))


def test_pods_that_are_replaced_give_their_quota_back() -> None:
    mine = {"app.kubernetes.io/instance": "etl", "app.kubernetes.io/component": "scheduler"}
    old = running("n", namespace=NAMESPACE, labels=mine)
    new = Demand("etl", NAMESPACE, "scheduler", 1, pod("2"), replaces=True)
    full = quota({"cpu": "2"}, {"cpu": "1"})
    assert [item.status for item in admission.quotas([full], [old], [new], [])] == ["ok"]


def limits(**rule: Any) -> Manifest:
    spec = {"limits": [{"type": "Container", **rule}]}
    return cluster_object("LimitRange", "usual", metadata={"namespace": NAMESPACE}, spec=spec)


def test_a_default_limit_of_cpu_is_a_warning() -> None:
    (found,) = admission.limit_ranges([limits(default={"cpu": "200m"})], [demand()])
    assert found.status == "warning" and "without a CPU limit to 200m cores" in found.found
    assert list(admission.limit_ranges([limits(default={"memory": "1Gi"})], [demand()])) == []


SAID: dict[str, tuple[str, str]] = {
    "quota": (
        'pods "x" is forbidden: exceeded quota: small, requested: cpu=1, used: cpu=0, limited: cpu=500m',
        "resource quota",
    ),
    "quota wants sizes": (
        'pods "x" is forbidden: failed quota: small: must specify limits.cpu for: main',
        "resource quota",
    ),
    "level": ('pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', "pod security"),
    "range": ('pods "x" is forbidden: maximum cpu usage per Container is 100m, but request is 1', "limit range"),
    "webhook": ('admission webhook "policy.example.com" denied the request: no', "admission webhook"),
    "class": ('pods "x" is forbidden: no PriorityClass with name gold was found', "priority class"),
}


@pytest.mark.parametrize(("message", "check"), SAID.values(), ids=SAID.keys())
def test_a_pod_that_the_namespace_does_not_take(message: str, check: str) -> None:
    class Strict(FakeKube):
        def apply(self, manifest: Manifest, *, dry_run: bool = False, force: bool = False) -> Manifest:
            raise Forbidden(message, where="Pod", next_step="Change it", status=403)

    (found,) = admission.admitted(Strict(), [demand(), demand("triggerer")])
    assert (found.check, found.status) == (check, "refused")
    assert found.found.endswith(", says the API server of pods of scheduler, triggerer")
    assert '"x"' not in found.found


def test_a_pod_is_offered_with_an_account_that_is_there() -> None:
    offered = admission.probe(demand(serviceAccountName="etl"))
    assert offered["metadata"]["name"] == "etl-scheduler-preflight"
    assert "serviceAccountName" not in offered["spec"]


# A run


def test_all_reasons_in_one_sentence() -> None:
    kube = cluster()
    kube.put(quota({"pods": "3"}))
    with pytest.raises(Refused) as caught:
        run(kube, storage_class="gold", scheduler={"cpu": "1000"}, node_selector={"pool": "dataops"})
    said = str(caught.value)
    assert said.startswith("3 things stand in the way:")
    for part in (
        "storage_class: storage class 'gold'",
        "scheduler.cpu: each pod",
        "pods: 5 more are needed, 3 of 3 are left",
    ):
        assert part in said
    assert kube.writes == []


def test_without_preflight_nothing_is_looked_at() -> None:
    kube = cluster()
    assert run(kube, storage_class="gold", scheduler={"cpu": "1000"}, preflight=False).details["state"] == "RUNNING"


ASKED: dict[str, tuple[dict[str, Any], int]] = {
    "nothing changes": ({}, 0),
    "description": ({"description": "x"}, 2),
    "one component": ({"scheduler": {"cpu": "2"}}, 6),
}


@pytest.mark.parametrize(("options", "reads"), ASKED.values(), ids=ASKED.keys())
def test_only_what_a_change_touches_is_read(options: dict[str, Any], reads: int) -> None:
    looked, blind = cluster_with_service(), cluster_with_service()
    run(looked, check_mode=True, **options)
    run(blind, check_mode=True, preflight=False, **options)
    assert looked.reads - blind.reads == reads


def test_a_larger_size_counts_without_the_pods_it_replaces() -> None:
    kube = cluster_with_service()
    mine = {"app.kubernetes.io/instance": "etl", "app.kubernetes.io/component": "scheduler"}
    for number in ("one", "two"):
        kube.put({**running(number, "16", namespace=NAMESPACE, labels=mine), "kind": "Pod", "apiVersion": "v1"})
    assert "update Deployment/etl-scheduler" in done(run(kube, check_mode=True, scheduler={"cpu": "12"}))
