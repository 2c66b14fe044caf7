"""The people of exports who are known by name or address only: hidden by a key, and by the same key throughout.

Up to version 2 such a lead had the plain SHA-256 of its address for an id; whoever has a list of addresses finds out
from that who is in the store. A keyed hash takes its place, down to the bytes of the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from holdwater.crm.exported_ids import KEYED, key_mark, keyed
from holdwater.crm.persons import VARIABLE
from holdwater.errors import StoreError
from holdwater.store.schema import CANONICAL

_FINGERPRINT = f"connection GLOB 'exports:*' AND {{}} GLOB 'sha256:{'[0-9a-f]' * 32}'"  # of a column
_TABLES = """SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c
    WHERE m.type = 'table' AND c.name = 'connection'"""


def take_out(database: sqlite3.Connection, path: Path) -> None:
    """Every fingerprint becomes a keyed id. Without a key, the connections that have some lose all their rows, and
    count as never synced: their files are read whole at the next sync, with a key.

    To be called outside a transaction. One that breaks off leaves a store of the version it had, and the next call
    does the rest. StoreError while another program reads the store.
    """
    columns = _id_columns(database)
    database.execute("BEGIN IMMEDIATE")
    try:
        fingerprints = {
            fingerprint: keyed(fingerprint)
            for table, column in columns
            for (fingerprint,) in database.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE {_FINGERPRINT.format(column)}"  # noqa: S608 -- names of the store
            )
        }
        if None in fingerprints.values():
            _forget(database, columns)
        else:
            _replace(database, columns, fingerprints)
        database.execute("COMMIT")
    except BaseException:
        database.rollback()
        raise
    # What a row held before lies about in the file's free room, and in its log, until they are written anew.
    database.execute("VACUUM")
    busy, *_ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreError(
            f"The store {path} is to be upgraded, and another program is reading it: "
            "end every other Holdwater that uses it, then try again."
        )


def require_same_key(database: sqlite3.Connection, connection: str, path: Path) -> None:
    """StoreError if rows are known by ids under another key: a sync would keep each of them a second time."""
    marks = {
        mark
        for table in CANONICAL.values()
        for (mark,) in database.execute(
            f"SELECT DISTINCT substr(id, 1, instr(id, ':')) FROM {table.name} WHERE connection = ? AND id GLOB ?",  # noqa: S608
            (connection, KEYED),
        )
    }
    mark = key_mark() if marks else None
    if mark and marks != {mark}:  # without a key, an export that needs one is refused anyway
        raise StoreError(
            f"The store {path} knows people of {connection} under another key: "
            f"set {VARIABLE} to the key of before, or sync into a new store."
        )


def _id_columns(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """(table, column) of all that may name a record of a connection."""
    return database.execute(
        f"SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.name IN ({_TABLES}) "  # noqa: S608
        "AND (c.name = 'id' OR c.name GLOB '*_id' OR c.name = 'merged_into')"
    ).fetchall()


def _replace(database: sqlite3.Connection, columns: Iterable[tuple[str, str]], ids: Mapping[str, str | None]) -> None:
    database.create_function("keyed", 1, ids.get)
    for table, column in columns:
        database.execute(f"UPDATE {table} SET {column} = keyed({column}) WHERE {_FINGERPRINT.format(column)}")  # noqa: S608
    database.create_function("keyed", 1, None)


def _forget(database: sqlite3.Connection, columns: Iterable[tuple[str, str]]) -> None:
    """With their log of runs too: a source that was synced once and has no rows would pass for one without leads."""
    connections = {
        connection
        for table, column in columns
        for connection in database.execute(
            f"SELECT DISTINCT connection FROM {table} WHERE {_FINGERPRINT.format(column)}"  # noqa: S608
        )
    }
    for (table,) in database.execute(_TABLES).fetchall():
        database.executemany(f"DELETE FROM {table} WHERE connection = ?", connections)  # noqa: S608
