"""A store of an earlier version becomes one of this version, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from holdwater.store import sites
from holdwater.store.counted import TOLD
from holdwater.store.fingerprints import PERSON_KEY, take_out
from holdwater.store.schema import Table

VERSION = 4


def prepare(database: sqlite3.Connection, found: int, path: Path) -> None:
    """What must be over before the transaction of `upgrade`, for no transaction can do it; harmless if done twice."""
    if found < 3:
        take_out(database, path)


def upgrade(database: sqlite3.Connection, found: int, tables: Sequence[Table], others: Sequence[str]) -> None:
    """Bring the tables from version `found` to VERSION; rows are carried over, what they lack is empty."""
    for version in range(found, VERSION):
        _STEPS[version](database, tables, others)


def _from_1(database: sqlite3.Connection, tables: Sequence[Table], others: Sequence[str]) -> None:
    """2 knows stage events, activities, consents, subscriptions, invoices, tombstones and issues, and more of a lead,
    a deal and a customer. Watermarks go, so that the next sync reads those additions of every record."""
    for table in tables:
        _rebuild(database, table)
    for definition in others:
        database.execute(definition)
    database.execute("DELETE FROM sync_state")


def _from_2(database: sqlite3.Connection, tables: Sequence[Table], others: Sequence[str]) -> None:
    """3 knows no address by its plain hash, which is the work of `prepare`; the tables are the same."""


def _from_3(database: sqlite3.Connection, tables: Sequence[Table], others: Sequence[str]) -> None:
    """4 knows what a source itself says it has, where its pages are, and under which key people are known. Nothing was
    told yet."""
    _rebuild(database, TOLD)
    database.execute(PERSON_KEY)
    database.execute(sites.DEFINITION)


def _rebuild(database: sqlite3.Connection, table: Table) -> None:
    """Make the table as it is defined now, with the rows of its former self if there was one."""
    known = [name for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", (table.name,))]
    if known:
        database.execute(f"ALTER TABLE {table.name} RENAME TO former")
    database.execute(table.definition)
    if known:
        columns = ", ".join(known)
        # A new column that must not be empty counts something: none was counted before.
        new = [c for c in table.columns if c.name not in known and c.required]
        names, zeros = "".join(f", {c.name}" for c in new), ", 0" * len(new)
        database.execute(f"INSERT INTO {table.name} ({columns}{names}) SELECT {columns}{zeros} FROM former")  # noqa: S608
        database.execute("DROP TABLE former")


_STEPS: dict[int, Callable[[sqlite3.Connection, Sequence[Table], Sequence[str]], None]] = {
    1: _from_1,
    2: _from_2,
    3: _from_3,
}
