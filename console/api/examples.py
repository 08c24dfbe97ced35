# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies as people write them, for the OpenAPI document; the tests send each of them."""

from __future__ import annotations

from typing import Any

SMALL = {"cpu": "100", "memory": "1536", "replica": "1"}
CREATE: dict[str, Any] = {
    "small": {
        "summary": "A service that is inherited from its Manager in all but its name",
        "value": {"data_ops_id": "analytics", "data_ops_service_name": "etl", "size": "small"},
    },
    "complete": {
        "summary": "With sizes, DAGs from git, a host alias and settings of Airflow",
        "value": {
            "data_ops_id": "analytics",
            "data_ops_service_name": "etl",
            "description": "Nightly loads",
            "worker_type": "KubernetesExecutor",
            "service_workload": {"scheduler": SMALL, "web_server": SMALL, "worker": {"cpu": "500", "memory": "1024"}},
            "host_alias": {
                "enabled": "true",
                "host_alias_list": [{"hostname": "warehouse.internal", "ip": "10.0.0.5"}],
            },
            "git_sync": {"repo": "https://git.example.com/team/dags.git", "ref": "main", "subdir": "dags"},
            "config": {"core": {"parallelism": 64}},
            "tags": [{"tag_key": "team", "tag_value": "data"}],
        },
    },
}
UPDATE: dict[str, Any] = {
    "size": {"summary": "A larger scheduler", "value": {"service_workload": {"scheduler": {"memory": "2048"}}}},
    "description": {"summary": "Another description", "value": {"description": "Hourly loads"}},
    "clear": {"summary": "No host aliases any more", "value": {"host_alias": {"enabled": "false"}}},
    "git": {"summary": "Another commit", "value": {"git_sync": {"ref": "release-7"}}},
}
WORKLOAD: dict[str, Any] = {
    "small": {"summary": "A small scheduler", "value": {"service_workload": {"scheduler": SMALL}}}
}
MANAGER: dict[str, Any] = {
    "description": {"summary": "Another description", "value": {"description": "Analytics of the sales team"}},
    "aliases": {
        "summary": "A host alias",
        "value": {"host_alias_list": [{"hostnames": ["warehouse.internal"], "ip": "10.0.0.5"}]},
    },
}
SETTINGS: dict[str, Any] = {
    "workers": {
        "summary": "Larger workers",
        "value": {"service_workload": {"worker": {"cpu": "1000", "memory": "2048"}}},
    }
}
TOKEN: dict[str, Any] = {
    "looks": {"summary": "A token that may look", "value": {"name": "monitoring", "role": "viewer"}},
    "changes": {"summary": "A token that may change everything", "value": {"name": "ci", "role": "operator"}},
}
