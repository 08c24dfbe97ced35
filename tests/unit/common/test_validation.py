# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of the options: what it takes, in which form it keeps it, and the sentence for what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.common import validation
from ansible_collections.scp.dataops.plugins.module_utils.common.validation import HostAlias
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

NAME_RULE = "Use 3 to 30 lower-case letters, digits and '-', starting with a letter and not ending with '-'."
NAMESPACE_RULE = "Use at most 63 lower-case letters, digits and '-'."
DOMAIN_RULE = (
    "Use 3 to 50 lower-case letters, digits, '-' and '.', starting with a letter, such as dataops.example.com."
)
ACCOUNT_RULE = "Use 6 to 30 lower-case letters and digits."
CPU_RULE = "Use cores or thousandths of a core, such as 2 or 500m."
SIZE_RULE = "Use a number with a unit, such as 512Mi or 2Gi."
HOST_RULE = "Use lower-case letters, digits, '-' and '.'."
LABEL_RULE = "Use labels as 'kubectl get nodes --show-labels' prints them, such as {'pool': 'dataops'}."


def refusal(function: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    with pytest.raises(BadOption) as caught:
        function(*arguments, **named)
    return str(caught.value)


NAMES = {
    "shortest": "etl",
    "longest": "a" * 30,
    "with digits and dashes": "etl-2-night",
}
BAD_NAMES = {
    "two characters": "ab",
    "31 characters": "a" * 31,
    "upper case": "Etl",
    "starts with a digit": "1etl",
    "starts with a dash": "-etl",
    "ends with a dash": "etl-",
    "underscore": "my_etl",
    "dot": "my.etl",
    "line break at the end": "etl\n",
    "empty": "",
}


@pytest.mark.parametrize("value", NAMES.values(), ids=NAMES.keys())
def test_name_taken(value: str) -> None:
    assert validation.name(value, "name") == value


@pytest.mark.parametrize("value", BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_name_refused(value: str) -> None:
    assert refusal(validation.name, value, "name") == f"name: '{value}' is not a valid name. {NAME_RULE}"


BAD_NAMESPACES = {"upper case": "Data", "64 characters": "a" * 64, "dot": "a.b", "ends with a dash": "a-"}


@pytest.mark.parametrize("value", BAD_NAMESPACES.values(), ids=BAD_NAMESPACES.keys())
def test_namespace_refused(value: str) -> None:
    said = refusal(validation.name_of_namespace, value, "namespace")
    assert said == f"namespace: '{value}' is not a valid namespace. {NAMESPACE_RULE}"


def test_namespace_taken() -> None:
    assert validation.name_of_namespace("0-" + "a" * 61, "namespace") == "0-" + "a" * 61


DOMAINS = {"shortest": "lab", "longest": "a" * 46 + ".com", "many parts": "data-ops.eu.example.com"}
BAD_DOMAINS = {
    "two characters": "ab",
    "51 characters": "a" * 47 + ".com",
    "upper case": "Example.com",
    "starts with a digit": "1example.com",
    "starts with a dot": ".example.com",
    "ends with a dot": "example.com.",
    "two dots": "example..com",
    "part ends with a dash": "example-.com",
    "underscore": "data_ops.com",
    "with a path": "example.com/x",
    "with a port": "example.com:80",
    "empty": "",
}


@pytest.mark.parametrize("value", DOMAINS.values(), ids=DOMAINS.keys())
def test_domain_taken(value: str) -> None:
    assert validation.domain(value, "domain") == value


@pytest.mark.parametrize("value", BAD_DOMAINS.values(), ids=BAD_DOMAINS.keys())
def test_domain_refused(value: str) -> None:
    said = refusal(validation.domain, value, "default_settings.domain")
    assert said == f"default_settings.domain: '{value}' is not a valid domain. {DOMAIN_RULE}"


def test_description() -> None:
    assert validation.description("é" * 150, "description") == "é" * 150
    said = refusal(validation.description, "x" * 151, "description")
    assert said == "description: 151 characters are too many. Use at most 150 characters."


BAD_ACCOUNTS = {"5 characters": "admin", "31": "a" * 31, "upper case": "Operator", "dash": "data-ops", "empty": ""}


@pytest.mark.parametrize("value", BAD_ACCOUNTS.values(), ids=BAD_ACCOUNTS.keys())
def test_account_id_refused(value: str) -> None:
    said = refusal(validation.account_id, value, "account.id")
    assert said == f"account.id: '{value}' is not a valid account id. {ACCOUNT_RULE}"


@pytest.mark.parametrize("value", ["dataops", "0operator", "a" * 30])
def test_account_id_taken(value: str) -> None:
    assert validation.account_id(value, "account.id") == value


BAD_PASSWORDS = {
    "7 characters": "Abcde1!",
    "51 characters": "Abcdef1!" + "x" * 43,
    "no upper case": "abcdef1!",
    "no lower case": "ABCDEF1!",
    "no digit": "Abcdefg!",
    "no special character": "Abcdefg1",
    "a special character that does not count": "Abcdefg1-",
    "empty": "",
}


@pytest.mark.parametrize("value", BAD_PASSWORDS.values(), ids=BAD_PASSWORDS.keys())
def test_password_refused_and_never_quoted(value: str) -> None:
    assert refusal(validation.password, value, "account.password") == (
        "account.password: the password is too weak or has the wrong length. Use 8 to 50 characters with an upper-case "
        "letter, a lower-case letter, a digit and one of !@#$%^&*."
    )


@pytest.mark.parametrize("value", ["Abcdef1!", "Abcdef1*" + "x" * 42, "aB3&    "])
def test_password_taken(value: str) -> None:
    assert validation.password(value, "account.password") == value


CPUS = {
    "cores": ("2", "2"),
    "thousandths": ("500m", "500m"),
    "thousandths that make cores": ("2000m", "2"),
    "part of a core": ("0.5", "500m"),
    "one and a half": ("1.5", "1500m"),
    "a number": (2, "2"),
    "smallest": ("1m", "1m"),
}
BAD_CPUS = {
    "a word": "lots",
    "a unit of memory": "2Gi",
    "thousands": "2k",
    "nothing": "0",
    "less than a thousandth": "0.5m",
    "below zero": "-1",
    "with a space": "2 cores",
    "exponent": "1e3",
    "empty": "",
}


@pytest.mark.parametrize(("value", "kept"), CPUS.values(), ids=CPUS.keys())
def test_cpu_taken(value: str | float, kept: str) -> None:
    assert validation.cpu(value, "worker.cpu") == kept


@pytest.mark.parametrize("value", BAD_CPUS.values(), ids=BAD_CPUS.keys())
def test_cpu_refused(value: str) -> None:
    assert refusal(validation.cpu, value, "worker.cpu") == (
        f"worker.cpu: '{value}' is not an amount of CPU. {CPU_RULE}"
    )


SIZES = {"binary": "2Gi", "decimal": "2G", "fraction": "1.5Gi", "just enough": "1Gi", "in bytes": "1073741824"}
BAD_SIZES = {
    "too small": "1023Mi",
    "a word": "plenty",
    "thousandths": "4000000000000m",
    "unit of nobody": "2GB",
    "below zero": "-2Gi",
    "empty": "",
}


@pytest.mark.parametrize("value", SIZES.values(), ids=SIZES.keys())
def test_size_taken(value: str) -> None:
    assert validation.size_in_bytes(value, "storage_size", smallest="1Gi") == value


@pytest.mark.parametrize("value", BAD_SIZES.values(), ids=BAD_SIZES.keys())
def test_size_refused(value: str) -> None:
    assert refusal(validation.size_in_bytes, value, "storage_size", smallest="1Gi") == (
        f"storage_size: '{value}' is not a size of at least 1Gi. {SIZE_RULE}"
    )


@pytest.mark.parametrize("value", [0, 21, -1])
def test_whole_number_refused(value: int) -> None:
    said = refusal(validation.whole_number, value, "web_server.replicas", low=1, high=20)
    assert said == f"web_server.replicas: {value} is out of range. Use a whole number from 1 to 20."


@pytest.mark.parametrize("value", [1, 20])
def test_whole_number_taken(value: int) -> None:
    assert validation.whole_number(value, "web_server.replicas", low=1, high=20) == value


AMOUNTS = {"500m": 0.5, "2": 2.0, "1Gi": 1073741824.0, "1.5k": 1500.0, "1T": 1e12}


@pytest.mark.parametrize(("text", "number"), AMOUNTS.items(), ids=AMOUNTS.keys())
def test_amount(text: str, number: float) -> None:
    assert validation.amount(text) == pytest.approx(number)


def test_amount_of_a_word() -> None:
    with pytest.raises(ValueError, match="lots"):
        validation.amount("lots")


KEYS = {
    "near miss": ({"reff": "main"}, "git_sync", "git_sync.reff: no such option. Use ref."),
    "far off": ({"colour": "red"}, "git_sync", "git_sync.colour: no such option. Use repo, ref."),
    "at the top": ({"reqo": "x"}, "", "reqo: no such option. Use repo."),
}


@pytest.mark.parametrize(("raw", "at", "sentence"), KEYS.values(), ids=KEYS.keys())
def test_unknown_key(raw: dict[str, str], at: str, sentence: str) -> None:
    assert refusal(validation.known_keys, raw, ("repo", "ref"), at) == sentence


def test_required() -> None:
    assert validation.required({"domain": "example.com"}, "domain", "why") == "example.com"
    assert refusal(validation.required, {}, "domain", "the address will be etl.DOMAIN") == (
        "domain: it is not set. Set it; the address will be etl.DOMAIN."
    )


ALIASES = {
    "none": ([], ()),
    "one": ([{"ip": "10.0.0.5", "hostnames": ["db", "db.lan"]}], (HostAlias("10.0.0.5", ("db", "db.lan")),)),
    "IPv6 in its short form": (
        [{"ip": "FD00:0::1", "hostnames": ["db"]}],
        (HostAlias("fd00::1", ("db",)),),
    ),
    "one address named twice": (
        [
            {"ip": "10.0.0.5", "hostnames": ["a"]},
            {"ip": "10.0.0.6", "hostnames": ["b"]},
            {"ip": "10.0.0.5", "hostnames": ["c"]},
        ],
        (HostAlias("10.0.0.5", ("a", "c")), HostAlias("10.0.0.6", ("b",))),
    ),
}


@pytest.mark.parametrize(("raw", "kept"), ALIASES.values(), ids=ALIASES.keys())
def test_host_aliases_taken(raw: list[dict[str, Any]], kept: tuple[HostAlias, ...]) -> None:
    assert validation.host_aliases(raw, "host_aliases") == kept


def alias(ip: str = "10.0.0.5", *hostnames: str) -> dict[str, Any]:
    return {"ip": ip, "hostnames": list(hostnames)}


BAD_ALIASES = {
    "not an address": (
        [alias("10.0.0.500", "db")],
        "host_aliases[0].ip: '10.0.0.500' is not an IP address. Use an IPv4 or IPv6 address, such as 10.0.0.5.",
    ),
    "a name for an address": (
        [alias("10.0.0.5", "db"), alias("db.lan", "db2")],
        "host_aliases[1].ip: 'db.lan' is not an IP address. Use an IPv4 or IPv6 address, such as 10.0.0.5.",
    ),
    "a network": (
        [alias("10.0.0.0/8", "db")],
        "host_aliases[0].ip: '10.0.0.0/8' is not an IP address. Use an IPv4 or IPv6 address, such as 10.0.0.5.",
    ),
    "no host": ([alias("10.0.0.5")], "host_aliases[0].hostnames: no host name given. Name at least one host."),
    "bad host": (
        [alias("10.0.0.5", "data_base")],
        f"host_aliases[0].hostnames: 'data_base' is not a valid host name. {HOST_RULE}",
    ),
    "host too long": (
        [alias("10.0.0.5", ".".join(["a" * 63] * 4))],
        f"host_aliases[0].hostnames: '{'.'.join(['a' * 63] * 4)}' is not a valid host name. {HOST_RULE}",
    ),
    "the same name for two addresses": (
        [alias("10.0.0.5", "db"), alias("10.0.0.6", "db")],
        "host_aliases[1].hostnames: 'db' is an alias twice, for 10.0.0.5 and for 10.0.0.6. Keep one of the two.",
    ),
    "the same name twice for one address": (
        [alias("10.0.0.5", "db", "db")],
        "host_aliases[0].hostnames: 'db' is an alias twice, for 10.0.0.5 and for 10.0.0.5. Keep one of the two.",
    ),
    "unknown key": (
        [{"ip": "10.0.0.5", "hostname": "db"}],
        "host_aliases[0].hostname: no such option. Use hostnames.",
    ),
    "21 addresses": (
        [alias(f"10.0.0.{number}", f"h{number}") for number in range(21)],
        "host_aliases: 21 addresses are too many. Use at most 20.",
    ),
}


@pytest.mark.parametrize(("raw", "sentence"), BAD_ALIASES.values(), ids=BAD_ALIASES.keys())
def test_host_aliases_refused(raw: list[dict[str, Any]], sentence: str) -> None:
    assert refusal(validation.host_aliases, raw, "host_aliases") == sentence


def test_twenty_addresses_are_taken() -> None:
    raw = [alias(f"10.0.0.{number}", f"h{number}") for number in range(20)]
    assert len(validation.host_aliases(raw, "host_aliases")) == 20


SELECTORS = {
    "plain": ({"pool": "dataops"}, {"pool": "dataops"}),
    "with a prefix": ({"node.kubernetes.io/pool": "a_b.C"}, {"node.kubernetes.io/pool": "a_b.C"}),
    "YAML's boolean": ({"gpu": True}, {"gpu": "true"}),
    "a number": ({"zone": 1}, {"zone": "1"}),
    "empty value": ({"node-role.kubernetes.io/worker": ""}, {"node-role.kubernetes.io/worker": ""}),
    "none": ({}, {}),
}


@pytest.mark.parametrize(("raw", "kept"), SELECTORS.values(), ids=SELECTORS.keys())
def test_node_selector_taken(raw: dict[str, Any], kept: dict[str, str]) -> None:
    assert validation.node_selector(raw, "node_selector") == kept


BAD_SELECTORS = {
    "space in the value": ({"pool": "data ops"}, "pool=data ops"),
    "space in the key": ({"my pool": "x"}, "my pool=x"),
    "value ends with a dash": ({"pool": "x-"}, "pool=x-"),
    "value too long": ({"pool": "x" * 64}, f"pool={'x' * 64}"),
    "prefix in upper case": ({"Example.com/pool": "x"}, "Example.com/pool=x"),
    "empty prefix": ({"/pool": "x"}, "/pool=x"),
    "no name": ({"example.com/": "x"}, "example.com/=x"),
    "empty key": ({"": "x"}, "=x"),
    "a second label hidden in the value": ({"pool": "x,zone=y"}, "pool=x,zone=y"),
}


@pytest.mark.parametrize(("raw", "shown"), BAD_SELECTORS.values(), ids=BAD_SELECTORS.keys())
def test_node_selector_refused(raw: dict[str, Any], shown: str) -> None:
    said = refusal(validation.node_selector, raw, "node_selector")
    assert said == f"node_selector: '{shown}' is not a node label. {LABEL_RULE}"


def test_tags() -> None:
    assert validation.tags({"team": "a b", "cost centre": 7, "live": True}, "tags") == {
        "team": "a b",
        "cost centre": "7",
        "live": "true",
    }
    many = {f"k{number}": "v" for number in range(51)}
    assert refusal(validation.tags, many, "tags") == "tags: 51 tags are too many. Use at most 50."
    many.popitem()
    assert len(validation.tags(many, "tags")) == 50
