# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between versions of Airflow, as data: a new version is a new row.

Sources: the command line, health endpoints and option names of each release of apache-airflow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ..errors import BadOption


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How Kubernetes asks whether a component lives: HTTP, the heartbeat of a type of job, or a script of ours."""

    path: str = ""
    port: int = 0
    job_type: str = ""
    script: str = ""


@dataclass(frozen=True, kw_only=True)
class Component:
    """One standing part of Airflow: a Deployment of its own.

    ``reads`` names the sections of airflow.cfg that this component consumes besides :data:`SHARED_SECTIONS`, and single
    options of other sections; only a change in those restarts it.
    """

    name: str
    args: tuple[str, ...]
    probe: Probe
    reads: frozenset[str]
    cpu: str
    memory: str
    # Under which name Airflow's own health report has it; empty when it is not in there.
    health_key: str = ""
    port: int = 0
    grace_seconds: int = 60
    calls_kubernetes: bool = False
    signs_tokens: bool = False
    runs_dag_code: bool = False
    # Runs tasks, so what it does is finished, not cut, when its pod goes.
    runs_tasks: bool = False
    # Old and new pods would undo each other's work: the old ones are gone before the first new one starts.
    one_set_at_a_time: bool = False
    needs_database: bool = True
    needs_broker: bool = False
    drain_seconds: int = 0

    @property
    def option(self) -> str:
        """The module option that sizes it."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, kw_only=True)
class Api:
    """Where the REST API is, and how one signs in: for a token, or at the form as a browser does."""

    root: str
    sign_in: Literal["token", "form"]
    sign_in_path: str
    # Roles and users are those of the auth manager, FAB, which serves them under a root of its own.
    users_root: str = "/auth/fab/v1"
    # Whether a role that is written anew loses the permissions that it is written without.
    roles_shrink: bool = True
    # Whether a pool without limit can be listed again.
    endless_pools: bool = True
    # Where it lists plugins that could not be loaded; empty where it does not.
    plugin_errors: str = "/plugins/importErrors"
    # Between the fields of an update_mask.
    mask_separator: str = "&update_mask="


AIRFLOW_3_API = Api(root="/api/v2", sign_in="token", sign_in_path="/auth/token")
# Basic authentication cannot pass the API server's proxy, which keeps the Authorization header for itself.
AIRFLOW_2_API = Api(
    root="/api/v1",
    sign_in="form",
    sign_in_path="/login/",
    roles_shrink=False,
    endless_pools=False,
    plugin_errors="",
    mask_separator=",",
)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One supported minor version; ``release`` is the exact one that the default image carries.

    ``worker`` and ``flower`` belong to a service with the CeleryExecutor only.
    """

    release: str
    image: str
    components: tuple[Component, ...]
    worker: Component
    flower: Component
    # Where the key stands that signs sessions and requests for logs.
    secret_key_variable: str = "AIRFLOW__API__SECRET_KEY"
    # Tasks of Airflow 2 write into the database; those of Airflow 3 call the web server.
    tasks_need_database: bool = False
    migrate: tuple[str, ...] = ("airflow", "db", "migrate")
    health_path: str = "/api/v2/monitor/health"
    api: Api = AIRFLOW_3_API
    # Whether Airflow itself reads DAGs from git.
    bundles: bool = True
    worker_cpu: str = "500m"
    worker_memory: str = "1Gi"
    # Major versions of PostgreSQL that this Airflow is tested with.
    postgresql: tuple[int, int] = (14, 18)
    drivers: tuple[str, str] = ("postgresql+psycopg2", "postgresql+asyncpg")


# Every component reads these when it starts.
SHARED_SECTIONS = frozenset(
    {
        "aws",
        "azure_remote_logging",
        "common.io",
        "core",
        "database",
        "elasticsearch",
        "elasticsearch_configs",
        "kerberos",
        "logging",
        "metrics",
        "openlineage",
        "profiling",
        "secrets",
        "sentry",
        "traces",
    }
)
# Only tasks and commands read these: a task pod when it starts, a Celery worker when it does.
TASK_SECTIONS = frozenset(
    {
        "celery_kubernetes_executor",
        "cli",
        "debug",
        "imap",
        "lineage",
        "local_kubernetes_executor",
        "postgres",
        "providers.odbc",
        "sdk",
        "snowflake",
        "standard",
        "workers",
    }
)
# Whoever reads DAG files needs these for the defaults of tasks and for callbacks.
DAG_SECTIONS = frozenset({"callbacks", "email", "operators", "sensors", "smtp"})
AWS_EXECUTORS = frozenset({"aws_batch_executor", "aws_ecs_executor", "aws_eks_executor", "aws_lambda_executor"})
# The web server tells whether the others are healthy, and fetches logs of running task pods from Kubernetes.
WATCHED = frozenset(
    {
        "aws_auth_manager",
        "dag_processor.health_check_threshold",
        "kubernetes_executor.kube_client_request_args",
        "kubernetes_executor.running_pod_log_lines",
        "kubernetes_executor.ssl_ca_cert",
        "kubernetes_executor.verify_ssl",
        "scheduler.allowed_run_id_pattern",
        "scheduler.job_heartbeat_sec",
        "scheduler.scheduler_health_check_threshold",
        "triggerer.job_heartbeat_sec",
        "triggerer.triggerer_health_check_threshold",
    }
)
CELERY_SECTIONS = frozenset({"celery", "celery_broker_transport_options", "celery_result_backend_transport_options"})
WEB_SERVER_PORT = 8080
SCHEDULER_HEALTH_PORT = 8974
WORKER_LOG_PORT = 8793
TRIGGERER_LOG_PORT = 8794
FLOWER_PORT = 5555

WEB_SERVER = Component(
    name="web-server",
    args=("airflow", "api-server", "--proxy-headers"),
    probe=Probe(path="/api/v2/version", port=WEB_SERVER_PORT),
    reads=frozenset({"api", "api_auth", "fab", "execution_api", "state_store", *WATCHED}),
    cpu="500m",
    memory="2Gi",
    health_key="metadatabase",
    port=WEB_SERVER_PORT,
    # The server itself waits up to 120 s for open requests; a task's heartbeat must not be cut.
    grace_seconds=130,
    drain_seconds=5,
    calls_kubernetes=True,
    signs_tokens=True,
)
SCHEDULER = Component(
    name="scheduler",
    args=("airflow", "scheduler"),
    probe=Probe(path="/health", port=SCHEDULER_HEALTH_PORT),
    reads=frozenset(
        {
            "scheduler",
            "kubernetes_executor",
            "execution_api",
            "api_auth",
            "connection_test",
            "operators.default_queue",
            *CELERY_SECTIONS,
            *AWS_EXECUTORS,
        }
    ),
    cpu="500m",
    memory="1536Mi",
    health_key="scheduler",
    calls_kubernetes=True,
    signs_tokens=True,
    needs_broker=True,
)
DAG_PROCESSOR = Component(
    name="dag-processor",
    args=("airflow", "dag-processor"),
    probe=Probe(job_type="DagProcessorJob"),
    reads=frozenset(
        {
            "dag_processor",
            "scheduler.catchup_by_default",
            "scheduler.create_cron_data_intervals",
            "scheduler.create_delta_data_intervals",
            "scheduler.parsing_cleanup_interval",
            *DAG_SECTIONS,
        }
    ),
    cpu="500m",
    memory="1Gi",
    health_key="dag_processor",
    runs_dag_code=True,
    # The old one would bring DAGs of a repository back that the new one has just put away, and nobody would again.
    one_set_at_a_time=True,
)
TRIGGERER = Component(
    name="triggerer",
    args=("airflow", "triggerer"),
    probe=Probe(job_type="TriggererJob"),
    reads=frozenset({"triggerer"}),
    cpu="250m",
    memory="1Gi",
    health_key="triggerer",
    port=TRIGGERER_LOG_PORT,
)
AIRFLOW_3_COMPONENTS = (WEB_SERVER, SCHEDULER, DAG_PROCESSOR, TRIGGERER)

WORKER = Component(
    name="worker",
    args=("airflow", "celery", "worker"),
    probe=Probe(script="worker_alive.py"),
    reads=frozenset(
        {
            "dag_processor",
            "state_store",
            "scheduler.task_instance_heartbeat_timeout",
            "triggerer.queues_enabled",
            *CELERY_SECTIONS,
            *DAG_SECTIONS,
            *TASK_SECTIONS,
        }
    ),
    cpu="500m",
    memory="2Gi",
    port=WORKER_LOG_PORT,
    runs_dag_code=True,
    runs_tasks=True,
    needs_database=False,
    needs_broker=True,
)
FLOWER = Component(
    name="flower",
    args=("airflow", "celery", "flower"),
    probe=Probe(path="/healthcheck", port=FLOWER_PORT),
    reads=frozenset({"celery"}),
    cpu="100m",
    memory="512Mi",
    port=FLOWER_PORT,
    needs_database=False,
    needs_broker=True,
)

AIRFLOW_2_COMPONENTS = (
    replace(
        WEB_SERVER,
        args=("airflow", "webserver"),
        probe=Probe(path="/health", port=WEB_SERVER_PORT),
        reads=frozenset({"webserver", "api", "fab", *WATCHED}),
        # gunicorn ends open requests within 30 s.
        grace_seconds=60,
        signs_tokens=False,
    ),
    replace(
        SCHEDULER,
        reads=frozenset(
            {
                "scheduler",
                "kubernetes_executor",
                "webserver",
                "operators.default_queue",
                *CELERY_SECTIONS,
                *AWS_EXECUTORS,
            }
        ),
        signs_tokens=False,
    ),
    replace(DAG_PROCESSOR, reads=frozenset({"dag_processor", "scheduler", *DAG_SECTIONS})),
    # A trigger is imported from the DAGs.
    replace(TRIGGERER, reads=frozenset({"triggerer", "webserver"}), runs_dag_code=True),
)

PROFILES = {
    "2.11": Profile(
        release="2.11.2",
        bundles=False,
        image="apache/airflow:2.11.2",
        components=AIRFLOW_2_COMPONENTS,
        worker=replace(WORKER, needs_database=True, reads=WORKER.reads | {"webserver"}),
        flower=replace(FLOWER, needs_database=True),
        secret_key_variable="AIRFLOW__WEBSERVER__SECRET_KEY",
        postgresql=(12, 16),
        tasks_need_database=True,
        health_path="/health",
        api=AIRFLOW_2_API,
    ),
    "3.3": Profile(
        release="3.3.2",
        image="apache/airflow:3.3.2",
        components=AIRFLOW_3_COMPONENTS,
        worker=WORKER,
        flower=FLOWER,
    ),
}
NEWEST = "3.3"
# From which version to which the database can be migrated: never back.
UPGRADES = {"2.11": ("3.3",)}

# Published at a registry of its own; a mirror has it under the same name.
GIT_SYNC_REGISTRY = "registry.k8s.io"
GIT_SYNC_IMAGE = "git-sync/git-sync:v4.7.1"
# Task pods do not get what only these consume; jobs no more than what all consume.
SERVERS = ("web-server", "scheduler", "triggerer", "flower")


def reads(of: Profile, part: str, section: str, option: str) -> bool:
    """Whether a part of a service (a component, ``task`` or ``jobs``) consumes an option of airflow.cfg.

    Of a section that is in none of the tables everybody is taken to be a reader.
    """
    everyone = (*of.components, of.worker, of.flower)
    claimed = TASK_SECTIONS.union(*(component.reads for component in everyone))
    if section in SHARED_SECTIONS or not claimed & {section, f"{section}.{option}"}:
        return True
    if part == "jobs":
        return False
    if part == "task":
        readers = {component.name for component in everyone if {section, f"{section}.{option}"} & component.reads}
        return not readers or not readers <= set(SERVERS)
    return any(part == item.name and {section, f"{section}.{option}"} & item.reads for item in everyone)


STATSD_EXPORTER_IMAGE = "prom/statsd-exporter:v0.31.0"
DATABASE_IMAGE = "postgres:15"
BROKER_IMAGE = "redis:7"


def profile(version: str) -> Profile:
    """The profile of a supported minor version (``3.3``).

    :raises BadOption: naming the versions there are.
    """
    if version not in PROFILES:
        raise BadOption(
            f"Airflow '{version}' is not supported", where="version", next_step=f"Use {', '.join(sorted(PROFILES))}"
        )
    return PROFILES[version]
