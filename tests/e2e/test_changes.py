# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Option by option: what restarts is what has to, and a task that runs across all of these changes finishes.

Commits, executors, versions, numbers of pods and accounts have tests of their own: test_git, test_life, test_service.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import DEFAULT_DRAIN
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import DAG_ID, NAMESPACE, SERVICE
from driver import Driver
from places import Airflow, GitServer, until
from test_placement import AFFINITY, NOBODY, TOLERATION
from test_service import COMPONENTS, pods

PRIORITY = "e2e-changes"
AIRFLOW = set(COMPONENTS)
EVERYTHING = AIRFLOW | {"database"}
# What is asked, and what restarts: a new template of task pods is a restart of the scheduler.
CHANGES: dict[str, tuple[Any, set[str]]] = {
    "description": ("Changed", set()),
    "tags": ({"team": "e2e"}, set()),
    "drain_timeout": (700, set()),
    "host_aliases": ([{"ip": "192.0.2.9", "hostnames": ["ledger.internal"]}], AIRFLOW),
    "ca_certificates": ("CA", AIRFLOW),
    "egress_proxy": ({"http": NOBODY, "https": NOBODY}, AIRFLOW),
    "environment": ({"all": {"E2E_CHANGED": "yes"}}, AIRFLOW),
    "config": ({"core": {"parallelism": 30}}, AIRFLOW),
    "overrides": ({"triggerer": {"spec": {"terminationGracePeriodSeconds": 50}}}, {"triggerer"}),
    "web_server": ({"memory_limit": "3Gi"}, {"web-server"}),
    "scheduler": ({"memory_limit": "3Gi"}, {"scheduler"}),
    "dag_processor": ({"memory_limit": "3Gi"}, {"dag-processor"}),
    "triggerer": ({"memory_limit": "3Gi"}, {"triggerer"}),
    "worker": ({"memory_limit": "3Gi"}, {"scheduler"}),
    "node_selector": ({"kubernetes.io/os": "linux"}, EVERYTHING),
    "tolerations": ([TOLERATION], EVERYTHING),
    "affinity": (AFFINITY, EVERYTHING),
    "priority_class": (PRIORITY, EVERYTHING),
}


def asked(option: str, git: GitServer) -> dict[str, Any]:
    value = CHANGES[option][0]
    return {option: git.ca if value == "CA" else value}


@pytest.fixture(scope="module")
def lent(service: Driver, kube: Kube) -> Iterator[Driver]:
    """The shared service, which is at the end as it was before."""
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": PRIORITY}}
    kube.apply({**priority, "value": 1000})
    yield service
    cleared: dict[type, Any] = {str: "", dict: {}, list: [], int: DEFAULT_DRAIN}
    service.service(SERVICE, **{option: cleared[type(value)] for option, (value, _restarted) in CHANGES.items()})
    kube.delete("PriorityClass", PRIORITY)


@pytest.mark.parametrize("option", CHANGES)
def test_what_has_to_restart_is_foretold(lent: Driver, git: GitServer, option: str) -> None:
    foretold = lent.service(SERVICE, check=True, **asked(option, git))
    assert foretold["changed"] and set(foretold["restarted"]) == CHANGES[option][1]


def test_a_task_runs_across_all_of_them(lent: Driver, git: GitServer, airflow: Airflow, kube: Kube) -> None:
    running = airflow.run_dag(DAG_ID, seconds=90)
    until(lambda: airflow.task_state(DAG_ID, running) == "running", "the task runs", 120)
    before = pods(kube)
    database = kube.get("Pod", f"{SERVICE}-database-0", NAMESPACE) or {}
    together = {key: value for option in CHANGES for key, value in asked(option, git).items()}
    done = lent.service(SERVICE, **together)
    assert set(done["restarted"]) == EVERYTHING
    assert [part for part, uid in pods(kube).items() if uid == before[part]] == []
    assert (kube.get("Pod", f"{SERVICE}-database-0", NAMESPACE) or {})["metadata"]["uid"] != database["metadata"]["uid"]
    assert airflow.task_state(DAG_ID, running) == "running"
    assert airflow.finish(DAG_ID, running) == "success"
    assert lent.service(SERVICE, **together)["actions"] == []
