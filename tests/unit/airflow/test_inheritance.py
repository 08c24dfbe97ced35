# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Default settings of a Manager and what a service says itself: what holds, what restarts, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.airflow.info import More, services_info
from ansible_collections.scp.dataops.plugins.module_utils.airflow.inheritance import effective, unchosen
from ansible_collections.scp.dataops.plugins.module_utils.airflow.versions import PROFILES
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption, Refused
from ansible_collections.scp.dataops.plugins.module_utils.manager.effects import effects

from ..fake_kube import FakeKube
from ..runs import MANAGER, NAMESPACE, cluster, done, run, run_manager
from .test_service import recorded

PARALLEL = {"config": {"core": {"parallelism": 64}}}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "nothing of its own": (PARALLEL, {}, PARALLEL),
    "another option of the section": (
        PARALLEL,
        {"config": {"core": {"max_active_tasks_per_dag": 4}}},
        {"config": {"core": {"parallelism": 64, "max_active_tasks_per_dag": 4}}},
    ),
    "the same option": (PARALLEL, {"config": {"core": {"parallelism": 8}}}, {"config": {"core": {"parallelism": 8}}}),
    "a reference is one value": (
        {"config": {"sentry": {"sentry_dsn": {"secret": "all", "key": "dsn"}}}},
        {"config": {"sentry": {"sentry_dsn": {"secret": "mine", "key": "dsn"}}}},
        {"config": {"sentry": {"sentry_dsn": {"secret": "mine", "key": "dsn"}}}},
    ),
    "variables of a part": (
        {"environment": {"worker": {"A": "1", "B": "1"}, "task": {"C": "1"}}},
        {"environment": {"worker": {"B": "2"}}},
        {"environment": {"worker": {"A": "1", "B": "2"}, "task": {"C": "1"}}},
    ),
    "what it says for all wins over a default for one part": (
        {"environment": {"worker": {"A": "1"}}},
        {"environment": {"all": {"A": "2"}}},
        {"environment": {"all": {"A": "2"}}},
    ),
    "its config wins over a default variable of the setting": (
        {"environment": {"all": {"AIRFLOW__CORE__PARALLELISM": "64", "A": "1"}}},
        {"config": {"core": {"parallelism": 8}}},
        {"config": {"core": {"parallelism": 8}}, "environment": {"all": {"A": "1"}}},
    ),
    "sizes key by key": (
        {"worker": {"cpu": "1", "memory": "2Gi"}},
        {"worker": {"memory": "4Gi"}},
        {"worker": {"cpu": "1", "memory": "4Gi"}},
    ),
    "a selector as a whole": (
        {"node_selector": {"pool": "a", "zone": "b"}},
        {"node_selector": {"pool": "c"}},
        {"node_selector": {"pool": "c"}},
    ),
    "no workers, no number of them": (
        {"worker": {"cpu": "1", "replicas": 3}},
        {},
        {"worker": {"cpu": "1"}},
    ),
}


@pytest.mark.parametrize(("inherited", "own", "expected"), CASES.values(), ids=CASES.keys())
def test_effective(inherited: dict[str, Any], own: dict[str, Any], expected: dict[str, Any]) -> None:
    assert effective(inherited, own) == expected


def test_unchosen_is_what_is_left_of_the_defaults() -> None:
    inherited = {**PARALLEL, "worker": {"cpu": "1", "memory": "2Gi"}, "domain": "example.com"}
    own = {"config": {"core": {"parallelism": 8}}, "worker": {"memory": "4Gi"}, "domain": "other.example.com"}
    assert unchosen(inherited, own) == {"worker": {"cpu": "1"}}


def airflow_cfg(kube: FakeKube) -> str:
    return str(kube.find("ConfigMap", "etl-config", NAMESPACE)["data"]["airflow.cfg"])


def test_a_default_reaches_the_service_with_its_next_run_and_restarts_what_reads_it() -> None:
    kube = cluster()
    run(kube, config={"core": {"max_active_tasks_per_dag": 4}})
    run_manager(kube, default_settings={"config": {"triggerer": {"capacity": 50}, "core": {"parallelism": 64}}})
    assert "parallelism" not in airflow_cfg(kube)
    [told] = services_info(kube, NAMESPACE, MANAGER, "etl", More(drift=True, export=True))
    assert "ConfigMap/etl-config" in [line["object"] for line in told["drift"]]
    assert "max_active_tasks_per_dag" in told["task"] and "parallelism" not in told["task"]
    planned = run(kube, check_mode=True)
    assert "update ConfigMap/etl-config" in done(planned)
    assert run(kube).restarted == planned.restarted
    assert {"scheduler", "triggerer"} <= set(planned.restarted)
    assert "parallelism = 64" in airflow_cfg(kube) and "capacity = 50" in airflow_cfg(kube)
    assert recorded(kube) == {"config": {"core": {"max_active_tasks_per_dag": 4}}}
    assert done(run(kube)) == []


def test_only_readers_of_a_changed_default_restart() -> None:
    kube = cluster()
    run(kube)
    run_manager(kube, default_settings={"config": {"triggerer": {"capacity": 50}}})
    assert run(kube).restarted == ("triggerer",)


def test_a_new_service_has_the_version_of_its_manager_and_keeps_it() -> None:
    kube = cluster(version="2.11")
    assert run(kube, name="old").details["version"] == PROFILES["2.11"].release
    before = run_manager(kube, version="3.3")
    assert before.details["version"] == PROFILES["3.3"].release
    assert done(before) == ["update ConfigMap/dataops-manager-record"]
    assert effects(kube, NAMESPACE, MANAGER, {"version": "3.3"}, {"version": "2.11"}) == []
    assert done(run(kube, name="old")) == []
    assert run(kube).details["version"] == PROFILES["3.3"].release
    assert run(kube, name="old", version="3.3").details["version"] == PROFILES["3.3"].release


def test_the_service_wins_and_clearing_its_own_brings_the_default_back() -> None:
    kube = cluster(default_settings={"config": {"core": {"parallelism": 64}}, "environment": {"all": {"TEAM": "a"}}})
    run(kube, config={"core": {"parallelism": 8}}, environment={"all": {"TEAM": "b"}})
    assert "parallelism = 8" in airflow_cfg(kube)
    run(kube, config={"core": {"parallelism": ""}}, environment={})
    assert "parallelism = 64" in airflow_cfg(kube)
    assert recorded(kube) == {}
    scheduler = kube.find("Deployment", "etl-scheduler", NAMESPACE)["spec"]["template"]["spec"]["containers"]
    assert {"name": "TEAM", "value": "a"} in next(item for item in scheduler if item["name"] == "scheduler")["env"]


def test_defaults_of_the_manager_are_merged_two_levels() -> None:
    kube = cluster(default_settings={"config": {"core": {"parallelism": 64, "max_active_tasks_per_dag": 4}}})
    run_manager(kube, default_settings={"config": {"core": {"parallelism": ""}, "triggerer": {"capacity": 50}}})
    held = json.loads(kube.find("ConfigMap", "dataops-manager-record", NAMESPACE)["data"]["spec.json"])
    assert held["default_settings"] == {
        "config": {"core": {"max_active_tasks_per_dag": 4}, "triggerer": {"capacity": 50}}
    }


def test_a_default_that_the_version_does_not_know_is_told_as_the_managers() -> None:
    kube = cluster(default_settings={"config": {"webserver": {"expose_hostname": True}}})
    run(kube, name="old", version="2.11")
    with pytest.raises(BadOption) as caught:
        run(kube, version="3.3")
    assert str(caught.value) == (
        "default_settings.config.webserver.expose_hostname of Manager analytics: in Airflow 3.3 it is "
        "fab.expose_hostname. Use fab.expose_hostname."
    )
    with pytest.raises(BadOption, match=r"^config\.webserver\.expose_hostname: in Airflow 3\.3"):
        run(kube, version="3.3", config={"webserver": {"expose_hostname": True}})


def test_a_secret_of_a_default_that_is_not_there_is_told_as_the_managers() -> None:
    kube = cluster(default_settings={"environment": {"all": {"TOKEN": {"secret": "shared", "key": "token"}}}})
    with pytest.raises(Refused) as caught:
        run(kube)
    assert caught.value.where == "default_settings.environment.all.TOKEN of Manager analytics"
    assert "Secret 'shared' does not exist in namespace data" in caught.value.what


def test_a_default_that_a_service_cannot_take_is_refused_with_the_manager() -> None:
    kube = cluster()
    run(kube, name="old", version="2.11")
    before = kube.state()
    with pytest.raises(Refused) as caught:
        run_manager(kube, default_settings={"config": {"triggerer": {"capacity": 50}}})
    assert caught.value.where == "default_settings.config.triggerer.capacity"
    assert caught.value.what.startswith("service 'old' cannot take it: Airflow 2.11 has no ")
    assert kube.state() == before
    assert done(run_manager(kube, default_settings={"config": {"core": {"parallelism": 64}}}))


def test_effects_name_the_services_and_their_options() -> None:
    kube = cluster(default_settings={"scheduler": {"cpu": "1"}})
    run(kube)
    run(kube, name="own", scheduler={"cpu": "2"}, config={"core": {"parallelism": 8}})
    before = {"domain": "example.com", "default_settings": {"scheduler": {"cpu": "1"}}}
    after = {**before, "default_settings": {"scheduler": {"cpu": "500m"}, **PARALLEL, "worker": {"replicas": 4}}}
    told = [(effect.service, effect.options) for effect in effects(kube, NAMESPACE, MANAGER, before, after)]
    assert told == [("etl", ("config.core.parallelism", "scheduler.cpu"))]
    assert effects(kube, NAMESPACE, MANAGER, before, before) == []
