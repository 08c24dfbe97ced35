# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a Data Ops Service as its modules take them, and the request that they make of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import door
from .airflow.broker import TYPES as BROKERS
from .airflow.database import SSL_MODES
from .airflow.git import credentials
from .airflow.git.spec import MODES
from .airflow.plan import Request
from .airflow.spec import EXECUTORS
from .airflow.versions import PROFILES
from .common import record

REPOSITORY: dict[str, Any] = {
    "repo": {"type": "str"},
    "ref": {"type": "str"},
    "subdir": {"type": "str"},
    "interval": {"type": "int"},
    "depth": {"type": "int"},
    "submodules": {"type": "bool"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ssh_key": {"type": "str", "no_log": True},
    "known_hosts": {"type": "str"},
    "ca": {"type": "str"},
}
GIT_SYNC: dict[str, Any] = {
    "mode": {"type": "str", "choices": list(MODES)},
    **REPOSITORY,
    "repositories": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, **REPOSITORY},
    },
}
# Names of Secrets and of keys in them: nothing secret, although Ansible takes them for it.
LOGIN: dict[str, Any] = {
    "secret": {"type": "str", "no_log": False},
    "username_key": {"type": "str", "no_log": False},
    "password_key": {"type": "str", "no_log": False},
    "ca_secret": {"type": "str", "no_log": False},
    "ca_key": {"type": "str", "no_log": False},
}
DATABASE: dict[str, Any] = {
    "host": {"type": "str"},
    "port": {"type": "int"},
    "name": {"type": "str"},
    "ssl_mode": {"type": "str", "choices": list(SSL_MODES)},
    "moved_from": {"type": "str"},
    **LOGIN,
}
BROKER: dict[str, Any] = {
    "type": {"type": "str", "choices": list(BROKERS)},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "database": {"type": "int"},
    "vhost": {"type": "str"},
    "tls": {"type": "bool"},
    **LOGIN,
}
# What a service is made of, and the record keeps.
OWN: dict[str, Any] = {
    "executor": {"type": "str", "choices": list(EXECUTORS)},
    "tls_secret": {"type": "str", "no_log": False},
    "drain_timeout": {"type": "int"},
    "flower": {"type": "dict", "options": {"enabled": {"type": "bool"}}},
    "version": {"type": "str", "choices": sorted(PROFILES)},
    "git_sync": {"type": "dict", "options": GIT_SYNC},
    "database": {"type": "dict", "options": DATABASE},
    "broker": {"type": "dict", "options": BROKER},
    "config": {"type": "dict"},
    "environment": {"type": "dict"},
    "overrides": {"type": "dict"},
    "image_registry": {"type": "str"},
    "image": {"type": "str"},
    **door.SIZES,
    **door.PLACEMENT,
    **door.SHARED,
}
# In a patch of a pod null is a value: it deletes.
VERBATIM = frozenset({"overrides"})
# Which service it is.
IDENTITY: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "manager": {"type": "str", "required": True},
    "namespace": {"type": "str"},
}


def request(params: Mapping[str, Any], **how: Any) -> Request:
    """What was asked of a service; secrets leave the options here and travel beside them."""
    options = record.asked({name: params[name] for name in OWN}, verbatim=VERBATIM)
    return Request(
        name=params["name"],
        manager=params["manager"],
        namespace=params["namespace"] or params["manager"],
        account_password=record.take(options, "account", "password"),
        git=credentials.take(options),
        options=options,
        **how,
    )
