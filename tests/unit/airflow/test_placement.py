# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where pods run and what they reach: every pod and every container has it, and what cannot be is refused."""

from __future__ import annotations

import itertools
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import authorities, image_check, images, placement
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import EXECUTORS, ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref

from .builders import AFFINITY, AUTHORITY, FULL, every_manifest, full, pods, rendered, service

STORES = ("StatefulSet/etl-database", "StatefulSet/etl-broker")
SCHEDULING = {
    "nodeSelector": {"pool": "dataops"},
    "tolerations": [{"key": "dataops", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": AFFINITY,
    "priorityClassName": "dataops",
    "imagePullSecrets": [{"name": "registry"}],
}
TRUST = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_CONFIG_SYSTEM", "CURL_CA_BUNDLE"}
PROXY = {"HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"}


def combination(executor: str, version: str, git: bool) -> ServiceSpec:
    without = {"flower": {}, "worker": {}} if "Celery" not in executor else {}
    return full(executor=executor, version=version, git_sync=FULL["git_sync"] if git else {}, **without)


COMBINATIONS = {
    f"{version} {executor}{' git' if git else ''}": (executor, version, git)
    for executor, version, git in itertools.product(EXECUTORS, PROFILES, (True, False))
}
each_combination = pytest.mark.parametrize(
    ("executor", "version", "git"), COMBINATIONS.values(), ids=COMBINATIONS.keys()
)


def found_pods(executor: str, version: str, git: bool) -> dict[str, Manifest]:
    spec = combination(executor, version, git)
    return dict(pods([*every_manifest(spec), image_check.check_job(spec)]))


def containers(pod: Manifest) -> list[Manifest]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@each_combination
def test_every_pod_is_placed(executor: str, version: str, git: bool) -> None:
    for name, pod in found_pods(executor, version, git).items():
        assert {field: pod.get(field) for field in SCHEDULING} == SCHEDULING, name


@each_combination
def test_every_container_of_airflow_and_git_is_connected(executor: str, version: str, git: bool) -> None:
    for name, pod in found_pods(executor, version, git).items():
        if name in {*STORES, "Deployment/etl-metrics"}:
            continue
        assert pod["hostAliases"] == [{"ip": "10.0.0.5", "hostnames": ["warehouse.internal"]}], name
        first, *others = containers(pod)
        assert first["name"] == "authorities", name
        assert first["image"] == "registry.example.com/own/airflow:3.3.2-own", name
        assert authorities.VOLUME in pod["volumes"], name
        for container in others:
            assert {item["name"] for item in container["env"]} >= TRUST | PROXY, f"{name} {container['name']}"
            assert authorities.MOUNT in container["volumeMounts"], f"{name} {container['name']}"


@each_combination
def test_stores_connect_to_nobody(executor: str, version: str, git: bool) -> None:
    found = found_pods(executor, version, git)
    for name in {*STORES} & found.keys():
        variables = {item["name"] for container in containers(found[name]) for item in container.get("env", [])}
        assert not variables & (TRUST | PROXY), name
        assert "hostAliases" not in found[name] and "initContainers" not in found[name], name


def test_nothing_of_it_is_there_unasked() -> None:
    for name, pod in pods(every_manifest(service())):
        assert not {*SCHEDULING, "hostAliases"} & pod.keys(), name
        # The folder of shared files is made by the first pod of a service.
        assert {item["name"] for item in pod.get("initContainers", [])} <= {"shared-folder"}, name
        variables = {item["name"] for container in containers(pod) for item in container.get("env", [])}
        assert not variables & (TRUST | PROXY), name


def test_pods_of_a_component_are_spread() -> None:
    for name, pod in pods(every_manifest(service())):
        wanted = name.startswith("Deployment/")
        assert ("topologySpreadConstraints" in pod) is wanted, name
        if wanted:
            (rule,) = pod["topologySpreadConstraints"]
            assert rule["whenUnsatisfiable"] == "ScheduleAnyway"
            assert rule["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == name.removeprefix(
                "Deployment/etl-"
            )
    assert not any("topologySpreadConstraints" in pod for _name, pod in pods(every_manifest(full())))


def test_a_container_keeps_its_own_variable() -> None:
    container = {"name": "main", "env": [{"name": "HTTP_PROXY", "value": "own"}]}
    equipped = placement.equipped(container, {"HTTP_PROXY": "ours", "http_proxy": "ours"}, [])
    assert equipped["env"] == [{"name": "HTTP_PROXY", "value": "own"}, {"name": "http_proxy", "value": "ours"}]


def test_proxy_variables() -> None:
    besides = [".corp", "10.1.0.0/16", "git"]
    asked = placement.proxy({"https": "http://proxy:3128/", "no_proxy": besides}, "egress_proxy")
    found = placement.proxy_variables(asked, "etl")
    assert found.keys() == {"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"}
    assert found["https_proxy"] == "http://proxy:3128"
    direct = found["no_proxy"].split(",")
    assert {"localhost", ".svc", ".cluster.local", "$(KUBERNETES_SERVICE_HOST)", "10.0.0.0/8"} <= set(direct)
    assert {"etl-web-server", "etl-database", "etl-broker", "etl-flower"} <= set(direct)
    assert direct[-3:] == besides


SHAPES = {
    "as it is": AUTHORITY,
    "two": AUTHORITY * 2,
    "line ends of Windows": AUTHORITY.replace("\n", "\r\n"),
    "no line end": AUTHORITY.strip(),
    "folded by YAML into one line": AUTHORITY.replace("\n", " "),
    "with a comment": f"Example Authority\n=====\n{AUTHORITY}",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_authorities_in_one_form(text: str) -> None:
    assert authorities.from_text(text, "ca_certificates") == AUTHORITY * text.count("BEGIN")


def test_an_authority_that_has_expired_is_named() -> None:
    later, now = datetime(2200, 1, 1, tzinfo=timezone.utc), datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert authorities.expired(AUTHORITY, now) == []
    assert authorities.expired("", later) == []
    (line,) = authorities.expired(AUTHORITY, later)
    assert line.startswith("ca_certificates: the authority commonName=Example Authority has expired on ")


OPERATOR = "Use In, NotIn, Exists, DoesNotExist"
PEM_RULE = (
    "this is not a certificate in PEM form. Use text that begins with -----BEGIN CERTIFICATE----- and ends with "
    "-----END CERTIFICATE-----."
)
KEY = "-----BEGIN PRIVATE KEY-----\nSENTINEL\n-----END PRIVATE KEY-----\n"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "toleration with an unknown key": (
        {"tolerations": [{"kye": "x"}]},
        "tolerations[0].kye: no such option. Use key.",
    ),
    "toleration of an unknown effect": (
        {"tolerations": [{"key": "x", "effect": "NoRun"}]},
        "tolerations[0].effect: 'NoRun' is not an effect of a taint. Use NoSchedule, PreferNoSchedule, NoExecute.",
    ),
    "toleration without a key": (
        {"tolerations": [{"value": "x"}]},
        "tolerations[0].key: it is not set. Name the taint's key, or use operator Exists for every taint.",
    ),
    "toleration of any value with a value": (
        {"tolerations": [{"key": "x", "operator": "Exists", "value": "y"}]},
        "tolerations[0].value: Exists takes no value. Leave it out, or use operator Equal.",
    ),
    "toleration with an unknown operator": (
        {"tolerations": [{"key": "x", "operator": "In"}]},
        "tolerations[0].operator: 'In' is not an operator. Use Equal or Exists.",
    ),
    "seconds without an eviction": (
        {"tolerations": [{"key": "x", "effect": "NoSchedule", "tolerationSeconds": 5}]},
        "tolerations[0].tolerationSeconds: only pods that would be evicted can be so for a time. "
        "Leave it out, or use effect NoExecute.",
    ),
    "unknown affinity": (
        {"affinity": {"nodeAfinity": {}}},
        "affinity.nodeAfinity: no such option. Use nodeAffinity.",
    ),
    "affinity without keys": (
        {"affinity": {"podAffinity": ["x"]}},
        "affinity.podAffinity: it has no keys. Use the form of a Pod's spec.affinity.",
    ),
    "affinity of an unknown strength": (
        {"affinity": {"podAffinity": {"required": []}}},
        "affinity.podAffinity.required: no such option. Use requiredDuringSchedulingIgnoredDuringExecution, "
        "preferredDuringSchedulingIgnoredDuringExecution.",
    ),
    "operator that pods do not have": (
        {"affinity": {"podAffinity": {placement.REQUIRED: [{"labelSelector": {"matchExpressions": [
            {"key": "x", "operator": "Gt"}]}}]}}},
        f"affinity.podAffinity.{placement.REQUIRED}[0].labelSelector.matchExpressions[0].operator: "
        f"'Gt' is not an operator. {OPERATOR}.",
    ),
    "priority class": (
        {"priority_class": "High!"},
        "priority_class: 'High!' is not a name in Kubernetes. Use lower-case letters, digits, '-' and '.'.",
    ),
    "no certificate": ({"ca_certificates": "SENTINEL"}, f"ca_certificates: {PEM_RULE}"),
    "a request": (
        {"ca_certificates": AUTHORITY.replace("CERTIFICATE", "CERTIFICATE REQUEST")},
        f"ca_certificates: {PEM_RULE}",
    ),
    "a key beside it": (
        {"ca_certificates": AUTHORITY + KEY},
        "ca_certificates: the text holds a private key, which belongs nowhere but to its authority. "
        "Leave the key out; only certificates are needed.",
    ),
    "a certificate cut short": (
        {"ca_certificates": AUTHORITY + AUTHORITY[:80] + "\n-----END CERTIFICATE-----\n"},
        "ca_certificates: certificate 2 cannot be read. Copy it anew, whole and without changes.",
    ),
    "too much": (
        {"ca_certificates": AUTHORITY * 200},
        f"ca_certificates: {len(AUTHORITY) * 200} characters are too many. "
        "Name only the authorities that are missing, in at most 65536 characters.",
    ),
    "proxy with a password": (
        {"egress_proxy": {"https": "http://user:SENTINEL@proxy:3128"}},
        "egress_proxy.https: the address contains a user or password, which everybody who may look at a pod could "
        "read. Use a proxy that knows this cluster by its address, or one in the cluster that signs in for it.",
    ),
    "proxy without a port": (
        {"egress_proxy": {"http": "http://proxy"}},
        "egress_proxy.http: 'http://proxy' is not the address of a proxy. "
        "Use http://HOST:PORT, such as http://proxy.example.com:3128.",
    ),
    "proxy of nothing": (
        {"egress_proxy": {"no_proxy": ["x"]}},
        "egress_proxy: neither http nor https is set. Set one, such as http://proxy.example.com:3128.",
    ),
    "not by proxy": (
        {"egress_proxy": {"http": "http://proxy:1", "no_proxy": ["*.corp"]}},
        "egress_proxy.no_proxy: '*.corp' is neither a host, a domain nor a network. Use names such as "
        "git.example.com or .example.com, addresses, or networks such as 10.1.0.0/16.",
    ),
    "image without a tag": (
        {"image": "registry.example.com:5000/airflow"},
        "image: 'registry.example.com:5000/airflow' has neither tag nor digest. Add :TAG or @sha256:DIGEST to it.",
    ),
    "image with a space": (
        {"image": "registry.example.com/air flow:1"},
        "image: 'registry.example.com/air flow:1' is not the reference of an image. Use REGISTRY/NAME:TAG or "
        "REGISTRY/NAME@sha256:DIGEST, such as registry.example.com/airflow:3.3.",
    ),
    "registry with a scheme": (
        {"image_registry": "https://registry.example.com"},
        "image_registry: 'https://registry.example.com' is not a registry. Use HOST, HOST:PORT or HOST/PATH without "
        "https://, such as registry.example.com/mirror.",
    ),
    "pull secret": (
        {"image_pull_secrets": ["My Secret"]},
        "image_pull_secrets: 'My Secret' is not a name in Kubernetes. Use lower-case letters, digits, '-' and '.'.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadOption) as caught:
        service(**options)
    assert str(caught.value) == sentence
    assert "SENTINEL" not in str(caught.value)


REFERENCES = [
    "airflow:1",
    "registry.example.com:5000/team/airflow:3.3.2-own",
    f"registry.example.com/airflow@sha256:{'a' * 64}",
    f"10.0.0.1:5000/a/b/c:tag@sha256:{'0' * 64}",
]


@pytest.mark.parametrize("image", REFERENCES)
def test_references(image: str) -> None:
    spec = service(image=image, image_registry="mirror.example.com")
    by_image = {pod["containers"][0]["image"] for name, pod in pods(rendered(spec).all) if name not in STORES}
    assert by_image == {image}


def test_the_registry_of_the_site_is_before_every_other_image() -> None:
    spec = full(image="", image_registry="mirror.example.com:5000/apps/")
    found = [container["image"] for _name, pod in pods(every_manifest(spec)) for container in containers(pod)]
    assert all(image.startswith("mirror.example.com:5000/apps/") for image in found)


LOGS: dict[str, tuple[str, str]] = {
    "another version": (
        "warning: x\nAirflow 2.11.2\n",
        "image: image own:1 has Airflow 2.11.2, and version is 3.3. Use an image with Airflow 3.3, or set version to "
        "'2.11' if that is meant.",
    ),
    "no Airflow": (
        "hello\n",
        "image: image own:1 does not say which Airflow it has. "
        "Use an image made from an official image of Apache Airflow.",
    ),
}


@pytest.mark.parametrize(("log", "sentence"), LOGS.values(), ids=LOGS.keys())
def test_an_image_with_another_airflow(log: str, sentence: str) -> None:
    with pytest.raises(Refused) as caught:
        images.same_version("own:1", log, "3.3")
    assert str(caught.value) == sentence


def test_an_image_with_the_right_airflow() -> None:
    images.same_version("own:1", "Airflow 3.3.9\n", "3.3")


def test_an_image_is_tried_when_it_is_new() -> None:
    spec = service(image="own:1")
    web_server = Ref("Deployment", "etl-web-server", "data")

    def live(image: str) -> dict[Ref, Manifest]:
        return {web_server: {"spec": {"template": {"spec": {"containers": [{"image": image}]}}}}}

    assert image_check.needed(spec, {})
    assert image_check.needed(spec, live("apache/airflow:3.3.2"))
    assert not image_check.needed(spec, live("own:1"))
    assert not image_check.needed(service(), live("own:1"))
    assert not image_check.needed(service(), {})
