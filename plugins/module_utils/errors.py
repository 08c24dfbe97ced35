# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every failure a person can read about: what happened, where, and what to do next.

DataOpsError
├── BadOption         what was written cannot be right; found without the cluster
├── MissingLibrary    a Python library is not installed where the module runs
├── Refused           the cluster, as it is, cannot take what was asked for; nothing was written
├── Unreachable       nothing that speaks Kubernetes answers: address, TLS, kubeconfig
├── NotReady          waiting ended: it cannot succeed, or the time is up
│   └── AirflowError  an answer of Airflow that is not a success, with its HTTP status and its own words
└── ApiError          an answer of the API server, with its HTTP status and reason
    ├── Unauthorized  401
    ├── Forbidden     403
    ├── NotFound      404
    ├── Conflict      409
    └── Invalid       400 and 422
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class DataOpsError(Exception):
    """Reads as one or two clean sentences: "{where}: {what}. {next_step}." """

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        first = f"{self.where}: {self.what}" if self.where else self.what
        if not self.next_step:
            return _sentence(first)
        # What ends with a block of quoted lines has ended its line, too.
        between = "" if first.endswith("\n") else " "
        return f"{_sentence(first)}{between}{_sentence(self.next_step)}"


class BadOption(DataOpsError):
    """What a user wrote cannot be right; found without asking the cluster."""


class MissingLibrary(DataOpsError):
    """A Python library that is needed is not installed where the module runs."""


class Refused(DataOpsError):
    """The cluster, as it is, cannot take what was asked for; nothing was written."""


class Unreachable(DataOpsError):
    """Nothing that speaks Kubernetes answers: wrong address, TLS, kubeconfig."""


class NotReady(DataOpsError):
    """Waiting ended: what is waited for cannot succeed, or the time is up."""


class AirflowError(NotReady):
    """An answer of Airflow that is not a success; `status` is the HTTP code, `detail` what it says about it."""

    def __init__(self, what: str, *, where: str = "", next_step: str = "", status: int = 0, detail: str = "") -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.status = status
        self.detail = detail


class ApiError(DataOpsError):
    """An answer of the API server that is not a success; `status` is the HTTP code (0: none), `reason` its word."""

    def __init__(self, what: str, *, where: str = "", next_step: str = "", status: int = 0, reason: str = "") -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.status = status
        self.reason = reason


class Unauthorized(ApiError):
    """401: the credentials are missing, wrong or expired."""


class Forbidden(ApiError):
    """403: the user has no such right, or a quota or policy does not admit the object."""


class NotFound(ApiError):
    """404: the object, its namespace or its kind does not exist."""


class Conflict(ApiError):
    """409: someone else owns the fields, changed the object meanwhile, or created it before; `owners` are managers."""

    owners: tuple[str, ...] = ()


class Invalid(ApiError):
    """400 or 422: the API server cannot take the object as it is written."""


@contextmanager
def needed_library(name: str) -> Iterator[None]:
    """Turn the ImportError of the imports inside into one sentence that says what to install, and where."""
    try:
        yield
    except ImportError as error:
        raise MissingLibrary(
            f"Python library {name} is missing on {platform.node()}",
            next_step=f"Install kubernetes, which brings it: {sys.executable} -m pip install kubernetes",
        ) from error


def _sentence(text: str) -> str:
    """End `text` as a sentence, unless it ends with a block of quoted lines."""
    return text if text.endswith(("\n", ".", "!", "?")) else f"{text}."
