# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""airflow.cfg of a service, and which part of it each component consumes.

Only what is not secret stands here; keys and connection strings reach the containers from Secrets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from . import broker, names, settings
from .git import bundles
from .monitoring import spec as monitored
from .spec import ServiceSpec
from .versions import WEB_SERVER_PORT, Component, reads

Sections = dict[str, dict[str, str]]

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
FAB_API = "airflow.providers.fab.auth_manager.api.auth.backend"
# A week.
VISIBILITY_SECONDS = 604800


def sections(spec: ServiceSpec) -> Sections:
    """What the collection sets itself, by section and option."""
    celery = celery_sections(spec) if spec.uses_celery else {}
    kubernetes = kubernetes_sections(spec) if spec.uses_kubernetes else {}
    of_version = {"2": airflow_2_sections, "3": airflow_3_sections}[spec.version.partition(".")[0]](spec)
    result: Sections = {}
    for part in (common_sections(spec), of_version, celery, kubernetes, metrics_sections(spec)):
        for section, options in part.items():
            result[section] = {**result.get(section, {}), **options}
    return result


def common_sections(spec: ServiceSpec) -> Sections:
    return {
        "core": {
            "executor": spec.executor,
            "auth_manager": FAB,
            "load_examples": "False",
            # Pods have no resolvable host name; the web server fetches a trigger's log by address.
            "hostname_callable": "airflow.utils.net.get_host_ip_address",
        },
        "logging": {"base_log_folder": names.LOGS, "colored_console_log": "False"},
        "scheduler": {"enable_health_check": "True"},
    }


def cookies(spec: ServiceSpec) -> dict[str, str]:
    """A browser that came by HTTPS must not hand its session out over HTTP."""
    return {"cookie_secure": "True"} if spec.tls_secret else {}


def airflow_3_sections(spec: ServiceSpec) -> Sections:
    return {
        "core": {
            "execution_api_server_url": f"http://{names.web_server(spec.name)}:{WEB_SERVER_PORT}/execution/",
        },
        "api": {"base_url": spec.web_url},
        "fab": {"enable_proxy_fix": "True", **cookies(spec)},
        "dag_processor": {
            "dag_bundle_config_list": json.dumps(bundles.listed(spec.git_sync)),
            "dag_bundle_storage_path": names.BUNDLES,
        },
    }


def airflow_2_sections(spec: ServiceSpec) -> Sections:
    folder = bundles.dags_folder(spec.git_sync, spec.profile)
    return {
        **({"core": {"dags_folder": folder}} if folder else {}),
        "api": {"auth_backends": f"{FAB_API}.session,{FAB_API}.basic_auth"},
        "webserver": {"base_url": spec.web_url, "enable_proxy_fix": "True", **cookies(spec)},
        "scheduler": {"standalone_dag_processor": "True"},
    }


def celery_sections(spec: ServiceSpec) -> Sections:
    tls = broker.celery_settings(spec.broker)
    extra = {"extra_celery_config": json.dumps(tls)} if tls else {}
    # Redis hands a task out again after this time: no task may take longer than it.
    redis = {"celery_broker_transport_options": {"visibility_timeout": str(VISIBILITY_SECONDS)}}
    return {
        "celery": {"worker_concurrency": str(spec.workers.concurrency), **extra},
        **(redis if spec.broker.type == broker.REDIS else {}),
    }


def kubernetes_sections(spec: ServiceSpec) -> Sections:
    return {
        "kubernetes_executor": {
            "namespace": spec.namespace,
            "pod_template_file": f"{names.POD_TEMPLATES}/{names.TASK_POD_TEMPLATE}",
            # Airflow's default of one pod per loop makes a burst of tasks wait in line.
            "worker_pods_creation_batch_size": "8",
        },
    }


def metrics_sections(spec: ServiceSpec) -> Sections:
    return {"metrics": monitored.settings(spec.name, spec.version)} if spec.monitoring.enabled else {}


def effective(spec: ServiceSpec) -> Sections:
    """What stands in airflow.cfg: the user's settings over ours. Those that come from Secrets are not in it."""
    result = sections(spec)
    for section, options in spec.config.items():
        plain = {option: value for option, value in options.items() if isinstance(value, str)}
        if plain:
            result[section] = {**result.get(section, {}), **plain}
    ours = celery_settings_of_broker(spec)
    if ours:
        # How the broker's certificate is verified stays, whatever else Celery is told.
        asked = json.loads(result["celery"]["extra_celery_config"])
        result["celery"]["extra_celery_config"] = json.dumps({**asked, **ours})
    return result


def celery_settings_of_broker(spec: ServiceSpec) -> dict[str, object]:
    return broker.celery_settings(spec.broker) if spec.uses_celery else {}


def as_text(content: Sections) -> str:
    """The file."""
    blocks = []
    for section, options in sorted(content.items()):
        lines = [settings.line(option, value) for option, value in options.items()]
        blocks.append("\n".join([f"[{section}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def checksum(
    spec: ServiceSpec, component: Component, mounted: Mapping[str, str], secrets: Mapping[str, str] | None = None
) -> str:
    """Changes exactly when something changes that this component reads at its start and that its pod does not show.

    :param mounted: further files by name that are mounted into this component.
    :param secrets: fingerprints of values that its variables take from Secrets, by variable.
    """
    consumed: dict[str, object] = {}
    for section, options in effective(spec).items():
        read = {key: value for key, value in options.items() if reads(spec.profile, component.name, section, key)}
        if read:
            consumed[section] = read
    if component.runs_dag_code:
        consumed["git"] = bundles.connections(spec.git_sync)
    if secrets:
        consumed["secrets"] = dict(secrets)
    consumed["mounted"] = dict(mounted)
    return hashlib.sha256(json.dumps(consumed, sort_keys=True).encode()).hexdigest()[:16]
