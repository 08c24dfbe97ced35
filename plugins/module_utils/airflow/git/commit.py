# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until a wanted commit is the one that DAGs are read from."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from ...common.outcome import Timeline
from ...errors import BadOption, NotReady
from ...kube.client import Kube
from ..api import AirflowApi
from ..spec import ServiceSpec
from . import status
from .spec import MAIN, GitSync, Repository
from .status import Running

POLL_SECONDS = 1.0
SHORTEST = 7
COMMIT = re.compile(r"[0-9a-f]{7,40}")
TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off", "")


def option(value: object) -> bool | str:
    """``wait_for_commit``: whether to wait, or the commit to wait for.

    :raises BadOption: for what is neither.
    """
    text = str(value if value is not None else "").lower()
    if text in TRUE or text in FALSE:
        return text in TRUE
    if not COMMIT.fullmatch(text):
        raise BadOption(
            f"'{value}' is neither true nor false nor a commit",
            where="wait_for_commit",
            next_step=f"Use true, or at least {SHORTEST} digits of a commit",
        )
    return text


def possible(asked: bool | str, git: GitSync | None) -> None:
    """:raises BadOption: when the commit can never run."""
    if not asked:
        return
    if git is None:
        raise BadOption("the service has no repository", where="wait_for_commit", next_step="Set git_sync, too")
    if isinstance(asked, str) and git.main.pinned and not git.main.ref.startswith(asked):
        raise BadOption(
            f"git_sync.ref is the commit {git.main.ref}, so {asked} will never run",
            where="wait_for_commit",
            next_step="Wait for that commit, or set another git_sync.ref",
        )


def wanted(asked: bool | str, resolved: Mapping[str, str]) -> Mapping[str, str]:
    """The commit to wait for, by name of the repository."""
    return {MAIN: asked} if isinstance(asked, str) else resolved


def wait(
    kube: Kube,
    spec: ServiceSpec,
    git: GitSync,
    api: AirflowApi,
    commits: Mapping[str, str],
    progress: Timeline,
    left: Callable[[], float],
) -> None:
    """:param commits: what to wait for, by name of the repository.

    :raises NotReady: with wanted and running commit when the time is up.
    """
    said = ""
    waited_for = [item for item in git.repositories if item.name in commits]
    while True:
        running = status.running(kube, spec, git, api)
        late = {
            item.name: why_not(commits[item.name], running[item.name])
            for item in waited_for
            if not runs(commits[item.name], running[item.name])
        }
        if not late:
            progress.say("; ".join(f"{item.name} runs {commits[item.name]}" for item in waited_for))
            return
        line = "; ".join(f"{name}: {why}" for name, why in late.items())
        if line != said:
            progress.say(line)
            said = line
        if left() <= POLL_SECONDS:
            name = next(iter(late))
            raise NotReady(line, where=place(git, name), next_step=NEXT_STEP)
        time.sleep(POLL_SECONDS)


NEXT_STEP = "See 'git' of dataops_service_info, and the log of the DAG processor"


def place(git: GitSync, name: str) -> str:
    at: Repository = next(item for item in git.repositories if item.name == name)
    return f"{at.at}.ref"


def runs(commit: str, found: Running) -> bool:
    """All that read the repository have the commit, and no DAG is of another one."""
    return bool(found.versions) and all(version.startswith(commit) for version in found.versions)


def why_not(commit: str, found: Running) -> str:
    others = sorted({version or "nothing yet" for version in found.versions if not version.startswith(commit)})
    trouble = next((reader.error for reader in found.readers if reader.error), "")
    line = f"wanted is commit {commit}, running is {', '.join(others) or 'nothing yet'}"
    return f"{line} ({trouble})" if trouble else line
