# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service as the task that would create it: what was asked for, from its record, with references for passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import needed_library
from .git.spec import MAIN, Repository
from .spec import ServiceSpec

MODULE = "scp.dataops.dataops_service"
# What Ansible would take for an expression of its own.
EXPRESSIONS = ("{{", "{%", "{#")


# Lines are as long as their text.
UNBROKEN = 1_000_000


class Reference(str):
    """A variable of the playbook's author, to be evaluated; all other text is meant literally."""

    __slots__ = ()


def task(spec: ServiceSpec, options: Mapping[str, Any], *, stopped: bool = False) -> str:
    """YAML, a list of one task.

    :param options: as they were recorded.
    """
    place = {} if spec.namespace == spec.manager else {"namespace": spec.namespace}
    state = {"state": "stopped"} if stopped else {}
    wanted = {"name": spec.name, "manager": spec.manager, **place, **state, **with_references(spec, options)}
    return as_yaml([{"name": f"Data Ops Service {spec.name}", MODULE: wanted}])


def with_references(spec: ServiceSpec, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with a variable for each password or key of a repository: the record holds none."""
    if spec.git_sync is None:
        return dict(options)
    missing = {item.name: credential(spec, item) for item in spec.git_sync.repositories}
    recorded = options["git_sync"]
    git = {**recorded, **missing[MAIN]}
    if recorded.get("repositories"):
        git["repositories"] = [{**item, **missing[item["name"]]} for item in recorded["repositories"]]
    return {**options, "git_sync": git}


def credential(spec: ServiceSpec, item: Repository) -> dict[str, Reference]:
    key = "ssh_key" if item.by_ssh else "password" if item.username else ""
    whose = "git" if item.name == MAIN else f"git_{item.name}"
    variable = f"vault_{spec.name}_{whose}_{key}".replace("-", "_")
    return {key: Reference(f"{{{{ {variable} }}}}")} if key else {}


def as_yaml(document: Any) -> str:
    with needed_library("pyyaml"):
        import yaml

    def indented(dumper: Any, flow: bool = False, indentless: bool = False) -> Any:
        """Lists stand below their key, as everybody writes them in playbooks."""
        return yaml.SafeDumper.increase_indent(dumper, flow, False)

    # A class of its own: how texts are written must not change for others in this process.
    dumper = type("TaskDumper", (yaml.SafeDumper,), {"increase_indent": indented})
    yaml.add_representer(str, text, Dumper=dumper)
    yaml.add_representer(Reference, reference, Dumper=dumper)
    return str(yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=UNBROKEN))


def text(dumper: Any, value: str) -> Any:
    tag = "!unsafe" if any(mark in value for mark in EXPRESSIONS) else "tag:yaml.org,2002:str"
    style = "|" if "\n" in value else "'" if tag == "!unsafe" else None
    return dumper.represent_scalar(tag, value, style=style)


def reference(dumper: Any, value: Reference) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style='"')
