# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service costs: one that is unchanged, beside kubernetes.core.k8s and kubectl; and each step of one's life. And
what a large upload costs beside kubectl cp.

How it is measured, and the last figures: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from cluster import settings
from cluster.errors import ClusterError
from cluster.progress import say, step
from plugins.module_utils.airflow import names
from plugins.module_utils.airflow.plan import read_live
from plugins.module_utils.errors import DataOpsError
from plugins.module_utils.kube.access import find_access
from plugins.module_utils.kube.client import Kube
from scripts.lib.demo.dataops import Demo
from scripts.lib.demo.errors import DemoError

from . import life_report, report, upload
from .audit import AuditLog
from .life import live, scene
from .measure import measure
from .workplace import Workplace, unchanged_plan, versions


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench/run", description="What a service costs, unchanged and in its life.")
    parser.add_argument("what", nargs="?", choices=("all", *BENCHES), default="all", help="one of them, or all")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count; one more comes before them")
    parser.add_argument("--inventory", default="inventories/local", help="the inventory to use")
    parser.add_argument("--size", type=int, default=1024, help="MiB of the file that is uploaded")
    parser.add_argument("--task", type=int, default=90, help="seconds of the task that runs while an option changes")
    options = parser.parse_args(arguments)
    # Ended from outside, too, the folder with the manifests goes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        demo = Demo.of(Kube(find_access({})), options.inventory)
        for name in BENCHES if options.what == "all" else (options.what,):
            BENCHES[name](demo, options)
    except (DemoError, DataOpsError, ClusterError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Interrupted.")
        return 130
    return 0


def bench_unchanged(demo: Demo, options: argparse.Namespace) -> None:
    rounds: int = options.rounds
    if demo.kube.get("ConfigMap", names.record(demo.service), demo.namespace) is None:
        demo.publish()
        demo.bring_up("There is no service yet; it is made by ansible-playbook scp.dataops.site")
    plan = unchanged_plan(demo)
    before = versions(plan.live)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, step(f"Measure {rounds} rounds"):
        place = Workplace(Path(folder), Path(os.environ["BENCH_VENV"]))
        place.fill(demo, plan)
        results = measure(place, audit_log(demo), rounds)
    if versions(read_live(demo.kube, demo.namespace, demo.service)) != before:
        raise DemoError("The service is not what it was before: something measured has written to it.")
    objects = len(plan.stages.all)
    file = Path(os.environ["CACHE"], "bench.json")
    file.write_text(json.dumps(report.as_data(results, objects), indent=1))
    say(f"Nothing was changed in any of {objects} objects. All samples: {file}")
    print(f"\n{report.table(results)}\n")
    for criterion in report.criteria(results):
        print(criterion)
    for result in results:
        if result.wrong:
            print(
                f"{result.contestant.title} reported a change in {result.wrong} of {rounds} rounds, and there was none."
            )


def bench_life(demo: Demo, options: argparse.Namespace) -> None:
    life = live(demo, options.task)
    file = Path(os.environ["CACHE"], "bench-life.json")
    file.write_text(json.dumps(life_report.as_data(life), indent=1))
    say(f"The service is gone again. All that was measured: {file}")
    print(f"\n{life_report.table(life.phases)}\n")
    for criterion in life_report.criteria(life):
        print(criterion)
    for remark in life_report.remarks(life):
        print(remark)


def bench_upload(demo: Demo, options: argparse.Namespace) -> None:
    with scene(demo, options.task) as here:
        uploads = upload.measure(here, options.size, options.rounds)
    file = Path(os.environ["CACHE"], "bench-upload.json")
    file.write_text(json.dumps(upload.as_data(uploads), indent=1))
    say(f"The Manager is gone again. All that was measured: {file}")
    print(f"\n{upload.table(uploads)}\n")
    for criterion in upload.criteria(uploads):
        print(criterion)


def audit_log(demo: Demo) -> AuditLog | None:
    """That of the embedded cluster; another cluster's cannot be read from here."""
    if demo.kube.access.host == f"https://{settings.API}" and settings.AUDIT_LOG.exists():
        return AuditLog(settings.AUDIT_LOG)
    say("Requests are not counted: this cluster's audit log is not at hand.")
    return None


BENCHES: dict[str, Callable[[Demo, argparse.Namespace], None]] = {
    "unchanged": bench_unchanged,
    "life": bench_life,
    "upload": bench_upload,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
