# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What values an option takes where its type does not say it: ranges, words, and numbers below zero.

Airflow checks few of them when it starts, and most only when the value is first used. Sources: the descriptions in
config.yml, and Airflow's own list of enumerations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

LEVELS = ("CRITICAL", "FATAL", "ERROR", "WARN", "WARNING", "INFO", "DEBUG")
SORTING = ("modified_time", "random_seeded_by_host", "alphabetical")
GRID = ("topological", "hierarchical_alphabetical")
EXPOSE = ("True", "False", "non-sensitive-only")

CHOICES: Mapping[str, tuple[str, ...]] = {
    "api.expose_config": EXPOSE,
    "api.grid_view_sorting_order": GRID,
    "api.server_type": ("uvicorn", "gunicorn"),
    "celery.pool": ("prefork", "eventlet", "gevent", "solo", "threads"),
    "core.dag_ignore_file_syntax": ("regexp", "glob"),
    "core.default_task_weight_rule": ("absolute", "downstream", "upstream"),
    "core.mp_start_method": ("fork", "spawn", "forkserver"),
    "core.test_connection": ("Disabled", "Enabled", "Hidden"),
    "dag_processor.dag_version_inflation_check_level": ("off", "warning", "error"),
    "dag_processor.file_parsing_sort_mode": SORTING,
    "fab.cookie_samesite": ("", "Lax", "Strict", "None"),
    "fab.session_backend": ("database", "securecookie"),
    "logging.celery_logging_level": LEVELS,
    "logging.dag_processor_log_target": ("file", "stdout"),
    "logging.fab_logging_level": LEVELS,
    "logging.logging_level": LEVELS,
    "logging.uvicorn_logging_level": LEVELS,
    "scheduler.file_parsing_sort_mode": SORTING,
    "webserver.analytics_tool": ("google_analytics", "metarouter", "segment", "matomo"),
    "webserver.dag_default_view": ("grid", "graph", "duration", "gantt", "landing_times"),
    "webserver.dag_orientation": ("LR", "TB", "RL", "BT"),
    "webserver.expose_config": EXPOSE,
    "webserver.grid_view_sorting_order": GRID,
    "webserver.session_backend": ("database", "securecookie"),
}

PORT = (1, 65535)
AT_LEAST_ONE = (1, None)
FROM_MINUS_ONE = (-1, None)
Range: TypeAlias = "tuple[int, int | None]"

# A number that is not named here may not be below zero.
NOT_NEGATIVE: Range = (0, None)
RANGES: Mapping[str, Range] = {
    "api.auto_refresh_interval": AT_LEAST_ONE,
    "api.fallback_page_limit": AT_LEAST_ONE,
    "api.log_fetch_timeout_sec": AT_LEAST_ONE,
    "api.maximum_page_limit": AT_LEAST_ONE,
    "api.worker_timeout": AT_LEAST_ONE,
    "api.workers": (1, 64),
    "api_auth.jwt_cli_expiration_time": AT_LEAST_ONE,
    "api_auth.jwt_expiration_time": AT_LEAST_ONE,
    "celery.worker_prefetch_multiplier": AT_LEAST_ONE,
    "core.dagbag_import_timeout": FROM_MINUS_ONE,
    "core.default_pool_task_slot_count": FROM_MINUS_ONE,
    "core.max_active_runs_per_dag": AT_LEAST_ONE,
    "core.max_active_tasks_per_dag": AT_LEAST_ONE,
    "core.max_map_length": AT_LEAST_ONE,
    "core.parallelism": AT_LEAST_ONE,
    "dag_processor.dag_file_processor_timeout": AT_LEAST_ONE,
    "dag_processor.max_callbacks_per_loop": AT_LEAST_ONE,
    "dag_processor.parsing_processes": (1, 64),
    "database.max_db_retries": AT_LEAST_ONE,
    "database.sql_alchemy_max_overflow": FROM_MINUS_ONE,
    "database.sql_alchemy_pool_recycle": FROM_MINUS_ONE,
    "execution_api.jwt_expiration_time": AT_LEAST_ONE,
    "kubernetes_executor.pod_launch_failure_retries": FROM_MINUS_ONE,
    "kubernetes_executor.task_publish_max_retries": FROM_MINUS_ONE,
    "kubernetes_executor.worker_pods_creation_batch_size": AT_LEAST_ONE,
    "metrics.otel_port": PORT,
    "metrics.statsd_port": PORT,
    "scheduler.dag_dir_list_interval": AT_LEAST_ONE,
    "scheduler.job_heartbeat_sec": AT_LEAST_ONE,
    "scheduler.max_dagruns_per_loop_to_schedule": AT_LEAST_ONE,
    "scheduler.max_dagruns_to_create_per_loop": AT_LEAST_ONE,
    "scheduler.num_runs": FROM_MINUS_ONE,
    "scheduler.parsing_processes": (1, 64),
    "scheduler.scheduler_health_check_threshold": AT_LEAST_ONE,
    "scheduler.scheduler_heartbeat_sec": AT_LEAST_ONE,
    "scheduler.task_instance_heartbeat_timeout": AT_LEAST_ONE,
    "scheduler.task_queued_timeout": AT_LEAST_ONE,
    "smtp.smtp_port": PORT,
    "traces.otel_port": PORT,
    "triggerer.capacity": AT_LEAST_ONE,
    "triggerer.default_capacity": AT_LEAST_ONE,
    "triggerer.job_heartbeat_sec": AT_LEAST_ONE,
    "triggerer.triggerer_health_check_threshold": AT_LEAST_ONE,
    "webserver.page_size": AT_LEAST_ONE,
    "webserver.web_server_master_timeout": AT_LEAST_ONE,
    "webserver.web_server_worker_timeout": AT_LEAST_ONE,
    "webserver.workers": (1, 64),
    "workers.execution_api_retries": AT_LEAST_ONE,
    "workers.max_failed_heartbeats": AT_LEAST_ONE,
    "workers.min_heartbeat_interval": AT_LEAST_ONE,
}

# Dictionaries, which Airflow reads as JSON.
DICTIONARIES = frozenset(
    {
        "api.theme",
        "celery.extra_celery_config",
        "core.asset_manager_kwargs",
        "core.dataset_manager_kwargs",
        "kubernetes_executor.delete_option_kwargs",
        "kubernetes_executor.kube_client_request_args",
        "logging.remote_task_handler_kwargs",
        "sdk.coordinators",
        "sdk.queue_to_coordinator",
        "secrets.backend_kwargs",
        "workers.secrets_backend_kwargs",
    }
)

# Airflow hands these on as they are, so their options are those of somebody else: Celery, Elasticsearch.
OPEN_SECTIONS = frozenset(
    {"celery_broker_transport_options", "celery_result_backend_transport_options", "elasticsearch_configs"}
)
