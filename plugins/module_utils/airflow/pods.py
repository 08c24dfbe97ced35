# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pod specs of a service: components, jobs and the template of task pods, from the same few pieces.

All of them pass the "restricted" Pod Security Standard, are placed and connected as the service says, and hold a
Kubernetes token only where Airflow calls Kubernetes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..kube.objects import Manifest, without_none
from . import images, names, placement
from .git import parts
from .pieces import selector
from .sizes import Size
from .spec import ServiceSpec
from .uploads import mounts as uploads
from .versions import Component, Probe

AIRFLOW_USER = 50000
# Airflow imports take seconds of CPU; on a busy node they take minutes. A crash is noticed at once all the same.
STARTUP_SECONDS = 300


def image(spec: ServiceSpec, name: str) -> str:
    return images.under(spec.image_registry, name)


def airflow_image(spec: ServiceSpec) -> str:
    return spec.image or image(spec, spec.profile.image)


def pod(spec: ServiceSpec, containers: Sequence[Manifest], **fields: Any) -> Manifest:
    """A pod spec with what every pod of Airflow has. ``fields`` adds to it; ``None`` leaves a field out."""
    return placement.connected(store_pod(spec, containers, **fields), spec.placement, spec.name, airflow_image(spec))


def store_pod(spec: ServiceSpec, containers: Sequence[Manifest], **fields: Any) -> Manifest:
    """A pod that connects to nobody: without aliases, authorities and proxy, whose change would restart it."""
    spec_of_pod: Manifest = without_none(
        {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pod_security(AIRFLOW_USER, group=0),
            "imagePullSecrets": [{"name": name} for name in spec.image_pull_secrets] or None,
            **placement.scheduling(spec.placement),
            "containers": list(containers),
            **fields,
        }
    )
    return spec_of_pod


def pod_security(user: int, group: int) -> Manifest:
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": group,
        "fsGroup": group,
        # Without it a large volume is walked through at every start.
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


CONTAINER_SECURITY = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def resources(size: Size) -> Manifest:
    """Memory always has a limit; CPU only when asked for, because a limit slows Airflow's start for nothing."""
    return {
        "requests": {"cpu": size.cpu, "memory": size.memory},
        "limits": {**({"cpu": size.cpu_limit} if size.cpu_limit else {}), "memory": size.memory_limit},
    }


def from_secret(variable: str, secret: str, key: str) -> Manifest:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def plain(variable: str, value: str) -> Manifest:
    return {"name": variable, "value": value}


def database_environment(spec: ServiceSpec) -> list[Manifest]:
    secret = names.database(spec.name)
    return [
        *database_authority(spec),
        from_secret("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", secret, "connection"),
        from_secret("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC", secret, "connection-async"),
        from_secret("AIRFLOW__CORE__FERNET_KEY", names.keys(spec.name), "fernet-key"),
        log_key(spec),
    ]


def database_authority(spec: ServiceSpec) -> list[Manifest]:
    """Which authorities are trusted; the drivers of both addresses read it."""
    return [plain("PGSSLROOTCERT", spec.database.ca_file)] if spec.database.verifies else []


def log_key(spec: ServiceSpec) -> Manifest:
    """Signs requests for logs, so whoever asks for them or serves them must have the same one."""
    return from_secret(spec.profile.secret_key_variable, names.keys(spec.name), "api-secret-key")


def broker_environment(spec: ServiceSpec) -> list[Manifest]:
    """For containers that put tasks into the queue, take them from it or look at it."""
    secret = names.broker(spec.name)
    return [
        from_secret("AIRFLOW__CELERY__BROKER_URL", secret, "broker-url"),
        from_secret("AIRFLOW__CELERY__RESULT_BACKEND", secret, "result-backend"),
    ]


DATABASE_CA_MOUNT: Manifest = {"name": "database-ca", "mountPath": names.DATABASE_CA, "readOnly": True}


def database_mounts(spec: ServiceSpec) -> list[Manifest]:
    """Of every container with :func:`database_environment`."""
    return [DATABASE_CA_MOUNT] if spec.database.ca_secret else []


def database_volumes(spec: ServiceSpec) -> list[Manifest]:
    database = spec.database
    return [ca_volume("database-ca", database.ca_secret, database.ca_key)] if database.ca_secret else []


BROKER_CA_MOUNT: Manifest = {"name": "broker-ca", "mountPath": names.BROKER_CA, "readOnly": True}


def broker_mounts(spec: ServiceSpec) -> list[Manifest]:
    return [BROKER_CA_MOUNT] if spec.broker.ca_secret else []


def broker_volumes(spec: ServiceSpec) -> list[Manifest]:
    return [ca_volume("broker-ca", spec.broker.ca_secret, spec.broker.ca_key)] if spec.broker.ca_secret else []


def ca_volume(volume: str, secret: str, key: str) -> Manifest:
    items = [{"key": key, "path": names.CA_FILE}]
    return {"name": volume, "secret": {"secretName": secret, "items": items, "defaultMode": 0o440}}


# The official image's entry point would otherwise try the database before any command, in every pod.
NO_DATABASE_CHECK = plain("CONNECTION_CHECK_MAX_COUNT", "0")


def config_volume(spec: ServiceSpec) -> Manifest:
    return {"name": "config", "configMap": {"name": names.config(spec.name)}}


CONFIG_MOUNT: Manifest = {"name": "config", "mountPath": names.CONFIG_FILE, "subPath": "airflow.cfg", "readOnly": True}
SCRIPTS_MOUNT: Manifest = {"name": "config", "mountPath": names.SCRIPTS, "readOnly": True}
POD_TEMPLATE_MOUNT = {
    "name": "config",
    "mountPath": f"{names.POD_TEMPLATES}/{names.TASK_POD_TEMPLATE}",
    "subPath": names.TASK_POD_TEMPLATE,
    "readOnly": True,
}
LOGS_MOUNT = {"name": "logs", "mountPath": names.LOGS}


def logs_volume(spec: ServiceSpec) -> Manifest:
    return {"name": "logs", "persistentVolumeClaim": {"claimName": names.logs(spec.name)}}


def probes(probe: Probe) -> Manifest:
    """Startup and liveness; readiness where others connect."""
    if probe.job_type or probe.script:
        script = ["heartbeat.py", probe.job_type] if probe.job_type else [probe.script]
        command = ["python", f"{names.SCRIPTS}/{script[0]}", *script[1:]]
        return {
            "startupProbe": {
                "exec": {"command": [*command, "--start"]},
                "periodSeconds": 5,
                "timeoutSeconds": 10,
                "failureThreshold": STARTUP_SECONDS // 5,
            },
            "livenessProbe": {
                "exec": {"command": command},
                "periodSeconds": 60,
                "timeoutSeconds": 15,
                "failureThreshold": 5,
            },
        }
    check = {"httpGet": {"path": probe.path, "port": probe.port}}
    return {
        "startupProbe": {**check, "periodSeconds": 3, "timeoutSeconds": 5, "failureThreshold": STARTUP_SECONDS // 3},
        # Slow to judge: longer than a database takes to fail over.
        "livenessProbe": {**check, "periodSeconds": 30, "timeoutSeconds": 10, "failureThreshold": 5},
        "readinessProbe": {**check, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
    }


def opens_broker(spec: ServiceSpec, component: Component) -> bool:
    return component.needs_broker and spec.uses_celery


def opens_database(spec: ServiceSpec, component: Component) -> bool:
    """Whoever reads the results of tasks needs the database, too, where a broker cannot keep them."""
    return component.needs_database or (opens_broker(spec, component) and spec.broker.results_in_database)


def store_environment(spec: ServiceSpec, component: Component) -> list[Manifest]:
    queue = broker_environment(spec) if opens_broker(spec, component) else []
    if component.needs_database:
        return [*database_environment(spec), *queue]
    authority = database_authority(spec) if opens_database(spec, component) else []
    return [log_key(spec), *queue, *authority]


def component_pod(spec: ServiceSpec, component: Component) -> Manifest:
    size = spec.sizes[component.name]
    environment = [NO_DATABASE_CHECK, *store_environment(spec, component)]
    mounts: list[Manifest] = [CONFIG_MOUNT, LOGS_MOUNT]
    volumes = [config_volume(spec), logs_volume(spec)]
    if component.name != "flower":
        environment += uploads.environment(spec)
        mounts += uploads.mounts(spec, airflow_image(spec))
        volumes.append(uploads.VOLUME)
    if opens_database(spec, component):
        mounts += database_mounts(spec)
        volumes += database_volumes(spec)
    if opens_broker(spec, component):
        mounts += broker_mounts(spec)
        volumes += broker_volumes(spec)
    if component.runs_tasks:
        # The signal to end goes to Celery alone, which lets its tasks finish; all processes would get it otherwise.
        environment.append(plain("DUMB_INIT_SETSID", "0"))
    if component.name == "flower":
        environment.append(from_secret("AIRFLOW__CELERY__FLOWER_BASIC_AUTH", names.account(spec.name), "flower"))
    if component.signs_tokens:
        environment.append(from_secret("AIRFLOW__API_AUTH__JWT_SECRET", names.keys(spec.name), "jwt-secret"))
    if component.name == "web-server":
        # Only the Ingress Controller and pods of this cluster reach it, so their forwarded headers are taken.
        environment.append(plain("FORWARDED_ALLOW_IPS", "*"))
    if component.name == "scheduler" and spec.uses_kubernetes:
        mounts.append(POD_TEMPLATE_MOUNT)
    git = parts.of_component(spec, airflow_image(spec)) if component.runs_dag_code else parts.Parts()
    if component.probe.job_type or component.probe.script:
        mounts.append(SCRIPTS_MOUNT)
    drain = {"preStop": {"sleep": {"seconds": component.drain_seconds}}} if component.drain_seconds else None
    container = {
        "name": component.name,
        "image": airflow_image(spec),
        "args": list(component.args),
        "env": [*environment, *git.environment],
        "envFrom": git.environment_from or None,
        "ports": [{"name": "http", "containerPort": component.port, "protocol": "TCP"}] if component.port else None,
        "resources": resources(size),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [*mounts, *git.mounts],
        "lifecycle": drain,
        **probes(component.probe),
    }
    account = names.component(spec.name, component.name) if component.calls_kubernetes else spec.name
    return pod(
        spec,
        [container, *git.sidecars],
        initContainers=git.init_containers or None,
        serviceAccountName=account,
        automountServiceAccountToken=component.calls_kubernetes,
        topologySpreadConstraints=placement.spread(spec.placement, selector(spec, component.name)),
        terminationGracePeriodSeconds=spec.drain_timeout if component.runs_tasks else component.grace_seconds,
        volumes=[*volumes, *git.volumes],
    )


def task_pod(spec: ServiceSpec, labels: dict[str, str]) -> Manifest:
    """The template of task pods; the executor fills in the command.

    From Airflow 3 on it holds no key and no database address.
    """
    git = parts.of_task(spec, airflow_image(spec))
    opens_database = spec.profile.tasks_need_database
    access = database_environment(spec) if opens_database else []
    container = {
        # The executor looks for this name.
        "name": "base",
        "image": airflow_image(spec),
        "env": [NO_DATABASE_CHECK, *access, *uploads.environment(spec), *git.environment],
        "envFrom": git.environment_from or None,
        "resources": resources(spec.sizes["task"]),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            CONFIG_MOUNT,
            LOGS_MOUNT,
            *uploads.mounts(spec, airflow_image(spec)),
            *git.mounts,
            *(database_mounts(spec) if opens_database else []),
        ],
    }
    volumes = [
        config_volume(spec),
        logs_volume(spec),
        uploads.VOLUME,
        *git.volumes,
        *(database_volumes(spec) if opens_database else []),
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": names.task(spec.name),
            "labels": labels,
            # A task cannot be moved: an autoscaler must not take its node away.
            "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
        },
        "spec": pod(
            spec,
            [container],
            serviceAccountName=names.task(spec.name),
            initContainers=git.init_containers or None,
            restartPolicy="Never",
            # Time for a task's on_kill.
            terminationGracePeriodSeconds=600,
            volumes=volumes,
        ),
    }


def migration_pod(spec: ServiceSpec) -> Manifest:
    image = airflow_image(spec)
    environment = [NO_DATABASE_CHECK, *database_environment(spec), *uploads.environment(spec)]
    mounts = [CONFIG_MOUNT, *uploads.mounts(spec, image), *database_mounts(spec)]
    container = job_container(spec, "migration", list(spec.profile.migrate), environment, mounts)
    volumes = [config_volume(spec), uploads.VOLUME, *database_volumes(spec)]
    # The first pod of a service, so it makes the folder that all pods mount.
    return job_pod(spec, container, volumes, first=[uploads.folder_maker(spec, image)])


def account_pod(spec: ServiceSpec) -> Manifest:
    secret = names.account(spec.name)
    environment = [
        NO_DATABASE_CHECK,
        *database_environment(spec),
        *uploads.environment(spec),
        from_secret("ACCOUNT_ID", secret, "id"),
        from_secret("ACCOUNT_PASSWORD", secret, "password"),
    ]
    arguments = ["python", f"{names.SCRIPTS}/account.py"]
    mounts = [CONFIG_MOUNT, SCRIPTS_MOUNT, *uploads.mounts(spec, airflow_image(spec)), *database_mounts(spec)]
    container = job_container(spec, "account", arguments, environment, mounts)
    return job_pod(spec, container, [config_volume(spec), uploads.VOLUME, *database_volumes(spec)])


def store_check_pod(
    spec: ServiceSpec, script: str, environment: list[Manifest], mounts: list[Manifest], volumes: list[Manifest]
) -> Manifest:
    """Like the check of a repository it needs nothing of the service but its own Secret, which holds the addresses."""
    container = job_container(spec, "store-check", ["python", "-c", script], environment, mounts)
    # It imports drivers only, nothing of Airflow.
    container["resources"] = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    container["envFrom"] = [{"secretRef": {"name": names.store_check(spec.name)}}]
    return job_pod(spec, container, volumes, account=None)


def image_check_pod(spec: ServiceSpec, program: str) -> Manifest:
    """Runs before anything of the service is touched, so it needs nothing of it."""
    container = job_container(spec, "image-check", ["python", "-c", program], [NO_DATABASE_CHECK], [])
    return job_pod(spec, container, [], account=None)


def job_container(
    spec: ServiceSpec, name: str, args: list[str], environment: list[Manifest], mounts: list[Manifest]
) -> Manifest:
    # A job imports what the scheduler imports, and its namespace may have a quota that wants a size.
    return {
        "name": name,
        "image": airflow_image(spec),
        "args": args,
        "env": environment,
        "resources": resources(spec.sizes["scheduler"]),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": mounts,
    }


def job_pod(
    spec: ServiceSpec,
    container: Manifest,
    volumes: list[Manifest],
    account: str | None = "",
    first: Sequence[Manifest] = (),
) -> Manifest:
    """:param first: containers that have to end before it."""
    named = spec.name if account == "" else account
    helpers = list(first) or None
    return pod(
        spec, [container], serviceAccountName=named, restartPolicy="Never", initContainers=helpers, volumes=volumes
    )
