"""All figures of one store or database, as of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import duckdb
import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.crm.records import Money
from holdwater.errors import HoldwaterError
from holdwater.metrics import funnel
from holdwater.metrics.conventions import UNSAID, Conventions
from holdwater.metrics.converted import Converted, spend_currency
from holdwater.metrics.customer_report import customer_figures
from holdwater.metrics.engine import IN_MEMORY, Backend, Bound, Embedded, Engine, Row
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures
from holdwater.metrics.landed import Landed
from holdwater.metrics.local import Local
from holdwater.metrics.wording import Texts, Worded, texts
from holdwater.metrics.words import Words
from holdwater.store.database import Store


def report(
    store: Store,
    *,
    as_of: datetime | None = None,
    words: Words | None = None,
    conventions: Conventions = UNSAID,
) -> Report:
    """All figures of the store as of one moment; by default the latest one that the store knows of.

    Leads created later are left out (and counted), and wins dated later have not happened yet. A win dated after
    everything that the store can know of counts, but as undated. `words` names sources and lost reasons,
    `conventions` the clock, week and currency of the books.
    ExportError if spend comes in a currency without a rate.
    """
    with closing(duckdb.connect(":memory:", config=IN_MEMORY)) as database:
        engine = Embedded(database)
        with store.snapshot():
            engine.feed(store)
            read_until = store.read_until()
        return _report(engine, as_of, read_until, words, conventions)


def texts_of(store: Store) -> Texts:
    """What the CRMs of the store call their sources and lost reasons."""
    with closing(duckdb.connect(":memory:", config=IN_MEMORY)) as database:
        engine = Embedded(database)
        with store.snapshot():
            engine.feed(store)
        return texts(engine)


def run(
    connection: ibis.BaseBackend | duckdb.DuckDBPyConnection,
    *,
    as_of: datetime | None = None,
    landed: Landed | None = None,
    read_until: Mapping[str, datetime] | None = None,
    words: Words | None = None,
    conventions: Conventions = UNSAID,
) -> Report:
    """The same from the canonical tables of any database: an Ibis connection, or DuckDB's own.

    `landed` says what the tables and columns are called there, `read_until` up to when each connection was loaded;
    without it the latest record of a connection is taken for that.
    """
    database = Embedded(connection) if isinstance(connection, duckdb.DuckDBPyConnection) else Backend(connection)
    engine = Bound(database, (landed or Landed()).tables(database))
    return _report(engine, as_of, read_until or {}, words, conventions)


def _report(
    engine: Engine,
    as_of: datetime | None,
    read_until: Mapping[str, datetime],
    words: Words | None,
    conventions: Conventions,
) -> Report:
    if as_of is not None and as_of.tzinfo is None:
        raise HoldwaterError(f"The moment {as_of} has no time zone: give one, such as {as_of}+00:00.")
    unnamed = 0
    if words:
        found = texts(engine)
        unnamed = len(found.unnamed(words))
        engine = Worded(engine, words, found)
    latest = latest_moment(engine, read_until)
    as_of = (as_of or latest).astimezone(UTC)
    until, known_until = _plain(as_of), _plain(max(as_of, latest))

    if conventions.clock is not UTC:
        engine = Local(engine, conventions.clock, max(as_of, latest))
    currency = spend_currency(engine, until, conventions)
    if conventions.currency is not None:
        engine = Converted(engine, conventions.currency, conventions.rates)
    (total,) = engine.rows(funnel.figures(until, known_until))
    sources = engine.rows(funnel.figures(until, known_until, "source", "unsourced"))
    months = engine.rows(funnel.figures(until, known_until, "month"))
    (unmatched,) = engine.rows(funnel.unmatched_wins(until, known_until))
    (unmet,) = engine.rows(funnel.unmet_payers(until, known_until))
    (leads,) = engine.rows(funnel.lead_dates(until))
    (early,) = engine.rows(funnel.early_spend(until))

    # Unsourced spend has neither a lead nor a name, so it comes last.
    sources.sort(key=lambda row: (-row["leads"], row["source"] is None, row["source"] or ""))
    months.sort(key=lambda row: row["month"])
    return Report(
        as_of=as_of,
        judged_after_days=total["days_to_win_p90"],
        currency=currency,
        total=Figures(**_counts(total, currency)),
        sources=tuple(
            SourceFigures(source=row["source"], unsourced=row["unsourced"], **_counts(row, currency)) for row in sources
        ),
        months=tuple(MonthFigures(month=row["month"], **_counts(row, currency)) for row in months),
        undated_wins=total["customers"] - total["dated_wins"],
        unmatched_wins=unmatched["unmatched_wins"],
        unmet_payers=unmet["unmet_payers"],
        early_spend=_major(early["early_spend"], currency),
        later_leads=leads["later_leads"],
        latest_lead=leads["latest_lead"],
        **customer_figures(engine, until, known_until, total["leads"], words or Words(), conventions),
        conventions=conventions,
        unnamed=unnamed,
    )


def latest_moment(engine: Engine, read_until: Mapping[str, datetime]) -> datetime:
    """Up to when the store knows: a connection's watermark, or the latest record of one that has none."""
    now = datetime.now(UTC)
    latest = {
        row["connection"]: min(row["moment"].replace(tzinfo=UTC), now)  # a year mistyped is not the future
        for row in engine.rows(funnel.latest_moments())
        if row["moment"] is not None
    }
    return max({**latest, **read_until}.values(), default=now)


def _counts(row: Row, currency: str | None) -> dict[str, Any]:
    """The fields of `Figures` from one row of `funnel.figures`."""
    spend = _major(row["spend"], currency)
    same = ("leads", "customers", "judged_leads", "judged_customers", "days_to_win_median", "days_to_win_p90")
    return {name: row[name] for name in same} | {"open_leads": row["leads"] - row["judged_leads"], "spend": spend}


def _major(minor: int | None, currency: str | None) -> float | None:
    return None if minor is None or currency is None else float(Money(minor, currency, "").amount)


def _plain(moment: datetime) -> datetime:
    """UTC without a zone, as the TIMESTAMP columns are."""
    return moment.astimezone(UTC).replace(tzinfo=None)
