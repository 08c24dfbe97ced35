# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Data Ops is provided: the one place that knows. Role ``preflight`` and module ``dataops_preflight`` read it."""

from __future__ import annotations

from . import findings
from .findings import Finding

# ``local`` is the cluster that this project brings along, for a first look, tests and development.
REGIONS = {
    "kr-west1": True,
    "kr-east1": False,
    "kr-south1": True,
    "kr-south3": True,
    "kr-central": True,
    "local": True,
}
PROVIDED = tuple(name for name, provided in REGIONS.items() if provided)


def region(name: str) -> Finding:
    if name in PROVIDED:
        return findings.ok("region", f"Data Ops is provided in {name}")
    what = f"Data Ops is not provided in {name}" if name in REGIONS else f"the region {name} is not known"
    return findings.refused(
        "region", what, option="region", allowed=", ".join(PROVIDED), next_step="Use a cluster in one of these regions"
    )
