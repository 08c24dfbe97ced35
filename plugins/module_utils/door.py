# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Ansible and the engine: the arguments of every module, one way in and one boundary for errors.

The only file of ``module_utils`` that knows Ansible.
"""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .common import outcome
from .common.outcome import Outcome, Timeline
from .errors import DataOpsError
from .kube.access import find_access
from .kube.client import Kube

AUTH: dict[str, Any] = {
    "kubeconfig": {"type": "path"},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ca_cert": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "validate_certs": {"type": "bool"},
    "proxy": {"type": "str"},
    "impersonate_user": {"type": "str"},
    "impersonate_groups": {"type": "list", "elements": "str"},
}
CHANGE: dict[str, Any] = {
    "force": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
}
STATE: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class Call:
    """What a task wants: its options, all of them checked and complete, and how they are to be carried out."""

    params: Mapping[str, Any]
    check_mode: bool
    diff: bool
    kube: Kube
    timeline: Timeline


# What a module does: all of it, whichever process it runs in.
Perform = Callable[[Call], dict[str, Any]]
# Texts among a module's options that Ansible is to mask wherever it prints them, besides those of options with no_log.
Secrets = Callable[[Mapping[str, Any]], Iterable[str]]


def no_more_secrets(params: Mapping[str, Any]) -> Iterable[str]:
    return ()


def connect(params: Mapping[str, Any], environment: Mapping[str, str] | None) -> Kube:
    return Kube(find_access({name: params[name] for name in AUTH}, environment))


def report(result_key: str, done: Outcome, *, with_diff: bool) -> dict[str, Any]:
    """The result in the form that the modules document."""
    result: dict[str, Any] = {
        "changed": outcome.changed(done.changes),
        "actions": outcome.actions(done.changes),
        "restarted": list(done.restarted),
        "kept": list(done.kept),
        "not_checked": list(done.not_checked),
        "timeline": list(done.timeline),
        "warnings": list(done.warnings),
        result_key: done.details,
    }
    if with_diff:
        result["diff"] = outcome.diff(done.changes)
    return result


def run(
    module: AnsibleModule,
    perform: Perform,
    environment: Mapping[str, str] | None = None,
    secrets: Secrets = no_more_secrets,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Do the work and leave: one sentence for what the engine refused, a short id for what nobody foresaw.

    :param environment: the process's own when it is None.
    :param tell: gets each line of progress at once, where somebody can be shown it.
    """
    module.no_log_values.update(secrets(module.params))
    timeline = Timeline(tell=tell)
    result, problem = attempt(module, perform, environment, timeline)
    # Not while an exception is handled: Ansible would attach its traceback to the result.
    if problem:
        module.fail_json(msg=problem, **({"timeline": timeline.lines} if timeline.lines else {}))
    for line in result.pop("warnings", []):
        module.warn(line)
    if result.get("not_checked"):
        module.warn(f"Not checked, for lack of rights: {'; '.join(result['not_checked'])}")
    module.exit_json(**result)


def attempt(
    module: AnsibleModule, perform: Perform, environment: Mapping[str, str] | None, timeline: Timeline
) -> tuple[dict[str, Any], str]:
    """The result, or the sentence that says why there is none."""
    try:
        with closing(connect(module.params, environment)) as kube:
            return perform(Call(module.params, module.check_mode, module._diff, kube, timeline)), ""
    except DataOpsError as error:
        return {}, str(error)
    except Exception:
        incident = uuid.uuid4().hex[:8]
        module.log(f"scp.dataops incident {incident}: {traceback.format_exc()}")
        return {}, (
            f"This is a bug in scp.dataops (incident {incident}). "
            "Its details are in the system log of the host where the module ran; please report them."
        )
