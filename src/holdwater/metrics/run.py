"""The metrics of one store, computed on an in-memory DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import duckdb
import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.crm.records import Money
from holdwater.errors import ExportError, HoldwaterError
from holdwater.metrics import funnel
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures
from holdwater.metrics.tables import UNBOUND
from holdwater.store.database import Store

Row = Mapping[str, Any]

_DUCKDB_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "timestamp": "TIMESTAMP", "date": "DATE"}
_CONFIG: dict[str, str | bool | int | float | list[str]] = {  # all in memory: no file, no network, no extension fetched
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "temp_directory": "",
}


def report(store: Store, *, as_of: datetime | None = None) -> Report:
    """All figures of the store as of one moment; by default the latest one that the store knows of.

    Leads created later are left out (and counted), and wins dated later have not happened yet. A win dated after
    everything that the store can know of counts, but as undated. ExportError if spend comes in several currencies.
    """
    if as_of is not None and as_of.tzinfo is None:
        raise HoldwaterError(f"The moment {as_of} has no time zone: give one, such as {as_of}+00:00.")
    with closing(duckdb.connect(":memory:", config=_CONFIG)) as database:
        with store.snapshot():
            _feed(database, store)
            read_until = store.read_until()
        latest = _latest_moment(database, read_until)
        as_of = (as_of or latest).astimezone(UTC)
        until, known_until = _plain(as_of), _plain(max(as_of, latest))

        currency = _currency(database, until)
        (total,) = _query(database, funnel.figures(until, known_until))
        sources = _query(database, funnel.figures(until, known_until, "source", "unsourced"))
        months = _query(database, funnel.figures(until, known_until, "month"))
        (unmatched,) = _query(database, funnel.unmatched_wins(until, known_until))
        (leads,) = _query(database, funnel.lead_dates(until))
        (early,) = _query(database, funnel.early_spend(until))

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
        early_spend=_major(early["early_spend"], currency),
        later_leads=leads["later_leads"],
        latest_lead=leads["latest_lead"],
    )


def _feed(database: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Lists of columns, unnested: the fastest way in without Arrow, 400,000 leads in about two seconds."""
    for name, table in UNBOUND.items():
        columns = {column: _DUCKDB_TYPES[str(kind)] for column, kind in table.schema().items()}
        database.execute(f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})")
        # Text goes in as text: DuckDB reads an ISO moment faster than Python does.
        unnested = ", ".join(
            "unnest(?::BIGINT[])" if kind == "BIGINT" else f"unnest(?::VARCHAR[])::{kind}" for kind in columns.values()
        )
        for rows in store.rows(name, list(columns)):
            database.execute(f"INSERT INTO {name} SELECT {unnested}", list(zip(*rows, strict=True)))


def _query(database: duckdb.DuckDBPyConnection, expression: ibis.Table) -> list[dict[str, Any]]:
    rows = database.execute(str(ibis.to_sql(expression, dialect="duckdb"))).fetchall()
    return [dict(zip(expression.columns, row, strict=True)) for row in rows]


def _latest_moment(database: duckdb.DuckDBPyConnection, read_until: Mapping[str, datetime]) -> datetime:
    """Up to when the store knows: a connection's watermark, or the latest record of one that has none."""
    now = datetime.now(UTC)
    latest = {
        row["connection"]: min(row["moment"].replace(tzinfo=UTC), now)  # a year mistyped is not the future
        for row in _query(database, funnel.latest_moments())
        if row["moment"] is not None
    }
    return max({**latest, **read_until}.values(), default=now)


def _currency(database: duckdb.DuckDBPyConnection, until: datetime) -> str | None:
    currencies = [row["amount_currency"] for row in _query(database, funnel.spend_currencies(until))]
    if len(currencies) > 1:
        raise ExportError(
            f"The spend comes in several currencies ({', '.join(currencies)}): keep the rows of one of them for now."
        )
    return currencies[0] if currencies else None


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
