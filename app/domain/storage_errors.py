"""What keeps the service from storing: kinds of ``RegistryUnavailableError``, and of full disks."""

from __future__ import annotations

from typing import ClassVar

from app.domain.errors import FacegateError, RegistryUnavailableError


class RegistryFullError(RegistryUnavailableError):
    """There is no room on the database's disk."""

    code = "registry_full"
    retry_after_seconds: ClassVar[int | None] = 60


class RegistryReadOnlyError(RegistryUnavailableError):
    """The database cannot be written to: by its file's permissions, its mount or its role."""

    code = "registry_read_only"
    retry_after_seconds: ClassVar[int | None] = None


class RegistryInputOutputError(RegistryUnavailableError):
    """The database's disk fails."""

    code = "registry_io_error"
    retry_after_seconds: ClassVar[int | None] = 30


class RegistryDamagedError(RegistryUnavailableError):
    """The database's file is damaged, or is no database."""

    code = "registry_damaged"
    retry_after_seconds: ClassVar[int | None] = None


class RegistrySchemaError(RegistryUnavailableError):
    """The database is not one that this version of the service can work with."""

    code = "registry_schema"
    retry_after_seconds: ClassVar[int | None] = None


class TemporaryStorageError(FacegateError):
    """There is no room, or no folder, to hold an upload while it is read."""

    code = "temporary_storage"
    retry_after_seconds: ClassVar[int | None] = 60
