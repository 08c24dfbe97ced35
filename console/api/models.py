# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies and answers of the REST API.

Keys that the product's own API has are written down; those that are options of the modules are made of the modules' own
data, so there is nothing to keep in step. A key that is not known, or of another type, is refused by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from ansible_collections.scp.dataops.plugins.module_utils import arguments
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import EXECUTORS
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from .. import tokens
from .mapping import MANAGER, SERVICE, SETTINGS, WORKLOADS
from .mapping import Field as Key

State = Literal[
    "ACTIVE",
    "CREATING",
    "RUNNING",
    "ERROR",
    "TERMINATING",
    "DELETED",
    "UPDATING",
    "STOPPED",
    "STARTING",
    "STOPPING",
    "RESTARTING",
    "TERMINATED",
    "EDITING",
    "DELETING",
    "UNDEPLOYED",
]


def without_defaults(schema: dict[str, Any]) -> None:
    """Generated clients send every default that they know, and so would clear what their user has left out."""
    for described in schema.get("properties", {}).values():
        described.pop("default", None)


class Asked(BaseModel):
    """Part of a body: what is left out keeps its value, an explicit empty value clears it."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=without_defaults)


class Told(BaseModel):
    """Part of an answer."""


def digits(value: Any) -> Any:
    """The product writes numbers as texts; a number is as good."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def selector(value: Any) -> Any:
    if isinstance(value, str) or (
        isinstance(value, dict) and all(isinstance(part, str) for pair in value.items() for part in pair)
    ):
        return value
    raise PydanticCustomError("selector", "Input should be KEY=VALUE, or an object of texts")


NUMBER_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
SELECTOR_SCHEMA = {
    "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}],
    "description": "Labels of nodes, KEY=VALUE with commas between several, or an object.",
    "examples": ["pool=dataops"],
}
Number = Annotated[str, BeforeValidator(digits), WithJsonSchema(NUMBER_SCHEMA)]
Selector = Annotated[Any, PlainValidator(selector), WithJsonSchema(SELECTOR_SCHEMA)]


# What clients send


class Account(Asked):
    account_id: str = Field(default="", description="6 to 30 lower-case letters and digits.", examples=["dataops"])
    account_password: str = Field(
        default="",
        description="8 to 50 characters with upper case, lower case, a digit and one of !@#$%^&*. It is never shown.",
        json_schema_extra={"format": "password", "writeOnly": True},
    )


class HostAliasEntry(Asked):
    hostname: str = Field(examples=["warehouse.internal"])
    ip: str = Field(examples=["10.0.0.5"])


class HostAlias(Asked):
    enabled: Literal["true", "false"] | bool = Field(default="true", description="'false' clears the list.")
    host_alias_list: list[HostAliasEntry] = Field(default=[], description="Up to 20 addresses.")


class HostAliasNames(Asked):
    hostnames: list[str] = Field(examples=[["warehouse.internal"]])
    ip: str = Field(examples=["10.0.0.5"])


class Tag(Asked):
    tag_key: str = Field(examples=["team"])
    tag_value: str = Field(examples=["data"])


class Workload(Asked):
    cpu: Number = Field(default="", description="Thousandths of a core, or a quantity such as 500m.", examples=["2000"])
    memory: Number = Field(default="", description="Mebibytes, or a quantity such as 2Gi.", examples=["2048"])
    cpu_limit: str = Field(default="", description="A quantity. Without it there is no limit.", examples=["2"])
    memory_limit: str = Field(default="", description="A quantity. Defaults to what is reserved.", examples=["4Gi"])
    replica: Number = Field(default="", description="Number of pods.", examples=["1"])
    version: str = Field(
        default="", description="One of those of sub-versions; all parts have the same.", examples=["3.3.2"]
    )


def made_of(name: str, options: Mapping[str, Any], base: type[BaseModel] = Asked) -> Any:
    """A model of options as argument specs describe them."""
    fields: dict[str, Any] = {}
    for option, spec in options.items():
        kind = type_of(f"{name}{option.title().replace('_', '')}", spec)
        # None stands for what was left out, and is no value that could be given.
        fields[option] = (kind, Field(... if spec.get("required") else None, json_schema_extra=marks(spec)))
    return create_model(name, __base__=base, **fields)


def marks(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": "password", "writeOnly": True} if spec.get("no_log") else {}


def type_of(name: str, spec: Mapping[str, Any]) -> Any:
    simple = {"str": str, "int": int, "bool": bool, "raw": Any}
    if "choices" in spec:
        return Literal[tuple(spec["choices"])]
    if spec["type"] == "list":
        return GenericAlias(list, (type_of(name, {**spec, "type": spec["elements"]}),))
    if spec["type"] == "dict":
        return made_of(name, spec["options"]) if "options" in spec else dict[str, Any]
    return simple[spec["type"]]


def same_named(table: Mapping[str, Key], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that the API calls by their own names, and that are written down nowhere here."""
    return {key: options[key] for key in table if key in options and key not in {*Common.model_fields, "version"}}


class Placed(Asked):
    """What Managers, services and settings for all of them have."""

    domain: str = Field(default="", description="The address is {name}.{domain}.", examples=["dataops.example.com"])
    storage_class_name: str = Field(default="", description="It cannot be changed later.", examples=["nfs"])
    node_selector: Selector = ""


class Common(Placed):
    """What Managers and services have."""

    description: str = Field(default="", description="Up to 150 characters.", examples=["Nightly loads"])
    account: Account = Account()
    tags: list[Tag] = Field(default=[], description="Up to 50.")


if TYPE_CHECKING:
    # What is made of data when this is loaded is a model like any other to those who read the code.
    ServiceWorkload: TypeAlias = BaseModel
    Settings: TypeAlias = BaseModel
    ServiceUpdate: TypeAlias = BaseModel
    ServiceCreate: TypeAlias = BaseModel
    ManagerUpdate: TypeAlias = BaseModel
else:
    WorkerWorkload = made_of(
        "WorkerWorkload", {key: arguments.WORKER[key] for key in ("concurrency", "autoscaling")}, Workload
    )
    ServiceWorkload = create_model(
        "ServiceWorkload",
        __base__=Asked,
        **{
            part: (WorkerWorkload if part == "worker" else Workload, Field(default_factory=Workload))
            for part in WORKLOADS
        },
    )
    _SERVICE = {
        "host_alias": (HostAlias, HostAlias()),
        "worker_type": (
            Literal[EXECUTORS],
            Field(EXECUTORS[0], description=f"How tasks run; {EXECUTORS[0]} for a new service."),
        ),
        "service_workload": (ServiceWorkload, Field(default_factory=ServiceWorkload)),
    }

    def _version(description: str) -> Any:
        return str, Field(default="", description=description, examples=["3.3.2"])

    Settings = create_model(
        "DataOpsSettings",
        __base__=made_of("Settings", same_named(SETTINGS, arguments.DEFAULT_SETTINGS), Placed),
        **{key: _SERVICE[key] for key in ("host_alias", "service_workload")},
    )
    ServiceUpdate = create_model(
        "DataOpsServiceUpdateRequest",
        __base__=made_of("Service", same_named(SERVICE, arguments.OWN), Common),
        **_SERVICE,
        version=_version("One of those of sub-versions, or its minor."),
    )
    ServiceCreate = create_model(
        "DataOpsServiceCreateRequest",
        __base__=ServiceUpdate,
        data_ops_id=(str, Field(description="Id or name of the Manager.", examples=["analytics"])),
        data_ops_service_name=(
            str,
            Field(pattern=r"^[a-z][a-z0-9\-]*[a-z0-9]$", min_length=3, max_length=30, examples=["etl"]),
        ),
    )
    ManagerUpdate = create_model(
        "DataOpsUpdateRequest",
        __base__=made_of("Manager", same_named(MANAGER, arguments.MANAGER), Common),
        version=_version("One of those of image-versions, or its minor: for services to come."),
        host_alias_list=(list[HostAliasNames], Field(default=[], description="Up to 20 addresses.")),
        ingress_controller_name=(str, Field(default="", description="Name of an IngressClass.", examples=["contour"])),
    )


class ValidateResources(Asked):
    service_workload: ServiceWorkload


class TokenAsked(Asked):
    name: str = Field(
        min_length=1, max_length=tokens.LONGEST_NAME, description="By which the activity tells it.", examples=["ci"]
    )
    role: tokens.Role = Field(default="viewer", description="A viewer may look, an operator may change everything.")


# What clients get


class ErrorDetail(Told):
    where: str = Field(description="The key or object; empty when there is none.", examples=["service_workload.worker"])
    what: str = Field(examples=["it is not a size"])
    next_step: str = Field(description="What to do next; empty when that is plain.", examples=["Use 2048"])


class Error(Told):
    error: ErrorDetail


class Result(Told):
    result: bool = Field(description="False: the name is free.")


class Actor(Told):
    door: str = Field(description="console, api or playbook.", examples=["api"])
    name: str = Field(examples=["ci"])


class Outcome(Told):
    changed: bool
    actions: list[str] = Field(description="One line for each object.", examples=[["update Deployment/etl-scheduler"]])
    restarted: list[str] = Field(description="Components that get new pods.", examples=[["scheduler"]])
    kept: list[str] = Field(description="What a removal leaves.")
    not_checked: list[str] = Field(description="What could not be looked at for lack of rights.")
    warnings: list[str]


class Difference(Told):
    before: str = Field(description="YAML of the objects that change, without secrets.")
    after: str


class Plan(Outcome):
    """What would be done; nothing was."""

    diff: Difference


class Operation(Told):
    operation_id: str = Field(examples=["0f6f2b0e-6d0f-4a8e-9a47-0d3c6f1b2a90"])
    verb: str = Field(description="create, change, start, stop, restart, publish or remove.", examples=["create"])
    target: str = Field(examples=["service etl"])
    state: Literal["RUNNING", "DONE", "FAILED", "INTERRUPTED"] = Field(
        description="INTERRUPTED: the console ended meanwhile; the next change of the same finishes it."
    )
    by: Actor
    created_dt: str = Field(examples=["2026-01-02T00:00:00Z"])
    ended_dt: str | None
    progress: list[str] = Field(examples=[["2.3 s migrating the database: its pod runs"]])
    result: Outcome | None
    error: ErrorDetail | None


class Operations(Told):
    contents: list[Operation]
    total_count: int


class Accepted(Told):
    """The work goes on; its state is that of the operation."""

    operation_id: str
    data_ops_service_name: str | None = None
    data_ops_service_id: str | None = Field(default=None, description="Null until the service is there.")


class AccountShown(Told):
    account_id: str
    secret: str = Field(description="Name of the Secret that holds the password.", examples=["etl-account"])
    key: str = Field(examples=["password"])


class Item(Told):
    """What Managers and Services both tell of themselves in a list. Null is what Kubernetes does not know."""

    account_id: str
    cluster_id: str
    cluster_name: str | None
    cluster_permission: bool
    cluster_request_failed: bool = Field(description="Whether the state could not be read.")
    created_by: str | None
    created_dt: str
    data_ops_id: str
    data_ops_name: str
    description: str
    image_id: str
    instance_id: str | None
    is_active_image: bool
    modified_by: str | None
    modified_dt: str
    namespace_name: str
    state: str
    version: str


class ServiceItem(Item):
    data_ops_service_id: str
    data_ops_service_name: str
    health: str = Field(description="healthy, unhealthy or stopped; apart from the life cycle.")
    reasons: list[str] = Field(description="Why it is not healthy.")
    web_url: str


class ServiceDetail(ServiceItem):
    account: AccountShown
    domain: str
    host_alias: dict[str, Any]
    hosts_file: str
    http_port: int | None
    https_port: int | None
    ingress_class_name: str
    node_selector: str
    service_workload: dict[str, Any]
    storage_class_name: str
    storage_size: str
    worker_type: str
    tags: list[dict[str, str]]
    image: str
    size: str
    database: dict[str, Any]
    broker: dict[str, Any]
    git_sync: dict[str, Any] = Field(description="What was asked for, without passwords and keys.")
    git: dict[str, Any] = Field(description="Which commit runs in which pod.")
    config: dict[str, Any]
    environment: dict[str, Any]
    components: dict[str, Any]
    replicas: dict[str, Any]
    endpoints: dict[str, str]
    airflow: dict[str, str] = Field(description="Health as Airflow tells it.")
    operation_id: str | None = Field(description="The operation that changes it now.")


class Services(Told):
    contents: list[ServiceItem]
    total_count: int


class ManagerItem(Item):
    pass


class ManagerDetail(ManagerItem):
    account: AccountShown
    domain: str
    host_alias_list: list[dict[str, Any]]
    ingress_class_name: str
    node_selector: str
    storage_class_name: str
    storage_size: str
    image_registry: str
    tags: list[dict[str, str]]
    web_url: str
    data_ops_service_count: int
    services: list[str]
    files: dict[str, str]
    operation_id: str | None = Field(description="The operation that changes it now.")


class Managers(Told):
    contents: list[ManagerItem]
    total_count: int


class Image(Told):
    image_id: str = Field(examples=["IMAGE-3.3.2"])
    image_name: str = Field(examples=["Apache Airflow 3.3.2"])
    version: str = Field(examples=["3.3.2"])
    image_attr: dict[str, str]


class Images(Told):
    contents: list[Image]
    total_count: int


class Versions(Told):
    scheduler: list[str]
    webserver: list[str]
    worker: list[str]


class SubVersions(Told):
    data_ops_service_count: int
    versions: Versions


class Controller(Told):
    ingress_controller_name: str = Field(examples=["contour"])
    controller: str
    default: bool
    addresses: list[str]


class Controllers(Told):
    contents: list[Controller]
    total_count: int
    not_checked: list[str]


class ResourceCheck(Told):
    result: bool
    err_code: str = Field(description="Empty, NOT_ENOUGH_RESOURCES or NOT_CHECKED.")
    cpu: str = Field(description="Thousandths of a core that its pods ask for.", examples=["1200"])
    memory: str = Field(description="Mebibytes that its pods ask for.", examples=["6144"])
    findings: list[str]


class Exported(Told):
    task: str = Field(description="YAML, a task of scp.dataops.dataops_service that makes this service.")


class Drifted(Told):
    object: str
    difference: str
    fields: list[str]
    reason: str


class Drift(Told):
    contents: list[Drifted]
    total_count: int


class Entry(Told):
    when: str
    door: str
    name: str
    target: str
    verb: str
    result: str
    reason: str
    options: list[str]
    actions: list[str]
    restarted: list[str]


class Activity(Told):
    contents: list[Entry]
    total_count: int


class SettingsShown(Told):
    """In the form of a body."""

    settings: dict[str, Any]


class ServiceSettings(Told):
    """What a service was asked for, and what it has from its Manager because it was not."""

    own: dict[str, Any]
    inherited: dict[str, Any]


class TokenShown(Told):
    id: str = Field(examples=["5e0c1a2b"])
    name: str = Field(examples=["ci"])
    role: tokens.Role
    created_dt: str = Field(examples=["2026-01-02T00:00:00Z"])


class TokenMade(TokenShown):
    token: str = Field(
        description="What a program sends. It is in this answer only: what is kept is a fingerprint of it.",
        json_schema_extra={"format": "password", "readOnly": True},
    )


class Tokens(Told):
    contents: list[TokenShown]
    total_count: int
