"""The sync: every page of a connector into the store, one transaction each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from holdwater.crm.connector import (
    Browsable,
    Connector,
    Countable,
    Forgetful,
    Identities,
    Issue,
    Recognising,
    Reconcilable,
)
from holdwater.errors import SetupError, SourceError, StoreError, UsageError
from holdwater.store.database import Store
from holdwater.store.runs import Run, Status

_SETTLED = timedelta(hours=1)  # what is younger than that, a source may not count yet
Progress = Callable[[str, int, int | None], object]
"""Told after each page: the stream, its rows so far, and how many the source announced."""
Told = Callable[[Mapping[str, Sequence[Issue]]], object]
"""Told at the end which records of each stream cannot be taken, also where nothing is kept."""


@runtime_checkable
class Counters(Protocol):
    """A connector that talks over a network also says what that took; one that reads files need not."""

    @property
    def requests(self) -> int: ...
    @property
    def retries(self) -> int: ...
    @property
    def throttled_seconds(self) -> float: ...


def sync(
    connector: Connector,
    store: Store,
    *,
    full: bool = False,
    since: datetime | None = None,
    reconcile: bool = False,
    rehearse: bool = False,
    progress: Progress | None = None,
    told: Told | None = None,
) -> Run:
    """Bring the store up to date with the source: what changed since the last sync, or since `since` if that is
    earlier, or everything if `full`. `reconcile` also asks which ids are there, and buries the others, which is done
    anyway once the source may have forgotten what went; ids that the store lacks are told among the issues. `rehearse`
    tells, and keeps nothing.

    Once the source has named its account, the run is logged whatever happens. A run cut short has kept whole pages,
    and the next one resumes from the last watermark. StoreError if another sync is at work on this store.
    """
    syncing = _Syncing(connector, store, progress)
    with store.sync_lock(), store.rehearsal() if rehearse else nullcontext():
        store.log(syncing.connection, syncing.run)
        store.start()
        try:
            store.require_same_key()
            if isinstance(connector, Browsable):
                store.note_site(syncing.connection, connector.site)
            known = {} if full else store.watermarks(syncing.connection)
            syncing.take(_reaching_back(known, since))
            if reconcile or _forgotten(connector, store, known, syncing.run):
                syncing.compare()
            if not rehearse:
                syncing.count()
        except BaseException as error:
            with suppress(StoreError):  # what went wrong first matters more
                store.log(syncing.connection, syncing.ended("failed", type(error).__name__))
            raise
        run = syncing.ended("done")
        store.log(syncing.connection, run)
        if told is not None:
            told(store.issues(syncing.connection))
    return run


class _Syncing:
    """One run at work, and what it has done so far."""

    def __init__(self, connector: Connector, store: Store, progress: Progress | None) -> None:
        self.connection = connector.connection
        self.run = Run(started_at=datetime.now(UTC))
        self._connector, self._store, self._progress = connector, store, progress
        self._read: Counter[str] = Counter()
        self._lacking = 0  # records that the source has and the store has not

    def take(self, watermarks: Mapping[str, datetime]) -> None:
        """Keep every page of what changed since then."""
        recognised = not isinstance(self._connector, Recognising) or self._connector.recognises
        for page in self._connector.pages(watermarks):
            kept = self._store.keep(self.connection, page, recognised=recognised)
            self._read[page.stream] += len(page.records)
            self.run = replace(
                self.run,
                pages=self.run.pages + 1,
                rows_written=self.run.rows_written + kept.written,
                rows_gone=self.run.rows_gone + kept.gone,
                issues=self.run.issues + len(page.issues),
            )
            if self._progress is not None:
                self._progress(page.stream, self._read[page.stream], page.expected)

    def compare(self) -> None:
        """Find what the source has lost, and what the store lacks."""
        lacking = 0
        for identities in _identities(self._connector):
            compared = self._store.compare(self.connection, identities)
            lacking += compared.lacking
            self.run = replace(self.run, rows_gone=self.run.rows_gone + compared.gone)
        if lacking:  # what has come since the pages were read is no loss
            self.take(self._store.watermarks(self.connection))
        self._lacking = self._store.lacking(self.connection)

    def count(self) -> None:
        """Ask the source how many records it has, and keep that beside the rows of the store.

        Where the two differ for no known reason, what came and went since the pages were read is read first, and the
        question asked again.
        """
        known = self._store.watermarks(self.connection)
        before = min(known.values(), default=self.run.started_at).replace(microsecond=0) - _SETTLED
        told: Mapping[str, int] = {}
        if known and isinstance(self._connector, Countable):
            with suppress(SourceError, SetupError):  # then it is not told: all that was to be read has been
                counts = self._connector.counts(before)
                found = self._store.note_counts(self.connection, before, counts)
                known_to_miss = self._store.issues(self.connection)
                if any(one.kept != one.told and one.stream not in known_to_miss for one in found):
                    self.take(known)
                    if isinstance(self._connector, Forgetful) and not self._connector.remembers:
                        self.compare()  # nothing else tells what went
                    counts = self._connector.counts(before)
                told = counts
        self._store.note_counts(self.connection, before, told)

    def ended(self, status: Status, error: str | None = None) -> Run:
        run = replace(
            self.run,
            finished_at=datetime.now(UTC),
            status=status,
            streams=dict(self._read),
            rows_read=self._read.total(),
            issues=self.run.issues + self._lacking,
            error=error,
        )
        if isinstance(self._connector, Counters):
            run = replace(
                run,
                requests=self._connector.requests,
                retries=self._connector.retries,
                throttled_seconds=self._connector.throttled_seconds,
            )
        return run


def _identities(connector: Connector) -> Iterator[Identities]:
    if not isinstance(connector, Reconcilable):
        raise UsageError("This source cannot list its ids alone: sync it with --full, which compares too.")
    return connector.identities()


def _reaching_back(watermarks: Mapping[str, datetime], since: datetime | None) -> dict[str, datetime]:
    """Watermarks of which none is later than `since`.

    They move together, for a stream that is behind the others has not been read to its end; and one without a
    watermark has not been read at all.
    """
    latest = max(watermarks.values(), default=None)
    back = timedelta(0) if latest is None or since is None else max(timedelta(0), latest - since)
    return {stream: watermark - back for stream, watermark in watermarks.items()}


def _forgotten(connector: Connector, store: Store, known: Mapping[str, datetime], run: Run) -> bool:
    """Whether something may have gone of which the source tells no more, since the watermarks `known` before the run.

    Those are in the source's time. A run that broke off before the comparison has moved them all the same; so the last
    one that came to its end counts too, in ours.
    """
    if not known or not isinstance(connector, Forgetful):
        return False
    reached = store.watermarks(connector.connection)
    ended = next((one.started_at for one in store.runs(connector.connection) if one.status == "done"), None)
    pauses = max(reached.values()) - min(known.values()), run.started_at - ended if ended else timedelta.max
    return max(pauses) >= connector.remembers
