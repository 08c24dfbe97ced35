# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Data Ops Manager as it shall be: every option present, checked and in one form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..airflow import environment, images, placement, settings, sizes
from ..airflow import spec as service
from ..airflow.monitoring.spec import monitoring
from ..airflow.uploads.index import python_index
from ..airflow.versions import NEWEST, PROFILES, profile
from ..common import validation as check
from ..common.validation import HostAlias
from ..errors import BadOption

DEFAULTS_BY_KEY = (
    *sizes.NESTED,
    *placement.NESTED,
    "python_index",
    "monitoring",
    "config",
    "config.*",
    "environment",
    "environment.*",
)
# Options with fixed keys of their own: an update may name one key and keeps the others.
NESTED = frozenset(
    {
        "account",
        "console",
        "default_settings",
        *(f"default_settings.{option}" for option in DEFAULTS_BY_KEY),
    }
)
# Services differ in their version; a default has to suit one of them.
VERSIONS = (NEWEST, *(version for version in PROFILES if version != NEWEST))
DEFAULT_STORAGE_SIZE = "100Gi"
CONSOLE_SIZE = sizes.Row("50m", "256Mi", memory_limit="512Mi")
CONSOLE_OPTIONS = (*sizes.RESOURCES, "path")
PATH = re.compile(r"(/[a-z0-9][a-z0-9._-]*)+")

OPTIONS = (
    "version",
    "description",
    "domain",
    "ingress_class",
    "tls_secret",
    "image_registry",
    "storage_class",
    "storage_size",
    "account",
    "node_selector",
    "host_aliases",
    "tags",
    "console",
    "default_settings",
)


@dataclass(frozen=True, kw_only=True)
class ManagerSpec:
    name: str
    namespace: str
    # Of Airflow, for services to come.
    version: str
    description: str
    domain: str
    ingress_class: str
    tls_secret: str
    image_registry: str
    storage_class: str
    storage_size: str
    account_id: str
    node_selector: Mapping[str, str]
    host_aliases: tuple[HostAlias, ...]
    tags: Mapping[str, str]
    console: sizes.Size
    console_path: str
    default_settings: Mapping[str, Any]

    @property
    def host(self) -> str:
        return f"{self.name}.{self.domain}"

    @property
    def web_url(self) -> str:
        """Address of the console."""
        return f"{'https' if self.tls_secret else 'http'}://{self.host}{self.console_path}"

    @classmethod
    def from_options(cls, options: Mapping[str, Any], *, name: str, namespace: str) -> ManagerSpec:
        """:raises BadOption: naming the option, its value and what is allowed."""
        check.known_keys(options, OPTIONS, "")
        check.name(name, "name")
        check.name_of_namespace(namespace, "namespace")
        return cls(
            name=name,
            namespace=namespace,
            version=profile(str(options.get("version", NEWEST))).release,
            description=check.description(options.get("description", ""), "description"),
            domain=check.domain(check.required(options, "domain", f"the address will be {name}.DOMAIN"), "domain"),
            ingress_class=options.get("ingress_class", ""),
            tls_secret=check.name_of_secret(options.get("tls_secret", ""), "tls_secret"),
            image_registry=images.registry(options.get("image_registry", ""), "image_registry"),
            storage_class=options.get("storage_class", ""),
            storage_size=check.size_in_bytes(
                options.get("storage_size", DEFAULT_STORAGE_SIZE), "storage_size", smallest=service.SMALLEST_STORAGE
            ),
            account_id=check.account_id(options.get("account", {}).get("id", service.DEFAULT_ACCOUNT), "account.id"),
            node_selector=check.node_selector(options.get("node_selector", {}), "node_selector"),
            host_aliases=check.host_aliases(options.get("host_aliases", ()), "host_aliases"),
            tags=check.tags(options.get("tags", {}), "tags"),
            console=console_size(options.get("console", {})),
            console_path=console_path(options.get("console", {}).get("path", ""), "console.path"),
            default_settings=default_settings(options.get("default_settings", {})),
        )


def console_size(raw: Mapping[str, Any]) -> sizes.Size:
    check.known_keys(raw, CONSOLE_OPTIONS, "console")
    return sizes.size({key: raw[key] for key in sizes.RESOURCES if key in raw}, CONSOLE_SIZE, "console")


def console_path(value: str, at: str) -> str:
    """Empty for the root of the host; no slash at its end."""
    path = value.rstrip("/")
    if path and not PATH.fullmatch(path):
        raise BadOption(
            f"'{value}' is not a path",
            where=at,
            next_step="Use lower-case letters, digits, '.', '_' and '-', with a slash before each part: /dataops",
        )
    return path


def default_settings(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Checked with the rules of a service, so that no service can inherit what it would have to refuse."""
    at = "default_settings"
    check.known_keys(raw, service.INHERITED, at)
    if "domain" in raw:
        check.domain(raw["domain"], f"{at}.domain")
    placement.from_options(raw, at=f"{at}.")
    python_index(raw.get("python_index", {}), f"{at}.python_index")
    images.pull_secrets(raw.get("image_pull_secrets", ()), f"{at}.image_pull_secrets")
    # Services differ in their executor; what one has no use for it leaves out.
    sizes.sizes(raw, profile(NEWEST), celery=True, at=f"{at}.")
    sizes.workers(raw, at=f"{at}.")
    monitoring(raw.get("monitoring", {}), f"{at}.monitoring")
    refused = [error for version in VERSIONS if (error := refusal(raw, version, at))]
    if len(refused) == len(VERSIONS):
        raise refused[0]
    return raw


def refusal(raw: Mapping[str, Any], version: str, at: str) -> BadOption | None:
    """Why no service of this version could have these settings of Airflow."""
    try:
        settings.config(raw.get("config", {}), version, f"{at}.config")
        environment.environment(raw.get("environment", {}), version, f"{at}.environment")
    except BadOption as error:
        return error
    return None
