# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image of one's own is tried before anything uses it: it can be pulled, and holds the right Airflow."""

from __future__ import annotations

from collections.abc import Mapping

from ..common.outcome import Timeline
from ..errors import NotReady
from ..kube.client import Kube
from ..kube.objects import Manifest, Ref
from . import images, inside, names, pods
from .inside import Wait
from .pieces import job
from .spec import ServiceSpec


def needed(spec: ServiceSpec, live: Mapping[Ref, Manifest]) -> bool:
    """Whether an image was asked for that the service does not run with yet."""
    web_server = live.get(Ref("Deployment", names.web_server(spec.name), spec.namespace))
    if not spec.image or web_server is None:
        return bool(spec.image)
    running: str = web_server["spec"]["template"]["spec"]["containers"][0]["image"]
    return running != spec.image


def check_job(spec: ServiceSpec) -> Manifest:
    pod = pods.image_check_pod(spec, images.PRINT_VERSION)
    return job(spec, names.image_check(spec.name), "image-check", pod, retries=0)


def try_image(kube: Kube, spec: ServiceSpec, progress: Timeline, wait: Wait) -> None:
    """:raises Refused: when it holds another version of Airflow, naming both.

    :raises NotReady: when it cannot be started.
    """
    try:
        log = inside.run(kube, [check_job(spec)], wait)
    except NotReady as error:
        raise NotReady(
            f"image {spec.image} could not be started: {error.what}",
            where="image",
            next_step=f"Nothing was changed. {error.next_step}",
        ) from error
    images.same_version(spec.image, log, spec.version)
    progress.say("image holds the right Airflow")
