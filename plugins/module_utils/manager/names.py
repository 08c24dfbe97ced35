# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of a Manager's objects. A namespace has one Manager, so they are fixed."""

from __future__ import annotations

from ..common import owner

ACCOUNT = "dataops-manager-account"
CONSOLE = "dataops-manager-console"
FILES = owner.FILES
KEYS = "dataops-manager-keys"
LOCK = "dataops-manager-lock"
TOKENS = "dataops-manager-tokens"
