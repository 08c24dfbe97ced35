#!/usr/bin/python

# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files were uploaded to a Data Ops Manager, by whom and when, and which services use them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dataops_upload_info
short_description: Read which files were uploaded to a Data Ops Manager
version_added: 0.3.0
author: scp.dataops contributors (!UNKNOWN)
description:
  - Reads the Plugin, Shared and Python Library Files of a Manager, with their versions, who uploaded each of them and
    when, and which services use them.
extends_documentation_fragment:
  - scp.dataops.auth
  - scp.dataops.change.info
options:
  manager:
    description:
      - Name of the Manager.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the Manager. Defaults to O(manager).
    type: str
  kind:
    description:
      - Only uploads of this kind.
    type: str
    choices: [plugin, shared, library]
  name:
    description:
      - Only uploads of this name.
    type: str
  service:
    description:
      - Only uploads that this service uses, those for all services included.
    type: str
notes:
  - In the namespace it needs the rights to get and list ConfigMaps, to get Secrets and C(services/proxy).
seealso:
  - module: scp.dataops.dataops_upload
"""

EXAMPLES = r"""
- name: Read what was uploaded
  scp.dataops.dataops_upload_info:
    manager: analytics
  register: found

- name: Name the plugins that service etl loads
  scp.dataops.dataops_upload_info:
    manager: analytics
    kind: plugin
    service: etl
  register: plugins

- name: Fail unless there are some
  ansible.builtin.assert:
    that: plugins.uploads
"""

RETURN = r"""
uploads:
  description: Uploads, in the order of kind, service and name.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Its kind.
      returned: always
      type: str
      sample: plugin
    name:
      description: Its name.
      returned: always
      type: str
      sample: lineage
    service:
      description: The service that it is for. Empty when it is for all of them.
      returned: always
      type: str
      sample: ""
    version:
      description: Number of the version in use, 0 when none is.
      returned: always
      type: int
      sample: 3
    digest:
      description: One checksum for paths and contents of all its files.
      returned: always
      type: str
      sample: 5f2b1c9d0e8a7f6e5d4c3b2a19080706f5e4d3c2b1a09f8e7d6c5b4a39281706
    size:
      description: Bytes of all its files.
      returned: always
      type: int
      sample: 18231
    files:
      description: Its files.
      returned: always
      type: list
      elements: dict
      sample:
        - path: lineage.py
          sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
          size: 18231
          executable: false
    history:
      description: Versions that are kept, the newest first.
      returned: always
      type: list
      elements: dict
      sample:
        - version: 3
          digest: 5f2b1c9d0e8a7f6e5d4c3b2a19080706f5e4d3c2b1a09f8e7d6c5b4a39281706
          size: 18231
          by: deploy@awx-1
          when: "2026-11-23T10:21:07Z"
          active: true
    used_by:
      description: Services that use it.
      returned: always
      type: list
      elements: str
      sample: [etl, reports]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.scp.dataops.plugins.module_utils import door
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import upload
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import KINDS
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.upload import Chosen


def argument_spec() -> dict[str, Any]:
    return {
        **door.AUTH,
        "manager": {"type": "str", "required": True},
        "namespace": {"type": "str"},
        "kind": {"type": "str", "choices": list(KINDS)},
        "name": {"type": "str"},
        "service": {"type": "str"},
    }


def perform(call: door.Call) -> dict[str, Any]:
    params = call.params
    found = upload.uploads(
        call.kube,
        params["namespace"] or params["manager"],
        params["manager"],
        Chosen(params["kind"] or "", params["name"] or "", params["service"] or ""),
    )
    return {"changed": False, "uploads": found}


def main() -> None:
    door.run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), perform)


if __name__ == "__main__":
    main()
