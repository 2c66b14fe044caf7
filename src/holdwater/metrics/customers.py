"""How long customers stay and what they pay: Ibis expressions over the customers and invoices of the billing."""

from __future__ import annotations

from datetime import datetime

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.metrics.durations import days, month
from holdwater.metrics.tables import CUSTOMERS, INVOICES

MONTH_DAYS = 365.25 / 12
_ROUNDING = 1e-9  # of a period: a renewal is due on its day, also where the division does not come out even


def _begun(as_of: datetime) -> ibis.Table:
    rows = CUSTOMERS.filter(CUSTOMERS.started_at <= as_of)
    # A last day without a time stands at midnight, before a start on the same day.
    return rows.mutate(backwards=(rows.ended_at.date() < rows.started_at.date()).fill_null(False))


def spans(as_of: datetime) -> ibis.Table:
    """The customers that had begun by `as_of`; `ended_at` is null for those still there then."""
    rows = _begun(as_of)
    rows = rows.filter(~rows.backwards)
    ended = ibis.ifelse(rows.ended_at < rows.started_at, rows.started_at, rows.ended_at)
    return rows.select("started_at", ended_at=ibis.ifelse(ended <= as_of, ended, ibis.null("timestamp")))


def backward_customers(as_of: datetime) -> ibis.Table:
    """How many customers are said to have ended on a day before they began: they are in no other figure here."""
    rows = _begun(as_of)
    return rows.aggregate(backward_customers=rows.backwards.sum().fill_null(0))


def customer_months(as_of: datetime) -> ibis.Table:
    """One row a month with any: customers won, customers lost, and those of the lost who were won in that month."""
    rows = spans(as_of)
    began, ended = month(rows.started_at), month(rows.ended_at)
    starts = rows.select(month=began, new=1, lost=0, lost_new=0)
    ends = rows.filter(rows.ended_at.notnull()).select(
        month=ended, new=0, lost=1, lost_new=ibis.ifelse(began == ended, 1, 0)
    )
    both = starts.union(ends)
    return both.group_by("month").aggregate(new=both.new.sum(), lost=both.lost.sum(), lost_new=both.lost_new.sum())


def survival_counts(as_of: datetime, period_days: float = MONTH_DAYS) -> ibis.Table:
    """Customers by month of start, periods `due` by `as_of` and periods `made`: all that a retention curve needs.

    A period is made by a customer who is still there when its day comes; who ends on that day has not made it.
    """
    rows = spans(as_of)
    due = (days(rows.started_at, ibis.literal(as_of)) / period_days + _ROUNDING).floor().cast("int64")
    lived = (days(rows.started_at, rows.ended_at) / period_days - _ROUNDING).ceil().cast("int64") - 1
    rows = rows.select(
        cohort=month(rows.started_at),
        due=due,
        made=ibis.cases((rows.ended_at.isnull() | (lived > due), due), (lived < 0, 0), else_=lived),
    )
    return rows.group_by("cohort", "due", "made").aggregate(customers=rows.count())


def revenue_months(as_of: datetime) -> ibis.Table:
    """By month and currency: what was paid on the invoices issued then, less refunds, and by how many customers."""
    paid = INVOICES.filter(
        INVOICES.status == "paid",
        INVOICES.issued_at <= as_of,
        INVOICES.paid_at.isnull() | (INVOICES.paid_at <= as_of),
        INVOICES.total_minor.notnull(),
    )
    paid = paid.mutate(month=month(paid.issued_at), paid_minor=paid.total_minor - paid.refunded_minor.fill_null(0))
    each = paid.group_by("month", "total_currency", "connection", "customer_id").aggregate(
        revenue=paid.paid_minor.sum(), invoices=paid.count()
    )
    return each.group_by("month", "total_currency").aggregate(
        revenue=each.revenue.sum(), invoices=each.invoices.sum(), customers=each.count()
    )
