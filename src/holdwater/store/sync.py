"""The sync: every page of a connector into the store, one transaction each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from holdwater.crm.connector import Connector, Forgetful, Identities, Issue, Reconcilable
from holdwater.errors import StoreError, UsageError
from holdwater.store.database import Store
from holdwater.store.runs import Run, Status

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
    anyway once the source may have forgotten what went; `rehearse` tells, and keeps nothing.

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
            known = {} if full else store.watermarks(connection)
            for page in connector.pages(_reaching_back(known, since)):
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
            if reconcile or _forgotten(connector, store, known, run):
                for identities in _identities(connector):
                    run = replace(run, rows_gone=run.rows_gone + store.compare(connection, identities))
        except BaseException as error:
            with suppress(StoreError):  # what went wrong first matters more
                store.log(connection, _ended(run, "failed", read, connector, type(error).__name__))
            raise
        run = _ended(run, "done", read, connector)
        store.log(connection, run)
        if told is not None:
            told(store.issues(connection))
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
