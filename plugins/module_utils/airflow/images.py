# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image each container of a service has.

An image that comes with a version is found under the registry of the site; one that was asked for by its full
reference is taken as it is. What such an image really holds is looked at before anything uses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..common import validation as check
from ..errors import BadOption, Refused

_HOST = r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:\d{1,5})?"
_PATH = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
REFERENCE = re.compile(
    rf"(?P<name>({_HOST}/)?{_PATH}(/{_PATH})*)(:(?P<tag>\w[\w.-]{{0,127}}))?(@(?P<digest>sha256:[0-9a-f]{{64}}))?"
)
REGISTRY = re.compile(rf"{_HOST}(/{_PATH})*")
# Quicker than Airflow's own command, which imports all of it.
PRINT_VERSION = "from importlib.metadata import version; print('Airflow', version('apache-airflow'))"
PRINTED = re.compile(r"^Airflow (\d+\.\d+)\.(\S+)$", re.MULTILINE)


def under(registry: str, name: str) -> str:
    """The image that we call ``name``, where the site keeps it."""
    return f"{registry}/{name}" if registry else name


def registry(value: str, at: str) -> str:
    """Registry and path before every image, without a slash at its end."""
    prefix = value.rstrip("/")
    if prefix and not REGISTRY.fullmatch(prefix):
        raise BadOption(
            f"'{value}' is not a registry",
            where=at,
            next_step="Use HOST, HOST:PORT or HOST/PATH without https://, such as registry.example.com/mirror",
        )
    return prefix


def reference(value: str, at: str) -> str:
    """A full reference. Without tag or digest nobody could say which image it is tomorrow."""
    if not value:
        return ""
    match = REFERENCE.fullmatch(value)
    if match is None:
        raise BadOption(
            f"'{value}' is not the reference of an image",
            where=at,
            next_step="Use REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST, such as registry.example.com/airflow:3.3",
        )
    if not match["tag"] and not match["digest"]:
        raise BadOption(f"'{value}' has neither tag nor digest", where=at, next_step="Add :TAG or @sha256:DIGEST to it")
    return value


def pull_secrets(raw: Iterable[str], at: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(raw))
    for name in names:
        check.object_name(name, at)
    return names


def same_version(image: str, log: str, version: str) -> None:
    """:param log: what a container of the image printed with :data:`PRINT_VERSION`.

    :raises Refused: when it is not the ``version`` (``3.3``) that was asked for, naming both.
    """
    found = PRINTED.search(log)
    if found is None:
        raise Refused(
            f"image {image} does not say which Airflow it has",
            where="image",
            next_step="Use an image made from an official image of Apache Airflow",
        )
    if found[1] != version:
        raise Refused(
            f"image {image} has Airflow {found[1]}.{found[2]}, and version is {version}",
            where="image",
            next_step=f"Use an image with Airflow {version}, or set version to '{found[1]}' if that is meant",
        )
