# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may write: one pure function per kind of value, one sentence per refusal.

Limits are those of the product's own API, so that a value which passes here is one its users know to be valid. Every
function takes the option's path (``at``) only to name it in the message.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import BadOption

NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
QUANTITY_FACTOR = {
    "m": 0.001,
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}

NAME_LENGTH = (3, 30)
DOMAIN_LENGTH = (3, 50)
DESCRIPTION_MAX = 150
HOST_ALIASES_MAX = 20
TAGS_MAX = 50
ACCOUNT_ID = re.compile(r"[a-z0-9]{6,30}")
PASSWORD_LENGTH = (8, 50)
PASSWORD_SPECIAL = "!@#$%^&*"


@dataclass(frozen=True)
class HostAlias:
    """One address and the names it is known by in every pod (the same shape as a Pod's ``hostAliases``)."""

    ip: str
    hostnames: tuple[str, ...]


def known_keys(raw: Mapping[str, Any], known: Iterable[str], at: str) -> None:
    """Refuse a key that nobody would read, and name the one that was probably meant."""
    names = list(known)
    for key in raw:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1) or names
            raise BadOption("no such option", where=f"{at}.{key}" if at else key, next_step=f"Use {', '.join(near)}")


def name(value: str, at: str) -> str:
    low, high = NAME_LENGTH
    if not low <= len(value) <= high or not NAME.fullmatch(value):
        raise BadOption(
            f"'{value}' is not a valid name",
            where=at,
            next_step=f"Use {low} to {high} lower-case letters, digits and '-', starting with a letter "
            "and not ending with '-'",
        )
    return value


def name_of_namespace(value: str, at: str) -> str:
    if not DNS_LABEL.fullmatch(value):
        raise BadOption(
            f"'{value}' is not a valid namespace",
            where=at,
            next_step="Use at most 63 lower-case letters, digits and '-'",
        )
    return value


def name_of_secret(value: str, at: str) -> str:
    """Empty for none."""
    if value and not all(DNS_LABEL.fullmatch(part) for part in value.split(".")):
        raise BadOption(
            f"'{value}' is not a valid name of a Secret",
            where=at,
            next_step="Use lower-case letters, digits, '-' and '.'",
        )
    return value


def required(options: Mapping[str, Any], key: str, why: str) -> Any:
    if not options.get(key):
        raise BadOption("it is not set", where=key, next_step=f"Set it; {why}")
    return options[key]


def domain(value: str, at: str) -> str:
    low, high = DOMAIN_LENGTH
    labels = value.split(".")
    starts_with_letter = value[:1].isalpha()
    if not low <= len(value) <= high or not starts_with_letter or not all(DNS_LABEL.fullmatch(part) for part in labels):
        raise BadOption(
            f"'{value}' is not a valid domain",
            where=at,
            next_step=f"Use {low} to {high} lower-case letters, digits, '-' and '.', starting with a letter, "
            "such as dataops.example.com",
        )
    return value


def description(value: str, at: str) -> str:
    if len(value) > DESCRIPTION_MAX:
        raise BadOption(
            f"{len(value)} characters are too many", where=at, next_step=f"Use at most {DESCRIPTION_MAX} characters"
        )
    return value


def account_id(value: str, at: str) -> str:
    if not ACCOUNT_ID.fullmatch(value):
        raise BadOption(
            f"'{value}' is not a valid account id", where=at, next_step="Use 6 to 30 lower-case letters and digits"
        )
    return value


def password(value: str, at: str) -> str:
    """Never quotes the value: a refused password is a password all the same."""
    low, high = PASSWORD_LENGTH
    classes = (str.isupper, str.islower, str.isdigit, PASSWORD_SPECIAL.__contains__)
    if not low <= len(value) <= high or not all(any(map(has, value)) for has in classes):
        raise BadOption(
            "the password is too weak or has the wrong length",
            where=at,
            next_step=f"Use {low} to {high} characters with an upper-case letter, a lower-case letter, a digit and one "
            f"of {PASSWORD_SPECIAL}",
        )
    return value


def amount(quantity: str) -> float:
    """A quantity as a number of cores or bytes: ``500m`` is 0.5, ``1Gi`` is 1073741824."""
    match = QUANTITY.fullmatch(quantity)
    if match is None:
        raise ValueError(quantity)
    return float(match[1]) * QUANTITY_FACTOR[match[2] or ""]


def cpu(value: str | float, at: str) -> str:
    text = str(value)
    match = QUANTITY.fullmatch(text)
    if match is None or match[2] not in (None, "m") or amount(text) < 0.001:
        raise BadOption(
            f"'{value}' is not an amount of CPU",
            where=at,
            next_step="Use cores or thousandths of a core, such as 2 or 500m",
        )
    thousandths = round(amount(text) * 1000)
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def size_in_bytes(value: str | int, at: str, *, smallest: str) -> str:
    text = str(value)
    match = QUANTITY.fullmatch(text)
    if match is None or match[2] == "m" or amount(text) < amount(smallest):
        raise BadOption(
            f"'{value}' is not a size of at least {smallest}",
            where=at,
            next_step="Use a number with a unit, such as 512Mi or 2Gi",
        )
    return text


def whole_number(value: int, at: str, *, low: int, high: int) -> int:
    if not low <= value <= high:
        raise BadOption(f"{value} is out of range", where=at, next_step=f"Use a whole number from {low} to {high}")
    return value


def hostname(value: str, at: str) -> str:
    if not value or len(value) > 253 or not all(DNS_LABEL.fullmatch(part) for part in value.split(".")):
        raise BadOption(
            f"'{value}' is not a valid host name", where=at, next_step="Use lower-case letters, digits, '-' and '.'"
        )
    return value


def object_name(value: str, at: str) -> str:
    if not OBJECT_NAME.fullmatch(value):
        raise BadOption(
            f"'{value}' is not a name in Kubernetes", where=at, next_step="Use lower-case letters, digits, '-' and '.'"
        )
    return value


def host_aliases(raw: Iterable[Mapping[str, Any]], at: str) -> tuple[HostAlias, ...]:
    """Aliases in the order of their addresses as first named; one address named twice becomes one entry."""
    by_ip: dict[str, list[str]] = {}
    seen: dict[str, str] = {}
    for position, entry in enumerate(raw):
        where = f"{at}[{position}]"
        known_keys(entry, ("ip", "hostnames"), where)
        try:
            ip = str(ipaddress.ip_address(entry.get("ip") or ""))
        except ValueError as error:
            raise BadOption(
                f"'{entry.get('ip')}' is not an IP address",
                where=f"{where}.ip",
                next_step="Use an IPv4 or IPv6 address, such as 10.0.0.5",
            ) from error
        hostnames = entry.get("hostnames") or []
        if not hostnames:
            raise BadOption("no host name given", where=f"{where}.hostnames", next_step="Name at least one host")
        for host in hostnames:
            hostname(host, f"{where}.hostnames")
            if host in seen:
                raise BadOption(
                    f"'{host}' is an alias twice, for {seen[host]} and for {ip}",
                    where=f"{where}.hostnames",
                    next_step="Keep one of the two",
                )
            seen[host] = ip
            by_ip.setdefault(ip, []).append(host)
    if len(by_ip) > HOST_ALIASES_MAX:
        raise BadOption(f"{len(by_ip)} addresses are too many", where=at, next_step=f"Use at most {HOST_ALIASES_MAX}")
    return tuple(HostAlias(ip, tuple(hosts)) for ip, hosts in by_ip.items())


def node_selector(raw: Mapping[str, Any], at: str) -> dict[str, str]:
    """Labels of nodes."""
    how = "Use labels as 'kubectl get nodes --show-labels' prints them, such as {'pool': 'dataops'}"
    return _labels(raw, at, "a node label", how)


def labels(raw: Mapping[str, Any], at: str) -> dict[str, str]:
    """Labels that an object gets."""
    how = "Use a key and a value of letters, digits, '-', '_' and '.', such as {'release': 'prometheus'}"
    return _labels(raw, at, "a label", how)


def _labels(raw: Mapping[str, Any], at: str, what: str, how: str) -> dict[str, str]:
    found = {str(key): _label_text(value) for key, value in raw.items()}
    for key, value in found.items():
        prefix, slash, label = key.rpartition("/")
        valid_prefix = not slash or all(DNS_LABEL.fullmatch(part) for part in prefix.split("."))
        if not valid_prefix or not LABEL_NAME.fullmatch(label) or not LABEL_VALUE.fullmatch(value):
            raise BadOption(f"'{key}={value}' is not {what}", where=at, next_step=how)
    return found


def tags(raw: Mapping[str, Any], at: str) -> dict[str, str]:
    if len(raw) > TAGS_MAX:
        raise BadOption(f"{len(raw)} tags are too many", where=at, next_step=f"Use at most {TAGS_MAX}")
    return {str(key): _label_text(value) for key, value in raw.items()}


def _label_text(value: Any) -> str:
    """YAML reads an unquoted ``true`` as a boolean; Kubernetes means the text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
