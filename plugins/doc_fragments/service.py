# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a Data Ops Service, for modules that take them without changing it.

They are read from where they are documented, the module ``dataops_service``, so that they are written once.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import yaml

SERVICE = "scp.dataops.dataops_service#module:"
# How a change is made; nobody who only looks needs it.
HOW = ("state", "purge", "preflight", "wait_for_commit")


def options() -> dict[str, Any]:
    """Its options, with references to its other options and results made valid elsewhere."""
    source = Path(__file__).parents[1] / "modules" / "dataops_service.py"
    text = next(
        statement.value.value
        for statement in ast.parse(source.read_text()).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id == "DOCUMENTATION"
        and isinstance(statement.value, ast.Constant)
    )
    referring = re.sub(rf"\b(RV\(|O\((?={'|'.join(HOW)}))(?!scp\.)", rf"\1{SERVICE}", str(text))
    documented: dict[str, Any] = yaml.safe_load(referring)["options"]
    return {name: option for name, option in documented.items() if name not in HOW}


class ModuleDocFragment:
    """What Ansible looks for."""


# Not in the class: checkers read an assignment there as text.
ModuleDocFragment.DOCUMENTATION = yaml.safe_dump({"options": options()}, sort_keys=False)
