# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out a plan, in the order that keeps tasks alive.

The repository is tried first, the database is migrated before any component starts, and what is no longer wanted goes
last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from ..common import findings
from ..common.deadline import Deadline
from ..common.labels import SERVICE
from ..common.labels import selector as label_selector
from ..common.outcome import Timeline
from ..errors import ApiError, DataOpsError, NotReady, Refused
from ..kube.client import Kube
from ..kube.deletion import delete_all
from ..kube.objects import Ref, ref_of
from ..kube.plan import Change, carry_out
from ..kube.wait import wait_ready
from . import autoscaling, drain, former, image_check, inside, names, naming, stores, upgrade
from .api import AirflowApi
from .git import check, commit
from .inside import Wait
from .plan import Plan, Request
from .secrets import decoded
from .spec import ServiceSpec
from .standing import Standing
from .uploads.proof import prove
from .versions import profile

STORES = ("database", "broker")
HEALTH_POLL_SECONDS = 1.0
# For the way back, whatever is left of the run's own time.
GO_BACK_SECONDS = 300
RESTARTED_AT = "scp.dataops/restarted-at"


def act(kube: Kube, request: Request, plan: Plan, progress: Timeline, deadline: Deadline) -> None:
    left = deadline.left
    wait = waiting(kube, request, progress, left)
    commits = try_out(kube, request, plan, progress, wait) if plan.spec.running else {}
    prove(kube, plan, progress, wait, left)
    if plan.before and plan.ending_executors:
        # Tasks have a time limit of their own.
        with deadline.stopped():
            end_tasks(kube, plan, plan.before, progress)
    if not plan.spec.running:
        stop(kube, request, plan, progress)
        return
    if plan.before and plan.upgrades:
        upgrade_and_start(kube, request, plan, plan.before, progress, wait, left)
    else:
        lay_foundation(kube, request, plan, left)
        run_jobs(kube, request, plan, wait)
        start_components(kube, request, plan, progress, wait, left)
    carry_out(kube, [change for change in plan.changes if change.action == "delete"])
    if request.wait_for_commit and plan.spec.git_sync:
        api = AirflowApi(kube, plan.spec.namespace, plan.spec.name, plan.spec.profile, plan.secrets.account)
        wanted = commit.wanted(request.wait_for_commit, commits)
        commit.wait(kube, plan.spec, plan.spec.git_sync, api, wanted, progress, left)


def waiting(kube: Kube, request: Request, progress: Timeline, left: Callable[[], float]) -> Wait:
    selector, called = label_selector(SERVICE, request.name), naming.called(request.name)

    def wait(targets: Sequence[Ref]) -> None:
        if targets:
            wait_ready(
                kube, request.namespace, targets, labels=selector, timeout=left(), say=progress.say, called=called
            )

    return wait


def prove_only(kube: Kube, request: Request, plan: Plan, progress: Timeline, deadline: Deadline) -> None:
    """Try uploaded files and touch nothing else. Of a trial that fails nothing is left."""
    wait = waiting(kube, request, progress, deadline.left)
    tried = plan.unready(plan.stages.files)
    try:
        prove(kube, plan, progress, wait, deadline.left)
    except DataOpsError:
        delete_all(kube, tried, timeout=inside.REMOVAL_SECONDS)
        raise


def lay_foundation(kube: Kube, request: Request, plan: Plan, left: Callable[[], float]) -> None:
    tried = {ref_of(item) for item in plan.stages.files}
    if doomed := [ref for ref in plan.replaced_jobs if ref not in tried]:
        delete_all(kube, doomed, timeout=left())
    carry_out(kube, plan.of(plan.stages.foundation), force=request.force)


def upgrade_and_start(
    kube: Kube,
    request: Request,
    plan: Plan,
    before: Standing,
    progress: Timeline,
    wait: Wait,
    left: Callable[[], float],
) -> None:
    """Nothing of either version runs while the database is copied and migrated; what fails is taken back."""
    spec = plan.spec
    drain.halt(kube, spec.name, spec.namespace, drain.components(plan.live), timeout=drain.HALT_SECONDS)
    progress.say(f"Airflow {before.version} has stopped")
    before_it = former.remember(kube, spec, before.version, plan.stages, plan.changes, plan.live)
    copied = False
    try:
        lay_foundation(kube, request, plan, left)
        if spec.database.embedded:
            wait([Ref("StatefulSet", names.database(spec.name), spec.namespace)])
            # A migration that began is a reason to keep the copy from before it.
            if not plan.migration_began:
                upgrade.make_copy(kube, spec, before.version, wait, progress)
            copied = True
        run_jobs(kube, request, plan, wait)
        unhalt(kube, plan)
        start_components(kube, request, plan, progress, wait, left)
        if request.wait and plan.started_before:
            wait([ref_of(item) for item in plan.started_before])
            wait_healthy(kube, spec, progress, left)
    except (ApiError, NotReady, Refused) as error:
        where = f"upgrade of service {spec.name} to Airflow {spec.version}"
        if not spec.database.embedded:
            raise NotReady(
                error.what,
                where=where,
                next_step=f"Correct it and run this again; or put back your own copy of the database and ask for "
                f"version: '{before.version}'",
            ) from error
        selector = label_selector(SERVICE, spec.name)

        def wait_back(targets: Sequence[Ref]) -> None:
            wait_ready(kube, spec.namespace, targets, labels=selector, timeout=GO_BACK_SECONDS, say=progress.say)

        upgrade.go_back(
            kube,
            spec,
            before.version,
            before_it,
            before_it.new(plan.stages),
            drain.components(plan.live),
            copied=copied,
            wait=wait_back,
            progress=progress,
        )
        former.forget(kube, spec)
        raise NotReady(
            f"{error.what} (Airflow {before.version} runs again, with its database as it was)",
            where=where,
            next_step=error.next_step,
        ) from error
    former.forget(kube, spec)


def unhalt(kube: Kube, plan: Plan) -> None:
    """Components that an earlier, killed run had started already: nothing else would give them their pods back."""
    for item in plan.started_before:
        drain.scale(kube, item["metadata"]["name"], plan.spec.namespace, item["spec"].get("replicas", 1))


def try_out(kube: Kube, request: Request, plan: Plan, progress: Timeline, wait: Wait) -> Mapping[str, str]:
    """Use from inside the cluster what is new and not ours, before anything of the service changes.

    The result is the commit that each repository's ref stands for, if that was asked.
    """
    commits: Mapping[str, str] = {}
    if plan.changes and image_check.needed(plan.spec, plan.live):
        image_check.try_image(kube, plan.spec, progress, wait)
    if (plan.changes and plan.git_untried) or request.wait_for_commit is True:
        commits = check.carry_out(kube, plan.spec, plan.secrets, wait, progress)
    if plan.changes and plan.untried_stores:
        try_stores(kube, plan, progress, wait)
    return commits


def run_jobs(kube: Kube, request: Request, plan: Plan, wait: Wait) -> None:
    for stage in (plan.stages.migration, plan.stages.account):
        if jobs := plan.unready(stage):
            wait(plan.unready(plan.stages.foundation))
            carry_out(kube, plan.of(stage), force=request.force)
            wait(jobs)


def start_components(
    kube: Kube, request: Request, plan: Plan, progress: Timeline, wait: Wait, left: Callable[[], float]
) -> None:
    if request.wait:
        # A component whose database is away crashes; that would be told instead of why the database is away.
        wait(plan.unready(plan.stages.foundation))
    # One that goes would still have its say on the number of workers that we are about to write.
    carry_out(kube, [change for change in plan.changes if gone_autoscaler(change)])
    autoscaling.hand_over(kube, plan.spec, plan.live)
    carry_out(kube, plan.of(plan.stages.components), force=request.force)
    restart(kube, plan.restarts)
    if request.wait:
        wait(plan.unready(plan.stages.components))
        if plan.unready([*plan.stages.foundation, *plan.stages.components]):
            wait_healthy(kube, plan.spec, progress, left)


def gone_autoscaler(change: Change) -> bool:
    return change.action == "delete" and change.ref.kind in autoscaling.KINDS


def try_stores(kube: Kube, plan: Plan, progress: Timeline, wait: Wait) -> None:
    """Connect to external stores inside the cluster, with the new addresses, before anything of the service changes."""
    keys = Ref("Secret", names.keys(plan.spec.name), plan.spec.namespace)
    found = stores.check(kube, plan.spec, plan.secrets, plan.untried_stores, wait, keys_are_new=keys not in plan.live)
    if error := findings.as_error(found):
        raise error
    for finding in found:
        progress.say(f"{finding.check}: {finding.found}")


def restart(kube: Kube, deployments: Sequence[Ref]) -> None:
    """New pods for these, the old ones going when the new ones are ready.

    Not as a part of what is applied: applying without it would take it back, which would be one more restart.
    """
    marked = {"metadata": {"annotations": {RESTARTED_AT: kube.now().isoformat()}}}
    kube.each(lambda ref: kube.patch(ref.kind, ref.name, ref.namespace, {"spec": {"template": marked}}), deployments)


def end_tasks(kube: Kube, plan: Plan, before: Standing, progress: Timeline) -> None:
    """Wait until no task needs an executor that goes, or a part of the service that stops."""
    spec = plan.spec
    scheduler = plan.live[Ref("Deployment", names.component(spec.name, "scheduler"), spec.namespace)]
    account = decoded(plan.live.get(Ref("Secret", names.account(spec.name), spec.namespace)))
    api = AirflowApi(kube, spec.namespace, spec.name, profile(before.version), account)
    drain.drain(kube, api, scheduler, before, plan.ending_executors, spec.drain_timeout, progress)


def stop(kube: Kube, request: Request, plan: Plan, progress: Timeline) -> None:
    """Components first, then what they stand on."""
    spec = plan.spec
    carry_out(kube, plan.of(plan.stages.components), force=request.force)
    if plan.changes:
        # Pods that end are no part of any Deployment's state, so they are waited for themselves.
        timeout = drain.HALT_SECONDS + spec.drain_timeout
        drain.halt(kube, spec.name, spec.namespace, drain.components(plan.live), timeout=timeout)
        progress.say("all components have stopped")
    carry_out(kube, plan.of(plan.stages.foundation), force=request.force)
    if plan.changes:
        drain.end_pods(kube, spec.name, spec.namespace, STORES, timeout=drain.HALT_SECONDS)
    carry_out(kube, [change for change in plan.changes if change.action == "delete"])


def wait_healthy(kube: Kube, spec: ServiceSpec, progress: Timeline, left: Callable[[], float]) -> None:
    """Until Airflow itself says that every part sends its heartbeat."""
    api = AirflowApi(kube, spec.namespace, spec.name, spec.profile)
    wanted = {component.health_key for component in spec.components if component.health_key}
    selector = label_selector(SERVICE, spec.name)
    said = ""
    while True:
        health = api.health()
        ailing = sorted(key for key in wanted if health.get(key) != "healthy")
        if not ailing:
            progress.say("Airflow is healthy")
            return
        line = f"Airflow waits for {', '.join(ailing)}"
        if line != said:
            progress.say(line)
            said = line
        if left() <= 1.0:
            raise NotReady(
                f"not healthy in time: {', '.join(ailing)}",
                where=f"service {spec.name}",
                next_step=f"Look at the logs: kubectl -n {spec.namespace} logs -l {selector} --tail=50",
            )
        time.sleep(HEALTH_POLL_SECONDS)
