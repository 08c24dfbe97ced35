# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that runs inside Ansible's worker where nobody can tell the difference, else as any module does.

Packing a module, copying it and starting Python for it takes Ansible several times as long as the work itself. On the
host where Ansible runs none of that is needed: the worker is a process of its own already, forked for this one task.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import chdir, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from ansible import constants
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.json import Direction, get_module_decoder, get_module_encoder
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action.normal import ActionModule as ModuleAction
from ansible_collections.scp.dataops.plugins.module_utils import door
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError

# The form in which Ansible and modules exchange arguments and results.
PROFILE = "legacy"
# Where Ansible prints or keeps a module's result; without it a module's own process is the only way to learn that.
RECORDS_RESULT = "_record_module_result"
# Values of ansible_python_interpreter that leave the choice to Ansible.
ANY_PYTHON = ("", "auto", "auto_silent", "auto_legacy", "auto_legacy_silent")
LIBRARIES = ("urllib3", "yaml", "kubernetes")


@dataclass(frozen=True)
class Circumstances:
    """What a task says of how it is to run. `interpreter` is the Python that it wants, or one of ANY_PYTHON."""

    transport: str
    become: bool
    background: bool
    time_limit: bool
    interpreter: str
    environment: Mapping[str, str]


def why_not_here(task: Circumstances) -> str:
    """Why a task needs a process of its own; empty when it may run in the worker."""
    if task.transport != "local":
        return f"the connection is {task.transport}"
    if task.become:
        return "it becomes another user"
    if task.background:
        return "it is asynchronous"
    if task.time_limit:
        # A process can be left alone at any moment; threads in here would be waited for until their requests end.
        return "it has a timeout"
    if not hasattr(AnsibleModule, RECORDS_RESULT):
        return "this ansible-core offers no other way"
    foreign = sorted(name for name in task.environment if not is_ours(name))
    if foreign:
        return f"its environment has {', '.join(foreign)}"
    if task.interpreter in ANY_PYTHON:
        missing = [name for name in LIBRARIES if find_spec(name) is None]
        return f"Ansible's own Python lacks {', '.join(missing)}" if missing else ""
    return "" if is_this_python(task.interpreter) else f"its Python is {task.interpreter}"


def is_ours(variable: str) -> bool:
    """Whether nothing reads this variable but our own way to a cluster, which is handed it without setting it."""
    return variable.startswith("K8S_AUTH_") or variable == "KUBECONFIG"


def is_this_python(interpreter: str) -> bool:
    """The same program by any of its names in the same folder: `python` in another folder is another environment."""
    return _place(interpreter) == _place(sys.executable)


def _place(program: str) -> tuple[str, str]:
    return os.path.dirname(program), os.path.realpath(program)


class ModuleInWorker(AnsibleModule):
    """AnsibleModule itself, with all its checks and masking; only arguments and result take a shorter way."""

    def __init__(self, argument_spec: dict[str, Any], arguments: str) -> None:
        self.arguments = arguments
        self.result = ""
        # A refused argument ends it in here, with a result.
        with suppress(SystemExit):
            super().__init__(argument_spec=argument_spec, supports_check_mode=True)

    def _load_params(self) -> None:
        self.params = json.loads(self.arguments, cls=get_module_decoder(PROFILE, Direction.CONTROLLER_TO_MODULE))

    def _record_module_result(self, o: dict[str, Any]) -> None:
        self.result = json.dumps(o, cls=get_module_encoder(PROFILE, Direction.MODULE_TO_CONTROLLER))

    def _check_locale(self) -> None:
        """Ansible has seen to that for its own process; here it would change the environment."""


class DataOpsAction(ModuleAction):
    """The action of a module; a subclass says of which."""

    module: ModuleType

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        environment = {name: str(value) for name, value in environment.items()}
        reason = why_not_here(
            Circumstances(
                transport=self._connection.transport,
                become=bool(self._play_context.become or self._connection.become),
                background=bool(self._task.async_val),
                time_limit=bool(self._task.timeout),
                interpreter=self._interpreter(variables),
                environment=environment,
            )
        )
        given = self._task.args
        try:
            self._task.args = self.completed(dict(given), variables)
            if reason:
                self._display.vvv(f"{self._task.action} runs in a process of its own: {reason}")
                result: dict[str, Any] = super().run(tmp, task_vars)
            else:
                self._display.vvv(f"{self._task.action} runs in the worker")
                result = self._run_here(variables, environment)
        except DataOpsError as error:
            return {"failed": True, "msg": str(error)}
        finally:
            # Ansible may run the same task once more.
            self._task.args = given
        return result

    def completed(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """The task's arguments with what only the host has where Ansible runs; a module that needs that overrides this.

        :raises DataOpsError: when the task cannot be run so.
        """
        return arguments

    def _interpreter(self, variables: dict[str, Any]) -> str:
        host = variables["ansible_delegated_vars"][self._task.delegate_to] if self._task.delegate_to else variables
        wanted = constants.config.get_config_value("INTERPRETER_PYTHON", variables=host)
        # In a list, since a value that is omitted is just not there then.
        given = self._templar.template([wanted])
        return str(given[0] or "").strip() if given else ""

    def _run_here(self, variables: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
        given = dict(self._task.args)
        self._update_module_args(self._task.action, given, variables)
        arguments = json.dumps(given, cls=get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE))
        # Where Ansible starts modules, too: relative paths begin there.
        with chdir(self._loader.get_basedir()):
            module = ModuleInWorker(self.module.argument_spec(), arguments)
            if not module.result:
                with suppress(SystemExit):
                    secrets = getattr(self.module, "secrets", door.no_more_secrets)
                    tell = None if module.no_log else self._teller(module, str(variables.get("inventory_hostname", "")))
                    door.run(module, self.module.perform, {**os.environ, **environment}, secrets, tell)
        result: dict[str, Any] = self._parse_returned_data({"stdout": module.result}, PROFILE)
        return result

    def _teller(self, module: ModuleInWorker, host: str) -> Callable[[str], None]:
        """Shows each line of progress at once, masked as the result will be.

        On stderr, so that results stay what they are for who reads them from stdout.
        """
        kind = self.module.__name__.rpartition(".dataops_")[2]
        subject = f"{kind} {module.params.get('name') or ''}".strip()

        def tell(line: str) -> None:
            shown = remove_values(f"{subject}: {line}", module.no_log_values)
            self._display.display(f"[{host}] {shown}", stderr=True)

        return tell
