# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole preflight: everything that a change of a service would meet, all reasons at once.

It is the plan of the change itself, so that it cannot say anything else than what the change would; and beside it what
a run takes as it comes: the region, every right, the version of Kubernetes, and trials where they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...common import findings
from ...common.findings import Finding
from ...common.labels import SERVICE
from ...common.labels import selector as label_selector
from ...common.outcome import Timeline
from ...common.regions import region
from ...errors import BadOption, DataOpsError, Forbidden, NotReady, Refused
from ...kube.client import Kube
from ...kube.objects import Ref
from ...kube.rights import Right, missing_rights
from ...kube.wait import wait_ready
from .. import names, references, rights, stores
from ..git import check as git_check
from ..git.credentials import Given
from ..plan import Plan, Request, examined
from . import trials

# Containers that sleep before they end, and drain that way, begin here.
OLDEST_KUBERNETES = (1, 30)
SECRETS = frozenset({"account.password"})


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is asked beside the service itself."""

    region: str = ""
    test_storage: bool = False
    test_images: bool = False
    test_connections: bool = False


@dataclass
class Report:
    findings: list[Finding] = field(default_factory=list)
    timeline: Timeline = field(default_factory=Timeline)

    @property
    def error(self) -> Refused | None:
        return findings.as_error(self.findings)


def preflight(kube: Kube, request: Request, wishes: Wishes) -> Report:
    """Look at everything; what cannot be looked at because of something else is said to be so."""
    report = Report()
    if wishes.region:
        report.findings.append(region(wishes.region))
    report.findings += kubernetes(kube.version())
    lacking = missing(kube, request.namespace)
    report.findings += allowed(lacking, request.namespace)
    plan, of_plan = planned(kube, replace(request, check_mode=True, preflight=True), may_all=not lacking)
    report.findings += of_plan
    report.findings += tried(kube, request, wishes, plan, report.timeline)
    return report


def kubernetes(version: str) -> Iterator[Finding]:
    match = re.match(r"v?(\d+)\.(\d+)", version)
    oldest = ".".join(str(part) for part in OLDEST_KUBERNETES)
    if match and (int(match[1]), int(match[2])) < OLDEST_KUBERNETES:
        yield findings.refused(
            "kubernetes",
            f"Kubernetes {version} is too old",
            allowed=f"{oldest} or newer",
            next_step="Upgrade the cluster",
        )
    else:
        yield findings.ok("kubernetes", version)


def missing(kube: Kube, namespace: str) -> list[Right]:
    """Rights that a run would lack. Who may do everything is found out by one question instead of one per verb."""
    if not missing_rights(kube, [Right("*", "*", "*", namespace)]):
        return []
    return missing_rights(kube, rights.needed(namespace))


def allowed(lacking: list[Right], namespace: str) -> Iterator[Finding]:
    if not lacking:
        yield findings.ok("rights", f"all that a run needs in namespace {namespace}")
        return
    yield findings.refused(
        "rights",
        f"missing are {', '.join(str(right) for right in lacking)}",
        next_step="Bind the ClusterRole 'admin' in this namespace to this user, or grant these rights",
    )


def planned(kube: Kube, request: Request, *, may_all: bool) -> tuple[Plan | None, list[Finding]]:
    """The plan and what it found. An option that cannot be is named and left out, so that the others are looked at."""
    try:
        plan, problem = examined(kube, request)
    except (BadOption, Refused) as error:
        rest = without(request, error.where)
        rested, found = planned(kube, rest, may_all=may_all) if rest else (None, [])
        return rested, [findings.of_error("options", error), *found]
    except Forbidden as error:
        # What is missing has been said already, right by right.
        said = [findings.of_error("objects", error)] if may_all else []
        return None, [*said, findings.not_checked("service", "what is there may not be read")]
    return plan, list(_of_plan(plan, problem, may_all=may_all))


def without(request: Request, where: str) -> Request | None:
    """The same, but for what cannot be; None when that is nothing one could leave out."""
    option = re.split(r"[.\[]", where)[0]
    less = request
    if option == "account":
        less = replace(less, account_password=None)
    if option == "git_sync":
        less = replace(less, git=Given())
    if where not in SECRETS:
        less = replace(less, options={key: value for key, value in less.options.items() if key != option})
    return less if less != request else None


def _of_plan(plan: Plan, problem: DataOpsError | None, *, may_all: bool) -> Iterator[Finding]:
    yield findings.ok("version", f"Airflow {plan.spec.profile.release} with {plan.spec.executor}")
    for line in plan.warnings:
        if line not in {str(finding) for finding in plan.findings}:
            yield findings.warning("manager", line, next_step="Create the Manager first")
    if problem is not None and (may_all or not isinstance(problem, Forbidden)):
        yield findings.of_error("objects", problem)
    if not plan.changes and problem is None:
        yield findings.ok("change", "nothing would change")
    yield from plan.findings


def tried(kube: Kube, request: Request, wishes: Wishes, plan: Plan | None, progress: Timeline) -> Iterator[Finding]:
    wanted: dict[str, tuple[bool, Callable[[Plan], list[Finding]]]] = {
        trials.STORAGE: (
            wishes.test_storage,
            lambda plan: [trials.storage(kube, plan.spec, progress, request.timeout)],
        ),
        trials.IMAGES: (
            wishes.test_images,
            lambda plan: trials.images(kube, plan.spec, plan.stages.all, progress, request.timeout),
        ),
        "connection test": (
            wishes.test_connections,
            lambda plan: connections(kube, request, plan, progress),
        ),
    }
    for check, (asked, trial) in wanted.items():
        if not asked:
            continue
        if plan is None:
            yield findings.not_checked(check, "what else was found stands in its way")
        elif request.check_mode:
            yield findings.not_checked(check, "it writes, so it is not made in check mode")
        elif kube.get("Namespace", request.namespace) is None:
            yield findings.not_checked(check, f"namespace {request.namespace} does not exist yet")
        else:
            yield from trial(plan)


def connections(kube: Kube, request: Request, plan: Plan, progress: Timeline) -> list[Finding]:
    """Whatever the service connects to, from a pod inside the cluster."""
    check, git = "connection test", plan.spec.git_sync
    outside = tuple(references.external(plan.spec))
    if git is None and not outside:
        return [findings.ok(check, "there is nothing to connect to")]

    def wait(targets: Sequence[Ref]) -> None:
        labels = label_selector(SERVICE, request.name)
        wait_ready(kube, request.namespace, targets, labels=labels, timeout=request.timeout, say=progress.say)

    found: list[Finding] = []
    if git is not None:
        try:
            commits = git_check.carry_out(kube, plan.spec, plan.secrets, wait, progress)
        except NotReady as error:
            found.append(findings.of_error(check, error))
        else:
            read = (f"{item.repo} can be read at {item.ref} {commits.get(item.name, '')}" for item in git.repositories)
            found.append(findings.ok(check, "; ".join(line.rstrip() for line in read)))
    if outside:
        keys = Ref("Secret", names.keys(plan.spec.name), plan.spec.namespace)
        try:
            found += stores.check(kube, plan.spec, plan.secrets, outside, wait, keys_are_new=keys not in plan.live)
        except NotReady as error:
            found.append(findings.of_error(check, error))
    return found
