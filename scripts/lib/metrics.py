# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down which metrics a release of Airflow sends, for the tests of what alerts and dashboards ask for.

Usage: metrics.py RELEASE FOLDER, with the folder of :mod:`scripts.lib.knowledge`. What is sent is read from the calls
in the code, with whether the release has the name in its own registry of metrics. ``*`` stands for what is put
into a name at run time.
"""

from __future__ import annotations

import ast
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import yaml

TARGET = Path(__file__).resolve().parents[2] / "tests" / "unit" / "airflow" / "metrics"
# Whose code runs in every service.
SENDERS = re.compile(r"apache_airflow(_core|_task_sdk|_providers_celery|_providers_cncf_kubernetes)?-\d")
REGISTRY = "airflow/_shared/observability/metrics/metrics_template.yaml"
KINDS = {"incr": "counter", "decr": "counter", "gauge": "gauge", "timing": "timer", "timer": "timer"}
# Gauges whose name stands in a variable first, because it depends on how many executors there are.
OF_EXECUTORS = "_metric_name"


def sent(source: str) -> Iterator[tuple[str, str]]:
    """Name and kind of each metric that a module sends."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith(OF_EXECUTORS):
            names = [str(part.value) for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
            yield from ((name, "gauge") for name in names if re.fullmatch(r"executor\.\w+", name))
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        owner, method = ast.unparse(node.func.value).lower(), node.func.attr
        kind = KINDS.get(method, "") if owner == "stats" else ""
        name = pattern(node.args[0])
        if kind and name:
            yield name, kind


def pattern(argument: ast.expr) -> str:
    """The name, with a star for each expression in it; empty for what is no text."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    if isinstance(argument, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in argument.values)
    return ""


def main(release: str, folder: Path) -> None:
    found: set[tuple[str, str]] = set()
    registered: set[str] = set()
    for path in sorted(folder.glob("*.whl")):
        if not SENDERS.match(path.name):
            continue
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if name.endswith(".py"):
                    found.update(sent(wheel.read(name).decode()))
            if REGISTRY in wheel.namelist():
                registered = {metric["name"] for metric in yaml.safe_load(wheel.read(REGISTRY))["metrics"]}
    lines = {f"{name} {kind}{' registered' if name in registered else ''}\n" for name, kind in found}
    lines |= {f"{name} - registered\n" for name in registered - {name for name, _kind in found}}
    target = TARGET / f"{'.'.join(release.split('.')[:2])}.txt"
    target.parent.mkdir(exist_ok=True)
    target.write_text("".join(sorted(lines)))
    print(f"{target.name}: {len(found)} metrics, {len(registered)} in the registry")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
