# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies and queries that nobody would write, made of the API's own document: each is answered as the document says.

What a client sends is never the reason for an answer of 500 and above.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from ansible_collections.scp.dataops.console.api.install import described
from ansible_collections.scp.dataops.console.app import create_app
from ansible_collections.scp.dataops.console.operations import Operations
from ansible_collections.scp.dataops.console.settings import Settings
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis.configuration import set_hypothesis_home_dir
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ..fake_kube import FakeKube
from ..runs import MANAGER, NAMESPACE, SERVICE, cluster, run
from .conftest import BY_MODULE, SECRETS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
THERE = {"data_ops_service_id": SERVICE, "data_ops_id": MANAGER}
EXAMPLES = {GenerationMode.POSITIVE: 4, GenerationMode.NEGATIVE: 6}
NOWHERE = Settings(manager=MANAGER, namespace=NAMESPACE, files=Path("nowhere"), secrets=Path("nowhere"))
OPERATIONS = [(path, verb) for path, verbs in described(create_app(NOWHERE))["paths"].items() for verb in verbs]


@dataclass(frozen=True)
class Console:
    """Of a cluster with a service; whatever is done to it is done in memory."""

    kube: FakeKube
    operations: Operations
    schema: Any

    def restored(self) -> None:
        """What the test before began has ended, and what it removed is there again."""
        for operation in self.operations.all():
            self.operations.join(operation.operation_id, 30)
        run(self.kube, size="small")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Console:
    # It would leave a folder where the tests are run.
    set_hypothesis_home_dir(tmp_path_factory.mktemp("hypothesis"))
    folder = tmp_path_factory.mktemp("console")
    for name, values in SECRETS.items():
        (folder / name).mkdir()
        for key, value in values.items():
            (folder / name / key).write_text(value)
    kube = cluster()
    app = create_app(replace(NOWHERE, files=folder, secrets=folder), lambda: kube)
    app.state.kube = kube
    return Console(kube, app.state.operations, schemathesis.openapi.from_asgi("/api/v1/openapi.json", app))


@pytest.mark.parametrize("mode", EXAMPLES, ids=[mode.value for mode in EXAMPLES])
@pytest.mark.parametrize(("path", "verb"), OPERATIONS, ids=[f"{verb} {path}" for path, verb in OPERATIONS])
def test_nothing_that_is_sent_is_a_bug(console: Console, path: str, verb: str, mode: GenerationMode) -> None:
    console.restored()

    @how(
        max_examples=EXAMPLES[mode],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=console.schema[path][verb].as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        # What nobody knows is refused early; to get further, it has to be about what is there.
        case.path_parameters.update({key: THERE[key] for key in case.path_parameters if key in THERE})
        if isinstance(case.body, dict) and "data_ops_id" in case.body:
            case.body["data_ops_id"] = THERE["data_ops_id"]
        case.call_and_validate(headers=BY_MODULE, checks=CHECKS)

    send()
