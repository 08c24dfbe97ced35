# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user adds reaches the parts it is for, and no others; every section of airflow.cfg has its readers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow import configuration
from ansible_collections.scp.dataops.plugins.module_utils.airflow.knowledge import knowledge
from ansible_collections.scp.dataops.plugins.module_utils.airflow.knowledge.owned import OWNED
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import EXECUTORS
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import (
    PROFILES,
    SHARED_SECTIONS,
    TASK_SECTIONS,
    reads,
)

from .builders import named, rendered, service, task_template

REFERENCE = {"secret": "s", "key": "k"}
EVERYBODY = ["web-server", "scheduler", "dag-processor", "triggerer", "worker", "flower", "task", "jobs"]
# Set by the collection, and yet a matter of taste: the user's value wins.
OURS_TO_CHANGE = {
    "api.auth_backends",
    "celery.extra_celery_config",
    "celery_broker_transport_options.visibility_timeout",
    "core.load_examples",
    "kubernetes_executor.worker_pods_creation_batch_size",
    "logging.colored_console_log",
}


def entries(part: str, **options: Any) -> dict[str, Any]:
    """Variables of the Airflow container of a part: value, or Secret and key."""
    spec = service(executor="CeleryExecutor,KubernetesExecutor", flower={"enabled": True}, **options)
    found = rendered(spec).all
    if part == "task":
        pod = task_template(found)["spec"]
    elif part == "jobs":
        pod = next(item for item in found if item["kind"] == "Job")["spec"]["template"]["spec"]
    else:
        pod = named(found, "Deployment", f"etl-{part}")["spec"]["template"]["spec"]
    variables = [item["name"] for item in pod["containers"][0]["env"]]
    assert len(variables) == len(set(variables))
    return {
        item["name"]: item.get("value", item.get("valueFrom", {}).get("secretKeyRef"))
        for item in pod["containers"][0]["env"]
    }


# Option, and who gets its variable when it comes from a Secret.
READERS: dict[str, tuple[str, list[str]]] = {
    "all read it": ("sentry.sentry_dsn", EVERYBODY),
    "the web server": ("api.instance_name", ["web-server"]),
    "the scheduler and, for its own use, the web server": (
        "scheduler.scheduler_health_check_threshold",
        ["web-server", "scheduler"],
    ),
    "tasks": ("workers.secrets_backend_kwargs", ["worker", "task"]),
    "who reads DAG files": ("smtp.smtp_host", ["dag-processor", "worker", "task"]),
}


@pytest.mark.parametrize(("path", "readers"), READERS.values(), ids=READERS.keys())
def test_a_setting_from_a_secret_reaches_its_readers(path: str, readers: list[str]) -> None:
    section, option = path.split(".")
    config = {section: {option: REFERENCE}}
    variable = f"AIRFLOW__{section}__{option}".upper()
    assert [part for part in EVERYBODY if variable in entries(part, config=config)] == readers
    assert "secretKeyRef" not in configuration.as_text(configuration.effective(service(config=config)))


PARTS: dict[str, tuple[str, list[str]]] = {
    "all": ("all", [part for part in EVERYBODY if part != "flower"]),
    "a component": ("triggerer", ["triggerer"]),
    "tasks": ("task", ["task"]),
    "jobs": ("jobs", ["jobs"]),
}


@pytest.mark.parametrize(("part", "holders"), PARTS.values(), ids=PARTS.keys())
def test_a_variable_reaches_its_part(part: str, holders: list[str]) -> None:
    wanted = {part: {"TEAM": "analytics", "TOKEN": REFERENCE}}
    found = {each: entries(each, environment=wanted) for each in EVERYBODY}
    assert [each for each in EVERYBODY if found[each].get("TEAM") == "analytics"] == holders
    assert [each for each in EVERYBODY if found[each].get("TOKEN") == {"name": "s", "key": "k"}] == holders


def test_the_part_wins_over_all_and_both_over_a_setting_from_a_secret() -> None:
    wanted = {
        "all": {"TEAM": "all", "AIRFLOW__API__WORKERS": "2"},
        "web-server": {"TEAM": "own"},
    }
    found = entries("web-server", environment=wanted, config={"api": {"workers": REFERENCE}})
    assert (found["TEAM"], found["AIRFLOW__API__WORKERS"]) == ("own", "2")


def test_kubernetes_puts_nothing_in_place_of_a_dollar() -> None:
    assert entries("task", environment={"task": {"A": "$(B) $C"}})["A"] == "$$(B) $C"


def test_the_same_in_another_order_is_the_same() -> None:
    def pods(config: dict[str, Any], environment: dict[str, Any]) -> str:
        return json.dumps(rendered(service(config=config, environment=environment)).components)

    one = pods({"core": {"parallelism": 1, "max_map_length": 2}}, {"all": {"A": "1", "B": "2"}})
    assert one == pods({"core": {"max_map_length": 2, "parallelism": 1}}, {"all": {"B": "2", "A": "1"}})


@pytest.mark.parametrize("version", PROFILES)
def test_every_known_section_has_its_readers(version: str) -> None:
    profile = PROFILES[version]
    named = {path.split(".")[0] if path not in knowledge(version).options else path for path in claimed(version)}
    assert set(knowledge(version).options) - SHARED_SECTIONS - TASK_SECTIONS - named == set()
    assert all(reads(profile, part.name, "unheard_of", "x") for part in profile.components)


@pytest.mark.parametrize("version", PROFILES)
def test_the_manual_says_who_reads_a_section(version: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    part = text.split(f"### Airflow {version}\n", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| (`.*`) \| (.*) \|$", part, re.MULTILINE)
    said = {section: readers for sections, readers in rows for section in re.findall(r"`([^`]+)`", sections)}
    profile = PROFILES[version]
    everyone = [part.name for part in (*profile.components, profile.worker, profile.flower)]
    for section in knowledge(version).options:
        who = [part for part in everyone if reads(profile, part, section, "any option of it")]
        assert said.pop(section) == ("all" if who == everyone else ", ".join(who))
    assert said == {}


def claimed(version: str) -> set[str]:
    profile = PROFILES[version]
    return set().union(*(part.reads for part in (*profile.components, profile.worker, profile.flower)))


@pytest.mark.parametrize("version", PROFILES)
def test_single_options_that_are_read_exist(version: str) -> None:
    known = {name for each in PROFILES for name in knowledge(each).options}
    options = {f"{section}.{option}" for section, all_of in knowledge(version).options.items() for option in all_of}
    assert {path for path in claimed(version) - known if path not in options} <= NOT_IN[version]


# One table serves all versions.
NOT_IN = {
    "3.3": set[str](),
    "2.11": {"dag_processor.health_check_threshold", "triggerer.queues_enabled"}
    | {"scheduler.task_instance_heartbeat_timeout"},
}


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("version", PROFILES)
def test_what_the_collection_sets_is_owned_or_free_on_purpose(version: str, executor: str) -> None:
    spec = service(version=version, executor=executor)
    ours = {f"{section}.{option}" for section, options in configuration.sections(spec).items() for option in options}
    assert ours - set(OWNED) - OURS_TO_CHANGE == set()


def test_the_user_wins_where_it_is_a_matter_of_taste() -> None:
    cfg = configuration.effective(service(config={"core": {"load_examples": True, "parallelism": 7}}))
    assert (cfg["core"]["load_examples"], cfg["core"]["parallelism"]) == ("True", "7")
    assert cfg["core"]["executor"] == "KubernetesExecutor"


def test_celery_still_verifies_the_broker_whatever_else_it_is_told() -> None:
    broker = {"host": "redis.example.com", "tls": True}
    asked = {"celery": {"extra_celery_config": {"worker_max_tasks_per_child": 10, "broker_use_ssl": {}}}}
    cfg = configuration.effective(service(executor="CeleryExecutor", broker=broker, config=asked))
    told = json.loads(cfg["celery"]["extra_celery_config"])
    assert told["worker_max_tasks_per_child"] == 10
    assert told["broker_use_ssl"]["ssl_cert_reqs"] == "required"


def test_a_patched_job_is_another_job() -> None:
    def job(**options: Any) -> Any:
        return next(item for item in rendered(service(**options)).all if item["kind"] == "Job")

    plain, patched = job(), job(overrides={"jobs": {"spec": {"hostname": "x"}}})
    assert patched["spec"]["template"]["spec"]["hostname"] == "x"
    assert plain["metadata"]["annotations"] != patched["metadata"]["annotations"]


def test_a_patch_of_jobs_reaches_the_one_container_of_each() -> None:
    patch = {"jobs": {"spec": {"containers": [{"name": "jobs", "tty": True}]}}}
    jobs = [item for item in rendered(service(overrides=patch)).all if item["kind"] == "Job"]
    containers = [item["spec"]["template"]["spec"]["containers"] for item in jobs]
    assert [[(item["name"], item["tty"]) for item in each] for each in containers] == [
        [("migration", True)],
        [("account", True)],
    ]
