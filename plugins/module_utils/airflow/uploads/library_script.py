# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the Job that installs libraries, in the image of the service and on the Manager's volume.

What the image has already is kept: it holds the versions that Airflow was tested with, and a library that replaces one
of them breaks Airflow sooner or later. Only what is missing is installed, into a folder that pods put last.
"""

from __future__ import annotations

LIBRARIES = '''\
"""Install what a set of libraries asks for, beside the image's packages and never in place of them.

Wheels that were uploaded are tried first, and alone; an index is asked only for what they lack. The folder appears
under its name when it is complete. A refusal is the last line, in JSON.
"""
import compileall
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from urllib.parse import quote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

WANTED = pathlib.Path(os.environ["REQUIREMENTS"])
TARGET = pathlib.Path(os.environ["LIBRARIES"])
# Where pods find it, for the lines of a traceback.
PLACE = "/opt/airflow/libraries"
UNREACHABLE = ("NewConnectionError", "ConnectTimeout", "Name or service not known", "name resolution", "Max retries")
USER, PASSWORD = os.environ.get("INDEX_USERNAME", ""), os.environ.get("INDEX_PASSWORD", "")
OF_INDEX = (
    ("CERTIFICATE_VERIFY_FAILED", "the certificate of the package index is not trusted", "Set ca_certificates"),
    ("401 Client Error", "the package index does not take the login", "Correct the Secret that python_index names"),
    ("403 Client Error", "the package index does not let this login in", "Correct the Secret that python_index names"),
)
CONFLICT = "The conflict is caused by"
CORRECT = "Ask for a version that fits, or use an image of your own"
MISSING = re.compile(r"No matching distribution found for (\\S+)")
BY_PIP = re.compile(r"The user requested \\(constraint\\) (\\S+?)==(\\S+)")


class Refusal(Exception):
    def __init__(self, what, next_step):
        super().__init__(what)
        self.what, self.next_step = what, next_step


def packages():
    """Version by name of what the image has; the first one on the path is the one that is imported."""
    found = {}
    for item in distributions():
        if item.metadata["Name"]:
            found.setdefault(canonicalize_name(item.metadata["Name"]), item.version)
    return found


def parsed(line):
    try:
        return Requirement(re.split(r"\\s(?:#|--)", line.strip())[0])
    except InvalidRequirement:
        # An option of pip, a comment, or nothing.
        return None


def asked(text):
    found = [item for item in map(parsed, text.read_text().splitlines()) if item is not None]
    return [item for item in found if item.marker is None or item.marker.evaluate()]


def conflicts(wanted, image):
    for item in wanted:
        has = image.get(canonicalize_name(item.name))
        if has is not None and not item.specifier.contains(has, prereleases=True):
            yield "%s%s is asked for, but the image has %s %s%s" % (
                item.name, item.specifier, item.name, has, needed_by(canonicalize_name(item.name))
            )


def needed_by(name):
    """Who in the image needs a package, Airflow before others."""
    found = []
    for item in distributions():
        for line in item.requires or ():
            need = parsed(line)
            if need is None or canonicalize_name(need.name) != name:
                continue
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                found.append("%s %s needs (%s%s)" % (item.metadata["Name"], item.version, name, need.specifier))
    found.sort(key=lambda line: (not line.startswith("apache-airflow"), line))
    return ", which " + found[0] if found else ""


def pip(arguments, index):
    settings = {key: value for key, value in os.environ.items() if key not in ("PIP_CONSTRAINT", "PIP_TARGET")}
    # The image may be set to install for its user, which does not go with a folder.
    settings.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_NO_CACHE_DIR="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    settings.update(index)
    command = [sys.executable, "-m", "pip", *arguments, "--retries", "1", "--timeout", "15"]
    return subprocess.run(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def asked_index():
    """Settings of pip for the index that was asked for. Its login must be in no argument and in no message."""
    url = os.environ.get("INDEX_URL")
    if not url:
        return {}
    parts = urlsplit(url)
    login = "%s:%s@" % (quote(USER, safe=""), quote(PASSWORD, safe="")) if PASSWORD else ""
    settings = {"PIP_INDEX_URL": parts._replace(netloc=login + parts.netloc).geturl(), "PIP_EXTRA_INDEX_URL": ""}
    # Who wrote http means it.
    return {**settings, **({"PIP_TRUSTED_HOST": parts.netloc} if parts.scheme == "http" else {})}


def without_login(text):
    for secret in (PASSWORD, quote(PASSWORD, safe="")):
        text = text.replace(secret, "****") if secret else text
    return text


def reason(said):
    """What pip says, in the words of who asked."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    begin = next((number for number, line in enumerate(lines) if line.startswith(CONFLICT)), None)
    if begin is None:
        found = [line.partition("ERROR: ")[2] for line in lines if line.startswith("ERROR: ")]
        return (found or ["pip says: %s" % " ".join(lines[-3:])])[-1]
    ended = next((number for number, line in enumerate(lines) if line.startswith("To fix this")), len(lines))
    told = []
    for line in lines[begin + 1:ended]:
        of_image = BY_PIP.fullmatch(line)
        if of_image:
            needs = needed_by(canonicalize_name(of_image[1]))
            told.append("the image has %s %s%s" % (of_image[1], of_image[2], needs))
        else:
            told.append(re.sub(r"^The user requested (.*)", r"\\1 is asked for", line))
    return "; ".join(told)


def resolved(arguments, work):
    """What has to be installed, and the settings of pip that found it."""
    report = work / "report.json"
    command = ["install", "--dry-run", "--report", str(report), *arguments]
    alone = pip(command, {"PIP_NO_INDEX": "1"})
    if alone.returncode == 0:
        return json.loads(report.read_text())["install"], {"PIP_NO_INDEX": "1"}
    index = asked_index()
    # Only so does pip tell that an index refused it.
    with_index = pip([*command, "-vv"], index)
    if with_index.returncode == 0:
        return json.loads(report.read_text())["install"], index
    troubles = [(what, next_step) for words, what, next_step in OF_INDEX if words in with_index.stdout]
    if not troubles and not any(words in with_index.stdout for words in UNREACHABLE):
        raise Refusal(reason(with_index.stdout), CORRECT)
    if CONFLICT in alone.stdout:
        raise Refusal(reason(alone.stdout), CORRECT)
    if troubles:
        raise Refusal(*troubles[0])
    missing = MISSING.search(alone.stdout)
    raise Refusal(
        "%s is not among the uploaded wheels, and no package index can be reached"
        % (missing[1] if missing else "what is needed"),
        "Upload the wheels of all that is needed, or set python_index to an index that the cluster reaches",
    )


def line(item):
    name, version = item["metadata"]["name"], item["metadata"]["version"]
    source = item["download_info"]
    if item.get("is_direct"):
        return "%s @ %s" % (name, source["url"])
    return "%s==%s" % (name, version)


def install(work):
    image = packages()
    text, wheels = WANTED / "requirements.txt", WANTED / "wheels"
    both = list(conflicts(asked(text), image))
    if both:
        raise Refusal("; ".join(both), CORRECT)
    constraints = work / "constraints.txt"
    constraints.write_text("".join("%s==%s\\n" % item for item in sorted(image.items())))
    stock = ["--find-links", str(wheels)] if wheels.is_dir() else []
    found, index = resolved(["-c", str(constraints), *stock, "-r", str(text)], work)
    replaced = [line(item) for item in found if canonicalize_name(item["metadata"]["name"]) in image]
    if replaced:
        raise Refusal("%s would take the place of what the image has" % ", ".join(replaced), CORRECT)
    exact = work / "exact.txt"
    exact.write_text("".join("%s\\n" % line(item) for item in found))
    place = work / "libraries"
    place.mkdir()
    if found:
        done = pip(["install", "--no-deps", "--no-compile", "--target", str(place), *stock, "-r", str(exact)], index)
        if done.returncode:
            raise Refusal(reason(done.stdout), CORRECT)
    # A file that is no Python of this version is none that anybody imports.
    compileall.compile_dir(str(place), quiet=2, stripdir=str(place), prependdir=PLACE)
    os.sync()
    try:
        place.rename(TARGET)
    except OSError:
        # Another service with the same image was quicker.
        if not TARGET.is_dir():
            raise
    print("libraries: %s" % (", ".join(sorted(map(line, found))) or "the image has all of them"))


def main():
    if TARGET.is_dir():
        print("libraries: they are installed already")
        return
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    work = TARGET.parent / (".%s-%s" % (TARGET.name, os.uname().nodename))
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        install(work)
    except Refusal as refusal:
        print(json.dumps({"refused": without_login(refusal.what), "next_step": refusal.next_step}))
        sys.exit(1)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
'''
