# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tasks of the module of this name run: with the console's application in hand."""

from __future__ import annotations

import base64
from typing import Any

from ansible_collections.scp.dataops.plugins.modules import dataops_manager
from ansible_collections.scp.dataops.plugins.plugin_utils import console_archive
from ansible_collections.scp.dataops.plugins.plugin_utils.in_worker import DataOpsAction


class ActionModule(DataOpsAction):
    module = dataops_manager

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if self._task.args.get("state") != "absent":
            packed = base64.b64encode(console_archive.archive()).decode()
            self._task.args = {**self._task.args, "console_archive": packed}
        return super().run(tmp, task_vars)
