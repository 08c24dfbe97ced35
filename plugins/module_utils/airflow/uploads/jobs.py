# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that try uploaded files before anything uses them.

Their names are made of content: files, libraries and image that were tried together once are not tried again.
"""

from __future__ import annotations

from ...kube.objects import Manifest
from .. import names, pods
from ..pieces import digest, job
from ..spec import ServiceSpec
from . import mounts
from .index import PythonIndex
from .library_script import LIBRARIES
from .plugin_script import PLUGINS


def jobs(spec: ServiceSpec) -> list[Manifest]:
    """In the order in which they have to run: plugins import libraries."""
    uploads = spec.uploads
    return [
        *([libraries_job(spec)] if uploads.requirements else []),
        *([plugins_job(spec)] if uploads.plugins else []),
    ]


def libraries_job(spec: ServiceSpec) -> Manifest:
    image = pods.airflow_image(spec)
    environment = [
        pods.NO_DATABASE_CHECK,
        pods.plain("REQUIREMENTS", f"{names.FILES}/{mounts.requirements_folder(spec)}"),
        pods.plain("LIBRARIES", f"{names.FILES}/{mounts.libraries_folder(spec, image)}"),
        *index(spec.python_index),
    ]
    container = pods.job_container(spec, "libraries", ["python", "-c", LIBRARIES], environment, [mounts.WHOLE])
    pod = pods.job_pod(spec, container, [mounts.VOLUME], account=None)
    return job(spec, f"{spec.name}-libraries-{mounts.libraries(spec.uploads, image)}", "libraries", pod, retries=0)


def index(chosen: PythonIndex | None) -> list[Manifest]:
    if chosen is None:
        return []
    login = {"INDEX_USERNAME": "username", "INDEX_PASSWORD": "password"} if chosen.secret else {}
    return [
        pods.plain("INDEX_URL", chosen.url),
        *(pods.from_secret(variable, chosen.secret, key) for variable, key in login.items()),
    ]


def plugins_job(spec: ServiceSpec) -> Manifest:
    """It needs nothing of the service, which may not exist yet: neither its settings nor its database."""
    image = pods.airflow_image(spec)
    what = digest(spec.uploads.plugins, mounts.libraries(spec.uploads, image), image)
    environment = [pods.NO_DATABASE_CHECK, pods.plain("AIRFLOW__CORE__LOAD_EXAMPLES", "False")]
    folders = mounts.folders(spec, image)
    container = pods.job_container(spec, "plugins", ["python", "-c", PLUGINS], environment, folders)
    first = [mounts.folder_maker(spec, image)]
    pod = pods.job_pod(spec, container, [mounts.VOLUME], account=None, first=first)
    return job(spec, f"{spec.name}-plugins-{what}", "plugins", pod, retries=0)
