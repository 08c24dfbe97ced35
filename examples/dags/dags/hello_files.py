# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""### Hello, files

Draws the temperatures of a day from a Shared File, with a function of a Plugin File and a Python Library File: what
`examples/demo.yml` uploads. Change the Shared File and run the upload playbook again: the next run draws the new day.
"""

from __future__ import annotations

import csv
import logging
from pathlib import Path

from airflow.sdk import dag, task

log = logging.getLogger("airflow.task")
SHARED = Path("/opt/airflow/shared")


@dag(schedule=None, catchup=False, tags=["example"], doc_md=__doc__)
def hello_files() -> None:
    """Read, convert, draw."""

    @task
    def draw() -> None:
        # In the task, so that the DAG is there even where the files are not.
        import plotille
        from thermometer import fahrenheit

        with (SHARED / "temperatures.csv").open(newline="") as file:
            day = [(int(row["hour"]), fahrenheit(float(row["celsius"]))) for row in csv.DictReader(file)]
        hours, degrees = zip(*day, strict=True)
        log.info("%s values, the highest %s degrees Fahrenheit", len(day), max(degrees))
        for line in plotille.plot(hours, degrees, width=48, height=8, X_label="hour", Y_label="F").splitlines():
            log.info(line)

    draw()


hello_files()
