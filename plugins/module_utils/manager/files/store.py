# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of Plugin, Shared and Python Library Files on the Manager's volume: one door to all that this package does.

One process at a time works on a volume, the console; its threads may do so at once.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ...common import validation as check
from ...errors import BadOption, Refused
from . import archives, checks, disk, generations
from .generations import Generations
from .layout import Layout
from .model import LIBRARY, PLUGIN, SHARED, Archive, Entry, Key, Version, checked_key, checked_sha256, digest, is_litter
from .objects import Objects, Receiving
from .overlay import Placed, overlay
from .versions import Activation, Upload, Versions
from .views import Views
from .wheels import Target

DAY = 24 * 3600.0
# Other versions than the active ones, by upload; None is for no version at all.
Replacing: TypeAlias = "Mapping[Key, int | None]"


@dataclass(frozen=True)
class Published:
    """Names of the generations that a service mounts; empty for none."""

    plugins: str = ""
    requirements: str = ""


@dataclass(frozen=True)
class InUse:
    """What is used in the cluster: names of generations, and of services. Asked for where pods are known."""

    services: frozenset[str] = frozenset()
    plugins: frozenset[str] = frozenset()
    requirements: frozenset[str] = frozenset()
    libraries: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Swept:
    """What a sweep removed."""

    versions: int = 0
    generations: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    objects: int = 0
    # Bytes of these objects.
    size: int = 0


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """:param clock: the time that versions are marked with, in ISO 8601."""

    def __init__(self, root: Path, target: Target | None = None, clock: Callable[[], str] = now) -> None:
        self._layout = Layout(root)
        self._target = target or Target.here()
        self._clock = clock
        # Numbers of versions and what is active change one at a time; the long work is done outside.
        self._lock = threading.RLock()
        self._objects = Objects(self._layout)
        self._versions = Versions(self._layout)
        self._generations = Generations(self._layout, self._objects)
        self._views = Views(self._layout)
        for folder in self._layout.folders():
            disk.make_folder(folder)
        self._clean_up()

    # Content

    def missing(self, sha256s: Iterable[str]) -> list[str]:
        """Which of these objects have to be uploaded."""
        return self._objects.missing(checked_sha256(sha256, "sha256") for sha256 in sha256s)

    def offset(self, sha256: str) -> int:
        """How many bytes of an object are there; all of them when it is whole."""
        return self._objects.offset(checked_sha256(sha256, "sha256"))

    def receive(self, sha256: str, size: int, offset: int) -> Receiving:
        """Take an object piece by piece. To be handed to ``leave`` in the end, whatever happens."""
        return self._objects.receive(checked_sha256(sha256, "sha256"), size, offset)

    def leave(self, receiving: Receiving) -> None:
        self._objects.leave(receiving)

    def write(self, sha256: str, size: int, offset: int, stream: BinaryIO) -> int:
        """Take an object from ``offset`` on; the offset where the next piece begins. What came before an error stays.

        :raises WrongOffset: the piece does not begin where the last one ended.
        :raises BadOption: the checksum of the whole is not ``sha256``; nothing is kept then.
        """
        receiving = self.receive(sha256, size, offset)
        try:
            for block in disk.blocks_of(stream):
                receiving.feed(block)
            return receiving.finish()
        finally:
            self.leave(receiving)

    # Versions

    def stage(
        self,
        kind: str,
        scope: str,
        name: str,
        *,
        by: str,
        entries: Iterable[Entry] = (),
        archive: Archive | None = None,
    ) -> Version:
        """Check an upload and make it a version; it is not used yet. Equal content makes no further version.

        :param entries: files whose objects are here; or
        :param archive: an object that is unpacked.
        """
        key = checked_key(kind, scope, name)
        given = tuple(entries) if archive is None else self._unpacked(archive)
        files = tuple(sorted((entry for entry in given if not is_litter(entry.path)), key=lambda entry: entry.path))
        self._ensure_whole(files)
        checks.check(key, files, self._objects.open, self._target)
        with self._lock:
            self._ensure_whole(files)
            total = digest(files)
            for known in (self._versions.active(key), self._versions.newest(key)):
                if known is not None and known.digest == total:
                    return known
            number = (self._versions.numbers(key) or [0])[-1] + 1
            version = Version(
                kind=kind,
                scope=scope,
                name=name,
                version=number,
                digest=total,
                size=sum(entry.size for entry in files),
                by=by,
                when=self._clock(),
                entries=files,
                source=archive.sha256 if archive else "",
            )
            self._versions.write(version)
            return version

    def _unpacked(self, archive: Archive) -> tuple[Entry, ...]:
        self._ensure_here({checked_sha256(archive.sha256, archive.name): archive.name})
        found = []
        with self._objects.open(archive.sha256) as file:
            for member in archives.members(file, archive.name):
                if not is_litter(member.path):
                    sha256, size = self._objects.put(member.blocks)
                    found.append(Entry(member.path, sha256, size, member.executable))
        return tuple(found)

    def _ensure_whole(self, entries: Iterable[Entry]) -> None:
        files = {checked_sha256(entry.sha256, entry.path): entry for entry in entries}
        self._ensure_here({sha256: entry.path for sha256, entry in files.items()})
        for sha256, entry in files.items():
            if (real := self._objects.offset(sha256)) != entry.size:
                raise BadOption(f"its size is {real} and not {entry.size}", where=entry.path)

    def _ensure_here(self, paths: Mapping[str, str]) -> None:
        for sha256 in self._objects.missing(paths):
            raise Refused(
                "it was not uploaded, or not wholly", where=paths[sha256], next_step="Upload it, then try again"
            )

    def catalog(self) -> list[Upload]:
        """Every upload, deleted ones included as long as there are versions of them."""
        with self._lock:
            found = (self._versions.upload(key) for key in self._versions.every())
            return [upload for upload in found if upload is not None]

    def history(self, kind: str, scope: str, name: str) -> list[Version]:
        """Versions, newest first; empty when there never was one."""
        key = checked_key(kind, scope, name)
        with self._lock:
            return [self._versions.read(key, number) for number in reversed(self._versions.numbers(key))]

    def of_service(self, service: str) -> list[Key]:
        """Uploads that are for this service alone, deleted ones included as long as there are versions of them."""
        check.name(service, "service")
        with self._lock:
            return [key for key in self._versions.every() if key.scope == service]

    def forget(self, service: str) -> None:
        """Of a service that is gone for good: its uploads with all their versions, and its folder of shared files.

        Uploads go last, since by them the next run knows that there is something to do. Contents go with a sweep.
        """
        check.name(service, "service")
        with self._lock:
            self._views.remove(service)
            self._versions.forget(service)

    # What services get

    def prospective(self, service: str, replacing: Replacing | None = None) -> Published:
        """What a service would get if these versions were active. Its folders are made; nobody uses them yet."""
        check.name(service, "service")
        with self._lock:
            plugins = self._of_service(PLUGIN, service, replacing or {})
            libraries = self._of_service(LIBRARY, service, replacing or {})
            return Published(self._generations.plugins(plugins), self._generations.requirements(libraries))

    def activate(self, kind: str, scope: str, name: str, version: int | None, by: str) -> None:
        """Use this version from now on, or none (deleted; its versions stay). Shared files are there at once."""
        key = checked_key(kind, scope, name)
        with self._lock:
            self.ensure_known(key, version)
            services = {scope, *(self._views.services() if not scope else ())}
            for service in services:
                self._files_of(kind, service, {key: version})
            self._versions.decide(key, Activation(version, by, self._clock()))
            if kind == SHARED:
                for service in services - {""}:
                    self.refresh(service)

    def ensure_known(self, key: Key, version: int | None) -> None:
        """:raises BadOption: there is no such version; or with none, no such upload."""
        if version is not None:
            self._versions.read(key, version)
        elif self._versions.newest(key) is None:
            raise BadOption(f"there is no {key}", where="name")

    def refresh(self, service: str) -> None:
        """Give a service its folder of shared files, or bring it up to date."""
        check.name(service, "service")
        with self._lock:
            self._views.refresh(service, self._files_of(SHARED, service, {}))

    def fill_new(self) -> list[str]:
        """Folders that something else has made for new services get their files; the names of these services."""
        new = [service for service in self._views.services() if not self._views.is_filled(service)]
        for service in new:
            self.refresh(service)
        return new

    def _files_of(self, kind: str, service: str, replacing: Replacing) -> dict[str, Placed]:
        """:raises Refused: uploads bring the same path."""
        versions = self._of_service(kind, service, replacing)
        return overlay(generations.only_wheels(versions) if kind == LIBRARY else versions)

    def _of_service(self, kind: str, service: str, replacing: Replacing) -> list[Version]:
        """Of a service, or with an empty name only what is for all of them."""
        chosen = {key: self._versions.active(key) for key in self._versions.every()}
        for key, number in replacing.items():
            chosen[key] = None if number is None else self._versions.read(key, number)
        return [
            version
            for key, version in chosen.items()
            if version is not None and key.kind == kind and key.scope in ("", service)
        ]

    # Order

    def sweep(self, in_use: InUse, age: float = DAY) -> Swept:
        """Remove versions beyond those kept, and what nobody uses and has not used or uploaded for ``age`` seconds."""
        with self._lock:
            self._clean_up(age)
            removed = sum(len(self._versions.remove_old(key)) for key in self._versions.every())
            folders = [
                *generations.unused(self._layout.plugins, in_use.plugins, age),
                *generations.unused(self._layout.requirements, in_use.requirements, age),
                *generations.unused(self._layout.libraries, in_use.libraries, age),
            ]
            for folder in folders:
                disk.remove_tree(folder, self._layout.temporary())
            services = [service for service in self._views.services() if service not in in_use.services]
            for service in services:
                self._views.remove(service)
            used = {entry.sha256 for version in self._every_version() for entry in version.entries}
            objects, size = self._objects.sweep(used, age)
            return Swept(removed, tuple(folder.name for folder in folders), tuple(services), objects, size)

    def _every_version(self) -> Iterator[Version]:
        for key in self._versions.every():
            for number in self._versions.numbers(key):
                yield self._versions.read(key, number)

    def _clean_up(self, age: float = DAY) -> None:
        """What killed processes and given up uploads left behind."""
        for path in self._layout.incoming.iterdir():
            if time.time() - path.stat().st_mtime > age:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
