"""What a source itself says it has, beside what the store holds of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from holdwater.crm.records import STREAMS
from holdwater.store.schema import CANONICAL, Table, utc_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The records of one stream that were made before a moment: rows of the store, and the source's own count."""

    stream: str
    before: datetime
    kept: int
    told: int


COUNTED = Table.of("counted", Counted, key="stream")


def note(database: sqlite3.Connection, connection: str, before: datetime, told: Mapping[str, int]) -> list[Counted]:
    """Count the rows that the source was asked about, and keep both numbers in the place of the last ones."""
    found = [
        Counted(stream=stream, before=before, kept=_rows(database, connection, stream, before), told=count)
        for stream, count in told.items()
    ]
    database.execute("DELETE FROM counted WHERE connection = ?", (connection,))
    database.executemany(COUNTED.insert, [COUNTED.row(connection, one) for one in found])
    return found


def of_all(database: sqlite3.Connection) -> dict[str, list[Counted]]:
    """By connection, with the rows as they are now; one whose source tells no count is not there."""
    names = ", ".join(column.name for column in COUNTED.columns)
    found: dict[str, list[Counted]] = {}
    for connection, *cells in database.execute(f"SELECT connection, {names} FROM counted ORDER BY connection, stream"):  # noqa: S608 -- our names
        values = {c.name: c.of_cell(cell) for c, cell in zip(COUNTED.columns, cells, strict=True)}
        one = Counted(**values)
        found.setdefault(connection, []).append(replace(one, kept=_rows(database, connection, one.stream, one.before)))
    return found


def _rows(database: sqlite3.Connection, connection: str, stream: str, before: datetime) -> int:
    table = CANONICAL[STREAMS[stream]].name
    query = f"SELECT count(*) FROM {table} WHERE connection = ? AND created_at < ?"  # noqa: S608 -- our own names
    (count,) = database.execute(query, (connection, utc_text(before))).fetchone()
    return int(count)
