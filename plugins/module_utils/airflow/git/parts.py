# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GitSync adds to a pod that runs the code of DAGs, in either mode."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...kube.objects import Manifest
from .. import names
from ..spec import ServiceSpec
from . import credentials, sidecar
from .spec import SIDECAR


@dataclass(frozen=True)
class Parts:
    """Additions to Airflow's own container (environment, mounts), and to its pod."""

    environment: list[Manifest] = field(default_factory=list)
    environment_from: list[Manifest] = field(default_factory=list)
    mounts: list[Manifest] = field(default_factory=list)
    volumes: list[Manifest] = field(default_factory=list)
    init_containers: list[Manifest] = field(default_factory=list)
    sidecars: list[Manifest] = field(default_factory=list)


def of_component(spec: ServiceSpec, image: str) -> Parts:
    """:param image: Airflow's."""
    if spec.git_sync is None or spec.git_sync.mode != SIDECAR:
        return with_bundles(spec)
    return Parts(
        mounts=[sidecar.DAGS_MOUNT],
        volumes=sidecar.volumes(spec),
        init_containers=sidecar.init_containers(spec, spec.git_sync, image),
        sidecars=sidecar.containers(spec, spec.git_sync),
    )


def of_task(spec: ServiceSpec, image: str) -> Parts:
    """A task's pod takes the newest commit once: what would change while it runs could break it."""
    if spec.git_sync is None or spec.git_sync.mode != SIDECAR:
        return with_bundles(spec)
    return Parts(
        environment=[],
        mounts=[sidecar.DAGS_MOUNT],
        volumes=sidecar.volumes(spec),
        init_containers=sidecar.task_init_containers(spec, spec.git_sync, image),
    )


def with_bundles(spec: ServiceSpec) -> Parts:
    """Airflow runs git itself. All of this is the same for every repository, so none changes a pod template.

    The credential is mounted as a folder: a new password arrives without a restart.
    """
    return Parts(
        environment=git_environment(),
        environment_from=[{"configMapRef": {"name": names.git(spec.name), "optional": True}}],
        mounts=[credential_mount(), {"name": "bundles", "mountPath": names.BUNDLES}],
        volumes=[credential_volume(names.git(spec.name)), {"name": "bundles", "emptyDir": {}}],
    )


def git_environment() -> list[Manifest]:
    """Our settings for git beside those that the image may hold; a question would wait for ever."""
    return [
        {"name": "GIT_CONFIG_COUNT", "value": "1"},
        {"name": "GIT_CONFIG_KEY_0", "value": "include.path"},
        {"name": "GIT_CONFIG_VALUE_0", "value": credentials.CONFIG_PATH},
        {"name": "GIT_TERMINAL_PROMPT", "value": "0"},
    ]


def credential_mount() -> Manifest:
    return {"name": "git", "mountPath": names.GIT, "readOnly": True}


def credential_volume(secret: str) -> Manifest:
    """Readable by the group: ssh takes such a key because its owner, root, is somebody else."""
    return {"name": "git", "secret": {"secretName": secret, "optional": True, "defaultMode": 0o440}}
