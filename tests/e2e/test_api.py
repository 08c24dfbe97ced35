# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service by the REST API alone, through a client that a generator makes of the console's own document.

The modules watch: whatever the API has done they find as it is told, and what they do the API shows.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from conftest import DOMAIN, NAMESPACE, airflow_of
from content import DAG, DAG_ID, PLUGIN, seen, wheel
from driver import Driver
from embedded import settings
from places import IN_CLUSTER_GIT, GitServer, decoded, until

SERVICE, OTHER_ALIAS = "by-api", {"ip": "192.0.2.7", "hostname": "ledger.internal"}
CLIENT = "dataops_client"
ADDRESS = f"http://{settings.INGRESS_HTTP}"
HOST = {"Host": f"{NAMESPACE}.{DOMAIN}"}
SMALL = {"cpu": "20", "memory": "384", "memory_limit": "2Gi"}
PARTS = ("web_server", "scheduler", "dag_processor", "triggerer", "worker")
CREATED_WITHIN = 300


@dataclass
class Api:
    """The generated client: functions by their names in the document, bodies and answers as JSON."""

    client: Any
    models: ModuleType
    functions: dict[str, ModuleType]

    def ask(self, function: str, *path: str, body: Any = None, model: str = "", **query: Any) -> tuple[int, Any]:
        """Status, and what the client made of the answer."""
        sent = {} if body is None else {"body": getattr(self.models, model).from_dict(body)}
        answer = self.functions[function].sync_detailed(*path, client=self.client, **sent, **query)
        return int(answer.status_code), answer.parsed

    def done(self, function: str, *path: str, body: Any = None, model: str = "", **query: Any) -> Any:
        """The operation that a call begins, at its successful end."""
        status, begun = self.ask(function, *path, body=body, model=model, **query)
        assert status == 202, begun

        def ended() -> Any:
            operation = self.ask("show_operation", begun.operation_id)[1]
            return operation if operation.state != "RUNNING" else None

        operation = until(ended, f"{function} ends", CREATED_WITHIN)
        assert operation.state == "DONE", operation.to_dict()
        return operation

    def send(self, content: bytes) -> dict[str, Any]:
        """A content that the store has from now on; its description in an upload."""
        named = hashlib.sha256(content).hexdigest()
        if self.ask("missing", body={"sha256s": [named]}, model="Wanted")[1].missing:
            payload = importlib.import_module(f"{CLIENT}.types").File(payload=content)
            answer = self.functions["write"].sync_detailed(
                named, client=self.client, body=payload, upload_offset=0, upload_length=len(content)
            )
            assert answer.status_code == 204, answer.content
        return {"sha256": named, "size": len(content)}

    def upload(self, kind: str, name: str, content: bytes, path: str = "") -> Any:
        entry = {"path": path or name, **self.send(content)}
        body = {"kind": kind, "name": name, "service": SERVICE, "entries": [entry]}
        return self.done("upload", body=body, model="Staging")


def document() -> bytes:
    request = urllib.request.Request(f"{ADDRESS}/api/v1/openapi.json", headers=HOST)
    with urllib.request.urlopen(request, timeout=30) as answer:
        content: bytes = answer.read()
    return content


@pytest.fixture(scope="module")
def generated(manager: Driver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the package that was made, which can be imported."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(document())
    tools = os.environ["CLIENT_GENERATOR"]
    command = [f"{tools}/openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none"]
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "200"}
    made = subprocess.run(
        [*command, "--output-path", CLIENT, "--fail-on-warning"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield CLIENT
    sys.path.remove(str(folder))


@contextmanager
def client_of(generated: str, token: str) -> Iterator[Api]:
    package = importlib.import_module(generated)
    folder = Path(str(package.__file__)).parent
    found = sorted((folder / "api").glob("*/[a-z]*.py"))
    functions = {path.stem: importlib.import_module(f"{CLIENT}.api.{path.parent.name}.{path.stem}") for path in found}
    how = {"base_url": ADDRESS, "headers": HOST, "raise_on_unexpected_status": True, "timeout": 60}
    with package.AuthenticatedClient(token=token, **how) as client:
        yield Api(client, importlib.import_module(f"{CLIENT}.models"), functions)


def token_of(kube: Kube, role: str) -> str:
    """A new API token; the first one needs the right to read the Manager's Secrets."""
    key = decoded(kube.get("Secret", "dataops-manager-keys", NAMESPACE) or {})["engine-token"]
    headers = {**HOST, "Content-Type": "application/json", "X-DataOps-Token": key, "X-DataOps-By": "e2e"}
    body = json.dumps({"name": f"e2e {role}", "role": role}).encode()
    request = urllib.request.Request(f"{ADDRESS}/api/v1/tokens", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["token"])


@pytest.fixture(scope="module")
def api(generated: str, kube: Kube) -> Iterator[Api]:
    with client_of(generated, token_of(kube, "operator")) as made:
        yield made


def options(git: GitServer) -> dict[str, Any]:
    """The service as a playbook would ask for it."""
    return {
        "description": "By the API",
        "git_sync": {"repo": f"{IN_CLUSTER_GIT}/public/e2e-uploads.git", "subdir": "dags", "interval": 5},
        "storage_size": "1Gi",
    }


@pytest.fixture(scope="module")
def service(api: Api, driver: Driver, git: GitServer) -> Iterator[Driver]:
    """The driver of the modules, while there is a service that the API has made."""
    git.push("public/e2e-uploads.git", dag_id=DAG_ID, text="seen", source=DAG)
    body = {
        "data_ops_id": NAMESPACE,
        "data_ops_service_name": SERVICE,
        "service_workload": dict.fromkeys(PARTS, SMALL),
        **options(git),
    }
    try:
        api.done("create_data_ops_service", body=body, model="DataOpsServiceCreateRequest")
        yield driver
    finally:
        driver.run("dataops_service", name=SERVICE, state="absent", purge=True)


def same_for_modules(driver: Driver, **asked: Any) -> bool:
    """Whether a playbook that asks for this would change nothing."""
    found = driver.run("dataops_service", check=True, name=SERVICE, **asked)
    assert not found.failed, found.message
    return found["actions"] == []


def test_what_it_creates_is_healthy_and_as_the_modules_would_make_it(api: Api, service: Driver, git: GitServer) -> None:
    status, shown = api.ask("show_data_ops_service", SERVICE)
    assert (status, shown.state, shown.health) == (200, "RUNNING", "healthy")
    assert same_for_modules(service, **options(git))
    (told,) = service.run("dataops_service_info", name=SERVICE)["services"]
    assert (told["state"], told["health"]) == (shown.state, shown.health)


def test_the_four_settings_are_changed_and_a_playbook_finds_exactly_that(api: Api, service: Driver) -> None:
    workload = {"worker": {**SMALL, "memory": "512"}}
    body = {
        "description": "Changed by the API",
        "service_workload": workload,
        "git_sync": {"interval": 7},
        "host_alias": {"host_alias_list": [OTHER_ALIAS]},
    }
    asked = {"body": body, "model": "DataOpsServiceUpdateRequest"}
    status, plan = api.ask("update_data_ops_service", SERVICE, dry_run=True, **asked)
    assert status == 200 and "scheduler" in plan.restarted, plan
    done = api.done("update_data_ops_service", SERVICE, **asked)
    assert (done.result.actions, done.result.restarted) == (plan.actions, plan.restarted)
    aliases = [{"ip": OTHER_ALIAS["ip"], "hostnames": [OTHER_ALIAS["hostname"]]}]
    assert same_for_modules(
        service,
        description="Changed by the API",
        worker={"memory": "512Mi"},
        git_sync={"interval": 7},
        host_aliases=aliases,
    )
    back = service.run("dataops_service", name=SERVICE, description="By a playbook")
    assert back["actions"] == [f"update ConfigMap/{SERVICE}-record"]
    assert api.ask("show_data_ops_service", SERVICE)[1].description == "By a playbook"
    entries = api.ask("list_activity", target=f"service {SERVICE}", size=2)[1].contents
    assert [(entry.door, entry.verb) for entry in entries] == [("playbook", "change"), ("api", "change")]


def test_a_refusal_names_the_key(api: Api, service: Driver) -> None:
    refused: dict[str, tuple[dict[str, Any], int]] = {
        "service_workload.worker.replica": ({"service_workload": {"worker": {"replica": "3"}}}, 400),
        "config.core": ({"config": {"core": {"paralelism": 3}}}, 400),
        "storage_class_name": ({"storage_class_name": "another"}, 409),
    }
    for where, (body, expected) in refused.items():
        status, answer = api.ask("update_data_ops_service", SERVICE, body=body, model="DataOpsServiceUpdateRequest")
        assert (status, answer.error.where[: len(where)]) == (expected, where), answer


def test_each_kind_of_file_is_uploaded_used_by_a_dag_and_rolled_back(
    api: Api, service: Driver, kube: Kube, tmp_path: Path
) -> None:
    built = wheel(tmp_path)
    api.upload("library", "e2e-library", built.read_bytes(), built.name)
    api.upload("shared", "rates.csv", b"1.5")
    done = api.upload("plugin", "e2e_plugin.py", PLUGIN.format(word="first").encode())
    assert f"{SERVICE}/scheduler" in done.result.restarted
    airflow = airflow_of(kube, SERVICE)
    assert seen(airflow) == "seen: first from a wheel 1.5"
    api.upload("shared", "rates.csv", b"1.7")
    back = {"kind": "shared", "name": "rates.csv", "service": SERVICE, "version": 1}
    assert api.done("publish", body=back, model="Chosen").result.restarted == []
    assert seen(airflow) == "seen: first from a wheel 1.5"
    told = service.run("dataops_upload_info", service=SERVICE)["uploads"]
    versions = {(item["kind"], item["name"]): item["version"] for item in told if item["service"] == SERVICE}
    assert versions == {("library", "e2e-library"): 1, ("plugin", "e2e_plugin.py"): 1, ("shared", "rates.csv"): 1}
    gone = {"kind": "plugin", "name": "e2e_plugin.py", "service": SERVICE, "version": None}
    status, plan = api.ask("publish", body=gone, model="Chosen", dry_run=True)
    assert status == 200 and f"{SERVICE}/scheduler" in plan.restarted


def test_a_viewer_may_look_and_nothing_else(generated: str, kube: Kube, service: Driver) -> None:
    with client_of(generated, token_of(kube, "viewer")) as viewer:
        assert viewer.ask("show_data_ops_service", SERVICE)[0] == 200
        for function in ("stop_data_ops_service", "delete_data_ops_service"):
            status, answer = viewer.ask(function, SERVICE)
            assert (status, "may look" in answer.error.what) == (403, True)


def test_it_stops_starts_and_goes(api: Api, service: Driver) -> None:
    api.done("stop_data_ops_service", SERVICE)
    (told,) = service.run("dataops_service_info", name=SERVICE)["services"]
    assert told["state"] == "STOPPED"
    api.done("start_data_ops_service", SERVICE)
    (told,) = service.run("dataops_service_info", name=SERVICE)["services"]
    assert (told["state"], told["health"]) == ("RUNNING", "healthy")
    api.done("delete_data_ops_service", SERVICE, purge=True)
    assert service.run("dataops_service_info", name=SERVICE)["services"] == []
    assert api.ask("show_data_ops_service", SERVICE)[0] == 404
