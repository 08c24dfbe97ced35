# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a monitored service has besides: statsd-exporter, which Airflow sends its metrics to, and the dashboard."""

from __future__ import annotations

from ...common.labels import SERVICE, labels
from ...kube.objects import Manifest
from .. import names, pods
from ..pieces import digest, metadata, selector
from ..spec import ServiceSpec
from ..versions import STATSD_EXPORTER_IMAGE
from .dashboard import dashboard
from .mapping import mapping
from .spec import STATSD_PORT

COMPONENT = "metrics"
SCRAPE_PORT = 9102
# The user nobody, which the image runs as.
USER = 65534
MAPPING_FOLDER = "/etc/statsd-exporter"
MAPPING_HASH = "scp.dataops/mapping-hash"
# Grafana's own helper looks for ConfigMaps with this label.
DASHBOARD_LABELS = {"grafana_dashboard": "1"}


def receiver(spec: ServiceSpec) -> list[Manifest]:
    """What has to be there before Airflow starts, which resolves the address once. Nothing if it is not monitored."""
    if not spec.monitoring.enabled:
        return []
    shown = [dashboard_file(spec)] if spec.monitoring.dashboard else []
    return [mapping_file(spec), address(spec), *shown]


def program(spec: ServiceSpec) -> list[Manifest]:
    return [exporter(spec)] if spec.monitoring.enabled else []


def mapping_file(spec: ServiceSpec) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(spec, names.metrics(spec.name), COMPONENT),
        "data": {"mapping.yml": mapping(spec.namespace, spec.name, spec.manager, spec.version)},
    }


def dashboard_file(spec: ServiceSpec) -> Manifest:
    described = metadata(spec, names.dashboard(spec.name), COMPONENT)
    described["labels"] = {**described["labels"], **DASHBOARD_LABELS}
    text = dashboard(
        spec.namespace,
        spec.name,
        spec.version,
        task_pods=spec.uses_kubernetes,
        interval=spec.monitoring.interval,
    )
    # Grafana's helper writes it under the key's name into one folder for all namespaces.
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": described,
        "data": {f"dataops-{spec.namespace}-{spec.name}.json": text},
    }


def address(spec: ServiceSpec) -> Manifest:
    """One for both: where metrics are sent, and where they are fetched."""
    ports = [
        {"name": "statsd", "port": STATSD_PORT, "targetPort": STATSD_PORT, "protocol": "UDP"},
        {"name": "http", "port": SCRAPE_PORT, "targetPort": SCRAPE_PORT, "protocol": "TCP"},
    ]
    described = metadata(spec, names.metrics(spec.name), COMPONENT)
    # For a Prometheus that finds what to scrape by annotations.
    described["annotations"] = {"prometheus.io/scrape": "true", "prometheus.io/port": str(SCRAPE_PORT)}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": described,
        "spec": {"selector": selector(spec, COMPONENT), "ports": ports},
    }


def exporter(spec: ServiceSpec) -> Manifest:
    content = digest(mapping_file(spec)["data"]["mapping.yml"])
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(spec, names.metrics(spec.name), COMPONENT),
        "spec": {
            "replicas": 1 if spec.running else 0,
            # Two at a time would each count a part.
            "strategy": {"type": "Recreate"},
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": selector(spec, COMPONENT)},
            "template": {
                "metadata": {
                    "labels": labels(SERVICE, spec.name, spec.manager, COMPONENT),
                    "annotations": {MAPPING_HASH: content},
                },
                "spec": exporter_pod(spec),
            },
        },
    }


def exporter_pod(spec: ServiceSpec) -> Manifest:
    def probe(path: str, period: int, failures: int) -> Manifest:
        asked = {"path": path, "port": SCRAPE_PORT}
        return {"httpGet": asked, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": failures}

    container = {
        "name": COMPONENT,
        "image": pods.image(spec, STATSD_EXPORTER_IMAGE),
        "args": [
            f"--statsd.mapping-config={MAPPING_FOLDER}/mapping.yml",
            f"--statsd.listen-udp=:{STATSD_PORT}",
            "--statsd.listen-tcp=",
            f"--web.listen-address=:{SCRAPE_PORT}",
        ],
        "ports": [
            {"name": "statsd", "containerPort": STATSD_PORT, "protocol": "UDP"},
            {"name": "http", "containerPort": SCRAPE_PORT, "protocol": "TCP"},
        ],
        # A series takes about 1 KiB; every task of every DAG has some tens of them.
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {**pods.CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": "mapping", "mountPath": MAPPING_FOLDER, "readOnly": True}],
        "startupProbe": probe("/-/ready", 2, pods.STARTUP_SECONDS // 2),
        "readinessProbe": probe("/-/ready", 10, 3),
        "livenessProbe": probe("/-/healthy", 30, 5),
    }
    return pods.store_pod(
        spec,
        [container],
        serviceAccountName=spec.name,
        securityContext=pods.pod_security(USER, group=USER),
        terminationGracePeriodSeconds=10,
        volumes=[{"name": "mapping", "configMap": {"name": names.metrics(spec.name)}}],
    )
