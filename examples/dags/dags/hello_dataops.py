# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""### Hello, Data Ops

Reads some temperatures, sums them up and says so. Each task runs in a pod of its own; what a task returns reaches the
next one through the database, so keep it small.

Trigger it in the UI, or change a line, push, and watch the new commit run.
"""

from __future__ import annotations

import logging
from statistics import mean

from airflow.sdk import dag, task

log = logging.getLogger("airflow.task")


@dag(schedule=None, catchup=False, tags=["example"], doc_md=__doc__)
def hello_dataops() -> None:
    """Read, sum up, say."""

    @task
    def read_temperatures() -> list[float]:
        """Stands for a query or an API call."""
        return [17.2, 18.0, 21.4, 24.9, 23.1, 19.6]

    @task
    def sum_up(degrees: list[float]) -> dict[str, float]:
        """Stands for the real work."""
        return {"lowest": min(degrees), "mean": round(mean(degrees), 1), "highest": max(degrees)}

    @task
    def say_hello(summary: dict[str, float]) -> None:
        """Stands for what others see."""
        log.info("Hello, Data Ops!")
        log.info("Between %(lowest)s and %(highest)s degrees, %(mean)s in the mean", summary)

    say_hello(sum_up(read_temperatures()))


hello_dataops()
