# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions are rows of a table: each is complete, and each renders."""

from __future__ import annotations

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.manifests import RULES
from ansible_collections.scp.dataops.plugins.module_utils.airflow.sizes import COMPONENT_OPTIONS
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import (
    NEWEST,
    PROFILES,
    SHARED_SECTIONS,
    profile,
)

from .builders import full, rendered, service


def test_the_newest_is_a_row() -> None:
    assert NEWEST in PROFILES


@pytest.mark.parametrize("version", PROFILES)
def test_every_row_renders(version: str) -> None:
    for spec in (service(version=version), full(version=version)):
        kinds = [item["kind"] for item in rendered(spec).all]
        assert kinds.count("Deployment") == len(spec.components) + spec.monitoring.enabled


@pytest.mark.parametrize("version", PROFILES)
def test_every_row_is_complete(version: str) -> None:
    row = profile(version)
    assert row.release.startswith(f"{version}.")
    assert row.image.endswith(row.release)
    assert {part.option for part in row.components} == set(COMPONENT_OPTIONS)
    assert {part.name for part in row.components if part.calls_kubernetes} == set(RULES)
    for part in row.components:
        assert not part.reads & SHARED_SECTIONS, "a shared section is read by all anyway"
        assert bool(part.probe.path) != bool(part.probe.job_type), f"{part.name} is asked in one way"
