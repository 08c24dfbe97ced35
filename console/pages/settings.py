# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Manager, the default settings of its services, and what each service has of them or says itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow import inheritance
from ansible_collections.scp.dataops.plugins.module_utils.airflow.sizes import SIZED
from ansible_collections.scp.dataops.plugins.module_utils.common import owner
from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..api import inventory, managers
from ..api.common import Looking, Viewer
from ..option_texts import shown
from .page import page

router = APIRouter(include_in_schema=False)

# In this order, and with a heading for each.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "sizes": ("size", *SIZED),
    "config": ("config",),
    "environment": ("environment",),
    "placement": ("node_selector", "tolerations", "affinity", "priority_class"),
    "network": ("domain", "ingress_class", "host_aliases", "egress_proxy", "ca_certificates"),
    "images": ("storage_class", "image_registry", "image_pull_secrets", "python_index"),
    "monitoring": ("monitoring",),
}
# Forms of a service that change these options, by the end of their address.
CHANGES: Mapping[str, str] = {
    "size": "settings_group_sizes",
    "airflow-configuration": "settings_group_config",
    "host-alias": "host_alias",
}
# More of them are closed at first.
OPEN_SERVICES = 3


@dataclass(frozen=True)
class Row:
    """An option, or a key of one. ``default`` is the Manager's where the service has a value of its own."""

    name: str
    value: str
    is_own: bool
    default: str = ""


@dataclass(frozen=True)
class Default:
    """Of the Manager, and the services that say otherwise."""

    name: str
    value: str
    unless: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    name: str
    problem: str
    groups: Mapping[str, tuple[Row, ...]]


@router.get("/settings")
def settings(request: Request, look: Looking, who: Viewer) -> Response:
    found = inventory.manager(look.kube, look.settings)
    services = inventory.services(look.kube, look.settings)
    passed_on = owner.passed_on(found.options)
    return page(
        request,
        "settings.html",
        told=managers.described(look, found),
        defaults=defaults(passed_on, {service.name: service.options for service in services}),
        services=[Shown(service.name, service.problem, of_service(passed_on, service.options)) for service in services],
        are_open=len(services) <= OPEN_SERVICES,
        changes=CHANGES,
        may_change=who.role == "operator",
    )


def defaults(passed_on: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[Default, ...]]:
    own = {name: {path for path, _value in leaves(options)} for name, options in services.items()}
    return grouped(
        {
            path: Default(path, shown(path, value), tuple(name for name, paths in own.items() if path in paths))
            for path, value in leaves(passed_on)
        }
    )


def of_service(passed_on: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, tuple[Row, ...]]:
    """What it says itself, and what it has because it does not."""
    of_manager = dict(leaves(passed_on))
    inherited = {
        path: Row(path, shown(path, value), False) for path, value in leaves(inheritance.unchosen(passed_on, own))
    }
    said = {
        path: Row(path, shown(path, value), True, shown(path, of_manager[path]) if path in of_manager else "")
        for path, value in leaves(own)
    }
    return grouped({**inherited, **said})


def grouped(rows: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """By heading; what has no rows has no heading."""
    found = {
        group: tuple(
            rows[path] for option in options for path in sorted(rows) if path == option or path.startswith(f"{option}.")
        )
        for group, options in GROUPS.items()
    }
    return {group: items for group, items in found.items() if items}


def leaves(options: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each option that can be inherited, or key of one, by its path."""
    for group in GROUPS.values():
        for option in group:
            if option in options:
                yield from inside(option, options[option], inheritance.LEVELS.get(option, 0))


def inside(path: str, value: Any, levels: int) -> Iterator[tuple[str, Any]]:
    if levels == 0 or not isinstance(value, Mapping):
        yield path, value
        return
    for key in sorted(value):
        yield from inside(f"{path}.{key}", value[key], levels - 1)
