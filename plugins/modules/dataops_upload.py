#!/usr/bin/python

# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugin, Shared and Python Library Files of a Data Ops Manager and its services."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dataops_upload
short_description: Upload Plugin, Shared and Python Library Files of Data Ops Services
version_added: 0.3.0
author: scp.dataops contributors (!UNKNOWN)
description:
  - Uploads a file, a folder or a text to a Data Ops Manager, for all of its services or for one of them, and brings it
    to the Airflow there.
  - Plugins are loaded by every component after an ordered rollout; one that cannot be imported is found before anything
    restarts. Shared files appear below C(/opt/airflow/shared) of every pod within seconds, without a restart. Libraries
    are tried in the image of each service first, and a conflict with what is installed there is named before anything
    restarts.
  - Each upload with other content is a version of its own. Versions are kept, and O(version) goes back to one of them.
  - What is for one service stays when that service is removed, and goes when it is removed with C(purge).
  - Files travel block by block through the API server to the Manager's console, so nothing but access to the API server
    is needed, and memory does not grow with them. What is there already is not sent again, a connection that is lost
    goes on where it ended, and checksums are compared at both ends.
extends_documentation_fragment:
  - scp.dataops.auth
  - scp.dataops.change.upload
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
      - What the files are for.
      - V(plugin) is code that Airflow loads, below C(/opt/airflow/plugins). An archive (zip, tar, tar.gz, tar.xz) is
        unpacked there.
      - V(shared) is whatever tasks read, below C(/opt/airflow/shared).
      - V(library) is a text of requirements, as pip reads them, or wheels, or both in one folder.
    type: str
    choices: [plugin, shared, library]
    required: true
  name:
    description:
      - What the upload is called, up to 100 letters, digits, V(.), V(_) and V(-). An upload of the same kind, name and
        O(service) replaces the one before.
      - Defaults to the last part of O(src). With O(content) it is also the name of the file.
    type: str
  service:
    description:
      - Name of the service that gets the files. Left out, all services of the Manager do.
      - Where both have a file of the same path, that of the service is used.
    type: str
  src:
    description:
      - Path of a file or a folder. It is found as M(ansible.builtin.copy) finds it, where Ansible runs, unless
        O(remote_src) is set.
      - Of a folder all files are uploaded, with their paths below it. Left out are what tools leave behind, such as
        C(__pycache__) and C(.git); they are named in RV(left_out). A symbolic link in it is refused.
    type: path
  content:
    description:
      - The text of the file, instead of O(src).
    type: str
  remote_src:
    description:
      - Whether O(src) is on the host where the module runs.
    type: bool
    default: false
  unpack:
    description:
      - Whether an archive of kind V(shared) is unpacked. Archives of plugins always are, with paths below their top.
    type: bool
    default: false
  version:
    description:
      - Number of a version that is to be used again. See RV(upload.history) for those there are.
    type: int
  state:
    description:
      - V(present) uploads what is given, and uses it.
      - V(absent) stops using it. Its versions are kept for a while, so that O(version) can bring it back.
    type: str
    choices: [present, absent]
    default: present
  wait_timeout:
    description:
      - Seconds to wait at most until a service that uses the files runs with them. Sending takes as long as it takes.
    type: int
    default: 900
notes:
  - It needs the Manager's console, which M(scp.dataops.dataops_manager) makes.
  - In the namespace it needs the rights to get ConfigMaps and Secrets, to get, create and patch C(services/proxy), and
    to get, create, patch and delete Leases; where plugins or libraries change, also those that
    M(scp.dataops.dataops_service) needs.
  - A run that changes something holds the Manager's Lease meanwhile, so two of them never publish at once.
  - A file that is on another host than the one where the module runs is first copied there, into Ansible's temporary
    folder. Nothing is copied where both are one host.
  - Whoever can read the Airflow of a service can read what is uploaded for it, so no secret belongs into an upload.
    Use Airflow's connections for those.
seealso:
  - module: scp.dataops.dataops_upload_info
  - module: scp.dataops.dataops_manager
"""

EXAMPLES = r"""
- name: A folder of plugins for all services
  scp.dataops.dataops_upload:
    manager: analytics
    kind: plugin
    name: lineage
    src: plugins/lineage

- name: An archive of plugins for one service
  scp.dataops.dataops_upload:
    manager: analytics
    service: etl
    kind: plugin
    src: build/reports.zip

- name: Libraries, as pip names them
  scp.dataops.dataops_upload:
    manager: analytics
    kind: library
    name: requirements.txt
    content: |
      holidays==0.77
      pyarrow>=20,<22

- name: Libraries without an index, from a folder with wheels and a requirements.txt
  scp.dataops.dataops_upload:
    manager: analytics
    kind: library
    name: offline
    src: wheels

- name: Data that tasks read from /opt/airflow/shared
  scp.dataops.dataops_upload:
    manager: analytics
    kind: shared
    src: /exports/regions.parquet
    remote_src: true

- name: What would change?
  scp.dataops.dataops_upload:
    manager: analytics
    kind: plugin
    name: lineage
    src: plugins/lineage
  check_mode: true
  diff: true

- name: Back to the second version
  scp.dataops.dataops_upload:
    manager: analytics
    kind: plugin
    name: lineage
    version: 2

- name: No longer
  scp.dataops.dataops_upload:
    manager: analytics
    kind: plugin
    name: lineage
    state: absent
"""

RETURN = r"""
actions:
  description:
    - What was done, or in check mode would be done, one line for the upload and one for each object of a service.
  returned: success
  type: list
  elements: str
  sample: ["update plugin 'lineage' of all services", update Deployment/etl-scheduler]
files:
  description: Paths of the files that make the difference to what was used before.
  returned: success
  type: dict
  contains:
    added:
      description: Those that were not there.
      returned: always
      type: list
      elements: str
      sample: [listener.py]
    changed:
      description: Those with other content, or with other rights to execute them.
      returned: always
      type: list
      elements: str
      sample: [lineage.py]
    removed:
      description: Those that are not there any more.
      returned: always
      type: list
      elements: str
      sample: []
restarted:
  description: Components whose pods were replaced, with their service.
  returned: success
  type: list
  elements: str
  sample: [etl/scheduler, etl/web-server]
left_out:
  description: Files and folders below O(src) that no upload holds.
  returned: success
  type: list
  elements: str
  sample: [.git, __pycache__]
sent:
  description: How many bytes had to be sent.
  returned: success
  type: int
  sample: 18231
timeline:
  description:
    - What happened and what was waited for, one line each with the seconds since the start.
    - Where the module runs on Ansible's own host, each line is shown as it happens, too.
  returned: success, and on failure after a wait
  type: list
  elements: str
  sample: ["3.1 s sent 50 % of 1024.0 MiB"]
upload:
  description: The upload as it is after the run.
  returned: success
  type: dict
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
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.scp.dataops.plugins.module_utils import door
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from ansible_collections.scp.dataops.plugins.module_utils.manager.files import sources, upload
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import KINDS, checked_key

# What says which files there shall be: one of these, or state absent.
GIVEN = ("src", "content", "version")


def argument_spec() -> dict[str, Any]:
    return {
        **door.AUTH,
        "manager": {"type": "str", "required": True},
        "namespace": {"type": "str"},
        "kind": {"type": "str", "choices": list(KINDS), "required": True},
        "name": {"type": "str"},
        "service": {"type": "str"},
        "src": {"type": "path"},
        "content": {"type": "str"},
        "remote_src": {"type": "bool", "default": False},
        "unpack": {"type": "bool", "default": False},
        "version": {"type": "int"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait_timeout": {"type": "int", "default": 900},
    }


def perform(call: door.Call) -> dict[str, Any]:
    params = call.params
    refuse_contradictions(params)
    name = params["name"] or sources.default_name(params["src"] or "")
    found = None
    key = checked_key(params["kind"], params["service"] or "", name)
    if params["src"]:
        found = sources.found_at(params["src"])
    elif params["content"] is not None:
        found = sources.of_text(params["content"], name)
    request = upload.Request(
        key=key,
        manager=params["manager"],
        namespace=params["namespace"] or params["manager"],
        sources=found,
        version=params["version"],
        unpack=params["unpack"],
        check_mode=call.check_mode,
        timeout=params["wait_timeout"],
    )
    done = upload.result(upload.reconcile(call.kube, request, call.timeline), with_diff=call.diff)
    return {**done, "left_out": list(found.left_out) if found else [], "timeline": call.timeline.lines}


def refuse_contradictions(params: Mapping[str, Any]) -> None:
    given = [name for name in GIVEN if params[name] is not None]
    if params["state"] == "absent":
        if given:
            raise BadOption("it has no meaning with state absent", where=given[0], next_step="Leave it out")
    elif len(given) != 1:
        what = f"{' and '.join(given)} are given" if given else "it is not said what to upload"
        raise BadOption(what, where="src", next_step=f"Give one of {', '.join(GIVEN)}")
    if not params["name"] and not params["src"]:
        raise BadOption("it is not set", where="name", next_step="Set it: only src has a name of its own")


def main() -> None:
    door.run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), perform)


if __name__ == "__main__":
    main()
