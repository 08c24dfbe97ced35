# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of `kube`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube import transport
from ansible_collections.scp.dataops.plugins.module_utils.kube.access import find_access
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube

from .fake_api import Answer, Asked, FakeApi

SENTINEL = "S3NT1NEL-value"


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeApi]]:
    """Start fake API servers; they end with the test."""
    running: list[FakeApi] = []

    def start(*answers: Answer, respond: Callable[[Asked], Answer] | None = None) -> FakeApi:
        running.append(FakeApi(*answers, respond=respond))
        return running[-1]

    yield start
    for api in running:
        api.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, noted instead of slept."""
    noted: list[float] = []
    monkeypatch.setattr(transport, "pause", noted.append)
    return noted


@pytest.fixture
def connect(pauses: list[float]) -> Iterator[Callable[..., Kube]]:
    """Clients of a fake API server, with a secret token."""
    opened: list[Kube] = []

    def to(api: FakeApi | str, **options: object) -> Kube:
        host = api if isinstance(api, str) else api.url
        access = find_access({"host": host, "api_key": SENTINEL, **options}, {})
        opened.append(Kube(access, request_timeout=0.3))
        return opened[-1]

    yield to
    for kube in opened:
        kube.close()
