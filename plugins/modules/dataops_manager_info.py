#!/usr/bin/python

# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Data Ops Manager is and how it does."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dataops_manager_info
short_description: Read a Data Ops Manager and the cluster's Ingress Controllers
version_added: 0.1.0
author: scp.dataops contributors (!UNKNOWN)
description:
  - Reads a Manager, the names of its services, and the Ingress Controllers of the cluster.
extends_documentation_fragment:
  - scp.dataops.auth
  - scp.dataops.change.info
options:
  name:
    description:
      - Name of the Manager.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the Manager. Defaults to O(name).
    type: str
seealso:
  - module: scp.dataops.dataops_manager
"""

EXAMPLES = r"""
- name: Read the Manager
  scp.dataops.dataops_manager_info:
    name: analytics
  register: found

- name: Fail unless it exists
  ansible.builtin.assert:
    that: found.manager
"""

RETURN = r"""
manager:
  description: The Manager, as M(scp.dataops.dataops_manager) returns it, with the names of its services. Empty when
    there is none.
  returned: success
  type: dict
  sample: {name: analytics, state: RUNNING, services: [etl]}
ingress:
  description: Ingress Controllers of the cluster.
  returned: success
  type: dict
  contains:
    controllers:
      description: Each controller with its IngressClasses, whether one is the default, and the addresses it serves.
      returned: always
      type: list
      elements: dict
      sample:
        - {controller: projectcontour.io/ingress-controller, classes: [contour], default: true, addresses: [10.0.0.10]}
    not_checked:
      description: What could not be read for lack of rights.
      returned: always
      type: list
      elements: str
      sample: []
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.scp.dataops.plugins.module_utils import door
from ansible_collections.scp.dataops.plugins.module_utils.manager import info


def argument_spec() -> dict[str, Any]:
    return {**door.AUTH, "name": {"type": "str", "required": True}, "namespace": {"type": "str"}}


def perform(call: door.Call) -> dict[str, Any]:
    name = call.params["name"]
    namespace = call.params["namespace"] or name
    return {
        "changed": False,
        "manager": info.manager_info(call.kube, namespace, name),
        "ingress": info.ingress_info(call.kube),
    }


def main() -> None:
    door.run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), perform)


if __name__ == "__main__":
    main()
