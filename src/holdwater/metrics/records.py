"""The single records behind a count of the workbook, by the very expressions that counted them.

`words` are those by which the sources and reasons of that workbook have their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from typing import NamedTuple

import duckdb
import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.metrics import funnel, loss_record
from holdwater.metrics.conventions import UNSAID, Conventions
from holdwater.metrics.customer_figures import Claim
from holdwater.metrics.durations import month as month_of
from holdwater.metrics.engine import IN_MEMORY, Embedded, Engine
from holdwater.metrics.local import Local
from holdwater.metrics.reporting import latest_moment
from holdwater.metrics.tables import CUSTOMERS, DEALS
from holdwater.metrics.wording import Worded, texts
from holdwater.metrics.words import Words
from holdwater.store.database import Store


class RecordOf(NamedTuple):
    connection: str
    stream: str
    id: str
    day: date | None  # of first contact, of winning or losing, of beginning or leaving


Which = Callable[[ibis.Table], ibis.Value]

# What each column counts among the leads of a source, or of a month of first contact.
LEADS: Mapping[str, Which] = {
    "Leads": lambda rows: ibis.literal(True),
    "Customers": lambda rows: rows.customer,
    "Judged leads": lambda rows: rows.judged.fill_null(False),
    "Judged customers": lambda rows: rows.judged.fill_null(False) & rows.customer,
    "Too young": lambda rows: ~rows.judged.fill_null(False),
    "Days to win": lambda rows: rows.days_to_win.notnull(),
    "Days, 9 in 10": lambda rows: rows.days_to_win.notnull(),
}
# What each column of Losses counts by the messages of the deals.
VERDICTS: Mapping[str, str] = {
    "Record supports": "supported", "Record contradicts": "contradicted", "No messages": "no messages",
}  # fmt: skip
# And among the customers of a month.
COMINGS: Mapping[str, Callable[[ibis.Table, date], ibis.Value]] = {
    "New": lambda rows, month: rows.began == month,
    "Lost": lambda rows, month: rows.ended == month,
    "At the start": lambda rows, month: (rows.began < month) & (rows.ended.isnull() | (rows.ended >= month)),
    "Left of these": lambda rows, month: (rows.began < month) & (rows.ended == month),
}


def leads_behind(
    store: Store,
    header: str,
    as_of: datetime,
    *,
    source: str | None = None,
    month: date | None = None,
    conventions: Conventions = UNSAID,
    words: Words | None = None,
) -> list[RecordOf]:
    """Those that the column `header` counts in a month of first contact; without one, of a source (None: no name)."""

    def wanted(until: datetime, known_until: datetime) -> ibis.Table:
        rows = funnel.judged_leads(until, known_until)
        rows = rows.filter(LEADS[header](rows))
        if month is not None:
            rows = rows.filter(rows.month == month)
        else:
            rows = rows.filter(rows.source.isnull() if source is None else rows.source == source)
        return rows.select("connection", "id", day=rows.month)

    return _records(store, "leads", as_of, wanted, conventions, words)


def customers_behind(
    store: Store, header: str, as_of: datetime, month: date, conventions: Conventions = UNSAID
) -> list[RecordOf]:
    """Those who began in the month, or left in it, or were there at its start."""

    def wanted(until: datetime, _: datetime) -> ibis.Table:
        rows = CUSTOMERS.filter(CUSTOMERS.started_at <= until)
        rows = rows.filter(~(rows.ended_at.date() < rows.started_at.date()).fill_null(False))
        ended = ibis.ifelse(rows.ended_at <= until, rows.ended_at, ibis.null("timestamp"))
        ended = ibis.ifelse(ended < rows.started_at, rows.started_at, ended)
        rows = rows.mutate(began=month_of(rows.started_at), ended=month_of(ended))
        rows = rows.filter(COMINGS[header](rows, month))
        day = rows.ended_at if header in ("Lost", "Left of these") else rows.started_at
        return rows.select("connection", "id", day=day.date())

    return _records(store, "customers", as_of, wanted, conventions)


def losses_behind(
    store: Store,
    reason: str | None,
    as_of: datetime,
    conventions: Conventions = UNSAID,
    words: Words | None = None,
) -> list[RecordOf]:
    """The deals that were lost for this reason; None: for none that was recorded."""

    def wanted(until: datetime, _: datetime) -> ibis.Table:
        lost = DEALS.filter(DEALS.status == "lost", DEALS.closed_at.isnull() | (DEALS.closed_at <= until))
        lost = lost.filter(lost.lost_reason.isnull() if reason is None else lost.lost_reason == reason)
        return lost.select("connection", "id", day=lost.closed_at.date())

    return _records(store, "deals", as_of, wanted, conventions, words)


def verdicts_behind(
    store: Store,
    reason: str,
    claim: Claim,
    header: str,
    as_of: datetime,
    conventions: Conventions = UNSAID,
    words: Words | None = None,
) -> list[RecordOf]:
    """The deals lost for this reason of which the messages say what the column counts."""

    def wanted(until: datetime, _: datetime) -> ibis.Table:
        rows = loss_record.loss_verdicts(until, {reason: claim})
        rows = rows.filter(rows.verdict == VERDICTS[header])
        return rows.select("connection", id="deal_id", day=rows.closed_at.date())

    return _records(store, "deals", as_of, wanted, conventions, words)


def _records(
    store: Store,
    stream: str,
    as_of: datetime,
    wanted: Callable[[datetime, datetime], ibis.Table],
    conventions: Conventions,
    words: Words | None = None,
) -> list[RecordOf]:
    with closing(duckdb.connect(":memory:", config=IN_MEMORY)) as database:
        embedded = Embedded(database)
        with store.snapshot():
            embedded.feed(store)
            known_until = max(as_of, latest_moment(embedded, store.read_until()))
        engine: Engine = Worded(embedded, words, texts(embedded)) if words else embedded
        if conventions.clock is not UTC:
            engine = Local(engine, conventions.clock, known_until)
        until, known_until = (moment.astimezone(UTC).replace(tzinfo=None) for moment in (as_of, known_until))
        found = engine.rows(wanted(until, known_until).order_by("connection", "id"))
    return [RecordOf(row["connection"], stream, row["id"], row["day"]) for row in found]
