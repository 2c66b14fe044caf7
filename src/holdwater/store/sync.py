"""The sync: every page of a connector into the store, one transaction each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

from holdwater.crm.connector import Connector, Identities, Reconcilable
from holdwater.crm.records import STREAMS
from holdwater.errors import StoreError, UsageError
from holdwater.store.database import Store
from holdwater.store.runs import Run, Status

Progress = Callable[[str, int, int | None], object]
"""Told after each page: the stream, its rows so far, and how many the source announced."""


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
) -> Run:
    """Bring the store up to date with the source: what changed since the last sync, or since `since`, or everything
    if `full`. `reconcile` also asks which ids are there, and buries the others; `rehearse` tells, and keeps nothing.

    Once the source has named its account, the run is logged whatever happens. A run cut short has kept whole pages,
    and the next one resumes from the last watermark. StoreError if another sync is at work on this store.
    """
    connection = connector.connection
    with store.sync_lock(), store.rehearsal() if rehearse else nullcontext():
        run = Run(started_at=datetime.now(UTC))
        store.log(connection, run)
        store.start()
        read: Counter[str] = Counter()
        try:
            for page in connector.pages({} if full else _from(since) or store.watermarks(connection)):
                kept = store.keep(connection, page)
                read[page.stream] += len(page.records)
                run = replace(
                    run,
                    pages=run.pages + 1,
                    rows_written=run.rows_written + kept.written,
                    rows_gone=run.rows_gone + kept.gone,
                    issues=run.issues + len(page.issues),
                )
                if progress is not None:
                    progress(page.stream, read[page.stream], page.expected)
            if reconcile:
                for identities in _identities(connector):
                    run = replace(run, rows_gone=run.rows_gone + store.compare(connection, identities))
        except BaseException as error:
            with suppress(StoreError):  # what went wrong first matters more
                store.log(connection, _ended(run, "failed", read, connector, type(error).__name__))
            raise
        run = _ended(run, "done", read, connector)
        store.log(connection, run)
    return run


def _identities(connector: Connector) -> Iterator[Identities]:
    if not isinstance(connector, Reconcilable):
        raise UsageError("This source cannot list its ids alone: sync it with --full, which compares too.")
    return connector.identities()


def _from(since: datetime | None) -> dict[str, datetime]:
    return dict.fromkeys(STREAMS, since) if since is not None else {}


def _ended(run: Run, status: Status, read: Counter[str], connector: Connector, error: str | None = None) -> Run:
    run = replace(
        run, finished_at=datetime.now(UTC), status=status, streams=dict(read), rows_read=read.total(), error=error
    )
    if isinstance(connector, Counters):
        run = replace(
            run,
            requests=connector.requests,
            retries=connector.retries,
            throttled_seconds=connector.throttled_seconds,
        )
    return run
