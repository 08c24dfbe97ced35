# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole preflight: what it looks at, that it names every reason, and that it writes only what it shall try."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.preflight import trials
from ansible_collections.scp.dataops.plugins.module_utils.airflow.preflight.run import Report, Wishes, preflight

from ..fake_kube import FakeKube, cluster_object
from ..runs import NAMESPACE, cluster, cluster_with_service, service_request
from .builders import rendered, service

GIT = {"repo": "https://git.example.com/team/dags.git"}
# A run without a preflight module's own questions: see what a look around costs.
REQUESTS_OF_A_NEW_SERVICE = 70


def looked(kube: FakeKube, name: str = "etl", wishes: dict[str, Any] | None = None, **options: Any) -> Report:
    return preflight(kube, service_request(name, **options), Wishes(**(wishes or {})))


def said(report: Report, *statuses: str) -> list[str]:
    return [str(item) for item in report.findings if item.status in (statuses or ("refused",))]


def test_a_cluster_on_which_all_is_well() -> None:
    kube = cluster()
    report = looked(kube, wishes={"region": "kr-west1"})
    assert {item.status for item in report.findings} == {"ok"}
    assert {item.check for item in report.findings} == {
        "region",
        "kubernetes",
        "rights",
        "version",
        "ingress controller",
        "host",
        "storage class",
        "capacity",
        "admission",
    }
    assert report.error is None
    assert kube.writes == []
    assert kube.requests <= REQUESTS_OF_A_NEW_SERVICE


def test_every_reason_is_named() -> None:
    kube = cluster()
    kube.kubernetes = "v1.29.3"
    kube.put(
        cluster_object(
            "Ingress", "other", metadata={"namespace": "shop"}, spec={"rules": [{"host": "etl.example.com"}]}
        )
    )
    report = looked(
        kube,
        wishes={"region": "kr-east1"},
        storage_class="gold",
        account={"id": "Me", "password": "weak"},
        git_sync={"repo": "dags"},
        web_server={"cpu": "1000"},
        scheduler={"memory": "lots"},
    )
    for part in (
        "region: Data Ops is not provided in kr-east1",
        "kubernetes: Kubernetes v1.29.3 is too old (allowed: 1.30 or newer)",
        "account.id: 'Me' is not a valid account id",
        "git_sync.repo: this is not the address of a repository",
        "scheduler.memory: 'lots' is not",
        "storage_class: storage class 'gold' does not exist",
        "domain: host etl.example.com is already used by Ingress other in namespace shop",
        "web_server.cpu: each pod of web-server reserves 1000 cores",
    ):
        assert part in str(report.error)
    assert kube.writes == []


def test_a_password_alone_is_left_out_for_the_rest() -> None:
    report = looked(cluster(), account={"id": "operator", "password": "weak"})
    assert [item.option for item in report.findings if item.status == "refused"] == ["account.password"]
    assert any(item.check == "capacity" for item in report.findings)


def test_a_name_that_cannot_be_ends_it() -> None:
    report = looked(cluster(), "Etl", wishes={"test_storage": True})
    assert said(report, "refused") == [
        "name: 'Etl' is not a valid name. Use 3 to 30 lower-case letters, digits and '-', starting with a letter and "
        "not ending with '-'."
    ]
    assert said(report, "not_checked") == ["storage test: what else was found stands in its way."]


def test_an_existing_service_is_looked_at_as_it_would_be_changed() -> None:
    kube = cluster_with_service(scheduler={"cpu": "2"})
    assert "change: nothing would change." in said(looked(kube), "ok")
    report = looked(kube, storage_class="nfs")
    assert "have class 'standard', which cannot be changed to 'nfs'" in str(report.error)
    assert looked(kube, scheduler={"memory": "3Gi"}).error is None


def test_missing_rights_are_named_verb_by_verb() -> None:
    kube = cluster()
    kube.forbid("create", "Secret", NAMESPACE)
    kube.forbid("delete", "Job", NAMESPACE)
    (line,) = said(looked(kube))
    assert line.startswith(
        f"rights: missing are create secrets in namespace {NAMESPACE}, delete jobs.batch in namespace"
    )


def test_what_may_not_be_read_is_no_reason_for_silence() -> None:
    kube = cluster()
    kube.forbid("list", "Secret", NAMESPACE)
    report = looked(kube, wishes={"region": "mars"})
    assert [item.check for item in report.findings if item.status == "refused"] == ["region", "rights"]
    assert said(report, "not_checked") == ["service: what is there may not be read."]


def test_without_a_manager_the_rest_is_looked_at() -> None:
    report = looked(FakeKube(), storage_class="gold")
    assert [item.check for item in report.findings if item.status == "warning"] == ["manager"]
    assert [item.option for item in report.findings if item.status == "refused"] == ["storage_class"]


def test_trials_are_made_when_asked_for_and_leave_nothing() -> None:
    kube = cluster()
    before = kube.refs(NAMESPACE)
    wishes = {"test_storage": True, "test_images": True, "test_connections": True}
    report = looked(kube, wishes=wishes, git_sync=GIT)
    assert report.error is None
    assert {item.check for item in report.findings} >= {trials.STORAGE, trials.IMAGES, "connection test"}
    assert "apply PersistentVolumeClaim/etl-preflight" in kube.writes
    assert kube.refs(NAMESPACE) == before


FAILING: dict[str, tuple[str, dict[str, Any], str]] = {
    "storage": (
        "storage-test",
        {"test_storage": True},
        "storage_class: the default storage class does not serve two pods",
    ),
    "image": ("image-test-0", {"test_images": True}, "image: apache/airflow:3.3.2 cannot be had"),
    "repository": ("git-check", {"test_connections": True}, "git_sync: the repository could not be read"),
}


@pytest.mark.parametrize(("component", "wishes", "sentence"), FAILING.values(), ids=FAILING.keys())
def test_a_trial_that_fails_is_told_and_cleaned_up(component: str, wishes: dict[str, Any], sentence: str) -> None:
    kube = cluster()
    before = kube.refs(NAMESPACE)
    kube.failing = {component}
    report = looked(kube, wishes=wishes, git_sync=GIT)
    assert sentence in str(report.error)
    assert kube.refs(NAMESPACE) == before


def test_check_mode_makes_no_trial() -> None:
    kube = cluster()
    report = looked(kube, wishes={"test_storage": True}, check_mode=True)
    assert said(report, "not_checked") == ["storage test: it writes, so it is not made in check mode."]
    assert kube.writes == []


def test_images_are_those_of_every_pod() -> None:
    made = rendered(service()).all
    assert set(trials.image_names(made)) == {"apache/airflow:3.3.2", "postgres:15"}
