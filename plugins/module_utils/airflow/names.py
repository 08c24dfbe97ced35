# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of a service's objects and paths inside its containers: one place, because many parts must agree on them."""

from __future__ import annotations

AIRFLOW_HOME = "/opt/airflow"
CONFIG_FILE = f"{AIRFLOW_HOME}/airflow.cfg"
LOGS = f"{AIRFLOW_HOME}/logs"
POD_TEMPLATES = f"{AIRFLOW_HOME}/pod_templates"
TASK_POD_TEMPLATE = "task-pod.yaml"
SCRIPTS = "/etc/scp-dataops/scripts"
# Uploaded files: what is mounted from the Manager's volume, and where a Job sees all of that volume.
SHARED = f"{AIRFLOW_HOME}/shared"
PLUGINS = f"{AIRFLOW_HOME}/plugins"
LIBRARIES = f"{AIRFLOW_HOME}/libraries"
FILES = "/files"
# A folder with nothing but the module that Python imports at each start.
PYTHON = "/etc/scp-dataops/python"
AT_START = "sitecustomize.py"
GIT = "/etc/scp-dataops/git"
# Airflow's name for it; those of further repositories begin with it.
GIT_CONNECTION = "git_dags"
# On the node's disk, not on the shared volume: git locks files and clones many small ones.
BUNDLES = f"{AIRFLOW_HOME}/bundles"
DAGS = f"{AIRFLOW_HOME}/dags"
# No repository can have this name.
ALL_DAGS = f"{DAGS}/_all"

# Folders with one file each: a renewed authority arrives without a restart.
DATABASE_CA = "/etc/scp-dataops/database-ca"
BROKER_CA = "/etc/scp-dataops/broker-ca"
CA_FILE = "ca.crt"
DATABASE_CA_FILE = f"{DATABASE_CA}/{CA_FILE}"
BROKER_CA_FILE = f"{BROKER_CA}/{CA_FILE}"
# What the distribution of the Airflow image trusts.
SYSTEM_CA_FILE = "/etc/ssl/certs/ca-certificates.crt"


def record(service: str) -> str:
    return f"{service}-record"


def lock(service: str) -> str:
    return f"{service}-lock"


def config(service: str) -> str:
    return f"{service}-config"


def keys(service: str) -> str:
    return f"{service}-keys"


def database(service: str) -> str:
    """The database's Secret, StatefulSet, Service and volume share this name."""
    return f"{service}-database"


def broker(service: str) -> str:
    """The broker's Secret and, when it is embedded, its StatefulSet, Service and volume share this name."""
    return f"{service}-broker"


def store_check(service: str) -> str:
    return f"{service}-store-check"


def copies(service: str) -> str:
    """The volume for copies of the database."""
    return f"{service}-copies"


def former(service: str) -> str:
    """The Secret that says what the service was before an upgrade, as long as that has not ended."""
    return f"{service}-former"


def copy(service: str) -> str:
    return f"{service}-copy"


def account(service: str) -> str:
    return f"{service}-account"


def objects(service: str) -> str:
    """The Secret that remembers, by fingerprints, which passwords Airflow's objects were given."""
    return f"{service}-objects"


def git(service: str) -> str:
    return f"{service}-git"


def git_check(service: str) -> str:
    return f"{service}-git-check"


def image_check(service: str) -> str:
    return f"{service}-image-check"


def logs(service: str) -> str:
    return f"{service}-logs"


def component(service: str, name: str) -> str:
    return f"{service}-{name}"


def task(service: str) -> str:
    return f"{service}-task"


def metrics(service: str) -> str:
    """What receives metrics, with its Service and its mapping, and what tells Prometheus of it."""
    return component(service, "metrics")


def dashboard(service: str) -> str:
    return f"{service}-dashboard"


def web_server(service: str) -> str:
    return component(service, "web-server")
