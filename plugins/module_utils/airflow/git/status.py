# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitSync in the words of the product: what it was asked to read, and what runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ...errors import DataOpsError
from ...kube.client import Kube
from .. import names
from ..api import AirflowApi
from ..spec import ServiceSpec
from .running import PROCESSOR, Reader, readers
from .spec import BUNDLE, MAIN, GitSync, Repository

Dag = Mapping[str, Any]


@dataclass(frozen=True)
class Running:
    """What is known of one repository. ``versions``: the commits of its readers and DAGs, as far as told."""

    readers: list[Reader]
    dags: list[Dag]
    versions: list[str]


def source(git: GitSync | None) -> dict[str, Any]:
    """The settings; no secret in them. Empty without GitSync."""
    if git is None:
        return {}
    main, *further = git.repositories
    described = {"mode": git.mode, **settings(main)}
    return {**described, "repositories": [{"name": item.name, **settings(item)} for item in further]}


def settings(item: Repository) -> dict[str, Any]:
    return {
        "repo": item.repo,
        "ref": item.ref,
        "subdir": item.subdir,
        "interval": item.interval,
        "depth": item.depth,
        "submodules": item.submodules,
        "username": item.username,
        "known_hosts": item.known_hosts,
        "ca": item.ca,
    }


def running(kube: Kube, spec: ServiceSpec, git: GitSync, api: AirflowApi) -> dict[str, Running]:
    """What runs, by name of the repository.

    :raises DataOpsError: when Airflow or the cluster do not tell.
    """
    by_repository: dict[str, list[Dag]] = {item.name: [] for item in git.repositories}
    for dag in api.all(f"{api.profile.api.root}/dags", "dags"):
        by_repository[repository_of(dag, git)].append(dag)
    found = readers(kube, spec, git)
    return {name: Running(found[name], dags, versions(git, found[name], dags)) for name, dags in by_repository.items()}


def repository_of(dag: Dag, git: GitSync) -> str:
    """By its bundle, or where Airflow has none, by the folder that its file is in."""
    known = [item.name for item in git.repositories]
    file = str(dag.get("fileloc") or "").removeprefix(f"{names.ALL_DAGS}/").removeprefix(f"{names.DAGS}/")
    places = (dag.get("bundle_name"), file.partition("/")[0])
    return next((str(place) for place in places if place in known), MAIN)


def versions(git: GitSync, found: Sequence[Reader], dags: Sequence[Dag]) -> list[str]:
    """The commits that count: those of DAGs in bundles, those of pods with git-sync.

    A DAG with an import error stays at the commit before; it would hide that all others have arrived. One that was not
    read since git-sync brought the commit is still of the one before.
    """
    sound = [dag for dag in dags if not dag.get("has_import_errors")]
    if git.mode == BUNDLE:
        return [str(dag.get("bundle_version") or "") for dag in sound] or [one.commit for one in found]
    came = max((one.looked for one in found if one.component == PROCESSOR), default="")
    unread = ["" for dag in sound if str(dag.get("last_parsed_time") or "")[:19] < came[:19]]
    return [*(one.commit for one in found), *unread]


def described(kube: Kube, spec: ServiceSpec, api: AirflowApi) -> dict[str, Any]:
    """What runs, as the info module tells it: the main repository at the top, and all of them as a list."""
    git = spec.git_sync
    if git is None:
        return {}
    error = ""
    found = {item.name: Running([], [], []) for item in git.repositories}
    try:
        found = running(kube, spec, git, api)
    except DataOpsError as caught:
        error = str(caught)
    repositories = [of_repository(git, item, found[item.name], error) for item in git.repositories]
    main = {key: value for key, value in repositories[0].items() if key not in ("name", "pods")}
    return {"mode": git.mode, **main, "repositories": repositories}


def of_repository(git: GitSync, item: Repository, found: Running, error: str) -> dict[str, Any]:
    """The commit that runs: the one most DAGs were last read from; others are named while a change spreads."""
    told = [version for version in found.versions if version]
    in_use = Counter(told).most_common(1)[0][0] if told else ""
    return {
        "name": item.name,
        "repo": item.repo,
        "ref": item.ref,
        "wanted": item.ref if item.pinned else "",
        "commit": in_use,
        "looked": max((one.looked for one in found.readers), default=""),
        "error": error or next((one.error for one in found.readers if one.error), ""),
        "pods": [asdict(one) for one in told_by_airflow(git, found.readers, in_use)],
        "dags": {str(dag["dag_id"]): version_of(git, dag, in_use) for dag in found.dags},
    }


def told_by_airflow(git: GitSync, found: Sequence[Reader], in_use: str) -> Sequence[Reader]:
    """The only DAG processor has the commit that Airflow noted, also when its log is too long to say it."""
    if git.mode == BUNDLE and len(found) == 1 and not found[0].commit:
        return [replace(found[0], commit=in_use)]
    return found


def version_of(git: GitSync, dag: Dag, in_use: str) -> str:
    """Airflow notes a commit for bundles only; what git-sync brings is of the commit that the pods have."""
    return str(dag.get("bundle_version") or "") if git.mode == BUNDLE else in_use
