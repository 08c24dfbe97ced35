# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive that the action hands over: everything that the console imports, the same from the same files."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from ansible_collections.scp.dataops.plugins.plugin_utils import console_archive

# A ConfigMap takes a mebibyte.
MOST_BYTES = 700_000
WITHOUT_ANSIBLE = """
import sys
from ansible_collections.scp.dataops.console.pages import page
assert "console.css" in page.static and page.templates.get_template("layout.html")
import ansible_collections.scp.dataops.console.__main__ as console
assert ".zip" in console.__file__, console.__file__
found = [name for name in sys.modules if name == "ansible" or name.startswith("ansible.")]
assert not found, found
"""


def names() -> list[str]:
    with zipfile.ZipFile(io.BytesIO(console_archive.archive())) as archive:
        return archive.namelist()


def test_it_is_the_same_each_time() -> None:
    first = console_archive.archive()
    console_archive.archive.cache_clear()
    assert console_archive.archive() == first


def test_it_fits_into_a_config_map() -> None:
    assert len(console_archive.archive()) < MOST_BYTES


def test_it_holds_application_and_engine_and_nothing_else() -> None:
    found = names()
    assert "ansible_collections/scp/dataops/console/app.py" in found
    assert "ansible_collections/scp/dataops/plugins/module_utils/kube/client.py" in found
    assert "ansible_collections/scp/dataops/plugins/module_utils/door.py" not in found
    roots = ("ansible_collections/scp/dataops/console/", "ansible_collections/scp/dataops/plugins/module_utils/")
    assert [name for name in found if not name.endswith("/") and not name.startswith(roots)] == []
    assert [name for name in found if "__pycache__" in name] == []
    assert len(found) == len(set(found))


def test_python_imports_the_console_from_it_without_ansible(tmp_path: Path) -> None:
    archive = tmp_path / "console.zip"
    archive.write_bytes(console_archive.archive())
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_ANSIBLE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(archive)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
