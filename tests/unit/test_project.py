# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the project says of itself in one place agrees with what it says, or is, in another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.scp.dataops.plugins.module_utils.common.regions import PROVIDED, REGIONS

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
INVENTORIES = sorted(path.name for path in (ROOT / "inventories").iterdir() if path.is_dir())
# Roles that are one task of a module, with that module.
ROLES_OF_MODULES = {
    "manager": "dataops_manager",
    "airflow": "dataops_service",
    "objects": "dataops_objects",
    "upload": "dataops_upload",
}
# Of these, the ones that the site's playbook composes from an inventory.
ROLES_OF_THE_SITE = ("manager", "airflow")
# What actions hand to their modules is nobody's to set.
HANDED_OVER = {"console_archive"}
# What connects is set for all modules at once and has no variable in a role.
CONNECTION = {
    "api_key", "ca_cert", "client_cert", "client_key", "context", "host", "impersonate_groups", "impersonate_user",
    "kubeconfig", "password", "proxy", "username", "validate_certs",
}  # fmt: skip


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def rows(after: str) -> list[str]:
    """First cells of the README's table whose head begins with ``after``."""
    table = (ROOT / "README.md").read_text().split(f"| {after} |", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| \[?`([\w.]+)`", table, re.MULTILINE)


def options(role: str) -> dict[str, Any]:
    found: dict[str, Any] = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return found


def documented(module: str) -> dict[str, Any]:
    """Options in a module's own documentation, without importing it."""
    source = (ROOT / "plugins" / "modules" / f"{module}.py").read_text()
    text = re.search(r'^DOCUMENTATION = r?"""(.*?)"""', source, re.DOTALL | re.MULTILINE)
    assert text, f"{module} has no documentation"
    found: dict[str, Any] = yaml.safe_load(text[1])["options"]
    return found


def test_readme_lists_every_module() -> None:
    assert rows("module") == MODULES


def test_readme_lists_every_role() -> None:
    assert sorted(rows("role")) == ROLES


def test_readme_lists_every_playbook() -> None:
    assert sorted(rows("playbook")) == [f"scp.dataops.{name}" for name in PLAYBOOKS]


def test_one_set_of_module_defaults_reaches_every_module() -> None:
    """A module that is missing here would quietly talk to another cluster."""
    assert load("meta/runtime.yml")["action_groups"]["dataops"] == MODULES


FAILURE_MODES = re.findall(
    r"^\| ([A-Z])(\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$", (ROOT / "docs" / "failure-modes.md").read_text(), re.MULTILINE
)
NAMED_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_every_test_that_the_failure_modes_name_exists() -> None:
    named = [test for *_row, tests in FAILURE_MODES for test in NAMED_TEST.findall(tests)]
    assert named
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_every_failure_mode_is_prevented_or_told_with_a_test() -> None:
    rows = [
        line for line in (ROOT / "docs" / "failure-modes.md").read_text().splitlines() if re.match(r"\| \w\d", line)
    ]
    assert len(rows) == len(FAILURE_MODES) > 0
    topics: dict[str, int] = {}
    for topic, number, _wrong, answer, tests in FAILURE_MODES:
        topics[topic] = topics.get(topic, 0) + 1
        assert int(number) == topics[topic], f"{topic}{number}"
        word = re.match(r"Prevented|Told|Not here|Open", answer)
        assert word, f"{topic}{number}"
        assert NAMED_TEST.search(tests) or word[0] in ("Not here", "Open"), f"{topic}{number}"


def test_the_version_is_in_galaxy_yml_only() -> None:
    version = load("galaxy.yml")["version"]
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("meta/*"), *ROOT.glob("docs/*.md")]
        if re.search(rf"(?<![\d.]){re.escape(version)}(?![\d.])", path.read_text())
    ]
    assert elsewhere == []


def test_what_is_needed_is_the_same_everywhere() -> None:
    versions = load("roles/preflight/vars/main.yml")["preflight_versions"]
    libraries = dict(re.findall(r"^(\w+)>=([\d.]+)$", (ROOT / "meta/ee-requirements.txt").read_text(), re.MULTILINE))
    assert load("meta/runtime.yml")["requires_ansible"] == f">={versions['ansible-core']}"
    assert load("tests/config.yml")["modules"]["python_requires"] == f">={versions['python']}"
    assert libraries == {name: versions[name] for name in versions if name not in ("ansible-core", "python")}


@pytest.mark.parametrize("role", ROLES)
def test_argument_specs_match_the_defaults_of_the_role(role: str) -> None:
    defaults = load(f"roles/{role}/defaults/main.yml")
    assert defaults == {name: option["default"] for name, option in options(role).items() if "default" in option}


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_of_a_role_has_its_name_in_front_and_is_explained(role: str) -> None:
    def unexplained(at: str, wanted: dict[str, Any]) -> Iterator[str]:
        for name, option in wanted.items():
            if not option.get("description") or not option.get("type"):
                yield f"{at}{name}"
            yield from unexplained(f"{at}{name}.", option.get("options", {}))

    assert list(unexplained("", options(role))) == []
    assert [name for name in options(role) if not name.startswith(f"{role}_")] == []


@pytest.mark.parametrize("role", ROLES)
def test_the_readme_of_a_role_lists_its_variables(role: str) -> None:
    readme = (ROOT / "roles" / role / "README.md").read_text()
    assert re.findall(r"^\| `(\w+)`", readme, re.MULTILINE) == list(options(role))


@pytest.mark.parametrize("role", ROLES)
def test_tasks_of_a_role_use_every_variable(role: str) -> None:
    tasks = (ROOT / "roles" / role / "tasks" / "main.yml").read_text()
    assert [name for name in options(role) if name not in tasks] == []


@pytest.mark.parametrize("role", ROLES_OF_MODULES)
def test_a_role_offers_what_its_module_offers(role: str) -> None:
    module = ROLES_OF_MODULES[role]
    offered = {name.removeprefix(f"{role}_") for name in options(role)} - {"kubeconfig", "context"}
    source = (ROOT / "plugins" / "modules" / f"{module}.py").read_text()
    shared = {"force", "wait", "wait_timeout"} if "  - scp.dataops.change\n" in source else set()
    assert offered == (set(documented(module)) | shared) - CONNECTION - HANDED_OVER


@pytest.mark.parametrize("role", ROLES_OF_MODULES)
def test_a_role_and_its_module_agree_on_sub_options(role: str) -> None:
    module = ROLES_OF_MODULES[role]

    def shape(wanted: dict[str, Any]) -> dict[str, Any]:
        alike = ("type", "elements", "choices", "default", "required")
        return {
            name: {key: option[key] for key in alike if key in option}
            | {"suboptions": shape(option.get("suboptions") or option.get("options") or {})}
            for name, option in wanted.items()
        }

    own = shape({name.removeprefix(f"{role}_"): option for name, option in options(role).items()})
    theirs = shape(documented(module))
    assert {name: own[name] for name in theirs if name in own} == {
        name: option for name, option in theirs.items() if name not in HANDED_OVER
    }


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbooks_read_only_what_every_inventory_sets(playbook: str) -> None:
    """A variable may be left out of an inventory only where the playbook says what holds then."""
    text = re.sub(r"^\s*#.*$", "", (ROOT / "playbooks" / f"{playbook}.yml").read_text(), flags=re.MULTILINE)
    read = set(re.findall(r"(?<!\.)\b(dataops_\w+)\b(?! \| default)", text)) - set(MODULES)
    made = set(re.findall(r"(?:register: |loop_var: |^ +)(dataops_\w+):?(?: |$)", text, re.MULTILINE))
    needed = (read | {"dataops_manager"}) - made
    assert {name: needed - set(load(f"inventories/{name}/group_vars/all.yml")) for name in INVENTORIES} == {
        name: set() for name in INVENTORIES
    }


def test_playbooks_of_a_verb_hand_over_options_that_there_are() -> None:
    changing = {name: load(f"playbooks/{name}.yml")[0]["tasks"][0].get("vars", {}) for name in PLAYBOOKS}
    named = {name: given["dataops_options"] for name, given in changing.items() if "dataops_options" in given}
    assert set(named) == {"configure", "gitsync", "resize", "restart", "start", "stop", "upgrade"}
    every = [option for options_of_one in named.values() for option in options_of_one]
    assert set(every) <= set(documented("dataops_service"))
    assert len(every) == len(set(every)), "an option belongs to one verb"


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_inventories_are_complete(inventory: str) -> None:
    given = load(f"inventories/{inventory}/group_vars/all.yml")
    assert given["dataops_region"] == inventory
    assert set(given) == set(load("inventories/kr-west1/group_vars/all.yml"))
    assert list(load(f"inventories/{inventory}/hosts.yml")) == ["dataops"]
    assert set(given["dataops_manager"]) <= set(documented("dataops_manager"))
    for service in given["dataops_services"]:
        assert set(service) <= set(documented("dataops_service"))


def test_there_is_an_inventory_for_each_region_where_data_ops_is_provided() -> None:
    assert set(PROVIDED) == set(INVENTORIES)
    assert REGIONS["kr-east1"] is False


def test_the_site_hands_every_option_to_the_roles() -> None:
    text = (ROOT / "playbooks" / "site.yml").read_text()
    # These are said once, on the command line or by the play, not per Manager or service.
    own = {"state", "purge", "preflight", "force", "wait", "wait_timeout", "wait_for_commit", "kubeconfig", "context"}
    for role in ROLES_OF_THE_SITE:
        wanted = {name for name in options(role) if name.removeprefix(f"{role}_") not in own}
        assert {name for name in wanted if f"        {name}: " not in text} == set()


def test_nothing_is_exempted_from_a_check() -> None:
    ignore_files = [*ROOT.glob("tests/sanity/ignore*"), *ROOT.glob(".ansible-lint-ignore"), *ROOT.glob(".yamllint*")]
    assert ignore_files == []
    assert not {"skip_list", "warn_list"} & set(load(".ansible-lint"))
