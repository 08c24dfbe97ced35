# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Data Ops Service as it shall be: every option present, checked and in one form.

:func:`ServiceSpec.from_options` is the only way in, so that whatever the rest of the engine holds is valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..common import validation as check
from ..errors import BadOption
from . import broker, database, environment, images, overrides, placement, settings, sizes
from .broker import Broker
from .database import Database
from .git.spec import GitSync, git_sync
from .monitoring import spec as monitored
from .monitoring.spec import Monitoring
from .placement import Placement
from .sizes import SIZED, Size, Workers
from .uploads.index import PythonIndex, python_index
from .uploads.spec import NOTHING, Uploads
from .versions import NEWEST, Component, Profile, profile

KUBERNETES, CELERY = "KubernetesExecutor", "CeleryExecutor"
# With two of them the first is what a task gets that names none.
EXECUTORS = (KUBERNETES, CELERY, f"{CELERY},{KUBERNETES}", f"{KUBERNETES},{CELERY}")
# Options with fixed keys of their own: an update may name one key and keeps the others.
NESTED = frozenset(
    {
        *sizes.NESTED,
        *placement.NESTED,
        "git_sync",
        "python_index",
        "account",
        "flower",
        "monitoring",
        "database",
        "broker",
        "config",
        "config.*",
        "environment",
        "environment.*",
        # A patch of one part is one value.
        "overrides",
    }
)
# What a Manager may set for all of its services.
INHERITED = (
    "domain",
    "storage_class",
    "image_pull_secrets",
    "python_index",
    *placement.OPTIONS,
    "size",
    *SIZED,
    "monitoring",
    "config",
    "environment",
)

DEFAULT_ACCOUNT = "dataops"
SMALLEST_STORAGE = "1Gi"
DRAIN_SECONDS = (0, 86400)
DEFAULT_DRAIN = 600
# Objects of a Manager begin with this; a service of that name would collide with them.
RESERVED_NAME = "dataops-manager"


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    name: str
    manager: str
    namespace: str
    description: str
    domain: str
    ingress_class: str
    tls_secret: str
    image_registry: str
    image: str
    image_pull_secrets: tuple[str, ...]
    storage_class: str
    storage_size: str
    account_id: str
    executor: str
    drain_timeout: int
    flower: bool
    version: str
    size: str
    sizes: Mapping[str, Size]
    workers: Workers
    git_sync: GitSync | None
    database: Database
    broker: Broker
    placement: Placement
    python_index: PythonIndex | None
    tags: Mapping[str, str]
    config: settings.Config
    environment: environment.Environment
    overrides: overrides.Overrides
    monitoring: Monitoring
    # A stopped service has everything but pods.
    running: bool = True
    # No option either: what the Manager has published for it.
    uploads: Uploads = NOTHING

    @property
    def profile(self) -> Profile:
        return profile(self.version)

    @property
    def web_url(self) -> str:
        return f"{'https' if self.tls_secret else 'http'}://{self.host}"

    @property
    def host(self) -> str:
        return f"{self.name}.{self.domain}"

    @property
    def executors(self) -> tuple[str, ...]:
        return tuple(self.executor.split(","))

    @property
    def uses_celery(self) -> bool:
        return CELERY in self.executors

    @property
    def uses_kubernetes(self) -> bool:
        return KUBERNETES in self.executors

    @property
    def components(self) -> tuple[Component, ...]:
        """The standing parts of Airflow that this service has."""
        celery = (self.profile.worker, *((self.profile.flower,) if self.flower else ()))
        return (*self.profile.components, *(celery if self.uses_celery else ()))

    @classmethod
    def from_options(cls, options: Mapping[str, Any], *, name: str, manager: str, namespace: str) -> ServiceSpec:
        """``options``: what was asked over what is inherited, as :mod:`..common.record` merged it.

        :raises BadOption: naming the option, its value and what is allowed.
        """
        check.known_keys(options, OPTIONS, "")
        check.name(name, "name")
        if name == RESERVED_NAME:
            raise BadOption(f"'{name}' is reserved", where="name", next_step="Choose another name")
        domain = check.domain(check.required(options, "domain", f"the address will be {name}.DOMAIN"), "domain")
        executor = options.get("executor", EXECUTORS[0])
        if executor not in EXECUTORS:
            raise BadOption(
                f"'{executor}' is not supported", where="executor", next_step=f"Use one of {' | '.join(EXECUTORS)}"
            )
        flower = options.get("flower", {})
        check.known_keys(flower, ("enabled",), "flower")
        if flower.get("enabled") and CELERY not in executor:
            raise BadOption(
                f"Flower shows Celery workers, which a service with {executor} does not have",
                where="flower.enabled",
                next_step=f"Leave it out, or choose an executor with {CELERY}",
            )
        low, high = DRAIN_SECONDS
        version = str(options.get("version", NEWEST))
        config = settings.config(options.get("config", {}), version)
        monitoring = monitored.monitoring(options.get("monitoring", {}))
        monitored.refuse_settings(monitoring, config, name, version)
        return cls(
            name=name,
            manager=manager,
            namespace=namespace,
            description=check.description(options.get("description", ""), "description"),
            domain=domain,
            ingress_class=options.get("ingress_class", ""),
            tls_secret=check.name_of_secret(options.get("tls_secret", ""), "tls_secret"),
            image_registry=images.registry(options.get("image_registry", ""), "image_registry"),
            image=images.reference(options.get("image", ""), "image"),
            image_pull_secrets=images.pull_secrets(options.get("image_pull_secrets", ()), "image_pull_secrets"),
            storage_class=options.get("storage_class", ""),
            storage_size=check.size_in_bytes(
                options.get("storage_size") or sizes.storage(options.get("size", "")),
                "storage_size",
                smallest=SMALLEST_STORAGE,
            ),
            account_id=check.account_id(options.get("account", {}).get("id", DEFAULT_ACCOUNT), "account.id"),
            executor=executor,
            drain_timeout=check.whole_number(
                options.get("drain_timeout", DEFAULT_DRAIN), "drain_timeout", low=low, high=high
            ),
            flower=bool(flower.get("enabled", False)),
            version=version,
            size=options.get("size", ""),
            sizes=sizes.sizes(options, profile(version), celery=CELERY in executor),
            workers=sizes.workers(options),
            git_sync=git_sync(options["git_sync"], profile(version), version) if options.get("git_sync") else None,
            database=database.from_options(options.get("database", {})),
            broker=broker.from_options(options.get("broker", {})),
            placement=placement.from_options(options),
            python_index=python_index(options.get("python_index", {})),
            tags=check.tags(options.get("tags", {}), "tags"),
            config=config,
            environment=environment.environment(options.get("environment", {}), version),
            overrides=overrides.overrides(options.get("overrides", {})),
            monitoring=monitoring,
        )


OPTIONS = (
    *INHERITED,
    "description",
    "ingress_class",
    "tls_secret",
    "image_registry",
    "image",
    "storage_size",
    "account",
    "executor",
    "drain_timeout",
    "flower",
    "version",
    "git_sync",
    "database",
    "broker",
    "tags",
    "overrides",
)
