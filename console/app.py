# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application: all routers, behind one way to refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from . import cluster, errors, health, metrics
from .api.install import install
from .collector import Collector
from .drafts import Drafts
from .headers import Headers
from .housekeeping import Housekeeping
from .operations import Operations
from .pages import (
    activity,
    dashboard,
    files,
    form,
    operation,
    page,
    service,
    service_verbs,
    sign_in,
    tokens,
)
from .pages import settings as settings_page
from .recent import Recent
from .settings import Settings
from .throttle import Throttle
from .tokens import Tokens
from .volume import Volume

PAGES = (
    page.router,
    sign_in.router,
    dashboard.router,
    files.router,
    settings_page.router,
    activity.router,
    # Before what may be any name.
    form.router,
    service.router,
    service_verbs.router,
    operation.router,
    tokens.router,
)
# What a page other than the dashboard looked at is good for so many seconds.
RECENT = 4
# Failed sign-ins of one address, and of one account whatever the address: how many, and within how many seconds.
BY_ADDRESS, BY_ACCOUNT = (5, 60), (50, 300)


def create_app(settings: Settings, connect: cluster.Connect = cluster.connect, *, look_every: float = 0) -> FastAPI:
    """:param connect: makes a connection to the cluster. :param look_every: seconds between two looks, 0 for none."""

    volume = Volume(settings.files)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.kube = connect()
        if look_every:
            app.state.collector.start(app.state.kube, look_every)
        with Housekeeping(settings, volume, connect, app.state.drafts).going_on():
            yield
        app.state.collector.stop()
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
        # Generated clients call their functions so.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    app.state.connect = connect
    app.state.tokens = Tokens(settings)
    app.state.collector = Collector(settings)
    app.state.drafts = Drafts()
    app.state.recent = Recent(RECENT)
    app.state.throttles = (Throttle(*BY_ADDRESS), Throttle(*BY_ACCOUNT))
    app.add_middleware(Headers, secure=settings.secure)
    errors.install(app)
    app.state.volume = volume
    app.include_router(health.router)
    app.include_router(metrics.router)
    for router in PAGES:
        app.include_router(router)
    install(app, Operations(connect, settings.files / "operations"))
    return app
