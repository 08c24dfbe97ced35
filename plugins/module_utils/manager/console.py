# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Manager's spec to what its console consists of: pure, in the order in which it is applied.

The console is one pod of the stock Airflow image, which has every library that it needs. Its code comes in a ConfigMap,
its account can do in the Manager's namespace what the engine does there, and nothing elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

from ..airflow import images, pods
from ..airflow.pieces import ONLY_TLS
from ..airflow.versions import NEWEST, profile
from ..common.labels import COMPONENT, INSTANCE, MANAGER, labels
from ..kube.objects import Manifest, without_none
from ..kube.rights import Right
from .application import KEY, Application
from .names import ACCOUNT, CONSOLE, FILES, KEYS
from .spec import ManagerSpec

COMPONENT_NAME = "console"
PORT, SERVICE_PORT, PORT_NAME = 8080, 80, "http"
ARCHIVE = "/app/console.zip"
FILES_FOLDER, SECRETS_FOLDER = "/files", "/secrets"
APPLICATION_HASH = "scp.dataops/application"
ACCOUNT_HASH = "scp.dataops/account"
# A busy machine takes its time to import all of it.
STARTUP_SECONDS = 120
# A piece of an upload is larger, and a preview may take longer, than Ingress Controllers allow. Each heeds its own.
FOR_CONTROLLERS = {
    "nginx.ingress.kubernetes.io/proxy-body-size": "0",
    "nginx.ingress.kubernetes.io/proxy-request-buffering": "off",
    "nginx.ingress.kubernetes.io/proxy-read-timeout": "300",
    "projectcontour.io/response-timeout": "300s",
}
KINDS = ("ServiceAccount", "Role", "RoleBinding", "Service", "Deployment", "Ingress")


def render(
    spec: ManagerSpec, application: Application, rights: Sequence[Right], account: Mapping[str, str], key: str
) -> list[Manifest]:
    """:param rights: those of the console. :param key: signs the fingerprint of the account."""
    return [
        application_map(spec, application),
        service_account(spec),
        role(spec, rights),
        role_binding(spec),
        service(spec),
        deployment(spec, application.digest, fingerprint(account, key)),
        ingress(spec),
    ]


def metadata(spec: ManagerSpec) -> Manifest:
    return {
        "name": CONSOLE,
        "namespace": spec.namespace,
        "labels": labels(MANAGER, spec.name, spec.name, COMPONENT_NAME),
    }


def application_map(spec: ManagerSpec, application: Application) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(spec),
        "binaryData": {KEY: application.encoded},
    }


def service_account(spec: ManagerSpec) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(spec),
        "automountServiceAccountToken": False,
    }


def role(spec: ManagerSpec, rights: Iterable[Right]) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata(spec),
        "rules": rules(rights, spec.namespace),
    }


def rules(rights: Iterable[Right], namespace: str) -> list[Manifest]:
    """One rule for all resources of a group that have the same verbs. What is outside of the namespace is left out."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for right in rights:
        if right.namespace == namespace:
            verbs.setdefault((right.group, right.resource), set()).add(right.verb)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), allowed in sorted(verbs.items()):
        alike.setdefault((group, tuple(sorted(allowed))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(allowed)}
        for (group, allowed), resources in alike.items()
    ]


def role_binding(spec: ManagerSpec) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata(spec),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": CONSOLE},
        "subjects": [{"kind": "ServiceAccount", "name": CONSOLE, "namespace": spec.namespace}],
    }


def service(spec: ManagerSpec) -> Manifest:
    port = {"name": PORT_NAME, "port": SERVICE_PORT, "targetPort": PORT, "protocol": "TCP"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(spec),
        "spec": {"selector": selector(spec), "ports": [port]},
    }


def selector(spec: ManagerSpec) -> dict[str, str]:
    """Selectors are immutable, so they hold no more than what can never change."""
    return {INSTANCE: spec.name, COMPONENT: COMPONENT_NAME}


def deployment(spec: ManagerSpec, application: str, account: str) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(spec),
        "spec": {
            "replicas": 1,
            # Never two at once: each has uploads and sign-ins of its own in memory.
            "strategy": {"type": "Recreate"},
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": selector(spec)},
            "template": {
                "metadata": {
                    "labels": labels(MANAGER, spec.name, spec.name, COMPONENT_NAME),
                    "annotations": {APPLICATION_HASH: application, ACCOUNT_HASH: account},
                },
                "spec": pod(spec),
            },
        },
    }


def fingerprint(account: Mapping[str, str], key: str) -> str:
    """Changes with the account, so that a new password holds as soon as the run that sets it has ended."""
    values = "\0".join(f"{name}={value}" for name, value in sorted(account.items()))
    return hmac.new(key.encode(), values.encode(), hashlib.sha256).hexdigest()[:16]


def pod(spec: ManagerSpec) -> Manifest:
    pull_secrets = spec.default_settings.get("image_pull_secrets") or ()
    aliases = [{"ip": alias.ip, "hostnames": list(alias.hostnames)} for alias in spec.host_aliases]
    manifest: Manifest = without_none(
        {
            "serviceAccountName": CONSOLE,
            "automountServiceAccountToken": True,
            "enableServiceLinks": False,
            "securityContext": pods.pod_security(pods.AIRFLOW_USER, group=0),
            "imagePullSecrets": [{"name": name} for name in pull_secrets] or None,
            "nodeSelector": dict(spec.node_selector) or None,
            "hostAliases": aliases or None,
            "terminationGracePeriodSeconds": 15,
            "containers": [container(spec)],
            "volumes": [
                {"name": "application", "configMap": {"name": CONSOLE}},
                {"name": "account", "secret": {"secretName": ACCOUNT, "defaultMode": 0o440}},
                {"name": "keys", "secret": {"secretName": KEYS, "defaultMode": 0o440}},
                {"name": "files", "persistentVolumeClaim": {"claimName": FILES}},
                {"name": "scratch", "emptyDir": {}},
            ],
        }
    )
    return manifest


def container(spec: ManagerSpec) -> Manifest:
    return {
        "name": COMPONENT_NAME,
        "image": images.under(spec.image_registry, profile(NEWEST).image),
        "command": ["python", "-m", "ansible_collections.scp.dataops.console"],
        "env": [
            pods.plain("PYTHONPATH", ARCHIVE),
            pods.plain("PYTHONUNBUFFERED", "1"),
            pods.plain("DATAOPS_MANAGER", spec.name),
            pods.plain("DATAOPS_NAMESPACE", spec.namespace),
            pods.plain("DATAOPS_FILES", FILES_FOLDER),
            pods.plain("DATAOPS_SECRETS", SECRETS_FOLDER),
            pods.plain("DATAOPS_URL", spec.web_url),
            pods.plain("DATAOPS_ROOT_PATH", spec.console_path),
        ],
        "ports": [{"name": PORT_NAME, "containerPort": PORT, "protocol": "TCP"}],
        "startupProbe": probe("/readyz", failures=STARTUP_SECONDS, period=1),
        "readinessProbe": probe("/readyz", failures=3, period=10),
        "livenessProbe": probe("/healthz", failures=6, period=10),
        "resources": pods.resources(spec.console),
        "securityContext": {**pods.CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
        "volumeMounts": [
            # As a single file it never changes under a program that imports from it.
            {"name": "application", "mountPath": ARCHIVE, "subPath": KEY, "readOnly": True},
            {"name": "account", "mountPath": f"{SECRETS_FOLDER}/account", "readOnly": True},
            {"name": "keys", "mountPath": f"{SECRETS_FOLDER}/keys", "readOnly": True},
            {"name": "files", "mountPath": FILES_FOLDER},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    }


def probe(path: str, *, failures: int, period: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def ingress(spec: ManagerSpec) -> Manifest:
    backend = {"service": {"name": CONSOLE, "port": {"name": PORT_NAME}}}
    path = {"path": spec.console_path or "/", "pathType": "Prefix", "backend": backend}
    annotations = {**FOR_CONTROLLERS, **(ONLY_TLS if spec.tls_secret else {})}
    manifest: Manifest = without_none(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {**metadata(spec), "annotations": annotations},
            "spec": {
                "ingressClassName": spec.ingress_class or None,
                "tls": [{"hosts": [spec.host], "secretName": spec.tls_secret}] if spec.tls_secret else None,
                "rules": [{"host": spec.host, "http": {"paths": [path]}}],
            },
        }
    )
    return manifest
