# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploaded files in the pods of a service: shared files always, plugins and libraries where there are any.

A pod mounts generations by name. Another generation is therefore another pod template, which the usual ordered rollout
brings to each component, while pods that still run keep what they started with.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...common import owner
from ...kube.objects import Manifest
from .. import names
from ..pieces import digest
from ..spec import ServiceSpec
from .spec import Uploads

PLUGINS, LIBRARIES = "generations/plugins", "generations/libraries"
VOLUME: Manifest = {"name": "files", "persistentVolumeClaim": {"claimName": owner.FILES}}
# All of the volume, to write to it.
WHOLE: Manifest = {"name": "files", "mountPath": names.FILES}


def shared_folder(spec: ServiceSpec) -> str:
    return f"shared/{spec.name}"


def plugins_folder(spec: ServiceSpec) -> str:
    return f"{PLUGINS}/{spec.uploads.plugins}"


def requirements_folder(spec: ServiceSpec) -> str:
    return f"generations/requirements/{spec.uploads.requirements}"


def libraries_folder(spec: ServiceSpec, image: str) -> str:
    """Libraries are made for one image: what it has already decides what is installed."""
    return f"{LIBRARIES}/{libraries(spec.uploads, image)}"


def libraries(uploads: Uploads, image: str) -> str:
    """The generation of libraries; empty when none are asked for."""
    return digest(uploads.requirements, image) if uploads.requirements else ""


def mounts(spec: ServiceSpec, image: str) -> list[Manifest]:
    """Of every container that runs Airflow.

    :param image: Airflow's, here and below.
    """
    at_start = {"name": "config", "mountPath": f"{names.PYTHON}/{names.AT_START}", "subPath": names.AT_START}
    return [*folders(spec, image), *([{**at_start, "readOnly": True}] if spec.uploads.requirements else [])]


def folders(spec: ServiceSpec, image: str) -> list[Manifest]:
    """The files alone, without what makes libraries importable."""
    return [
        mount(names.SHARED, shared_folder(spec)),
        *([mount(names.PLUGINS, plugins_folder(spec))] if spec.uploads.plugins else []),
        *([mount(names.LIBRARIES, libraries_folder(spec, image))] if spec.uploads.requirements else []),
    ]


def mount(path: str, folder: str) -> Manifest:
    return {"name": "files", "mountPath": path, "subPath": folder, "readOnly": True}


@dataclass(frozen=True)
class Mounted:
    """Generations by name, as pods of one image mount them; empty for none."""

    plugins: str
    libraries: str


def in_use(deployment: Manifest) -> Mounted:
    """What a component that runs Airflow has."""
    mounted = {item["mountPath"]: item.get("subPath", "") for item in main(deployment).get("volumeMounts", [])}
    return Mounted(
        plugins=mounted.get(names.PLUGINS, "").removeprefix(f"{PLUGINS}/"),
        libraries=mounted.get(names.LIBRARIES, "").removeprefix(f"{LIBRARIES}/"),
    )


def expected(deployment: Manifest, uploads: Uploads) -> Mounted:
    """What it has when it uses these files."""
    return Mounted(plugins=uploads.plugins, libraries=libraries(uploads, main(deployment)["image"]))


def main(deployment: Manifest) -> Manifest:
    container: Manifest = deployment["spec"]["template"]["spec"]["containers"][0]
    return container


def environment(spec: ServiceSpec) -> list[Manifest]:
    """Makes libraries importable, after whatever the image has."""
    return [{"name": "PYTHONPATH", "value": names.PYTHON}] if spec.uploads.requirements else []


def folder_maker(spec: ServiceSpec, image: str) -> Manifest:
    """An init container of the Jobs that come before all else: the kubelet would make the folder as root."""
    return {
        "name": "shared-folder",
        "image": image,
        # Whoever writes there later has the same group, and perhaps another user.
        "command": ["sh", "-c", f"umask 002; mkdir -p {names.FILES}/{shared_folder(spec)}"],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [WHOLE],
    }
