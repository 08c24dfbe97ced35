# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests upload, and a DAG that says what it finds of it: a plugin, a library and a shared file."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from pathlib import Path

from driver import Driver
from places import Airflow

DAG_ID = "uses_files"
LIBRARY, LIBRARY_VALUE = "e2e_library", "from a wheel"
SEEN = f"seen: first {LIBRARY_VALUE} 1.5"
DAG = """
import pathlib

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:
    from airflow.decorators import dag, task


@dag(dag_id="{dag_id}", schedule=None, start_date=pendulum.datetime(2026, 1, 1))
def pipeline():
    @task
    def report():
        import e2e_library
        from e2e_plugin import WORD

        rates = pathlib.Path("/opt/airflow/shared/rates.csv").read_text()
        print("{text}:", WORD, e2e_library.VALUE, rates)

    report()


pipeline()
"""
PLUGIN = """
import e2e_library
from airflow.plugins_manager import AirflowPlugin

WORD = "{word}"


class E2ePlugin(AirflowPlugin):
    name = "e2e"
"""


def wheel(folder: Path, name: str = LIBRARY, value: str = LIBRARY_VALUE) -> Path:
    """A wheel whose package has a VALUE."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": f"VALUE = {value!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {path: hashlib.sha256(text.encode()).digest() for path, text in files.items()}
    encoded = {path: base64.urlsafe_b64encode(value).rstrip(b"=").decode() for path, value in digests.items()}
    record = "".join(f"{path},sha256={encoded[path]},{len(text)}\n" for path, text in files.items())
    built = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(built, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return built


def uploaded(driver: Driver, service: str, folder: Path) -> None:
    """A file of each kind for a service, whether there is one or not; :func:`seen` tells SEEN of them then."""
    files: list[dict[str, object]] = [
        {"kind": "library", "name": LIBRARY, "src": str(wheel(folder))},
        {"kind": "plugin", "name": "e2e_plugin.py", "content": PLUGIN.format(word="first")},
        {"kind": "shared", "name": "rates.csv", "content": "1.5"},
    ]
    for file in files:
        done = driver.run("dataops_upload", service=service, **file)
        assert not done.failed, done.message


def seen(airflow: Airflow) -> str:
    """What a run of the DAG printed."""
    run = airflow.run_dag(DAG_ID)
    assert airflow.finish(DAG_ID, run) == "success"
    # The log is quoted, in one way or another by each version of Airflow.
    log = airflow.log(DAG_ID, run)
    return re.split(r'["\\]', log[log.index("seen:") :])[0]
