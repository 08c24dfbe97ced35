# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what is wanted what Airflow shows? Airflow masks what it takes for secret, so there are three answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from ...kube.masking import HIDDEN

Verdict = Literal["same", "hidden", "different"]

# What Airflow shows in place of a secret: of a whole value, or of a secret that it knows inside of a text.
MASK = "***"
# Names whose values Airflow masks (its DEFAULT_SENSITIVE_FIELDS).
SENSITIVE = re.compile(
    r"access_token|api_key|apikey|authorization|keyfile_dict|passphrase|passwd|password|private_key|secret|"
    r"service_account|token",
    re.IGNORECASE,
)
# Shorter ones would tear other words apart where they are masked.
SHORTEST_SECRET = 4


def compare(wanted: Any, shown: Any) -> Verdict:
    """Whether a value is the one shown, may be it as far as it is shown, or certainly is another."""
    if isinstance(shown, str) and MASK in shown:
        return "hidden" if _fits(wanted, shown) else "different"
    if isinstance(wanted, dict) and isinstance(shown, dict):
        if wanted.keys() != shown.keys():
            return "different"
        return _together(compare(value, shown[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(shown, list):
        if len(wanted) != len(shown):
            return "different"
        return _together(compare(*pair) for pair in zip(wanted, shown, strict=True))
    # In Python True is 1; in JSON it is not.
    alike = isinstance(wanted, bool) == isinstance(shown, bool)
    return "same" if alike and wanted == shown else "different"


def as_value(text: str) -> Any:
    """A variable's text as the JSON that it is, else as it is: Airflow writes JSON in a form of its own."""
    try:
        return json.loads(text, parse_constant=_no_json)
    except ValueError:
        return text


def masked(name: str, value: Any) -> Any:
    """A value fit to be shown: where its name, or that of a part of it, sounds secret it is hidden."""
    secret = name if SENSITIVE.search(name) else ""
    if isinstance(value, dict):
        return {key: masked(secret or str(key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(name, item) for item in value]
    return HIDDEN if secret and value not in ("", None) else value


def secret_texts(name: str, value: Any, *, all_of_it: bool = False) -> Iterator[str]:
    """Texts in ``value`` that nobody must see: those under a name that sounds secret, or all of them."""
    secret = all_of_it or bool(SENSITIVE.search(name))
    if isinstance(value, dict):
        for key, item in value.items():
            yield from secret_texts(str(key), item, all_of_it=secret)
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(name, item, all_of_it=secret)
    elif secret and isinstance(value, str) and len(value) >= SHORTEST_SECRET:
        yield value


def _no_json(constant: str) -> Any:
    """Python would read NaN, which is not even itself."""
    raise ValueError(constant)


def _fits(wanted: Any, shown: str) -> bool:
    if shown == MASK:
        return wanted not in ("", None)
    between = ".*".join(re.escape(part) for part in shown.split(MASK))
    return isinstance(wanted, str) and re.fullmatch(between, wanted, re.DOTALL) is not None


def _together(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts)
    return "different" if "different" in found else "hidden" if "hidden" in found else "same"
