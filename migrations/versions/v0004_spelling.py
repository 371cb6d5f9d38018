"""One spelling of ids and names, and the column that names are searched by."""

from __future__ import annotations

import logging
import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

logger = logging.getLogger(__name__)

ID_LENGTH = 128
#: As app.domain.spelling had it when this was written; a migration does not change with the code.
SPACES = re.compile(r"[^\S\x00-\x1f\x7f-\x9f\u2028\u2029]+")
HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

employees = sa.table(
    "employees",
    sa.column("key", sa.BigInteger()),
    sa.column("employee_id", sa.Text()),
    sa.column("full_name", sa.Text()),
    sa.column("search_name", sa.Text()),
)


def upgrade() -> None:
    # Added in place: a rebuilt table would lose which keys SQLite has given out.
    op.add_column(
        "employees",
        sa.Column("search_name", sa.Text(), nullable=False, server_default=sa.text("''")),
    )
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(employees.c.key, employees.c.employee_id, employees.c.full_name).order_by(
            employees.c.key
        )
    ).all()
    taken = {row.employee_id for row in rows if is_final(row.employee_id)}
    renamed = 0
    for key, employee_id, full_name in rows:
        changes = {"full_name": canonical(full_name), "search_name": search_key(full_name)}
        if not is_final(employee_id):
            changes["employee_id"] = free_id(canonical(employee_id), key, taken)
            taken.add(changes["employee_id"])
            renamed += changes["employee_id"] != canonical(employee_id)
        connection.execute(sa.update(employees).where(employees.c.key == key).values(changes))
    if renamed:
        # Without the ids: they are personal data.
        logger.warning(
            "%d employee ids could not keep their spelling and end in ~ and a number now", renamed
        )


def downgrade() -> None:
    op.drop_column("employees", "search_name")


def is_final(employee_id: str) -> bool:
    return employee_id == canonical(employee_id) and employee_id not in {"", ".", ".."}


def free_id(wanted: str, key: int, taken: set[str]) -> str:
    """Return ``wanted``, or a new id where another has it, it is too long or no URL names it."""
    if wanted not in taken and is_final(wanted) and len(wanted) <= ID_LENGTH:
        return wanted
    suffix = f"~{key}"
    found = wanted[: ID_LENGTH - len(suffix)] + suffix
    while found in taken:
        suffix += "~"
        found = wanted[: ID_LENGTH - len(suffix)] + suffix
    return found


def canonical(text: str) -> str:
    return unicodedata.normalize("NFC", SPACES.sub(" ", text).strip())


def search_key(name: str) -> str:
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(
        letter
        for letter in text
        if not unicodedata.combining(letter)
        and unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and not HIDDEN.match(letter)
    )
    return canonical(plain)
