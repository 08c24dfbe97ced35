# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that tells who changed what and when."""

from __future__ import annotations

import re

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common import activity
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By, Deed
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError, Refused
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Ref
from ansible_collections.scp.dataops.plugins.module_utils.kube.plan import Change
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..runs import NAMESPACE, run
from .test_pages import HTML, signed_in

ROW = re.compile(r'<time datetime="')


def note(kube: FakeKube, target: str, door: str, name: str, *, error: DataOpsError | None = None) -> None:
    change = Change("update", Ref("ConfigMap", "etl", NAMESPACE))
    deed = Deed(By(door, name), target, "change", ("git_sync.ref",), (change,), ("scheduler",))
    kube.pass_time(1)
    try:
        with activity.told(kube, NAMESPACE, deed):
            if error:
                raise error
    except DataOpsError:
        return


def rows(client: TestClient, query: str = "") -> int:
    return len(ROW.findall(client.get(f"/activity{query}", headers=HTML).text))


def test_what_was_changed(client: TestClient, kube: FakeKube) -> None:
    kube.pass_time(1)
    run(kube, by=By("api", "robot"), description="Nightly loads")
    signed_in(client)
    text = client.get("/activity", headers=HTML).text
    for word in ("robot", "<strong>Create</strong> service etl", "description", "create ConfigMap/", "1-2 of 2"):
        assert word in text
    assert text.index("</strong> service etl") < text.index("</strong> Manager analytics")
    assert 'aria-current="page">Activity' in text


def test_what_failed_has_its_reason_and_nothing_is_taken_for_html(client: TestClient, kube: FakeKube) -> None:
    note(kube, "service etl", "console", "<script>x</script>", error=Refused("<b>no</b> room", where="etl"))
    signed_in(client)
    text = client.get("/activity", headers=HTML).text
    assert "Failed" in text and "etl: &lt;b&gt;no&lt;/b&gt; room" in text
    assert "<script>x" not in text and "&lt;script&gt;x" in text
    assert "git_sync.ref" in text and "scheduler" in text and "update ConfigMap/etl" in text


FILTERS = {
    "target": ("?target=service+etl", 2),
    "door": ("?door=api", 1),
    "name": ("?name=jane", 1),
    "several": ("?target=service+etl&door=api", 1),
    "all": ("?target=&door=&name=", 4),
    "nothing": ("?target=service+gone", 0),
}


@pytest.mark.parametrize(("query", "expected"), FILTERS.values(), ids=FILTERS.keys())
def test_filters(client: TestClient, kube: FakeKube, query: str, expected: int) -> None:
    note(kube, "service etl", "console", "dataops")
    note(kube, "service etl", "api", "robot")
    note(kube, "service dwh", "playbook", "jane")
    signed_in(client)
    assert rows(client, query) == expected


def test_a_filter_that_nothing_fits_is_still_shown(client: TestClient, kube: FakeKube) -> None:
    signed_in(client)
    text = client.get("/activity?target=service+gone", headers=HTML).text
    assert "No entry fits this filter." in text
    assert '<option value="service gone" selected>' in text


def test_pages(client: TestClient, kube: FakeKube) -> None:
    for number in range(60):
        note(kube, f"service s{number}", "console", "dataops")
    signed_in(client)
    first = client.get("/activity?door=console", headers=HTML).text
    assert len(ROW.findall(first)) == 50 and "service s59" in first
    assert 'href="/activity?door=console&amp;page=1" rel="next"' in first and 'rel="prev"' not in first
    assert rows(client, "?door=console&page=1") == 10
    last = client.get("/activity?door=console&page=999", headers=HTML).text
    assert "51-60 of 60" in last and 'rel="prev"' in last and 'rel="next"' not in last


def test_nothing_yet_and_in_korean(client: TestClient, kube: FakeKube) -> None:
    kube.remove("ConfigMap", activity.NAME, NAMESPACE)
    signed_in(client)
    assert "Nothing was changed yet." in client.get("/activity", headers=HTML).text
    assert "아직 변경된 것이 없습니다." in client.get("/activity", headers={**HTML, "Accept-Language": "ko"}).text


def test_who_is_not_signed_in_sees_nothing(client: TestClient) -> None:
    assert client.get("/activity", headers=HTML, follow_redirects=False).status_code == 303


def test_one_request_to_the_cluster(client: TestClient, kube: FakeKube) -> None:
    signed_in(client)
    kube.forget()
    assert client.get("/activity", headers=HTML).status_code == 200
    assert kube.requests == 1
