# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings read as sentences, and as one error."""

from __future__ import annotations

from ansible_collections.scp.dataops.plugins.module_utils.common import findings
from ansible_collections.scp.dataops.plugins.module_utils.common.regions import region

CLASS = findings.refused(
    "storage class", "there is no 'gold'", option="storage_class", allowed="nfs", next_step="Use it"
)
NODES = findings.refused("capacity", "there is no room", next_step="Add a node")
GOOD = findings.ok("host", "etl.example.com is free")
UNSEEN = findings.not_checked("quota", "user jane may not list resourcequotas")


def test_nothing_refused_is_no_error() -> None:
    assert findings.as_error([GOOD, UNSEEN]) is None


def test_one_reason_is_a_sentence() -> None:
    assert str(findings.as_error([GOOD, CLASS])) == "storage_class: there is no 'gold' (allowed: nfs). Use it."


def test_several_reasons_are_all_named() -> None:
    assert str(findings.as_error([CLASS, GOOD, NODES])) == (
        "2 things stand in the way:\n"
        "- storage_class: there is no 'gold' (allowed: nfs). Use it.\n"
        "- capacity: there is no room. Add a node."
    )


def test_a_report_begins_with_what_has_to_be_done() -> None:
    assert findings.report([GOOD, UNSEEN, CLASS]).splitlines() == [
        "refused     storage class: storage_class: there is no 'gold' (allowed: nfs). Use it.",
        "not checked quota: user jane may not list resourcequotas.",
        "ok          host: etl.example.com is free",
    ]
    assert findings.skipped([GOOD, UNSEEN]) == ("quota: user jane may not list resourcequotas",)


def test_regions() -> None:
    assert region("kr-west1").status == "ok"
    assert str(region("kr-east1")) == (
        "region: Data Ops is not provided in kr-east1 (allowed: kr-west1, kr-south1, kr-south3, kr-central, local). "
        "Use a cluster in one of these regions."
    )
    assert "the region mars is not known" in str(region("mars"))
