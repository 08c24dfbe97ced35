# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of an upload are when its module runs: read where they lie, or brought to the other host."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFileNotFound
from ansible_collections.scp.dataops.plugins.module_utils.errors import DataOpsError
from ansible_collections.scp.dataops.plugins.plugin_utils.in_worker import DataOpsAction

from .test_choice import action


class Shell:
    """The part of a remote shell that is used; the other host is another folder of this one."""

    def __init__(self, tmpdir: Path) -> None:
        self.tmpdir = str(tmpdir)
        self.quote = shlex.quote
        self.env_prefix = str

    def join_path(self, *parts: str) -> str:
        return os.path.join(*parts)


def upload(
    monkeypatch: pytest.MonkeyPatch, beside: Path, there: Path, *, transport: str = "ssh", become: bool = False
) -> Any:
    """The action of a playbook in folder ``beside``, on a host whose folder for the task is ``there``."""
    made = action("dataops_upload", connection={"transport": transport}, become=become)
    made._connection._shell = Shell(there)

    def found(folder: str, name: str) -> str:
        path = beside / name
        if not path.exists():
            raise AnsibleFileNotFound(file_name=name)
        return str(path)

    def executed(command: str) -> dict[str, Any]:
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    monkeypatch.setattr(made, "_find_needle", found)
    monkeypatch.setattr(made, "_transfer_file", shutil.copyfile)
    monkeypatch.setattr(made, "_low_level_execute_command", executed)
    monkeypatch.setattr(made, "_fixup_perms2", allowed)
    return made


def allowed(paths: tuple[str, ...], *, execute: bool) -> None:
    for path in paths:
        os.chmod(path, 0o700 if execute or os.path.isdir(path) else 0o600)


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    folder = tmp_path / "playbook"
    for path in ("one.py", "folder/a file.py", "folder/sub/b.py", "folder/.git/HEAD", "folder/__pycache__/b.pyc"):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {path}\n")
    (folder / "folder" / "sub" / "b.py").chmod(0o755)
    (tmp_path / "there").mkdir()
    return folder


def below(folder: Path) -> dict[str, bool]:
    """Files by path, and whether they can be executed."""
    return {
        str(path.relative_to(folder)): bool(path.stat().st_mode & stat.S_IXUSR)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Arguments, where the task runs, and what changes in the arguments.
NOT_BROUGHT: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "the same host": ({"src": "one.py"}, "local", {"src": "{beside}/one.py", "name": "one.py"}),
    "a name of its own": ({"src": "one.py", "name": "mine"}, "local", {"src": "{beside}/one.py"}),
    "a folder": ({"src": "folder/"}, "local", {"src": "{beside}/folder", "name": "folder"}),
    "on the target": ({"src": "one.py", "remote_src": True}, "ssh", {}),
    "on the target, as a text": ({"src": "one.py", "remote_src": "yes"}, "ssh", {}),
    "a text": ({"content": "x", "name": "x.txt"}, "ssh", {}),
    "not a path": ({"src": 5}, "ssh", {}),
}


@pytest.mark.parametrize(("given", "transport", "changes"), NOT_BROUGHT.values(), ids=NOT_BROUGHT.keys())
def test_read_where_it_lies(
    monkeypatch: pytest.MonkeyPatch, beside: Path, given: dict[str, Any], transport: str, changes: dict[str, str]
) -> None:
    there = beside.parent / "there"
    made = upload(monkeypatch, beside, there, transport=transport)
    filled = {key: value.format(beside=beside) for key, value in changes.items()}
    assert made.completed(dict(given), {}) == {**given, **filled}
    assert below(there) == {}


@pytest.mark.parametrize("how", [{"transport": "ssh"}, {"transport": "local", "become": True}])
def test_a_file_is_brought_under_its_name(monkeypatch: pytest.MonkeyPatch, beside: Path, how: dict[str, Any]) -> None:
    there = beside.parent / "there"
    made = upload(monkeypatch, beside, there, **how)
    assert made.completed({"src": "one.py"}, {}) == {"src": f"{there}/one.py", "name": "one.py"}
    assert below(there) == {"one.py": False}


def test_a_folder_is_brought_without_what_is_left_out(monkeypatch: pytest.MonkeyPatch, beside: Path) -> None:
    there = beside.parent / "there"
    made = upload(monkeypatch, beside, there)
    brought = made.completed({"src": "folder"}, {})
    assert brought == {"src": f"{there}/upload", "name": "folder"}
    assert below(there) == {"upload/a file.py": False, "upload/sub/b.py": True}
    monkeypatch.setattr(DataOpsAction, "run", lambda *given: {"left_out": []})
    assert made.run() == {"left_out": [".git", "__pycache__"]}


def test_refused_before_anything_is_brought(monkeypatch: pytest.MonkeyPatch, beside: Path) -> None:
    there = beside.parent / "there"
    (beside / "folder" / "link").symlink_to("a file.py")
    made = upload(monkeypatch, beside, there)
    with pytest.raises(DataOpsError, match="folder/link is a symbolic link"):
        made.completed({"src": "folder"}, {})
    with pytest.raises(DataOpsError, match=r"there is no file or folder none\.py where Ansible runs"):
        made.completed({"src": "none.py"}, {})
    assert below(there) == {}


def test_a_target_that_cannot_take_them_says_why(monkeypatch: pytest.MonkeyPatch, beside: Path) -> None:
    made = upload(monkeypatch, beside, beside.parent / "there")
    full = {"rc": 2, "stdout": "", "stderr": "tar: No space left on device\n"}
    monkeypatch.setattr(made, "_low_level_execute_command", lambda command: full)
    with pytest.raises(DataOpsError, match="cannot be unpacked on the target: tar: No space left on device"):
        made.completed({"src": "folder"}, {})


def test_arguments_are_the_task_s_own_again_afterwards(monkeypatch: pytest.MonkeyPatch, beside: Path) -> None:
    """Ansible runs a task once more for each item of a loop and each try."""
    made = upload(monkeypatch, beside, beside.parent / "there", transport="local")
    made._task.args = {"src": "one.py"}
    monkeypatch.setattr(made, "_run_here", lambda *given: {"name": made._task.args["name"]})
    assert [made.run(None, {})["name"] for _turn in range(2)] == ["one.py", "one.py"]
    assert made._task.args == {"src": "one.py"}
    made._task.args = {"src": "none.py"}
    assert made.run(None, {})["msg"].startswith("src: there is no file or folder none.py where Ansible runs.")
