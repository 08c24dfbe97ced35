# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tasks of the module of this name run: what lies where Ansible runs is brought to where the module runs."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Mapping
from typing import Any

from ansible import constants
from ansible.errors import AnsibleFileNotFound
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, NotReady
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.sources import (
    Source,
    Sources,
    default_name,
    found_at,
)
from ansible_collections.scp.dataops.plugins.modules import dataops_upload
from ansible_collections.scp.dataops.plugins.plugin_utils.in_worker import DataOpsAction

# In the folder that Ansible makes on the other host for this task, and takes away after it.
FOLDER, PACKED = "upload", "upload.tar"


class ActionModule(DataOpsAction):
    module = dataops_upload
    # What was not brought to another host, so that the module there cannot know of it.
    left_out: tuple[str, ...] = ()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        return {**result, "left_out": list(self.left_out)} if self.left_out and "left_out" in result else result

    def completed(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        src = arguments.get("src")
        if not isinstance(src, str) or not src or boolean(arguments.get("remote_src", False), strict=False):
            return arguments
        found = self._found(src)
        named = {**arguments, "name": arguments.get("name") or default_name(found)}
        same_eyes = self._connection.transport == "local" and not (self._play_context.become or self._connection.become)
        return {**named, "src": found if same_eyes else self._brought(found)}

    def _found(self, src: str) -> str:
        """Where copy would find it, too: beside the playbook, or among the files of a role."""
        try:
            return os.path.abspath(self._find_needle("files", os.path.expanduser(src)))
        except AnsibleFileNotFound as error:
            raise BadOption(
                f"there is no file or folder {src} where Ansible runs",
                where="src",
                next_step="Correct the path, or use remote_src: true for one on the target",
            ) from error

    def _brought(self, src: str) -> str:
        """The same files on the other host."""
        sources = found_at(src)
        self.left_out = sources.left_out
        if self._connection._shell.tmpdir is None:
            self._make_tmp_path()
        if os.path.isfile(src):
            return self._file_brought(sources.files[0])
        return self._folder_brought(sources)

    def _file_brought(self, source: Source) -> str:
        folder = self._connection._shell.tmpdir
        path: str = self._connection._shell.join_path(folder, source.path)
        self._transfer_file(source.file, path)
        self._fixup_perms2((folder, path), execute=source.executable)
        return path

    def _folder_brought(self, sources: Sources) -> str:
        """Packed: a transfer for each file would take as long as a handshake each."""
        shell = self._connection._shell
        packed, folder = (shell.join_path(shell.tmpdir, name) for name in (PACKED, FOLDER))
        with tempfile.NamedTemporaryFile(dir=constants.DEFAULT_LOCAL_TMP, suffix=".tar") as local:
            with tarfile.open(fileobj=local, mode="w") as archive:
                for source in sources.files:
                    archive.add(source.file, source.path, recursive=False)
            local.flush()
            self._transfer_file(local.name, packed)
        self._fixup_perms2((shell.tmpdir, packed), execute=False)
        here, there = shell.quote(packed), shell.quote(folder)
        done = self._low_level_execute_command(f"mkdir {there} && tar -xf {here} -C {there} && rm {here}")
        if done["rc"]:
            raise NotReady(
                f"the files cannot be unpacked on the target: {done['stderr'].strip() or done['stdout'].strip()}",
                where="src",
                next_step="Make room there and install tar, or copy them yourself and use remote_src: true",
            )
        return str(folder)
