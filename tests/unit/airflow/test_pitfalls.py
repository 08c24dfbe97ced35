# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with Airflow on Kubernetes elsewhere and is designed out here; see docs/failure-modes.md."""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import configuration, scripts
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest

from .builders import EXTERNAL, every_manifest, full, named, pods, rendered, service, task_template, uploading

SPECS = {
    "least": service(),
    "all": full(),
    "uploaded files": uploading(full()),
    "stores of others": full(**EXTERNAL),
    "Airflow 2 with workers": service(version="2.11", executor="CeleryExecutor"),
    "Airflow 2 without": service(version="2.11"),
}
each_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
PATIENCE_AT_START = 180


def containers(spec: ServiceSpec) -> Iterator[tuple[str, Manifest]]:
    for name, pod in pods(every_manifest(spec)):
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            yield f"{name}: {container['name']}", container


def probes(spec: ServiceSpec, kind: str) -> dict[str, Manifest]:
    return {name: container[kind] for name, container in containers(spec) if kind in container}


# Install and upgrade


@each_spec
def test_no_stateful_set_makes_its_own_volumes(spec: ServiceSpec) -> None:
    """What is in volumeClaimTemplates can never be changed."""
    sets = [item for item in every_manifest(spec) if item["kind"] == "StatefulSet"]
    assert [item["metadata"]["name"] for item in sets if "volumeClaimTemplates" in item["spec"]] == []


def test_a_component_is_of_one_kind_whatever_is_asked() -> None:
    kinds: dict[str, set[str]] = {}
    for spec in SPECS.values():
        for item in rendered(spec).all:
            if item["kind"] in ("Deployment", "StatefulSet", "DaemonSet"):
                kinds.setdefault(item["metadata"]["name"], set()).add(item["kind"])
    assert len(kinds) == 9
    assert {name for name, found in kinds.items() if len(found) > 1} == set()


# Workers and tasks


@each_spec
def test_a_web_server_is_always_there_for_tasks_and_browsers(spec: ServiceSpec) -> None:
    web_server = named(rendered(spec).all, "Deployment", "etl-web-server")["spec"]
    assert web_server["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@each_spec
def test_the_old_dag_processor_is_gone_before_the_new_one_reads(spec: ServiceSpec) -> None:
    processor = named(rendered(spec).all, "Deployment", "etl-dag-processor")["spec"]
    assert processor["strategy"] == {"type": "Recreate"}


def test_a_web_server_that_ends_answers_the_tasks_that_called_it() -> None:
    pod = named(rendered(service()).all, "Deployment", "etl-web-server")["spec"]["template"]["spec"]
    # As long as the server itself waits for open requests.
    assert pod["terminationGracePeriodSeconds"] > 120
    assert pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] > 0


def test_a_worker_that_ends_lets_its_tasks_finish() -> None:
    worker = named(rendered(full()).all, "Deployment", "etl-worker")["spec"]
    assert worker["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    pod = worker["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 900
    # Else all its processes get the signal, and tasks die with it.
    assert {"name": "DUMB_INIT_SETSID", "value": "0"} in pod["containers"][0]["env"]


@each_spec
def test_no_autoscaler_of_nodes_takes_a_task_away(spec: ServiceSpec) -> None:
    marks = task_template(rendered(spec).all)["metadata"]["annotations"]
    assert marks["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


def test_tasks_find_the_web_server() -> None:
    port = named(rendered(full()).all, "Service", "etl-web-server")["spec"]["ports"][0]["port"]
    found = configuration.sections(full())["core"]["execution_api_server_url"]
    assert found == f"http://etl-web-server:{port}/execution/"


def test_a_long_task_is_not_handed_out_twice() -> None:
    """Redis gives a task to a second worker when the first has not ended it in this time."""
    found = configuration.sections(full())["celery_broker_transport_options"]
    assert int(found["visibility_timeout"]) >= 24 * 3600


class Silent(Exception):
    """The store does not answer."""


def raising(*given: Any, **named: Any) -> Any:
    raise Silent


CELERY = SimpleNamespace(Celery=raising)
PSYCOPG2 = SimpleNamespace(connect=raising, Error=Silent)
ALIVE: dict[str, tuple[str, str, Any, list[str], bool]] = {
    "a worker whose broker is silent": (scripts.WORKER_ALIVE, "celery", CELERY, [], True),
    "a worker that starts": (scripts.WORKER_ALIVE, "celery", CELERY, ["--start"], False),
    "a scheduler whose database is silent": (scripts.HEARTBEAT, "psycopg2", PSYCOPG2, ["SchedulerJob"], True),
    "a scheduler that starts": (scripts.HEARTBEAT, "psycopg2", PSYCOPG2, ["SchedulerJob", "--start"], False),
}


@pytest.mark.parametrize(("program", "library", "stub", "args", "alive"), ALIVE.values(), ids=ALIVE.keys())
def test_a_silent_store_kills_nobody(
    monkeypatch: pytest.MonkeyPatch, program: str, library: str, stub: Any, args: list[str], alive: bool
) -> None:
    """All would be restarted at once, with their tasks, while nothing is wrong with any of them."""
    monkeypatch.setitem(sys.modules, library, stub)
    monkeypatch.setattr(sys, "argv", ["program", *args])
    monkeypatch.setattr(socket, "gethostbyname", lambda name: "10.0.0.1")
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "redis://nowhere")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://nowhere")
    with pytest.raises(SystemExit) as ended, redirect_stdout(io.StringIO()):
        exec(compile(program, "program", "exec"), {"__name__": "__main__"})
    assert (not ended.value.code) is alive


# Web server and logs


@each_spec
def test_who_serves_or_asks_for_logs_has_the_same_key(spec: ServiceSpec) -> None:
    variable = spec.profile.secret_key_variable
    for component in spec.components:
        if component.name == "flower":
            continue
        pod = named(rendered(spec).all, "Deployment", f"etl-{component.name}")["spec"]["template"]["spec"]
        keys = {entry["name"]: entry.get("valueFrom") for entry in pod["containers"][0]["env"]}
        assert keys[variable] == {"secretKeyRef": {"name": "etl-keys", "key": "api-secret-key"}}, component.name


@each_spec
def test_whoever_writes_logs_writes_them_to_the_shared_volume(spec: ServiceSpec) -> None:
    found = dict(pods(rendered(spec).all))
    names = [f"Deployment/etl-{component.name}" for component in spec.components]
    for name in [*names, "Pod/etl-task"]:
        claims = {volume["name"]: volume.get("persistentVolumeClaim") for volume in found[name]["volumes"]}
        assert claims["logs"] == {"claimName": "etl-logs"}, name
    claim = named(rendered(spec).all, "PersistentVolumeClaim", "etl-logs")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


def test_the_web_server_may_read_logs_of_task_pods() -> None:
    rules = named(rendered(service()).all, "Role", "etl-web-server")["rules"]
    assert {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]} in rules
    binding = named(rendered(service()).all, "RoleBinding", "etl-web-server")
    pod = named(rendered(service()).all, "Deployment", "etl-web-server")["spec"]["template"]["spec"]
    assert [subject["name"] for subject in binding["subjects"]] == [pod["serviceAccountName"]]


@each_spec
def test_a_slow_start_is_no_failure(spec: ServiceSpec) -> None:
    started = probes(spec, "startupProbe")
    assert started.keys() == probes(spec, "livenessProbe").keys()
    for name, probe in started.items():
        assert probe["periodSeconds"] * probe["failureThreshold"] >= PATIENCE_AT_START, name


@each_spec
def test_no_probe_starts_airflow(spec: ServiceSpec) -> None:
    """Its command takes seconds of CPU to start: on a busy node the probe itself would be the failure."""
    found = [(name, probe) for kind in ("startupProbe", "livenessProbe", "readinessProbe")
             for name, probe in probes(spec, kind).items()]  # fmt: skip
    assert {name for name, probe in found if "airflow" in probe.get("exec", {}).get("command", [])[:1]} == set()
    assert all(probe["timeoutSeconds"] >= 5 for _name, probe in found)


# Volumes and policy


@each_spec
def test_a_large_volume_is_not_walked_through_at_every_start(spec: ServiceSpec) -> None:
    policies = {name: pod["securityContext"].get("fsGroupChangePolicy") for name, pod in pods(every_manifest(spec))}
    assert set(policies.values()) == {"OnRootMismatch"}


@each_spec
def test_services_of_the_namespace_leave_no_variables_in_pods(spec: ServiceSpec) -> None:
    assert {name for name, pod in pods(every_manifest(spec)) if pod.get("enableServiceLinks") is not False} == set()
