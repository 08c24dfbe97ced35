# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings: what is inherited and what is set, and the form that changes the Manager and its defaults."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from ansible_collections.scp.dataops.console import option_texts
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..airflow.builders import AUTHORITY
from ..fake_kube import FakeKube
from ..runs import NAMESPACE, run, run_manager
from .conftest import SECRETS
from .test_pages import HTML, signed_in
from .test_service_form_page import fields_of, filled, preview
from .test_service_verbs_page import Browser

CHANGE = "/settings/change"
WORKER = "default_settings.service_workload.worker"


def recorded(kube: FakeKube) -> dict[str, Any]:
    return record.read(kube.find("ConfigMap", "dataops-manager-record", NAMESPACE))


@pytest.fixture
def browser(client: TestClient, app: FastAPI, kube: FakeKube) -> Browser:
    return Browser(client, app)


def row(text: str, name: str) -> str:
    """The words of a row, without tags."""
    found = re.search(rf'<tr><th scope="row" class="code">{re.escape(name)}</th>(.*?)</tr>', text, re.DOTALL)
    assert found, name
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_what_is_inherited_and_what_is_set(client: TestClient, kube: FakeKube) -> None:
    run_manager(
        kube,
        description="Ours <script>",
        tags={"team": "data"},
        host_aliases=[{"ip": "10.0.0.5", "hostnames": ["lake.internal"]}],
        default_settings={
            "worker": {"cpu": "1", "memory": "2Gi"},
            "config": {"core": {"parallelism": 64}, "sentry": {"sentry_dsn": {"secret": "sentry", "key": "dsn"}}},
            "node_selector": {"pool": "dataops"},
        },
    )
    kube.put(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "sentry", "namespace": NAMESPACE},
            "data": {"dsn": "U0VOVElORUw="},
        }
    )
    run(kube, worker={"memory": "4Gi"}, config={"core": {"parallelism": 8}})
    signed_in(client)
    text = client.get("/settings", headers=HTML).text
    defaults, service = text.split('id="service-etl"')
    assert row(defaults, "config.core.parallelism") == "64 etl"
    assert row(defaults, "worker.cpu") == "1 none"
    assert row(service, "config.core.parallelism") == "8 Own instead of 64"
    assert row(service, "worker.memory") == "4Gi Own instead of 2Gi"
    assert row(service, "worker.cpu") == "1 Inherited"
    assert row(service, "config.sentry.sentry_dsn") == "Secret sentry, dsn Inherited"
    assert row(service, "node_selector") == "pool=dataops Inherited"
    assert row(service, "domain") == "example.com Inherited"
    links = re.findall(r'href="(/services/etl/change/[^"]+)"', text)
    assert len(links) == 3
    assert {client.get(path, headers=HTML).status_code for path in links} == {200}
    assert "Ours &lt;script&gt;" in text and "<script>" not in text
    assert "team=data" in text and "10.0.0.5 lake.internal" in text
    assert "password in Secret dataops-manager-account" in text
    assert "SENTINEL" not in text and SECRETS["account"]["password"] not in text


def test_a_service_that_cannot_be_read_says_why(client: TestClient, kube: FakeKube) -> None:
    run(kube)
    written = kube.find("ConfigMap", "etl-record", NAMESPACE)
    written["data"][record.KEY] = '{"later": true}'
    kube.put(written)
    signed_in(client)
    assert "It cannot be read: later: no such option" in client.get("/settings", headers=HTML).text


def test_in_korean_and_without_services(client: TestClient) -> None:
    signed_in(client)
    client.cookies.set("dataops-language", "ko")
    for path in ("/settings", CHANGE):
        text = client.get(path, headers=HTML).text
        assert '<html lang="ko">' in text and "모든 서비스" in text
        assert re.findall(r"<style| style=| on\w+=|<script(?![^>]* src=)|javascript:", text) == []


def test_a_form_that_is_sent_back_as_it_came_changes_nothing(browser: Browser, kube: FakeKube) -> None:
    run_manager(
        kube,
        description="Ours",
        tags={"team": "data", "empty": ""},
        host_aliases=[{"ip": "10.0.0.5", "hostnames": ["a.internal", "b.internal"]}],
        default_settings={
            "size": "small",
            "worker": {"cpu": "1", "replicas": 2, "autoscaling": {"max_replicas": 4}},
            "config": {"core": {"parallelism": 64, "default_timezone": "Asia/Seoul"}},
            "environment": {"all": {"TEXT": "yes", "LINES": "a\nb"}},
            "node_selector": {"pool": "dataops"},
        },
    )
    fields = filled(browser, CHANGE)
    assert fields[f"{WORKER}.replica"] == "2" and fields["default_settings.size"] == "small"
    _where, shown = preview(browser, CHANGE, {})
    assert "Nothing changes." in shown and "Apply" not in shown


def test_change_preview_and_apply(browser: Browser, kube: FakeKube) -> None:
    run_manager(kube, default_settings={"scheduler": {"cpu": "1"}, "config": {"core": {"parallelism": 64}}})
    run(kube)
    run(kube, name="own", config={"core": {"parallelism": 8}})
    before = kube.state()
    typed = {
        "description": "New",
        "tags": "team = data\n\n",
        "default_settings.service_workload.scheduler.cpu": "",
        f"{WORKER}.memory": "4Gi",
        "default_settings.config": "core:\n  parallelism: 32\ntriggerer:\n  capacity: 50\n",
    }
    where, shown = preview(browser, CHANGE, typed)
    assert kube.state() == before
    assert row(shown, "default_settings.config.core.parallelism").split() == ["64", "32"]
    assert row(shown, "default_settings.scheduler.cpu").split() == ["1", "none"]
    both = dict(re.findall(r'href="/services/(\w+)">\w+</a></dt><dd class="code">([^<]+)</dd>', shown))
    assert both["etl"] == "config.core.parallelism, config.triggerer.capacity, scheduler.cpu, worker.memory"
    assert both["own"] == "config.triggerer.capacity, scheduler.cpu, worker.memory"
    assert "update ConfigMap/dataops-manager-record" in shown
    assert "The console itself restarts" not in shown
    assert filled(browser, f"{where}/form")[f"{WORKER}.memory"] == "4Gi"
    ended = browser.ended(browser.post(where))
    assert "Done" in ended and 'href="/settings">Go to the settings</a>' in ended
    assert recorded(kube) == {
        "description": "New",
        "domain": "example.com",
        "tags": {"team": "data"},
        "default_settings": {
            "worker": {"memory": "4Gi"},
            "config": {"core": {"parallelism": 32}, "triggerer": {"capacity": 50}},
        },
    }


def test_what_restarts_the_console_is_said(browser: Browser) -> None:
    _where, shown = preview(browser, CHANGE, {"host_alias_list": "10.0.0.5 lake.internal sea.internal"})
    assert "The console itself restarts" in shown


OF_ALL = "default_settings"
REFUSED = {
    "a size": (f"{WORKER}.cpu", "lots", "'lots' is not an amount of CPU."),
    "a number": (f"{WORKER}.replica", "two", "It is not a whole number. Write a number such as '2'."),
    "too many": (f"{OF_ALL}.service_workload.scheduler.replica", "99", "99 is out of range."),
    "a task pod": (f"{OF_ALL}.task_pod.memory", "1", "'1' is not a size"),
    "a pair": ("tags", "team", "'team' is no pair. Write KEY=VALUE, one in a line."),
    "a pair twice": (f"{OF_ALL}.node_selector", "a=b\na=c", "'a' is given twice."),
    "a line of a browser": ("tags", "a=b\r\nteam", "'team' is no pair."),
    "a description": ("description", "x" * 151, "151 characters are too many."),
    "an address of the console": ("host_alias_list", "x lake.internal", "'x' is not an IP address."),
    "an address of services": (f"{OF_ALL}.host_alias", "x lake.internal", "'x' is not an IP address."),
    "an address without a name": (f"{OF_ALL}.host_alias", "10.0.0.5", "'10.0.0.5' has no name."),
    "an unknown setting": (
        f"{OF_ALL}.config",
        "core:\n  paralelism: 1",
        "config.core.paralelism: Airflow 3.3 has no option",
    ),
    "a secret": (f"{OF_ALL}.config", "sentry:\n  sentry_dsn: x", "config.sentry.sentry_dsn: its value is a secret."),
    "no YAML": (f"{OF_ALL}.config", "core: [", "It cannot be read in line 1."),
    "one level": (f"{OF_ALL}.config", "core", "It has not two levels."),
    "a date": (f"{OF_ALL}.environment", "all:\n  DAY: 2026-01-01", "It holds a date or the like."),
    "an alias": (f"{OF_ALL}.config", "core: &a\n  b: 1\nx: *a", "It refers to another place of itself"),
    "a part": (f"{OF_ALL}.environment", "everything:\n  A: 1", "environment.everything: no such option."),
    "a password": (
        f"{OF_ALL}.environment",
        "all:\n  A_PASSWORD: x",
        "environment.all.A_PASSWORD: it reads like a secret",
    ),
    "a domain": ("domain", "-x", "'-x' is not a valid domain."),
    "no domain": ("domain", "", "It is not set. Set it;"),
    "an ingress class": ("ingress_controller_name", "other", "Ingress class 'other' does not exist."),
    "a size of the volume": ("storage_size", "much", "'much' is not a size of at least 1Gi."),
    "a smaller volume": ("storage_size", "50Gi", "Volume 'dataops-manager-files' has 100Gi, and no volume shrinks."),
    "a node label of the console": ("node_selector", "a=b c", "'a=b c' is not a node label."),
    "nodes of the console": ("node_selector", "pool=none", "No node has the labels pool=none."),
    "a node label": (f"{OF_ALL}.node_selector", "a=b c", "'a=b c' is not a node label."),
    "nodes of services": (f"{OF_ALL}.node_selector", "pool=none", "No node has the labels pool=none."),
    "a toleration": (f"{OF_ALL}.tolerations", "a b c", "'a b c' is no toleration. Write KEY=VALUE:EFFECT"),
    "an effect": (f"{OF_ALL}.tolerations", "a=b:Never", "tolerations[0].effect: 'Never' is not an effect of a taint."),
    "seconds": (f"{OF_ALL}.tolerations", "a=b:NoSchedule 9", "tolerations[0].tolerationSeconds: only pods that would"),
    "a proxy": (f"{OF_ALL}.egress_proxy.http", "proxy", "'proxy' is not the address of a proxy."),
    "a proxy's password": (f"{OF_ALL}.egress_proxy.https", "http://a:b@c:1", "The address contains a user or password"),
    "an authority": (f"{OF_ALL}.ca_certificates", "x", "This is not a certificate in PEM form."),
    "a storage class": (f"{OF_ALL}.storage_class_name", "none", "Storage class 'none' does not exist."),
    "tasks at once": (f"{WORKER}.concurrency", "many", "It is not a whole number."),
    "too many workers": (f"{WORKER}.autoscaling.max_replicas", "101", "101 is out of range."),
}


@pytest.mark.parametrize(("field", "typed", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_at_the_field(browser: Browser, kube: FakeKube, field: str, typed: str, said: str) -> None:
    before = kube.state()
    answer = browser.post(CHANGE, **{**filled(browser, CHANGE), field: typed})
    assert answer.status_code in (400, 409)
    assert said in problems_of(answer.text)[field]
    assert fields_of(answer.text)[field] == typed
    assert kube.state() == before


PROXY = f"{OF_ALL}.egress_proxy"
# What was typed, the field at which it is refused, and the words.
REFUSED_ELSEWHERE = {
    "no proxy at all": ({f"{PROXY}.no_proxy": ".example.com"}, f"{PROXY}.http", "neither http nor https is set."),
    "not by proxy": (
        {f"{PROXY}.http": "http://proxy:3128", f"{PROXY}.no_proxy": "a b"},
        f"{PROXY}.no_proxy",
        "'a b' is neither a host, a domain nor a network.",
    ),
    "no largest number": (
        {f"{WORKER}.autoscaling.min_replicas": "2"},
        f"{WORKER}.autoscaling.max_replicas",
        "It is not set. Say how many workers there may be.",
    ),
    "fewer than the fewest": (
        {f"{WORKER}.autoscaling.min_replicas": "5", f"{WORKER}.autoscaling.max_replicas": "3"},
        f"{WORKER}.autoscaling.max_replicas",
        "3 is out of range. Use a whole number from 5 to 100.",
    ),
    "neither on nor off": (
        {f"{OF_ALL}.monitoring.enabled": "yes"},
        f"{OF_ALL}.monitoring.enabled",
        "'yes' is neither on nor off. Use true or false.",
    ),
}


@pytest.mark.parametrize(("typed", "field", "said"), REFUSED_ELSEWHERE.values(), ids=REFUSED_ELSEWHERE.keys())
def test_refused_where_something_is_to_be_done(
    browser: Browser, kube: FakeKube, typed: dict[str, str], field: str, said: str
) -> None:
    before = kube.state()
    answer = browser.post(CHANGE, **{**filled(browser, CHANGE), **typed})
    assert answer.status_code == 400
    assert said in problems_of(answer.text)[field]
    assert kube.state() == before


TAKEN: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "a version of new services": ({"version": PROFILES["2.11"].release}, {"version": "2.11"}),
    "a domain": ({"domain": "new.example.com"}, {"domain": "new.example.com"}),
    "an ingress class": ({"ingress_controller_name": "contour"}, {"ingress_class": "contour"}),
    "a larger volume": ({"storage_size": "200Gi"}, {"storage_size": "200Gi"}),
    "nodes of the console": ({"node_selector": "pool=dataops"}, {"node_selector": {"pool": "dataops"}}),
    "nodes": (
        {f"{OF_ALL}.node_selector": "pool=dataops\n"},
        {OF_ALL: {"node_selector": {"pool": "dataops"}}},
    ),
    "tolerations": (
        {f"{OF_ALL}.tolerations": "pool=dataops:NoSchedule\ngpu:NoExecute 300\nspot=\n*"},
        {
            OF_ALL: {
                "tolerations": [
                    {"key": "pool", "value": "dataops", "effect": "NoSchedule"},
                    {"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                    {"key": "spot", "value": ""},
                    {"operator": "Exists"},
                ]
            }
        },
    ),
    "a proxy": (
        {f"{PROXY}.http": "http://proxy.example.com:3128", f"{PROXY}.no_proxy": ".example.com\n10.1.0.0/16"},
        {
            OF_ALL: {
                "egress_proxy": {"http": "http://proxy.example.com:3128", "no_proxy": [".example.com", "10.1.0.0/16"]}
            }
        },
    ),
    "authorities": ({f"{OF_ALL}.ca_certificates": AUTHORITY}, {OF_ALL: {"ca_certificates": AUTHORITY.strip()}}),
    "a storage class of new services": (
        {f"{OF_ALL}.storage_class_name": "nfs"},
        {OF_ALL: {"storage_class": "nfs"}},
    ),
    "monitoring": ({f"{OF_ALL}.monitoring.enabled": "true"}, {OF_ALL: {"monitoring": {"enabled": True}}}),
    "no monitoring": ({f"{OF_ALL}.monitoring.enabled": "false"}, {OF_ALL: {"monitoring": {"enabled": False}}}),
    "workers": (
        {f"{WORKER}.concurrency": "8", f"{WORKER}.autoscaling.max_replicas": "9"},
        {OF_ALL: {"worker": {"concurrency": 8, "autoscaling": {"max_replicas": 9}}}},
    ),
}


@pytest.mark.parametrize(("typed", "expected"), TAKEN.values(), ids=TAKEN.keys())
def test_a_field_is_set_kept_and_cleared(
    browser: Browser, kube: FakeKube, typed: dict[str, str], expected: dict[str, Any]
) -> None:
    first = recorded(kube)
    where, _shown = preview(browser, CHANGE, typed)
    assert "Done" in browser.ended(browser.post(where))
    assert recorded(kube) == {**first, **expected}
    assert {key: filled(browser, CHANGE)[key] for key in typed} == {key: value.strip() for key, value in typed.items()}
    _where, shown = preview(browser, CHANGE, {})
    assert "Nothing changes." in shown
    if "domain" in typed:
        return
    where, _shown = preview(browser, CHANGE, dict.fromkeys(typed, ""))
    assert "Done" in browser.ended(browser.post(where))
    assert recorded(kube) == first


def test_what_cannot_be_changed_is_told_and_no_field(browser: Browser) -> None:
    text = browser.get(CHANGE).text
    assert re.search(r"<strong>Storage class</strong>\s*<p [^>]*>standard</p>", text)
    assert "storage_class_name" not in filled(browser, CHANGE)
    answer = browser.post(CHANGE, **{**filled(browser, CHANGE), "storage_class_name": "nfs"})
    assert "Nothing changes." in browser.get(answer.headers["location"]).text


def problems_of(text: str) -> dict[str, str]:
    """What is said to be wrong, by the field that names it as its description."""
    said = dict(re.findall(r'<p class="problem" id="([^"]+)" role="alert">(.*?)</p>', text, re.DOTALL))
    wrong = re.findall(r'name="([^"]+)" aria-invalid="true" aria-describedby="([^"]+)"', text)
    assert len(said) == len(wrong)
    return {name: unescape(said[place]) for name, place in wrong}


def test_all_that_cannot_be_read_is_said_at_once(browser: Browser) -> None:
    typed = {"tags": "team", f"{OF_ALL}.config": "core: ["}
    answer = browser.post(CHANGE, **{**filled(browser, CHANGE), **typed})
    assert set(problems_of(answer.text)) == set(typed)
    assert answer.text.count("autofocus") == 1


def test_what_a_service_cannot_take_is_refused_at_the_field(browser: Browser, kube: FakeKube) -> None:
    run(kube, name="old", version="2.11")
    answer = browser.post(CHANGE, **{**filled(browser, CHANGE), f"{OF_ALL}.config": "triggerer:\n  capacity: 50"})
    assert answer.status_code == 409
    said = problems_of(answer.text)[f"{OF_ALL}.config"]
    assert said.startswith("config.triggerer.capacity: service 'old' cannot take it")


def test_a_form_of_before_is_not_taken(browser: Browser, kube: FakeKube) -> None:
    fields = filled(browser, CHANGE)
    where, _shown = preview(browser, CHANGE, {"tags": "a=b"})
    run_manager(kube, description="by a playbook")
    for answer in (browser.post(CHANGE, **{**fields, "tags": "a=b"}), browser.post(where)):
        assert answer.status_code == 409
        assert "'analytics' was changed meanwhile" in unescape(answer.text)
    assert recorded(kube)["description"] == "by a playbook"


def test_a_viewer_sees_and_changes_nothing(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    _token, text = app.state.tokens.create(kube, "looks", "viewer")
    viewer = {**HTML, "Authorization": f"Bearer {text}"}
    seen = client.get("/settings", headers=viewer)
    assert seen.status_code == 200 and CHANGE not in seen.text
    assert client.get(CHANGE, headers=viewer).status_code == 403
    assert client.post(CHANGE, data={"description": "x"}, headers=viewer).status_code == 403


def test_without_the_token_of_the_session_nothing_happens(browser: Browser, client: TestClient, kube: FakeKube) -> None:
    where, _shown = preview(browser, CHANGE, {"description": "x"})
    before = kube.state()
    for path in (CHANGE, where):
        assert client.post(path, data={"csrf": "guess", "description": "x"}, headers=HTML).status_code == 403
    assert kube.state() == before


DIFFERENCES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "added": ({}, {"core": {"a": 1}}, {"core": {"a": 1}}),
    "changed": ({"core": {"a": 1, "b": 1}}, {"core": {"a": 2, "b": 1}}, {"core": {"a": 2}}),
    "an option less": ({"core": {"a": 1, "b": 1}}, {"core": {"b": 1}}, {"core": {"a": ""}}),
    "a section less": ({"core": {"a": 1}, "api": {"b": 1}}, {"api": {"b": 1}}, {"core": ""}),
    "a reference is one value": (
        {"core": {"a": {"secret": "x", "key": "k"}}},
        {"core": {"a": {"secret": "y", "key": "k"}}},
        {"core": {"a": {"secret": "y", "key": "k"}}},
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_difference(old: dict[str, Any], new: dict[str, Any], expected: dict[str, Any]) -> None:
    assert option_texts.difference(old, new, 2) == expected
    nested = frozenset({"config", "config.*"})
    assert record.merged({"config": old}, {"config": expected}, nested=nested) == {"config": new}


def test_settings_are_read_as_in_a_playbook() -> None:
    typed = "core:\n  parallelism: 64\n  nothing:\nempty:\n"
    assert option_texts.settings(typed, "config") == {"core": {"parallelism": 64}}
    assert option_texts.settings("", "config") == {}
    with pytest.raises(BadOption, match="too long"):
        option_texts.settings("a" * (option_texts.LONGEST + 1), "config")
