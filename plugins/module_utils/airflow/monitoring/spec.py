# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``monitoring``, checked, and what airflow.cfg says for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...common import validation as check
from ...common.labels import COMPONENT, INSTANCE, MANAGED, NAME, PART_OF
from ...errors import BadOption
from .. import names

KEYS = ("enabled", "labels", "dashboard", "interval")
# Alerts look back five minutes at least, in which there must be two readings.
INTERVAL_SECONDS = (5, 120)
DEFAULT_INTERVAL = 30
OUR_LABELS = (NAME, INSTANCE, COMPONENT, PART_OF, MANAGED)
STATSD_PORT = 9125

# What Airflow 3 calls otherwise, or sends twice, unless it is told not to.
BY_VERSION: Mapping[str, Mapping[str, str]] = {
    "2.11": {"timer_unit_consistency": "True"},
    "3.3": {"legacy_names_on": "False"},
}
# Who sends metrics elsewhere, or under other names, has no use for what reads them here.
ELSEWHERE = ("statsd_custom_client_path", "statsd_datadog_enabled", "statsd_ipv6", "stat_name_handler")


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """``labels`` are those by which a Prometheus selects what it scrapes; ``interval`` is in seconds."""

    enabled: bool
    labels: Mapping[str, str]
    dashboard: bool
    interval: int


def monitoring(raw: Mapping[str, Any], at: str = "monitoring") -> Monitoring:
    """:raises BadOption: naming the option, its value and what is allowed."""
    check.known_keys(raw, KEYS, at)
    labels = check.labels(raw.get("labels", {}), f"{at}.labels")
    for key in labels:
        if key in OUR_LABELS:
            raise BadOption(f"'{key}' is a label of the service", where=f"{at}.labels", next_step="Use another label")
    low, high = INTERVAL_SECONDS
    return Monitoring(
        enabled=bool(raw.get("enabled", False)),
        labels=labels,
        dashboard=bool(raw.get("dashboard", True)),
        interval=check.whole_number(raw.get("interval", DEFAULT_INTERVAL), f"{at}.interval", low=low, high=high),
    )


def settings(service: str, version: str) -> dict[str, str]:
    """Section ``metrics`` of airflow.cfg: what happened to which DAG is told in tags, never in names."""
    return {
        "statsd_on": "True",
        "statsd_host": names.metrics(service),
        "statsd_port": str(STATSD_PORT),
        "statsd_prefix": "airflow",
        "statsd_influxdb_enabled": "True",
        **BY_VERSION[version],
    }


def refuse_settings(asked: Monitoring, config: Mapping[str, Mapping[str, Any]], service: str, version: str) -> None:
    """:raises BadOption: for a setting by which metrics would no longer arrive under the names that are expected."""
    ours = {*settings(service, version), *ELSEWHERE} if asked.enabled else set()
    for option in config.get("metrics", {}):
        if option in ours:
            raise BadOption(
                "the service sets it itself while it is monitored",
                where=f"config.metrics.{option}",
                next_step="Leave it out, or set monitoring.enabled to false",
            )
