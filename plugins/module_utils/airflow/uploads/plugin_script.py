# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the Job that tries plugins: Airflow's own way to load them, in the image and with the libraries."""

from __future__ import annotations

PLUGINS = '''\
"""Load the plugins as a component of Airflow does. One that cannot be loaded is named with file, line and error.

A refusal is the last line, in JSON.
"""
import importlib
import importlib.util
import json
import os
import pathlib
import runpy
import site
import sys
import traceback

FOLDER, LIBRARIES = "/opt/airflow/plugins", "/opt/airflow/libraries"
# Where Airflow tells of plugins that it could import and then not load, it writes this for the folder.
SHORT = "$PLUGINS_FOLDER/"
# Not an error: a class that two modules know is registered once.
TWICE = "already registered"

if os.path.isdir(LIBRARIES):
    site.addsitedir(LIBRARIES)


def loaded():
    """What Airflow says is wrong, by file or module."""
    from airflow import plugins_manager

    plugins_manager.ensure_plugins_loaded()
    told = getattr(plugins_manager, "get_import_errors", None)
    return dict(told() if told else plugins_manager.import_errors)


def described(error):
    """File and line within the plugins, and the error."""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno))
    ours = [(name, line) for name, line in frames if name.startswith(FOLDER + "/")]
    words = error.msg if isinstance(error, SyntaxError) else str(error)
    text = "%s: %s" % (type(error).__name__, words) if words else type(error).__name__
    if not ours:
        return text
    name, line = ours[-1]
    return "%s line %s: %s" % (os.path.relpath(name, FOLDER), line, text)


def part_of_package(source):
    """Airflow imports each file by itself; a module of a package that can be imported as such is good all the same."""
    parts = pathlib.Path(source).relative_to(FOLDER).with_suffix("").parts
    if len(parts) == 1:
        return False
    try:
        importlib.import_module(".".join(part for part in parts if part != "__init__"))
    except Exception:
        return False
    return True


def trouble(source, message):
    """One line about what is wrong with a file; empty when it is not wrong."""
    if TWICE in message:
        return ""
    if source.startswith(FOLDER + "/"):
        if part_of_package(source):
            return ""
        try:
            runpy.run_path(source, run_name=pathlib.Path(source).stem)
        except BaseException as error:
            return described(error)
        return "%s: %s" % (os.path.relpath(source, FOLDER), message)
    if source.startswith(SHORT):
        return "%s: %s" % (source[len(SHORT):], message)
    # A plugin of an installed package: it matters when the package was uploaded.
    found = importlib.util.find_spec(source.partition(".")[0])
    ours = found is not None and str(found.origin).startswith(LIBRARIES + "/")
    return "library %s: %s" % (source, message) if ours else ""


try:
    lines = [line for line in (trouble(*item) for item in sorted(loaded().items())) if line]
except BaseException as error:
    # Such as a module that ends the process that imports it.
    lines = [described(error)]
sys.stdout.flush()
if lines:
    print(json.dumps({"refused": "; ".join(lines), "next_step": "Correct the plugin and upload it again"}))
    sys.exit(1)
'''
