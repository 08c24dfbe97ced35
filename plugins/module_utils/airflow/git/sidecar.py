# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The git-sync containers of the sidecar mode, by git-sync's flags only.

Flags, because a misspelt one is an error while a misspelt variable is ignored; and of its variables the deprecated ones
win over the new. A folder per repository holds its worktrees and the link that git-sync swaps when a commit is
complete; Airflow mounts the folder above, since a mounted link would for ever lead to the first commit.
"""

from __future__ import annotations

from dataclasses import replace

from ...kube.objects import Manifest
from .. import authorities, names
from ..spec import ServiceSpec
from ..versions import GIT_SYNC_IMAGE, GIT_SYNC_REGISTRY
from . import bundles, credentials
from .spec import GitSync, Repository

# The user of the image, who has an entry in its /etc/passwd: ssh does not run without one.
USER = 65533
ROOT = "/git"
FIRST_PORT = 1234
SYNC_SECONDS = 120
# Readers keep the files of the commit before for so long.
STALE_SECONDS = 300
ATTEMPTS = 5
RETRY_SECONDS = 5
STARTUP_SECONDS = 300

SECURITY: Manifest = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsUser": USER,
}
RESOURCES: Manifest = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
DAGS_MOUNT: Manifest = {"name": "dags", "mountPath": names.DAGS, "readOnly": True}
MOUNTS: list[Manifest] = [
    {"name": "dags", "mountPath": ROOT},
    {"name": "git", "mountPath": names.GIT, "readOnly": True},
    {"name": "git-tmp", "mountPath": "/tmp"},
]


def image(spec: ServiceSpec) -> str:
    """From the registry of the service, else from the one where git-sync is published."""
    return f"{spec.image_registry or GIT_SYNC_REGISTRY}/{GIT_SYNC_IMAGE}"


def volumes(spec: ServiceSpec) -> list[Manifest]:
    credential = {"secretName": names.git(spec.name), "optional": True, "defaultMode": 0o440}
    return [
        {"name": "git", "secret": credential},
        {"name": "dags", "emptyDir": {}},
        {"name": "git-tmp", "emptyDir": {}},
    ]


def init_containers(spec: ServiceSpec, git: GitSync, airflow_image: str) -> list[Manifest]:
    """The first commit is there before Airflow starts; it would remember an empty folder."""
    first = [container(spec, f"git-init-{item.name}", [*flags(spec, item), *once()]) for item in git.repositories]
    return [*first, *links(spec, git, airflow_image)]


def task_init_containers(spec: ServiceSpec, git: GitSync, airflow_image: str) -> list[Manifest]:
    """The same, with address and ref by reference: the scheduler holds the template of task pods, and needs no restart
    for another ref."""
    first = []
    for place, item in enumerate(git.repositories):
        referenced = {f"REPO_{place}": reference(item, "repo"), f"REF_{place}": reference(item, "ref")}
        shown = replace(item, repo=f"$(REPO_{place})", ref=f"$(REF_{place})")
        made = container(spec, f"git-init-{item.name}", [*flags(spec, shown, by_ssh=item.by_ssh), *once()])
        made["env"] = [
            {"name": variable, "valueFrom": {"configMapKeyRef": {"name": names.git(spec.name), "key": key}}}
            for variable, key in referenced.items()
        ]
        first.append(made)
    return [*first, *links(spec, git, airflow_image)]


def reference(item: Repository, key: str) -> str:
    return f"{item.name}.{key}"


def referenced(git: GitSync) -> dict[str, str]:
    """What the template of task pods refers to, by key of the ConfigMap."""
    return {
        **{reference(item, "repo"): item.repo for item in git.repositories},
        **{reference(item, "ref"): item.ref for item in git.repositories},
    }


def containers(spec: ServiceSpec, git: GitSync) -> list[Manifest]:
    """One for each repository, each with a port of its own: the containers of a pod share them."""
    return [standing(spec, item, FIRST_PORT + place) for place, item in enumerate(git.repositories)]


def standing(spec: ServiceSpec, item: Repository, port: int) -> Manifest:
    arguments = [
        *flags(spec, item),
        # Airflow goes on with the last commit for as long as the server is away.
        "--max-failures=-1",
        f"--period={item.interval}s",
        f"--http-bind=:{port}",
        "--http-metrics=true",
    ]
    check = {"httpGet": {"path": "/", "port": port}}
    return {
        **container(spec, f"git-sync-{item.name}", arguments),
        "ports": [{"name": f"git-sync-{port}", "containerPort": port, "protocol": "TCP"}],
        "startupProbe": {**check, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": STARTUP_SECONDS // 5},
        "livenessProbe": {**check, "periodSeconds": 60, "timeoutSeconds": 10, "failureThreshold": 5},
    }


def container(spec: ServiceSpec, name: str, arguments: list[str]) -> Manifest:
    return {
        "name": name,
        "image": image(spec),
        "args": arguments,
        "resources": RESOURCES,
        "securityContext": SECURITY,
        "volumeMounts": MOUNTS,
    }


def settings(spec: ServiceSpec) -> str:
    """Git's own: the file that it reads in bundle mode, too. It names the credential, which is read anew each time.

    git-sync keeps git from reading the settings of its system, where the service's authorities are.
    """
    trusted = f",http.sslCAInfo:{authorities.BUNDLE}" if spec.placement.ca_certificates else ""
    return f"include.path:{credentials.CONFIG_PATH}{trusted}"


def flags(spec: ServiceSpec, item: Repository, *, by_ssh: bool | None = None) -> list[str]:
    """What init container and sidecar have in common. ``by_ssh``: where the address itself does not tell."""
    ssh = [
        f"--ssh-key-file={credentials.path(item, credentials.SSH_KEY)}",
        "--ssh-known-hosts=true",
        f"--ssh-known-hosts-file={credentials.path(item, credentials.KNOWN_HOSTS)}",
    ]
    return [
        f"--repo={item.repo}",
        f"--ref={item.ref}",
        f"--root={ROOT}/{item.name}",
        f"--link={bundles.LINK}",
        f"--depth={item.depth}",
        f"--submodules={'recursive' if item.submodules else 'off'}",
        f"--git-config={settings(spec)}",
        *(ssh if (item.by_ssh if by_ssh is None else by_ssh) else []),
        f"--sync-timeout={SYNC_SECONDS}s",
        f"--stale-worktree-timeout={STALE_SECONDS}s",
    ]


def once() -> list[str]:
    return ["--one-time", f"--max-failures={ATTEMPTS}", f"--period={RETRY_SECONDS}s"]


def links(spec: ServiceSpec, git: GitSync, airflow_image: str) -> list[Manifest]:
    """Where Airflow knows but one folder, it gets one with a link to the DAGs of each repository."""
    folder = bundles.dags_folder(git, spec.profile)
    if folder != names.ALL_DAGS:
        return []
    made = " && ".join(f"ln -sfn {bundles.folder(item)} {folder}/{item.name}" for item in git.repositories)
    return [
        {
            "name": "dags-folder",
            "image": airflow_image,
            "command": ["sh", "-c", f"mkdir -p {folder} && {made}"],
            "resources": RESOURCES,
            "securityContext": {key: value for key, value in SECURITY.items() if key != "runAsUser"},
            "volumeMounts": [{"name": "dags", "mountPath": names.DAGS}],
        }
    ]
