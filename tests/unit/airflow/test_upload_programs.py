# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that run in the image, run here: with the real pip, and with an Airflow that only loads plugins."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import scripts
from ansible_collections.scp.dataops.plugins.module_utils.airflow.uploads.library_script import LIBRARIES
from ansible_collections.scp.dataops.plugins.module_utils.airflow.uploads.plugin_script import PLUGINS

# Nobody listens there.
NO_INDEX = "http://127.0.0.1:9/simple"
HAS = version("packaging")
CORRECT = "Ask for a version that fits, or use an image of your own"
WHEELS = "Upload the wheels of all that is needed, or set python_index to an index that the cluster reaches"


@dataclass(frozen=True)
class Wheel:
    name: str
    version: str = "1.0"
    requires: str = ""

    def build(self, folder: Path) -> None:
        info = f"{self.name}-{self.version}.dist-info"
        needs = f"Requires-Dist: {self.requires}\n" if self.requires else ""
        files = {
            f"{self.name}/__init__.py": f"VERSION = '{self.version}'\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n{needs}",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": f"[example.group]\n{self.name} = {self.name}:VERSION\n",
        }
        digests = {name: hashlib.sha256(text.encode()).digest() for name, text in files.items()}
        encoded = {name: base64.urlsafe_b64encode(value).rstrip(b"=").decode() for name, value in digests.items()}
        lines = [f"{name},sha256={encoded[name]},{len(text)}\n" for name, text in files.items()]
        with zipfile.ZipFile(folder / f"{self.name}-{self.version}-py3-none-any.whl", "w") as archive:
            for name, text in {**files, f"{info}/RECORD": "".join([*lines, f"{info}/RECORD,,\n"])}.items():
                archive.writestr(name, text)


def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON"))}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env={**kept, **variables}, capture_output=True, text=True, check=False)


def install(folder: Path, text: str, wheels: tuple[Wheel, ...], **index: str) -> subprocess.CompletedProcess[str]:
    wanted = folder / "wanted"
    wanted.mkdir()
    (wanted / "requirements.txt").write_text(text)
    for wheel in wheels:
        (wanted / "wheels").mkdir(exist_ok=True)
        wheel.build(wanted / "wheels")
    target = folder / "generations" / "made"
    return run(LIBRARIES, REQUIREMENTS=str(wanted), LIBRARIES=str(target), PIP_INDEX_URL=NO_INDEX, **index)


INSTALLED: dict[str, tuple[str, tuple[Wheel, ...], str]] = {
    "what the image has": ("packaging>=20  # for versions\n\n", (), "the image has all of them"),
    "nothing": ("", (), "the image has all of them"),
    "a wheel": ("alpha==1.0", (Wheel("alpha"),), "alpha==1.0"),
    "a text and its stock": (
        "alpha",
        (Wheel("alpha", requires="beta>=2"), Wheel("beta", "2.1"), Wheel("packaging", "0.1")),
        "alpha==1.0, beta==2.1",
    ),
    "one that a package of the image goes with": ("alpha", (Wheel("alpha", requires="packaging"),), "alpha==1.0"),
    "for another system only": ('nothing-such; sys_platform == "win32"', (), "the image has all of them"),
    "the newest of two": ("alpha", (Wheel("alpha"), Wheel("alpha", "1.1")), "alpha==1.1"),
}


@pytest.mark.parametrize(("text", "wheels", "said"), INSTALLED.values(), ids=INSTALLED.keys())
def test_installed(tmp_path: Path, text: str, wheels: tuple[Wheel, ...], said: str) -> None:
    done = install(tmp_path, text, wheels)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"libraries: {said}"
    made = tmp_path / "generations" / "made"
    assert sorted(item.name for item in (tmp_path / "generations").iterdir()) == ["made"]
    assert not list(made.rglob("packaging"))
    assert len(list(made.rglob("*.pyc"))) == len(list(made.rglob("*.py")))


REFUSED: dict[str, tuple[str, tuple[Wheel, ...], str, str]] = {
    "another version than the image's": (
        "packaging==20.0",
        (),
        f"packaging==20.0 is asked for, but the image has packaging {HAS}, which",
        CORRECT,
    ),
    "the same as a wheel": (
        "packaging==0.1",
        (Wheel("packaging", "0.1"),),
        "packaging==0.1 is asked for, but the image has",
        CORRECT,
    ),
    "something that needs another version": (
        "alpha",
        (Wheel("alpha", requires="packaging<20"),),
        f"alpha 1.0 depends on packaging<20; the image has packaging {HAS}, which",
        CORRECT,
    ),
    "two that do not go together": (
        "alpha\nbeta==1.0",
        (Wheel("alpha", requires="beta>2"), Wheel("beta", "1.0")),
        "alpha 1.0 depends on beta>2",
        CORRECT,
    ),
    "neither uploaded nor to be had": (
        "nothing-such",
        (),
        "nothing-such is not among the uploaded wheels, and no package index can be reached",
        WHEELS,
    ),
}


@pytest.mark.parametrize(("text", "wheels", "what", "next_step"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(tmp_path: Path, text: str, wheels: tuple[Wheel, ...], what: str, next_step: str) -> None:
    done = install(tmp_path, text, wheels)
    told = json.loads(done.stdout.splitlines()[-1])
    assert what in told["refused"]
    assert told["next_step"] == next_step
    assert done.returncode == 1
    assert list((tmp_path / "generations").iterdir()) == []


class Index(BaseHTTPRequestHandler):
    """A package index with one wheel, for one login."""

    login = "Basic " + base64.b64encode(b"reader:SENTINEL p@ss").decode()
    wheel = b""

    def do_GET(self) -> None:
        file = "alpha-1.0-py3-none-any.whl"
        answers = {"/simple/alpha/": f'<a href="/{file}">{file}</a>'.encode(), f"/{file}": self.wheel}
        known = self.headers.get("Authorization") == self.login
        body = answers.get(self.path, b"") if known else b""
        self.send_response(200 if body else 404 if known else 401)
        self.send_header("Content-Type", "text/html" if self.path.startswith("/simple") else "application/zip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "index"
    folder.mkdir()
    Wheel("alpha").build(folder)
    (built,) = folder.iterdir()
    Index.wheel = built.read_bytes()
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


BY_INDEX: dict[str, tuple[str, str, str]] = {
    "found": ("alpha", "SENTINEL p@ss", "libraries: alpha==1.0"),
    "not there": ("beta", "SENTINEL p@ss", "No matching distribution found for beta"),
    "another password": ("alpha", "SENTINEL other", "the package index does not take the login"),
}


@pytest.mark.parametrize(("text", "password", "said"), BY_INDEX.values(), ids=BY_INDEX.keys())
def test_an_index_with_a_login(tmp_path: Path, index: str, text: str, password: str, said: str) -> None:
    login = {"INDEX_URL": index, "INDEX_USERNAME": "reader", "INDEX_PASSWORD": password}
    done = install(tmp_path, text, (), **login)
    assert said in done.stdout.splitlines()[-1]
    assert "SENTINEL" not in done.stdout + done.stderr


def test_a_set_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "generations" / "made").mkdir(parents=True)
    assert install(tmp_path, "nothing-such", ()).stdout == "libraries: they are installed already\n"


def test_libraries_come_last_and_with_their_entry_points(tmp_path: Path) -> None:
    install(tmp_path, "alpha", (Wheel("alpha"),))
    made, own, other = tmp_path / "generations" / "made", tmp_path / "own", tmp_path / "other"
    # An image's package of the same name wins.
    (made / "json").mkdir()
    (made / "json" / "__init__.py").write_text("raise SystemExit('not this one')\n")
    own.mkdir()
    other.mkdir()
    (own / "sitecustomize.py").write_text(scripts.AT_START.replace("/opt/airflow/libraries", str(made)))
    (other / "sitecustomize.py").write_text("import sys\nsys.of_image = True\n")
    program = """
        import importlib.metadata, json, sys
        import alpha
        found = [item.load() for item in importlib.metadata.entry_points(group="example.group")]
        print(json.dumps([sys.of_image, alpha.VERSION, found, sys.path[-1]]))
    """
    done = run(textwrap.dedent(program), PYTHONPATH=f"{own}:{other}")
    assert json.loads(done.stdout) == [True, "1.0", ["1.0"], str(made)], done.stderr


def test_without_libraries_nothing_is_added(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(scripts.AT_START.replace("/opt/airflow", str(tmp_path / "missing")))
    done = run("import sys; print(sys.path[-1])", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "missing" not in done.stdout


# As Airflow 3 and 2 do it, with nothing else of them.
LOADER = """
    import importlib.machinery, importlib.util, os, pathlib, sys

    class AirflowPlugin:
        name = ""

    import_errors = {}

    def ensure_plugins_loaded():
        for path in sorted(pathlib.Path("FOLDER").rglob("*.py")):
            try:
                loader = importlib.machinery.SourceFileLoader(path.stem, str(path))
                module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.stem, loader))
                sys.modules[path.stem] = module
                loader.exec_module(module)
                for item in list(vars(module).values()):
                    if isinstance(item, type) and item.__name__.endswith("Plugin") and not item.name:
                        raise ValueError("Your plugin needs a name.")
            except Exception as error:
                import_errors[str(path)] = str(error)
        import_errors.update({MORE})
"""
ASKED = "\n    def get_import_errors():\n        return import_errors\n"
GOOD = "import alpha\nWORD = alpha.VERSION\n"
PACKAGE = {"team/__init__.py": "", "team/one.py": "from .two import TWO\n", "team/two.py": "TWO = 2\n"}
LOADED: dict[str, tuple[dict[str, str], str]] = {
    "a good one": ({"good.py": GOOD}, ""),
    "a package": ({**PACKAGE, "team_plugin.py": "from team.one import TWO\n"}, ""),
    "a missing module": (
        {"good.py": GOOD, "bad.py": "x = 1\nimport nothing_such\n"},
        "bad.py line 2: ModuleNotFoundError: No module named 'nothing_such'",
    ),
    "an error further down": (
        {"bad.py": "import helper\nhelper.call()\n", "helper.py": "def call():\n    return 1 / 0\n"},
        "helper.py line 2: ZeroDivisionError: division by zero",
    ),
    "no Python": ({"bad.py": "def x(:\n"}, "bad.py line 1: SyntaxError: invalid syntax"),
    "two of them": (
        {"a.py": "raise KeyError('one')\n", "b.py": "raise KeyError('two')\n"},
        "a.py line 1: KeyError: 'one'; b.py line 1: KeyError: 'two'",
    ),
    "in a package": (
        {**PACKAGE, "team/one.py": "from .three import THREE\n"},
        "team/one.py line 1: ImportError: attempted relative import with no known parent package",
    ),
    "one that ends the process": ({"bad.py": "raise SystemExit(0)\n"}, "bad.py line 1: SystemExit: 0"),
    "one that imports and is no plugin": (
        {"bad.py": "class BadPlugin:\n    name = ''\n"},
        "bad.py: Your plugin needs a name.",
    ),
}
TOLD: dict[str, tuple[dict[str, str], str]] = {
    "on load": ({"$PLUGINS_FOLDER/bad.py": "no"}, "bad.py: no"),
    "a class that two modules know": ({"$PLUGINS_FOLDER/b.py": "Plugin 'a' already registered, skipping"}, ""),
    "a plugin of the image": ({"json.tool": "no"}, ""),
    "a plugin of a library": ({"alpha.plugin": "no"}, "library alpha.plugin: no"),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library") / "alpha"
    folder.mkdir()
    (folder / "__init__.py").write_text("VERSION = '1.0'\n")
    return folder.parent


def load(folder: Path, library: Path, files: dict[str, str], more: dict[str, str], asked: str) -> str:
    """What the program refuses; empty when it refuses nothing."""
    plugins, airflow = folder / "plugins", folder / "airflow"
    airflow.mkdir()
    (airflow / "__init__.py").write_text("")
    loader = (LOADER + asked).replace("FOLDER", str(plugins)).replace("{MORE}", repr(more))
    (airflow / "plugins_manager.py").write_text(textwrap.dedent(loader))
    for name, text in files.items():
        (plugins / name).parent.mkdir(parents=True, exist_ok=True)
        (plugins / name).write_text(text)
    program = PLUGINS.replace("/opt/airflow/plugins", str(plugins)).replace("/opt/airflow/libraries", str(library))
    done = run(program, PYTHONPATH=f"{folder}:{plugins}", PYTHONDONTWRITEBYTECODE="1")
    if done.returncode == 0:
        return ""
    return str(json.loads(done.stdout.splitlines()[-1])["refused"])


@pytest.mark.parametrize("asked", ["", ASKED], ids=["Airflow 2", "Airflow 3"])
@pytest.mark.parametrize(("files", "refused"), LOADED.values(), ids=LOADED.keys())
def test_plugins(tmp_path: Path, library: Path, files: dict[str, str], refused: str, asked: str) -> None:
    assert load(tmp_path, library, files, {}, asked) == refused


@pytest.mark.parametrize(("more", "refused"), TOLD.values(), ids=TOLD.keys())
def test_what_airflow_tells_besides(tmp_path: Path, library: Path, more: dict[str, str], refused: str) -> None:
    assert load(tmp_path, library, {"good.py": GOOD}, more, ASKED) == refused
