# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives and uploads as tests need them: good ones, and ones that nobody would make by accident."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.scp.dataops.plugins.module_utils.manager.files.model import Archive, Entry, Version
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.store import Store
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.wheels import Target

TARGET = Target((3, 12, 4), (2, 36), "x86_64")
PACKED = {"tar": "w:", "tar.gz": "w:gz", "tar.xz": "w:xz"}


def store(root: Path) -> Store:
    return Store(root / "volume", TARGET, clock=lambda: "2026-11-23T01:00:00Z")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def zipped(files: Mapping[str, bytes | str], *, mode: int = 0o100644) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return out.getvalue()


def tar_member(path: str, kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.linkname, member.mode = kind, target, mode
    return member


def tarred(members: Mapping[tarfile.TarInfo, bytes], form: str = "tar") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=PACKED[form]) as archive:
        for member, content in members.items():
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def packed(files: Mapping[str, bytes], form: str) -> bytes:
    """The same files as an archive of any form."""
    return zipped(files) if form == "zip" else tarred({tar_member(p): content for p, content in files.items()}, form)


def wheel(
    name: str = "demo-1.0-py3-none-any.whl", *, metadata: str = "", changes: Mapping[str, bytes | None] | None = None
) -> bytes:
    """As a builder makes it. ``changes`` are made behind its back, after its RECORD was written."""
    project, version = name.split("-")[:2]
    info = f"{project}-{version}.dist-info"
    files = {
        f"{project}/__init__.py": b"answer = 42\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n{metadata}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\n",
    }
    rows = [f"{path},sha256={recorded(content)},{len(content)}" for path, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,\n"]).encode()
    for path, content in (changes or {}).items():
        files.pop(path, None)
        if content is not None:
            files[path] = content
    return zipped(files)


def recorded(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def put(store: Store, content: bytes) -> str:
    name = sha256(content)
    if store.missing([name]):
        offset = store.offset(name)
        store.write(name, len(content), offset, io.BytesIO(content[offset:]))
    return name


def staged(store: Store, kind: str, scope: str, name: str, files: Mapping[str, bytes], by: str = "ann") -> Version:
    entries = [Entry(path, put(store, content), len(content)) for path, content in files.items()]
    return store.stage(kind, scope, name, by=by, entries=entries)


def used(store: Store, kind: str, scope: str, name: str, files: Mapping[str, bytes]) -> Version:
    """Staged and active."""
    version = staged(store, kind, scope, name, files)
    store.activate(kind, scope, name, version.version, "ann")
    return version


def archived(store: Store, content: bytes, name: str = "upload.zip") -> Archive:
    return Archive(put(store, content), name)


def tree(folder: Path) -> dict[str, bytes]:
    """Files below a folder, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
