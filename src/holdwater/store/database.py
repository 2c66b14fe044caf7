"""The store: one SQLite file in WAL mode, written a page at a time by the sync and read by everything else."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from holdwater.crm.connector import Identities, Issue, Page
from holdwater.crm.records import Customer
from holdwater.errors import StoreError
from holdwater.store import counted, sites
from holdwater.store.counted import TOLD, Counted
from holdwater.store.fingerprints import PERSON_KEY, note_key, require_same_key
from holdwater.store.migrations import VERSION, prepare, upgrade
from holdwater.store.presence import DEFINITIONS, Presence
from holdwater.store.runs import Run
from holdwater.store.schema import CANONICAL, Table, utc_text

APPLICATION_ID = 0x484F4C44  # "HOLD": marks the file as ours in SQLite's header
_AT_ONCE = 100  # rows; SQLite takes 32,766 cells
_RUNS = Table.of("sync_run", Run, key="started_at")
_TABLES = (*CANONICAL.values(), _RUNS, TOLD)
_SYNC_STATE = """CREATE TABLE sync_state (
    connection TEXT NOT NULL, stream TEXT NOT NULL, watermark TEXT NOT NULL, PRIMARY KEY (connection, stream)
) WITHOUT ROWID"""


class Kept(NamedTuple):
    """What one page changed: rows new or changed, and rows that went."""

    written: int
    gone: int


class Compared(NamedTuple):
    """What a comparison of ids has found: rows that the source has lost, and records that the store lacks."""

    gone: int
    lacking: int


class Store:
    """An open store; closes itself at the end of a `with` block. Not to be shared between threads.

    A commit survives the death of the process. A power cut may undo the last pages, but only together with their
    watermarks (synchronous=NORMAL under WAL), so the next sync reads them again.
    """

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database
        self._presence = Presence(database)
        self._key_noted = False

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open the store at `path`, or make a new one there that only its user may read.

        StoreError: the file is not a store, is one of a newer Holdwater, or cannot be used; it is left as it is.
        """
        path = Path(path)
        with _failures(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create_private(path)
            database = sqlite3.connect(path, timeout=30, isolation_level=None)
        store = cls(path, database)
        try:
            with _failures(path):
                store._claim()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # Writing

    def start(self) -> None:
        """Begin a sync: a reading of everything that an earlier one broke off says nothing about what is gone."""
        with _failures(self.path), self._transaction():
            self._presence.start()

    def require_same_key(self) -> None:
        """StoreError if people are kept under another key than today's."""
        with _failures(self.path):
            require_same_key(self._database, self.path)

    def keep(self, connection: str, page: Page, *, recognised: bool = True) -> Kept:
        """Take one page over, all or nothing: upsert its records, bury what is gone, move the stream's watermark.

        `recognised`: whether the source was asked who its persons are; if not, what is known of them stays.
        """
        with _failures(self.path), self._transaction():
            self._key_noted = self._key_noted or (recognised and note_key(self._database, page.records))
            before = self._database.total_changes
            for kind in {type(record) for record in page.records}:
                table = CANONICAL[kind]
                records = [record for record in page.records if type(record) is kind]
                # A billing forgets who somebody was that is deleted there: the win stays with the lead.
                lasting = () if recognised and kind is not Customer else ("person",)
                # Row by row, SQLite and the threads that read would wait for each other at every one of them.
                for some in (records[start : start + _AT_ONCE] for start in range(0, len(records), _AT_ONCE)):
                    cells = tuple(chain.from_iterable(table.rows(connection, some)))
                    self._database.execute(table.upsert(len(some), lasting), cells)
            written = self._database.total_changes - before
            gone = self._presence.note(connection, page)
            if page.watermark is not None:
                # Set even if it is earlier: after a source's clock ran ahead, the later one would hide changes.
                state = (connection, page.stream, utc_text(page.watermark))
                self._database.execute("INSERT OR REPLACE INTO sync_state VALUES (?, ?, ?)", state)
        return Kept(written, gone)

    def compare(self, connection: str, identities: Identities) -> Compared:
        """Take note of ids that the source has; at the last of a stream, bury what it has not, and make issues of
        what is not kept."""
        with _failures(self.path), self._transaction():
            self._presence.meet(identities.stream, identities.ids)
            if not identities.last:
                return Compared(0, 0)
            lacking = self._presence.report_lacking(connection, identities.stream, exact=identities.exact)
            return Compared(self._presence.bury_missing(connection, identities.stream), lacking)

    def lacking(self, connection: str) -> int:
        """How many records the last comparison found in the source, and the store still has not."""
        with _failures(self.path):
            return self._presence.lacking(connection)

    def note_counts(self, connection: str, before: datetime, told: Mapping[str, int]) -> list[Counted]:
        """Keep what the source says it has of each stream, made before a moment, beside the rows of the store."""
        with _failures(self.path), self._transaction():
            return counted.note(self._database, connection, before, told)

    def note_site(self, connection: str, address: str) -> None:
        """Keep where people look at the records of a source."""
        with _failures(self.path), self._transaction():
            sites.note(self._database, connection, address)

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """What is written inside is seen inside, and undone at the end."""
        with _failures(self.path):
            self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            self._database.rollback()

    def log(self, connection: str, run: Run) -> None:
        """Write one run into the log, over what it said before."""
        with _failures(self.path), self._transaction():
            (row,) = _RUNS.rows(connection, [run])
            self._database.execute("DELETE FROM sync_run WHERE connection = ? AND started_at = ?", row[:2])
            self._database.execute(_RUNS.insert, row)

    @contextmanager
    def sync_lock(self) -> Iterator[None]:
        """Hold the right to sync; StoreError if another process (or thread) has it. Readers need no lock."""
        with ExitStack() as held:
            try:
                held.enter_context(self._lock(patience=0))
            except _BusyError:
                raise StoreError(
                    f"Another sync is writing to the store {self.path}: let it end, or end it, then sync again."
                ) from None
            yield

    # Reading

    def syncing(self) -> bool:
        """Whether a sync is at work on this store just now."""
        try:
            with self._lock(patience=0):
                return False
        except _BusyError:
            return True

    def watermarks(self, connection: str) -> dict[str, datetime]:
        """Up to when each stream has been read whole."""
        query = "SELECT stream, watermark FROM sync_state WHERE connection = ?"
        with _failures(self.path):
            return {
                stream: datetime.fromisoformat(text) for stream, text in self._database.execute(query, (connection,))
            }

    def read_until(self) -> dict[str, datetime]:
        """The latest watermark of each connection that has one."""
        query = "SELECT connection, max(watermark) FROM sync_state GROUP BY connection"
        with _failures(self.path):
            return {connection: datetime.fromisoformat(text) for connection, text in self._database.execute(query)}

    def connections(self, *, ended: bool = True) -> list[str]:
        """Every source that has been synced to its end at least once, or just tried."""
        which = "WHERE status = 'done' " if ended else ""
        query = f"SELECT DISTINCT connection FROM sync_run {which}ORDER BY connection"  # noqa: S608 -- ours
        with _failures(self.path):
            return [connection for (connection,) in self._database.execute(query)]

    def runs(self, connection: str) -> list[Run]:
        """The log of one connection, newest first."""
        names = ", ".join(column.name for column in _RUNS.columns)
        query = f"SELECT {names} FROM sync_run WHERE connection = ? ORDER BY started_at DESC"  # noqa: S608 -- our names
        with _failures(self.path):
            rows = self._database.execute(query, (connection,)).fetchall()
        return [Run(**_RUNS.values(row)) for row in rows]

    def counts(self) -> dict[str, list[Counted]]:
        """What each source said it had at the end of its last sync; one that tells no count is not there."""
        with _failures(self.path):
            return counted.of_all(self._database)

    def sites(self) -> dict[str, str]:
        """Where people look at the records of each source that has pages for them."""
        with _failures(self.path):
            return sites.of_all(self._database)

    def issues(self, connection: str) -> dict[str, list[Issue]]:
        """The records of each stream that could not be taken, until they can."""
        query = "SELECT stream, id, problem FROM issue WHERE connection = ? ORDER BY stream, id"
        found: dict[str, list[Issue]] = {}
        with _failures(self.path):
            for stream, id_, problem in self._database.execute(query, (connection,)):
                found.setdefault(stream, []).append(Issue(id_, problem))
        return found

    def rows(self, table: str, columns: Sequence[str], *, at_once: int = 20_000) -> Iterator[list[tuple[Any, ...]]]:
        """Some columns of a canonical table as SQLite holds them, in lists of at most `at_once` rows."""
        query = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 -- names of our own schema
        with _failures(self.path):
            cursor = self._database.execute(query)
            while rows := cursor.fetchmany(at_once):
                yield rows

    def checksum(self) -> str:
        """One hash of all canonical rows and tombstones, whatever order they came in.

        Watermarks and the run log are left out: they move with every sync, also when nothing has changed.
        """
        digest = hashlib.sha256()
        with _failures(self.path), self.snapshot():
            for table in CANONICAL.values():
                digest.update(table.name.encode())
                query = f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}"  # noqa: S608 -- our names
                for row in self._database.execute(query):
                    digest.update(repr(row).encode())
            for row in self._database.execute(
                "SELECT connection, stream, id, how, merged_into FROM gone ORDER BY connection, stream, id"
            ):
                digest.update(repr(row).encode())
        return digest.hexdigest()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside comes from one moment, whatever a sync writes meanwhile."""
        with _failures(self.path):
            self._database.execute("BEGIN")
        try:
            yield
        finally:
            self._database.rollback()

    # Inside

    def _claim(self) -> None:
        """Make sure that the file is a store this version can use; build one in an empty file, upgrade an older one."""
        with self.snapshot():  # what the header says must be of one moment: another process may be building it
            found = self._version()
        if found != VERSION:
            with self._lock(patience=30):
                found = self._version()
                if not found:
                    self._pragma("journal_mode", "WAL")
                if found != VERSION:
                    if found:
                        prepare(self._database, found, self.path)
                    with self._transaction():
                        self._build() if not found else upgrade(self._database, found, _TABLES, DEFINITIONS)
                        self._pragma("user_version", VERSION)
        self._pragma("synchronous", "NORMAL")

    def _version(self) -> int:
        """The version of this store; 0 for an empty file. StoreError for anything that cannot be used."""
        try:
            owner, version, changes = (
                self._pragma(name) for name in ("application_id", "user_version", "schema_version")
            )
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
                raise
            owner = version = changes = -1
        # SQLite takes a file of a few bytes for an empty one; no database is shorter than its smallest page.
        if (owner, version, changes) == (0, 0, 0) and not 0 < self.path.stat().st_size < 512:
            return 0
        if owner != APPLICATION_ID:
            raise StoreError(
                f"{self.path} is not a Holdwater store, and it was left as it is: "
                "name another file in HOLDWATER_STORE, or move this one away."
            )
        if version > VERSION:
            raise StoreError(
                f"The store {self.path} was written by a newer Holdwater (store version {version}, this one reads up "
                f"to {VERSION}), and it was left as it is: install the newer Holdwater."
            )
        return int(version)

    def _build(self) -> None:
        for definition in (
            *(table.definition for table in _TABLES),
            *DEFINITIONS,
            _SYNC_STATE,
            PERSON_KEY,
            sites.DEFINITION,
        ):
            self._database.execute(definition)
        self._pragma("application_id", APPLICATION_ID)

    def _pragma(self, name: str, value: str | int | None = None) -> Any:
        cursor = self._database.execute(f"PRAGMA {name}" if value is None else f"PRAGMA {name} = {value}")
        row = cursor.fetchone()
        return row and row[0]

    @contextmanager
    def _lock(self, patience: float) -> Iterator[None]:
        """An open transaction on a file beside the store: the operating system ends it with the process,
        however that dies, so no lock is ever stale. _BusyError after so many seconds."""
        path = self.path.with_name(self.path.name + "-lock")
        with _failures(path):
            _create_private(path)
            guard = sqlite3.connect(path, timeout=patience, isolation_level=None)
        with closing(guard):
            with _failures(path):
                guard.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._database.in_transaction:  # a rehearsal holds one already, and will undo it
            yield
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            self._database.rollback()
            raise


class _BusyError(StoreError):
    """The file is locked by another connection."""


@contextmanager
def _failures(path: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system say into a sentence."""
    try:
        yield
    except (sqlite3.Error, OSError, OverflowError, UnicodeEncodeError) as error:
        busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
        reason = error.strerror if isinstance(error, OSError) else error
        raise (_BusyError if busy else StoreError)(
            f"The store {path} cannot be used ({reason}): nothing was half written; "
            "check the disk and the permissions of the file, then try again."
        ) from error


def _create_private(path: Path) -> None:
    """Make an empty file that only its user may read; one that exists is not even opened.

    (On POSIX, closing a file drops every lock this process holds on it, SQLite's too.)
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
