# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of a Manager does to its services at their next run, from what is recorded and without a write.

Services differ in their version of Airflow. A default that one of them cannot take would stand in the way of its next
change, so it is refused when somebody sets it, and not when somebody else changes that service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..airflow import inheritance
from ..airflow import names as service_names
from ..airflow.info import by_service
from ..airflow.plan import Live, Request, settled
from ..common import owner, record
from ..common.activity import names_of_changes
from ..common.labels import services_selector
from ..errors import DataOpsError, Refused
from ..kube.client import Kube
from ..kube.objects import Ref, index

# A service's record, and its standing version.
KINDS = ("ConfigMap", "Deployment")
# What a service that stands keeps.
STAYS = frozenset({"storage_class", "version"})
DEFAULTS = "default_settings"


@dataclass(frozen=True)
class Effect:
    """``options``: what the service will have otherwise; ``problem``: why it cannot take a default of its Manager."""

    service: str
    options: tuple[str, ...]
    problem: DataOpsError | None


def effects(
    kube: Kube, namespace: str, manager: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Effect]:
    """Of each service that has any, in the order of their names.

    :param before: options of the Manager as they are recorded. :param after: as they would be.
    """
    wanted = services_selector(manager)
    objects = by_service(kube.list_all(KINDS, namespace, labels=wanted))
    old, new = owner.passed_on(before), owner.passed_on(after)
    found = []
    for name, items in sorted(objects.items()):
        live = index(items)
        written = live.get(Ref("ConfigMap", service_names.record(name), namespace))
        if written is None:
            continue
        own = record.read(written)
        both = inheritance.effective(old, own), inheritance.effective(new, own)
        options = tuple(option for option in names_of_changes(*both) if option not in STAYS)
        if options:
            request = Request(name=name, manager=manager, namespace=namespace, options={})
            found.append(Effect(name, options, refusal(request, own, new, live)))
    return found


def refusal(request: Request, own: Mapping[str, Any], inherited: Mapping[str, Any], live: Live) -> DataOpsError | None:
    """Only of what it inherits: a service that cannot be understood for another reason is no obstacle."""
    try:
        settled(request, own, inherited, live)
    except DataOpsError as error:
        return error if error.where.startswith(f"{DEFAULTS}.") else None
    return None


def refuse_what_services_cannot_take(
    kube: Kube, namespace: str, manager: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """:raises Refused: naming the default and the service."""
    old, new = before.get(DEFAULTS, {}), after.get(DEFAULTS, {})
    if all(old.get(option) == new.get(option) for option in (inheritance.CONFIG, inheritance.ENVIRONMENT)):
        return
    for effect in effects(kube, namespace, manager, before, after):
        if effect.problem:
            error = effect.problem
            raise Refused(
                f"service '{effect.service}' cannot take it: {error.what}",
                where=error.where.partition(" ")[0],
                next_step=f"{error.next_step}; or leave it out here, and set it in each service that can take it",
            ) from error
