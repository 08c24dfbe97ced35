#!/usr/bin/python

# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Data Ops Service's Airflow keeps in its database, as code."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dataops_objects
short_description: Declare connections, variables, pools, roles and users of a Data Ops Service
version_added: 0.2.0
author: scp.dataops contributors (!UNKNOWN)
description:
  - Brings connections, variables, pools, roles and users in the Airflow of a Data Ops Service to what is declared, with
    Airflow's own API and the service's own account. Nothing restarts; what is written holds from the next task on.
  - A kind that is left out is not looked at. Of a declared object, a key that is left out keeps its value; an explicit
    empty value clears it. Objects that are not declared are left alone and reported in RV(drift), unless O(prune) names
    their kind.
  - Whatever is secret can stay in a Kubernetes Secret of the service's namespace and be referred to with
    C(password_from), C(extra_from) and C(value_from), so that no playbook holds it.
  - Airflow never gives passwords back. So that a second run knows what the first one set, fingerprints are kept in the
    Secret C({name}-objects); they are keyed with a secret of the service and tell nothing about the values. What a
    person changes in a masked value with Airflow's own pages is therefore not noticed.
  - Connections and variables that Airflow takes from its environment or a secrets backend are not in its database, and
    not seen.
extends_documentation_fragment:
  - scp.dataops.auth
  - scp.dataops.change.objects
options:
  name:
    description:
      - Name of the service.
    type: str
    required: true
  manager:
    description:
      - Name of the Manager that the service belongs to.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the Manager. Defaults to O(manager).
    type: str
  connections:
    description:
      - Connections, by which tasks reach other systems.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - By what tasks name it, up to 200 letters, digits, V(_), V(-) and V(.).
        type: str
        required: true
      state: &state
        description:
          - V(present) makes or changes it, V(absent) removes it.
        type: str
        choices: [present, absent]
        default: present
      type:
        description:
          - Its type, such as V(postgres), V(http) or V(ssh). Needed to make one.
        type: str
      host:
        description:
          - Host, or address.
        type: str
      schema:
        description:
          - Schema, or database.
        type: str
      login:
        description:
          - User.
        type: str
      password:
        description:
          - Password. See also O(connections.password_from).
        type: str
      password_from: &from
        description:
          - A key of a Secret in the service's namespace that holds it.
        type: dict
        suboptions:
          secret:
            description:
              - Name of the Secret.
            type: str
            required: true
          key:
            description:
              - Key in it.
            type: str
            required: true
      port:
        description:
          - Port, 1 to 65535. V(0) clears it.
        type: int
      extra:
        description:
          - Further settings that the type knows, as a dictionary. It is replaced as a whole.
          - Values whose key sounds secret, such as V(private_key), are masked in all output.
        type: dict
      extra_from:
        description:
          - A key of a Secret in the service's namespace that holds a JSON object. Its entries are laid over
            O(connections.extra).
        type: dict
        suboptions:
          secret:
            description:
              - Name of the Secret.
            type: str
            required: true
          key:
            description:
              - Key in it.
            type: str
            required: true
      description:
        description:
          - What it is for.
        type: str
  variables:
    description:
      - Variables, which DAGs read by key.
    type: list
    elements: dict
    suboptions:
      key:
        description:
          - Up to 250 characters. Where it sounds secret, such as V(api_token), the value is masked in all output, and
            by Airflow.
        type: str
        required: true
      state: *state
      value:
        description:
          - Text, number, truth value, list or dictionary; what is no text is kept as JSON.
          - A variable that is present needs it, or O(variables.value_from).
        type: raw
      value_from: *from
      description:
        description:
          - What it is for.
        type: str
  pools:
    description:
      - Pools, which limit how many tasks run at a time.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Up to 256 characters. V(default_pool) can be changed and cannot be removed.
        type: str
        required: true
      state: *state
      slots:
        description:
          - How many tasks may hold it at a time, V(-1) for any number (not with Airflow 2.11). Needed to make one.
        type: int
      include_deferred:
        description:
          - Whether tasks that wait in the triggerer hold their slot. A new pool has it off.
        type: bool
      description:
        description:
          - What it is for.
        type: str
  roles:
    description:
      - Roles, sets of permissions that users get. Airflow's own (V(Admin), V(Op), V(User), V(Viewer), V(Public)) are
        not changed.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Up to 64 characters.
        type: str
        required: true
      state: *state
      permissions:
        description:
          - All that the role may do. With Airflow 2.11 permissions can be added later, but not taken away.
        type: list
        elements: dict
        suboptions:
          action:
            description:
              - What may be done, such as V(can_read), V(can_edit) or V(menu_access).
            type: str
            required: true
          resource:
            description:
              - With what, such as V(DAGs), V(Connections) or V(DAG:hello).
            type: str
            required: true
  users:
    description:
      - People and programs that may sign in. The service's own account is not among them, and neither changed nor
        removed.
    type: list
    elements: dict
    suboptions:
      username:
        description:
          - By what the user signs in, up to 64 characters.
        type: str
        required: true
      state: *state
      email:
        description:
          - E-mail address, which no other user has. Needed to make one.
        type: str
      first_name:
        description:
          - Given name. Needed to make one.
        type: str
      last_name:
        description:
          - Family name. Needed to make one.
        type: str
      roles:
        description:
          - Names of all roles that the user has. A new user without any gets Airflow's role for who registers.
        type: list
        elements: str
      password:
        description:
          - Password. Needed to make one, unless O(users.password_from) is given. A changed one ends the user's
            sessions.
        type: str
      password_from: *from
  prune:
    description:
      - Kinds of which all objects that are not declared are removed. An empty list of a kind that is pruned removes all
        of them.
      - Never removed are V(default_pool), Airflow's own roles and the accounts of the service.
    type: list
    elements: str
    choices: [connections, variables, pools, roles, users]
    default: []
notes:
  - Objects are written once all has been checked that can be. What only Airflow can refuse is named in one sentence,
    object by object, when all others are written.
  - In the namespace it needs the rights to get ConfigMaps, Secrets and Deployments, to create and patch Secrets, and to
    use C(services/proxy).
  - Airflow 2.11 does not list C(extra) of connections, so a change of it that was made elsewhere is not noticed there.
seealso:
  - module: scp.dataops.dataops_service
"""

EXAMPLES = r"""
- name: A connection whose password is in a Secret, a variable and a pool
  scp.dataops.dataops_objects:
    name: etl
    manager: analytics
    connections:
      - id: warehouse
        type: postgres
        host: warehouse.internal
        port: 5432
        schema: sales
        login: etl
        password_from:
          secret: warehouse-credentials
          key: password
        extra:
          sslmode: require
    variables:
      - key: regions
        value: [kr-west1, kr-south1]
        description: Where the nightly load runs
    pools:
      - name: warehouse
        slots: 8
        description: As many as the warehouse likes at a time

- name: A role of its own and who has it
  scp.dataops.dataops_objects:
    name: etl
    manager: analytics
    roles:
      - name: Reader
        permissions:
          - {action: can_read, resource: Website}
          - {action: can_read, resource: DAGs}
          - {action: menu_access, resource: DAGs}
    users:
      - username: kim
        email: kim@example.com
        first_name: Min
        last_name: Kim
        roles: [Reader]
        password: "{{ vault_kim_password }}"

- name: A service account of Google, all of it from a Secret
  scp.dataops.dataops_objects:
    name: etl
    manager: analytics
    connections:
      - id: google_cloud_default
        type: google_cloud_platform
        extra_from:
          secret: google-credentials
          key: extra.json

- name: Only these variables, no others
  scp.dataops.dataops_objects:
    name: etl
    manager: analytics
    variables:
      - key: stage
        value: production
    prune: [variables]

- name: What has somebody changed by hand?
  scp.dataops.dataops_objects:
    name: etl
    manager: analytics
    connections:
      - id: warehouse
        host: warehouse.internal
    pools:
      - name: warehouse
        slots: 8
  check_mode: true
  diff: true
  register: found

- name: Say so
  ansible.builtin.debug:
    var: found.drift

- name: One connection less
  scp.dataops.dataops_objects:
    name: etl
    manager: analytics
    connections:
      - id: old_warehouse
        state: absent
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done, one line per object.
  returned: success
  type: list
  elements: str
  sample: [create connection/warehouse, update variable/regions, delete pool/old]
drift:
  description:
    - How what was found before the run differed from what is declared, for each kind that is declared.
    - C(missing) are objects that were not there; C(different) those that were not as declared, each with the keys that
      were not; C(undeclared) those that were there and are not declared, or are declared absent.
  returned: success
  type: dict
  sample:
    connections: {missing: [], different: {warehouse: [host, password]}, undeclared: [scratch]}
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.scp.dataops.plugins.module_utils import door
from ansible_collections.scp.dataops.plugins.module_utils.airflow.objects import report, service
from ansible_collections.scp.dataops.plugins.module_utils.airflow.objects.service import Request

STATE: dict[str, Any] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
# Names only, which are no secrets, whatever the option is called.
FROM: dict[str, Any] = {
    "type": "dict",
    "no_log": False,
    "options": {
        "secret": {"type": "str", "required": True, "no_log": False},
        "key": {"type": "str", "required": True, "no_log": False},
    },
}
TEXT: dict[str, Any] = {"type": "str"}
PASSWORD: dict[str, Any] = {"type": "str", "no_log": True}
OBJECTS: dict[str, dict[str, Any]] = {
    "connections": {
        "id": {"type": "str", "required": True},
        "state": STATE,
        "type": TEXT,
        "host": TEXT,
        "schema": TEXT,
        "login": TEXT,
        "password": PASSWORD,
        "password_from": FROM,
        "port": {"type": "int"},
        "extra": {"type": "dict"},
        "extra_from": FROM,
        "description": TEXT,
    },
    "variables": {
        "key": {"type": "str", "required": True, "no_log": False},
        "state": STATE,
        "value": {"type": "raw"},
        "value_from": FROM,
        "description": TEXT,
    },
    "pools": {
        "name": {"type": "str", "required": True},
        "state": STATE,
        "slots": {"type": "int"},
        "include_deferred": {"type": "bool"},
        "description": TEXT,
    },
    "roles": {
        "name": {"type": "str", "required": True},
        "state": STATE,
        "permissions": {
            "type": "list",
            "elements": "dict",
            "options": {
                "action": {"type": "str", "required": True},
                "resource": {"type": "str", "required": True},
            },
        },
    },
    "users": {
        "username": {"type": "str", "required": True},
        "state": STATE,
        "email": TEXT,
        "first_name": TEXT,
        "last_name": TEXT,
        "roles": {"type": "list", "elements": "str"},
        "password": PASSWORD,
        "password_from": FROM,
    },
}


def argument_spec() -> dict[str, Any]:
    return {
        **door.AUTH,
        **{kind: {"type": "list", "elements": "dict", "options": options} for kind, options in OBJECTS.items()},
        "name": {"type": "str", "required": True},
        "manager": {"type": "str", "required": True},
        "namespace": {"type": "str"},
        "prune": {"type": "list", "elements": "str", "choices": list(OBJECTS), "default": []},
    }


def perform(call: door.Call) -> dict[str, Any]:
    params = call.params
    request = Request(
        name=params["name"],
        manager=params["manager"],
        namespace=params["namespace"] or params["manager"],
        options={kind: params[kind] for kind in OBJECTS},
        prune=params["prune"],
        check_mode=call.check_mode,
    )
    return report.result(service.reconcile(call.kube, request), with_diff=call.diff)


def secrets(params: Mapping[str, Any]) -> Iterable[str]:
    """What is free in form can hold what is secret, and no option can say so."""
    return report.written_secrets(params)


def main() -> None:
    door.run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), perform, secrets=secrets)


if __name__ == "__main__":
    main()
