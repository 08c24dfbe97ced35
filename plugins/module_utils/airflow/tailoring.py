# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user adds to the pods of a service, after everything else: variables, and patches of pod templates."""

from __future__ import annotations

from collections.abc import Mapping

from ..common.labels import COMPONENT
from ..common.secret_keys import SecretKey, Value
from ..kube.objects import Manifest
from . import environment, names, settings
from .overrides import applied
from .pieces import POD_HASH, hash_of_pod
from .spec import ServiceSpec
from .versions import reads

# Containers that run Airflow but do not have the name of their part.
AIRFLOW_CONTAINERS: Mapping[str, tuple[str, ...]] = {
    environment.TASK: ("base",),
    environment.JOBS: ("migration", "account", "libraries", "plugins"),
}


def part_of(manifest: Manifest) -> str:
    """Which part of the service an object runs, by the names that the options use; empty when it runs none."""
    if manifest["kind"] == "Job":
        return environment.JOBS
    return str(manifest["metadata"]["labels"][COMPONENT]) if manifest["kind"] in ("Deployment", "StatefulSet") else ""


def tailored(spec: ServiceSpec, manifest: Manifest) -> Manifest:
    """A workload with the user's variables and patch in its pod template; all else as it is."""
    part = part_of(manifest)
    if not part:
        return manifest
    template = tailored_pod(spec, part, manifest["spec"]["template"])
    if template == manifest["spec"]["template"]:
        return manifest
    result = {**manifest, "spec": {**manifest["spec"], "template": template}}
    if part == environment.JOBS:
        annotations = {**manifest["metadata"]["annotations"], POD_HASH: hash_of_pod(template["spec"])}
        result["metadata"] = {**manifest["metadata"], "annotations": annotations}
    return result


def tailored_pod(spec: ServiceSpec, part: str, template: Manifest) -> Manifest:
    """:param template: of a workload, or the pod of a task."""
    wanted = [as_entry(name, value) for name, value in variables(spec, part).items()]
    if wanted:
        airflow = AIRFLOW_CONTAINERS.get(part, (part,))
        containers = [
            {**item, "env": with_entries(item.get("env", []), wanted)} if item["name"] in airflow else item
            for item in template["spec"]["containers"]
        ]
        template = {**template, "spec": {**template["spec"], "containers": containers}}
    patch = spec.overrides.get(part, {})
    if part == environment.JOBS and patch:
        patch = named_as(patch, template["spec"]["containers"][0]["name"])
    return applied(template, patch)


def with_entries(env: list[Manifest], wanted: list[Manifest]) -> list[Manifest]:
    """Kubernetes refuses a variable that is there twice, so a wanted one takes the place of ours."""
    given = {item["name"] for item in wanted}
    return [*(item for item in env if item["name"] not in given), *wanted]


def named_as(patch: Manifest, container: str) -> Manifest:
    """One patch for all jobs: each has a container of its own name, which the patch calls by the name of the part."""
    inner = patch.get("spec") or {}
    if not inner.get("containers"):
        return patch
    containers = [
        {**item, "name": container} if item["name"] == environment.JOBS else item for item in inner["containers"]
    ]
    return {**patch, "spec": {**inner, "containers": containers}}


def variables(spec: ServiceSpec, part: str) -> dict[str, Value]:
    """Variables of a part by name: settings that come from Secrets, what was asked for all parts and for this one."""
    if part not in (*(component.name for component in spec.components), environment.TASK, environment.JOBS):
        return {}
    from_secrets = {
        settings.variable(section, option): value
        for section, options in spec.config.items()
        for option, value in options.items()
        if isinstance(value, SecretKey) and reads(spec.profile, part, section, option)
    }
    everybody = spec.environment.get(environment.ALL, {}) if part in environment.PARTS else {}
    asked = {**from_secrets, **everybody, **spec.environment.get(part, {})}
    path = asked.get("PYTHONPATH")
    if spec.uploads.requirements and isinstance(path, str):
        # Ours holds nothing but what makes libraries importable, which must not be lost.
        asked["PYTHONPATH"] = f"{names.PYTHON}:{path}"
    return dict(sorted(asked.items()))


def as_entry(name: str, value: Value) -> Manifest:
    if isinstance(value, SecretKey):
        return {"name": name, "valueFrom": value.source}
    # Kubernetes would put another variable's value in place of $(NAME).
    return {"name": name, "value": value.replace("$(", "$$(")}


def secret_keys(spec: ServiceSpec) -> dict[SecretKey, str]:
    """Secrets that the user named, and the option that names each."""
    places = (("config", spec.config), ("environment", spec.environment))
    return {
        value: f"{option}.{group}.{name}"
        for option, groups in places
        for group, values in groups.items()
        for name, value in values.items()
        if isinstance(value, SecretKey)
    }
