# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploaded files in a running Airflow: a DAG uses a plugin, a library and a shared file; what does not fit stays out.

The service is made after the first uploads, so that it starts with them and is rolled out only once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import NAMESPACE, airflow_of, further
from content import DAG, DAG_ID, PLUGIN, SEEN, seen, uploaded
from driver import Driver, Result
from places import IN_CLUSTER_GIT, Airflow, GitServer

SERVICE = "uploads"
# With trials and a console beside it, on a machine that has other things to do.
READY_SECONDS = 400


def upload(driver: Driver, kind: str, name: str, **what: Any) -> Result:
    done = driver.run("dataops_upload", kind=kind, name=name, service=SERVICE, **what)
    assert not done.failed, done.message
    return done


def plugin(driver: Driver, word: str) -> Result:
    return upload(driver, "plugin", "e2e_plugin.py", content=PLUGIN.format(word=word))


@pytest.fixture(scope="module")
def using(
    manager: Driver, driver: Driver, git: GitServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driver]:
    """A driver that has a service with one file of each kind."""
    uploaded(driver, SERVICE, tmp_path_factory.mktemp("wheel"))
    git.push("public/e2e-uploads.git", dag_id=DAG_ID, text="seen", source=DAG)
    repository = {"repo": f"{IN_CLUSTER_GIT}/public/e2e-uploads.git", "subdir": "dags", "interval": 5}
    with further(driver, SERVICE, git_sync=repository, wait_timeout=READY_SECONDS):
        yield driver


@pytest.fixture(scope="module")
def airflow(using: Driver, kube: Kube) -> Airflow:
    return airflow_of(kube, SERVICE)


def pods(kube: Kube) -> set[str]:
    labels = f"app.kubernetes.io/instance={SERVICE},app.kubernetes.io/component in (scheduler, web-server)"
    return {pod["metadata"]["uid"] for pod in kube.list("Pod", NAMESPACE, labels=labels)}


def test_a_dag_uses_them(using: Driver, airflow: Airflow) -> None:
    assert seen(airflow) == SEEN


def test_a_shared_file_is_there_within_seconds_and_nothing_restarts(
    using: Driver, airflow: Airflow, kube: Kube
) -> None:
    before = pods(kube)
    done = upload(using, "shared", "rates.csv", content="1.7")
    assert done.values["restarted"] == []
    assert seen(airflow) == "seen: first from a wheel 1.7"
    assert pods(kube) == before


def test_what_does_not_fit_is_refused_before_anything_restarts(using: Driver, kube: Kube) -> None:
    before = pods(kube)
    broken = {"kind": "plugin", "name": "broken.py", "content": "x = 1\nimport no_such_module\n", "service": SERVICE}
    message = using.refused("dataops_upload", **broken)
    assert "broken.py line 2: ModuleNotFoundError: No module named 'no_such_module'" in message
    asked = {"kind": "library", "name": "old.txt", "content": "packaging==20.0\n", "service": SERVICE}
    message = using.refused("dataops_upload", **asked)
    assert "packaging==20.0 is asked for, but the image has packaging" in message
    assert "Nothing was restarted" in message
    assert pods(kube) == before
    assert not using.run("dataops_service", check=True, name=SERVICE).values["actions"]


def test_another_plugin_is_rolled_out_and_told(using: Driver) -> None:
    before = told(using)
    done = plugin(using, "second")
    assert f"{SERVICE}/scheduler" in done.values["restarted"]
    after = told(using)
    assert (after["health"], after["reasons"]) == ("healthy", [])
    assert after["files"]["libraries"] == before["files"]["libraries"]
    assert after["files"]["plugins"] != before["files"]["plugins"]
    assert not plugin(using, "second").values["changed"]


def told(driver: Driver) -> dict[str, Any]:
    (found,) = driver.run("dataops_service_info", name=SERVICE)["services"]
    return dict(found)
