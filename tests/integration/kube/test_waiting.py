# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting on a real cluster: what comes up, and what can never come up and is told so within a minute."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import NotReady
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.feed import Feed, Source
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, ref_of
from ansible_collections.scp.dataops.plugins.module_utils.kube.wait import wait_ready

from .conftest import LABEL, config_map, deployment, named, pod_spec

SERVE = "import http.server as s; s.ThreadingHTTPServer(('', 8080), s.SimpleHTTPRequestHandler).serve_forever()"
CRASH = "import sys; print('cannot find the database', flush=True); sys.exit(3)"


def wait(kube: Kube, manifest: Manifest, timeout: float = 90) -> list[str]:
    said: list[str] = []
    ref = ref_of(manifest)
    wait_ready(kube, ref.namespace, [ref], labels=LABEL, timeout=timeout, say=said.append)
    return said


def job(namespace: str, spec: dict[str, Any]) -> Manifest:
    template = {
        "metadata": {"labels": {"app.kubernetes.io/instance": "test"}},
        "spec": {**spec, "restartPolicy": "Never"},
    }
    return named("Job", "batch/v1", "migrate", namespace, spec={"backoffLimit": 0, "template": template})


def test_up_logs_and_proxy(kube: Kube, namespace: str, image: str) -> None:
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    web = deployment(namespace, pod_spec(image, SERVE, readinessProbe=probe))
    ports = [{"port": 80, "targetPort": 8080}]
    kube.apply(named("Service", "v1", "web", namespace, spec={"selector": {"app": "web"}, "ports": ports}))
    kube.apply(web)
    said = wait(kube, web)
    assert said[-1].startswith("Deployment/web 1/1 ready after ")
    before = kube.requests
    wait(kube, web)
    assert kube.requests == before + 1

    assert kube.proxy("GET", namespace, "web", 80, "/")[0] == 200
    assert kube.proxy("GET", namespace, "web", 80, "/no/such/file")[0] == 404
    (pod,) = kube.list("Pod", namespace, labels=LABEL)
    assert "GET /no/such/file" in kube.logs(pod["metadata"]["name"], namespace)


def test_a_job_runs(kube: Kube, namespace: str, image: str) -> None:
    migrate = job(namespace, pod_spec(image, "print('done')"))
    kube.apply(migrate)
    assert wait(kube, migrate)[-1].startswith("Job/migrate: done after ")


def cannot_pull(namespace: str, image: str) -> Manifest:
    return deployment(namespace, pod_spec(f"{image}-no-such-tag", SERVE))


def crashes(namespace: str, image: str) -> Manifest:
    # Without a probe a container counts as ready from its start until its crash.
    return deployment(namespace, pod_spec(image, CRASH, readinessProbe={"exec": {"command": ["false"]}}))


def has_no_node(namespace: str, image: str) -> Manifest:
    return deployment(namespace, pod_spec(image, SERVE, resources={"requests": {"cpu": "5000"}}))


def has_no_volume(namespace: str, image: str) -> Manifest:
    spec = pod_spec(image, SERVE)
    spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return deployment(namespace, spec)


def has_no_secret(namespace: str, image: str) -> Manifest:
    return deployment(namespace, pod_spec(image, SERVE, envFrom=[{"secretRef": {"name": "keys"}}]))


def breaks_the_quota(namespace: str, image: str) -> Manifest:
    return deployment(namespace, pod_spec(image, SERVE))


def fails_as_a_job(namespace: str, image: str) -> Manifest:
    return job(namespace, pod_spec(image, CRASH))


FAILURES = {
    "image": (cannot_pull, r"container main cannot get image \S+-no-such-tag: .*not found"),
    "crash": (crashes, r"container main ended with exit code 3.*\n    cannot find the database"),
    "no node": (has_no_node, r"no node takes it: .*Insufficient cpu.*Choose a smaller size"),
    "no volume": (
        has_no_volume,
        r'PersistentVolumeClaim/data: no volume can be made for it: .*"no-such-class" not found',
    ),
    "no secret": (has_no_secret, r'container main cannot start: secret "keys" not found'),
    "quota": (breaks_the_quota, "its pods cannot be created: .*exceeded quota: none"),
    "job": (fails_as_a_job, r"the job failed: .*exit code 3.*\n    cannot find the database"),
}


@pytest.mark.parametrize(("broken", "words"), FAILURES.values(), ids=FAILURES.keys())
def test_ends_within_a_minute(kube: Kube, namespace: str, image: str, broken: Any, words: str) -> None:
    if broken is has_no_volume:
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
        spec = {**claim, "storageClassName": "no-such-class"}
        kube.apply(named("PersistentVolumeClaim", "v1", "data", namespace, spec=spec))
    if broken is breaks_the_quota:
        kube.apply(named("ResourceQuota", "v1", "none", namespace, spec={"hard": {"pods": "0"}}))
        # Admission knows a quota once the controller has counted what is there.
        while not (kube.get("ResourceQuota", "none", namespace) or {}).get("status", {}).get("hard"):
            time.sleep(0.2)
    manifest = broken(namespace, image)
    kube.apply(manifest)
    started = time.monotonic()
    with pytest.raises(NotReady, match=f"(?s){words}"):
        wait(kube, manifest, timeout=120)
    assert time.monotonic() - started < 60


def test_a_repaired_rollout_is_not_judged_by_its_past(kube: Kube, namespace: str, image: str) -> None:
    kube.apply(crashes(namespace, image))
    with pytest.raises(NotReady):
        wait(kube, crashes(namespace, image))
    repaired = deployment(namespace, pod_spec(image, SERVE))
    kube.apply(repaired)
    assert wait(kube, repaired)[-1].startswith("Deployment/web 1/1 ready")


def test_the_deadline_quotes_the_reason(kube: Kube, namespace: str, image: str) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    web = deployment(namespace, pod_spec(image, SERVE, readinessProbe=probe))
    kube.apply(web)
    with pytest.raises(NotReady, match=r"not ready after 12 s: Deployment/web \(0 of 1 pods are available; Pod/web-"):
        wait(kube, web, timeout=12)


def test_feed_brings_what_happens(kube: Kube, namespace: str) -> None:
    feed = Feed(kube, [Source("maps", "ConfigMap", namespace, labels=LABEL)])
    first = feed.next(10)
    assert first is not None and first.items == ()
    kube.apply(config_map(namespace, a="1"))
    second = feed.next(10)
    assert second is not None and second.changed is not None and second.changed["data"] == {"a": "1"}
    kube.delete("ConfigMap", "settings", namespace)
    third = feed.next(10)
    assert third is not None and third.gone is not None
    assert ref_of(third.gone) == Ref("ConfigMap", "settings", namespace)
    started = time.monotonic()
    feed.close()
    assert time.monotonic() - started < 1
