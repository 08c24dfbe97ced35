# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service has from its Manager: the Manager's default settings under what the service says itself.

A default holds until the service says otherwise, option by option, and again once it does not any more. Some options
are taken key by key: a service that chooses the memory of its workers still has the Manager's choice of their CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import DataOpsError
from . import settings, sizes
from .environment import ALL
from .spec import CELERY

CONFIG, ENVIRONMENT = "config", "environment"
# How many levels of keys are inherited one by one; any other option is inherited as a whole.
LEVELS: Mapping[str, int] = {**dict.fromkeys((*sizes.SIZED, "monitoring"), 1), CONFIG: 2, ENVIRONMENT: 2}


def effective(inherited: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a service."""
    return joined(unchosen(inherited, own), own)


def unchosen(inherited: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What a service has from its Manager, since it does not say it itself."""
    left = {}
    for option, value in sizes.inheritable(inherited, celery=CELERY in own.get("executor", "")).items():
        rest = without(value, own[option], LEVELS.get(option, 0)) if option in own else value
        if option == ENVIRONMENT:
            rest = open_variables(rest, own)
        if rest:
            left[option] = rest
    return left


def without(value: Any, said: Any, levels: int) -> Any:
    """``value`` less the keys of ``said``, to that depth."""
    if levels == 0 or not isinstance(value, Mapping) or not isinstance(said, Mapping):
        return {}
    rest = {key: without(each, said[key], levels - 1) if key in said else each for key, each in value.items()}
    return {key: each for key, each in rest.items() if each != {}}


def open_variables(variables: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Without those that would win over what the service says for all of its parts, or in its ``config``."""
    said = set(groups(own, ENVIRONMENT).get(ALL, {}))
    said |= {settings.variable(section, option) for section, values in groups(own, CONFIG).items() for option in values}
    rest = {
        part: {name: value for name, value in values.items() if name not in said}
        for part, values in groups({ENVIRONMENT: variables}, ENVIRONMENT).items()
    }
    return {part: values for part, values in rest.items() if values}


def groups(options: Mapping[str, Any], option: str) -> dict[str, Mapping[str, Any]]:
    """Sections or parts; what is none is refused when the options are checked."""
    return {name: values for name, values in options.get(option, {}).items() if isinstance(values, Mapping)}


def joined(rest: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Both, of which no value is in the other."""
    return {**rest, **said, **{key: joined(rest[key], said[key]) for key in rest.keys() & said.keys()}}


@contextmanager
def told_as_default(inherited: Mapping[str, Any], own: Mapping[str, Any], manager: str) -> Iterator[None]:
    """What is refused of the Manager's settings of Airflow is told as such: the service does not have it itself."""
    try:
        yield
    except DataOpsError as error:
        left = unchosen(inherited, own)
        paths = [
            f"{option}.{group}.{name}"
            for option in (CONFIG, ENVIRONMENT)
            for group, values in groups(left, option).items()
            for name in values
        ]
        if any(error.where == path or error.where.startswith(f"{path}.") for path in paths):
            error.where = f"default_settings.{error.where} of Manager {manager}"
        raise
