# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions for playbooks: the same data and the same words as in the modules."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.scp.dataops.plugins.module_utils.common.regions import region

DOCUMENTATION = r"""
name: region_problem
short_description: Why Data Ops cannot run in a region
version_added: 0.2.0
author: scp.dataops contributors (!UNKNOWN)
description:
  - Says in one sentence why Data Ops is not provided in a region, and where it is.
options:
  _input:
    description: Name of the region.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse a region in which Data Ops is not provided
  ansible.builtin.assert:
    that: region | scp.dataops.region_problem == ""
    fail_msg: "{{ region | scp.dataops.region_problem }}"
"""

RETURN = r"""
_value:
  description: The sentence, empty when Data Ops is provided there.
  type: str
"""


def region_problem(name: str) -> str:
    found = region(name)
    return "" if found.status == "ok" else str(found)


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Callable[[str], str]]:
        return {"region_problem": region_problem}
