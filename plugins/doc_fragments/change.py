# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and attributes of the modules that change something."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  force:
    description:
      - Take over fields that another tool manages. Without it such a conflict is reported, with tool and fields.
    type: bool
    default: false
  wait:
    description:
      - Wait until what was asked for is really there. The wait ends early, with the reason, when it cannot succeed.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait at most.
    type: int
    default: 600
notes:
  - A run that writes holds a Lease beside the objects for as long as it does. A second run at the same time fails
    within seconds, writes nothing, and says who is at work and since when. A run that was killed is taken over from
    within 30 seconds, and the next run finishes what it began.
  - While a task waits, each change of state is shown on stderr as it happens, unless C(no_log) hides the task. Where
    the module has a process of its own, as on another host, with C(become), C(async) or C(timeout), Ansible shows
    nothing before the end; the result has the same lines.
attributes:
  check_mode:
    description: Predicts changes without writing, by dry run in the API server.
    support: full
  diff_mode:
    description: Shows objects before and after; the content of Secrets is masked.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  action_group:
    description: Take connection options from C(module_defaults) for the group C(scp.dataops.dataops).
    support: full
    membership:
      - scp.dataops.dataops
"""

    INFO = r"""
attributes:
  check_mode:
    description: Reads only, so it does the same in check mode.
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
"""

    OBJECTS = r"""
attributes:
  check_mode:
    description: Predicts changes without writing, by comparing what is declared with what Airflow has.
    support: full
  diff_mode:
    description: Shows objects before and after; passwords, and whatever comes from a Secret, are masked.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  action_group:
    description: Take connection options from C(module_defaults) for the group C(scp.dataops.dataops).
    support: full
    membership:
      - scp.dataops.dataops
"""

    UPLOAD = r"""
attributes:
  check_mode:
    description: Predicts changes without writing, by comparing checksums of files with those that are there.
    support: full
  diff_mode:
    description: Lists files before and after, each with checksum and size, never what is in them.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  action_group:
    description: Take connection options from C(module_defaults) for the group C(scp.dataops.dataops).
    support: full
    membership:
      - scp.dataops.dataops
"""
