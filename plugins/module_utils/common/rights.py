# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights a run lacks. They are asked for only when one turned out to be missing: a good run pays nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ..errors import Forbidden
from ..kube.client import Kube
from ..kube.kinds import KINDS
from ..kube.rights import Right, missing_rights

# Whoever deletes waits until it is gone.
CHANGE = ("list", "watch", "create", "patch", "delete")
WATCH = ("list", "watch")
LOCK = ("get", "create", "patch", "delete")
# Waiting watches these, and explains a failure with pods and events.
WATCHED = ("Deployment", "StatefulSet", "Job", "Pod", "PersistentVolumeClaim", "Event")


def of_kinds(kinds: Iterable[str], verbs: Sequence[str], namespace: str) -> list[Right]:
    return [
        Right(verb, KINDS[kind].api_version.rpartition("/")[0], KINDS[kind].plural, namespace)
        for kind in kinds
        for verb in verbs
    ]


def of_lock(namespace: str) -> list[Right]:
    return of_kinds(("Lease",), LOCK, namespace)


@contextmanager
def explained(kube: Kube, namespace: str, needed: Sequence[Right]) -> Iterator[None]:
    """Turn the first refusal into the whole list of what is missing, so that it can be granted in one go."""
    try:
        yield
    except Forbidden as error:
        missing = missing_rights(kube, needed)
        if not missing:
            raise
        raise Forbidden(
            f"missing rights: {', '.join(str(right) for right in missing)}",
            where=f"namespace {namespace}",
            next_step="Bind the ClusterRole 'admin' in this namespace to this user, or grant these rights",
            status=error.status,
            reason=error.reason,
        ) from error
