# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Manager as its services see it: its record, and what they inherit from it.

A namespace has one Manager, so the names of its objects are fixed and finding it takes one GET.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..kube.client import Kube
from ..kube.objects import Manifest
from . import record
from .labels import INSTANCE

RECORD = "dataops-manager-record"
# The volume of uploaded files, which every pod of every service reads.
FILES = "dataops-manager-files"
# Which of these files each service uses; see airflow/uploads/spec.py.
PUBLISHED = "dataops-manager-published"
# Options of the Manager itself that hold for its services as well.
PASSED_ON = ("version", "domain", "storage_class", "ingress_class", "image_registry")


def find(kube: Kube, namespace: str, name: str) -> Manifest | None:
    """The record of Manager ``name``; None when the namespace has no Manager.

    :raises Refused: when the namespace belongs to another Manager.
    """
    return checked(kube.get("ConfigMap", RECORD, namespace), namespace, name)


def find_with_published(kube: Kube, namespace: str, name: str) -> tuple[Manifest | None, Manifest | None]:
    """The record as :func:`find` gives it, and what the Manager has published, in one round of requests."""
    manifest, published = kube.each(
        lambda config_map: kube.get("ConfigMap", config_map, namespace), (RECORD, PUBLISHED)
    )
    return checked(manifest, namespace, name), published


def checked(manifest: Manifest | None, namespace: str, name: str) -> Manifest | None:
    if manifest is None:
        return None
    found = manifest["metadata"].get("labels", {}).get(INSTANCE, "")
    if found != name:
        raise Refused(
            f"namespace {namespace} belongs to Manager '{found}'",
            where="namespace",
            next_step=f"Use another namespace for '{name}', or name Manager '{found}'",
        )
    return manifest


def inherited(manifest: Manifest | None) -> dict[str, Any]:
    """Options that a service has unless it chooses."""
    return passed_on(record.read(manifest))


def passed_on(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a Manager with these options passes on: its default settings over its own domain and classes."""
    own = {key: options[key] for key in PASSED_ON if key in options}
    return {**own, **options.get("default_settings", {})}
