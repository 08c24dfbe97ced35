# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating and changing a service on pages: what is asked for, what a refusal names, and where passwords stay."""

from __future__ import annotations

import re
import weakref
from html import unescape
from typing import Any

import pytest
from ansible_collections.scp.dataops.console import drafts, forms
from ansible_collections.scp.dataops.console.drafts import Draft, Drafts, Subject
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotFound
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..airflow.git.samples import CERTIFICATE
from ..fake_kube import FakeKube
from ..runs import NAMESPACE, run
from .test_service_verbs_page import Browser

SECRET = "SENTINEL-git-password"
REPO = "https://git.example.com/dags.git"
HOSTS = {
    "enabled": "true",
    "host_alias_list": [{"ip": "10.0.0.5", "hostname": "db"}, {"ip": "10.0.0.5", "hostname": "dw"}],
}
# What is recorded, what was typed, and what that asks for.
ASKED: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, Any]]] = {
    "nothing": ({}, {}, {}),
    "unchanged": ({"description": "a\nb"}, {"description": "a\r\nb"}, {}),
    "not sent": ({"description": "a"}, {}, {}),
    "changed": ({"description": "a"}, {"description": "b"}, {"description": "b"}),
    "emptied": ({"description": "a"}, {"description": ""}, {"description": ""}),
    "tags": (
        {},
        {"tags": "team=data\n\nnight="},
        {"tags": [{"tag_key": "team", "tag_value": "data"}, {"tag_key": "night", "tag_value": ""}]},
    ),
    "tags emptied": ({"tags": [{"tag_key": "team", "tag_value": "data"}]}, {"tags": ""}, {"tags": []}),
    "hosts": ({}, {"host_alias": "10.0.0.5 db dw"}, {"host_alias": HOSTS}),
    "hosts emptied": (
        {"host_alias": HOSTS},
        {"host_alias": ""},
        {"host_alias": {"enabled": "false", "host_alias_list": []}},
    ),
    "cores": ({}, {"service_workload.worker.cpu": "0.5"}, {"service_workload": {"worker": {"cpu": "500"}}}),
    "the same cores": (
        {"service_workload": {"worker": {"cpu": "500"}}},
        {"service_workload.worker.cpu": "0.5"},
        {},
    ),
    "very few thousandths": (
        {"service_workload": {"worker": {"cpu": "5"}}},
        {"service_workload.worker.cpu": "5m"},
        {},
    ),
    "thousandths": ({}, {"service_workload.worker.cpu": "250m"}, {"service_workload": {"worker": {"cpu": "250m"}}}),
    "git": ({}, {"git_sync.repo": REPO, "git_sync.interval": "30"}, {"git_sync": {"repo": REPO, "interval": 30}}),
    "no git any more": ({"git_sync": {"repo": REPO}}, {"git_sync.repo": "", "git_sync.ref": "x"}, {"git_sync": {}}),
    "config": ({}, {"config": "core:\n  parallelism: 64"}, {"config": {"core": {"parallelism": 64}}}),
    "a remark in config": (
        {"config": {"core": {"parallelism": 64}}},
        {"config": "core:\n  parallelism: 64  # enough"},
        {},
    ),
    "nothing but a remark": ({}, {"config": "# none"}, {}),
    "an option less": (
        {"config": {"core": {"parallelism": 64, "load_examples": True}, "api": {"x": 1}}},
        {"config": "core:\n  parallelism: 64"},
        {"config": {"core": {"load_examples": ""}, "api": ""}},
    ),
    "config emptied": ({"config": {"core": {"parallelism": 64}}}, {"config": ""}, {"config": {}}),
}
EVERYTHING = (*forms.NEW,)


@pytest.mark.parametrize(("own", "typed", "body"), ASKED.values(), ids=ASKED.keys())
def test_what_is_asked_for(own: dict[str, Any], typed: dict[str, str], body: dict[str, Any]) -> None:
    assert forms.asked(EVERYTHING, own, typed) == (body, {})


@pytest.mark.parametrize(
    "text", ["a: &x [1]\nb: *x", "a: [", "[" * 5000, "- a", "text", "a: 1", "a:\n  b: 2026-01-01", "a: \x00"]
)
def test_yaml_that_cannot_be(text: str) -> None:
    body, problems = forms.asked(EVERYTHING, {}, {"config": text})
    assert (body, list(problems)) == ({}, ["config"])


PLACES = {
    "a field": ("git_sync.repo", "git_sync.repo"),
    "inside of one": ("config.core.parallelism", "config"),
    "one of a list": ("host_alias[1].ip", "host_alias"),
    "around some": ("service_workload.worker", "service_workload.worker.cpu"),
    "elsewhere": ("Deployment/etl", ""),
    "nowhere": ("", ""),
}


@pytest.mark.parametrize(("where", "key"), PLACES.values(), ids=PLACES.keys())
def test_the_field_that_a_refusal_is_about(where: str, key: str) -> None:
    assert forms.field_at(EVERYTHING, where) == key


@pytest.fixture
def fresh(client: TestClient, app: FastAPI, kube: FakeKube) -> Browser:
    """Without a service."""
    found = Browser(client, app)
    app.state.recent.seconds = 0
    kube.forget()
    return found


@pytest.fixture
def browser(fresh: Browser, kube: FakeKube) -> Browser:
    run(
        kube,
        size="small",
        description="first",
        config={"core": {"parallelism": 64}},
        host_aliases=[{"ip": "10.0.0.5", "hostnames": ["db", "dw"]}],
        git_sync={"repo": REPO, "username": "kim", "password": SECRET},
        scheduler={"cpu": "2", "memory": "2Gi"},
    )
    kube.forget()
    return fresh


def filled(browser: Browser, path: str) -> dict[str, str]:
    """What a browser would send of a form that nobody has touched."""
    return fields_of(browser.get(path).text)


def fields_of(text: str) -> dict[str, str]:
    found = {}
    for key, value in re.findall(r'<input [^>]*name="([^"]+)"[^>]* value="([^"]*)"', text):
        found[unescape(key)] = unescape(value)
    for key, value in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>([^<]*)<', text):
        # The first line break is not a part of it.
        found[key] = unescape(value).removeprefix("\n")
    for key, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected>', options)
        found[key] = chosen[1] if chosen else ""
    found.pop("csrf")
    return found


def preview(browser: Browser, path: str, typed: dict[str, str]) -> tuple[str, str]:
    """Where the preview is, and what it shows, of a form in which this was typed."""
    sent = browser.post(path, **{**filled(browser, path), **typed})
    assert sent.status_code == 303, sent.text
    where: str = sent.headers["location"]
    return where, browser.get(where).text


def test_create(fresh: Browser, kube: FakeKube) -> None:
    typed = {
        **filled(fresh, "/services/new"),
        "data_ops_service_name": "etl",
        "description": "<b>nightly</b>",
        "git_sync.repo": REPO,
        "git_sync.username": "kim",
        "git_sync.password": SECRET,
    }
    where, shown = preview(fresh, "/services/new", typed)
    assert "create Deployment/etl-scheduler" in shown and "Apply" in shown
    assert SECRET not in shown and "<b>nightly" not in shown
    assert kube.writes == []
    ended = fresh.ended(fresh.post(where))
    assert "Done" in ended and SECRET not in ended
    assert "RUNNING" in fresh.get("/services/etl").text
    assert "git" in str(kube.find("Secret", "etl-git", NAMESPACE)["data"])
    assert fresh.get(where).status_code == 404


def test_a_new_service_that_is_refused_shows_what_was_filled_in(fresh: Browser) -> None:
    typed = {**filled(fresh, "/services/new"), "data_ops_service_name": "No Name", "git_sync.repo": REPO}
    refused = fresh.post("/services/new", **typed)
    assert refused.status_code == 400
    opened = re.findall(r'<details class="card"( open)?>\s*<summary>([^<]+)', refused.text)
    assert [title for is_open, title in opened if is_open] == ["DAGs GitSync"]


@pytest.mark.parametrize("part", forms.CHANGES)
def test_a_form_that_nobody_touched_changes_nothing(browser: Browser, kube: FakeKube, part: str) -> None:
    path = f"/services/etl/change/{part}"
    _where, shown = preview(browser, path, filled(browser, path))
    assert "Nothing changes." in shown and "Apply" not in shown
    assert kube.writes == []
    assert "etl" in browser.get(path, "ko").text


CHANGED = {
    "description": ({"description": "second"}, "description", "second"),
    "size": (
        {"service_workload.scheduler.memory": "3Gi", "service_workload.scheduler.cpu": "0.5"},
        "scheduler",
        {"cpu": "500m", "memory": "3Gi"},
    ),
    "git-sync": ({"git_sync.ref": "release-7"}, "git_sync", {"repo": REPO, "username": "kim", "ref": "release-7"}),
    "host-alias": ({"host_alias": "10.0.0.6 db"}, "host_aliases", [{"ip": "10.0.0.6", "hostnames": ["db"]}]),
    "executor": ({"worker_type": "CeleryExecutor"}, "executor", "CeleryExecutor"),
    "executor, drain": ({"drain_timeout": "0"}, "drain_timeout", 0),
    "size, storage": ({"storage_size": "20Gi"}, "storage_size", "20Gi"),
    "git-sync, ca": ({"git_sync.ca": f"ours\n{CERTIFICATE}"}, "git_sync", {"ca": f"ours\n{CERTIFICATE}".strip()}),
    "airflow-configuration": ({"config": "core:\n  parallelism: 32"}, "config", {"core": {"parallelism": 32}}),
}


@pytest.mark.parametrize("part", CHANGED)
def test_change(browser: Browser, app: FastAPI, kube: FakeKube, part: str) -> None:
    typed, option, expected = CHANGED[part]
    path = f"/services/etl/change/{part.partition(',')[0]}"
    where, shown = preview(browser, path, {**filled(browser, path), **typed})
    assert "ConfigMap/etl-record" in shown and kube.writes == []
    ended = browser.ended(browser.post(where))
    assert "Done" in ended, ended
    task = browser.get("/api/v1/data-ops-services/etl/export").json()["task"]
    recorded = run(kube, **{option: expected})
    assert [change for change in recorded.changes if change.action != "keep"] == [], task
    assert SECRET not in browser.get(path).text + shown


FURTHER = [{"name": "team-b", "repo": "https://git.example.com/b.git", "ref": "v1", "depth": 3}]
WORKER = "service_workload.worker"


def test_further_repositories_are_shown_and_stay(browser: Browser, kube: FakeKube) -> None:
    run(kube, git_sync={"repositories": FURTHER})
    path = "/services/etl/change/git-sync"
    assert "team-b https://git.example.com/b.git v1" in browser.get(path).text
    where, shown = preview(browser, path, {"git_sync.ref": "release-7"})
    assert "repositories" not in shown.partition("<h2")[2].partition("</table>")[0]
    assert "Done" in browser.ended(browser.post(where))
    kept = record.read(kube.find("ConfigMap", "etl-record", NAMESPACE))["git_sync"]
    assert (kept["repositories"], kept["ref"]) == (FURTHER, "release-7")


def test_workers_are_given_numbers_and_lose_them(browser: Browser, kube: FakeKube) -> None:
    def worker() -> Any:
        return record.read(kube.find("ConfigMap", "etl-record", NAMESPACE)).get("worker")

    run(kube, executor="CeleryExecutor", worker={"autoscaling": {"max_replicas": 3, "cpu_percent": 50}})
    path = "/services/etl/change/size"
    typed = {f"{WORKER}.concurrency": "8", f"{WORKER}.autoscaling.min_replicas": "2"}
    where, shown = preview(browser, path, typed)
    assert "worker.autoscaling.min_replicas" in shown
    assert "Done" in browser.ended(browser.post(where))
    assert worker() == {"concurrency": 8, "autoscaling": {"min_replicas": 2, "max_replicas": 3, "cpu_percent": 50}}
    emptied = {f"{WORKER}.concurrency": "", f"{WORKER}.autoscaling.max_replicas": "", f"{WORKER}.replica": "4"}
    where, _shown = preview(browser, path, emptied)
    assert "Done" in browser.ended(browser.post(where))
    assert worker() == {"replicas": 4}


def test_a_preview_tells_what_restarts_and_what_differs(browser: Browser) -> None:
    path = "/services/etl/change/size"
    _where, shown = preview(browser, path, {**filled(browser, path), "service_workload.scheduler.memory": "3Gi"})
    assert "Get new pods" in shown and "<li>scheduler</li>" in shown
    assert re.search(r'<span class="add">\+ *memory: 3Gi', shown)
    assert "No component restarts." in preview(browser, "/services/etl/change/description", {"description": "x"})[1]


REFUSED = {
    "a name": ("/services/new", {"data_ops_service_name": "<b>"}, "data_ops_service_name", "is not a valid name"),
    "a name that is taken": ("/services/new", {"data_ops_service_name": "etl"}, "data_ops_service_name", "exists"),
    "no name": ("/services/new", {}, "data_ops_service_name", "is not a valid name"),
    "a version": ("/services/new", {"data_ops_service_name": "two", "version": "1.0"}, "version", "not offered"),
    "a storage": ("/services/new", {"data_ops_service_name": "two", "storage_size": "big"}, "storage_size", "big"),
    "a description": ("/services/etl/change/description", {"description": "x" * 151}, "description", "too many"),
    "a tag": ("/services/etl/change/description", {"tags": "=x"}, "tags", ""),
    "cores": (
        "/services/etl/change/size",
        {"service_workload.worker.cpu": "many"},
        "service_workload.worker.cpu",
        "many",
    ),
    "pods": (
        "/services/etl/change/size",
        {"service_workload.scheduler.replica": "x"},
        "service_workload.scheduler.replica",
        "whole number",
    ),
    "a profile": ("/services/etl/change/size", {"size": "huge"}, "size", "huge"),
    "a repository": ("/services/etl/change/git-sync", {"git_sync.repo": "ftp://x"}, "git_sync.repo", "not the address"),
    "an interval": ("/services/etl/change/git-sync", {"git_sync.interval": "1"}, "git_sync.interval", ""),
    "a key": ("/services/etl/change/git-sync", {"git_sync.ssh_key": SECRET}, "git_sync.ssh_key", ""),
    "an address": ("/services/etl/change/host-alias", {"host_alias": "10.0.0.999 db"}, "host_alias", "10.0.0.999"),
    "an address alone": ("/services/etl/change/host-alias", {"host_alias": "10.0.0.9"}, "host_alias", "has no name"),
    "an executor": ("/services/etl/change/executor", {"worker_type": "Local"}, "worker_type", "not supported"),
    "an option": (
        "/services/etl/change/airflow-configuration",
        {"config": "core:\n  paralelism: 1"},
        "config",
        "no option",
    ),
    "an authority": ("/services/etl/change/git-sync", {"git_sync.ca": "x"}, "git_sync.ca", "This is not a"),
    "seconds of no number": (
        "/services/etl/change/executor",
        {"drain_timeout": "soon"},
        "drain_timeout",
        "It is not a whole number. Write a number such as 2.",
    ),
    "too many seconds": (
        "/services/etl/change/executor",
        {"drain_timeout": "86401"},
        "drain_timeout",
        "86401 is out of range. Use a whole number from 0 to 86400.",
    ),
    "tasks at once without Celery": (
        "/services/etl/change/size",
        {"service_workload.worker.concurrency": "8"},
        "service_workload.worker.concurrency",
        "so workers have no concurrency",
    ),
    "workers of no number": (
        "/services/etl/change/size",
        {"service_workload.worker.autoscaling.max_replicas": "x"},
        "service_workload.worker.autoscaling.max_replicas",
        "It is not a whole number.",
    ),
    "smaller volumes": ("/services/etl/change/size", {"storage_size": "5Gi"}, "storage_size", "no volume shrinks"),
    "a size of volumes": ("/services/etl/change/size", {"storage_size": "1Mi"}, "storage_size", "at least 1Gi"),
    "no YAML": (
        "/services/etl/change/airflow-configuration",
        {"config": "core: ["},
        "config",
        "cannot be read in line",
    ),
    "a variable": (
        "/services/etl/change/airflow-configuration",
        {"environment": "all:\n  1x: 1"},
        "environment",
        "no name",
    ),
}


@pytest.mark.parametrize(("path", "typed", "key", "what"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_stands_at_its_field(
    browser: Browser, kube: FakeKube, path: str, typed: dict[str, str], key: str, what: str
) -> None:
    refused = browser.post(path, **{**filled(browser, path), **typed})
    assert refused.status_code in (400, 409), refused.text
    at_fault = re.findall(r'name="([^"]+)" aria-invalid', refused.text)
    assert at_fault == [key]
    assert what in unescape(refused.text)
    for typed_key, value in typed.items():
        if value and typed_key != "git_sync.ssh_key" and typed_key not in ("version", "size", "worker_type"):
            assert value in unescape(refused.text)
    assert "<b>" not in refused.text.partition("<main")[2] and SECRET not in refused.text
    assert kube.writes == []


def test_what_stands_in_the_way_when_it_is_applied(browser: Browser, app: FastAPI, kube: FakeKube) -> None:
    where, _shown = preview(browser, "/services/etl/change/description", {"description": "x"})
    kube.forbid("patch", "ConfigMap", NAMESPACE)
    refused = browser.post(where)
    assert refused.status_code == 502 and "missing rights" in refused.text and "Apply" in refused.text


def test_who_may_only_look(browser: Browser, client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    where, _shown = preview(browser, "/services/etl/change/description", {"description": "x"})
    _token, text = app.state.tokens.create(kube, "pipeline", "viewer")
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {text}"
    kube.forget()
    assert "/change/" not in browser.get("/services/etl").text
    assert "/services/new" not in browser.get("/").text
    for path in ("/services/new", "/services/etl/change/size", where):
        assert browser.get(path).status_code == 403
        assert browser.post(path).status_code == 403
    assert kube.writes == []


def test_a_form_of_before_is_not_taken(browser: Browser, kube: FakeKube) -> None:
    path = "/services/etl/change/description"
    fields = filled(browser, path)
    where, _shown = preview(browser, path, {"description": "x"})
    run(kube, size="recommended")
    kube.forget()
    for answer in (browser.post(path, **{**fields, "description": "x"}), browser.post(where)):
        assert answer.status_code == 409
        assert "'etl' was changed meanwhile" in unescape(answer.text)
    assert kube.writes == []


def test_the_way_back_keeps_what_was_typed_but_no_secret(browser: Browser) -> None:
    typed = {"git_sync.ref": "release-7", "git_sync.password": SECRET}
    where, shown = preview(browser, "/services/etl/change/git-sync", typed)
    again = browser.get(f"{where}/form").text
    assert fields_of(again)["git_sync.ref"] == "release-7"
    assert SECRET not in shown + again
    assert re.search(r'git_sync.ref</th><td data-label="Before">none</td><td data-label="After">release-7<', shown)


def test_a_preview_is_its_sessions_only(browser: Browser, client: TestClient, app: FastAPI) -> None:
    where, _shown = preview(browser, "/services/etl/change/description", {"description": "x"})
    client.cookies.clear()
    other = Browser(client, app)
    assert other.get(where).status_code == other.get(f"{where}/form").status_code == 404
    assert other.post(where).status_code == 404


def test_what_is_not_there(browser: Browser) -> None:
    assert browser.get("/services/etl/change/colour").status_code == 404
    assert browser.get("/services/other/change/size").status_code == 404
    assert browser.get("/previews/x").status_code == 404


def test_drafts_do_not_stay_and_are_not_printed() -> None:
    now = 0.0
    kept = Drafts(clock=lambda: now)
    nothing = Subject(form=(), title="", path="/", back="/", merged=dict, apply=lambda change, body: {})
    body = {"password": SECRET}
    draft = Draft(owner="me", opened=lambda change: nothing, subject=nothing, values={}, body=body, plan={})
    first = kept.keep(draft)
    assert kept.get(first, "me") is draft
    assert SECRET not in repr(draft) + repr(kept)
    now = float(drafts.SECONDS)
    with pytest.raises(NotFound):
        kept.get(first, "me")
    numbers = [kept.keep(draft) for _count in range(drafts.MOST + 1)]
    assert kept.get(numbers[1], "me") is draft
    with pytest.raises(NotFound):
        kept.get(numbers[0], "me")
    now *= 2
    told = weakref.ref(draft)
    del draft
    kept.forget()
    assert told() is None
