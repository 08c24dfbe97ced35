# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run may cost where Ansible runs: 150 MB of memory at its peak, 50 ms to render a service with all options.

Both are far from what is measured, and neither depends on what else the machine does: memory is that of a process of
its own, time is the processor's.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import closing
from typing import Any

import pytest

from .action.served import served
from .airflow.builders import EXTERNAL, FULL, GIT, full, rendered, uploading
from .kube.fake_api import FakeApi
from .runs import MANAGER, NAMESPACE, SERVICE, cluster

MEGABYTES = 150
MILLISECONDS = 50
TRIES = 20
# As Ansible runs a module that has a process of its own; the peak is read when all is done.
PROCESS = """
import atexit, json, re, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.scp.dataops.plugins.modules import dataops_service

def peak():
    with open("/proc/self/status") as status:
        print(re.search(r"VmHWM:.*", status.read())[0], file=sys.stderr)

atexit.register(peak)
with patch_module_args(json.load(sys.stdin)):
    dataops_service.main()
"""
SETTINGS: dict[str, dict[str, Any]] = {
    "everything embedded": FULL,
    "stores of somebody else": {**FULL, **EXTERNAL},
}


def peak_of(options: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Peak memory in megabytes of a module's process, and its result."""
    arguments = {"name": SERVICE, "manager": MANAGER, "namespace": NAMESPACE, "_ansible_diff": True, **options}
    kube = cluster()
    with closing(FakeApi(respond=served(kube))) as api:
        done = subprocess.run(
            [sys.executable, "-c", PROCESS],
            input=json.dumps({**arguments, "host": api.url, "api_key": "SENTINEL-token"}),
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"VmHWM:\s+(\d+) kB", done.stderr)
    assert found, done.stderr
    return int(found[1]) // 1024, json.loads(done.stdout.splitlines()[-1])


def test_memory_of_a_run() -> None:
    megabytes, result = peak_of(
        {
            "git_sync": {**GIT, "username": "deploy", "password": "SENTINEL-git"},
            "web_server": {"replicas": 2},
            "scheduler": {"cpu": "2", "replicas": 2},
            "host_aliases": FULL["host_aliases"],
            "node_selector": FULL["node_selector"],
            "wait_timeout": 30,
        }
    )
    assert len(result.get("actions", ())) > 20, result
    assert megabytes < MEGABYTES


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS.keys())
def test_rendering_takes_no_time(options: dict[str, Any]) -> None:
    spec = uploading(full(**options))
    taken = []
    for _try in range(TRIES):
        began = time.process_time()
        rendered(spec)
        taken.append(time.process_time() - began)
    assert min(taken) * 1000 < MILLISECONDS
