# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting, with a script instead of a cluster and a clock that only the script moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import Forbidden, NotReady
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.feed import Seen, Source
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref
from ansible_collections.scp.dataops.plugins.module_utils.kube.scene import (
    CLAIM_EVENTS,
    CLAIMS,
    PODS,
    REPLICA_SETS,
    WARNINGS,
)
from ansible_collections.scp.dataops.plugins.module_utils.kube.wait import wait_ready

from . import workloads as w
from .fake_api import Answer, Asked, FakeApi

WEB = Ref("Deployment", "web", "x")
STARTED = w.deployment(updatedReplicas=1, existing=1)
CRASHED = {"exitCode": 3, "finishedAt": w.ago(1)}


class Script:
    """Brings each list or object at its second; time passes as somebody waits."""

    def __init__(self, news: dict[float, Sequence[Seen]]) -> None:
        self.seconds = 0.0
        self.closed = False
        self.sources: Sequence[Source] = ()
        self._news = [(second, seen) for second, several in sorted(news.items()) for seen in several]

    def follow(self, kube: Kube, sources: Sequence[Source]) -> Script:
        self.sources = sources
        return self

    def next(self, timeout: float) -> Seen | None:
        if self._news and self._news[0][0] <= self.seconds + timeout:
            second, seen = self._news.pop(0)
            self.seconds = max(self.seconds, second)
            return seen
        self.seconds += timeout
        return None

    def close(self) -> None:
        self.closed = True


class Outcome:
    """What a wait said and took."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.seconds = 0.0
        self.error: Exception | None = None


@pytest.fixture
def wait(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> Callable[..., Outcome]:
    def waited(
        news: dict[float, Sequence[Seen]],
        *,
        at_first: Sequence[Manifest] = (),
        targets: Sequence[Ref] = (WEB,),
        logs: Any = None,
    ) -> Outcome:
        def respond(asked: Asked) -> Answer:
            if asked.path.endswith("/log"):
                return Answer(200, (logs or {}).get(asked.query.get("previous", ""), "").encode())
            kind = asked.path.split("/")[-1]
            items = [item for item in at_first if f"{item['kind'].lower()}s" == kind]
            return Answer(200, {"metadata": {"resourceVersion": "1"}, "items": items})

        script, outcome = Script(news), Outcome()
        try:
            wait_ready(
                connect(serve(respond=respond)),
                "x",
                targets,
                labels="a=b",
                timeout=300,
                say=outcome.said.append,
                called=lambda ref: ref.name,
                follow=script.follow,
                clock=lambda: script.seconds,
                now=lambda: w.NOW,
            )
        except (NotReady, Forbidden) as error:
            outcome.error = error
        assert script.closed or not script.sources
        outcome.seconds = script.seconds
        return outcome

    return waited


def lists(**items: Any) -> list[Seen]:
    """First lists of the sources around a Deployment."""
    found = {
        "Deployment": [STARTED],
        PODS: [],
        REPLICA_SETS: [w.replica_set()],
        CLAIMS: [],
        WARNINGS: [],
        CLAIM_EVENTS: [],
    }
    found |= {name.replace("_", " "): value for name, value in items.items()}
    return [Seen(name, items=tuple(value)) for name, value in found.items()]


def test_what_is_ready_costs_one_list_per_kind(wait: Callable[..., Outcome]) -> None:
    outcome = wait({}, at_first=[w.up()])
    assert (outcome.error, outcome.seconds, outcome.said) == (None, 0, [])


def test_becomes_ready(wait: Callable[..., Outcome]) -> None:
    outcome = wait({1: lists(), 5: [Seen("Deployment", changed=w.up())]}, at_first=[w.deployment(seen=1)])
    assert outcome.error is None
    assert outcome.said == [
        "web 0/1 ready",
        "web 1/1 ready after 5 s",
    ]
    assert outcome.seconds == 5


FAILURES = {
    "image": (
        lists(pods=[w.pod(w.container(waiting=("ErrImagePull", "manifest unknown")))]),
        "Pod/web-2-a: container main cannot get image registry/app:1: manifest unknown. Correct the image's name",
        3,
    ),
    "image, by the sentence of an older kubelet": (
        lists(
            pods=[w.pod(w.container(waiting=("ImagePullBackOff", "Back-off pulling image")))],
            warnings=[w.event("Pod", "web-2-a", "Failed", "Failed to pull image: denied")],
        ),
        "Back-off pulling image: Failed to pull image: denied",
        33,
    ),
    "no node": (lists(pods=[w.pod(conditions=[w.unscheduled("no cpu", 60)])]), "no node takes it: no cpu", 3),
    "unbound": (
        lists(
            pods=[w.pod(claims=["data"])],
            claims=[w.claim()],
            claim_events=[w.event("PersistentVolumeClaim", "data", "ProvisioningFailed", 'storageclass "x" not found')],
        ),
        'PersistentVolumeClaim/data: no volume can be made for it: storageclass "x" not found',
        43,
    ),
    "no provisioner": (
        lists(
            pods=[w.pod(claims=["data"])],
            claims=[w.claim()],
            claim_events=[w.event("PersistentVolumeClaim", "data", "ExternalProvisioning", "Waiting for nfs")],
        ),
        "nobody makes a volume for it: Waiting for nfs. See that the provisioner",
        43,
    ),
    "no provisioner, where an earlier claim of that name had one": (
        lists(
            pods=[w.pod(claims=["data"])],
            claims=[w.claim()],
            claim_events=[
                w.event("PersistentVolumeClaim", "data", "Provisioning", "nfs makes a volume", uid="earlier"),
                w.event("PersistentVolumeClaim", "data", "ExternalProvisioning", "Waiting for nfs"),
            ],
        ),
        "nobody makes a volume for it: Waiting for nfs. See that the provisioner",
        43,
    ),
    "quota": (
        lists(
            Deployment=[w.deployment()],
            replica_sets=[
                w.replica_set(conditions=[{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q"}])
            ],
        ),
        "its pods cannot be created: exceeded quota: q. Raise the quota",
        18,
    ),
    "mount": (
        lists(
            pods=[w.pod(w.container(waiting=("ContainerCreating", "")))],
            warnings=[w.event("Pod", "web-2-a", "FailedMount", 'secret "k" not found')],
        ),
        'a volume cannot be mounted: secret "k" not found',
        43,
    ),
}


@pytest.mark.parametrize(("news", "words", "latest"), FAILURES.values(), ids=FAILURES.keys())
def test_ends_early(wait: Callable[..., Outcome], news: Sequence[Seen], words: str, latest: float) -> None:
    outcome = wait({1: news}, at_first=[STARTED])
    assert words in str(outcome.error)
    assert outcome.seconds <= latest


@pytest.mark.parametrize("previous", ["", "true"], ids=["of this container", "of the one before"])
def test_a_crash_quotes_the_log(wait: Callable[..., Outcome], previous: str) -> None:
    crashing = w.pod(w.container(waiting=("CrashLoopBackOff", ""), last=CRASHED, restarts=1))
    outcome = wait({1: lists(pods=[crashing])}, at_first=[STARTED], logs={previous: "one\ntwo\n"})
    assert str(outcome.error) == (
        "Deployment/web in namespace x: Pod/web-2-a: container main ended with exit code 3, 1 restart so far. "
        "The last lines of its log:\n    one\n    two\nCorrect what its log names, then run this again."
    )


@pytest.mark.parametrize(("recovers_after", "ends_well"), [(40, True), (90, False)], ids=["mended", "still broken"])
def test_a_crash_from_before_the_wait_gets_one_more_start(
    wait: Callable[..., Outcome], recovers_after: int, ends_well: bool
) -> None:
    ended = {"exitCode": 3, "finishedAt": w.ago(5)}
    crashing = w.pod(w.container(waiting=("CrashLoopBackOff", ""), last=ended, restarts=1))
    news = {1: lists(pods=[crashing]), recovers_after: [Seen("Deployment", changed=w.up())]}
    assert (wait(news, at_first=[STARTED]).error is None) == ends_well


def test_pods_of_older_revisions_do_not_count(wait: Callable[..., Outcome]) -> None:
    old = w.pod(w.container(waiting=("CrashLoopBackOff", ""), last=CRASHED, restarts=9), owner=("ReplicaSet", "web-1"))
    sets = [w.replica_set("web-1", "1"), w.replica_set("web-2", "2")]
    news = {1: lists(pods=[old], replica_sets=sets), 90: [Seen("Deployment", changed=w.up())]}
    assert wait(news, at_first=[STARTED]).error is None


def test_a_trouble_that_passes_is_forgiven(wait: Callable[..., Outcome]) -> None:
    hiccup = w.pod(w.container(waiting=("ErrImagePull", "i/o timeout")))
    news = {
        1: lists(pods=[hiccup]),
        20: [Seen(PODS, changed=w.pod(w.container()))],
        60: [Seen("Deployment", changed=w.up())],
    }
    assert wait(news, at_first=[STARTED]).error is None


@pytest.mark.parametrize("first", ["its pod", "itself"])
def test_a_failed_job_quotes_its_last_pod(wait: Callable[..., Outcome], first: str) -> None:
    ref = Ref("Job", "migrate", "x")
    crashed = w.pod(w.container(ended={"exitCode": 1}), name="migrate-b", owner=("Job", "migrate"), phase="Failed")
    failed = w.job("Failed", "Job has reached the specified backoff limit")
    of_pod, of_job = Seen(PODS, items=(crashed,)), Seen("Job", changed=failed)
    news = {1: [of_pod], 2: [of_job]} if first == "its pod" else {1: [of_job], 4: [of_pod]}
    outcome = wait(news, at_first=[w.job(active=1)], targets=[ref], logs={"": "no such database"})
    assert "the job failed: Job has reached the specified backoff limit; container main ended with exit code 1" in str(
        outcome.error
    )
    assert "    no such database" in str(outcome.error)


def test_the_deadline_says_what_each_target_waits_for(wait: Callable[..., Outcome]) -> None:
    readiness = w.event("Pod", "web-2-a", "Unhealthy", "Readiness probe failed: 503")
    other = Ref("Deployment", "api", "x")
    news = {1: lists(pods=[w.pod(w.container())], warnings=[readiness], Deployment=[STARTED, w.up("api")])}
    outcome = wait(news, at_first=[STARTED], targets=[WEB, other])
    assert str(outcome.error) == (
        "not ready after 300 s: Deployment/web (0 of 1 pods are available; Pod/web-2-a: container main runs, but is "
        "not ready yet; last event: Readiness probe failed: 503). Look at what it waits for; if it only needs longer, "
        "raise wait_timeout."
    )


def test_a_target_that_cannot_be_read_ends_the_wait(wait: Callable[..., Outcome]) -> None:
    outcome = wait({1: [Seen("Deployment", error=Forbidden("you may not", status=403))]}, at_first=[STARTED])
    assert isinstance(outcome.error, Forbidden)


def test_a_hint_that_cannot_be_read_does_not(wait: Callable[..., Outcome]) -> None:
    news = {1: [Seen(WARNINGS, error=Forbidden("no events", status=403))], 9: [Seen("Deployment", changed=w.up())]}
    assert wait(news, at_first=[STARTED]).error is None
