"""Figures about leads and customers, as Ibis expressions over the canonical tables."""

from __future__ import annotations

TYPE_CHECKING = False  # importing the figures alone must not need Ibis
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import duckdb
    import ibis  # type: ignore[import-untyped] # it ships no types

    from holdwater.metrics.figures import Report
    from holdwater.metrics.landed import Landed
    from holdwater.metrics.words import Words


def run(
    connection: ibis.BaseBackend | duckdb.DuckDBPyConnection,
    *,
    as_of: datetime | None = None,
    landed: Landed | None = None,
    read_until: Mapping[str, datetime] | None = None,
    words: Words | None = None,
) -> Report:
    """All figures from the tables of any database, through Ibis or DuckDB: see holdwater.metrics.reporting.run."""
    from holdwater.metrics.reporting import run

    return run(connection, as_of=as_of, landed=landed, read_until=read_until, words=words)
