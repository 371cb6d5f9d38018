"""Pairs of employees who look alike, as somebody confirmed at an enrollment."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import BindParameter, Connection, Select, bindparam, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from app.registry.database import SQLITE
from app.registry.tables import EmployeeRow, LookAlikeRow

#: Each key is asked for on both sides of a pair; SQLite takes 32,766 parameters a statement.
_KEYS_PER_STATEMENT = 10_000


def insert_look_alikes(connection: Connection, employee_key: int, others: Sequence[int]) -> None:
    """Store each pair once; a pair that is there already is no error."""
    if employee_key in others:
        raise ValueError("nobody is their own look-alike")
    dialect_insert = sqlite.insert if connection.dialect.name == SQLITE else postgresql.insert
    pairs = [
        {"first_key": min(employee_key, other), "second_key": max(employee_key, other)}
        for other in sorted(set(others))
    ]
    connection.execute(dialect_insert(LookAlikeRow).values(pairs).on_conflict_do_nothing())


def read_look_alikes(
    connection: Connection, employee_keys: Sequence[int]
) -> dict[int, frozenset[int]]:
    """Return for each of these employees the keys of who looks alike, which may be nobody."""
    found: dict[int, set[int]] = {key: set() for key in employee_keys}
    for start in range(0, len(employee_keys), _KEYS_PER_STATEMENT):
        some = employee_keys[start : start + _KEYS_PER_STATEMENT]
        for first, second in connection.execute(_pairs_of(), {"keys": some}):
            if first in found:
                found[first].add(second)
            if second in found:
                found[second].add(first)
    return {key: frozenset(others) for key, others in found.items()}


@cache
def _pairs_of() -> Select[int, int]:
    """Return the statement for ``keys``, made once: making it costs a door more than running it."""
    keys: BindParameter[int] = bindparam("keys", expanding=True)
    return select(LookAlikeRow.first_key, LookAlikeRow.second_key).where(
        or_(LookAlikeRow.first_key.in_(keys), LookAlikeRow.second_key.in_(keys))
    )


def read_confirmed_pairs(connection: Connection) -> list[tuple[str, str]]:
    """Return the ids of every two employees confirmed to be two."""
    first, second = aliased(EmployeeRow), aliased(EmployeeRow)
    pairs = connection.execute(
        select(first.employee_id, second.employee_id)
        .select_from(LookAlikeRow)
        .join(first, first.key == LookAlikeRow.first_key)
        .join(second, second.key == LookAlikeRow.second_key)
        .order_by(LookAlikeRow.first_key, LookAlikeRow.second_key)
    )
    return [(one, other) for one, other in pairs]
