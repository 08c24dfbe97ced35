# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people call the objects of a service."""

from __future__ import annotations

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.naming import called
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Ref

NAMES = {
    "component": (Ref("Deployment", "etl-web-server"), "web server"),
    "database": (Ref("StatefulSet", "etl-database"), "database"),
    "migration": (Ref("Job", "etl-migration-0123456789"), "migrating the database"),
    "account": (Ref("Job", "etl-account-abcdef0123"), "setting up the account"),
    "repository": (Ref("Job", "etl-git-check"), "trying the repository"),
    "volume": (Ref("PersistentVolumeClaim", "etl-logs"), "volume logs"),
}


@pytest.mark.parametrize(("ref", "expected"), NAMES.values(), ids=NAMES.keys())
def test_called(ref: Ref, expected: str) -> None:
    assert called("etl")(ref) == expected
