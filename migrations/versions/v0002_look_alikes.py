"""Pairs of employees who look alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "look_alikes",
        sa.Column("first_key", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("second_key", BIG_KEY, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("first_key", "second_key", name="pk_look_alikes"),
        sa.ForeignKeyConstraint(
            ["first_key"],
            ["employees.key"],
            name="fk_look_alikes_first_key",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["second_key"],
            ["employees.key"],
            name="fk_look_alikes_second_key",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("first_key < second_key", name=op.f("ck_look_alikes_ordered")),
    )
    op.create_index("ix_look_alikes_second_key", "look_alikes", ["second_key"])


def downgrade() -> None:
    op.drop_index("ix_look_alikes_second_key", table_name="look_alikes")
    op.drop_table("look_alikes")
