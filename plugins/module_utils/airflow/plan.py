# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would do, decided before anything is written: look, plan, refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..common import checks, findings, owner, record
from ..common.activity import By, Deed, names_of_changes, this_process
from ..common.cluster import Cluster
from ..common.findings import Finding
from ..common.labels import SERVICE
from ..common.labels import selector as label_selector
from ..errors import ApiError, DataOpsError, Refused, Unauthorized
from ..kube.client import Kube
from ..kube.objects import Manifest, Ref, index, ref_of
from ..kube.plan import Change, plan_apply, plan_prune
from ..kube.verdicts import VERDICTS
from . import authorities, autoscaling, inheritance, manifests, names, pieces, references, rights, stores, upgrade
from .git import check, commit
from .git.credentials import Given
from .manifests import KEPT_KINDS, KINDS, Stages
from .monitoring import prometheus
from .preflight.look import look as look_around
from .secrets import Secrets, provide
from .spec import NESTED, ServiceSpec
from .standing import Standing, standing
from .task_trial import try_task_pod
from .uploads.spec import Uploads, of_service
from .versions import UPGRADES

Live = dict[Ref, Manifest]
WORKLOADS = frozenset({"Deployment", "StatefulSet", "Job"})
# Stands in for what a Manager that only check mode has seen will pass on.
DOMAIN_NOT_KNOWN_YET = "domain-of-the-manager"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a door hands over. ``options`` holds only what was asked for; passwords travel beside it, never in it."""

    name: str
    manager: str
    namespace: str
    options: Mapping[str, Any]
    account_password: str | None = None
    git: Given = field(default_factory=Given)
    wait_for_commit: bool | str = False
    # present, stopped or restarted
    state: str = "present"
    check_mode: bool = False
    force: bool = False
    preflight: bool = True
    # What the Manager would publish, to be tried; None for what it has published.
    uploads: Uploads | None = None
    wait: bool = True
    timeout: float = 600
    by: By = field(default_factory=this_process)


@dataclass(frozen=True)
class Plan:
    """Everything decided, nothing written yet."""

    request: Request
    spec: ServiceSpec
    secrets: Secrets
    stages: Stages
    changes: tuple[Change, ...]
    live: Live
    replaced_jobs: tuple[Ref, ...]
    git_untried: bool
    untried_stores: tuple[str, ...]
    before: Standing | None
    restarts: tuple[Ref, ...]
    warnings: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def not_checked(self) -> tuple[str, ...]:
        return findings.skipped(self.findings)

    @property
    def restarted(self) -> tuple[str, ...]:
        """Components whose running pods are replaced, in the order in which they are named everywhere."""
        if not (self.before and self.before.runs and self.spec.running):
            return ()
        components = manifests.names_by_component(self.stages.components)
        rolled = {change.ref.name for change in self.changes if change.action == "update" and change.rolls}
        database = ("database",) if names.database(self.spec.name) in rolled else ()
        return (*database, *(part for name, part in components.items() if name in rolled))

    @property
    def upgrades(self) -> bool:
        return self.before is not None and self.before.version != self.spec.version

    @property
    def migration_began(self) -> bool:
        """By an earlier run that did not live to see its end."""
        return any(ref_of(job) in self.live for job in self.stages.migration)

    @property
    def started_before(self) -> tuple[Manifest, ...]:
        """Components that an earlier run of the same upgrade, which was killed, had given their new form."""
        touched = {change.ref for change in self.changes}
        deployments = [item for item in self.stages.components if item["kind"] == "Deployment"]
        return tuple(item for item in deployments if ref_of(item) in self.live and ref_of(item) not in touched)

    @property
    def ending_executors(self) -> tuple[str, ...]:
        """Executors whose tasks must have ended before anything is changed."""
        if self.before is None or not self.before.runs:
            return ()
        if self.upgrades or not self.spec.running:
            return self.before.executors
        return tuple(name for name in self.before.executors if name not in self.spec.executors)

    @property
    def deed(self) -> Deed:
        """As the activity tells it."""
        written = Ref("ConfigMap", names.record(self.spec.name), self.spec.namespace)
        after = next((item for item in self.stages.foundation if ref_of(item) == written), None)
        return Deed(
            by=self.request.by,
            target=f"service {self.spec.name}",
            verb=self.verb,
            options=tuple(names_of_changes(record.read(self.live.get(written)), record.read(after))),
            changes=self.changes,
            restarted=self.restarted,
        )

    @property
    def verb(self) -> str:
        if self.before is None:
            return "create"
        if self.upgrades:
            return "upgrade"
        if self.before.runs != self.spec.running:
            return "start" if self.spec.running else "stop"
        return "restart" if self.restarts else "change"

    def unready(self, stage: Sequence[Manifest]) -> list[Ref]:
        """Workloads to wait for: what this run changes, and what an earlier, killed run left unfinished."""
        touched = {change.ref for change in self.changes}
        refs = [ref_of(item) for item in stage if item["kind"] in WORKLOADS]
        return [ref for ref in refs if ref in touched or not is_ready(self.live.get(ref))]

    def of(self, stage: Sequence[Manifest]) -> list[Change]:
        wanted = {ref_of(manifest) for manifest in stage}
        return [change for change in self.changes if change.ref in wanted]


def read_live(kube: Kube, namespace: str, name: str) -> Live:
    """All objects of a service: one LIST per kind, at once."""
    live = index(kube.list_all(KINDS, namespace, labels=label_selector(SERVICE, name)))
    if Ref("Deployment", names.component(name, "worker"), namespace) in live:
        live |= index(autoscaling.of_keda(kube, namespace, name))
    if Ref("Service", names.metrics(name), namespace) in live:
        live |= index(prometheus.of_service(kube, namespace, name))
    return live


def make_plan(kube: Kube, request: Request) -> Plan:
    """:raises DataOpsError: with all reasons why it cannot be done, as far as they are known before the first write."""
    plan, problem = examined(kube, request)
    error: DataOpsError | None = findings.as_error(plan.findings)
    if problem:
        error = findings.as_error([findings.of_error("objects", problem), *plan.findings]) if error else problem
    if error:
        raise error
    return plan


def examined(kube: Kube, request: Request) -> tuple[Plan, DataOpsError | None]:
    """The plan with what was found about it, and why the API server would not take its objects."""
    live, manager, uploads = look(kube, request)
    warnings: list[str] = []
    inherited = owner.inherited(manager)
    missing_namespace = False
    if manager is None:
        what = f"Manager '{request.manager}' does not exist in namespace {request.namespace}"
        if not request.check_mode:
            raise Refused(what, where="manager", next_step="Create it first with scp.dataops.dataops_manager")
        warnings.append(f"{what}; this is what would happen once it does. What it passes on is not known yet.")
        inherited = {"domain": DOMAIN_NOT_KNOWN_YET}
        missing_namespace = kube.get("Namespace", request.namespace) is None
    recorded = record.read(live.get(Ref("ConfigMap", names.record(request.name), request.namespace)))
    options = record.merged(recorded, request.options, nested=NESTED)
    spec = settled(request, options, inherited, live)
    cluster = Cluster(kube, request.namespace, spec.placement.node_selector)
    spec = with_ingress_class(cluster, spec, live)
    before = standing(live, request.name, request.namespace)
    spec = replace(spec, running=request.state != "stopped", uploads=uploads)
    refuse_impossible(request, spec, before)
    stores.stays(spec, live)
    stores.broker_stays(spec, live)
    logins = references.not_known_yet(spec) if missing_namespace else references.logins(kube, spec)
    secrets = provide(
        spec,
        live,
        logins=logins,
        account_password=request.account_password,
        git=request.git,
    )
    if not missing_namespace:
        with inheritance.told_as_default(inherited, options, request.manager):
            secrets = replace(secrets, named=references.named(kube, spec))
    warnings += authorities.expired(spec.placement.ca_certificates, kube.now())
    keys_belong_to_data(spec, live)
    commit.possible(request.wait_for_commit, spec.git_sync)
    stages = manifests.render(spec, secrets, options)
    if before and before.version != spec.version and spec.database.embedded:
        stages = replace(stages, foundation=[*stages.foundation, upgrade.copies(spec)])
    if told := prometheus.manifests(spec):
        if prometheus.offered(kube, spec.namespace):
            stages = replace(stages, components=[*stages.components, *told])
        else:
            warnings.append(prometheus.LEFT_OUT)
    if not spec.running:
        # They need a database or room; the next start brings them.
        stages = replace(stages, files=[], migration=[], account=[])
    replaced_jobs = jobs_to_replace(stages, live)
    problem: ApiError | Refused | None = None
    try:
        changes = plan_changes(kube, request, spec, stages, live, replaced_jobs, missing_namespace=missing_namespace)
    except Unauthorized:
        raise
    except (ApiError, Refused) as error:
        # The rest is looked at all the same, so that everything can be put right at once.
        problem = error
        changes = [Change("create", ref, desired=item) for ref, item in index(stages.all).items() if ref not in live]
    restarts = to_restart(request, spec, before, stages, changes)
    changes += [Change("update", ref, rolls=True) for ref in restarts]
    real = tuple(change for change in changes if change.action != "keep")
    found = look_around(cluster, spec, real, missing_namespace=missing_namespace) if request.preflight and real else []
    plan = Plan(
        request=request,
        spec=spec,
        secrets=secrets,
        stages=stages,
        changes=real,
        live=live,
        replaced_jobs=replaced_jobs,
        git_untried=check.untried(spec, secrets, recorded, live),
        untried_stores=stores.untried(spec, secrets, live, real, before=recorded, after=options),
        before=before,
        restarts=restarts,
        warnings=(*warnings, *(str(finding) for finding in found if finding.status == "warning")),
        findings=tuple(found),
    )
    return plan, problem


def plan_changes(
    kube: Kube,
    request: Request,
    spec: ServiceSpec,
    stages: Stages,
    live: Live,
    replaced_jobs: Sequence[Ref],
    *,
    missing_namespace: bool,
) -> list[Change]:
    anew = [item for item in stages.all if ref_of(item) in replaced_jobs]
    others = [item for item in stages.all if ref_of(item) not in replaced_jobs]
    back = autoscaling.worker(spec) if autoscaling.taken_back(spec, live) else ""
    scaled = [item for item in others if (item["kind"], item["metadata"]["name"]) == ("Deployment", back)]
    others = [item for item in others if item not in scaled]
    autoscaling.needs_keda(kube, spec)
    with rights.explained(kube, request.namespace):
        changes = [
            *plan_apply(kube, others, live, force=request.force, missing_namespace=missing_namespace),
            # The number of workers was an autoscaler's, and is ours again.
            *plan_apply(kube, scaled, live, force=True, missing_namespace=missing_namespace),
            # Not by dry run: that would ask to change the Job that is there, and no Job can be changed.
            *plan_apply(kube, anew, {}, missing_namespace=True),
            *plan_prune(prunable(spec, live), stages.all, kinds={*KINDS, *autoscaling.KINDS, *prometheus.KINDS}),
        ]
        config = Ref("ConfigMap", names.config(spec.name), spec.namespace)
        if not missing_namespace and any(change.ref == config and change.action != "keep" for change in changes):
            try_task_pod(kube, spec)
    return changes


def look(kube: Kube, request: Request) -> tuple[Live, Manifest | None, Uploads]:
    """The service's objects, its Manager's record, and the uploaded files that it uses."""
    with rights.explained(kube, request.namespace):
        manager, published = owner.find_with_published(kube, request.namespace, request.manager)
        uploads = request.uploads or of_service(published, request.name)
        return read_live(kube, request.namespace, request.name), manager, uploads


def jobs_to_replace(stages: Stages, live: Live) -> tuple[Ref, ...]:
    """Jobs that failed, and those that never ended and would be made otherwise now, such as one too large to start."""
    wanted = {ref: pieces.pod_hash(item) for ref, item in index(stages.all).items() if ref.kind == "Job"}

    def is_dead(ref: Ref, job: Manifest) -> bool:
        state = VERDICTS["Job"](job).state
        otherwise = ref in wanted and pieces.pod_hash(job) != wanted[ref]
        return state == "failed" or (state == "waiting" and otherwise)

    return tuple(ref for ref, item in live.items() if ref.kind == "Job" and is_dead(ref, item))


def prunable(spec: ServiceSpec, live: Live) -> list[Manifest]:
    """What may go when it is no longer rendered: never data and keys, but what served its time."""
    passing = {
        names.git(spec.name),
        names.git_check(spec.name),
        names.store_check(spec.name),
        names.former(spec.name),
    }
    # Jobs tell that the database is ready for use; a stopped service is not asked to make them.
    kept = KEPT_KINDS if spec.running else KEPT_KINDS | {"Job"}
    return [item for ref, item in live.items() if ref.kind not in kept or ref.name in passing]


def refuse_impossible(request: Request, spec: ServiceSpec, before: Standing | None) -> None:
    """What the service that stands cannot become."""
    if before is None:
        if not spec.running:
            raise Refused("it does not exist", where=f"service {spec.name}", next_step="Create it with state: present")
        return
    if spec.version == before.version:
        return
    if spec.version not in UPGRADES.get(before.version, ()):
        ways = ", ".join(UPGRADES.get(before.version, ()))
        raise Refused(
            f"Airflow {before.version} cannot become {spec.version}",
            where="version",
            next_step=f"It can be upgraded to {ways}" if ways else "Leave it out; no newer version is supported yet",
        )
    if not spec.running:
        raise Refused(
            f"an upgrade from {before.version} to {spec.version} has to start the service",
            where="version",
            next_step="Use state: present, and stop the service afterwards",
        )


def to_restart(
    request: Request, spec: ServiceSpec, before: Standing | None, stages: Stages, changes: Sequence[Change]
) -> tuple[Ref, ...]:
    """Components that were asked to restart and do not get new pods by this run anyway."""
    if request.state != "restarted" or before is None or not before.runs:
        return ()
    renewed = {change.ref for change in changes if change.action == "create" or change.rolls}
    deployments = [ref_of(item) for item in stages.components if item["kind"] == "Deployment"]
    return tuple(ref for ref in deployments if ref not in renewed)


def settled(request: Request, options: Mapping[str, Any], inherited: Mapping[str, Any], live: Live) -> ServiceSpec:
    """The spec, with what an existing service can no longer choose taken from the cluster."""
    effective = inheritance.effective(inherited, options)
    before = standing(live, request.name, request.namespace)
    if before is not None:
        # Neither a Manager nor a release of the collection with a newer default upgrades it: only its own option does.
        effective["version"] = options.get("version", before.version)
    name, manager, namespace = request.name, request.manager, request.namespace
    with inheritance.told_as_default(inherited, options, manager):
        spec = ServiceSpec.from_options(effective, name=name, manager=manager, namespace=namespace)
    # An external database has no volume.
    volumes = [names.database(request.name), names.logs(request.name)]
    claims = [live.get(Ref("PersistentVolumeClaim", volume, request.namespace)) for volume in volumes]
    claim = next((found for found in claims if found), None)
    if claim is not None:
        existing = claim["spec"].get("storageClassName", "")
        if request.options.get("storage_class", existing) != existing:
            raise Refused(
                f"the volumes of '{request.name}' have class '{existing}', which cannot be changed to "
                f"'{request.options['storage_class']}'",
                where="storage_class",
                next_step="Leave it out, or remove the service with purge and create it anew",
            )
        if request.options.get("storage_size"):
            checks.grows(claim, spec.storage_size)
        # No volume shrinks, and not every one grows: only who asks for another size gets one.
        size = spec.storage_size if options.get("storage_size") else claim["spec"]["resources"]["requests"]["storage"]
        spec = replace(spec, storage_class=existing, storage_size=size)
    ingress = live.get(Ref("Ingress", request.name, request.namespace))
    if ingress is not None and not spec.ingress_class:
        spec = replace(spec, ingress_class=ingress["spec"].get("ingressClassName") or "")
    return spec


def with_ingress_class(cluster: Cluster, spec: ServiceSpec, live: Live) -> ServiceSpec:
    """An Ingress yet to be made names the class of the only controller, unless one was asked for."""
    if spec.ingress_class or Ref("Ingress", spec.name, spec.namespace) in live:
        return spec
    return replace(spec, ingress_class=checks.only_ingress_class(cluster))


def keys_belong_to_data(spec: ServiceSpec, live: Live) -> None:
    """A database volume without its Secret cannot be opened by a new password; better to say so than to wait for it."""
    claim = Ref("PersistentVolumeClaim", names.database(spec.name), spec.namespace)
    for secret in (names.database(spec.name), names.keys(spec.name)):
        if claim in live and Ref("Secret", secret, spec.namespace) not in live:
            raise Refused(
                f"the volume of an earlier '{spec.name}' is there, but its Secret {secret} is not",
                where=str(claim),
                next_step="Restore the Secret, or remove the volume with state: absent and purge: true",
            )


def is_ready(manifest: Manifest | None) -> bool:
    return manifest is not None and VERDICTS[manifest["kind"]](manifest).state == "ready"
