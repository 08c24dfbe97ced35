# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of airflow.cfg that follow from options of the service, and what to use instead of setting them.

To set one of them beside the service would break what the service promises: a changed port has no probe, a changed key
no readers, a changed address no web page.
"""

from __future__ import annotations

from collections.abc import Mapping

KEYS = "It is made once and kept in the service's Secret; leave it out"
TLS_AT_INGRESS = "TLS ends at the Ingress; leave it out"
PROBED = "Kubernetes probes it there; leave it out"
ACCOUNTS = "Accounts are kept by the FAB auth manager; leave it out"
NOT_OFFERED = "A service does not offer it; leave it out"
LOG_VOLUME = "Logs are on the service's volume; leave it out"
USE_DATABASE = "Use the option database"
USE_BROKER = "Use the option broker"
USE_DOMAIN = "Use the option domain"
USE_EXECUTOR = "Use the option executor"
USE_FLOWER = "Use the option flower"
USE_GIT_SYNC = "Use the option git_sync"
USE_IMAGE = "Use the option image"
USE_NAMESPACE = "Task pods run in the service's namespace; leave it out"
USE_TASK_POD = "Use the options task_pod and overrides"
USE_WORKER = "Use the option worker"
PROXY_FIX = "The service is always behind an Ingress; leave it out"

OWNED: Mapping[str, str] = {
    "api.auth_backends": ACCOUNTS,
    "api.base_url": USE_DOMAIN,
    "api.host": PROBED,
    "api.port": PROBED,
    "api.secret_key": KEYS,
    "api.ssl_cert": TLS_AT_INGRESS,
    "api.ssl_key": TLS_AT_INGRESS,
    "api_auth.jwt_secret": KEYS,
    "celery.broker_url": USE_BROKER,
    "celery.flower_basic_auth": USE_FLOWER,
    "celery.flower_host": USE_FLOWER,
    "celery.flower_port": USE_FLOWER,
    "celery.flower_url_prefix": USE_FLOWER,
    "celery.result_backend": USE_BROKER,
    "celery.ssl_active": USE_BROKER,
    "celery.ssl_cacert": USE_BROKER,
    "celery.ssl_cert": USE_BROKER,
    "celery.ssl_key": USE_BROKER,
    "celery.ssl_mutual_tls": USE_BROKER,
    "celery.worker_autoscale": USE_WORKER,
    "celery.worker_concurrency": USE_WORKER,
    "celery_kubernetes_executor.kubernetes_queue": USE_EXECUTOR,
    "core.auth_manager": ACCOUNTS,
    "core.dags_folder": USE_GIT_SYNC,
    "core.database_access_isolation": NOT_OFFERED,
    "core.execution_api_server_url": "It is the service's own web server; leave it out",
    "core.executor": USE_EXECUTOR,
    "core.fernet_key": KEYS,
    "core.hostname_callable": "Pods are known by their address; leave it out",
    "core.internal_api_secret_key": NOT_OFFERED,
    "core.internal_api_url": NOT_OFFERED,
    "core.simple_auth_manager_all_admins": ACCOUNTS,
    "core.simple_auth_manager_passwords_file": ACCOUNTS,
    "core.simple_auth_manager_users": ACCOUNTS,
    "core.unit_test_mode": NOT_OFFERED,
    "dag_processor.dag_bundle_config_list": USE_GIT_SYNC,
    "dag_processor.dag_bundle_storage_path": USE_GIT_SYNC,
    "dag_processor.refresh_interval": "Use the option git_sync.interval",
    "database.sql_alchemy_conn": USE_DATABASE,
    "database.sql_alchemy_conn_async": USE_DATABASE,
    "fab.auth_backends": ACCOUNTS,
    "fab.enable_proxy_fix": PROXY_FIX,
    "kubernetes_executor.cluster_context": USE_NAMESPACE,
    "kubernetes_executor.config_file": USE_NAMESPACE,
    "kubernetes_executor.in_cluster": USE_NAMESPACE,
    "kubernetes_executor.multi_namespace_mode": USE_NAMESPACE,
    "kubernetes_executor.multi_namespace_mode_namespace_list": USE_NAMESPACE,
    "kubernetes_executor.namespace": USE_NAMESPACE,
    "kubernetes_executor.pod_template_file": USE_TASK_POD,
    "kubernetes_executor.worker_container_repository": USE_IMAGE,
    "kubernetes_executor.worker_container_tag": USE_IMAGE,
    "local_kubernetes_executor.kubernetes_queue": USE_EXECUTOR,
    "logging.base_log_folder": LOG_VOLUME,
    "logging.dag_processor_manager_log_location": LOG_VOLUME,
    "logging.trigger_log_server_port": PROBED,
    "logging.worker_log_server_port": PROBED,
    "scheduler.enable_health_check": PROBED,
    "scheduler.scheduler_health_check_server_host": PROBED,
    "scheduler.scheduler_health_check_server_port": PROBED,
    "scheduler.standalone_dag_processor": "The DAG processor is a component of its own; leave it out",
    "webserver.base_url": USE_DOMAIN,
    "webserver.enable_proxy_fix": PROXY_FIX,
    "webserver.run_internal_api": NOT_OFFERED,
    "webserver.secret_key": KEYS,
    "webserver.web_server_host": PROBED,
    "webserver.web_server_port": PROBED,
    "webserver.web_server_ssl_cert": TLS_AT_INGRESS,
    "webserver.web_server_ssl_key": TLS_AT_INGRESS,
}
