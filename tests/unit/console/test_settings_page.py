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
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..runs import NAMESPACE, run, run_manager
from .conftest import SECRETS
from .test_pages import HTML, signed_in

CHANGE = "/settings/change"


def recorded(kube: FakeKube) -> dict[str, Any]:
    return record.read(kube.find("ConfigMap", "dataops-manager-record", NAMESPACE))


def fields_of(text: str) -> dict[str, str]:
    """What a browser would send of the form."""
    inputs = {
        name[1]: value[1] if (value := re.search(r' value="([^"]*)"', tag)) else ""
        for tag in re.findall(r"<input [^>]*>", text)
        if (name := re.search(r' name="([^"]+)"', tag))
    }
    areas = dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', text, re.DOTALL))
    chosen = re.search(r"<option selected>(\w+)</option>", text)
    return {key: unescape(value) for key, value in {**inputs, **areas, "size": chosen[1] if chosen else ""}.items()}


def opened(client: TestClient) -> dict[str, str]:
    signed_in(client)
    return fields_of(client.get(CHANGE, headers=HTML).text)


def sent(client: TestClient, step: str, fields: dict[str, str], **typed: str) -> Any:
    data = {**fields, **typed, "step": step}
    return client.post(CHANGE, data=data, headers=HTML, follow_redirects=False)


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


def test_a_form_that_is_sent_back_as_it_came_changes_nothing(client: TestClient, kube: FakeKube) -> None:
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
    fields = opened(client)
    assert fields["worker.replicas"] == "2" and fields["size"] == "small"
    answer = sent(client, "preview", fields)
    assert answer.status_code == 200
    assert "Nothing changes." in answer.text and 'value="apply"' not in answer.text


def test_change_preview_and_apply(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    run_manager(kube, default_settings={"scheduler": {"cpu": "1"}, "config": {"core": {"parallelism": 64}}})
    run(kube)
    run(kube, name="own", config={"core": {"parallelism": 8}})
    before = kube.state()
    fields = opened(client)
    typed = {
        "description": "New",
        "tags": "team = data\n\n",
        "scheduler.cpu": "",
        "worker.memory": "4Gi",
        "config": "core:\n  parallelism: 32\ntriggerer:\n  capacity: 50\n",
    }
    shown = sent(client, "preview", fields, **typed)
    assert shown.status_code == 200, shown.text
    assert kube.state() == before
    assert row(shown.text, "default_settings.config.core.parallelism").split() == ["64", "32"]
    assert row(shown.text, "default_settings.scheduler.cpu").split() == ["1", "none"]
    both = dict(re.findall(r'href="/services/(\w+)">\w+</a></dt><dd class="code">([^<]+)</dd>', shown.text))
    assert both["etl"] == "config.core.parallelism, config.triggerer.capacity, scheduler.cpu, worker.memory"
    assert both["own"] == "config.triggerer.capacity, scheduler.cpu, worker.memory"
    assert "update ConfigMap/dataops-manager-record" in shown.text
    assert "The console itself restarts" not in shown.text
    again = sent(client, "edit", fields_of(shown.text))
    assert fields_of(again.text)["worker.memory"] == "4Gi"
    done = sent(client, "apply", fields_of(shown.text))
    assert done.status_code == 303
    operation = app.state.operations.join(done.headers["location"].rpartition("/")[2], 5)
    assert (operation.state, operation.by.door) == ("DONE", "console")
    ended = client.get(done.headers["location"], headers=HTML).text
    assert 'href="/settings">Go to the settings</a>' in ended
    assert recorded(kube) == {
        "description": "New",
        "domain": "example.com",
        "tags": {"team": "data"},
        "default_settings": {
            "worker": {"memory": "4Gi"},
            "config": {"core": {"parallelism": 32}, "triggerer": {"capacity": 50}},
        },
    }


def test_what_restarts_the_console_is_said(client: TestClient) -> None:
    shown = sent(client, "preview", opened(client), host_aliases="10.0.0.5 lake.internal sea.internal")
    assert "The console itself restarts" in shown.text


REFUSED = {
    "a size": ("worker.cpu", "lots", "'lots' is not an amount of CPU."),
    "a number": ("worker.replicas", "two", "It is not a whole number. Write a number such as 2."),
    "too many": ("scheduler.replicas", "99", "99 is out of range."),
    "a task pod": ("task_pod.memory", "1", "'1' is not a size"),
    "a pair": ("tags", "team", "'team' is no pair. Write KEY=VALUE, one in a line."),
    "a pair twice": ("node_selector", "a=b\na=c", "'a' is given twice."),
    "a line of a browser": ("tags", "a=b\r\nteam", "'team' is no pair."),
    "a description": ("description", "x" * 151, "151 characters are too many."),
    "an address of the console": ("host_aliases", "x lake.internal", "'x' is not an IP address."),
    "an address of services": ("service_host_aliases", "x lake.internal", "'x' is not an IP address."),
    "an address without a name": ("service_host_aliases", "10.0.0.5", "'10.0.0.5' has no name."),
    "an unknown setting": ("config", "core:\n  paralelism: 1", "config.core.paralelism: Airflow 3.3 has no option"),
    "a secret": ("config", "sentry:\n  sentry_dsn: x", "config.sentry.sentry_dsn: its value is a secret."),
    "no YAML": ("config", "core: [", "It cannot be read in line 1."),
    "one level": ("config", "core", "It has not two levels."),
    "a date": ("environment", "all:\n  DAY: 2026-01-01", "It holds a date or the like."),
    "an alias": ("config", "core: &a\n  b: 1\nx: *a", "It refers to another place of itself"),
    "a part": ("environment", "everything:\n  A: 1", "environment.everything: no such option."),
    "a password": ("environment", "all:\n  A_PASSWORD: x", "environment.all.A_PASSWORD: it reads like a secret"),
}


@pytest.mark.parametrize(("field", "typed", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_at_the_field(client: TestClient, kube: FakeKube, field: str, typed: str, said: str) -> None:
    fields = opened(client)
    before = kube.state()
    answer = sent(client, "apply", fields, **{field: typed})
    assert answer.status_code == 400
    problem = re.search(rf'<span class="problem" id="problem-{re.escape(field)}">(.*?)</span>', answer.text, re.DOTALL)
    assert problem and said in unescape(problem[1]), unescape(answer.text)
    assert fields_of(answer.text)[field] == typed
    assert f'aria-describedby="problem-{field}"' in answer.text or f'problem-{field}"' in answer.text
    assert kube.state() == before


def test_what_a_service_cannot_take_is_refused_at_the_field(client: TestClient, kube: FakeKube) -> None:
    run(kube, name="old", version="2.11")
    answer = sent(client, "preview", opened(client), config="triggerer:\n  capacity: 50")
    assert answer.status_code == 409
    assert "config.triggerer.capacity: service &#39;old&#39; cannot take it" in answer.text


def test_a_form_of_before_is_not_taken(client: TestClient, kube: FakeKube) -> None:
    fields = opened(client)
    run_manager(kube, description="by a playbook")
    answer = sent(client, "apply", fields, tags="a=b")
    assert answer.status_code == 409
    assert "The Manager was changed meanwhile" in answer.text
    assert recorded(kube)["description"] == "by a playbook"


def test_a_viewer_sees_and_changes_nothing(client: TestClient, app: FastAPI, kube: FakeKube) -> None:
    _token, text = app.state.tokens.create(kube, "looks", "viewer")
    viewer = {**HTML, "Authorization": f"Bearer {text}"}
    seen = client.get("/settings", headers=viewer)
    assert seen.status_code == 200 and CHANGE not in seen.text
    assert client.get(CHANGE, headers=viewer).status_code == 403
    assert client.post(CHANGE, data={"step": "apply", "description": "x"}, headers=viewer).status_code == 403


def test_without_the_token_of_the_session_nothing_happens(client: TestClient, kube: FakeKube) -> None:
    fields = opened(client)
    before = kube.state()
    assert sent(client, "apply", {**fields, "csrf": "guess"}, description="x").status_code == 403
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
