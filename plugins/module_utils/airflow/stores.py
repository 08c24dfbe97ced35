# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores that somebody else keeps: nothing moves to another one unasked, and each is tried before it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..common import findings
from ..common.findings import Finding
from ..errors import NotReady, Refused
from ..kube.client import Kube
from ..kube.objects import Manifest, Ref
from ..kube.plan import Change
from . import broker, database, inside, names, pieces, pods, references, store_script
from .inside import Wait
from .secrets import Secrets, decoded
from .spec import ServiceSpec

Live = Mapping[Ref, Manifest]
# Airflow keeps 5 connections per process and opens up to 10 more when it is busy.
CONNECTIONS_PER_PROCESS = 15


def where_it_is(spec: ServiceSpec, live: Live) -> str:
    """The database that holds this service's state now, HOST:PORT/NAME or ``embedded``; empty for none."""
    secret = live.get(Ref("Secret", names.database(spec.name), spec.namespace))
    address = urlsplit(decoded(secret).get("connection", ""))
    if address.hostname is None:
        return ""
    if address.hostname == names.database(spec.name):
        claim = Ref("PersistentVolumeClaim", names.database(spec.name), spec.namespace)
        return "embedded" if claim in live else ""
    return database.place(address.hostname, address.port or database.PORT, address.path.strip("/"))


def stays(spec: ServiceSpec, live: Live) -> None:
    """Refuse to leave a database with this service's state, unless the option says from where it moves."""
    now = where_it_is(spec, live)
    wanted = "embedded" if spec.database.embedded else spec.database.place
    if now in ("", wanted, spec.database.moved_from):
        return
    if spec.database.embedded:
        raise Refused(
            f"the state of '{spec.name}' is in the database at {now}, and is not moved into an embedded one",
            where="database",
            next_step="Keep the option as it was, or remove the service with purge and create it anew",
        )
    what = "its embedded database" if now == "embedded" else f"the database at {now}"
    raise Refused(
        f"the state of '{spec.name}' is in {what}, and is not moved to {wanted}",
        where="database",
        next_step=f"Copy it yourself while the service is stopped and set database.moved_from: '{now}' (without a copy "
        "the service starts empty), or keep the option as it was",
    )


def broker_stays(spec: ServiceSpec, live: Live) -> None:
    """Refuse another broker while workers may still have tasks from the old one."""
    workers = live.get(Ref("Deployment", names.component(spec.name, "worker"), spec.namespace))
    held = decoded(live.get(Ref("Secret", names.broker(spec.name), spec.namespace))).get("broker-url", "")
    if not spec.uses_celery or not held or workers is None or not workers["spec"].get("replicas", 1):
        return
    host = urlsplit(held).hostname
    wanted = spec.broker.host or names.broker(spec.name)
    if host != wanted:
        raise Refused(
            f"the queue of '{spec.name}' is at {host}, and tasks in it would be lost by going to {wanted}",
            where="broker",
            next_step="Stop the service with state: stopped, which lets its tasks finish, and change the broker then",
        )


def untried(
    spec: ServiceSpec,
    secrets: Secrets,
    live: Live,
    changes: Sequence[Change],
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> tuple[str, ...]:
    """External stores that this run would use in a way in which none has before: options, login, version of Airflow.

    :param before: options as recorded.
    :param after: options that hold now.
    """
    held = {
        "database": (names.database(spec.name), secrets.database),
        "broker": (names.broker(spec.name), secrets.broker),
    }
    migrates = any(change.ref.kind == "Job" and "-migration-" in change.ref.name for change in changes)

    def is_new(option: str) -> bool:
        name, values = held[option]
        same = decoded(live.get(Ref("Secret", name, spec.namespace))) == values
        return migrates or not same or before.get(option) != after.get(option)

    return tuple(option for option in references.external(spec) if is_new(option))


def check(
    kube: Kube, spec: ServiceSpec, secrets: Secrets, options: Sequence[str], wait: Wait, *, keys_are_new: bool
) -> list[Finding]:
    """Try these stores from inside the cluster.

    :param options: ``database``, ``broker`` or both.
    :param keys_are_new: whether a database that already holds an Airflow could not be read.
    """
    probe = [check_secret(spec, secrets, options), check_job(spec, options, keys_are_new=keys_are_new)]
    try:
        said = inside.run(kube, probe, wait)
    except NotReady as error:
        where = " and ".join(options)
        raise NotReady(
            f"the connection could not be tried: {error.what}",
            where=where,
            next_step=f"Nothing was changed. {error.next_step}",
        ) from error
    return [finding for option in options for finding in found(option, answers(said).get(option, {}))]


def answers(said: str) -> dict[str, dict[str, Any]]:
    """The last line of what the program printed; libraries may have warned before."""
    lines = [line for line in said.splitlines() if line.startswith("{")]
    parsed: dict[str, dict[str, Any]] = json.loads(lines[-1]) if lines else {}
    return parsed


def found(option: str, answer: Mapping[str, Any]) -> list[Finding]:
    if not answer:
        return [findings.not_checked(option, "the check inside the cluster told nothing")]
    if "problem" in answer:
        return [findings.refused(option, answer["problem"], option=option, next_step=answer["next_step"])]
    warnings = [
        findings.warning(option, text, option=option, next_step="It is used all the same")
        for text in answer["warnings"]
    ]
    return [findings.ok(option, answer["found"]), *warnings]


def connections(spec: ServiceSpec) -> int:
    """How many connections the components may open together."""
    parts = [component for component in spec.components if pods.opens_database(spec, component)]
    return sum(spec.sizes[part.name].replicas for part in parts) * CONNECTIONS_PER_PROCESS


def check_secret(spec: ServiceSpec, secrets: Secrets, options: Sequence[str]) -> Manifest:
    """The addresses to be tried, apart from those in use: a wrong one must not reach running pods."""
    values = {}
    if "database" in options:
        values["DATABASE_URL"] = secrets.database["connection"]
        if not spec.profile.tasks_need_database:
            # Airflow 2 uses no other driver.
            values["DATABASE_URL_ASYNC"] = secrets.database["connection-async"]
    if "broker" in options:
        values["BROKER_URL"] = secrets.broker["broker-url"]
        values["RESULT_BACKEND"] = secrets.broker["result-backend"]
    return pieces.secret(spec, names.store_check(spec.name), "store-check", values)


def check_job(spec: ServiceSpec, options: Sequence[str], *, keys_are_new: bool) -> Manifest:
    oldest, newest = spec.profile.postgresql
    environment = [
        pods.NO_DATABASE_CHECK,
        *pods.database_authority(spec),
        pods.plain("DATABASE_OLDEST", str(oldest)),
        pods.plain("DATABASE_NEWEST", str(newest)),
        pods.plain("DATABASE_CONNECTIONS", str(connections(spec))),
        *([pods.plain("DATABASE_MUST_BE_NEW", "yes")] if keys_are_new else []),
        pods.plain("BROKER_TLS", json.dumps(broker.celery_settings(spec.broker))),
    ]
    mounts = [*pods.database_mounts(spec), *(pods.broker_mounts(spec) if "broker" in options else [])]
    volumes = [*pods.database_volumes(spec), *(pods.broker_volumes(spec) if "broker" in options else [])]
    pod = pods.store_check_pod(spec, store_script.STORE_CHECK, environment, mounts, volumes)
    return pieces.job(spec, names.store_check(spec.name), "store-check", pod, retries=0)
