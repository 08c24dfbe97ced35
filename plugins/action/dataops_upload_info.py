# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tasks of the module of this name run."""

from __future__ import annotations

from ansible_collections.scp.dataops.plugins.modules import dataops_upload_info
from ansible_collections.scp.dataops.plugins.plugin_utils.in_worker import DataOpsAction


class ActionModule(DataOpsAction):
    module = dataops_upload_info
