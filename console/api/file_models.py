# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked and answered about uploaded files; the store checks what needs more than a look at one value."""

from __future__ import annotations

from typing import Annotated, Literal

from ansible_collections.scp.dataops.plugins.module_utils.manager.files import checks, model, objects, versions
from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal["plugin", "shared", "library"]
Sha256 = Annotated[str, Field(pattern=f"^{model.SHA256.pattern}$", description="Checksum of a content.")]
# An empty name of a service is for all of them.
Service = Annotated[str, Field(max_length=30, description="Name of the service; empty for all services.")]
UploadName = Annotated[str, Field(pattern=f"^{model.NAME.pattern}$", description="Name of the upload.")]
VersionNumber = Annotated[int, Field(ge=1, le=10**9, description="Number of a version.")]
# Headers of a transfer.
Bytes = Annotated[int, Field(ge=0, le=objects.LARGEST)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Wanted(Body):
    sha256s: list[Sha256] = Field(max_length=checks.ENTRIES_MAX, description="Contents that are to be uploaded.")


class Missing(BaseModel):
    missing: list[Sha256] = Field(description="Those that are not there, or not wholly.")


class File(Body):
    path: str = Field(min_length=1, max_length=model.PATH_MAX, description="Below the folder that services see.")
    sha256: Sha256
    size: Bytes = Field(description="Bytes.")
    executable: bool = False

    def entry(self) -> model.Entry:
        return model.Entry(self.path, self.sha256, self.size, self.executable)


class PackedFiles(Body):
    sha256: Sha256
    name: str = Field(min_length=1, max_length=255, description="File name, for messages.")

    def archive(self) -> model.Archive:
        return model.Archive(self.sha256, self.name)


class UploadKey(Body):
    kind: Kind
    service: Service = ""
    name: UploadName

    def key(self) -> model.Key:
        return model.checked_key(self.kind, self.service, self.name)


class Staging(UploadKey):
    """Files, or an archive of them; their contents are there already."""

    entries: list[File] | None = Field(default=None, min_length=1, max_length=checks.ENTRIES_MAX)
    archive: PackedFiles | None = None

    @model_validator(mode="after")
    def one_of_them(self) -> Staging:
        if (self.entries is None) == (self.archive is None):
            raise ValueError("give either entries or an archive")
        return self


class Chosen(UploadKey):
    """A version of an upload, or with null none of it."""

    version: VersionNumber | None


OneService = Annotated[str, Field(min_length=3, max_length=30, description="Name of the service.")]


class Forgotten(Body):
    service: OneService


class Prospect(Body):
    service: OneService
    replacing: list[Chosen] = Field(
        default=[], max_length=1000, description="Versions to be taken instead of those that are active."
    )


class Generations(BaseModel):
    plugins: str = Field(description="Name of the folder of plugins; empty for none.")
    requirements: str = Field(description="Name of the folder of requirements; empty for none.")


class UploadVersion(BaseModel):
    kind: Kind
    service: Service
    name: UploadName
    version: VersionNumber
    digest: Sha256 = Field(description="Checksum over paths and contents of all files.")
    size: int = Field(description="Bytes of all files.")
    by: str = Field(description="Who uploaded it.")
    when: str = Field(description="When, in UTC.")
    entries: list[File]
    source: str = Field(description="Checksum of the archive that it was unpacked from; empty for none.")

    @classmethod
    def of(cls, version: model.Version) -> UploadVersion:
        return cls(**version.as_dict())


class UploadHistory(BaseModel):
    versions: list[UploadVersion] = Field(description="Newest first.")


class Upload(BaseModel):
    kind: Kind
    service: Service
    name: UploadName
    active: int | None = Field(description="The version that is used; null when it was deleted or never used.")
    newest: int = Field(description="The version that was uploaded last.")
    digest: str = Field(description="Of the active version; of the newest one where none is. So are the next ones.")
    source: str
    size: int = Field(description="Bytes of all files.")
    files: int = Field(description="How many files.")
    by: str = Field(description="Who uploaded it.")
    when: str = Field(description="When, in UTC.")
    decided_by: str = Field(description="Who made this version the active one, or deleted it.")
    decided_when: str

    @classmethod
    def of(cls, upload: versions.Upload) -> Upload:
        return cls(**versions.describe(upload))


class Uploads(BaseModel):
    uploads: list[Upload]
