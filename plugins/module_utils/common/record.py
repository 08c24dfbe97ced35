# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record: what was asked of a Manager or a Service, kept in a ConfigMap so that an update names only what changes.

It holds the options as they were written, never what was inherited or defaulted, and never a secret. A later release
with better defaults, or a Manager with other default settings, therefore reaches every service that did not choose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..kube.objects import Manifest
from .labels import labels

KEY = "spec.json"


def asked(options: Mapping[str, Any], *, verbatim: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Options that were really given: Ansible fills what was left out with ``None``, at every depth.

    A dictionary whose keys were all left out was written as ``{}``: that is an explicit empty value and stays.

    :param verbatim: options of which the values inside are taken as they are, ``None`` included.
    """
    given: dict[str, Any] = {}
    for key, value in options.items():
        if isinstance(value, Mapping) and key in verbatim:
            given[key] = {part: inner for part, inner in value.items() if inner is not None}
        elif isinstance(value, Mapping):
            given[key] = asked(value)
        elif isinstance(value, list):
            given[key] = [asked(item) if isinstance(item, Mapping) else item for item in value]
        elif value is not None:
            given[key] = value
    return given


def take(options: dict[str, Any], option: str, key: str) -> str | None:
    """Take a secret out of the options, so that it can neither be recorded nor shown; None when it was not given."""
    part = options.get(option, {})
    value: str | None = part.pop(key, None)
    if value is not None and not part:
        # Naming only the secret must not read as an explicit empty value.
        del options[option]
    return value


def merged(recorded: Mapping[str, Any], given: Mapping[str, Any], *, nested: frozenset[str]) -> dict[str, Any]:
    """What holds now: given options over recorded ones.

    Options whose path is in ``nested`` (fixed keys, such as a size) are merged key by key; all others are replaced as a
    whole. In a path ``*`` stands for any key: ``config`` and ``config.*`` merge two levels. An empty value clears the
    option, so that its default or what it inherits applies again.
    """
    return _merged(recorded, given, nested, "")


def _merged(recorded: Mapping[str, Any], given: Mapping[str, Any], nested: frozenset[str], at: str) -> dict[str, Any]:
    result = dict(recorded)
    for key, value in given.items():
        path = f"{at}{key}" if f"{at}{key}" in nested else f"{at}*"
        old = result.get(key, {})
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        kept = _merged(old, value, nested, f"{path}.") if path in nested and both and value else value
        if kept in ("", [], {}):
            result.pop(key, None)
        else:
            result[key] = kept
    return result


def read(manifest: Manifest | None) -> dict[str, Any]:
    """The recorded options; empty when there is no record."""
    if manifest is None:
        return {}
    options: dict[str, Any] = json.loads(manifest.get("data", {}).get(KEY, "{}"))
    return options


def manifest(kind: str, instance: str, manager: str, namespace: str, name: str, options: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": labels(kind, instance, manager, "record")},
        "data": {KEY: json.dumps(options, sort_keys=True, indent=1, ensure_ascii=False)},
    }
