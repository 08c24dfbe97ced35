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

from . import names
from .spec import ServiceSpec
from .versions import SHARED_SECTIONS, WEB_SERVER_PORT, Component

Sections = dict[str, dict[str, str]]

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
GIT_BUNDLE = "airflow.providers.git.bundles.git.GitDagBundle"


def sections(spec: ServiceSpec) -> Sections:
    return {
        "core": {
            "executor": spec.executor,
            "auth_manager": FAB,
            "load_examples": "False",
            "execution_api_server_url": f"http://{names.web_server(spec.name)}:{WEB_SERVER_PORT}/execution/",
            # Pods have no resolvable host name; the web server fetches a trigger's log by address.
            "hostname_callable": "airflow.utils.net.get_host_ip_address",
        },
        "api": {"base_url": f"http://{spec.host}"},
        "fab": {"enable_proxy_fix": "True"},
        "logging": {"base_log_folder": names.LOGS, "colored_console_log": "False"},
        "scheduler": {"enable_health_check": "True"},
        "kubernetes_executor": {
            "namespace": spec.namespace,
            "pod_template_file": f"{names.POD_TEMPLATES}/{names.TASK_POD_TEMPLATE}",
            # Airflow's default of one pod per loop makes a burst of tasks wait in line.
            "worker_pods_creation_batch_size": "8",
        },
        "dag_processor": {
            "dag_bundle_config_list": json.dumps(bundles(spec)),
            "dag_bundle_storage_path": names.BUNDLES,
        },
    }


def bundles(spec: ServiceSpec) -> list[dict[str, object]]:
    """DAG bundles as Airflow reads them; none without GitSync."""
    git = spec.git_sync
    if git is None:
        return []
    source = {"git_conn_id": names.GIT_CONNECTION, "tracking_ref": git.ref, "subdir": git.subdir or None}
    kwargs = {key: value for key, value in source.items() if value is not None}
    return [
        {"name": names.BUNDLE, "classpath": GIT_BUNDLE, "kwargs": {**kwargs, "refresh_interval": git.interval}},
    ]


def git_environment(spec: ServiceSpec) -> dict[str, str]:
    """What a container that runs git reads from its environment besides the credential."""
    git = spec.git_sync
    if git is None:
        return {}
    return {
        f"AIRFLOW_CONN_{names.GIT_CONNECTION.upper()}": json.dumps({"conn_type": "git", "host": git.repo}),
        # Scoped to the server, so that a submodule elsewhere is never offered this credential; and a helper instead of
        # a password in the address, because addresses end up in process lists and logs.
        "GIT_CONFIG_KEY_0": f"credential.{git.server}.helper",
    }


def as_text(content: Sections) -> str:
    """The file. ``%`` is doubled: Airflow's parser would interpolate it."""
    blocks = []
    for section, options in content.items():
        lines = [f"{option} = {value.replace('%', '%%')}" for option, value in options.items()]
        blocks.append("\n".join([f"[{section}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def checksum(spec: ServiceSpec, component: Component, mounted: Mapping[str, str]) -> str:
    """Changes exactly when something changes that this component reads at its start and that its pod does not show.

    :param mounted: further files by name that are mounted into this component.
    """
    wanted = SHARED_SECTIONS | component.reads
    consumed: dict[str, object] = {name: options for name, options in sections(spec).items() if name in wanted}
    if component.runs_dag_code:
        consumed["git"] = git_environment(spec)
    consumed["mounted"] = dict(mounted)
    return hashlib.sha256(json.dumps(consumed, sort_keys=True).encode()).hexdigest()[:16]
