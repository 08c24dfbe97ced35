# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console on a cluster in memory, asked as its clients ask it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.scp.dataops.console.app import create_app
from ansible_collections.scp.dataops.console.settings import Settings
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ..fake_kube import FakeKube
from ..runs import MANAGER, NAMESPACE, cluster

SECRETS = {
    "account": {"id": "dataops", "password": "SENTINEL-Password1!"},
    "keys": {"session-key": "SENTINEL-session", "engine-token": "SENTINEL-engine"},
}
BY_MODULE = {"X-DataOps-Token": "SENTINEL-engine", "X-DataOps-By": "jane@laptop"}


@pytest.fixture
def kube() -> FakeKube:
    """A cluster with a Manager."""
    return cluster()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name, values in SECRETS.items():
        (tmp_path / "secrets" / name).mkdir(parents=True)
        for key, value in values.items():
            (tmp_path / "secrets" / name / key).write_text(value)
    (tmp_path / "files").mkdir()
    return Settings(
        manager=MANAGER,
        namespace=NAMESPACE,
        files=tmp_path / "files",
        secrets=tmp_path / "secrets",
        url="http://analytics.example.com",
    )


@pytest.fixture
def app(settings: Settings, kube: FakeKube) -> FastAPI:
    return create_app(settings, lambda: kube)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client that is not signed in."""
    with TestClient(app, base_url="http://analytics.example.com", raise_server_exceptions=False) as found:
        yield found


@pytest.fixture
def module(client: TestClient) -> TestClient:
    """A client that is a module."""
    client.headers.update(BY_MODULE)
    return client
