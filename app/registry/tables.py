"""The registry's tables. The schema itself is made by ``migrations/``, never from here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: A constraint without a name cannot be altered by a later migration.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

EMPLOYEE_ID_MAX_LENGTH = 128


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, timezone aware and in UTC on both databases; SQLite keeps no zone by itself."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn into UTC; raises ``ValueError`` for a moment without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back UTC, whatever zone the database session answers in."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: SQLite numbers rows by itself for INTEGER only, not for BIGINT.
BigKey = BigInteger().with_variant(Integer(), "sqlite")

Key = Annotated[int, mapped_column(BigKey, primary_key=True)]
Moment = Annotated[datetime, mapped_column(UtcDateTime)]
RequiredText = Annotated[str, mapped_column(Text)]
RequiredFloat = Annotated[float, mapped_column(Float(53))]


class Base(DeclarativeBase):
    """Holds the metadata that migrations are compared with."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class EmployeeRow(Base):
    """One employee.

    AUTOINCREMENT, here and for photos, because SQLite would otherwise give the key of a deleted
    row to the next one, and an index that lags behind would then name the wrong person.
    """

    __tablename__ = "employees"
    __table_args__ = (
        UniqueConstraint("employee_id"),
        UniqueConstraint("card_number"),
        CheckConstraint(
            f"length(employee_id) BETWEEN 1 AND {EMPLOYEE_ID_MAX_LENGTH}",
            name="employee_id_length",
        ),
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
        {"sqlite_autoincrement": True},
    )

    key: Mapped[Key]
    employee_id: Mapped[RequiredText]
    full_name: Mapped[RequiredText]
    #: ``search_key`` of the name. Searched for parts of it, which no index of the database serves.
    search_name: Mapped[str] = mapped_column(Text, server_default=text("''"))
    card_number: Mapped[str | None] = mapped_column(Text)
    status: Mapped[RequiredText]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class PhotoRow(Base):
    """One enrolled photo: what was measured and embedded, never the picture.

    ``embedding`` is float32, little-endian, ``embedding_dim`` numbers.
    """

    __tablename__ = "photos"
    __table_args__ = (
        UniqueConstraint("photo_id"),
        CheckConstraint("length(embedding) = 4 * embedding_dim", name="embedding_length"),
        Index(None, "employee_key", "model_version"),
        {"sqlite_autoincrement": True},
    )

    key: Mapped[Key]
    photo_id: Mapped[RequiredText]
    employee_key: Mapped[int] = mapped_column(
        BigKey, ForeignKey("employees.key", ondelete="CASCADE")
    )
    size_pixels: Mapped[RequiredFloat]
    sharpness: Mapped[RequiredFloat]
    brightness: Mapped[RequiredFloat]
    yaw_degrees: Mapped[RequiredFloat]
    pitch_degrees: Mapped[RequiredFloat]
    roll_degrees: Mapped[RequiredFloat]
    detector_score: Mapped[RequiredFloat]
    embedding: Mapped[bytes] = mapped_column(LargeBinary)
    embedding_dim: Mapped[int] = mapped_column(Integer)
    model_version: Mapped[RequiredText]
    created_at: Mapped[Moment]


class CentroidRow(Base):
    """The mean direction of an employee's photos of one model version."""

    __tablename__ = "centroids"

    employee_key: Mapped[int] = mapped_column(
        BigKey,
        ForeignKey("employees.key", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    model_version: Mapped[str] = mapped_column(Text, primary_key=True)
    embedding: Mapped[bytes] = mapped_column(LargeBinary)


class LookAlikeRow(Base):
    """Two employees confirmed to be two when the second was enrolled.

    Each pair stands here once, the smaller key first.
    """

    __tablename__ = "look_alikes"
    __table_args__ = (
        CheckConstraint("first_key < second_key", name="ordered"),
        Index(None, "second_key"),
    )

    first_key: Mapped[int] = mapped_column(
        BigKey,
        ForeignKey("employees.key", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    second_key: Mapped[int] = mapped_column(
        BigKey,
        ForeignKey("employees.key", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


class GalleryStateRow(Base):
    """The single row that counts the gallery's changes; the first migration inserts it.

    ``token`` is drawn anew with every change: two databases that went apart, as after a failover
    that lost the last change, may count alike and have other tokens.
    """

    __tablename__ = "gallery_state"
    __table_args__ = (CheckConstraint("key = 1", name="single_row"),)

    key: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)
    token: Mapped[str] = mapped_column(Text, server_default=text("''"))


class GalleryChangeRow(Base):
    """One change of the gallery: whose entry is to be read again; NULL: everybody's.

    No foreign key, for who was deleted must be forgotten as well.
    """

    __tablename__ = "gallery_changes"

    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    token: Mapped[RequiredText]
    employee_key: Mapped[int | None] = mapped_column(BigInteger)


class ProbeRow(Base):
    """What a running process last wrote to find out whether the database can be written to.

    Each process has its own row: none waits for another's, and readiness says nothing of them.
    """

    __tablename__ = "probes"

    instance: Mapped[str] = mapped_column(Text, primary_key=True)
    token: Mapped[RequiredText]
    written_at: Mapped[Moment]
