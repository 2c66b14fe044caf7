"""The people of exports who are known by name or address only: hidden by a key, and by the same key throughout.

Up to version 2 such a lead had the plain SHA-256 of its address for an id; whoever has a list of addresses finds out
from that who is in the store. A keyed hash takes its place, down to the bytes of the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from holdwater.crm.exported_ids import KEYED, is_keyed, key_mark, keyed
from holdwater.crm.persons import SET_KEY, VARIABLE
from holdwater.crm.records import Record
from holdwater.errors import StoreError
from holdwater.store.schema import CANONICAL

PERSON_KEY = "CREATE TABLE person_key (mark TEXT PRIMARY KEY) WITHOUT ROWID"  # one row at most; never the key
_FINGERPRINT = f"connection GLOB 'exports:*' AND {{}} GLOB 'sha256:{'[0-9a-f]' * 32}'"  # of a column
_TABLES = """SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c
    WHERE m.type = 'table' AND c.name = 'connection'"""


def take_out(database: sqlite3.Connection, path: Path) -> None:
    """Every fingerprint becomes a keyed id; StoreError, and everything as it was, where there is no key for that.

    To be called outside a transaction. One that breaks off leaves a store of the version it had, and the next call
    does the rest. StoreError while another program reads the store.
    """
    columns = _id_columns(database)
    database.execute("BEGIN IMMEDIATE")
    try:
        _replace(database, columns, _keyed_ids(database, columns, path))
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


def _keyed_ids(database: sqlite3.Connection, columns: Iterable[tuple[str, str]], path: Path) -> dict[str, str]:
    """What takes the place of each fingerprint; StoreError where there is no key."""
    found: dict[str, str] = {}
    for table, column in columns:
        query = f"SELECT DISTINCT {column} FROM {table} WHERE {_FINGERPRINT.format(column)}"  # noqa: S608 -- names of the store
        for (fingerprint,) in database.execute(query):
            id_ = keyed(fingerprint)
            if id_ is None:
                raise StoreError(
                    f"The store {path} knows people of exports by plain hashes, which keyed ones are to replace, and"
                    f" there is no key: unlock the keyring, or {SET_KEY}; or sync into a new store."
                )
            found[fingerprint] = id_
    return found


def require_same_key(database: sqlite3.Connection, path: Path) -> None:
    """StoreError if people are known under another key: each would be kept a second time, and nobody recognised."""
    of_store = _mark(database)
    mark = key_mark() if of_store else None
    if mark and mark != of_store:  # without a key nobody is recognised, and an export that needs one is refused
        raise StoreError(
            f"The store {path} knows people under another key: set {VARIABLE} to the key of before, or sync into a new"
            " store."
        )


def note_key(database: sqlite3.Connection, records: Iterable[Record]) -> bool:
    """Remember by its mark under which key people are known, if these records know any; whether they do."""
    found = any(getattr(record, "person", None) or is_keyed(record.id) for record in records)
    if found and (mark := key_mark()):
        database.execute("INSERT INTO person_key SELECT ? WHERE NOT EXISTS (SELECT * FROM person_key)", (mark,))
    return found


def _mark(database: sqlite3.Connection) -> str | None:
    for (mark,) in database.execute("SELECT mark FROM person_key"):
        return str(mark)
    for table in CANONICAL.values():  # of a store that was converted
        query = f"SELECT substr(id, 1, instr(id, ':')) FROM {table.name} WHERE id GLOB ? LIMIT 1"  # noqa: S608 -- our names
        for (mark,) in database.execute(query, (KEYED,)):
            return str(mark)
    return None


def _id_columns(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """(table, column) of all that may name a record of a connection."""
    return database.execute(
        f"SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.name IN ({_TABLES}) "  # noqa: S608
        "AND (c.name = 'id' OR c.name GLOB '*_id' OR c.name = 'merged_into')"
    ).fetchall()


def _replace(database: sqlite3.Connection, columns: Iterable[tuple[str, str]], ids: Mapping[str, str]) -> None:
    database.create_function("keyed", 1, ids.get)
    for table, column in columns:
        database.execute(f"UPDATE {table} SET {column} = keyed({column}) WHERE {_FINGERPRINT.format(column)}")  # noqa: S608
    database.create_function("keyed", 1, None)
