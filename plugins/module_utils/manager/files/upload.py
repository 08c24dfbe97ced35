# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring one upload to what is asked: look, compare, send what is missing, publish. Check mode ends before sending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ...common import owner, rights
from ...common.labels import INSTANCE
from ...common.outcome import Timeline, actions
from ...errors import BadOption, Refused
from ...kube.client import Kube
from ...kube.lease import user_at_host
from .. import manager as managers
from . import archives, disk
from .counting import counted
from .model import KINDS, PLUGIN, SHARED, Archive, Entry, Key, Version, digest, is_litter
from .publish import Publication, publish
from .publish import Published as Outcome
from .remote import NoConsole, RemoteStore, needed_rights
from .sending import send
from .sources import LARGE, Source, Sources
from .store import Published

# What a file costs that is sent by itself, in bytes; and how much more than an archive its files may be.
OF_EACH, HARDLY_MORE = 64 * 2**10, 1.1
# So much of a checksum tells two files apart for people.
SHOWN_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a door hands over: ``sources`` to be used, or a ``version`` to be used again; with neither, none is used."""

    key: Key
    manager: str
    namespace: str
    sources: Sources | None = None
    version: int | None = None
    unpack: bool = False
    check_mode: bool = False
    timeout: float = 900


@dataclass(frozen=True)
class Chosen:
    """Which uploads are asked for; an empty text chooses all. Those for all services are of each service, too."""

    kind: str = ""
    name: str = ""
    service: str = ""

    def has(self, key: Key) -> bool:
        return (
            self.kind in ("", key.kind)
            and self.name in ("", key.name)
            and (not self.service or key.scope in ("", self.service))
        )


@dataclass(frozen=True)
class Current:
    """What is there of an upload: the version in use, and all that are kept, the newest first."""

    active: Version | None
    history: tuple[Version, ...]


NOTHING = Current(None, ())


@dataclass(frozen=True)
class Difference:
    """Between the files that are used and those that shall be."""

    key: Key
    before: tuple[Entry, ...]
    after: tuple[Entry, ...]

    @property
    def any(self) -> bool:
        return digest(self.before) != digest(self.after)

    def paths(self) -> dict[str, list[str]]:
        before, after = ({entry.path: entry for entry in entries} for entries in (self.before, self.after))
        return {
            "added": sorted(after.keys() - before.keys()),
            "changed": sorted(path for path in before.keys() & after.keys() if before[path] != after[path]),
            "removed": sorted(before.keys() - after.keys()),
        }

    def action(self) -> str:
        return f"{'delete' if not self.after else 'update' if self.before else 'create'} {self.key}"

    def shown(self) -> dict[str, str]:
        name = str(self.key)
        return {
            "before_header": name,
            "after_header": name,
            "before": as_lines(self.before),
            "after": as_lines(self.after),
        }


def as_lines(entries: Iterable[Entry]) -> str:
    """A line for each file; never what is in it."""
    return "".join(
        f"{entry.path} {entry.sha256[:SHOWN_DIGITS]} {entry.size}{' executable' if entry.executable else ''}\n"
        for entry in entries
    )


@dataclass(frozen=True)
class Report:
    """What was done, or in check mode would be."""

    difference: Difference
    current: Current
    outcome: Outcome = field(default_factory=Outcome)
    sent: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """An upload that is as it shall be may still have to be brought to a service: a run before was cut short."""
        return self.difference.any or bool(self.outcome.changes)


def reconcile(kube: Kube, request: Request, timeline: Timeline) -> Report:
    """
    :raises DataOpsError: with nothing changed, unless a service cannot be rolled out; that says where each one is.
    """
    with rights.explained(kube, request.namespace, needed_rights(request.namespace)):
        store = RemoteStore(kube, request.namespace, request.manager)
        current, warnings = look(kube, store, request)
        if request.sources and request.sources.size >= LARGE:
            timeline.say(f"computing checksums of {disk.in_words(request.sources.size)}")
        difference = compared(request, current)
        if warnings:
            return Report(difference, current, warnings=warnings)
        foreseen = foresee(kube, store, request, current, difference)
        if request.check_mode or not (difference.any or foreseen.changes):
            return Report(difference, current, foreseen)
        return carried_out(kube, store, request, current, difference, timeline)


def look(kube: Kube, store: RemoteStore, request: Request) -> tuple[Current, tuple[str, ...]]:
    """Check mode takes it that what is missing is made by a task before, as in a first run of a playbook."""
    try:
        if owner.find(kube, request.namespace, request.manager) is None:
            raise no_manager(request.manager, request.namespace)
        return read(store, request.key), ()
    except (NoManager, NoConsole) as error:
        if not request.check_mode:
            raise
        return NOTHING, (f"{error.where}: {error.what}; this is what would happen otherwise.",)


class NoManager(Refused):
    """There is no such Manager."""


def no_manager(manager: str, namespace: str) -> NoManager:
    return NoManager(
        f"Manager '{manager}' does not exist in namespace {namespace}",
        where="manager",
        next_step="Create it first with scp.dataops.dataops_manager",
    )


def read(store: RemoteStore, key: Key) -> Current:
    history = tuple(store.history(key.kind, key.scope, key.name))
    number = next((each["active"] for each in store.catalog() if key_of(each) == key), None) if history else None
    return Current(next((version for version in history if version.version == number), None), history)


def key_of(listed: dict[str, Any]) -> Key:
    return Key(listed["kind"], listed["service"], listed["name"])


def compared(request: Request, current: Current) -> Difference:
    before = current.active.entries if current.active else ()
    return Difference(request.key, before, wanted(request, current))


def wanted(request: Request, current: Current) -> tuple[Entry, ...]:
    """The files that shall be used; of an archive those in it, unless it is the very one that is used already."""
    if request.version is not None:
        return chosen(request.version, request.key, current).entries
    if request.sources is None:
        return ()
    archive = archive_in(request)
    if archive is None:
        return tuple(source.entry for source in request.sources.files)
    if current.active and current.active.source and current.active.source == archive.sha256:
        return current.active.entries
    return unpacked(archive)


def chosen(number: int, key: Key, current: Current) -> Version:
    for version in current.history:
        if version.version == number:
            return version
    kept = ", ".join(str(version.version) for version in current.history)
    raise BadOption(
        f"{key} has no version {number}", where="version", next_step=f"Use one of {kept}" if kept else "Upload it first"
    )


def archive_in(request: Request) -> Source | None:
    """The file that is to be unpacked."""
    files = request.sources.files if request.sources else ()
    unpacks = request.key.kind == PLUGIN or request.unpack
    return files[0] if unpacks and len(files) == 1 and archives.is_archive(files[0].path) else None


def unpacked(source: Source) -> tuple[Entry, ...]:
    """What the console will find in it; refused here already, before anything is sent, if it cannot be taken."""
    found = []
    with source.open() as file:
        for member in archives.members(file, source.path):
            if not is_litter(member.path):
                sha256, size = counted(member.blocks)
                found.append(Entry(member.path, sha256, size, member.executable))
    return tuple(sorted(found, key=lambda entry: entry.path))


class Foreseen:
    """A store in which files that were not sent yet are in use: in generations whose names nobody can know yet."""

    def __init__(self, store: RemoteStore, difference: Difference) -> None:
        self._store = store
        self._difference = difference

    def prospective(self, service: str, replacing: Mapping[Key, int | None] | None = None) -> Published:
        now = self._store.prospective(service)
        name = digest(self._difference.after)
        if self._difference.key.kind == PLUGIN:
            return replace(now, plugins=f"{now.plugins}+{name}")
        return replace(now, requirements=f"{now.requirements}+{name}")

    def activate(self, kind: str, scope: str, name: str, version: int | None, by: str) -> None:
        """Nothing happens in what is foreseen."""


def foresee(kube: Kube, store: RemoteStore, request: Request, current: Current, difference: Difference) -> Outcome:
    """What services would do: for check mode, and to find out whether they run with what is in use already."""
    nobody_asks = difference.any and not request.check_mode
    never_there = request.sources is None and not current.history
    if request.key.kind == SHARED or nobody_asks or never_there:
        return Outcome()
    later = difference.any and request.sources is not None
    wish = publication(request, number_of(request, current), check_mode=True)
    return publish(kube, Foreseen(store, difference) if later else store, wish)


def publication(request: Request, version: int | None, *, check_mode: bool) -> Publication:
    return Publication(
        key=request.key,
        version=version,
        manager=request.manager,
        namespace=request.namespace,
        check_mode=check_mode,
        timeout=request.timeout,
    )


def number_of(request: Request, current: Current) -> int | None:
    """The version that shall be used; of files that were not sent yet none has a number."""
    if request.version is not None:
        return request.version
    return current.active.version if request.sources is not None and current.active else None


def carried_out(
    kube: Kube, store: RemoteStore, request: Request, current: Current, difference: Difference, timeline: Timeline
) -> Report:
    version, sent = number_of(request, current), 0
    if request.sources is not None and difference.any:
        sent, staged = delivered(store, request, request.sources, difference, timeline)
        version = staged.version
    outcome = publish(kube, store, publication(request, version, check_mode=False), timeline)
    return Report(difference, read(store, request.key), outcome, sent)


def delivered(
    store: RemoteStore, request: Request, sources: Sources, difference: Difference, timeline: Timeline
) -> tuple[int, Version]:
    """Send what the console lacks, and make it a version; how many bytes that were."""
    key, by, archive = request.key, user_at_host(), archive_in(request)
    files = sources.files if archive is None else one_by_one(store, archive, difference.after)
    if archive is not None and not files:
        sent = send(store, [archive], timeline.say)
        packed = Archive(archive.sha256, archive.path)
        return sent, store.stage(key.kind, key.scope, key.name, by=by, archive=packed)
    sent = send(store, files, timeline.say)
    entries = [source.entry for source in files]
    return sent, store.stage(key.kind, key.scope, key.name, by=by, entries=entries)


def one_by_one(store: RemoteStore, archive: Source, entries: Sequence[Entry]) -> tuple[Source, ...]:
    """Each file of a zip, if what the console lacks of them is hardly more than the zip: it has to unpack nothing then.

    Empty when it is better sent as it is, as one whose files are small or much smaller when they are packed.
    """
    with archive.open() as file:
        if not archive.file or not archives.is_zip(file):
            return ()
    files = tuple(
        Source(entry.path, entry.size, entry.executable, archive.file, member=entry.path, known=entry.sha256)
        for entry in entries
    )
    lacking = set(store.missing([source.sha256 for source in files]))
    cost = sum(source.size + OF_EACH for source in files if source.sha256 in lacking)
    return files if cost <= archive.size * HARDLY_MORE else ()


# What is told of it


def result(report: Report, *, with_diff: bool) -> dict[str, Any]:
    """The result in the form that the module documents."""
    difference, outcome = report.difference, report.outcome
    files = [difference.action()] if difference.any else []
    # Trials are no objects that stay, and none of them is made for a version that has been tried.
    objects = actions(change for change in outcome.changes if change.ref.kind != "Job")
    waiting = (f"Service {name} is stopped: it takes the files when it starts." for name in outcome.stopped)
    done: dict[str, Any] = {
        "changed": report.changed,
        "actions": [*files, *objects],
        "files": difference.paths(),
        "restarted": list(outcome.restarted),
        "sent": report.sent,
        "warnings": [*report.warnings, *waiting],
        "upload": described(difference.key, report.current),
    }
    if with_diff:
        done["diff"] = difference.shown()
    return done


def described(key: Key, current: Current) -> dict[str, Any]:
    active = current.active
    return {
        "kind": key.kind,
        "name": key.name,
        "service": key.scope,
        "version": active.version if active else 0,
        "digest": active.digest if active else "",
        "size": active.size if active else 0,
        "files": [asdict(entry) for entry in active.entries] if active else [],
        "history": [
            {
                "version": version.version,
                "digest": version.digest,
                "size": version.size,
                "by": version.by,
                "when": version.when,
                "active": version == active,
            }
            for version in current.history
        ],
    }


def uploads(kube: Kube, namespace: str, manager: str, chosen: Chosen) -> list[dict[str, Any]]:
    """The uploads of a Manager, with the services that use each."""
    with rights.explained(kube, namespace, needed_rights(namespace)):
        if owner.find(kube, namespace, manager) is None:
            raise no_manager(manager, namespace)
        store = RemoteStore(kube, namespace, manager)
        keys = sorted(filter(chosen.has, map(key_of, store.catalog())), key=in_order)
        services = [item["metadata"]["labels"][INSTANCE] for item in managers.services(kube, namespace, manager)]
        found = kube.each(lambda key: read(store, key), keys)
    return [
        {**described(key, current), "used_by": sorted(used_by(key, services) if current.active else ())}
        for key, current in zip(keys, found, strict=True)
    ]


def in_order(key: Key) -> tuple[int, str, str]:
    return KINDS.index(key.kind), key.scope, key.name


def used_by(key: Key, services: Iterable[str]) -> list[str]:
    return [service for service in services if key.scope in ("", service)]
