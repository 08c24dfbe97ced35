# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the API and the options of the modules: complete in both directions, and each value the same."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.scp.dataops.console.api import mapping, models
from ansible_collections.scp.dataops.plugins.module_utils import arguments
from ansible_collections.scp.dataops.plugins.module_utils.airflow.spec import INHERITED
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption

TABLES: dict[str, tuple[Any, dict[str, Any], Any, set[str]]] = {
    "service": (mapping.SERVICE, arguments.OWN, models.ServiceUpdate, set()),
    "Manager": (mapping.MANAGER, arguments.MANAGER, models.ManagerUpdate, {"default_settings"}),
    "settings": (mapping.SETTINGS, arguments.DEFAULT_SETTINGS, models.Settings, set()),
}


@pytest.mark.parametrize(("table", "options", "model", "beside"), TABLES.values(), ids=TABLES.keys())
def test_each_option_has_one_key_and_each_key_one_option(
    table: Any, options: dict[str, Any], model: Any, beside: set[str]
) -> None:
    workloads = set(mapping.WORKLOADS.values()) & set(options)
    reached = [field.option for field in table.values()] + sorted(workloads)
    assert sorted({*reached, *beside}) == sorted(options)
    assert len(reached) == len(set(reached))
    keys = {*table, *(["service_workload"] if workloads else [])}
    assert keys == set(model.model_fields)


def test_what_a_manager_may_set_for_all_is_in_its_settings() -> None:
    reached = {field.option for field in mapping.SETTINGS.values()} | set(mapping.WORKLOADS.values())
    assert reached == set(INHERITED)


def test_a_service_is_created_with_whatever_it_can_be_changed_to() -> None:
    assert set(models.ServiceCreate.model_fields) == {
        *models.ServiceUpdate.model_fields,
        "data_ops_id",
        "data_ops_service_name",
    }


BOTH_WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "description": ({"description": "x"}, {"description": "x"}),
    "storage class": ({"storage_class_name": "nfs"}, {"storage_class": "nfs"}),
    "selector": ({"node_selector": "pool=a,zone=b"}, {"node_selector": {"pool": "a", "zone": "b"}}),
    "account": ({"account": {"account_id": "dataops"}}, {"account": {"id": "dataops"}}),
    "executor": ({"worker_type": "CeleryExecutor"}, {"executor": "CeleryExecutor"}),
    "tags": ({"tags": [{"tag_key": "a", "tag_value": "b"}]}, {"tags": {"a": "b"}}),
    "host alias": (
        {"host_alias": {"enabled": "true", "host_alias_list": [{"hostname": "a", "ip": "1.2.3.4"},
                                                               {"hostname": "b", "ip": "1.2.3.4"}]}},
        {"host_aliases": [{"ip": "1.2.3.4", "hostnames": ["a", "b"]}]},
    ),
    "no host alias": ({"host_alias": {"enabled": "false", "host_alias_list": []}}, {"host_aliases": []}),
    "cores": ({"service_workload": {"scheduler": {"cpu": "2000"}}}, {"scheduler": {"cpu": "2"}}),
    "parts of cores": ({"service_workload": {"web_server": {"cpu": "1500"}}}, {"web_server": {"cpu": "1500m"}}),
    "memory": ({"service_workload": {"worker": {"memory": "2048"}}}, {"worker": {"memory": "2Gi"}}),
    "parts of memory": ({"service_workload": {"triggerer": {"memory": "1536"}}}, {"triggerer": {"memory": "1536Mi"}}),
    "no number of mebibytes": ({"service_workload": {"worker": {"memory": "1G"}}}, {"worker": {"memory": "1G"}}),
    "replicas": ({"service_workload": {"dag_processor": {"replica": "2"}}}, {"dag_processor": {"replicas": 2}}),
    "what only we have": ({"service_workload": {"worker": {"concurrency": 4, "autoscaling": {"max_replicas": 3}}}},
                          {"worker": {"concurrency": 4, "autoscaling": {"max_replicas": 3}}}),
    "git": ({"git_sync": {"repo": "https://x/y.git"}}, {"git_sync": {"repo": "https://x/y.git"}}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "options"), BOTH_WAYS.values(), ids=BOTH_WAYS.keys())
def test_both_ways(body: dict[str, Any], options: dict[str, Any]) -> None:
    assert mapping.options(models.ServiceUpdate(**body).model_dump(exclude_unset=True), mapping.SERVICE) == options
    assert mapping.shown(options, mapping.SERVICE) == body


READ: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "numbers": ({"service_workload": {"scheduler": {"cpu": 500, "memory": 1024, "replica": 1}}},
                {"scheduler": {"cpu": "500m", "memory": "1Gi", "replicas": 1}}),
    "quantities": ({"service_workload": {"scheduler": {"cpu": "0.5", "memory": "1Gi"}}},
                   {"scheduler": {"cpu": "0.5", "memory": "1Gi"}}),
    "empty clears": ({"service_workload": {"scheduler": {"cpu": "", "replica": ""}}, "node_selector": "", "tags": []},
                     {"scheduler": {"cpu": "", "replicas": ""}, "node_selector": {}, "tags": {}}),
    "a selector as an object": ({"node_selector": {"pool": "a"}}, {"node_selector": {"pool": "a"}}),
    "a release": ({"version": "3.3.2"}, {"version": "3.3"}),
    "a version of parts": ({"service_workload": {"scheduler": {"version": "3.3.2"}, "worker": {"version": "3.3"}}},
                           {"scheduler": {}, "worker": {}, "version": "3.3"}),
    "aliases are switched off": ({"host_alias": {"enabled": False,
                                                 "host_alias_list": [{"hostname": "a", "ip": "1.2.3.4"}]}},
                                 {"host_aliases": []}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "options"), READ.values(), ids=READ.keys())
def test_read(body: dict[str, Any], options: dict[str, Any]) -> None:
    assert mapping.options(models.ServiceUpdate(**body).model_dump(exclude_unset=True), mapping.SERVICE) == options


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "cores for thousandths": ({"service_workload": {"scheduler": {"cpu": "2"}}}, "service_workload.scheduler.cpu",
                              "Write 2000 for 2 cores"),
    "gibibytes for mebibytes": ({"service_workload": {"worker": {"memory": 4}}}, "service_workload.worker.memory",
                                "Write 4096 for 4 GiB"),
    "no number": ({"service_workload": {"worker": {"replica": "two"}}}, "service_workload.worker.replica",
                  "Write a number such as '2'"),
    "no label": ({"node_selector": "pool"}, "node_selector", "Write KEY=VALUE, several with commas between them"),
    "a tag twice": ({"tags": [{"tag_key": "a", "tag_value": "b"}, {"tag_key": "a", "tag_value": "c"}]}, "tags",
                    "Give each key once"),
    "another release": ({"version": "9.9"}, "version", "Use 2.11, 2.11.2, 3.3, 3.3.2"),
    "two versions": ({"version": "3.3", "service_workload": {"worker": {"version": "2.11"}}},
                     "service_workload.worker.version", "All parts of a service have one version"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "where", "next_step"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(body: dict[str, Any], where: str, next_step: str) -> None:
    with pytest.raises(BadOption) as caught:
        mapping.options(models.ServiceUpdate(**body).model_dump(exclude_unset=True), mapping.SERVICE)
    assert (caught.value.where, caught.value.next_step) == (where, next_step)


KEYS = {
    "storage_class": "storage_class_name",
    "executor": "worker_type",
    "worker.replicas": "service_workload.worker.replica",
    "worker.autoscaling.max_replicas": "service_workload.worker.autoscaling.max_replicas",
    "worker": "service_workload.worker",
    "web_server.cpu": "service_workload.web_server.cpu",
    "account.password": "account.account_password",
    "account.id": "account.account_id",
    "host_aliases[0].ip": "host_alias[0].ip",
    "config.core.parallelism": "config.core.parallelism",
    "name": "data_ops_service_name",
    "manager": "data_ops_id",
    "service etl in namespace data": "service etl in namespace data",
    "": "",
}


@pytest.mark.parametrize(("option", "key"), KEYS.items(), ids=[key or "none" for key in KEYS])
def test_an_option_by_its_key(option: str, key: str) -> None:
    assert mapping.key_of(option, mapping.SERVICE) == key


def test_a_manager_calls_its_aliases_by_another_key() -> None:
    assert mapping.key_of("host_aliases[0].ip", mapping.MANAGER) == "host_alias_list[0].ip"
    assert mapping.key_of("ingress_class", mapping.MANAGER) == "ingress_controller_name"


def test_a_default_setting_is_a_key_of_its_own_body_and_inside_of_that_of_a_manager() -> None:
    option, key = "default_settings.scheduler.cpu", "service_workload.scheduler.cpu"
    assert mapping.key_of(option, mapping.SETTINGS) == key
    assert mapping.key_of(option, mapping.MANAGER) == f"default_settings.{key}"


def test_a_password_is_never_shown() -> None:
    assert mapping.shown({"account": {"id": "dataops", "password": "SENTINEL"}}, mapping.SERVICE) == {
        "account": {"account_id": "dataops"}
    }
