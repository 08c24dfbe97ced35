# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploaded files in a service: where they are mounted, what a new generation touches, and what is tried before."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from ansible_collections.scp.dataops.plugins.module_utils.airflow.uploads.spec import NOTHING, Uploads, of_service
from ansible_collections.scp.dataops.plugins.module_utils.common import owner
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, NotReady, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest
from ansible_collections.scp.dataops.plugins.module_utils.manager.spec import ManagerSpec

from ..fake_kube import FakeKube, cluster_object
from ..runs import NAMESPACE, cluster, cluster_with_service, done, run
from .builders import full, pods, rendered, service, uploading

CELERY_2 = {"version": "2.11", "executor": "CeleryExecutor", "flower": {"enabled": True}}
STANDING = {"web-server", "scheduler", "dag-processor", "triggerer"}


def publish(kube: FakeKube, **services: dict[str, str]) -> None:
    """The Manager publishes generations by service; ``_all`` for those that are not named."""
    data = {name: json.dumps(found) for name, found in services.items()}
    kube.put(cluster_object("ConfigMap", owner.PUBLISHED, metadata={"namespace": NAMESPACE}, data=data))


PUBLISHED: dict[str, tuple[dict[str, Any], Uploads]] = {
    "nothing": ({}, NOTHING),
    "for all": ({"_all": {"plugins": "a", "requirements": "b"}}, Uploads(plugins="a", requirements="b")),
    "for this one": ({"_all": {"plugins": "a"}, "etl": {"plugins": "c"}}, Uploads(plugins="c")),
    "for another one": ({"other": {"plugins": "c"}}, NOTHING),
    "nothing for this one": ({"_all": {"plugins": "a"}, "etl": {}}, NOTHING),
}


@pytest.mark.parametrize(("data", "expected"), PUBLISHED.values(), ids=PUBLISHED.keys())
def test_what_is_published(data: dict[str, Any], expected: Uploads) -> None:
    kube = cluster()
    publish(kube, **data)
    assert of_service(kube.find("ConfigMap", owner.PUBLISHED, NAMESPACE), "etl") == expected
    assert of_service(None, "etl") == NOTHING


# Where files are


def mounted(spec: ServiceSpec) -> dict[str, dict[str, str]]:
    """What each pod's first container mounts from the Manager's volume: folder by path, read-only but for the whole."""
    found = {}
    for name, pod in pods(rendered(spec).all):
        claims = {item["name"]: item.get("persistentVolumeClaim", {}).get("claimName") for item in pod["volumes"]}
        mounts = [item for item in pod["containers"][0]["volumeMounts"] if claims[item["name"]] == owner.FILES]
        assert all(item.get("readOnly", False) is ("subPath" in item) for item in mounts), name
        shown = name.rpartition("-")[0] if name.startswith("Job/") else name
        found[shown] = {item["mountPath"]: item.get("subPath", "") for item in mounts}
    return found


SERVICES = {"3.3": full(), "2.11": service(**CELERY_2)}


@pytest.mark.parametrize("spec", SERVICES.values(), ids=SERVICES.keys())
def test_mounts(spec: ServiceSpec) -> None:
    shared = {"/opt/airflow/shared": "shared/etl"}
    plugins = {"/opt/airflow/plugins": "generations/plugins/p1"}
    plain, rich = mounted(spec), mounted(uploading(spec))
    without = {name for name, found in plain.items() if not found}
    assert without == {
        "Deployment/etl-flower",
        "StatefulSet/etl-database",
        "StatefulSet/etl-broker",
        *(["Deployment/etl-metrics"] if spec.monitoring.enabled else []),
    }
    assert all(found in ({}, shared) for found in plain.values())
    for name, found in rich.items():
        if name in without:
            assert found == {}
        elif name == "Job/etl-libraries":
            assert found == {"/files": ""}
        else:
            libraries = found.pop("/opt/airflow/libraries")
            assert libraries.startswith("generations/libraries/"), name
            assert found == {**shared, **plugins}, name


def test_libraries_belong_to_an_image() -> None:
    specs = [uploading(full(image=image)) for image in ("own:1", "own:2")]
    first, second = (mounted(spec)["Deployment/etl-scheduler"]["/opt/airflow/libraries"] for spec in specs)
    assert first != second


def python_paths(spec: ServiceSpec) -> dict[str, str]:
    return {
        name: variable["value"]
        for name, pod in pods(rendered(spec).all)
        for variable in pod["containers"][0].get("env", [])
        if variable["name"] == "PYTHONPATH"
    }


def test_what_makes_libraries_importable() -> None:
    assert python_paths(full()) == {}
    found = python_paths(uploading(full()))
    assert set(found.values()) == {"/etc/scp-dataops/python"}
    assert {"Deployment/etl-worker", "Pod/etl-task"} < found.keys()
    own = python_paths(uploading(full(environment={"all": {"PYTHONPATH": "/own"}})))
    assert own["Deployment/etl-worker"] == own["Pod/etl-task"] == "/etc/scp-dataops/python:/own"


# What a change touches

TOUCHED: dict[str, tuple[Uploads, Uploads, set[str]]] = {
    "nothing": (Uploads(plugins="a"), Uploads(plugins="a"), set()),
    "first plugins": (NOTHING, Uploads(plugins="a"), STANDING | {"worker"}),
    "other plugins": (Uploads(plugins="a"), Uploads(plugins="b"), STANDING | {"worker"}),
    "no plugins": (Uploads(plugins="a"), NOTHING, STANDING | {"worker"}),
    "first libraries": (NOTHING, Uploads(requirements="a"), STANDING | {"worker"}),
    "other libraries": (Uploads(requirements="a"), Uploads(requirements="b"), STANDING | {"worker"}),
}


@pytest.mark.parametrize(("before", "after", "expected"), TOUCHED.values(), ids=TOUCHED.keys())
def test_touched(before: Uploads, after: Uploads, expected: set[str]) -> None:
    templates: list[dict[str, Manifest]] = [
        {
            item["metadata"]["name"].removeprefix("etl-"): item["spec"]["template"]
            for item in rendered(uploading(full(), uploads.plugins, uploads.requirements)).all
            if item["kind"] in ("Deployment", "StatefulSet")
        }
        for uploads in (before, after)
    ]
    assert {name for name in templates[0] if templates[0][name] != templates[1][name]} == expected


# Where libraries come from

INDEX = {"url": "https://pypi.example.com/simple", "secret": "index-login"}
BAD_INDEX: dict[str, tuple[dict[str, Any], str]] = {
    "another key": ({"addr": "x"}, "python_index.addr: no such option. Use url, secret"),
    "no address": ({"secret": "login"}, "python_index.url: '' is not the address of a package index."),
    "not one of the web": ({"url": "file:///simple"}, "python_index.url: 'file:///simple' is not the address"),
    "with a password": ({"url": "https://u:SENTINEL@h/simple"}, "python_index.url: the address contains a user or"),
    "not a Secret": ({"url": "https://h/simple", "secret": "A B"}, "python_index.secret: 'A B' is not a valid name"),
}


@pytest.mark.parametrize(("option", "message"), BAD_INDEX.values(), ids=BAD_INDEX.keys())
def test_an_index_that_cannot_be(option: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as raised:
        service(python_index=option)
    assert str(raised.value).startswith(message)
    assert "SENTINEL" not in str(raised.value)
    with pytest.raises(BadOption, match=r"default_settings\.python_index"):
        ManagerSpec.from_options(
            {"domain": "example.com", "default_settings": {"python_index": option}}, name="analytics", namespace="data"
        )


def test_the_job_gets_the_index_and_its_login_by_reference() -> None:
    def environment(**options: Any) -> dict[str, Any]:
        (job, _plugins) = rendered(uploading(service(**options))).files
        (container,) = job["spec"]["template"]["spec"]["containers"]
        return {item["name"]: item for item in container["env"] if item["name"].startswith("INDEX_")}

    assert environment() == {}
    assert environment(python_index={"url": INDEX["url"]}).keys() == {"INDEX_URL"}
    found = environment(python_index=INDEX)
    assert found["INDEX_URL"]["value"] == INDEX["url"]
    assert found["INDEX_PASSWORD"]["valueFrom"] == {"secretKeyRef": {"name": "index-login", "key": "password"}}


# Runs


def test_files_are_tried_before_anything_is_touched() -> None:
    kube = cluster_with_service()
    publish(kube, _all={"plugins": "a", "requirements": "b"})
    outcome = run(kube)
    assert done(outcome)[:2] == ["create Job/etl-libraries", "create Job/etl-plugins"]
    writes = [line.rpartition("-")[0] if "Job" in line else line for line in kube.writes]
    assert writes[:3] == ["apply Job/etl-libraries", "apply Job/etl-plugins", "apply ConfigMap/etl-config"]
    assert set(outcome.restarted) == STANDING
    kube.forget()
    assert done(run(kube)) == []
    assert kube.writes == []


def test_one_set_is_tried_once() -> None:
    kube = cluster_with_service()
    publish(kube, _all={"plugins": "a", "requirements": "b"})
    run(kube)
    publish(kube, _all={"plugins": "c", "requirements": "b"})
    kube.forget()
    lines = done(run(kube))
    assert "create Job/etl-plugins" in lines
    assert "delete Job/etl-plugins" in lines
    assert not any("libraries" in line for line in lines)


CONFLICT = json.dumps({"refused": "a 1 is asked for, but the image has a 2", "next_step": "Ask for another"})
REFUSED: dict[str, tuple[str, str, str]] = {
    "libraries": (
        "libraries",
        f"Collecting a\n{CONFLICT}\n",
        "service etl: the libraries cannot be installed: a 1 is asked for, but the image has a 2. "
        "Nothing was restarted. Ask for another.",
    ),
    "plugins": (
        "plugins",
        json.dumps({"refused": "bad.py line 2: NameError: x", "next_step": "Correct it"}),
        "service etl: the plugins cannot be loaded: bad.py line 2: NameError: x. Nothing was restarted. Correct it.",
    ),
}


def failing(kube: FakeKube, component: str, said: str) -> None:
    """The Job of this part will fail, and its pod say so."""
    kube.failing = {component}
    publish(kube, _all={"plugins": "a", "requirements": "b"})
    (name,) = [change.removeprefix("create Job/") for change in created(kube) if f"-{component}-" in change]
    kube.printed = {name: said}


def created(kube: FakeKube) -> list[str]:
    spec = uploading(service(storage_class="standard"), "a", "b")
    return [f"create Job/{item['metadata']['name']}" for item in rendered(spec).files]


@pytest.mark.parametrize(("component", "said", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_fails_changes_nothing(component: str, said: str, message: str) -> None:
    kube = cluster_with_service()
    failing(kube, component, said)
    with pytest.raises(Refused) as raised:
        run(kube)
    assert str(raised.value) == message
    assert {line.partition("-")[0] for line in kube.writes} == {"apply Job/etl"}
    kube.failing = set()
    assert "create Job/etl-plugins" in done(run(kube))


def test_a_trial_that_cannot_run() -> None:
    kube = cluster_with_service()
    failing(kube, "plugins", "killed")
    with pytest.raises(NotReady, match=r"the plugins cannot be loaded: .*Nothing was restarted"):
        run(kube)


def test_an_upgrade_tries_them_with_the_new_image_while_the_old_one_runs() -> None:
    kube = cluster_with_service(version="2.11")
    publish(kube, _all={"plugins": "a"})
    run(kube)
    old = [ref for ref in kube.refs(NAMESPACE) if "plugins" in ref]
    kube.forget()
    run(kube, version="3.3")
    tried = next(place for place, line in enumerate(kube.writes) if "Job/etl-plugins" in line)
    assert all("Job" in line for line in kube.writes[: tried + 1]), "before anything stops"
    assert [ref for ref in kube.refs(NAMESPACE) if "plugins" in ref] != old


def test_a_stopped_service_takes_them_when_it_starts() -> None:
    kube = cluster_with_service()
    run(kube, state="stopped")
    publish(kube, _all={"plugins": "a"})
    assert not any("plugins" in line for line in done(run(kube, state="stopped")))
    assert "create Job/etl-plugins" in done(run(kube))


def test_what_is_published_meanwhile_is_seen_under_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = cluster_with_service()
    create, times = kube.create, itertools.count()

    def create_and_publish(manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        if manifest["kind"] == "Lease" and next(times) == 0:
            publish(kube, _all={"plugins": "a"})
        return create(manifest, dry_run=dry_run)

    monkeypatch.setattr(kube, "create", create_and_publish)
    assert "create Job/etl-plugins" in done(run(kube, description="other"))
