# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as the console sees it: one connection that all requests read by, and one for each change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from ansible_collections.scp.dataops.plugins.module_utils.kube.access import find_access
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from fastapi import Request

from .inside import Inside
from .settings import Settings

Connect = Callable[[], Kube]


def connect() -> Kube:
    """As the service account of the pod."""
    return Inside(find_access({}, os.environ))


def settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


def reader(request: Request) -> Kube:
    """For reading only, shared by everybody."""
    found: Kube = request.app.state.kube
    return found


@contextmanager
def writer(request: Request) -> Iterator[Kube]:
    """For one change: the lock of a run guards all writes of its connection, so no two runs may share one."""
    make: Connect = request.app.state.connect
    with closing(make()) as kube:
        yield kube
