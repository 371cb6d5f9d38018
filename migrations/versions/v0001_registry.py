"""The registry: employees, photos, centroids and the gallery's revision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
QUALITY_COLUMNS = (
    "size_pixels",
    "sharpness",
    "brightness",
    "yaw_degrees",
    "pitch_degrees",
    "roll_degrees",
    "detector_score",
)


def upgrade() -> None:
    create_employees()
    create_photos()
    create_centroids()
    create_gallery_state()


def downgrade() -> None:
    op.drop_table("gallery_state")
    op.drop_table("centroids")
    op.drop_index("ix_photos_employee_key_model_version", table_name="photos")
    op.drop_table("photos")
    op.drop_table("employees")


def create_employees() -> None:
    op.create_table(
        "employees",
        sa.Column("key", BIG_KEY, nullable=False),
        sa.Column("employee_id", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("card_number", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_employees"),
        sa.UniqueConstraint("employee_id", name="uq_employees_employee_id"),
        sa.UniqueConstraint("card_number", name="uq_employees_card_number"),
        sa.CheckConstraint(
            "length(employee_id) BETWEEN 1 AND 128", name=op.f("ck_employees_employee_id_length")
        ),
        sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f("ck_employees_status")),
        sqlite_autoincrement=True,
    )


def create_photos() -> None:
    op.create_table(
        "photos",
        sa.Column("key", BIG_KEY, nullable=False),
        sa.Column("photo_id", sa.Text(), nullable=False),
        sa.Column("employee_key", BIG_KEY, nullable=False),
        *(sa.Column(name, sa.Float(53), nullable=False) for name in QUALITY_COLUMNS),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.Column("embedding_dim", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_photos"),
        sa.UniqueConstraint("photo_id", name="uq_photos_photo_id"),
        sa.ForeignKeyConstraint(
            ["employee_key"], ["employees.key"], name="fk_photos_employee_key", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "length(embedding) = 4 * embedding_dim", name=op.f("ck_photos_embedding_length")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_photos_employee_key_model_version", "photos", ["employee_key", "model_version"]
    )


def create_centroids() -> None:
    op.create_table(
        "centroids",
        sa.Column("employee_key", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("employee_key", "model_version", name="pk_centroids"),
        sa.ForeignKeyConstraint(
            ["employee_key"],
            ["employees.key"],
            name="fk_centroids_employee_key",
            ondelete="CASCADE",
        ),
    )


def create_gallery_state() -> None:
    gallery_state = op.create_table(
        "gallery_state",
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_gallery_state"),
        sa.CheckConstraint("key = 1", name=op.f("ck_gallery_state_single_row")),
    )
    op.bulk_insert(gallery_state, [{"key": 1, "revision": 0}])
