# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job as a user does it: DAGs pushed, playbook run, nothing changed by a second one, DAGs run, their logs.

Progress goes to stderr, what to do next to stdout. scripts/demo sees to tools, artifact and cluster before.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster import settings
from cluster.progress import say, step
from plugins.module_utils.airflow.secrets import decoded
from plugins.module_utils.errors import DataOpsError
from plugins.module_utils.kube.access import find_access
from plugins.module_utils.kube.client import Kube

from . import wheel
from .airflow import Airflow
from .dataops import Demo
from .errors import DemoError
from .playbook import Recap

# Each with the task whose log is shown. The second one uses a file of each kind.
DAGS = {"hello_dataops": "say_hello", "hello_files": "draw"}

CLOSING = """
Airflow {version} runs, with the DAGs of commit {commit}.

{airflow}
The Manager's console shows it, its files and settings, and changes them.

{console}
In a shell of your own, first:
  export {exports}

Then try
  ansible-playbook scp.dataops.status {arguments}
  ansible-playbook scp.dataops.site {arguments} --check --diff
                                    after a change in {inventory} or {variables}
  make demo                         after a change in examples/dags: the new commit runs within seconds
  make bench                        what a service costs, unchanged and in each step of its life
  make down                         stop the embedded cluster
"""

SIGN_IN = """\
  Address     {web_url}
  /etc/hosts  {hosts_file}
  Sign in     as {account}, with the password that this prints:
              kubectl --namespace {namespace} get secret {secret} --output jsonpath='{{.data.{key}}}' | base64 --decode
"""


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    try:
        kube = Kube(find_access({}))
        demo = Demo.of(kube, options.inventory, options.repo)
        published = demo.publish()
        if published:
            say(f"  commit {published.commit[:10]}, {'new' if published.new else 'there already'}")
        wheel.fetch()
        recap = twice(demo)
        found = demo.read()
        run_dags(demo, found, published.commit if published else "")
        say_closing(demo, demo.read())
        say(f"Ansible changed nothing in any of {recap.tasks} tasks (changed={recap.changed}).")
    except (DemoError, DataOpsError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Interrupted. Run it again to go on from here.")
        return 130
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description="The main job, from nothing to a DAG run.")
    parser.add_argument("--inventory", default="inventories/local", help="the inventory to use")
    parser.add_argument("--repo", default="", help="a repository that holds examples/dags and that pods can reach")
    return parser.parse_args(arguments)


def twice(demo: Demo) -> Recap:
    """Run the playbook until it has nothing left to do, which must be the second time at the latest."""
    recap = demo.bring_up("ansible-playbook scp.dataops.site")
    if recap.changed:
        recap = demo.bring_up("The same playbook again, which must change nothing")
    if recap.changed:
        raise DemoError(
            f"The second run changed {recap.changed} of {recap.tasks} tasks.",
            "That is a bug in the collection; which ones, the lines above say.",
        )
    return recap


def run_dags(demo: Demo, found: Mapping[str, Any], commit: str) -> None:
    """Sign in through the Ingress, run the DAGs, show what their last tasks logged."""
    if not found["hosts_file"]:
        raise DemoError("The service's Ingress has no address.", "Look at the Ingress Controller: make status")
    address, host = found["hosts_file"].split()
    account = decoded(demo.kube.get("Secret", found["account"]["secret"], found["namespace"]))
    with step(f"Sign in to {found['web_url']} through the Ingress Controller at {address}"):
        airflow = Airflow(address, host).sign_in(account["id"], account["password"])
    for dag, task in DAGS.items():
        with step(f"Wait for DAG {dag}{' of commit ' + commit[:10] if commit else ''}"):
            airflow.wait_for_dag(dag, commit)
        with step(f"Run DAG {dag}, each task in a pod of its own"):
            run = airflow.run(dag, demo.not_ready)
        with step(f"Fetch the log of task {task}"):
            lines = list(airflow.log(dag, run, task))
        for line in lines:
            say(f"  {line}")
        if not lines:
            raise DemoError(f"The log of task {task} holds no line of its own.", f"Look at it: {found['web_url']}")


def say_closing(demo: Demo, found: Mapping[str, Any]) -> None:
    text = CLOSING.format(
        version=found["version"],
        commit=found["git"]["commit"] or found["git"]["error"],
        airflow=sign_in(found),
        console=sign_in(demo.read_manager()),
        exports=exports(),
        arguments=" ".join(demo.arguments).replace("--inventory", "-i").replace("--extra-vars", "-e"),
        inventory=demo.inventory,
        variables="examples/demo.yml",
    )
    print(text, flush=True)


def sign_in(found: Mapping[str, Any]) -> str:
    """:param found: a service or a Manager, as the modules show it."""
    account = found["account"]
    return SIGN_IN.format(
        web_url=found["web_url"],
        hosts_file=found["hosts_file"],
        account=account["id"],
        namespace=found["namespace"],
        secret=account["secret"],
        key=account["key"],
    )


def exports() -> str:
    """What a shell needs so that the commands shown work in it."""
    folders = [Path(sys.executable).parent]
    if shutil.which("kubectl") is None and (settings.BIN / "kubectl").exists():
        folders.append(settings.BIN)
    path = ":".join([*map(str, folders), "$PATH"])
    names = ("KUBECONFIG", "ANSIBLE_COLLECTIONS_PATH")
    return " ".join([f"PATH={path}", *(f"{name}={os.environ[name]}" for name in names)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
