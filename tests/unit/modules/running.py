# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run modules as Ansible does, on a cluster in memory."""

from __future__ import annotations

import base64
import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args
from ansible_collections.scp.dataops.plugins.module_utils import door

from ..fake_kube import FakeKube
from ..runs import APPLICATION

COLLECTION = "ansible_collections.scp.dataops"
PLUGINS = Path(door.__file__).parents[1]
NAMES = (
    "dataops_manager",
    "dataops_manager_info",
    "dataops_objects",
    "dataops_preflight",
    "dataops_service",
    "dataops_service_info",
    "dataops_upload",
    "dataops_upload_info",
)

# What the action of a module hands over.
HANDED_OVER = {"dataops_manager": {"console_archive": base64.b64encode(APPLICATION).decode()}}

Result = dict[str, Any]
Run = Callable[..., Result]


def module(name: str) -> ModuleType:
    return importlib.import_module(f"{COLLECTION}.plugins.modules.{name}")


def documentation(name: str) -> dict[str, Any]:
    """The module's documentation with the options of its fragments."""
    text: dict[str, Any] = yaml.safe_load(module(name).DOCUMENTATION)
    options: dict[str, Any] = {}
    for fragment in text.get("extends_documentation_fragment", []):
        part, _dot, variant = fragment.removeprefix("scp.dataops.").partition(".")
        found = importlib.import_module(f"{COLLECTION}.plugins.doc_fragments.{part}").ModuleDocFragment
        options |= yaml.safe_load(getattr(found, variant.upper() or "DOCUMENTATION")).get("options", {})
    return {**text, "options": {**options, **text["options"]}}


def returned(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(module(name).RETURN)
    return found


def module_files() -> list[str]:
    return sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))


def without_colors(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kube: FakeKube | Exception) -> Run:
    """Run a module; its result is what it prints."""

    def connect(*given: Any) -> FakeKube:
        if isinstance(kube, Exception):
            raise kube
        return kube

    monkeypatch.setattr(door, "connect", connect)
    # Modules run where no Ansible is; other tests in this process have imported it.
    monkeypatch.setattr(_internal, "is_controller", False)

    def run(called: str, /, *, check: bool = False, diff: bool = False, **options: Any) -> Result:
        how = {"_ansible_check_mode": check, "_ansible_diff": diff}
        with patch_module_args({**HANDED_OVER.get(called, {}), **options, **how}), pytest.raises(SystemExit):
            module(called).main()
        printed = without_colors(capsys.readouterr().out)
        result: Result = json.loads(printed.strip().splitlines()[-1])
        return result

    return run
