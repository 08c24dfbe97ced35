"""Prepare the home folder that `ansible-test sanity` gets, and print its path.

ansible-test makes one virtual environment per test. It drops almost every environment variable on the way, and it
loads the installer of pip from a host of its own that closed networks do not reach. Both are answered in files under
HOME, one of the few variables it passes on: pip's configuration as it holds here, and, in the place where the
installer would be kept after loading it, a few lines that use the pip that comes with Python.
"""

from __future__ import annotations

import ast
import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import ansible_test

INSTALLER = '''
"""Install pip into the virtual environment this runs in, from what Python itself brings."""
import subprocess
import sys

arguments = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *arguments]).returncode)
'''.lstrip()


def pip_version() -> str:
    """The version ansible-test asks for; it is part of the file name it looks for."""
    source = Path(ansible_test.__path__[0], "_internal", "python_requirements.py").read_text()
    found = re.search(r"pip='([0-9.]+)'", source)
    if not found:
        sys.exit("This ansible-test does not say which pip it wants; scripts/lib/sanity_home.py must learn where.")
    return found[1]


def pip_settings() -> configparser.RawConfigParser:
    """pip's configuration as it holds here: files, environment, proxy and certificates."""
    settings = configparser.RawConfigParser()
    settings["global"] = {}
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    if proxy:
        settings["global"]["proxy"] = proxy
    if os.environ.get("SSL_CERT_FILE"):
        settings["global"]["cert"] = os.environ["SSL_CERT_FILE"]
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True)
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        section = "global" if section == ":env:" else section
        if not settings.has_section(section):
            settings.add_section(section)
        settings[section][option] = ast.literal_eval(value)
    return settings


def main(home: Path) -> None:
    installer = home / ".ansible" / "test" / "cache" / f"get_pip_{pip_version().replace('.', '_')}.py"
    installer.parent.mkdir(parents=True, exist_ok=True)
    installer.write_text(INSTALLER)
    config = home / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    with config.open("w") as file:
        pip_settings().write(file)
    print(home)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
