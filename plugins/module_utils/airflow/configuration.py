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
from .spec import ServiceSpec
from .versions import SHARED_SECTIONS, WEB_SERVER_PORT, Component

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
    for part in (common_sections(spec), of_version, celery, kubernetes):
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


def airflow_3_sections(spec: ServiceSpec) -> Sections:
    return {
        "core": {
            "execution_api_server_url": f"http://{names.web_server(spec.name)}:{WEB_SERVER_PORT}/execution/",
        },
        "api": {"base_url": f"http://{spec.host}"},
        "fab": {"enable_proxy_fix": "True"},
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
        "webserver": {"base_url": f"http://{spec.host}", "enable_proxy_fix": "True"},
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


def as_text(content: Sections) -> str:
    """The file."""
    blocks = []
    for section, options in sorted(content.items()):
        lines = [settings.line(option, value) for option, value in options.items()]
        blocks.append("\n".join([f"[{section}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def checksum(spec: ServiceSpec, component: Component, mounted: Mapping[str, str]) -> str:
    """Changes exactly when something changes that this component reads at its start and that its pod does not show.

    :param mounted: further files by name that are mounted into this component.
    """
    wanted = SHARED_SECTIONS | component.reads
    consumed: dict[str, object] = {name: options for name, options in sections(spec).items() if name in wanted}
    if component.runs_dag_code:
        consumed["git"] = bundles.connections(spec.git_sync)
    consumed["mounted"] = dict(mounted)
    return hashlib.sha256(json.dumps(consumed, sort_keys=True).encode()).hexdigest()[:16]
