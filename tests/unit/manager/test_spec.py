# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Manager is asked to be, what it is made of, and the sentence for what cannot be."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import asdict
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import INHERITED
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import NEWEST, PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, ref_of
from ansible_collections.scp.dataops.plugins.module_utils.manager import application, console, manifests, rights
from ansible_collections.scp.dataops.plugins.module_utils.manager.spec import OPTIONS, ManagerSpec

from ..airflow.builders import AUTHORITY
from ..runs import packed

ACCOUNT = {"id": "operator", "password": "SENTINEL-Pass1!"}
KEYS = {"session-key": "SENTINEL-session", "engine-token": "SENTINEL-engine"}
# Every option set, none to its default.
FULL: dict[str, Any] = {
    "version": "2.11",
    "description": "Pipelines",
    "domain": "dataops.example.com",
    "ingress_class": "contour",
    "tls_secret": "own-tls",
    "image_registry": "registry.example.com/mirror/",
    "storage_class": "nfs",
    "storage_size": "200Gi",
    "account": {"id": "operator"},
    "node_selector": {"pool": "dataops"},
    "host_aliases": [{"ip": "10.0.0.5", "hostnames": ["warehouse.internal"]}],
    "tags": {"team": "analytics"},
    "console": {"cpu": "1", "memory": "1Gi", "cpu_limit": "2", "memory_limit": "2Gi", "path": "/dataops/"},
    "default_settings": {
        "domain": "services.example.com",
        "storage_class": "nfs",
        "node_selector": {"pool": "dataops"},
        "host_aliases": [{"ip": "10.0.0.6", "hostnames": ["lake.internal"]}],
        "web_server": {"cpu": "1", "memory": "2Gi", "replicas": 2},
        "scheduler": {"cpu": "1"},
        "dag_processor": {"memory": "2Gi"},
        "triggerer": {"replicas": 2},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priority_class": "dataops",
        "ca_certificates": AUTHORITY,
        "python_index": {"url": "https://pypi.example.com/simple"},
        "egress_proxy": {"https": "http://proxy.example.com:3128"},
        "image_pull_secrets": ["registry"],
        "size": "small",
        "worker": {"cpu": "1", "memory": "2Gi", "replicas": 3},
        "task_pod": {"cpu": "1"},
        "monitoring": {"enabled": True, "labels": {"release": "prometheus"}},
        "config": {"core": {"parallelism": 64}, "sentry": {"sentry_dsn": {"secret": "sentry", "key": "dsn"}}},
        "environment": {"all": {"TEAM": "data"}},
    },
}


def manager(name: str = "analytics", namespace: str = "data", **options: Any) -> ManagerSpec:
    return ManagerSpec.from_options({"domain": "example.com", **options}, name=name, namespace=namespace)


def rendered(spec: ManagerSpec, options: dict[str, Any] | None = None) -> list[Manifest]:
    held = application.read(packed(), "console_archive")
    return manifests.render(
        spec, manifests.Secrets(ACCOUNT, KEYS), held, rights.of_console("data"), FULL if options is None else options
    )


def test_defaults() -> None:
    assert asdict(manager()) == {
        "name": "analytics",
        "namespace": "data",
        "version": PROFILES[NEWEST].release,
        "description": "",
        "domain": "example.com",
        "ingress_class": "",
        "tls_secret": "",
        "image_registry": "",
        "storage_class": "",
        "storage_size": "100Gi",
        "account_id": "dataops",
        "node_selector": {},
        "host_aliases": (),
        "tags": {},
        "console": {"cpu": "50m", "memory": "256Mi", "cpu_limit": "", "memory_limit": "512Mi", "replicas": 1},
        "console_path": "",
        "default_settings": {},
    }


def test_the_full_example_sets_every_option() -> None:
    assert FULL.keys() == set(OPTIONS)
    assert FULL["default_settings"].keys() == set(INHERITED)
    assert manager(**FULL).image_registry == "registry.example.com/mirror"
    assert manager(**FULL).host == "analytics.dataops.example.com"
    assert manager(**FULL).web_url == "https://analytics.dataops.example.com/dataops"
    assert manager().web_url == "http://analytics.example.com"


DOMAIN_RULE = (
    "Use 3 to 50 lower-case letters, digits, '-' and '.', starting with a letter, such as dataops.example.com."
)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "bad name": (
        {"name": "My_Manager"},
        "name: 'My_Manager' is not a valid name. Use 3 to 30 lower-case letters, digits and '-', "
        "starting with a letter and not ending with '-'.",
    ),
    "bad namespace": (
        {"namespace": "Data"},
        "namespace: 'Data' is not a valid namespace. Use at most 63 lower-case letters, digits and '-'.",
    ),
    "no domain": ({"domain": ""}, "domain: it is not set. Set it; the address will be analytics.DOMAIN."),
    "bad domain": ({"domain": "example_com"}, f"domain: 'example_com' is not a valid domain. {DOMAIN_RULE}"),
    "description": (
        {"description": "x" * 151},
        "description: 151 characters are too many. Use at most 150 characters.",
    ),
    "account": (
        {"account": {"id": "admin"}},
        "account.id: 'admin' is not a valid account id. Use 6 to 30 lower-case letters and digits.",
    ),
    "storage": (
        {"storage_size": "10"},
        "storage_size: '10' is not a size of at least 1Gi. Use a number with a unit, such as 512Mi or 2Gi.",
    ),
    "unknown option": ({"image_registy": "x"}, "image_registy: no such option. Use image_registry."),
    "unknown default": (
        {"default_settings": {"git_sync": {}}},
        f"default_settings.git_sync: no such option. Use {', '.join(INHERITED)}.",
    ),
    "size in defaults": (
        {"default_settings": {"worker": {"cpu": "lots"}}},
        "default_settings.worker.cpu: 'lots' is not an amount of CPU. "
        "Use cores or thousandths of a core, such as 2 or 500m.",
    ),
    "workers in defaults": (
        {"default_settings": {"worker": {"concurrency": 0}}},
        "default_settings.worker.concurrency: 0 is out of range. Use a whole number from 1 to 128.",
    ),
    "profile in defaults": (
        {"default_settings": {"size": "large"}},
        "default_settings.size: 'large' is not a size. Use small or recommended.",
    ),
    "domain in defaults": (
        {"default_settings": {"domain": "x"}},
        f"default_settings.domain: 'x' is not a valid domain. {DOMAIN_RULE}",
    ),
    "size of the console": (
        {"console": {"memory": "1Gi", "memory_limit": "512Mi"}},
        "console.memory_limit: the limit 512Mi is below what is reserved, 1Gi. "
        "Use at least 1Gi, or reserve less with console.memory.",
    ),
    "replicas of the console": (
        {"console": {"replicas": 2}},
        "console.replicas: no such option. Use cpu, memory, cpu_limit, memory_limit, path.",
    ),
    "path of the console": (
        {"console": {"path": "dataops"}},
        "console.path: 'dataops' is not a path. Use lower-case letters, digits, '.', '_' and '-', "
        "with a slash before each part: /dataops.",
    ),
    "name of a Secret": (
        {"tls_secret": "Own"},
        "tls_secret: 'Own' is not a valid name of a Secret. Use lower-case letters, digits, '-' and '.'.",
    ),
    "a setting that no version knows": (
        {"default_settings": {"config": {"core": {"paralelism": 64}}}},
        "default_settings.config.core.paralelism: Airflow 3.3 has no option 'paralelism' in section 'core'. "
        "Use parallelism.",
    ),
    "a setting that services make themselves": (
        {"default_settings": {"config": {"core": {"executor": "LocalExecutor"}}}},
        "default_settings.config.core.executor: the service sets it itself. Use the option executor.",
    ),
    "a secret in defaults": (
        {"default_settings": {"config": {"sentry": {"sentry_dsn": "https://key@sentry.example.com/1"}}}},
        "default_settings.config.sentry.sentry_dsn: its value is a secret. "
        "Put it into a Secret in the service's namespace and write {secret: NAME, key: KEY}.",
    ),
    "settings that no version knows together": (
        {"default_settings": {"config": {"webserver": {"expose_hostname": True}, "fab": {"expose_hostname": True}}}},
        "default_settings.config.webserver.expose_hostname: in Airflow 3.3 it is fab.expose_hostname. "
        "Use fab.expose_hostname.",
    ),
    "a variable in defaults": (
        {"default_settings": {"environment": {"all": {"DB_PASSWORD": "x"}}}},
        "default_settings.environment.all.DB_PASSWORD: it reads like a secret in plain text. "
        "Put it into a Secret in the service's namespace and write {secret: NAME, key: KEY}.",
    ),
    "no part in defaults": (
        {"default_settings": {"environment": {"all": "x"}}},
        "default_settings.environment.all: it is no part with variables. Write {part: {NAME: value}}.",
    ),
    "alias in defaults": (
        {"default_settings": {"host_aliases": [{"ip": "x", "hostnames": ["a"]}]}},
        "default_settings.host_aliases[0].ip: 'x' is not an IP address. Use an IPv4 or IPv6 address, such as 10.0.0.5.",
    ),
}


@pytest.mark.parametrize(("options", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadOption) as caught:
        manager(**options)
    assert str(caught.value) == sentence


def test_manifests() -> None:
    spec = manager(**FULL)
    found = rendered(spec)
    assert [str(ref_of(item)) for item in found] == [
        "ConfigMap/dataops-manager-record",
        "ConfigMap/dataops-manager-activity",
        "Secret/dataops-manager-account",
        "Secret/dataops-manager-keys",
        "PersistentVolumeClaim/dataops-manager-files",
        *(f"{kind}/dataops-manager-console" for kind in ("ConfigMap", *console.KINDS)),
    ]
    for item in [*found, manifests.namespace(spec)]:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "dataops-manager"
        assert labels["app.kubernetes.io/instance"] == labels["app.kubernetes.io/part-of"] == "analytics"
        assert labels["app.kubernetes.io/managed-by"] == "scp.dataops"
        assert labels["app.kubernetes.io/component"]
    claim = found[4]["spec"]
    assert claim["accessModes"] == ["ReadWriteMany"]
    assert claim["storageClassName"] == "nfs"
    assert claim["resources"]["requests"]["storage"] == "200Gi"
    assert "storageClassName" not in manifests.files_claim(manager())["spec"]


def test_the_namespace_admits_restricted_pods_only() -> None:
    assert manifests.namespace(manager())["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_secrets_are_in_secrets_only() -> None:
    found = rendered(manager(**FULL))
    secrets = [item for item in found if item["kind"] == "Secret"]
    others = [item for item in found if item["kind"] != "Secret"]
    assert "SENTINEL" not in json.dumps([*others, *(secret["metadata"] for secret in secrets)])
    assert base64.b64decode(secrets[0]["data"]["password"]).decode() == ACCOUNT["password"]


def test_rendering_is_pure() -> None:
    spec, options = manager(**FULL), copy.deepcopy(FULL)
    first = rendered(spec, options)
    assert first == rendered(spec, options)
    assert options == FULL
