# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster in memory, behind the same methods as `Kube`: enough of an API server to see what the engine does to one.

It knows server-side apply of one manager (fields left out go, fields of others stay), dry run, namespaces, rights,
what cannot be changed (a Job's pods, a volume's class), and controllers that make things ready at once. What happens
is noted in `log`, in order.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

from ansible_collections.scp.dataops.plugins.module_utils.common import activity
from ansible_collections.scp.dataops.plugins.module_utils.errors import (
    Conflict,
    DataOpsError,
    Forbidden,
    Invalid,
    NotFound,
)
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import FIELD_MANAGER, Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.kinds import KINDS
from ansible_collections.scp.dataops.plugins.module_utils.kube.masking import cleaned, encoded
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref, ref_of
from ansible_collections.scp.dataops.plugins.module_utils.kube.transport import Answer

COMPONENT = "app.kubernetes.io/component"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
INGRESS_ADDRESS = "10.0.0.10"
HEALTHY = ("metadatabase", "scheduler", "dag_processor", "triggerer")
START = "2026-01-01T00:00:00Z"


def cluster_object(kind: str, name: str, /, **rest: Any) -> Manifest:
    """An object that is there before we are."""
    metadata = {"name": name, **rest.pop("metadata", {})}
    return {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": metadata, **rest}


def node(
    name: str, /, *, cpu: str = "16", memory: str = "64Gi", spec: dict[str, Any] | None = None, **labels: str
) -> Manifest:
    """A node with room for a service with everything."""
    status = {"allocatable": {"cpu": cpu, "memory": memory, "pods": "110"}}
    return cluster_object("Node", name, metadata={"labels": labels}, spec=spec or {}, status=status)


def usual_cluster() -> list[Manifest]:
    """One Ingress Controller, two storage classes of which one is the default, two nodes."""
    return [
        cluster_object("StorageClass", "standard", metadata={"annotations": {DEFAULT_CLASS: "true"}}),
        cluster_object("StorageClass", "nfs"),
        cluster_object("IngressClass", "contour", spec={"controller": "projectcontour.io/ingress-controller"}),
        node("one", pool="dataops", zone="a"),
        node("two", pool="other"),
    ]


class QuietWatch(Iterator[tuple[str, Manifest]]):
    """A watch during which nothing happens until somebody closes it."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def __next__(self) -> tuple[str, Manifest]:
        self._closed.wait(5)
        raise StopIteration

    def close(self) -> None:
        self._closed.set()


class FakeKube(Kube):
    """`failing`: components whose Jobs fail; `stuck`: components that never get ready; both may change at any time."""

    def __init__(self, *, objects: Iterable[Manifest] = (), with_usual: bool = True) -> None:
        self.log: list[str] = []
        self.kubernetes = "v1.37.2"
        # What happens to Leases is noted apart: they say who writes, not what.
        self.leases: list[str] = []
        # So are entries of the activity: they say what a run did, and are no part of it.
        self.told: list[str] = []
        self.clock = datetime(2026, 1, 2, tzinfo=timezone.utc)
        self.reads = 0
        self.failing: set[str] = set()
        # What the pod of a Job printed, by the Job's name.
        self.printed: dict[str, str] = {}
        self.stuck: set[str] = set()
        self.health: dict[str, str] | None = dict.fromkeys(HEALTHY, "healthy")
        self.airflow_dags: dict[str, str | None] = {}
        # How many Airflow says there are: tasks and runs by their state, "importErrors".
        self.totals: dict[str, int] = {}
        # What the web server could not load, by file.
        self.plugin_errors: dict[str, str] = {}
        self.asked_airflow: list[tuple[str, str, dict[str, str], bytes | None]] = []
        self._objects: dict[Ref, Manifest] = {}
        self._applied: dict[Ref, Manifest] = {}
        self._forbidden: set[tuple[str, str, str]] = set()
        self._version = 0
        self._lock = threading.RLock()
        for item in [*(usual_cluster() if with_usual else ()), *objects]:
            self.put(item)

    # What a test says and asks

    def put(self, manifest: Manifest) -> None:
        """Somebody else makes or replaces an object."""
        manifest = copy.deepcopy(manifest)
        namespace = ref_of(manifest).namespace
        if namespace and Ref("Namespace", namespace) not in self._objects:
            self.put(cluster_object("Namespace", namespace))
        self._objects[ref_of(manifest)] = self._stamped(manifest, None)

    def remove(self, kind: str, name: str, namespace: str = "") -> None:
        """Somebody else deletes an object."""
        del self._objects[Ref(kind, name, namespace)]
        self._applied.pop(Ref(kind, name, namespace), None)

    def find(self, kind: str, name: str, namespace: str = "") -> Manifest:
        return copy.deepcopy(self._objects[Ref(kind, name, namespace)])

    def refs(self, namespace: str) -> list[str]:
        """What there is in a namespace, sorted."""
        return sorted(str(ref) for ref in self._objects if ref.namespace == namespace)

    def state(self) -> dict[Ref, Manifest]:
        """Everything there is, without what the server counts and who did what, to compare before and after."""
        found = {ref: cleaned(copy.deepcopy(item)) for ref, item in self._objects.items()}
        for ref in found:
            if ref.name == activity.NAME:
                found[ref].pop("data", None)
        return found

    def forbid(self, verb: str, kind: str, namespace: str = "") -> None:
        """Take a right away; an empty namespace means that of the whole cluster only."""
        self._forbidden.add((verb, kind, namespace))

    @property
    def writes(self) -> list[str]:
        """What was written, in order; dry runs do not count."""
        return [line for line in self.log if not line.startswith("try ")]

    def forget(self) -> None:
        """Begin a new log."""
        self.log.clear()
        self.leases.clear()
        self.told.clear()
        self.asked_airflow.clear()
        self.reads = 0

    # What Kube does

    @property
    def requests(self) -> int:
        return self.reads + len(self.log) + len(self.leases) + len(self.told)

    def now(self) -> datetime:
        return self.clock

    def pass_time(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)

    def version(self) -> str:
        return self.kubernetes

    def close(self) -> None:
        pass

    def each(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """One after the other, so that the log has one order."""
        outcomes = [_outcome(function, item) for item in items]
        for _result, error in outcomes:
            if error:
                raise error
        return [result for result, _error in outcomes]

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        with self._lock:
            self.reads += 1
            self._check("get", kind, namespace)
            return copy.deepcopy(self._objects.get(Ref(kind, name, namespace or "")))

    def list_versioned(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "", limit: int = 0
    ) -> tuple[list[Manifest], str]:
        with self._lock:
            self.reads += 1
            self._check("list", kind, namespace)
            name = labels.removeprefix("job-name=")
            if kind == "Pod" and name in self.printed:
                # A Job has run by now; its pod is of interest for what it printed only.
                return [cluster_object("Pod", name, metadata={"namespace": namespace})], str(self._version)
            found = [
                copy.deepcopy(item)
                for ref, item in sorted(self._objects.items())
                if ref.kind == kind and namespace in (None, ref.namespace) and _selected(item, labels, fields)
            ]
            return found[: limit or None], str(self._version)

    def apply(self, manifest: Manifest, *, dry_run: bool = False, force: bool = False) -> Manifest:
        with self._lock:
            manifest = encoded(copy.deepcopy(manifest))
            ref = ref_of(manifest)
            self._ask_guard(ref, dry_run=dry_run)
            self.log.append(f"{'try' if dry_run else 'apply'} {ref}")
            live = self._objects.get(ref)
            self._check("patch" if live else "create", ref.kind, ref.namespace)
            if ref.namespace and Ref("Namespace", ref.namespace) not in self._objects:
                raise NotFound(f'namespaces "{ref.namespace}" not found', where=str(ref), status=404, reason="NotFound")
            wanted = self._defaulted(manifest, live)
            outcome = _overlaid(_without_dropped(live or {}, self._applied.get(ref, {}), manifest), wanted)
            _refuse_immutable(ref, live, outcome)
            outcome = self._stamped(outcome, live, _fields(manifest))
            if not dry_run:
                self._objects[ref] = self._controlled(outcome, live)
                self._applied[ref] = manifest
            return copy.deepcopy(self._objects[ref] if not dry_run else outcome)

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Leases, and reviews of rights; the engine creates nothing else this way."""
        if manifest["kind"] == "Lease":
            return self._create_lease(manifest)
        assert manifest["kind"] == "SelfSubjectAccessReview"
        self.reads += 1
        asked = manifest["spec"]["resourceAttributes"]
        resource = "/".join(part for part in (asked["resource"], asked.get("subresource")) if part)
        kinds = {facts.plural: kind for kind, facts in KINDS.items()}
        right = (asked["verb"], kinds.get(resource, resource), asked.get("namespace", ""))
        allowed = not self._forbidden if asked["verb"] == "*" else right not in self._forbidden
        return {**manifest, "status": {"allowed": allowed}}

    def patch(
        self, kind: str, name: str, namespace: str | None, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> Manifest:
        """A merge patch of what exists, with the version it is for."""
        with self._lock:
            ref = Ref(kind, name, namespace or "")
            self._ask_guard(ref, dry_run=dry_run)
            self._note(f"{'try to patch' if dry_run else 'patch'} {ref}", kind, name)
            self._check("patch", kind, namespace)
            live = self._objects.get(ref)
            if live is None:
                raise NotFound("it does not exist", where=str(ref), status=404, reason="NotFound")
            self._refuse_outdated(ref, body.get("metadata", {}).get("resourceVersion", ""))
            outcome = self._stamped(_patched(live, body), live)
            if not dry_run:
                self._objects[ref] = self._controlled(outcome, live)
            return copy.deepcopy(outcome)

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        propagation: str = "Background",
        version: str = "",
        grace: int | None = None,
    ) -> None:
        with self._lock:
            ref = Ref(kind, name, namespace or "")
            self._ask_guard(ref, dry_run=dry_run)
            self._note(f"{'try to delete' if dry_run else 'delete'} {ref}", kind)
            self._check("delete", kind, namespace)
            if dry_run:
                return
            self._refuse_outdated(ref, version)
            gone = {ref} if kind != "Namespace" else {ref, *(r for r in self._objects if r.namespace == name)}
            for each in gone:
                self._objects.pop(each, None)
                self._applied.pop(each, None)

    def watch(self, kind: str, namespace: str | None, **rest: Any) -> Any:
        return QuietWatch()

    def logs(self, pod: str, namespace: str, *, container: str = "", lines: int = 20, previous: bool = False) -> str:
        return self.printed.get(pod, "")

    def reach(self, method: str, namespace: str, service: str, port: int, path: str, **_how: Any) -> Answer:
        """A console to which nobody has uploaded anything."""
        if self.get("Service", service, namespace) is None:
            raise NotFound("it does not exist", where=f"Service/{service}", status=404, reason="NotFound")
        return Answer(200, b'{"uploads": []}')

    def proxy(
        self,
        method: str,
        namespace: str,
        service: str,
        port: int,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        timeout: float = 10,
    ) -> tuple[int, bytes]:
        self.reads += 1
        self.asked_airflow.append((method, path, {**(headers or {}), **(cookies or {})}, body))
        if self.health is None:
            return 503, b"no endpoints available"
        if path.endswith("/health"):
            return 200, json.dumps({key: {"status": status} for key, status in self.health.items()}).encode()
        if path == "/auth/token":
            return 201, json.dumps({"access_token": "SENTINEL-TOKEN"}).encode()
        if path.endswith("/plugins/importErrors"):
            found = [{"source": source, "error": error} for source, error in self.plugin_errors.items()]
            return 200, json.dumps({"import_errors": found, "total_entries": len(found)}).encode()
        place, _mark, query = path.partition("?")
        kind = place.rpartition("/")[2]
        if kind in ("taskInstances", "dagRuns", "importErrors"):
            total = self.totals.get(parse_qs(query).get("state", [kind])[0], 0)
            return 200, json.dumps({"task_instances": [], "total_entries": total}).encode()
        dags = [{"dag_id": name, "bundle_version": commit} for name, commit in self.airflow_dags.items()]
        return 200, json.dumps({"dags": dags, "total_entries": len(dags)}).encode()

    # How the server and its controllers do it

    def _check(self, verb: str, kind: str, namespace: str | None) -> None:
        if (verb, kind, namespace or "") in self._forbidden:
            facts = KINDS[kind]
            resource = f"{facts.plural}.{facts.group}" if facts.group else facts.plural
            place = f"in namespace {namespace}" if namespace else "in the cluster"
            raise Forbidden(f"user jane may not {verb} {resource} {place}", where=kind, status=403, reason="Forbidden")

    def _note(self, line: str, kind: str, name: str = "") -> None:
        (self.leases if kind == "Lease" else self.told if name == activity.NAME else self.log).append(line)

    def _create_lease(self, manifest: Manifest) -> Manifest:
        with self._lock:
            ref = ref_of(manifest)
            self._ask_guard(ref, dry_run=False)
            self._note(f"create {ref}", ref.kind)
            self._check("create", ref.kind, ref.namespace)
            if Ref("Namespace", ref.namespace) not in self._objects:
                raise NotFound(f'namespaces "{ref.namespace}" not found', where=str(ref), status=404, reason="NotFound")
            if ref in self._objects:
                raise Conflict("it exists", where=str(ref), status=409, reason="AlreadyExists")
            self._objects[ref] = self._stamped(copy.deepcopy(manifest), None)
            return copy.deepcopy(self._objects[ref])

    def _refuse_outdated(self, ref: Ref, version: str) -> None:
        live = self._objects.get(ref)
        if version and live and live["metadata"]["resourceVersion"] != version:
            raise Conflict("it was changed meanwhile", where=str(ref), status=409, reason="Conflict")

    def _defaulted(self, manifest: Manifest, live: Manifest | None) -> Manifest:
        if manifest["kind"] != "PersistentVolumeClaim" or live or "storageClassName" in manifest["spec"]:
            return manifest
        classes = [item for ref, item in self._objects.items() if ref.kind == "StorageClass"]
        default = [c for c in classes if (c["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"]
        name = default[0]["metadata"]["name"] if default else ""
        return {**manifest, "spec": {**manifest["spec"], "storageClassName": name}}

    def _stamped(self, item: Manifest, live: Manifest | None, owned: dict[str, Any] | None = None) -> Manifest:
        old = (live or {}).get("metadata", {})
        metadata = {
            **item["metadata"],
            "uid": old.get("uid", f"uid-{self._version}"),
            "creationTimestamp": old.get("creationTimestamp", START),
            "generation": old.get("generation", 0) + (item.get("spec") != (live or {}).get("spec") or not live),
        }
        if owned is not None:
            entry = {"manager": FIELD_MANAGER, "operation": "Apply", "apiVersion": item["apiVersion"]}
            metadata["managedFields"] = [{**entry, "fieldsV1": owned}]
        metadata["resourceVersion"] = old.get("resourceVersion", "")
        if live is None or cleaned({**item, "metadata": metadata}) != cleaned(live):
            self._version += 1
            metadata["resourceVersion"] = str(self._version)
        return {**item, "metadata": metadata}

    def _controlled(self, item: Manifest, live: Manifest | None) -> Manifest:
        """The object with the status that its controller gives it."""
        component = (item["metadata"].get("labels") or {}).get(COMPONENT, "")
        if live is not None and item["kind"] == "Job":
            return item
        return {**item, **_status(item, failing=component in self.failing, stuck=component in self.stuck)}


def _outcome(function: Callable[[Any], Any], item: Any) -> tuple[Any, DataOpsError | None]:
    try:
        return function(item), None
    except DataOpsError as error:
        return None, error


def _status(item: Manifest, *, failing: bool, stuck: bool) -> dict[str, Any]:
    kind, generation = item["kind"], item["metadata"]["generation"]
    count = 0 if stuck else item.get("spec", {}).get("replicas", 1)
    if kind == "Deployment":
        names = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")
        return {"status": {"observedGeneration": generation, **dict.fromkeys(names, count)}}
    if kind == "StatefulSet":
        revision = {"currentRevision": f"r{generation}", "updateRevision": f"r{generation}"}
        return {"status": {"observedGeneration": generation, "replicas": count, "readyReplicas": count, **revision}}
    if kind == "Job":
        if stuck:
            return {"status": {"active": 1}}
        condition = {"type": "Failed" if failing else "Complete", "status": "True", "message": "it said no"}
        return {"status": {"conditions": [condition]}}
    if kind == "PersistentVolumeClaim":
        return {"status": {"phase": "Pending" if stuck else "Bound"}}
    if kind == "Ingress":
        return {"status": {"loadBalancer": {"ingress": [{"ip": INGRESS_ADDRESS}]}}}
    return {}


def _selected(item: Manifest, labels: str, fields: str) -> bool:
    marks = item["metadata"].get("labels") or {}
    wanted = (pair.split("=", 1) for pair in labels.split(",") if pair)
    if not all(marks.get(key) == value for key, value in wanted):
        return False
    return not fields.startswith("metadata.name=") or fields == f"metadata.name={item['metadata']['name']}"


def _without_dropped(live: Any, applied: Any, wanted: Any) -> Any:
    """What is live, less the fields that were applied before and are not wanted any more."""
    if not all(isinstance(value, dict) for value in (live, applied, wanted)):
        return live
    kept = {key: value for key, value in live.items() if key not in applied or key in wanted}
    return {
        key: _without_dropped(value, applied[key], wanted[key]) if key in applied else value
        for key, value in kept.items()
    }


def _patched(below: Any, patch: Any) -> Any:
    """By a JSON merge patch, in which null deletes."""
    if not isinstance(patch, Mapping):
        return patch
    under = below if isinstance(below, dict) else {}
    both = {**under, **{key: _patched(under.get(key), value) for key, value in patch.items()}}
    return {key: value for key, value in both.items() if value is not None}


def _overlaid(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _overlaid(below.get(key), value) for key, value in above.items()}}


def _fields(value: Any) -> dict[str, Any]:
    """As metadata.managedFields names them; a list is owned as a whole."""

    def owned(part: Any) -> dict[str, Any]:
        return {f"f:{key}": owned(item) for key, item in part.items()} if isinstance(part, dict) else {}

    body = {key: item for key, item in value.items() if key not in ("apiVersion", "kind")}
    body["metadata"] = {key: item for key, item in body["metadata"].items() if key not in ("name", "namespace")}
    return owned({key: item for key, item in body.items() if key != "metadata" or item})


def _refuse_immutable(ref: Ref, live: Manifest | None, outcome: Manifest) -> None:
    fixed: dict[str, Sequence[str]] = {
        "Job": ("template",),
        "PersistentVolumeClaim": ("storageClassName", "accessModes"),
        "Deployment": ("selector",),
        "StatefulSet": ("selector", "serviceName"),
    }
    for field in fixed.get(ref.kind, ()) if live else ():
        if (live or {})["spec"].get(field) != outcome["spec"].get(field):
            what = f"the API server cannot change it: spec.{field}: field is immutable"
            raise Invalid(what, where=str(ref), status=422, reason="Invalid")
