# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of Managers and Services as data, and the request that they make of them.

They are written as argument specs, since modules are asked that way; nothing here needs Ansible, and the console's API
is made of the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .airflow.broker import TYPES as BROKERS
from .airflow.database import SSL_MODES
from .airflow.git import credentials
from .airflow.git.spec import MODES
from .airflow.plan import Request
from .airflow.spec import EXECUTORS
from .airflow.versions import PROFILES
from .common import record

RESOURCES: dict[str, Any] = {name: {"type": "str"} for name in ("cpu", "memory", "cpu_limit", "memory_limit")}
SIZE: dict[str, Any] = {**RESOURCES, "replicas": {"type": "int"}}
AUTOSCALING: dict[str, Any] = {
    **{name: {"type": "int"} for name in ("min_replicas", "max_replicas", "cpu_percent")},
    "type": {"type": "str", "choices": ["hpa", "keda"]},
}
WORKER: dict[str, Any] = {
    **SIZE,
    "concurrency": {"type": "int"},
    "autoscaling": {"type": "dict", "options": AUTOSCALING},
}
SIZES: dict[str, Any] = {
    "size": {"type": "str", "choices": ["small", "recommended"]},
    **{name: {"type": "dict", "options": SIZE} for name in ("web_server", "scheduler", "dag_processor", "triggerer")},
    "worker": {"type": "dict", "options": WORKER},
    "task_pod": {"type": "dict", "options": RESOURCES},
}
ACCOUNT: dict[str, Any] = {
    "type": "dict",
    "options": {"id": {"type": "str"}, "password": {"type": "str", "no_log": True}},
}
HOST_ALIASES: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "ip": {"type": "str", "required": True},
        "hostnames": {"type": "list", "elements": "str", "required": True},
    },
}
# Where pods run and what they reach: options of a service that a Manager may set for all of them.
PLACEMENT: dict[str, Any] = {
    "tolerations": {
        "type": "list",
        "elements": "dict",
        "options": {
            **{name: {"type": "str"} for name in ("operator", "value", "effect")},
            # The name of a taint; Ansible takes the word for a secret.
            "key": {"type": "str", "no_log": False},
            "tolerationSeconds": {"type": "int"},
        },
    },
    "affinity": {"type": "dict"},
    "priority_class": {"type": "str"},
    "ca_certificates": {"type": "str"},
    "egress_proxy": {
        "type": "dict",
        "options": {
            "http": {"type": "str"},
            "https": {"type": "str"},
            "no_proxy": {"type": "list", "elements": "str"},
        },
    },
    "image_pull_secrets": {"type": "list", "elements": "str", "no_log": False},
    # The secret is one's name.
    "python_index": {"type": "dict", "options": {"url": {"type": "str"}, "secret": {"type": "str", "no_log": False}}},
}
MONITORING: dict[str, Any] = {
    "enabled": {"type": "bool"},
    "labels": {"type": "dict"},
    "dashboard": {"type": "bool"},
    "interval": {"type": "int"},
}
# Options that both a Manager and a Service have.
SHARED: dict[str, Any] = {
    "description": {"type": "str"},
    "domain": {"type": "str"},
    "storage_class": {"type": "str"},
    "storage_size": {"type": "str"},
    "account": ACCOUNT,
    "node_selector": {"type": "dict"},
    "host_aliases": HOST_ALIASES,
    "tags": {"type": "dict"},
}

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
VERSION: dict[str, Any] = {"type": "str", "choices": sorted(PROFILES)}
# What a Service is made of, and the record keeps.
OWN: dict[str, Any] = {
    "executor": {"type": "str", "choices": list(EXECUTORS)},
    "tls_secret": {"type": "str", "no_log": False},
    "drain_timeout": {"type": "int"},
    "flower": {"type": "dict", "options": {"enabled": {"type": "bool"}}},
    "version": VERSION,
    "git_sync": {"type": "dict", "options": GIT_SYNC},
    "database": {"type": "dict", "options": DATABASE},
    "broker": {"type": "dict", "options": BROKER},
    "config": {"type": "dict"},
    "environment": {"type": "dict"},
    "overrides": {"type": "dict"},
    "image_registry": {"type": "str"},
    "image": {"type": "str"},
    **SIZES,
    **PLACEMENT,
    "monitoring": {"type": "dict", "options": MONITORING},
    **SHARED,
}
DEFAULT_SETTINGS: dict[str, Any] = {
    "domain": {"type": "str"},
    "storage_class": {"type": "str"},
    "node_selector": {"type": "dict"},
    "host_aliases": HOST_ALIASES,
    **SIZES,
    **PLACEMENT,
    "monitoring": {"type": "dict", "options": MONITORING},
    "config": {"type": "dict"},
    "environment": {"type": "dict"},
}
# What a Manager is made of.
MANAGER: dict[str, Any] = {
    **SHARED,
    "version": VERSION,
    "ingress_class": {"type": "str"},
    "tls_secret": {"type": "str", "no_log": False},
    "image_registry": {"type": "str"},
    "console": {"type": "dict", "options": {**RESOURCES, "path": {"type": "str"}}},
    "default_settings": {"type": "dict", "options": DEFAULT_SETTINGS},
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
