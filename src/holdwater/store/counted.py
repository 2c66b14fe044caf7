"""What a source itself says it has, beside what the store holds of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from holdwater.crm.records import STREAMS
from holdwater.store.schema import CANONICAL, Table, utc_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The records of one stream that were made before a moment, as the source counts them."""

    stream: str
    before: datetime
    told: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Told):
    """Beside it the rows of the store as they are now."""

    kept: int


TOLD = Table.of("told", Told, key="stream")


def note(database: sqlite3.Connection, connection: str, before: datetime, told: Mapping[str, int]) -> list[Counted]:
    """Keep what the source told in the place of what it told last."""
    database.execute(f"DELETE FROM {TOLD.name} WHERE connection = ?", (connection,))  # noqa: S608 -- our own name
    found = [Told(stream=stream, before=before, told=count) for stream, count in told.items()]
    database.executemany(TOLD.insert, TOLD.rows(connection, found))
    return _of(database, connection)


def of_all(database: sqlite3.Connection) -> dict[str, list[Counted]]:
    """By connection; one whose source tells no count is not there."""
    query = f"SELECT DISTINCT connection FROM {TOLD.name} ORDER BY connection"  # noqa: S608 -- our own name
    return {connection: _of(database, connection) for (connection,) in database.execute(query).fetchall()}


def _of(database: sqlite3.Connection, connection: str) -> list[Counted]:
    names = ", ".join(column.name for column in TOLD.columns)
    query = f"SELECT {names} FROM {TOLD.name} WHERE connection = ? ORDER BY stream"  # noqa: S608 -- our own names
    found = []
    for cells in database.execute(query, (connection,)).fetchall():
        values = TOLD.values(cells)
        found.append(Counted(**values, kept=_rows(database, connection, values["stream"], values["before"])))
    return found


def _rows(database: sqlite3.Connection, connection: str, stream: str, before: datetime) -> int:
    table = CANONICAL[STREAMS[stream]].name
    query = f"SELECT count(*) FROM {table} WHERE connection = ? AND created_at < ?"  # noqa: S608 -- our own names
    (count,) = database.execute(query, (connection, utc_text(before))).fetchone()
    return int(count)
