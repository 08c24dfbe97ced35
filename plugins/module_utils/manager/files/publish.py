# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a version of an upload to the services that use it, or take it away: one path for a new one and an older one.

Shared files are used as soon as the store says so. Plugins and libraries first become generations, which each service
proves in its own image; only when all have is it written down which generation each uses, and then each running service
is rolled out as by any other change. A service that is stopped takes them when it starts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

from ...airflow import rights
from ...airflow import service as engine
from ...airflow.plan import Request
from ...airflow.spec import RESERVED_NAME
from ...airflow.uploads.mounts import expected, in_use
from ...airflow.uploads.spec import ALL, NOTHING, Uploads, of_service
from ...common import activity, lock, owner
from ...common.activity import By, this_process
from ...common.labels import COMPONENT, INSTANCE, MANAGER, labels, services_selector
from ...common.outcome import Outcome, Timeline
from ...errors import DataOpsError, NotReady, Refused
from ...kube.client import Kube
from ...kube.objects import Manifest, Ref
from ...kube.plan import Change
from .. import manager as managers
from .. import names
from .model import SHARED, Key


class Generations(Protocol):
    """Names of the generations that a service would mount; empty for none."""

    @property
    def plugins(self) -> str: ...

    @property
    def requirements(self) -> str: ...


class Store(Protocol):
    """What publishing needs of a store: the one on the volume, or the one behind the console."""

    def prospective(self, service: str, replacing: Mapping[Key, int | None] | None = None) -> Generations: ...

    def activate(self, kind: str, scope: str, name: str, version: int | None, by: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What shall be used: a version of an upload, or none of it any more."""

    key: Key
    version: int | None
    manager: str
    namespace: str
    check_mode: bool = False
    timeout: float = 900
    by: By = field(default_factory=this_process)

    @property
    def verb(self) -> str:
        return "remove" if self.version is None else "publish"


@dataclass(frozen=True)
class Published:
    """What became of it: objects that changed, and components that restarted, each with its service."""

    changes: tuple[Change, ...] = ()
    restarted: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    timeline: tuple[str, ...] = ()


@dataclass(frozen=True)
class Affected:
    """A service that gets other generations."""

    name: str
    uploads: Uploads
    runs: bool


@dataclass(frozen=True)
class Plan:
    """Which services get what, and what is to be written down: generations by service."""

    affected: tuple[Affected, ...] = ()
    entries: Mapping[str, Uploads] = field(default_factory=dict)
    is_new: bool = False


def publish(kube: Kube, store: Store, wish: Publication, timeline: Timeline | None = None) -> Published:
    """In check mode only say what it would do; generations that are made for that are used by nobody.

    :raises Refused: the files do not work in a service; nothing was changed then.
    :raises NotReady: a service could not be rolled out; it says which services have the files already.
    """
    progress = timeline or Timeline()
    place = wish.namespace
    with rights.explained(kube, place):
        if owner.find(kube, place, wish.manager) is None:
            raise Refused(
                f"Manager '{wish.manager}' does not exist in namespace {place}",
                where="manager",
                next_step="Create it first with scp.dataops.dataops_manager",
            )
        if wish.check_mode:
            return predicted(kube, wish, planned(kube, store, wish))
        with lock.alone(kube, MANAGER, wish.manager, wish.manager, place, name=names.LOCK, say=progress.say):
            plan = planned(kube, store, wish)
            with activity.told(kube, place, deed(wish)):
                prove(kube, wish, plan, progress)
                if plan.is_new:
                    kube.apply(config_map(wish, plan.entries), force=True)
                key = wish.key
                store.activate(key.kind, key.scope, key.name, wish.version, wish.by.name)
                return rolled_out(kube, wish, plan, progress)


def deed(wish: Publication) -> activity.Deed:
    change = Change("update", Ref("Upload", wish.key.name, wish.namespace))
    return activity.Deed(by=wish.by, target=str(wish.key), verb=wish.verb, changes=(change,))


# What to do


def planned(kube: Kube, store: Store, wish: Publication) -> Plan:
    """Shared files are in no generation, so nothing has to be looked at for them."""
    if wish.key.kind == SHARED:
        return Plan()
    replacing = {wish.key: wish.version}

    def prospective(service: str) -> Uploads:
        found = store.prospective(service, replacing)
        return Uploads(plugins=found.plugins, requirements=found.requirements)

    before = kube.get("ConfigMap", owner.PUBLISHED, wish.namespace)
    written = entries_of(before)
    services = {item["metadata"]["labels"][INSTANCE] for item in managers.services(kube, wish.namespace, wish.manager)}
    # One that does not exist yet may have files already.
    known = services | (written.keys() - {ALL}) | ({wish.key.scope} - {""})
    # No service can have this name, so what it would get is what is for all.
    of_all = prospective(RESERVED_NAME)
    wanted = {name: prospective(name) for name in sorted(known) if wish.key.scope in ("", name)}
    kept = {name: of_service(before, name) for name in known - wanted.keys()}
    own = {name: uploads for name, uploads in {**wanted, **kept}.items() if uploads != of_all}
    entries = {ALL: of_all, **own}
    standing = deployments(kube, wish)
    affected = [
        Affected(name, uploads, runs=any(runs(item) for item in standing.get(name, ())))
        for name, uploads in wanted.items()
        if name in services
        and (uploads != of_service(before, name) or not all(uses(item, uploads) for item in standing.get(name, ())))
    ]
    return Plan(tuple(affected), entries, is_new=entries != written)


def entries_of(published: Manifest | None) -> dict[str, Uploads]:
    return {name: of_service(published, name) for name in (published or {}).get("data") or {}}


def deployments(kube: Kube, wish: Publication) -> dict[str, list[Manifest]]:
    """Those that run Airflow, by service."""
    labelled = services_selector(wish.manager)
    found: dict[str, list[Manifest]] = {}
    for item in kube.list("Deployment", wish.namespace, labels=labelled):
        if item["metadata"]["labels"][COMPONENT] != "flower":
            found.setdefault(item["metadata"]["labels"][INSTANCE], []).append(item)
    return found


def runs(deployment: Manifest) -> bool:
    return bool(deployment["spec"].get("replicas", 1))


def uses(deployment: Manifest, uploads: Uploads) -> bool:
    """Whether it has these files, or will have them when it starts: an earlier run may have been killed before."""
    return not runs(deployment) or in_use(deployment) == expected(deployment, uploads)


def config_map(wish: Publication, entries: Mapping[str, Uploads]) -> Manifest:
    metadata = {
        "name": owner.PUBLISHED,
        "namespace": wish.namespace,
        "labels": labels(MANAGER, wish.manager, wish.manager, "published"),
    }
    data = {name: json.dumps(asdict(uploads), sort_keys=True) for name, uploads in sorted(entries.items())}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


# Doing it


def request(wish: Publication, item: Affected, *, uploads: Uploads | None = None) -> Request:
    """A run of a service that asks for nothing."""
    return Request(
        name=item.name,
        manager=wish.manager,
        namespace=wish.namespace,
        options={},
        uploads=uploads,
        check_mode=wish.check_mode,
        timeout=wish.timeout,
        by=wish.by,
    )


def predicted(kube: Kube, wish: Publication, plan: Plan) -> Published:
    outcomes = {
        item.name: engine.apply(kube, request(wish, item, uploads=item.uploads)) for item in plan.affected if item.runs
    }
    return told(plan, outcomes, Timeline())


def prove(kube: Kube, wish: Publication, plan: Plan, progress: Timeline) -> None:
    for item in plan.affected:
        if item.uploads != NOTHING:
            progress.say(f"service {item.name} tries the files")
            engine.prove(kube, request(wish, item, uploads=item.uploads), progress)


def rolled_out(kube: Kube, wish: Publication, plan: Plan, progress: Timeline) -> Published:
    """One service after the other, so that a trouble that no trial found meets one of them only."""
    outcomes: dict[str, Outcome] = {}
    running = [item for item in plan.affected if item.runs]
    for item in running:
        progress.say(f"service {item.name} takes the files")
        try:
            outcomes[item.name] = engine.apply(kube, request(wish, item), progress)
        except DataOpsError as error:
            left = [other.name for other in running if other.name not in outcomes and other != item]
            raise NotReady(
                f"{error.what} ({wish.key} is published; {standing_of(list(outcomes), left)})",
                where=f"service {item.name}",
                next_step=f"{error.next_step or 'Look at it with scp.dataops.dataops_service_info'}. Then run this "
                "again, or publish the version before it to go back",
            ) from error
    return told(plan, outcomes, progress)


def standing_of(have: Sequence[str], left: Sequence[str]) -> str:
    """``etl and web run with it, sales does not yet``."""
    first = f"{' and '.join(have)} {'runs' if len(have) == 1 else 'run'} with it" if have else "no service runs with it"
    return f"{first}; {' and '.join(left)} {'was' if len(left) == 1 else 'were'} not touched" if left else first


def told(plan: Plan, outcomes: Mapping[str, Outcome], progress: Timeline) -> Published:
    return Published(
        changes=tuple(change for outcome in outcomes.values() for change in outcome.changes),
        restarted=tuple(f"{name}/{part}" for name, outcome in outcomes.items() for part in outcome.restarted),
        stopped=tuple(item.name for item in plan.affected if not item.runs),
        timeline=tuple(progress.lines),
    )
