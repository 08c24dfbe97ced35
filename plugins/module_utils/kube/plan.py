# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change, as values: computed once, then carried out or (in check mode) only shown.

An object that certainly stays as it is costs no request. For every other one the API server predicts the outcome by a
dry run, so that its defaults, its webhooks and its refusals take part in the prediction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import ApiError, Conflict, DataOpsError, Forbidden, NotFound, Refused, Unauthorized, needed_library
from .client import FIELD_MANAGER, Kube
from .deletion import delete_all
from .masking import cleaned, encoded, masked
from .objects import Manifest, Ref, index, ref_of, without_none
from .sameness import certainly_same

__all__ = ["Action", "Change", "carry_out", "delete_all", "plan_apply", "plan_prune", "summary"]

Action = Literal["create", "update", "delete", "keep"]

# What others refer to comes first: a workload whose account is missing fails before it is tried again.
_FIRST = ("Namespace",)
# Who may not grant everything has the server look up the role that a binding names: it must be there by then.
_BINDINGS = ("RoleBinding",)
_LAST = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod")
_RUN_ONCE = ("Job",)
_WITH_TEMPLATE = ("Deployment", "StatefulSet")


@dataclass(frozen=True)
class Change:
    """One object and what happens to it; `before` and `after` are fit to be shown, `desired` is what is sent."""

    action: Action
    ref: Ref
    desired: Manifest | None = None
    before: Manifest | None = None
    after: Manifest | None = None
    # Fields of other managers are taken over.
    force: bool = False
    # An update that replaces the pods of a Deployment or StatefulSet.
    rolls: bool = False

    def __repr__(self) -> str:
        return f"Change({self.action} {self.ref})"


def plan_apply(
    kube: Kube,
    manifests: Sequence[Manifest],
    live: Mapping[Ref, Manifest],
    *,
    force: bool = False,
    missing_namespace: bool = False,
) -> list[Change]:
    """The change that applying each of `manifests` over `live` makes, in their order; writes nothing.

    A Job is never changed once it exists. With `missing_namespace` all objects are predicted to be created, as a dry
    run needs the namespace. Raises one error that names everything that the cluster does not take.
    """
    wanted = [encoded(without_none(manifest)) for manifest in manifests]
    to_come = {ref_of(manifest) for manifest in wanted if ref_of(manifest) not in live}

    def planned(manifest: Manifest) -> Change | DataOpsError:
        ref = ref_of(manifest)
        try:
            if ref in live:
                return _update(kube, manifest, live[ref], force=force)
            return _create(kube, manifest, to_come, force=force, ask=not missing_namespace)
        except Unauthorized:
            raise
        except (ApiError, Refused) as error:
            return error

    outcomes = kube.each(planned, wanted)
    errors = [outcome for outcome in outcomes if isinstance(outcome, DataOpsError)]
    if errors:
        raise _gathered(errors)
    return [outcome for outcome in outcomes if isinstance(outcome, Change)]


def plan_prune(live: Iterable[Manifest], manifests: Sequence[Manifest], *, kinds: Collection[str]) -> list[Change]:
    """Deletions of the objects of `kinds` that are live but not wanted any more; those of a controller are its own."""
    wanted = {ref_of(manifest) for manifest in manifests}
    return [
        Change("delete", ref_of(item), before=masked(item, None)[0])
        for item in live
        if item["kind"] in kinds and ref_of(item) not in wanted and not _is_leaving(item) and not _is_controlled(item)
    ]


def carry_out(kube: Kube, changes: Iterable[Change], *, force: bool = False) -> None:
    """Make the changes: what others refer to first, workloads next, deletions last; each group at once."""
    todo = list(changes)
    writes = [change.desired for change in todo if change.action in ("create", "update") and change.desired]
    forced = {change.ref for change in todo if force or change.force}
    for group in _groups(writes):
        kube.each(lambda manifest: kube.apply(manifest, force=ref_of(manifest) in forced), group)
    deletions = [change.ref for change in todo if change.action == "delete"]
    kube.each(lambda ref: kube.delete(ref.kind, ref.name, ref.namespace), deletions)


def summary(changes: Iterable[Change]) -> dict[str, Any]:
    """`changed`, `actions` ("create Secret/etl-keys") and `diff` (YAML before and after) of what really changes."""
    real = [change for change in changes if change.action != "keep"]
    return {
        "changed": bool(real),
        "actions": [f"{change.action} {change.ref}" for change in real],
        "diff": {
            "before": _as_yaml([change.before for change in real if change.before]),
            "after": _as_yaml([change.after for change in real if change.after]),
        },
    }


def _create(kube: Kube, manifest: Manifest, to_come: Collection[Ref], *, force: bool, ask: bool) -> Change:
    ref = ref_of(manifest)
    outcome = manifest
    if ask:
        try:
            outcome = kube.apply(manifest, dry_run=True, force=force)
        except NotFound:
            # The server looks up the role of a binding; in a dry run it cannot see that the role comes along.
            role = manifest.get("roleRef") or {}
            if Ref(role.get("kind", ""), role.get("name", ""), ref.namespace) not in to_come:
                raise
    return Change("create", ref, desired=manifest, after=masked(None, outcome)[1])


def _update(kube: Kube, manifest: Manifest, live: Manifest, *, force: bool) -> Change:
    ref = ref_of(manifest)
    if _is_leaving(live):
        raise Refused(
            "it is still being deleted",
            where=f"{ref} in namespace {ref.namespace}" if ref.namespace else str(ref),
            next_step="Wait until it is gone, then run this again",
        )
    if ref.kind in _RUN_ONCE or certainly_same(manifest, live, FIELD_MANAGER):
        return Change("keep", ref, desired=manifest)
    outcome = kube.apply(manifest, dry_run=True, force=force)
    if cleaned(outcome) == cleaned(live):
        return Change("keep", ref, desired=manifest)
    before, after = masked(live, outcome)
    return Change("update", ref, manifest, before, after, force=force, rolls=_template(live) != _template(outcome))


def _template(manifest: Manifest) -> Any:
    return manifest.get("spec", {}).get("template") if manifest["kind"] in _WITH_TEMPLATE else None


def _is_leaving(manifest: Manifest) -> bool:
    return "deletionTimestamp" in manifest["metadata"]


def _is_controlled(manifest: Manifest) -> bool:
    return any(owner.get("controller") for owner in manifest["metadata"].get("ownerReferences") or [])


def _groups(manifests: Sequence[Manifest]) -> list[list[Manifest]]:
    middle = {manifest["kind"] for manifest in manifests}.difference(_FIRST, _BINDINGS, _LAST)
    return [
        [manifest for manifest in manifests if manifest["kind"] in kinds]
        for kinds in (_FIRST, middle, _BINDINGS, _LAST)
    ]


def _gathered(errors: Sequence[DataOpsError]) -> DataOpsError:
    """One error for all; the only one as it is, so that its type and words stay."""
    if len(errors) == 1:
        return errors[0]
    what = "; ".join(f"{error.where}: {error.what}" for error in errors)
    next_step = ". ".join(dict.fromkeys(error.next_step for error in errors if error.next_step))
    if all(isinstance(error, Conflict) for error in errors):
        return Conflict(what, next_step=next_step, status=409, reason="Conflict")
    if all(isinstance(error, Forbidden) for error in errors):
        return Forbidden(what, next_step=next_step, status=403, reason="Forbidden")
    return Refused(what, next_step=next_step)


def _as_yaml(manifests: Sequence[Manifest]) -> str:
    if not manifests:
        return ""
    with needed_library("pyyaml"):
        import yaml
    # A class of its own: how texts are written must not change for others in this process.
    dumper = type("LineByLine", (getattr(yaml, "CSafeDumper", yaml.SafeDumper),), {})
    yaml.add_representer(str, _line_by_line, Dumper=dumper)
    ordered = [manifest for _ref, manifest in sorted(index(manifests).items())]
    return str(yaml.dump_all(ordered, Dumper=dumper, sort_keys=True, allow_unicode=True))


def _line_by_line(dumper: Any, text: str) -> Any:
    """A text of several lines as such, so that a difference in a file shows the line that differs."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
