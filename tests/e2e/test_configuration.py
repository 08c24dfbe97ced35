# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Airflow, variables and patches: they take effect in running pods, and restart only who reads them."""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import DAG_ID, NAMESPACE, SERVICE
from driver import Audit, Driver
from embedded import settings
from places import Airflow
from test_service import pods, predicted_and_done

SECRET = "e2e-settings"
WITHOUT_RESTART_SECONDS = 5.0
HARD_TO_WRITE = "100 % of %(x)s, $HOME_of_nobody, ü 데이터 ✓; # = [core]"


def secret(kube: Kube, **values: str) -> None:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": SECRET, "namespace": NAMESPACE}
    kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}, force=True)


@pytest.fixture(scope="module")
def secrets(service: Driver, kube: Kube) -> Iterator[None]:
    """A Secret of the user's own; at the end the service is as it was before."""
    secret(kube, name="s3cret name", token="s3cret-token")
    yield
    service.service(SERVICE, config={}, environment={}, overrides={})
    kube.delete("Secret", SECRET, NAMESPACE)


def in_pod(kube: Kube, part: str, *command: str) -> str:
    """What a command prints in the running container of a component."""
    label = f"app.kubernetes.io/instance={SERVICE},app.kubernetes.io/component={part}"
    found = [pod for pod in kube.list("Pod", NAMESPACE, labels=label) if "deletionTimestamp" not in pod["metadata"]]
    kubectl = [str(settings.BIN / "kubectl"), "--kubeconfig", str(settings.KUBECONFIG), "-n", NAMESPACE, "exec"]
    arguments = [*kubectl, found[0]["metadata"]["name"], "-c", part, "--", *command]
    return subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=120).stdout


def effective(kube: Kube, part: str, section: str, option: str) -> str:
    """A setting as Airflow itself reads it in a component, all its sources considered."""
    program = f"from airflow.configuration import conf; print('=>' + conf.get({section!r}, {option!r}))"
    return in_pod(kube, part, "python", "-c", program).rpartition("=>")[2].rstrip("\n")


def restarted(kube: Kube, before: dict[str, str]) -> list[str]:
    return [part for part, uid in pods(kube).items() if uid != before[part]]


def test_a_setting_restarts_its_readers_only_and_takes_effect(
    service: Driver, kube: Kube, audit: Audit, secrets: None
) -> None:
    before = pods(kube)
    config = {"scheduler": {"max_tis_per_query": 8}}
    # Only a talkative Ansible hands out what it shows as the difference.
    shown = service.run("dataops_service", name=SERVICE, check=True, verbose=True, config=config)["diff"]
    assert "max_tis_per_query = 8" in str(shown)
    done = predicted_and_done(service, audit, config=config)
    assert done["restarted"] == ["scheduler"] == restarted(kube, before)
    assert effective(kube, "scheduler", "scheduler", "max_tis_per_query") == "8"


def test_hard_values_survive_and_the_setting_before_is_kept(
    service: Driver, kube: Kube, audit: Audit, secrets: None
) -> None:
    before = pods(kube)
    values = {"instance_name": HARD_TO_WRITE, "theme": {"tokens": {"größe": "50%"}}}
    done = predicted_and_done(service, audit, config={"api": values})
    assert done["restarted"] == ["web-server"] == restarted(kube, before)
    assert effective(kube, "web-server", "api", "instance_name") == HARD_TO_WRITE
    assert effective(kube, "web-server", "api", "theme") == '{"tokens": {"größe": "50%"}}'
    assert effective(kube, "scheduler", "scheduler", "max_tis_per_query") == "8"


def test_what_only_tasks_read_restarts_nothing_and_is_quick(service: Driver, kube: Kube, secrets: None) -> None:
    before = pods(kube)
    started = time.monotonic()
    done = service.service(SERVICE, config={"workers": {"max_failed_heartbeats": 4}})
    took = time.monotonic() - started
    assert done["changed"] and done["restarted"] == [] == restarted(kube, before)
    assert took < WITHOUT_RESTART_SECONDS, f"{took:.1f} s"


def test_a_setting_from_a_secret_follows_its_content(service: Driver, kube: Kube, audit: Audit, secrets: None) -> None:
    before = pods(kube)
    done = predicted_and_done(service, audit, config={"api": {"instance_name": {"secret": SECRET, "key": "name"}}})
    assert done["restarted"] == ["web-server"] == restarted(kube, before)
    assert effective(kube, "web-server", "api", "instance_name") == "s3cret name"
    secret(kube, name="another s3cret name", token="s3cret-token")
    check = service.service(SERVICE, check=True)
    after = service.service(SERVICE)
    assert check["restarted"] == after["restarted"] == ["web-server"]
    assert "s3cret" not in check.output + after.output
    assert effective(kube, "web-server", "api", "instance_name") == "another s3cret name"
    config = kube.get("ConfigMap", f"{SERVICE}-config", NAMESPACE)
    assert "s3cret" not in str(config)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a typing error": ({"config": {"core": {"paralelism": 3}}}, "Use parallelism."),
    "an owned setting": ({"config": {"core": {"executor": "LocalExecutor"}}}, "Use the option executor."),
    "a value out of range": ({"config": {"core": {"parallelism": 0}}}, "Use a whole number of at least 1."),
    "a secret in plain text": ({"config": {"sentry": {"sentry_dsn": "s3cret"}}}, "write {secret: NAME, key: KEY}."),
    "a Secret that is not there": (
        {"config": {"sentry": {"sentry_dsn": {"secret": "nowhere", "key": "dsn"}}}},
        "Secret 'nowhere' does not exist",
    ),
    "a key that is not there": (
        {"environment": {"task": {"A": {"secret": SECRET, "key": "nothing"}}}},
        f"key 'nothing' of Secret {SECRET} does not exist",
    ),
    "a connection in plain text": (
        {"environment": {"task": {"AIRFLOW_CONN_X": "postgres://u:s3cret@h/d"}}},
        "a connection holds a password",
    ),
    "a field that Kubernetes does not know": (
        {"overrides": {"scheduler": {"spec": {"terminationGracePeriodSecond": 5}}}},
        "terminationGracePeriodSecond",
    ),
    "a field that Kubernetes does not know, of task pods": (
        {"overrides": {"task": {"spec": {"hostnme": "x"}}}},
        "hostnme",
    ),
}


@pytest.mark.parametrize(("options", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_anything_is_written(
    service: Driver, audit: Audit, secrets: None, options: dict[str, Any], words: str
) -> None:
    position = audit.position()
    message = service.refused("dataops_service", name=SERVICE, **options)
    assert words in message
    assert "s3cret" not in message
    assert [line for line in audit.writes_since(position, NAMESPACE) if "leases" not in line] == []


def test_variables_and_a_patch_reach_task_pods(
    service: Driver, kube: Kube, airflow: Airflow, audit: Audit, secrets: None
) -> None:
    before = pods(kube)
    patch = {"spec": {"containers": [{"name": "base", "env": [{"name": "E2E_PATCHED", "value": "yes"}]}]}}
    variables = {"E2E_TEAM": "of $(HOME)", "E2E_FROM_SECRET": {"secret": SECRET, "key": "token"}}
    done = predicted_and_done(service, audit, environment={"task": variables}, overrides={"task": patch})
    assert done["restarted"] == ["scheduler"] == restarted(kube, before)
    run = airflow.run_dag(DAG_ID)
    assert airflow.finish(DAG_ID, run) == "success"
    log = airflow.log(DAG_ID, run)
    for line in ("E2E_TEAM=of $(HOME)", "E2E_FROM_SECRET=s3cret-token", "E2E_PATCHED=yes"):
        assert line in log


def test_a_patch_is_seen_in_the_pod(service: Driver, kube: Kube, audit: Audit, secrets: None) -> None:
    before = pods(kube)
    patch = {
        "metadata": {"labels": {"cost-centre": "4711"}},
        "spec": {
            "volumes": [{"name": "scratch", "emptyDir": {}}],
            "containers": [{"name": "triggerer", "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}],
        },
    }
    done = predicted_and_done(service, audit, overrides={"triggerer": patch})
    assert done["restarted"] == ["triggerer"] == restarted(kube, before)
    assert "scratch" in in_pod(kube, "triggerer", "ls", "/").split()
