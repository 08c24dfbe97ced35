# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade has beside any other change: a copy of the database from before, and the way back to it.

The migration of a database cannot be undone, so nothing runs while it is copied and migrated; and when the new version
does not come up, the copy is put back and the service is made what it was. An external database is its owner's to copy:
there, the way back ends where the migration begins.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..common.outcome import Timeline
from ..kube.client import Kube
from ..kube.deletion import delete_all
from ..kube.objects import Manifest, Ref, ref_of
from . import drain, inside, names, pieces, pods
from .database import NAME, USER
from .embedded import POSTGRES_PORT, STORE_USER
from .former import Former
from .inside import Wait
from .spec import ServiceSpec
from .versions import DATABASE_IMAGE

COPIES = "/copies"
COPY = """\
set -eu
pg_dump --format custom --file "$COPY.part"
mv "$COPY.part" "$COPY"
"""
PUT_BACK = """\
set -eu
test -s "$COPY"
psql --quiet --set ON_ERROR_STOP=1 --command 'DROP SCHEMA public CASCADE' --command 'CREATE SCHEMA public'
pg_restore --exit-on-error --no-owner --dbname "$PGDATABASE" "$COPY"
"""


def copies(spec: ServiceSpec) -> Manifest:
    """The volume of the copies. It stays, as all data does."""
    return pieces.volume_claim(spec, names.copies(spec.name), "copies", "ReadWriteOnce")


def copy_job(spec: ServiceSpec, version: str) -> Manifest:
    return pieces.job(spec, names.copy(spec.name), "copy", pod(spec, version, COPY), retries=0)


def put_back_job(spec: ServiceSpec, version: str) -> Manifest:
    return pieces.job(spec, names.copy(spec.name), "copy", pod(spec, version, PUT_BACK), retries=0)


def pod(spec: ServiceSpec, version: str, script: str) -> Manifest:
    """PostgreSQL's own tools, with access to the embedded database and the volume of the copies."""
    container = {
        "name": "copy",
        "image": pods.image(spec, DATABASE_IMAGE),
        "args": ["bash", "-c", script],
        "env": [
            pods.plain("PGHOST", names.database(spec.name)),
            pods.plain("PGPORT", str(POSTGRES_PORT)),
            pods.plain("PGUSER", USER),
            pods.plain("PGDATABASE", NAME),
            pods.from_secret("PGPASSWORD", names.database(spec.name), "password"),
            pods.plain("COPY", f"{COPIES}/airflow-{version}.dump"),
        ],
        "resources": pods.resources(spec.sizes["database"]),
        "securityContext": pods.CONTAINER_SECURITY,
        "volumeMounts": [{"name": "copies", "mountPath": COPIES}],
    }
    return pods.pod(
        spec,
        [container],
        serviceAccountName=spec.name,
        securityContext=pods.pod_security(STORE_USER, group=STORE_USER),
        restartPolicy="Never",
        volumes=[{"name": "copies", "persistentVolumeClaim": {"claimName": names.copies(spec.name)}}],
    )


def make_copy(kube: Kube, spec: ServiceSpec, version: str, wait: Wait, progress: Timeline) -> None:
    inside.run(kube, [copy_job(spec, version)], wait)
    progress.say(f"the database of Airflow {version} is copied into volume {names.copies(spec.name)}")


def go_back(
    kube: Kube,
    spec: ServiceSpec,
    version: str,
    former: Former,
    new: Sequence[Ref],
    components: Sequence[str],
    *,
    copied: bool,
    wait: Wait,
    progress: Timeline,
) -> None:
    """Make the service what it was, running.

    :param new: what the upgrade has added.
    :param copied: whether the database has to be put back, too.
    """
    progress.say(f"going back to Airflow {version}")
    drain.halt(kube, spec.name, spec.namespace, components, timeout=drain.HALT_SECONDS)
    if copied:
        inside.run(kube, [put_back_job(spec, version)], wait)
        progress.say("the database is put back")
    if new:
        delete_all(kube, new, timeout=drain.HALT_SECONDS)
    kube.each(lambda item: kube.apply(item, force=True), former.objects)
    wait([ref_of(item) for item in former.objects if item["kind"] == "Deployment"])
    progress.say(f"Airflow {version} runs again")
