# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trials: what only doing it can show. They write, so they are made only when asked for, and leave nothing behind.

A trial is a few short-lived pods with what the service's own pods have (nodes, registry, users, security), so that what
works for them works for the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ...common import findings
from ...common.findings import Finding
from ...common.labels import COMPONENT, SERVICE
from ...common.labels import selector as label_selector
from ...common.outcome import Timeline
from ...errors import ApiError, NotReady
from ...kube.client import Kube
from ...kube.deletion import delete_all
from ...kube.objects import Manifest, Ref, ref_of
from ...kube.wait import wait_ready
from .. import pieces, pods
from ..spec import ServiceSpec
from . import demand

CLEAN_UP_SECONDS = 120
# Enough for a shell, and small enough for any quota.
TINY = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}}
STORAGE, IMAGES = "storage test", "image test"
FOLDER = "/preflight"

# Both run at the same time and wait for what the other does: that is what ReadWriteMany is for.
WRITER = f"""
set -e
cd {FOLDER}
echo "$SERVICE" > part
mv part whole
for attempt in $(seq 90); do
  if [ "$(ls | grep -c seen)" = 1 ]; then exit 0; fi
  sleep 1
done
echo "no other pod answered on this volume within 90 s"
exit 1
"""
READER = f"""
set -e
cd {FOLDER}
for attempt in $(seq 90); do
  if [ "$(ls | grep -c whole)" = 1 ]; then
    [ "$(cat whole)" = "$SERVICE" ] || {{ echo "another pod's file has other content here"; exit 1; }}
    [ ! -e part ] || {{ echo "a renamed file is still there by its old name"; exit 1; }}
    echo "$SERVICE" > seen
    exit 0
  fi
  sleep 1
done
echo "the file that another pod wrote and renamed did not appear within 90 s"
exit 1
"""


def storage(kube: Kube, spec: ServiceSpec, progress: Timeline, timeout: float) -> Finding:
    """A volume of the service's class, written and renamed in by one pod and read by another at the same time."""
    volume = f"{spec.name}-preflight"
    claim = pieces.volume_claim(spec, volume, "storage-test", "ReadWriteMany", "1Gi")
    jobs = [
        pieces.job(spec, f"{spec.name}-preflight-{part}", "storage-test", _volume_user(spec, volume, script), retries=0)
        for part, script in (("writer", WRITER), ("reader", READER))
    ]
    problem = _tried(kube, spec, "storage-test", [claim, *jobs], progress, timeout)
    called = spec.storage_class or "the default storage class"
    if problem is None:
        return findings.ok(STORAGE, f"{called}: two pods at once wrote, renamed and read files on one volume")
    return findings.refused(
        STORAGE,
        f"{called} does not serve two pods at once: {problem.what}",
        option="storage_class",
        allowed="a class that offers ReadWriteMany, such as one of NFS or CephFS",
        next_step=problem.next_step or "Choose another class",
    )


def _volume_user(spec: ServiceSpec, volume: str, script: str) -> Manifest:
    container = {
        "name": "preflight",
        "image": pods.airflow_image(spec),
        "command": ["bash", "-c", script],
        "env": [pods.plain("SERVICE", spec.name)],
        "resources": TINY,
        "securityContext": pods.CONTAINER_SECURITY,
        "volumeMounts": [{"name": "volume", "mountPath": FOLDER}],
    }
    apart = {
        "weight": 100,
        "podAffinityTerm": {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": pieces.selector(spec, "storage-test")},
        },
    }
    pod = pods.pod(
        spec,
        [container],
        restartPolicy="Never",
        volumes=[{"name": "volume", "persistentVolumeClaim": {"claimName": volume}}],
    )
    affinity = pod.get("affinity") or {}
    # On two nodes, where there are two.
    return {
        **pod,
        "affinity": {**affinity, "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [apart]}},
    }


def images(
    kube: Kube, spec: ServiceSpec, made: Iterable[Manifest], progress: Timeline, timeout: float
) -> list[Finding]:
    """Pull each image that the manifests name, by a pod that does nothing."""
    wanted = sorted(set(image_names(made)))

    def pulled(numbered: tuple[int, str]) -> Finding:
        number, image = numbered
        component = f"image-test-{number}"
        job = pieces.job(spec, f"{spec.name}-preflight-image-{number}", component, _idle(spec, image), retries=0)
        problem = _tried(kube, spec, component, [job], progress, timeout)
        # An image without this command is there all the same.
        if problem is None or "executable file not found" in problem.what:
            return findings.ok(IMAGES, f"{image} can be pulled")
        return findings.refused(
            IMAGES, f"{image} cannot be had: {problem.what}", option="image", next_step=problem.next_step
        )

    return kube.each(pulled, list(enumerate(wanted)))


def image_names(made: Iterable[Manifest]) -> Iterator[str]:
    for item in made:
        for pod in demand.templates(item):
            for container in [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]:
                yield container["image"]


def _idle(spec: ServiceSpec, image: str) -> Manifest:
    container = {
        "name": "preflight",
        "image": image,
        "command": ["true"],
        "resources": TINY,
        "securityContext": pods.CONTAINER_SECURITY,
    }
    return pods.pod(spec, [container], restartPolicy="Never")


def _tried(
    kube: Kube, spec: ServiceSpec, component: str, objects: Sequence[Manifest], progress: Timeline, timeout: float
) -> NotReady | ApiError | None:
    """Make the objects, wait for their Jobs, remove them whatever happens; why it did not work."""
    refs = [ref_of(item) for item in objects]
    labels = f"{label_selector(SERVICE, spec.name)},{COMPONENT}={component}"
    jobs = [ref for ref in refs if ref.kind == "Job"]

    def run() -> None:
        for item in objects:
            kube.apply(item)
        wait_ready(kube, spec.namespace, jobs, labels=labels, timeout=timeout, say=progress.say)

    return attempt(kube, refs, run)


def attempt(kube: Kube, refs: Sequence[Ref], run: Callable[[], Any]) -> NotReady | ApiError | None:
    delete_all(kube, refs, timeout=CLEAN_UP_SECONDS)
    try:
        run()
    except (NotReady, ApiError) as error:
        return error
    finally:
        delete_all(kube, refs, timeout=CLEAN_UP_SECONDS)
    return None
