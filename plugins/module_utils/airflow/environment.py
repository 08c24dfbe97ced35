# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``environment``: variables of a user's own in the containers that run Airflow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..common import validation as check
from ..common.secret_keys import Value, is_reference, reference
from ..errors import BadOption
from . import names, settings
from .knowledge import knowledge

# Airflow's own containers; the database and the broker are not configured by variables of a user.
ALL, TASK, JOBS = "all", "task", "jobs"
PARTS = (ALL, "web-server", "scheduler", "dag-processor", "triggerer", "worker", TASK, JOBS)

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SETTING = re.compile(r"AIRFLOW__(.+?)__(.+)")
SECRET_NAME = re.compile(
    r"(PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|(API|SECRET|PRIVATE|ACCESS|FERNET)_?KEY)$", re.IGNORECASE
)
CONNECTION = "AIRFLOW_CONN_"
INTERNAL = "The service sets it itself; leave it out"
PROXY = "Use the option egress_proxy"
AUTHORITIES = "Use the option ca_certificates"
OWNED: Mapping[str, str] = {
    "ACCOUNT_ID": "Use the option account",
    "ACCOUNT_PASSWORD": "Use the option account",
    "AIRFLOW_CONFIG": "Use the option config",
    "AIRFLOW_HOME": INTERNAL,
    "CONNECTION_CHECK_MAX_COUNT": INTERNAL,
    "CURL_CA_BUNDLE": AUTHORITIES,
    "DUMB_INIT_SETSID": INTERNAL,
    "FORWARDED_ALLOW_IPS": INTERNAL,
    "HTTP_PROXY": PROXY,
    "HTTPS_PROXY": PROXY,
    "NO_PROXY": PROXY,
    "PGSSLROOTCERT": "Use the option database",
    "REQUESTS_CA_BUNDLE": AUTHORITIES,
    "SSL_CERT_FILE": AUTHORITIES,
}
# What begins like this belongs to the service: git's own settings, and the image's steps before Airflow starts.
OWNED_BEGINNINGS = {
    "GIT_CONFIG_": "Use the option git_sync",
    f"{CONNECTION}{names.GIT_CONNECTION.upper()}": "Use the option git_sync",
    "_AIRFLOW_": INTERNAL,
    "_PIP_": "Use an image of your own",
}

Environment = dict[str, dict[str, Value]]


def environment(raw: Mapping[str, Any], version: str, at: str = "environment") -> Environment:
    """Variables by part, in order, each checked.

    :raises BadOption: for a part or a name that cannot be, a variable that the service sets, a secret in plain text.
    """
    check.known_keys(raw, PARTS, at)
    for part, variables in raw.items():
        if not isinstance(variables, Mapping):
            raise BadOption(
                "it is no part with variables", where=f"{at}.{part}", next_step="Write {part: {NAME: value}}"
            )
    return {
        part: {name: value_of(name, value, version, f"{at}.{part}.{name}") for name, value in sorted(variables.items())}
        for part, variables in sorted(raw.items())
    }


def value_of(name: str, raw: Any, version: str, at: str) -> Value:
    if not NAME.fullmatch(name):
        raise BadOption("this is no name of a variable", where=at, next_step="Use letters, digits and '_'")
    refuse_owned(name, at)
    setting = SETTING.fullmatch(name)
    if setting:
        section, option = located(setting[1], setting[2], version)
        return settings.value_of(section, option, raw, version, at)
    if is_reference(raw):
        return reference(raw, at)
    if name.startswith(CONNECTION):
        raise BadOption("a connection holds a password", where=at, next_step=settings.BY_SECRET)
    return plain_value(name, raw, at)


def plain_value(name: str, raw: Any, at: str) -> str:
    """A value that anybody may read who may read the service."""
    if isinstance(raw, list | Mapping):
        raise BadOption("it is no text", where=at, next_step="Write a text, or {secret: NAME, key: KEY}")
    # YAML reads an unquoted true as a boolean; programs look for the word in small letters.
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if text and (SECRET_NAME.search(name) or settings.USER_IN_URL.search(text)):
        raise BadOption("it reads like a secret in plain text", where=at, next_step=settings.BY_SECRET)
    return text


def refuse_owned(name: str, at: str) -> None:
    instead = OWNED.get(name.upper()) or next(
        (step for start, step in OWNED_BEGINNINGS.items() if name.startswith(start)), ""
    )
    if instead:
        raise BadOption("the service sets this variable", where=at, next_step=instead)


def located(section: str, option: str, version: str) -> tuple[str, str]:
    """Section and option that a variable stands for; a dot in a section's name is written as ``_``."""
    section = section.lower()
    known = {name.replace(".", "_"): name for name in knowledge(version).options}
    return known.get(section, section), option.lower()
