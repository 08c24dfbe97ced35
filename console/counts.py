# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each Airflow is asked for besides its health: a few counts and a commit, each by one request of bounded size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from ansible_collections.scp.dataops.plugins.module_utils.airflow.api import AirflowApi
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.spec import MAIN, GitSync
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.status import repository_of

# One that hangs must not hold up those that do not.
ANSWER_SECONDS = 10.0
DAY = timedelta(days=1)
# So many tell which commit most of them were read from.
DAGS = 20
TASKS, RUNS = "/dags/~/dagRuns/~/taskInstances", "/dags/~/dagRuns"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Of all DAGs. ``failed_runs`` are those that ended within a day; ``commit`` is empty where Airflow knows none."""

    running: int
    queued: int
    failed_runs: int
    import_errors: int
    commit: str = ""


def counts(api: AirflowApi, git: GitSync | None, now: datetime) -> Counts:
    """:raises NotReady, ApiError, Unreachable: it does not answer, or says no."""
    return Counts(
        running=total(api, TASKS, state="running"),
        queued=total(api, TASKS, state="queued"),
        failed_runs=total(api, RUNS, state="failed", end_date_gte=(now - DAY).isoformat()),
        import_errors=total(api, "/importErrors"),
        commit=commit(api, git) if git else "",
    )


def total(api: AirflowApi, path: str, **query: str) -> int:
    answer = api.ask("GET", f"{api.profile.api.root}{path}?{urlencode({**query, 'limit': 1})}", timeout=ANSWER_SECONDS)
    found: int = answer["total_entries"]
    return found


def commit(api: AirflowApi, git: GitSync) -> str:
    """The one that most of some DAGs of the main repository were read from; those with an error stay behind it."""
    path = f"{api.profile.api.root}/dags?{urlencode({'limit': DAGS})}"
    dags = api.ask("GET", path, timeout=ANSWER_SECONDS)["dags"]
    sound = [dag for dag in dags if repository_of(dag, git) == MAIN and not dag.get("has_import_errors")]
    told = Counter(str(dag["bundle_version"]) for dag in sound if dag.get("bundle_version"))
    return told.most_common(1)[0][0] if told else ""
