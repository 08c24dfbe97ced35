# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the logs of readers say, and what is made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git import commit, status
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.running import (
    Reader,
    of_git_sync,
    of_processor,
)
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git.status import Running
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

from .test_spec import HTTPS, made

ONE, TWO = "1" * 40, "2" * 40
EMPTY = Reader(pod="p", component="dag-processor")
LOGGER = "[airflow.dag_processing.manager.DagFileProcessorManager] loc=manager.py:896"
CAME = f"2026-01-02T03:04:05.768985Z [info     ] Version changed for dags, new version: {ONE} {LOGGER}"
LOOKED = f"2026-01-02T03:04:15.013937Z [info     ] Refreshing bundle dags         {LOGGER}"
FAILED = f"""\
2026-01-02T03:04:18.715424Z [error    ] Error refreshing bundle dags   {LOGGER}
Traceback (most recent call last):
  File "git.py", line 475, in refresh
git.exc.GitCommandError: Cmd('git') failed due to: exit code(128)
  cmdline: git fetch -v -- origin
  stderr: 'fatal: Could not read from remote repository.'"""
TOLD = "Error refreshing bundle dags: fatal: Could not read from remote repository."
PROCESSOR = {
    "nothing": ([], ("", "", "")),
    "a commit": ([CAME], (ONE, "", "")),
    "a look without a change": ([CAME, LOOKED], (ONE, "2026-01-02T03:04:15Z", "")),
    "a failure": ([CAME, LOOKED, FAILED], (ONE, "2026-01-02T03:04:15Z", TOLD)),
    "well again": ([FAILED, LOOKED], ("", "2026-01-02T03:04:15Z", "")),
    "another bundle": (
        [line.replace("dags", "dags-more") for line in (CAME, LOOKED, FAILED)],
        ("", "", ""),
    ),
}


@pytest.mark.parametrize(("lines", "found"), PROCESSOR.values(), ids=PROCESSOR.keys())
def test_the_log_of_the_dag_processor(lines: list[str], found: tuple[str, str, str]) -> None:
    reader = of_processor(EMPTY, "\n".join(lines), "dags")
    assert (reader.commit, reader.looked, reader.error) == found


def entry(time: str, **content: Any) -> str:
    return json.dumps({"logger": "", "ts": f"2026-01-02 03:04:{time}.123456", "level": 0, **content})


UPDATE = entry("05", msg="updated successfully", ref="main", remote=ONE, syncCount=1)
BROKEN = entry(
    "25", msg="error syncing repo, will retry", error='Run(git fetch): exit status 128: { stderr: "fatal: no\\n" }'
)
GIT_SYNC = {
    "nothing": ([], ("", "", "")),
    "other lines": (["INFO: detected pid 1, running init handler", "[]"], ("", "", "")),
    "a commit": ([UPDATE], (ONE, "2026-01-02T03:04:05Z", "")),
    "a failure": (
        [UPDATE, BROKEN],
        (ONE, "2026-01-02T03:04:05Z", "2026-01-02T03:04:25Z error syncing repo, will retry: fatal: no"),
    ),
    "a new commit after it": (
        [BROKEN, entry("45", msg="updated successfully", remote=TWO)],
        (TWO, "2026-01-02T03:04:45Z", ""),
    ),
}


@pytest.mark.parametrize(("lines", "found"), GIT_SYNC.values(), ids=GIT_SYNC.keys())
def test_the_log_of_git_sync(lines: list[str], found: tuple[str, str, str]) -> None:
    reader = of_git_sync(EMPTY, "\n".join(lines))
    assert (reader.commit, reader.looked, reader.error) == found


def dag(**content: Any) -> dict[str, Any]:
    return {"dag_id": "a", "bundle_name": "dags", "bundle_version": ONE, **content}


AT_ONE = Reader(pod="p", component="dag-processor", commit=ONE, looked="2026-01-02T03:04:05Z")
WORKER_AT_TWO = Reader(pod="w", component="worker", commit=TWO, looked="2026-01-02T03:04:05Z")
READ, UNREAD = {"last_parsed_time": "2026-01-02T03:04:09.1Z"}, {"last_parsed_time": "2026-01-02T03:04:01.1Z"}
VERSIONS: dict[str, tuple[str, list[Reader], list[dict[str, Any]], list[str]]] = {
    "bundle: DAGs tell": ("bundle", [], [dag(), dag(bundle_version=TWO)], [ONE, TWO]),
    "bundle: a DAG that was never read": ("bundle", [AT_ONE], [dag(bundle_version=None)], [""]),
    "bundle: a broken DAG does not count": (
        "bundle",
        [],
        [dag(), dag(bundle_version=TWO, has_import_errors=True)],
        [ONE],
    ),
    "bundle: without DAGs the processor tells": ("bundle", [AT_ONE], [], [ONE]),
    "sidecar: pods tell": ("sidecar", [AT_ONE, WORKER_AT_TWO], [dag(**READ)], [ONE, TWO]),
    "sidecar: a DAG was not read since": ("sidecar", [AT_ONE], [dag(**READ), dag(**UNREAD)], [ONE, ""]),
    "sidecar: no pod": ("sidecar", [], [dag(**READ)], []),
}


@pytest.mark.parametrize(("mode", "found", "dags", "expected"), VERSIONS.values(), ids=VERSIONS.keys())
def test_versions(mode: str, found: list[Reader], dags: list[dict[str, Any]], expected: list[str]) -> None:
    assert status.versions(made(**HTTPS, mode=mode), found, dags) == expected


PLACES = {
    "by its bundle": ({"bundle_name": "more", "fileloc": "/opt/airflow/bundles/x"}, "more"),
    "by its folder": ({"fileloc": "/opt/airflow/dags/more/current/a.py"}, "more"),
    "by its folder among all": ({"fileloc": "/opt/airflow/dags/_all/more/a.py"}, "more"),
    "not at all": ({"bundle_name": None, "fileloc": None}, "dags"),
}


@pytest.mark.parametrize(("row", "name"), PLACES.values(), ids=PLACES.keys())
def test_the_repository_of_a_dag(row: dict[str, Any], name: str) -> None:
    git = made(**HTTPS, repositories=[{"name": "more", **HTTPS}])
    assert status.repository_of(row, git) == name


REACHED = {
    "all are there": ([ONE, ONE], True),
    "one is not": ([ONE, TWO], False),
    "one is not known": ([ONE, ""], False),
    "nothing is known": ([], False),
}


@pytest.mark.parametrize(("versions", "yes"), REACHED.values(), ids=REACHED.keys())
def test_a_commit_runs_when_all_have_it(versions: list[str], yes: bool) -> None:
    for wanted in (ONE, ONE[:7]):
        assert commit.runs(wanted, Running([], [], versions)) is yes


def test_why_a_commit_does_not_run() -> None:
    broken = Reader(pod="p", component="dag-processor", error="fatal: no")
    assert commit.why_not(ONE, Running([], [], [TWO, ONE])) == f"wanted is commit {ONE}, running is {TWO}"
    assert commit.why_not(ONE, Running([], [], [])) == f"wanted is commit {ONE}, running is nothing yet"
    assert commit.why_not(ONE, Running([broken], [], [TWO])) == (
        f"wanted is commit {ONE}, running is {TWO} (fatal: no)"
    )


OPTIONS: dict[str, tuple[object, bool | str]] = {
    "left out": (None, False),
    "a truth": (True, True),
    "a truth as text": ("yes", True),
    "no": ("False", False),
    "a commit": (ONE, ONE),
    "digits of a commit": ("3F0E5C1", "3f0e5c1"),
}


@pytest.mark.parametrize(("value", "meant"), OPTIONS.values(), ids=OPTIONS.keys())
def test_what_to_wait_for(value: object, meant: bool | str) -> None:
    assert commit.option(value) == meant


def test_neither_a_truth_nor_a_commit() -> None:
    with pytest.raises(BadOption) as caught:
        commit.option("main")
    assert str(caught.value) == (
        "wait_for_commit: 'main' is neither true nor false nor a commit. Use true, or at least 7 digits of a commit."
    )


def test_what_can_never_run_is_not_waited_for() -> None:
    commit.possible(ONE[:7], made(**HTTPS, ref=ONE))
    commit.possible(TWO, made(**HTTPS))
    commit.possible(False, None)
    with pytest.raises(BadOption, match=r"^wait_for_commit: git_sync.ref is the commit 1+, so 2+ will never run\. "):
        commit.possible(TWO, made(**HTTPS, ref=ONE))
    with pytest.raises(BadOption, match=r"^wait_for_commit: the service has no repository\. Set git_sync, too\."):
        commit.possible(True, None)
