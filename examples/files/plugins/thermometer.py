# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Plugin File: a macro for templates and a function for tasks, in every pod that runs Airflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin


def fahrenheit(celsius: float) -> float:
    return round(celsius * 9 / 5 + 32, 1)


class Thermometer(AirflowPlugin):
    """In a template: ``{{ macros.thermometer.fahrenheit(21.4) }}``."""

    name = "thermometer"
    macros: ClassVar[list[Callable[[float], float]]] = [fahrenheit]
