"""What a source still has and what it has lost: tombstones, redirected merges, records that could not be taken."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from holdwater.crm.connector import Gone, Issue, Page
from holdwater.crm.records import STREAMS
from holdwater.store.schema import CANONICAL, utc_text

_KEY = "PRIMARY KEY (connection, stream, id)) WITHOUT ROWID"
DEFINITIONS = (
    "CREATE TABLE gone (connection TEXT NOT NULL, stream TEXT NOT NULL, id TEXT NOT NULL, how TEXT NOT NULL, "
    f"merged_into TEXT, seen_at TEXT NOT NULL, {_KEY}",
    "CREATE TABLE issue (connection TEXT NOT NULL, stream TEXT NOT NULL, id TEXT NOT NULL, problem TEXT NOT NULL, "
    f"{_KEY}",
)

_LACKING = (
    "The source has it and the store does not: if it has just been made, the next sync reads it;"
    " if this is told again, sync once with --full."
)
# Who refers to a record of a stream: these follow a merge to the record that lives on.
_REFERRING = {
    "leads": [("deal", "lead_id"), ("customer", "lead_id"), ("activity", "lead_id")],
    "deals": [("activity", "deal_id")],
    "customers": [("subscription", "customer_id"), ("invoice", "customer_id")],
}
# What has no meaning without the record it belongs to goes with it.
_PARTS = {"leads": [("consent", "lead_id")], "deals": [("stage_event", "deal_id")]}


class Presence:
    """The tombstones and issues of one open database; every call runs inside the caller's transaction.

    Table names come from our own schema.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def start(self) -> None:
        """Forget a reading of everything that was cut short."""
        self._database.execute("DROP TABLE IF EXISTS met")

    def note(self, connection: str, page: Page) -> int:
        """Take over what the page says of coming and going; how many records went."""
        delivered = [record.id for record in page.records]
        self._back(connection, page.stream, delivered)
        self._report(connection, page.stream, page.issues)
        went = self._bury(connection, page.stream, page.gone)
        if page.whole:
            self.meet(page.stream, [*delivered, *(issue.id for issue in page.issues)])
            if page.last:
                self._settle(connection, page.stream)
                went += self.bury_missing(connection, page.stream)
        return went

    def meet(self, stream: str, ids: Iterable[str]) -> None:
        """Remember ids that the source has."""
        self._database.execute(
            "CREATE TEMP TABLE IF NOT EXISTS met (stream TEXT, id TEXT, PRIMARY KEY (stream, id)) WITHOUT ROWID"
        )
        self._database.executemany("INSERT OR IGNORE INTO met VALUES (?, ?)", ((stream, id_) for id_ in ids))

    def report_lacking(self, connection: str, stream: str, *, exact: bool) -> int:
        """Make issues of what was met and is not kept, in the place of those of an earlier comparison; how many.

        Unless the ids are exact, one that was merged into another may be listed still.
        """
        table = CANONICAL[STREAMS[stream]].name
        self._database.execute(
            "DELETE FROM issue WHERE (connection, stream, problem) = (?, ?, ?)", (connection, stream, _LACKING)
        )
        return self._database.execute(
            # One that could not be taken has an issue already, which says why.
            "INSERT OR IGNORE INTO issue SELECT :connection, stream, id, :problem FROM met WHERE stream = :stream "  # noqa: S608
            f"AND id NOT IN (SELECT id FROM {table} WHERE connection = :connection) "
            "AND (:exact OR id NOT IN "
            "(SELECT id FROM gone WHERE (connection, stream, how) = (:connection, :stream, 'merged')))",
            {"connection": connection, "stream": stream, "problem": _LACKING, "exact": exact},
        ).rowcount

    def lacking(self, connection: str) -> int:
        """How many records the source was found to have, and the store still has not."""
        query = "SELECT count(*) FROM issue WHERE (connection, problem) = (?, ?)"
        return int(self._database.execute(query, (connection, _LACKING)).fetchone()[0])

    def bury_missing(self, connection: str, stream: str) -> int:
        """What is kept of this stream and was not met is gone; how many that were."""
        table = CANONICAL[STREAMS[stream]].name
        missing = self._database.execute(
            f"SELECT id FROM {table} WHERE connection = ? AND id NOT IN (SELECT id FROM met WHERE stream = ?)",  # noqa: S608
            (connection, stream),
        ).fetchall()
        self._database.execute("DELETE FROM met WHERE stream = ?", (stream,))
        return self._bury(connection, stream, [Gone(id_, "missing") for (id_,) in missing])

    def _back(self, connection: str, stream: str, delivered: Sequence[str]) -> None:
        for table in ("gone", "issue"):
            keys = ((connection, stream, id_) for id_ in delivered)
            if self._database.execute(
                f"SELECT EXISTS (SELECT 1 FROM {table} WHERE connection = ? AND stream = ?)",  # noqa: S608
                (connection, stream),
            ).fetchone()[0]:
                self._database.executemany(f"DELETE FROM {table} WHERE (connection, stream, id) = (?, ?, ?)", keys)  # noqa: S608

    def _report(self, connection: str, stream: str, issues: Sequence[Issue]) -> None:
        self._database.executemany(
            "INSERT OR REPLACE INTO issue VALUES (?, ?, ?, ?)",
            ((connection, stream, issue.id, issue.problem) for issue in issues),
        )

    def _settle(self, connection: str, stream: str) -> None:
        """Issues that a reading of everything has not met again are no more."""
        self._database.execute(
            "DELETE FROM issue WHERE (connection, stream) = (?, ?) AND id NOT IN (SELECT id FROM met WHERE stream = ?)",
            (connection, stream, stream),
        )

    def _index(self, stream: str) -> None:
        """Who refers to a record is found without reading the whole table; where nothing goes, none is needed."""
        for table, column in (*_REFERRING.get(stream, ()), *_PARTS.get(stream, ())):
            self._database.execute(f"CREATE INDEX IF NOT EXISTS {table}_by_{column} ON {table} (connection, {column})")

    def _bury(self, connection: str, stream: str, gone: Sequence[Gone]) -> int:
        went, now = 0, utc_text(datetime.now(UTC))
        if gone:
            self._index(stream)
        for one in gone:
            key = (connection, one.id)
            table = CANONICAL[STREAMS[stream]].name
            went += self._database.execute(f"DELETE FROM {table} WHERE (connection, id) = (?, ?)", key).rowcount  # noqa: S608
            if one.into is not None:
                for referring, column in _REFERRING.get(stream, ()):
                    self._database.execute(
                        f"UPDATE {referring} SET {column} = ? WHERE connection = ? AND {column} = ?",  # noqa: S608
                        (one.into, *key),
                    )
            for part, column in _PARTS.get(stream, ()):
                self._database.execute(f"DELETE FROM {part} WHERE (connection, {column}) = (?, ?)", key)  # noqa: S608
            self._database.execute(
                "INSERT INTO gone VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                # A CRM lists what was merged among the deleted as well.
                "SET how = excluded.how, merged_into = excluded.merged_into "
                "WHERE how <> 'merged' OR excluded.how = 'merged'",
                (connection, stream, one.id, one.how, one.into, now),
            )
            self._database.execute(
                "DELETE FROM issue WHERE (connection, stream, id) = (?, ?, ?)", (connection, stream, one.id)
            )
        return went
