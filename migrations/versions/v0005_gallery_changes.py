"""Which employee each change of the gallery was of, and a token that tells two histories apart."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

state = sa.table(
    "gallery_state", sa.column("revision", sa.BigInteger()), sa.column("token", sa.Text())
)
changes = sa.table(
    "gallery_changes",
    sa.column("revision", sa.BigInteger()),
    sa.column("token", sa.Text()),
    sa.column("employee_key", sa.BigInteger()),
)


def upgrade() -> None:
    op.add_column(
        "gallery_state",
        sa.Column("token", sa.Text(), nullable=False, server_default=sa.text("''")),
    )
    op.create_table(
        "gallery_changes",
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("employee_key", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("revision", name="pk_gallery_changes"),
    )
    # Where the log begins: who built an index at this revision can follow from here.
    connection = op.get_bind()
    token = secrets.token_hex(16)
    connection.execute(sa.update(state).values(token=token))
    present = connection.execute(sa.select(state.c.revision)).scalar_one()
    connection.execute(sa.insert(changes).values(revision=present, token=token, employee_key=None))


def downgrade() -> None:
    op.drop_table("gallery_changes")
    op.drop_column("gallery_state", "token")
