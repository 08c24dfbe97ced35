#!/usr/bin/python

# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Data Ops Services are and how they do."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dataops_service_info
short_description: Read Data Ops Services, their health and the commit they run
version_added: 0.1.0
author: scp.dataops contributors (!UNKNOWN)
description:
  - Reads one Data Ops Service or all services of a Manager, with life cycle and health apart.
  - Airflow itself is asked too, through the API server, for its heartbeats and for the commit that its DAGs were read
    from.
extends_documentation_fragment:
  - scp.dataops.auth
  - scp.dataops.change.info
options:
  manager:
    description:
      - Name of the Manager.
    type: str
    required: true
  name:
    description:
      - Name of one service. Without it all services of the Manager are read.
    type: str
  namespace:
    description:
      - Namespace of the Manager. Defaults to O(manager).
    type: str
seealso:
  - module: scp.dataops.dataops_service
"""

EXAMPLES = r"""
- name: Read all services of a Manager
  scp.dataops.dataops_service_info:
    manager: analytics
  register: found

- name: Say what is wrong with each
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.reasons | join('; ') }}"
  loop: "{{ found.services | rejectattr('health', 'eq', 'healthy') }}"

- name: Which commit does this service run?
  scp.dataops.dataops_service_info:
    manager: analytics
    name: etl
  register: etl
  until: etl.services[0].git.commit == wanted_commit
  retries: 30
  delay: 5
"""

RETURN = r"""
services:
  description: The services in the order of their names; empty when there is none. Each has what
    M(scp.dataops.dataops_service) returns as RV(scp.dataops.dataops_service#module:service), and the keys below.
  returned: success
  type: list
  elements: dict
  contains:
    airflow:
      description: What Airflow says of its own parts; empty when it does not answer.
      returned: always
      type: dict
      sample: {metadatabase: healthy, scheduler: healthy, dag_processor: healthy, triggerer: healthy}
    git:
      description: What is read from git, and what runs. Empty without GitSync. The keys of the repository in
        O(scp.dataops.dataops_service#module:git_sync.repo) stand here; RV(services[].git.repositories) has all of them.
      returned: always
      type: dict
      contains:
        mode:
          description: V(bundle) or V(sidecar).
          returned: with GitSync
          type: str
          sample: bundle
        repo:
          description: Its address.
          returned: with GitSync
          type: str
          sample: https://git.example.com/team/dags.git
        ref:
          description: Its branch, tag or commit.
          returned: with GitSync
          type: str
          sample: main
        wanted:
          description: The commit, when RV(services[].git.ref) is one. For a branch or tag it is empty, since only the
            git server knows it; see O(scp.dataops.dataops_service#module:wait_for_commit).
          returned: with GitSync
          type: str
          sample: ""
        commit:
          description: The commit that runs. With V(bundle) the one that most DAGs were last read from, with V(sidecar)
            the one that most pods have. Empty when it is not known.
          returned: with GitSync
          type: str
          sample: 3f0e5c1f0f7a4c7bb1d0e7a9c6a2b5d4e8f90123
        looked:
          description: When the server was last asked; with V(sidecar), when the running commit came. From the logs,
            empty when they do not say.
          returned: with GitSync
          type: str
          sample: "2026-01-31T12:00:00Z"
        error:
          description: Why the commit is not known, or what git said last when it failed. With V(sidecar) a time stands
            before it, since git-sync tells a failure and a new commit, but not that all is well again.
          returned: with GitSync
          type: str
          sample: ""
        dags:
          description: The commit of each DAG.
          returned: with GitSync
          type: dict
          sample: {hello: 3f0e5c1f0f7a4c7bb1d0e7a9c6a2b5d4e8f90123}
        repositories:
          description: All repositories. Each has its RV(services[].git.repositories[].name), the keys above, and
            RV(services[].git.repositories[].pods), which says the same of each pod that reads it.
          returned: with GitSync
          type: list
          elements: dict
          sample:
            - name: dags
              repo: https://git.example.com/team/dags.git
              ref: main
              wanted: ""
              commit: 3f0e5c1f0f7a4c7bb1d0e7a9c6a2b5d4e8f90123
              looked: "2026-01-31T12:00:00Z"
              error: ""
              pods:
                - pod: etl-dag-processor-7684984966-vs4rh
                  component: dag-processor
                  commit: 3f0e5c1f0f7a4c7bb1d0e7a9c6a2b5d4e8f90123
                  looked: "2026-01-31T12:00:00Z"
                  error: ""
              dags: {hello: 3f0e5c1f0f7a4c7bb1d0e7a9c6a2b5d4e8f90123}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.scp.dataops.plugins.module_utils import door
from ansible_collections.scp.dataops.plugins.module_utils.airflow import info


def argument_spec() -> dict[str, Any]:
    return {
        **door.AUTH,
        "manager": {"type": "str", "required": True},
        "name": {"type": "str"},
        "namespace": {"type": "str"},
    }


def perform(call: door.Call) -> dict[str, Any]:
    manager = call.params["manager"]
    namespace = call.params["namespace"] or manager
    services = info.services_info(call.kube, namespace, manager, call.params["name"] or "")
    return {"changed": False, "services": services}


def main() -> None:
    door.run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), perform)


if __name__ == "__main__":
    main()
