# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a spec to manifests: pure, one function per object, in the order in which they are applied.

:func:`render` gives them in stages, because a stage may begin only when the one before it is ready.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..common import record
from ..common.labels import SERVICE, labels
from ..common.secret_keys import SecretKey
from ..kube.objects import Manifest, without_none
from . import autoscaling, configuration, embedded, environment, names, pods, scripts, standing, tailoring
from .git import bundles, sidecar
from .git.spec import BUNDLE, GitSync
from .monitoring import exporter
from .pieces import ONLY_TLS, digest, job, metadata, port_service, secret, selector, volume_claim
from .secrets import Secrets
from .spec import ServiceSpec
from .uploads.jobs import jobs as upload_jobs
from .uploads.mounts import shared_folder
from .versions import FLOWER_PORT, WEB_SERVER_PORT, Component

CONFIG_HASH = "scp.dataops/config-hash"
# Kinds that a service consists of; all others in its namespace are never looked at. Volumes and Secrets are not pruned.
KINDS = (
    "ConfigMap",
    "Secret",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "PersistentVolumeClaim",
    "Service",
    "StatefulSet",
    "Job",
    "Deployment",
    "Ingress",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
)
KEPT_KINDS = frozenset({"PersistentVolumeClaim", "Secret"})

EXECUTOR_RULES = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get", "list", "watch", "patch", "delete"]}
]
LOG_READER_RULES = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]
RULES = {"scheduler": EXECUTOR_RULES, "web-server": LOG_READER_RULES}


@dataclass(frozen=True)
class Stages:
    """Manifests by stage; each waits for the one before it.

    ``files`` tries uploaded files, before anything of the service is touched. ``foundation`` is all that Airflow stands
    on. ``account`` comes before the components: it and a starting web server would both write the same permissions into
    an empty database, and one of them would fail.
    """

    files: list[Manifest]
    foundation: list[Manifest]
    migration: list[Manifest]
    account: list[Manifest]
    components: list[Manifest]

    @property
    def all(self) -> list[Manifest]:
        return [*self.files, *self.foundation, *self.migration, *self.account, *self.components]

    def each(self, change: Callable[[Manifest], Manifest]) -> Stages:
        """The same stages with every manifest changed."""
        return Stages(*([change(item) for item in stage] for stage in vars(self).values()))


def render(spec: ServiceSpec, secrets: Secrets, options: Mapping[str, Any]) -> Stages:
    """:param options: what the record shall hold."""
    config = config_files(spec)
    components = spec.components
    flower = [port_service(spec, names.component(spec.name, "flower"), "flower", "http", FLOWER_PORT)]
    stages = Stages(
        files=upload_jobs(spec),
        foundation=[
            record.manifest(SERVICE, spec.name, spec.manager, spec.namespace, names.record(spec.name), options),
            *(service_account(spec, name) for name in service_accounts(spec)),
            *(role(spec, component) for component in components if component.calls_kubernetes),
            *(role_binding(spec, component) for component in components if component.calls_kubernetes),
            secret(spec, names.keys(spec.name), "keys", secrets.keys),
            secret(spec, names.database(spec.name), "database", secrets.database),
            secret(spec, names.account(spec.name), "account", secrets.account),
            *([secret(spec, names.broker(spec.name), "broker", secrets.broker)] if secrets.broker else []),
            *([secret(spec, names.git(spec.name), "git", secrets.git)] if secrets.git else []),
            config_map(spec, names.config(spec.name), "config", config),
            *([config_map(spec, names.git(spec.name), "git", git_values(spec.git_sync))] if spec.git_sync else []),
            volume_claim(spec, names.logs(spec.name), "logs", "ReadWriteMany"),
            port_service(spec, names.web_server(spec.name), "web-server", "http", WEB_SERVER_PORT),
            *(embedded.database(spec) if spec.database.embedded else []),
            *(embedded.broker(spec) if spec.uses_celery and spec.broker.embedded else []),
            *(flower if spec.flower else ()),
            *exporter.receiver(spec),
        ],
        migration=[migration_job(spec)],
        account=[account_job(spec, secrets)],
        components=[
            *(deployment(spec, component, config, secrets) for component in components),
            *(disruption_budget(spec, part) for part in components if most_replicas(spec, part) > 1),
            *autoscaling.manifests(spec),
            *exporter.program(spec),
            ingress(spec),
        ],
    )
    return stages.each(lambda manifest: tailoring.tailored(spec, manifest))


def config_files(spec: ServiceSpec) -> dict[str, str]:
    """Content of the service's ConfigMap by key: files to mount and variables to refer to."""
    return {
        "airflow.cfg": configuration.as_text(configuration.effective(spec)),
        # JSON is YAML, and the engine needs no YAML writer for it.
        names.TASK_POD_TEMPLATE: json.dumps(task_pod(spec), indent=1),
        "account.py": scripts.ACCOUNT,
        # Also while there are no libraries: task pods that mount it may still be made from an older template.
        names.AT_START: scripts.AT_START,
        "heartbeat.py": scripts.HEARTBEAT,
        **({"worker_alive.py": scripts.WORKER_ALIVE} if spec.uses_celery else {}),
    }


def git_values(git: GitSync) -> dict[str, str]:
    """What pods take from a ConfigMap when they start, so that another repository changes no pod template."""
    return bundles.connections(git) if git.mode == BUNDLE else sidecar.referenced(git)


def task_pod(spec: ServiceSpec) -> Manifest:
    """The template of the pods that the KubernetesExecutor starts."""
    template = pods.task_pod(spec, labels(SERVICE, spec.name, spec.manager, "task"))
    return tailoring.tailored_pod(spec, environment.TASK, template)


def config_map(spec: ServiceSpec, name: str, component: str, files: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(spec, name, component),
        "data": dict(files),
    }


def service_accounts(spec: ServiceSpec) -> list[str]:
    """One for each component that calls Kubernetes, one for task pods, and one without rights for the rest."""
    calling = [component.name for component in spec.components if component.calls_kubernetes]
    return [spec.name, names.task(spec.name), *(names.component(spec.name, name) for name in calling)]


def service_account(spec: ServiceSpec, name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(spec, name, "access"),
        "automountServiceAccountToken": False,
    }


def role(spec: ServiceSpec, component: Component) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata(spec, names.component(spec.name, component.name), "access"),
        "rules": RULES[component.name],
    }


def role_binding(spec: ServiceSpec, component: Component) -> Manifest:
    name = names.component(spec.name, component.name)
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata(spec, name, "access"),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": spec.namespace}],
    }


def migration_job(spec: ServiceSpec) -> Manifest:
    """A Job cannot be changed, so its name is made of what makes it necessary: image, database, folder of files."""
    what = digest(pods.airflow_image(spec), where_data_is(spec), shared_folder(spec))
    return job(spec, f"{spec.name}-migration-{what}", "migration", pods.migration_pod(spec), retries=1)


def where_data_is(spec: ServiceSpec) -> str:
    return names.database(spec.name) if spec.database.embedded else spec.database.place


def account_job(spec: ServiceSpec, secrets: Secrets) -> Manifest:
    # Another database has no account yet.
    place = [] if spec.database.embedded else [where_data_is(spec)]
    what = secrets.fingerprint(secrets.account["id"], secrets.account["password"], *place)
    return job(spec, f"{spec.name}-account-{what}", "account", pods.account_pod(spec), retries=1)


def mounted_files(spec: ServiceSpec, component: Component, files: Mapping[str, str]) -> dict[str, str]:
    """Files besides airflow.cfg whose change must restart the component: mounted singly, they are never refreshed."""
    if component.name == "scheduler" and spec.uses_kubernetes:
        return {names.TASK_POD_TEMPLATE: files[names.TASK_POD_TEMPLATE]}
    return {}


def addresses(spec: ServiceSpec, component: Component, secrets: Secrets) -> dict[str, str]:
    """Fingerprints of the addresses of external stores that the component uses.

    Their passwords are changed by others, and a container does not see that a variable of its own has changed.
    """
    database = not spec.database.embedded and pods.opens_database(spec, component)
    broker = not spec.broker.embedded and pods.opens_broker(spec, component)
    used = {"database": secrets.database if database else {}, "broker": secrets.broker if broker else {}}
    return {
        name: secrets.fingerprint(*(values[key] for key in sorted(values))) for name, values in used.items() if values
    }


def deployment(spec: ServiceSpec, component: Component, files: Mapping[str, str], secrets: Secrets) -> Manifest:
    named = {
        variable: secrets.fingerprint(secrets.named.get(value, ""))
        for variable, value in tailoring.variables(spec, component.name).items()
        if isinstance(value, SecretKey)
    }
    checksum = configuration.checksum(
        spec, component, {**mounted_files(spec, component, files), **addresses(spec, component, secrets)}, named
    )
    described = metadata(spec, names.component(spec.name, component.name), component.name)
    if component.name == "scheduler":
        described["annotations"] = {standing.VERSION: spec.version, standing.EXECUTOR: spec.executor}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": described,
        "spec": {
            **replicas(spec, component),
            "strategy": strategy(component),
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": selector(spec, component.name)},
            "template": {
                "metadata": {
                    "labels": labels(SERVICE, spec.name, spec.manager, component.name),
                    "annotations": {CONFIG_HASH: checksum},
                },
                "spec": pods.component_pod(spec, component),
            },
        },
    }


def strategy(component: Component) -> dict[str, Any]:
    if component.one_set_at_a_time:
        return {"type": "Recreate"}
    # The old pod goes when the new one is ready: tasks and browsers always find a web server.
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def replicas(spec: ServiceSpec, component: Component) -> dict[str, int]:
    """Nothing for what an autoscaler scales: a number of ours would undo its choice."""
    if component.runs_tasks and autoscaling.chosen(spec):
        return {}
    return {"replicas": spec.sizes[component.name].replicas if spec.running else 0}


def most_replicas(spec: ServiceSpec, component: Component) -> int:
    scaling = spec.workers.autoscaling if component.runs_tasks else None
    return scaling.max_replicas if scaling else spec.sizes[component.name].replicas


def disruption_budget(spec: ServiceSpec, component: Component) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(spec, names.component(spec.name, component.name), component.name),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(spec, component.name)}},
    }


def ingress(spec: ServiceSpec) -> Manifest:
    service = {"name": names.web_server(spec.name), "port": {"number": WEB_SERVER_PORT}}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": service}}
    manifest: Manifest = without_none(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": without_none(
                {
                    **metadata(spec, spec.name, "web-server"),
                    "annotations": dict(ONLY_TLS) if spec.tls_secret else None,
                }
            ),
            "spec": {
                "ingressClassName": spec.ingress_class or None,
                "tls": [{"hosts": [spec.host], "secretName": spec.tls_secret}] if spec.tls_secret else None,
                "rules": [{"host": spec.host, "http": {"paths": [path]}}],
            },
        }
    )
    return manifest


def names_by_component(manifests: Sequence[Manifest]) -> dict[str, str]:
    """Deployment name to component name."""
    return {
        manifest["metadata"]["name"]: manifest["metadata"]["labels"]["app.kubernetes.io/component"]
        for manifest in manifests
        if manifest["kind"] == "Deployment"
    }
