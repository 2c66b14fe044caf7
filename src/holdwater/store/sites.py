"""Where people look at a source's records, so that a figure can lead to them."""

from __future__ import annotations

import sqlite3

DEFINITION = "CREATE TABLE site (connection TEXT PRIMARY KEY, address TEXT NOT NULL) WITHOUT ROWID"


def note(database: sqlite3.Connection, connection: str, address: str) -> None:
    database.execute("INSERT OR REPLACE INTO site VALUES (?, ?)", (connection, address))


def of_all(database: sqlite3.Connection) -> dict[str, str]:
    return dict(database.execute("SELECT connection, address FROM site"))
