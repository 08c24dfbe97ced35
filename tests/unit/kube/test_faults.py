# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a request can fail, through the real client: the type of the error and the words a user reads."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import (
    ApiError,
    BadOption,
    Conflict,
    DataOpsError,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
    Unreachable,
)
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube

from .conftest import SENTINEL
from .fake_api import Answer, FakeApi, closed_port, status

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "keys", "namespace": "x"},
    "data": {"password": "UzNOVDFORUwtdmFsdWU="},
}
TAKEN = [{"reason": "FieldManagerConflict", "message": 'conflict with "kubectl-edit" using v1', "field": ".data.a"}]
WRONG = [{"reason": "FieldValueInvalid", "message": f'Invalid value: "{SENTINEL}": too long', "field": "data.password"}]

# What the server answers, the error, words that its sentence must hold.
ANSWERS = {
    "401": (status(401, "Unauthorized", "Unauthorized"), Unauthorized, "does not accept the credentials.*renew"),
    "403 no right": (
        status(
            403,
            "Forbidden",
            'User "ann" cannot patch resource "secrets" in API group "" in the namespace "x"',
        ),
        Forbidden,
        "Secret/keys in namespace x: user ann may not patch secrets in namespace x. Grant this right",
    ),
    "403 nobody": (
        status(403, "Forbidden", 'secrets is forbidden: User "system:anonymous" cannot list resource "secrets"'),
        Forbidden,
        "no credentials were sent",
    ),
    "403 quota": (
        status(403, "Forbidden", 'secrets "keys" is forbidden: exceeded quota: q, used: secrets=1, limited: secrets=1'),
        Forbidden,
        "exceeded quota: q.*Raise the ResourceQuota",
    ),
    "403 pod security": (
        status(403, "Forbidden", 'violates PodSecurity "restricted"'),
        Forbidden,
        "Pod Security level",
    ),
    "403 webhook": (
        status(403, "Forbidden", 'admission webhook "p" denied the request: no'),
        Forbidden,
        "webhook's policy",
    ),
    "404 namespace": (status(404, "NotFound", 'namespaces "x" not found'), NotFound, "Create the namespace first"),
    "404 kind": (Answer(404, b"404 page not found"), NotFound, "does not serve that kind"),
    "409 fields": (
        status(409, "Conflict", "Apply failed with 1 conflict", TAKEN),
        Conflict,
        "kubectl-edit owns data.a. Use force: true",
    ),
    "409 exists": (status(409, "AlreadyExists", "exists"), Conflict, "exists already"),
    "409 changed": (
        status(409, "Conflict", "the object has been modified"),
        Conflict,
        "has been modified.*Run this again",
    ),
    "422": (status(422, "Invalid", "bad", WRONG), Invalid, r"data.password: Invalid value: \"\*+\": too long"),
    "422 immutable": (status(422, "Invalid", "field is immutable"), Invalid, "cannot change it: field is immutable"),
    "400": (status(400, "BadRequest", 'unknown field "spec.x"'), Invalid, 'unknown field "spec.x"'),
    "400 plain HTTP": (
        Answer(400, b"Client sent an HTTP request to an HTTPS server.\n"),
        Invalid,
        "Write the host as https",
    ),
    "500 of a wrong type": (
        status(500, "", f"failed to create typed patch object (x/keys): .data.a: got {SENTINEL}"),
        Invalid,
        r".data.a: got \*+. Correct",
    ),
    "500": (status(500, "InternalError", "etcd is away"), ApiError, r"could not apply it \(HTTP 500\): etcd is away"),
    "429": (status(429, "TooManyRequests", "slow down"), ApiError, "too busy"),
    "302": (Answer(302, b"", {"Location": "/login"}), ApiError, "redirects elsewhere"),
    "not JSON": (Answer(200, b"<html>Welcome</html>"), Unreachable, "is not a Kubernetes API server"),
    "cut body": (Answer(200, {}, fault="cut"), Unreachable, "was cut off"),
    "reset": (Answer(fault="reset"), Unreachable, "closed before an answer came"),
    "slow": (Answer(fault="slow"), Unreachable, "no answer in time"),
}


@pytest.mark.parametrize(("answer", "kind", "words"), ANSWERS.values(), ids=ANSWERS.keys())
def test_answer(
    serve: Callable[..., FakeApi],
    connect: Callable[..., Kube],
    answer: Answer,
    kind: type[DataOpsError],
    words: str,
) -> None:
    kube = connect(serve(answer))
    with pytest.raises(kind) as caught:
        kube.apply(SECRET)
    assert caught.value.__class__ is kind
    assert re.search(words, str(caught.value))
    for secret in (SENTINEL, "UzNOVDFORUwtdmFsdWU="):
        assert secret not in str(caught.value) + repr(caught.value) + repr(kube.access)


def test_refused(connect: Callable[..., Kube]) -> None:
    with pytest.raises(Unreachable, match="nothing listens at this address"):
        connect(f"http://127.0.0.1:{closed_port()}").get("Namespace", "x")


def test_unknown_name(connect: Callable[..., Kube]) -> None:
    with pytest.raises(Unreachable, match="cannot be resolved"):
        connect("https://no-such-host.invalid").get("Namespace", "x")


def test_plain_http_behind_https(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    with pytest.raises(Unreachable, match="does not speak TLS"):
        connect(serve().url.replace("http://", "https://")).get("Namespace", "x")


def test_wrong_proxy(connect: Callable[..., Kube]) -> None:
    with pytest.raises(BadOption, match="not the address of a proxy"):
        connect("https://10.0.0.1", proxy="::")


# The answers before a good one, and how many requests it takes.
RETRIES = {
    "busy": ([status(429, "TooManyRequests", "")], 2),
    "unavailable": ([Answer(503), Answer(503)], 3),
    "reset": ([Answer(fault="reset")], 2),
    "cut": ([Answer(200, {}, fault="cut")], 2),
}


@pytest.mark.parametrize(("answers", "requests"), RETRIES.values(), ids=RETRIES.keys())
def test_what_is_tried_again(
    serve: Callable[..., FakeApi], connect: Callable[..., Kube], answers: list[Answer], requests: int
) -> None:
    kube = connect(serve(*answers, Answer(200, {"kind": "Namespace"})))
    assert kube.get("Namespace", "x") == {"kind": "Namespace"}
    assert kube.requests == requests


def test_retry_after_is_respected_within_bounds(
    serve: Callable[..., FakeApi], connect: Callable[..., Kube], pauses: list[float]
) -> None:
    busy = status(429, "TooManyRequests", "")
    wishes = [Answer(busy.status, busy.body, {"Retry-After": seconds}) for seconds in ("3", "3600")]
    connect(serve(*wishes, Answer())).get("Namespace", "x")
    assert pauses == [3, 10]


def test_a_create_is_not_sent_twice(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    api = serve(Answer(fault="reset"))
    with pytest.raises(Unreachable):
        connect(api).create(SECRET)
    assert len(api.asked) == 1


def test_tries_are_bounded(serve: Callable[..., FakeApi], connect: Callable[..., Kube], pauses: list[float]) -> None:
    kube = connect(serve(Answer(503)))
    with pytest.raises(ApiError, match="HTTP 503"):
        kube.get("Namespace", "x")
    assert kube.requests == 5
    assert sum(pauses) < 10
