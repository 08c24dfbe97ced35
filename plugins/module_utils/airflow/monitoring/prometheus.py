# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Prometheus Operator is told of a service, where the cluster has it: whom to scrape, when to raise an alarm.

Its kinds are not part of Kubernetes. Where they are missing a service is monitored all the same, by a Prometheus that
is configured otherwise, and these objects are left out.
"""

from __future__ import annotations

from ...common.labels import SERVICE
from ...common.labels import selector as label_selector
from ...errors import ApiError
from ...kube.client import Kube
from ...kube.objects import Manifest
from .. import names
from ..pieces import metadata, selector
from ..spec import ServiceSpec
from .alerts import alerts, rule
from .exporter import COMPONENT

API = "monitoring.coreos.com/v1"
SCRAPED, RULES = "ServiceMonitor", "PrometheusRule"
KINDS = (SCRAPED, RULES)
LEFT_OUT = (
    f"{SCRAPED} and {RULES} are left out: the cluster does not offer {API} to this user. "
    "Metrics are there all the same, see docs/monitoring.md"
)
# A pod that is replaced goes on counting where the one before began: one series, not two.
OF_ONE_POD = "pod|container|endpoint"


def manifests(spec: ServiceSpec) -> list[Manifest]:
    """None for a service that stopped: it has nothing to scrape, and its silence is no alarm."""
    return [service_monitor(spec), rules(spec)] if spec.monitoring.enabled and spec.running else []


def service_monitor(spec: ServiceSpec) -> Manifest:
    return {
        "apiVersion": API,
        "kind": SCRAPED,
        "metadata": described(spec),
        "spec": {
            "selector": {"matchLabels": selector(spec, COMPONENT)},
            "namespaceSelector": {"matchNames": [spec.namespace]},
            "endpoints": [
                {
                    "port": "http",
                    "interval": f"{spec.monitoring.interval}s",
                    "relabelings": [
                        {"targetLabel": "instance", "replacement": f"{spec.namespace}/{spec.name}"},
                        {"action": "labeldrop", "regex": OF_ONE_POD},
                    ],
                }
            ],
        },
    }


def rules(spec: ServiceSpec) -> Manifest:
    found = [rule(alert, spec.namespace, spec.name) for alert in alerts(spec.version, task_pods=spec.uses_kubernetes)]
    group = {"name": f"dataops.{spec.namespace}.{spec.name}", "rules": found}
    return {"apiVersion": API, "kind": RULES, "metadata": described(spec), "spec": {"groups": [group]}}


def described(spec: ServiceSpec) -> Manifest:
    found = metadata(spec, names.metrics(spec.name), COMPONENT)
    return {**found, "labels": {**found["labels"], **spec.monitoring.labels}}


def offered(kube: Kube, namespace: str) -> bool:
    """Whether the cluster has these kinds and we may use them: who may not is told what is told where none are."""
    try:
        kube.list(SCRAPED, namespace, limit=1)
    except ApiError as error:
        if error.status in (403, 404):
            return False
        raise
    return True


def of_service(kube: Kube, namespace: str, service: str) -> list[Manifest]:
    """These objects of a service; none where the cluster has no such kinds, or where we may not look."""
    try:
        return kube.list_all(KINDS, namespace, labels=label_selector(SERVICE, service))
    except ApiError as error:
        if error.status in (403, 404):
            return []
        raise
