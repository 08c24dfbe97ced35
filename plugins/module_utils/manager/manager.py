# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, change and remove a Data Ops Manager: a namespace, account, shared volume, console and settings."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from ..airflow import references
from ..airflow.secrets import decoded, new_password
from ..common import activity, checks, findings, lock, owner, record
from ..common import validation as check
from ..common.activity import By, this_process
from ..common.cluster import Cluster
from ..common.findings import Finding
from ..common.labels import INSTANCE, MANAGED, MANAGED_BY, MANAGER, services_selector
from ..common.labels import selector as label_selector
from ..common.outcome import Outcome, Timeline
from ..errors import Forbidden, Refused
from ..kube.client import Kube
from ..kube.deletion import delete_all
from ..kube.lease import Lease
from ..kube.objects import Manifest, Ref, index, ref_of
from ..kube.plan import Change, carry_out, plan_apply, plan_prune
from ..kube.wait import wait_ready
from . import application, manifests, names, rights, status
from .effects import DEFAULTS, refuse_what_services_cannot_take
from .manifests import ENGINE_TOKEN, KEPT_KINDS, KINDS, SESSION_KEY
from .spec import NESTED, ManagerSpec

Live = dict[Ref, Manifest]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a door hands over. ``options`` holds only what was asked for; the password travels beside it."""

    name: str
    namespace: str
    options: Mapping[str, Any]
    account_password: str | None = None
    # The console's application; None keeps the one that is there.
    application: bytes | None = None
    check_mode: bool = False
    force: bool = False
    wait: bool = True
    timeout: float = 600
    by: By = field(default_factory=this_process)


def read_live(kube: Kube, namespace: str, name: str) -> Live:
    return index(kube.list_all(KINDS, namespace, labels=label_selector(MANAGER, name)))


@dataclass(frozen=True)
class Plan:
    """Everything decided, nothing written yet."""

    spec: ManagerSpec
    live: Live
    changes: tuple[Change, ...]
    not_checked: tuple[str, ...]


def apply(kube: Kube, request: Request, timeline: Timeline | None = None) -> Outcome:
    """Bring the Manager to what was asked; in check mode only say what that would do."""
    progress = timeline or Timeline()
    plan = make_plan(kube, request)
    if plan.changes and not request.check_mode:
        plan = carried_out(kube, request, plan, progress)
    if request.wait and not request.check_mode:
        wait_for_console(kube, plan.spec, request, progress)
    same = request.check_mode or (not plan.changes and status.is_running(plan.spec, plan.live))
    after = plan.live if same else read_live(kube, request.namespace, request.name)
    return Outcome(
        changes=plan.changes,
        details=status.describe(plan.spec, after),
        restarted=("console",) if any(change.rolls for change in plan.changes) else (),
        not_checked=plan.not_checked,
        timeline=tuple(progress.lines),
    )


def carried_out(kube: Kube, request: Request, plan: Plan, progress: Timeline) -> Plan:
    """Write, alone; the plan that was carried out: another one if another run changed the Manager in between."""
    # The lock has its place in the namespace.
    first = tuple(c for c in plan.changes if c.ref.kind == "Namespace" and c.action == "create")
    carry_out(kube, first)
    with rights.explained(kube, request.namespace), alone(kube, request, progress):
        found = read_live(kube, request.namespace, request.name)
        current = plan if lock.picture(found) == lock.picture(plan.live) else make_plan(kube, request)
        rest = tuple(change for change in current.changes if change not in first)
        with activity.told(kube, request.namespace, deed(request, current)):
            carry_out(kube, rest, force=request.force)
    return replace(current, changes=(*first, *rest))


def deed(request: Request, plan: Plan) -> activity.Deed:
    recorded = Ref("ConfigMap", owner.RECORD, request.namespace)
    after = next((change.desired for change in plan.changes if change.ref == recorded), plan.live.get(recorded))
    return activity.Deed(
        by=request.by,
        target=f"Manager {request.name}",
        verb="change" if recorded in plan.live else "create",
        options=tuple(activity.names_of_changes(record.read(plan.live.get(recorded)), record.read(after))),
        changes=plan.changes,
    )


def make_plan(kube: Kube, request: Request) -> Plan:
    with rights.explained(kube, request.namespace):
        owner.find(kube, request.namespace, request.name)
        live = read_live(kube, request.namespace, request.name)
        namespace = existing_namespace(kube, request.namespace)
    recorded = record.read(live.get(Ref("ConfigMap", owner.RECORD, request.namespace)))
    options = record.merged(recorded, request.options, nested=NESTED)
    spec = with_ingress_class(kube, settled(request, options, live), live)
    if recorded:
        refuse_what_services_cannot_take(kube, request.namespace, request.name, recorded, options)
    packed = application.chosen(request.application, live.get(Ref("ConfigMap", names.CONSOLE, request.namespace)))
    made = manifests.Secrets(account_values(spec, live, request), keys(spec, live))
    granted = rights.of_console(request.namespace)
    wanted = [*wanted_namespace(spec, namespace), *manifests.render(spec, made, packed, granted, options)]
    known = {**live, **(index([namespace]) if namespace else {})}
    with rights.explained(kube, request.namespace):
        planned = plan_apply(kube, wanted, known, force=request.force, missing_namespace=namespace is None)
    changes = tuple(change for change in planned if change.action != "keep")
    found = look_around(kube, spec, live, exists=namespace is not None) if changes else []
    if error := findings.as_error(found):
        raise error
    return Plan(spec=spec, live=live, changes=changes, not_checked=findings.skipped(found))


def alone(kube: Kube, request: Request, progress: Timeline) -> AbstractContextManager[Lease]:
    name, place = request.name, request.namespace
    return lock.alone(kube, MANAGER, name, name, place, name=names.LOCK, say=progress.say)


def existing_namespace(kube: Kube, name: str) -> Manifest | None:
    """Who may not read namespaces was given one that exists: it is taken as it is."""
    try:
        return kube.get("Namespace", name)
    except Forbidden:
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def wanted_namespace(spec: ManagerSpec, found: Manifest | None) -> list[Manifest]:
    """A namespace that somebody else made is used but never changed."""
    ours = manifests.namespace(spec)
    return [ours] if found is None or is_ours(found, spec.name) else []


def is_ours(item: Manifest, manager: str) -> bool:
    marks = item["metadata"].get("labels") or {}
    return bool(marks.get(MANAGED) == MANAGED_BY and marks.get(INSTANCE) == manager)


def account_values(spec: ManagerSpec, live: Live, request: Request) -> dict[str, str]:
    """Made once, kept for ever, changed only by a password given now."""
    existing = decoded(live.get(Ref("Secret", names.ACCOUNT, spec.namespace)))
    if request.account_password is not None:
        existing["password"] = check.password(request.account_password, "account.password")
    return {"password": new_password(), **existing, "id": spec.account_id}


def keys(spec: ManagerSpec, live: Live) -> dict[str, str]:
    """Made once, kept for ever."""
    existing = decoded(live.get(Ref("Secret", names.KEYS, spec.namespace)))
    return {**{name: secrets.token_urlsafe(32) for name in (SESSION_KEY, ENGINE_TOKEN)}, **existing}


def settled(request: Request, options: Mapping[str, Any], live: Live) -> ManagerSpec:
    """The spec, with what is there: class of the Ingress, class and size of a volume, which can no longer be chosen."""
    spec = ManagerSpec.from_options(options, name=request.name, namespace=request.namespace)
    ingress = live.get(Ref("Ingress", names.CONSOLE, request.namespace))
    if ingress is not None and not spec.ingress_class:
        spec = replace(spec, ingress_class=ingress["spec"].get("ingressClassName") or "")
    claim = live.get(Ref("PersistentVolumeClaim", names.FILES, request.namespace))
    if claim is None:
        return spec
    existing = claim["spec"].get("storageClassName", "")
    if request.options.get("storage_class", existing) != existing:
        raise Refused(
            f"the volume of '{request.name}' has class '{existing}', which cannot be changed to "
            f"'{request.options['storage_class']}'",
            where="storage_class",
            next_step="Leave it out, or remove the Manager with purge and create it anew",
        )
    if request.options.get("storage_size"):
        checks.grows(claim, spec.storage_size)
    # No volume shrinks: who does not ask for a size any more keeps the one that is there.
    size = spec.storage_size if options.get("storage_size") else claim["spec"]["resources"]["requests"]["storage"]
    return replace(spec, storage_class=existing, storage_size=size)


def with_ingress_class(kube: Kube, spec: ManagerSpec, live: Live) -> ManagerSpec:
    """An Ingress yet to be made names the class of the only controller, unless one was asked for."""
    if spec.ingress_class or Ref("Ingress", names.CONSOLE, spec.namespace) in live:
        return spec
    return replace(spec, ingress_class=checks.only_ingress_class(Cluster(kube, spec.namespace)))


def look_around(kube: Kube, spec: ManagerSpec, live: Live, *, exists: bool) -> list[Finding]:
    """What a Manager, and a service with its default settings, find in the cluster.

    :param exists: whether there is a namespace in which something could be.
    """
    own = Cluster(kube, spec.namespace, spec.node_selector)
    passed_on = Cluster(kube, spec.namespace, spec.default_settings.get("node_selector", {}))
    has_volume = any(ref.kind == "PersistentVolumeClaim" for ref in live)
    default_class = spec.default_settings.get("storage_class")
    own.read(["IngressClass", "Ingress", *([] if has_volume and default_class is None else ["StorageClass"])])
    return [
        *checks.node_selector(own),
        *checks.ingress_class(own, spec.ingress_class),
        *(references.certificate(own, spec.tls_secret) if spec.tls_secret and exists else []),
        *checks.host(own, spec.host, (spec.namespace, names.CONSOLE)),
        *([] if has_volume else checks.storage_class(own, spec.storage_class)),
        *of_defaults([] if default_class is None else checks.storage_class(own, default_class)),
        *of_defaults(checks.node_selector(passed_on)),
    ]


def of_defaults(found: list[Finding]) -> list[Finding]:
    """The Manager has options of the same names."""
    return [replace(item, option=f"{DEFAULTS}.{item.option}") if item.option else item for item in found]


def wait_for_console(kube: Kube, spec: ManagerSpec, request: Request, progress: Timeline) -> None:
    """The console is ready, and with it the volume for files, which it mounts."""
    volume = Ref("PersistentVolumeClaim", names.FILES, spec.namespace)
    console = Ref("Deployment", names.CONSOLE, spec.namespace)
    called = {volume: "volume for files", console: "console"}
    wait_ready(
        kube,
        spec.namespace,
        list(called),
        labels=label_selector(MANAGER, spec.name),
        timeout=request.timeout,
        say=progress.say,
        called=lambda ref: called[ref],
    )


def services(kube: Kube, namespace: str, manager: str) -> list[Manifest]:
    """Records of the Manager's services."""
    return kube.list("ConfigMap", namespace, labels=services_selector(manager, component="record"))


def remove(kube: Kube, request: Request, *, purge: bool, timeline: Timeline | None = None) -> Outcome:
    """Remove the Manager; refused while it has services. The namespace goes only if it is ours and then empty."""
    progress = timeline or Timeline()
    changes, kept = plan_removal(kube, request, purge=purge)
    if changes and not request.check_mode:
        with rights.explained(kube, request.namespace), alone(kube, request, progress):
            changes, kept = plan_removal(kube, request, purge=purge)
            delete_all(kube, [change.ref for change in changes], timeout=request.timeout)
    details = {"name": request.name, "state": "DELETED"}
    return Outcome(changes=changes, details=details, kept=kept, timeline=tuple(progress.lines))


def plan_removal(kube: Kube, request: Request, *, purge: bool) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """What is to be deleted, and the names of what stays."""
    with rights.explained(kube, request.namespace):
        owner.find(kube, request.namespace, request.name)
        remaining = sorted(
            item["metadata"]["labels"][INSTANCE] for item in services(kube, request.namespace, request.name)
        )
        if remaining:
            raise Refused(
                f"it still has services: {', '.join(remaining)}",
                where=f"Manager {request.name}",
                next_step="Remove them first with scp.dataops.dataops_service and state: absent",
            )
        live = read_live(kube, request.namespace, request.name)
        namespace = existing_namespace(kube, request.namespace)
    doomed = [item for ref, item in live.items() if purge or not is_data(ref)]
    kept = [] if purge else sorted(str(ref) for ref in live if is_data(ref))
    changes = list(plan_prune(doomed, [], kinds=KINDS))
    if namespace is not None and is_ours(namespace, request.name):
        if left_over := foreign(kube, request.namespace, request.name, {ref_of(item) for item in doomed}):
            kept.append(f"Namespace/{request.namespace} (it still holds {', '.join(left_over)})")
        else:
            changes += plan_prune([namespace], [], kinds=("Namespace",))
    return tuple(changes), tuple(kept)


def is_data(ref: Ref) -> bool:
    """Also which of the files on the volume are used: without it the next Manager would have them and use none."""
    return ref.kind in KEPT_KINDS or ref.name == owner.PUBLISHED


# What a person would miss if the namespace went with it.
PRECIOUS = (
    "Deployment",
    "StatefulSet",
    "Job",
    "Pod",
    "Service",
    "Ingress",
    "PersistentVolumeClaim",
    "Secret",
    "ConfigMap",
)
# Kubernetes puts this into every namespace.
BUILT_IN = "kube-root-ca.crt"


def foreign(kube: Kube, namespace: str, manager: str, doomed: set[Ref]) -> list[str]:
    """What is neither to be deleted nor goes with what is."""
    found = {ref_of(item): item for item in kube.list_all(PRECIOUS, namespace, labels="")}
    return sorted(
        str(ref)
        for ref, item in found.items()
        if ref not in doomed and ref.name != BUILT_IN and not (ref.kind == "Pod" and is_ours(item, manager))
    )
