# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application: all routers, behind one way to refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from . import cluster, errors, health
from .api.install import install
from .housekeeping import Housekeeping
from .operations import Operations
from .settings import Settings
from .volume import Volume


def create_app(settings: Settings, connect: cluster.Connect = cluster.connect) -> FastAPI:
    """:param connect: makes a connection to the cluster."""

    volume = Volume(settings.files)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.kube = connect()
        with Housekeeping(settings, volume, connect).going_on():
            yield
        app.state.kube.close()

    app = FastAPI(
        title="Data Ops Manager",
        root_path=settings.root_path,
        lifespan=lifespan,
        # Their pages would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        # The API describes itself, see api/install.py.
        openapi_url=None,
    )
    app.state.settings = settings
    app.state.connect = connect
    errors.install(app)
    app.state.volume = volume
    app.include_router(health.router)
    install(app, Operations(connect, settings.files / "operations"))
    return app
