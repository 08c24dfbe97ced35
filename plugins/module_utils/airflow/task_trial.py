# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod of a task, tried before it is written down: no API server looks at what stands in a ConfigMap."""

from __future__ import annotations

from ..errors import Conflict, Forbidden, Invalid, Refused
from ..kube.client import Kube
from . import environment, manifests
from .spec import ServiceSpec


def try_task_pod(kube: Kube, spec: ServiceSpec) -> None:
    """Ask the server what it thinks of a patched pod; only the first task would find a wrong field otherwise.

    :raises Refused: with the server's words.
    """
    if environment.TASK not in spec.overrides:
        return
    pod = manifests.task_pod(spec)
    # The account is made by the same run; any other rule that stops a pod now says nothing about the patch.
    pod["metadata"]["namespace"] = spec.namespace
    del pod["spec"]["serviceAccountName"]
    try:
        kube.create(pod, dry_run=True)
    except Invalid as error:
        raise Refused(
            error.what, where="overrides.task", next_step="Correct it; 'kubectl explain pod.spec' names the fields"
        ) from error
    except (Forbidden, Conflict):
        return
