"""The report that a refresh writes, from the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from holdwater.errors import SetupError
from holdwater.metrics.conventions import UNSAID, Conventions
from holdwater.metrics.figures import Report, SourceCount
from holdwater.metrics.reporting import report
from holdwater.metrics.words import Words
from holdwater.store.database import Store


@contextmanager
def synced_store(path: Path) -> Iterator[Store]:
    """The open store at `path`; SetupError where nothing has been synced."""
    if not path.exists():
        raise SetupError(
            f"There is no store at {path}: run holdwater sync first, or give exports with --from and --mapping."
        )
    with Store.open(path) as store:
        if not store.connections():
            raise SetupError(f"Nothing has been synced into {path} yet: run holdwater sync first.")
        yield store


def store_report(
    path: Path,
    *,
    as_of: datetime | None = None,
    words: Words | None = None,
    conventions: Conventions = UNSAID,
) -> tuple[Report, str]:
    """The report as of a moment and the connections it comes from; SetupError where nothing has been synced.

    `words` are those of the file beside the store if none are given.
    """
    with synced_store(path) as store:
        figures = report(store, as_of=as_of, words=words or Words.beside(path), conventions=conventions)
        return with_own_counts(figures, store), ", ".join(store.connections())


def with_own_counts(figures: Report, store: Store) -> Report:
    """With what each source says it has; the sheet Checks holds that against the store."""
    told = store.counts()
    return replace(
        figures,
        counted=tuple(
            SourceCount(connection=connection)
            if one is None
            else SourceCount(connection=connection, stream=one.stream, before=one.before, told=one.told, kept=one.kept)
            for connection in store.connections()
            for one in told.get(connection, [None])
        ),
    )
