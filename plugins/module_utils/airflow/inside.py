# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at something from inside the cluster, where the service will run, before anything of the service is touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..kube.client import Kube
from ..kube.deletion import delete_all
from ..kube.objects import Manifest, Ref, ref_of

Wait = Callable[[Sequence[Ref]], None]
REMOVAL_SECONDS = 60


def run(kube: Kube, probe: Sequence[Manifest], wait: Wait) -> str:
    """Make these objects, wait for the Job that is the last of them, and remove them all; what the Job printed.

    :raises NotReady: when the Job failed or could not start.
    """
    refs = [ref_of(item) for item in probe]
    delete_all(kube, refs, timeout=REMOVAL_SECONDS)
    try:
        for item in probe:
            kube.apply(item)
        wait(refs[-1:])
        return printed(kube, refs[-1])
    finally:
        delete_all(kube, refs, timeout=REMOVAL_SECONDS)


def printed(kube: Kube, job: Ref) -> str:
    pods = kube.list("Pod", job.namespace, labels=f"job-name={job.name}")
    return "".join(kube.logs(pod["metadata"]["name"], job.namespace) for pod in pods)
