# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The REST API as a whole: its routers, and the document that describes them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ..operations import Operations
from ..security import ENGINE_TOKEN
from . import files, managers, progress, services, tokens
from .common import PREFIX

ROUTERS = (managers.router, services.router, progress.router, files.router, tokens.router)
DESCRIPTION = """
Data Ops on Kubernetes: a Manager and its services, each an Apache Airflow.

Paths, fields and states are those of the product's own API where it has them. Ids may be replaced by names. What
changes something answers 202 with the id of an operation, and tells with dry_run what it would do.
"""
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {"type": "apiKey", "in": "cookie", "name": "dataops-session", "description": "Of a browser."},
    "module": {"type": "apiKey", "in": "header", "name": ENGINE_TOKEN, "description": "Of the modules."},
}

PLAN = {"$ref": "#/components/schemas/Plan"}


def install(app: FastAPI, operations: Operations) -> None:
    app.state.operations = operations
    for router in ROUTERS:
        app.include_router(router)

    @app.get(f"{PREFIX}/openapi.json", include_in_schema=False)
    def document() -> dict[str, Any]:
        """Made when somebody asks for it first."""
        if not app.openapi_schema:
            app.openapi_schema = described(app)
        return app.openapi_schema


def described(app: FastAPI) -> dict[str, Any]:
    """With who may ask; without 422, which is never answered, and with a plan only where it is: 200."""
    servers = [{"url": app.root_path}] if app.root_path else None
    schema = get_openapi(title=app.title, version="1.2", description=DESCRIPTION, routes=app.routes, servers=servers)
    for path, verbs in schema["paths"].items():
        for verb in verbs.values():
            verb["responses"].pop("422", None)
            if "202" in verb["responses"]:
                begun = verb["responses"]["202"]["content"]["application/json"]
                begun["schema"] = next(one for one in begun["schema"]["anyOf"] if one != PLAN)
            if path.startswith(PREFIX):
                verb["security"] = [{name: []} for name in SCHEMES]
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    schema["components"]["securitySchemes"] = SCHEMES
    return schema
