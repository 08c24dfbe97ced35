# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus that is told what the Prometheus Operator would be told, and Prometheus' own tests of rules."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow.monitoring.prometheus import rules, service_monitor
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import ServiceSpec
from places import until

PROMETHEUS, PROMTOOL = "/usr/bin/prometheus", "/usr/bin/promtool"
LOOPBACK = "127.0.0.1"
OFTEN = "1s"
Found = list[dict[str, Any]]


@dataclass(frozen=True)
class Prometheus:
    """Its HTTP API. What it refuses, or warns of, is an error of the test."""

    address: str

    def ask(self, path: str, **query: Any) -> Any:
        try:
            with urllib.request.urlopen(f"{self.address}/{path}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
                content = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {query}: {error.code} {error.read().decode()}") from error
        assert "warnings" not in content, f"{path} {query}: {content['warnings']}"
        return content["data"]

    def now(self, expression: str) -> Found:
        found: Found = self.ask("query", query=expression)["result"]
        return found

    def lately(self, expression: str, seconds: int = 300, step: int = 15) -> Found:
        end = time.time()
        found: Found = self.ask("query_range", query=expression, start=end - seconds, end=end, step=step)["result"]
        return found

    def alerts(self) -> Found:
        """Every alert with its health, its state and, if it could not be evaluated, why."""
        return [rule for group in self.ask("rules", type="alert")["groups"] for rule in group["rules"]]


@contextmanager
def prometheus(folder: Path, spec: ServiceSpec, exporter: str) -> Iterator[Prometheus]:
    """It reads this address every second, with the rules of the service, until it is no longer needed."""
    (endpoint,) = service_monitor(spec)["spec"]["endpoints"]
    scraped = {
        "job_name": "dataops",
        "static_configs": [{"targets": [exporter]}],
        "relabel_configs": [in_its_own_words(step) for step in endpoint["relabelings"]],
    }
    settings = {
        "global": {"scrape_interval": OFTEN, "evaluation_interval": OFTEN},
        "rule_files": ["rules.yml"],
        "scrape_configs": [scraped],
    }
    (folder / "rules.yml").write_text(json.dumps(rules(spec)["spec"]))
    (folder / "prometheus.yml").write_text(json.dumps(settings))
    place = f"{LOOPBACK}:{free_port()}"
    command = [PROMETHEUS, "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={place}"]
    log = folder / "log"
    with log.open("w") as output, subprocess.Popen(command, cwd=folder, stdout=output, stderr=output) as process:
        try:
            until(lambda: process.poll() is not None or is_ready(place), "Prometheus is ready", 30)
            assert process.poll() is None, log.read_text()
            yield Prometheus(f"http://{place}/api/v1")
        finally:
            process.terminate()


def in_its_own_words(step: dict[str, str]) -> dict[str, str]:
    """The operator calls ``targetLabel`` what Prometheus calls ``target_label``."""
    return {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key): value for key, value in step.items()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_ready(place: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{place}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def complaints(folder: Path, groups: dict[str, Any], test: dict[str, Any]) -> str:
    """What promtool has against this test of these rules; nothing if they pass."""
    (folder / "rules.yml").write_text(json.dumps(groups))
    whole = {"rule_files": ["rules.yml"], "evaluation_interval": test["interval"], "tests": [test]}
    (folder / "test.yml").write_text(json.dumps(whole))
    command = [PROMTOOL, "test", "rules", "test.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr
