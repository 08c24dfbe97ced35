# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managers and Services on a cluster in memory, asked for in the words of the modules."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.airflow import removal, service
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git import credentials
from ansible_collections.scp.dataops.plugins.module_utils.airflow.plan import Request
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.common.outcome import Outcome, actions
from ansible_collections.scp.dataops.plugins.module_utils.manager import manager
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import Key
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.purge import Store, Uploaded

from .fake_kube import FakeKube

MANAGER, NAMESPACE, SERVICE = "analytics", "data", "etl"


def packed(text: str = "one") -> bytes:
    """An application of the console; another text is another version."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("console.py"), text)
    return content.getvalue()


APPLICATION = packed()
# What a run may be told besides options.
HOW = ("state", "check_mode", "force", "preflight", "wait", "timeout", "by", "application")


def manager_request(**options: Any) -> manager.Request:
    how = {"application": APPLICATION, **{key: options.pop(key) for key in HOW if key in options}}
    given = record.asked(options)
    password = record.take(given, "account", "password")
    return manager.Request(name=MANAGER, namespace=NAMESPACE, options=given, account_password=password, **how)


def service_request(name: str = SERVICE, **options: Any) -> Request:
    how = {key: options.pop(key) for key in HOW if key in options}
    given = record.asked(options)
    return Request(
        name=name,
        manager=MANAGER,
        namespace=NAMESPACE,
        account_password=record.take(given, "account", "password"),
        git=credentials.take(given),
        options=given,
        **how,
    )


def cluster(**options: Any) -> FakeKube:
    """A cluster with a Manager, and a log that begins now."""
    kube = FakeKube()
    manager.apply(kube, manager_request(**{"domain": "example.com", **options}))
    kube.forget()
    return kube


def cluster_with_service(**options: Any) -> FakeKube:
    kube = cluster()
    run(kube, **options)
    kube.forget()
    return kube


def run(kube: FakeKube, name: str = SERVICE, **options: Any) -> Outcome:
    return service.apply(kube, service_request(name, **options))


class NoUploads:
    """A store to which nobody has uploaded anything."""

    def of_service(self, service: str) -> list[Key]:
        return []

    def forget(self, service: str) -> None:
        raise AssertionError(f"there is nothing of {service} to be forgotten")


def remove(
    kube: FakeKube,
    name: str = SERVICE,
    *,
    purge: bool = False,
    check_mode: bool = False,
    store: Store | None = None,
) -> Outcome:
    request = service_request(name, check_mode=check_mode)
    return removal.remove(kube, request, purge=Uploaded(kube, store or NoUploads(), request) if purge else None)


def run_manager(kube: FakeKube, **options: Any) -> Outcome:
    return manager.apply(kube, manager_request(**options))


def remove_manager(kube: FakeKube, *, purge: bool = False, check_mode: bool = False) -> Outcome:
    return manager.remove(kube, manager_request(check_mode=check_mode), purge=purge)


def done(outcome: Outcome) -> list[str]:
    return actions(outcome.changes)
