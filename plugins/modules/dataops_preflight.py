#!/usr/bin/python

# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Data Ops Service can be made or changed: all reasons against it at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dataops_preflight
short_description: Find out whether a Data Ops Service can be created or changed, all reasons at once
version_added: 0.2.0
author: scp.dataops contributors (!UNKNOWN)
description:
  - Looks at everything that creating or changing a Data Ops Service would meet, and reports it as one list. Each
    finding says which option it is about, what was found, what is allowed and what to do next.
  - It takes the options of M(scp.dataops.dataops_service). An option that is left out has the value that the existing
    service has, so that a change is looked at exactly as that module would make it.
  - It looks at the region, the rights of the user verb by verb, the versions of Kubernetes and Airflow, the Ingress
    Controller, its class and the address, the storage class, the room on each node for the service and one task, quotas
    and limits of the namespace, and whether the namespace takes the pods (Pod Security, webhooks).
  - Nothing is written, except by the tests that are asked for; they remove what they made, whatever happens.
extends_documentation_fragment:
  - scp.dataops.auth
  - scp.dataops.service
options:
  region:
    description:
      - Where the cluster runs. Data Ops is provided in V(kr-west1), V(kr-south1), V(kr-south3), V(kr-central) and on
        the cluster that this collection brings along, V(local).
    type: str
  test_storage:
    description:
      - Try ReadWriteMany for real. A volume of the storage class is made, one pod writes and renames a file on it,
        another one reads it at the same time, on another node where there is one.
    type: bool
    default: false
  test_images:
    description:
      - Pull each image of the service, with a pod that does nothing.
    type: bool
    default: false
  test_connections:
    description:
      - Try from inside the cluster whatever the service connects to, such as its repository.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds that each test may take.
    type: int
    default: 300
  force:
    description:
      - Look at the change as M(scp.dataops.dataops_service) makes it with O(scp.dataops.dataops_service#module:force).
    type: bool
    default: false
  fail:
    description:
      - Fail when something stands in the way, with one message that lists all of it.
      - V(false) only reports.
    type: bool
    default: true
attributes:
  check_mode:
    description: Looks in the same way, but makes no test; those that were asked for are reported as not checked.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: N/A
  idempotent:
    description: Changes nothing.
    support: full
  action_group:
    description: Take connection options from C(module_defaults) for the group C(scp.dataops.dataops).
    support: full
    membership:
      - scp.dataops.dataops
notes:
  - Room on the nodes is counted by what pods reserve. Where nodes are made when pods wait for them, a lack of room is
    no reason against a change; use O(scp.dataops.dataops_service#module:preflight) then.
seealso:
  - module: scp.dataops.dataops_service
"""

EXAMPLES = r"""
- name: Can this service be created?
  scp.dataops.dataops_preflight:
    name: etl
    manager: analytics
    region: kr-west1
    git_sync:
      repo: https://git.example.com/team/dags.git
    test_storage: true
    test_connections: true

- name: Report what stands in the way of larger tasks, and go on
  scp.dataops.dataops_preflight:
    name: etl
    manager: analytics
    worker:
      cpu: "8"
      memory: 32Gi
    fail: false
  register: looked

- name: Show the report
  ansible.builtin.debug:
    msg: "{{ looked.report.splitlines() }}"
"""

RETURN = r"""
passed:
  description: Whether nothing stands in the way.
  returned: always
  type: bool
  sample: false
findings:
  description: All that was looked at, what stands in the way first.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: What was looked at.
      returned: always
      type: str
      sample: storage class
    status:
      description: C(refused) stands in the way, C(warning) does not but should be known, C(not_checked) could not be
        looked at, C(ok) is as it must be.
      returned: always
      type: str
      sample: refused
    option:
      description: The option it is about, empty when it is about none.
      returned: always
      type: str
      sample: storage_class
    found:
      description: What was found.
      returned: always
      type: str
      sample: storage class 'gold' does not exist
    allowed:
      description: What it may be, empty when that cannot be said in general.
      returned: always
      type: str
      sample: nfs, standard
    next_step:
      description: What to do about it.
      returned: always
      type: str
      sample: "Use one of those in the cluster: nfs, standard"
report:
  description: The same as lines for people.
  returned: always
  type: str
  sample: "refused     storage_class: storage class 'gold' does not exist. Use one of those in the cluster: nfs."
requests:
  description: How many requests were sent to the API server.
  returned: always
  type: int
  sample: 46
timeline:
  description: Progress of the tests, each line with the seconds since the start.
  returned: always
  type: list
  elements: str
  sample: []
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.scp.dataops.plugins.module_utils import arguments, door
from ansible_collections.scp.dataops.plugins.module_utils.airflow.preflight.run import Wishes, preflight
from ansible_collections.scp.dataops.plugins.module_utils.common import findings

WISHES: dict[str, Any] = {
    "region": {"type": "str"},
    "test_storage": {"type": "bool", "default": False},
    "test_images": {"type": "bool", "default": False},
    "test_connections": {"type": "bool", "default": False},
}


def argument_spec() -> dict[str, Any]:
    return {
        **door.AUTH,
        **arguments.OWN,
        **arguments.IDENTITY,
        **WISHES,
        "wait_timeout": {"type": "int", "default": 300},
        "force": {"type": "bool", "default": False},
        "fail": {"type": "bool", "default": True},
    }


def perform(call: door.Call) -> dict[str, Any]:
    params = call.params
    request = arguments.request(
        params, check_mode=call.check_mode, force=params["force"], timeout=params["wait_timeout"]
    )
    wishes = Wishes(**{**{name: params[name] for name in WISHES}, "region": params["region"] or ""})
    done = preflight(call.kube, request, wishes)
    failed = {"failed": True, "msg": str(done.error)} if params["fail"] and done.error else {}
    return {
        "changed": False,
        "passed": done.error is None,
        "findings": [asdict(finding) for finding in findings.ordered(done.findings)],
        "report": findings.report(done.findings),
        "requests": call.kube.requests,
        "timeline": list(done.timeline.lines),
        **failed,
    }


def main() -> None:
    door.run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), perform)


if __name__ == "__main__":
    main()
