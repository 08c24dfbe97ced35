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
  drift:
    description:
      - Whether to say in what the cluster differs from the record of each service, see RV(services[].drift).
      - It is found by the plan of a run that asks for nothing new, in which the API server takes part by dry runs. So
        it needs the rights of M(scp.dataops.dataops_service), costs some requests more per service, and writes
        nothing.
    type: bool
    default: false
    version_added: 0.2.0
  export:
    description:
      - Whether to print each service as the task that would create it, see RV(services[].task).
    type: bool
    default: false
    version_added: 0.2.0
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

- name: What did somebody change by hand?
  scp.dataops.dataops_service_info:
    manager: analytics
    drift: true
  register: compared

- name: Say it
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.drift }}"
  loop: "{{ compared.services | selectattr('drift') }}"

- name: Read a service to write it down as a task
  scp.dataops.dataops_service_info:
    manager: analytics
    name: etl
    export: true
  register: etl

- name: Write the task to a file
  ansible.builtin.copy:
    content: "{{ etl.services[0].task }}"
    dest: etl.yml
    mode: "0644"
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
          description: All repositories. Each has its C(name), the keys above, and C(pods), which says the same of each
            pod that reads it.
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
    replicas:
      description: The pods of each component. Pods of tasks and Jobs are not among them.
      returned: always
      type: dict
      contains:
        COMPONENT:
          description: The pods of a component, in the order of their names; empty when it has none. The component is
            called as in RV(scp.dataops.dataops_service#module:service.components).
          returned: for each component
          type: list
          elements: dict
          contains:
            pod:
              description: Its name.
              returned: always
              type: str
              sample: etl-scheduler-7684984966-vs4rh
            ready:
              description: Whether it is up.
              returned: always
              type: bool
              sample: true
            restarts:
              description: How often its containers were started again.
              returned: always
              type: int
              sample: 0
            node:
              description: Where it runs. Empty while it has no node.
              returned: always
              type: str
              sample: node-1
            image:
              description: The image that it was told to run.
              returned: always
              type: str
              sample: apache/airflow:3.3.2
            commit:
              description: The commit that it last read from git, as far as it is known. See
                RV(services[].git.repositories).
              returned: always
              type: str
              sample: 3f0e5c1f0f7a4c7bb1d0e7a9c6a2b5d4e8f90123
            reason:
              description: Why it is not ready. Empty when it is.
              returned: always
              type: str
              sample: ""
    endpoints:
      description: Addresses.
      returned: always
      type: dict
      contains:
        web:
          description: For people.
          returned: always
          type: str
          sample: http://etl.example.com
        api:
          description: Airflow's REST API.
          returned: always
          type: str
          sample: http://etl.example.com/api/v2
        inside:
          description: The web server for other pods of the cluster.
          returned: always
          type: str
          sample: http://etl-web-server.analytics.svc:8080
        flower:
          description: Flower for other pods of the cluster.
          returned: with Flower
          type: str
          sample: http://etl-flower.analytics.svc:5555
    uses:
      description: What the service stands on besides RV(scp.dataops.dataops_service#module:service.database) and
        RV(scp.dataops.dataops_service#module:service.broker).
      returned: always
      type: dict
      contains:
        volumes:
          description: Its volumes.
          returned: always
          type: list
          elements: dict
          sample: [{name: etl-logs, size: 8Gi, storage_class: nfs, state: Bound}]
        secrets:
          description: Names of its own Secrets, and of those that its options name.
          returned: always
          type: list
          elements: str
          sample: [etl-account, etl-database, etl-keys, etl-tls]
    drift:
      description:
        - In what the cluster differs from the record, which is what the next run of M(scp.dataops.dataops_service) that
          asks for nothing new would set right. Empty when nothing differs.
        - Besides what somebody did by hand this tells what a newer release of the collection or another setting of
          the Manager brings with that run.
      returned: with O(drift)
      type: list
      elements: dict
      contains:
        object:
          description: Kind and name.
          returned: always
          type: str
          sample: Deployment/etl-scheduler
        difference:
          description: V(changed), V(missing) or V(left over), V(failed) for a Job that has to run again, or
            V(not compared).
          returned: always
          type: str
          sample: changed
        fields:
          description: Which fields were changed. Values are never told, since any may be a secret.
          returned: always
          type: list
          elements: str
          sample: ["spec.template.spec.containers[scheduler].resources.requests.memory"]
        reason:
          description: Why it was not compared, such as a right that is missing. Empty otherwise.
          returned: always
          type: str
          sample: ""
    task:
      description:
        - The service as a task of M(scp.dataops.dataops_service), in YAML. It has the options that were asked for, and
          none that is a default or inherited from the Manager.
        - No password or key is in it. For those of repositories it names variables such as C(vault_etl_git_password),
          which are yours to set. The account's password is left out, so another cluster makes a new one.
        - Text that Ansible would take for an expression is marked C(!unsafe), so it arrives as it is.
        - Run on the same service, it changes nothing.
      returned: with O(export)
      type: str
      sample: |
        - name: Data Ops Service etl
          scp.dataops.dataops_service:
            name: etl
            manager: analytics
            git_sync:
              repo: https://git.example.com/team/dags.git
              username: deploy
              password: "{{ vault_etl_git_password }}"
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
        "drift": {"type": "bool", "default": False},
        "export": {"type": "bool", "default": False},
    }


def perform(call: door.Call) -> dict[str, Any]:
    manager = call.params["manager"]
    namespace = call.params["namespace"] or manager
    more = info.More(drift=call.params["drift"], export=call.params["export"])
    services = info.services_info(call.kube, namespace, manager, call.params["name"] or "", more)
    return {"changed": False, "services": services}


def main() -> None:
    door.run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), perform)


if __name__ == "__main__":
    main()
