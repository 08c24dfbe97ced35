# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the client sends, and what it makes of the answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import (
    ApiError,
    Conflict,
    Forbidden,
    NotFound,
    Unreachable,
)
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.kinds import KINDS, path
from ansible_collections.scp.dataops.plugins.module_utils.kube.rights import Right, missing_rights

from .fake_api import Answer, Asked, FakeApi, status

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "x"}}
PATHS = {
    ("Namespace", None, ""): "/api/v1/namespaces",
    ("Pod", None, ""): "/api/v1/pods",
    ("Pod", "x", "p"): "/api/v1/namespaces/x/pods/p",
    ("Deployment", "x", ""): "/apis/apps/v1/namespaces/x/deployments",
    ("StorageClass", "x", "s"): "/apis/storage.k8s.io/v1/storageclasses/s",
    ("Pod", "x", "a/../b"): "/api/v1/namespaces/x/pods/a%2F..%2Fb",
}


@pytest.mark.parametrize(("asked", "expected"), PATHS.items())
def test_path(asked: tuple[str, str | None, str], expected: str) -> None:
    assert path(*asked) == expected


def test_a_namespaced_object_needs_its_namespace() -> None:
    with pytest.raises(ValueError, match="Pod/p"):
        path("Pod", None, "p")


def test_every_kind_has_a_plural_in_lower_case() -> None:
    assert all(kind.plural.islower() and kind.plural.endswith("s") for kind in KINDS.values())


def test_apply_is_strict_and_ours(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    api = serve(Answer(200, CONFIG_MAP))
    connect(api).apply(CONFIG_MAP, dry_run=True, force=True)
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("PATCH", "/api/v1/namespaces/x/configmaps/a")
    assert asked.query == {
        "fieldManager": "scp.dataops",
        "fieldValidation": "Strict",
        "force": "true",
        "dryRun": "All",
    }
    assert asked.headers["Content-Type"] == "application/apply-patch+yaml"
    assert json.loads(asked.body) == CONFIG_MAP


def test_what_we_once_patched_is_still_ours(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    ours = {"message": 'conflict with "scp.dataops" using v1', "field": ".data.a"}
    theirs = {"message": 'conflict with "kubectl" using v1', "field": ".data.b"}
    api = serve(status(409, "Conflict", "", [ours]), Answer(200, CONFIG_MAP))
    assert connect(api).apply(CONFIG_MAP) == CONFIG_MAP
    assert [asked.query["force"] for asked in api.asked] == ["false", "true"]
    with pytest.raises(Conflict, match=r"kubectl owns data\.b; scp\.dataops owns data\.a"):
        connect(serve(status(409, "Conflict", "", [ours, theirs]))).apply(CONFIG_MAP)


def test_dry_runs_write_nothing(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    api = serve(Answer(200, CONFIG_MAP))
    kube = connect(api)
    kube.apply(CONFIG_MAP, dry_run=True)
    kube.create(CONFIG_MAP, dry_run=True)
    kube.patch("ConfigMap", "a", "x", {"data": {}}, dry_run=True)
    kube.delete("ConfigMap", "a", "x", dry_run=True)
    assert [asked.writes for asked in api.asked] == [False] * 4


def test_a_missing_object_is_none(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    kube = connect(serve(status(404, "NotFound", "not found")))
    assert kube.get("ConfigMap", "a", "x") is None
    kube.delete("ConfigMap", "a", "x")
    assert kube.logs("p", "x") == ""


def test_list_follows_pages_and_names_kinds(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    def page(name: str, more: str) -> Answer:
        items = [{"metadata": {"name": name}}]
        return Answer(200, {"metadata": {"continue": more, "resourceVersion": "7"}, "items": items})

    api = serve(page("a", "next"), page("b", ""))
    items, version = connect(api).list_versioned("Deployment", "x", labels="a=b")
    assert [(item["kind"], item["apiVersion"], item["metadata"]["name"]) for item in items] == [
        ("Deployment", "apps/v1", "a"),
        ("Deployment", "apps/v1", "b"),
    ]
    assert version == "7"
    assert [asked.query.get("continue") for asked in api.asked] == [None, "next"]
    assert {asked.query["labelSelector"] for asked in api.asked} == {"a=b"}


def test_one_connection_is_kept(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    kube = connect(serve(Answer(200, CONFIG_MAP)))
    started = time.monotonic()
    for _turn in range(50):
        kube.get("ConfigMap", "a", "x")
    assert kube.requests == 50
    assert time.monotonic() - started < 5


def test_watch(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    lines = [{"type": kind, "object": {"metadata": {"name": kind}}} for kind in ("ADDED", "BOOKMARK", "DELETED")]
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}
    body = b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, gone])
    events = connect(serve(Answer(200, body))).watch("Pod", "x", timeout=5)
    assert [event for event, _item in islice(events, 3)] == ["ADDED", "BOOKMARK", "DELETED"]
    with pytest.raises(ApiError) as caught:
        next(events)
    assert caught.value.status == 410


PROXY = {
    "the service's own 404": (Answer(404, b"nope"), (404, b"nope")),
    "the service's own 401": (Answer(401, {"detail": "no"}), (401, b'{"detail": "no"}')),
    "nothing behind it": (Answer(503, status(503, "ServiceUnavailable", "no endpoints").body), None),
    "no such service": (status(404, "NotFound", 'services "web" not found'), NotFound),
    "not allowed": (status(403, "Forbidden", "no"), Forbidden),
}


@pytest.mark.parametrize(("answer", "expected"), PROXY.values(), ids=PROXY.keys())
def test_proxy(serve: Callable[..., FakeApi], connect: Callable[..., Kube], answer: Answer, expected: object) -> None:
    api = serve(answer)
    kube = connect(api)
    if isinstance(expected, type) and issubclass(expected, Exception):
        with pytest.raises(expected):
            kube.proxy("GET", "x", "web", 8080, "/health")
        return
    outcome = kube.proxy("GET", "x", "web", 8080, "/health?a=b")
    assert outcome == (expected or (503, answer.content()))
    assert len(api.asked) == 1
    assert api.asked[0].path == "/api/v1/namespaces/x/services/web:8080/proxy/health"


def test_cookies_make_a_session(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    api = serve(Answer(200, b"", headers={"Set-Cookie": "session=a=1; Path=/; HttpOnly"}))
    kube = connect(api)
    cookies = {"_token": "t"}
    for _turn in range(2):
        kube.proxy("GET", "x", "web", 8080, "/login/", cookies=cookies)
    assert [asked.headers.get("Cookie") for asked in api.asked] == ["_token=t", "_token=t; session=a=1"]
    assert cookies == {"_token": "t", "session": "a=1"}


def test_a_body_in_blocks_is_sent_block_by_block(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    api = serve(Answer(200, b"", headers={"Upload-Offset": "9"}))
    taken: list[int] = []

    def blocks() -> Iterator[bytes]:
        for number in range(3):
            taken.append(number)
            yield b"abc"

    answer = connect(api).reach("PATCH", "x", "web", 80, "/a", body=blocks(), headers={"Content-Length": "9"})
    assert (answer.status, answer.headers["upload-offset"]) == (200, "9")
    (asked,) = api.asked
    assert asked.body == b"abcabcabc"
    assert "Transfer-Encoding" not in asked.headers
    assert taken == [0, 1, 2]


def test_blocks_that_were_sent_are_not_sent_again(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    api = serve(Answer(fault="reset"))
    with pytest.raises(Unreachable):
        connect(api).reach("PATCH", "x", "web", 80, "/a", body=iter([b"abc"]), headers={"Content-Length": "3"})
    assert len(api.asked) == 1


def test_rights(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    def review(asked: Asked) -> Answer:
        attributes = json.loads(asked.body)["spec"]["resourceAttributes"]
        return Answer(201, {"status": {"allowed": attributes.get("subresource") != "log"}})

    rights = [
        Right("create", "apps", "deployments", "x"),
        Right("get", "", "pods/log", "x"),
        Right("list", "", "nodes"),
    ]
    missing = missing_rights(connect(serve(respond=review)), rights)
    assert [str(right) for right in missing] == ["get pods/log in namespace x"]
    assert [str(right) for right in rights][::2] == [
        "create deployments.apps in namespace x",
        "list nodes in the cluster",
    ]


def test_impersonation_names_every_group(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    api = serve(Answer(200, CONFIG_MAP))
    connect(api, impersonate_user="ann", impersonate_groups=["a", "b"]).get("ConfigMap", "a", "x")
    assert api.asked[0].headers["Impersonate-User"] == "ann"
    assert api.asked[0].headers["Impersonate-Group"] in ("b", "a, b")


def test_the_first_error_comes_after_all_have_ended(
    serve: Callable[..., FakeApi], connect: Callable[..., Kube]
) -> None:
    ended: list[int] = []

    def work(number: int) -> int:
        ended.append(number)
        if number % 2:
            raise ValueError(f"number {number}")
        return number

    kube = connect(serve())
    assert kube.each(work, [0, 2, 4]) == [0, 2, 4]
    ended.clear()
    with pytest.raises(ValueError, match="number 1"):
        kube.each(work, range(6))
    assert sorted(ended) == list(range(6))
