# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the objects in a service's Airflow to what is declared: look, plan, refuse, act, in this order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ...common import owner
from ...common import rights as common_rights
from ...common.labels import SERVICE, labels
from ...errors import AirflowError, BadOption, DataOpsError, Refused
from ...kube.client import Kube
from ...kube.masking import scrubbed
from ...kube.objects import Manifest, index
from ...kube.rights import Right
from .. import names
from ..api import AirflowApi
from ..secrets import Values, decoded
from ..standing import standing
from ..versions import NEWEST, Profile, profile
from .kinds import KINDS, ROLES, USERS, Kind
from .planning import Change, Live, Mark, Marks, Wanted, known_roles, marker, marks_after, plan_kind
from .spec import Declared, Item, declared

MARKS = "fingerprints.json"
SIGNING_KEY = "api-secret-key"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a door hands over. ``options`` holds, by kind, a list of items, or None where a kind is not declared."""

    name: str
    manager: str
    namespace: str
    options: Mapping[str, Any] = field(repr=False)
    prune: Sequence[str] = ()
    check_mode: bool = False


@dataclass(frozen=True)
class Report:
    """What was done, or in check mode would be, and how what was found differed from what is declared."""

    changes: tuple[Change, ...]
    drift: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """What the cluster tells of a service that exists."""

    profile: Profile
    account: Values
    signing_key: str
    marks: Marks


def reconcile(kube: Kube, request: Request) -> Report:
    """
    :raises DataOpsError: before anything is written, but for what only Airflow can refuse.
    """
    asked = declared(request.options, request.prune)
    with common_rights.explained(kube, request.namespace, needed_rights(request.namespace)):
        scene = look(kube, request)
        wanted = resolved(kube, request.namespace, asked)
        if scene is None:
            what = f"service '{request.name}' does not exist in namespace {request.namespace}"
            if not request.check_mode:
                raise Refused(what, where="name", next_step="Create it first with scp.dataops.dataops_service")
            return foretold(asked, wanted, what)
        api = AirflowApi(kube, request.namespace, request.name, scene.profile, scene.account)
        live = read(kube, api, asked)
        mark = marker(scene.signing_key)
        plans = {
            kind.name: plan_kind(
                kind,
                wanted[kind.name],
                live[kind.name],
                marks=scene.marks,
                mark=mark,
                prune=kind.name in asked.prune,
                account=scene.account.get("id", ""),
                api=scene.profile.api,
            )
            for kind in KINDS
            if kind.name in asked.items
        }
        if USERS.name in plans:
            doomed = (
                [item.key for item in plans[ROLES.name].changes if item.action == "delete"]
                if ROLES.name in plans
                else []
            )
            known_roles(wanted[USERS.name], wanted.get(ROLES.name, ()), live[ROLES.name], doomed)
        changes = in_order([change for plan in plans.values() for change in plan.changes])
        if not request.check_mode:
            carry_out(kube, request, api, scene, changes, live, [*secrets_of(wanted)], mark)
    return Report(changes, {name: plan.drift for name, plan in plans.items()})


def needed_rights(namespace: str) -> list[Right]:
    verbs = ("get", "create", "update", "patch", "delete")
    own = [("get", "configmaps"), ("get", "secrets"), ("create", "secrets"), ("patch", "secrets")]
    return [
        Right("get", "apps", "deployments", namespace),
        *(Right(verb, "", resource, namespace) for verb, resource in own),
        *(Right(verb, "", "services/proxy", namespace) for verb in verbs),
    ]


def look(kube: Kube, request: Request) -> Scene | None:
    """None when there is no such service."""
    name, namespace = request.name, request.namespace
    wanted = [
        ("ConfigMap", names.record(name)),
        ("Deployment", names.component(name, "scheduler")),
        *(("Secret", secret(name)) for secret in (names.account, names.keys, names.objects)),
    ]
    found, scheduler, account, keys, marks = kube.each(lambda one: kube.get(one[0], one[1], namespace), wanted)
    if found is None:
        return None
    # The namespace may be another Manager's.
    owner.find(kube, namespace, request.manager)
    stands = standing(index([scheduler] if scheduler else []), name, namespace)
    return Scene(
        profile(stands.version if stands else NEWEST),
        decoded(account),
        decoded(keys).get(SIGNING_KEY, ""),
        json.loads(decoded(marks).get(MARKS, "{}")),
    )


def resolved(kube: Kube, namespace: str, asked: Declared) -> dict[str, tuple[Wanted, ...]]:
    """Items with the values that they take from Secrets; each Secret is read once."""
    secrets = sorted({reference.secret for reference in asked.references})
    found = dict(zip(secrets, kube.each(lambda name: kube.get("Secret", name, namespace), secrets), strict=True))
    return {name: tuple(with_values(item, found, namespace) for item in items) for name, items in asked.items.items()}


def with_values(item: Item, secrets: Mapping[str, Manifest | None], namespace: str) -> Wanted:
    fields = dict(item.given)
    concealed: set[str] = set()
    for name, reference in item.references.items():
        secret = secrets[reference.secret]
        if secret is None:
            raise Refused(
                f"there is no Secret {reference.secret} in namespace {namespace}",
                where=reference.at,
                next_step="Create it, or correct the name",
            )
        values = decoded(secret)
        if reference.key not in values:
            raise Refused(
                f"Secret {reference.secret} has no key '{reference.key}'",
                where=reference.at,
                next_step=f"Use {', '.join(sorted(values)) or 'another Secret: this one is empty'}",
            )
        value = values[reference.key]
        if name == "extra":
            more = as_object(value, reference.at)
            fields[name] = {**fields.get(name, {}), **more}
            concealed |= more.keys()
        else:
            fields[name] = value
            concealed.add(name)
    return Wanted(item, fields, frozenset(concealed))


def as_object(text: str, at: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BadOption("what it holds is not a JSON object", where=at, next_step='Write it as {"key": "value"}')
    return value


def foretold(asked: Declared, wanted: Mapping[str, Sequence[Wanted]], what: str) -> Report:
    """What would happen in the Airflow of a service that only check mode has seen: it has nothing but its own yet."""
    api = profile(NEWEST).api
    plans = {
        kind.name: plan_kind(kind, wanted[kind.name], {}, marks={}, mark=marker(""), prune=False, account="", api=api)
        for kind in KINDS
        if kind.name in asked.items
    }
    changes = in_order([change for plan in plans.values() for change in plan.changes])
    drift = {name: plan.drift for name, plan in plans.items()}
    return Report(changes, drift, (f"{what}; this is what would happen once it does.",))


def read(kube: Kube, api: AirflowApi, asked: Declared) -> dict[str, Live]:
    """What Airflow has of each kind that is declared, one list each; roles too if there are users to be given them."""
    kinds = [kind for kind in KINDS if kind.name in asked.items or (kind is ROLES and USERS.name in asked.items)]

    def listed(kind: Kind) -> Live:
        answers = api.all(kind.path(api.profile.api), kind.name)
        return {answer[kind.sent_key]: kind.read(answer) for answer in answers}

    return {kind.name: found for kind, found in zip(kinds, kube.each(listed, kinds), strict=True)}


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Made in the order of the kinds and removed in the reverse: a user goes before its role."""
    every = list(changes)
    made = [change for kind in KINDS for change in every if change.kind is kind and change.action != "delete"]
    removed = [change for kind in KINDS[::-1] for change in every if change.kind is kind and change.action == "delete"]
    return (*made, *removed)


def secrets_of(wanted: Mapping[str, Sequence[Wanted]]) -> Iterable[str]:
    for items in wanted.values():
        for one in items:
            yield from one.secrets()


def carry_out(
    kube: Kube,
    request: Request,
    api: AirflowApi,
    scene: Scene,
    changes: Sequence[Change],
    live: Mapping[str, Live],
    secrets: Sequence[str],
    mark: Mark,
) -> None:
    """Write all that can be written, remember it, and then say what could not."""
    outcomes: list[tuple[Change, str]] = []
    for batch in batches(changes):
        problems = kube.each(lambda change: problem(api, change, secrets), batch)
        outcomes.extend(zip(batch, problems, strict=True))
    marks = marks_after(scene.marks, live, [change for change, trouble in outcomes if not trouble], mark)
    if marks != scene.marks:
        kube.apply(memory(request, marks))
    refused = [f"{change}: {trouble}" for change, trouble in outcomes if trouble]
    if refused:
        others = "The others are done; correct these" if len(refused) < len(outcomes) else "Correct them"
        raise AirflowError("; ".join(refused), where=api.where, next_step=f"{others} and run it again")


def batches(changes: Sequence[Change]) -> list[list[Change]]:
    """Changes that may be written at the same time."""
    result: list[list[Change]] = []
    for change in changes:
        last = result[-1][-1] if result else None
        if last and change.kind.at_once and (last.kind, last.action) == (change.kind, change.action):
            result[-1].append(change)
        else:
            result.append([change])
    return result


def problem(api: AirflowApi, change: Change, secrets: Sequence[str]) -> str:
    """Write one change; why it could not be, or nothing."""
    root = change.kind.path(api.profile.api)
    one = f"{root}/{quoted(change.key)}"
    changed = one + change.kind.query(change.key, api.profile.api)
    body = None if change.action == "delete" else change.kind.body(change.key, change.fields, change.live)
    method, path = {"create": ("POST", root), "update": ("PATCH", changed), "delete": ("DELETE", one)}[change.action]
    try:
        api.ask(method, path, body)
    except AirflowError as error:
        return scrubbed(error.detail or f"Airflow answered with status {error.status}", secrets)
    except DataOpsError as error:
        return scrubbed(error.what, secrets)
    return ""


def quoted(key: str) -> str:
    """A key as a part of a path. Keys of variables may hold slashes, which Airflow takes as they are."""
    return quote(key, safe="/")


def memory(request: Request, marks: Marks) -> Manifest:
    """The Secret that remembers what was written; it belongs to the service and goes with it."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": names.objects(request.name),
            "namespace": request.namespace,
            "labels": labels(SERVICE, request.name, request.manager, "objects"),
        },
        "type": "Opaque",
        "stringData": {MARKS: json.dumps(marks, sort_keys=True)},
    }
