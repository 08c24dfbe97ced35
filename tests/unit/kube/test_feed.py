# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following lists through the real client: reopened watches, expired versions, missing rights; and deletions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.errors import Forbidden, NotReady
from ansible_collections.scp.dataops.plugins.module_utils.kube import feed
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.deletion import SOON, delete_all
from ansible_collections.scp.dataops.plugins.module_utils.kube.feed import Feed, Seen, Source
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref

from .fake_api import Answer, Asked, FakeApi, status

PODS = Source("pods", "Pod", "x", labels="a=b")


def item(name: str, version: str) -> Manifest:
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "x", "resourceVersion": version}}


def listed(version: str, *names: str) -> Answer:
    return Answer(200, {"metadata": {"resourceVersion": version}, "items": [item(name, version) for name in names]})


def events(*pairs: tuple[str, Manifest]) -> Answer:
    return Answer(200, b"".join(json.dumps({"type": kind, "object": body}).encode() + b"\n" for kind, body in pairs))


EXPIRED = ("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
IDLE = Answer(fault="slow", body=b"")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_PAUSE", 0.01)


def read(kube: Kube, number: int) -> list[Seen]:
    follower = Feed(kube, [PODS])
    try:
        seen = [follower.next(5) for _turn in range(number)]
    finally:
        follower.close()
    return [one for one in seen if one is not None]


def test_lists_then_watches(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    api = serve(listed("1", "a"), events(("ADDED", item("b", "2")), ("DELETED", item("a", "3"))), IDLE)
    first, second, third = read(connect(api), 3)
    assert first.items is not None and [one["metadata"]["name"] for one in first.items] == ["a"]
    assert second.changed is not None and second.changed["metadata"]["name"] == "b"
    assert third.gone is not None and third.gone["metadata"]["name"] == "a"
    assert api.asked[1].query["resourceVersion"] == "1"


def test_goes_on_where_the_server_closed(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    bookmark = events(("BOOKMARK", item("", "9")))
    api = serve(listed("1"), bookmark, events(("ADDED", item("b", "10"))), IDLE)
    seen = read(connect(api), 2)
    assert seen[1].changed is not None
    assert [asked.query.get("resourceVersion") for asked in api.asked[:3]] == [None, "1", "9"]


STARTS_AGAIN = {
    "expired": events(EXPIRED),
    "expired at once": status(410, "Expired", "too old"),
    "broken": Answer(fault="reset"),
    "unavailable": Answer(503),
}


@pytest.mark.parametrize("trouble", STARTS_AGAIN.values(), ids=STARTS_AGAIN.keys())
def test_starts_again_from_a_list(serve: Callable[..., FakeApi], connect: Callable[..., Kube], trouble: Answer) -> None:
    first, second = read(connect(serve(listed("1", "a"), trouble, listed("5", "b"), IDLE)), 2)
    assert first.items is not None and second.items is not None
    assert [one["metadata"]["name"] for one in second.items] == ["b"]


def test_a_missing_right_is_told(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    (seen,) = read(connect(serve(status(403, "Forbidden", "no"))), 1)
    assert isinstance(seen.error, Forbidden)


REFS = [Ref("Pod", "a", "x"), Ref("Pod", "b", "x")]


def test_delete_all(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    said: list[str] = []

    def respond(asked: Asked) -> Answer:
        if asked.method == "DELETE":
            return Answer()
        return events(("DELETED", item("a", "2"))) if "watch" in asked.query else listed("1", "a", "c")

    api = serve(respond=respond)
    delete_all(connect(api), REFS, timeout=5, say=said.append)
    assert said == ["Pod/b: gone", "Pod/a: gone"]
    assert sorted(asked.path[-1] for asked in api.asked if asked.method == "DELETE") == ["a", "b"]


class Held:
    """A list in which a finalizer holds an object for ever."""

    def __init__(self, _kube: Kube, _sources: Sequence[Source]) -> None:
        held = item("a", "1")
        held["metadata"]["finalizers"] = ["example.org/keep"]
        self._seen: list[Seen] = [Seen("Pod in x", items=(held,))]

    def next(self, timeout: float) -> Seen | None:
        return self._seen.pop() if self._seen else None

    def close(self) -> None:
        self._seen.clear()


def test_what_holds_a_deletion_is_named(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    with pytest.raises(NotReady, match=r"still being deleted after 9 s: Pod/a \(held by example.org/keep\)"):
        delete_all(connect(serve()), REFS, timeout=9, follow=Held, clock=lambda: 0)


def test_pods_in_haste_are_told_again(serve: Callable[..., FakeApi], connect: Callable[..., Kube]) -> None:
    def ending(name: str, grace: int | None) -> Manifest:
        pod = item(name, "1")
        return {**pod, "metadata": {**pod["metadata"], "deletionGracePeriodSeconds": grace}}

    pods = [ending("slow", 60), ending("other", 60), ending("quick", 1), ending("running", None)]

    def respond(asked: Asked) -> Answer:
        if asked.method == "DELETE":
            return Answer()
        if not asked.path.endswith("/pods"):
            return (
                events() if "watch" in asked.query else Answer(200, {"metadata": {"resourceVersion": "1"}, "items": []})
            )
        return IDLE if "watch" in asked.query else Answer(200, {"metadata": {"resourceVersion": "1"}, "items": pods})

    api = serve(respond=respond)
    doomed = [Ref("Deployment", "a", "x"), Ref("Pod", "gone", "x")]
    delete_all(connect(api), doomed, timeout=5, hasten=lambda pod: pod["metadata"]["name"] != "other")
    told = [asked for asked in api.asked if b"gracePeriodSeconds" in asked.body]
    assert [(asked.method, asked.path.rpartition("/")[2]) for asked in told] == [("DELETE", "slow")]
    assert json.loads(told[0].body)["gracePeriodSeconds"] == SOON
