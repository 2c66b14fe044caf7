"""Sufficient statistics: what the fitted models need to know of millions of rows, in some thousands.

Ibis expressions; a fit from their counts is the same as one from the raw rows. Times are whole days.
"""

from __future__ import annotations

from datetime import date, datetime

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.metrics.customers import survival_counts
from holdwater.metrics.durations import days
from holdwater.metrics.funnel import leads_until, won_moments
from holdwater.metrics.tables import DEALS, INVOICES

__all__ = ["lead_ages", "paid_invoices", "purchase_days", "purchase_histories", "spend_groups", "survival_counts"]


def paid_invoices(as_of: datetime) -> ibis.Table:
    """The paid invoices as purchases: customer, day and amount_minor, less what was paid back."""
    paid = INVOICES.filter(INVOICES.status == "paid", INVOICES.total_minor.notnull())
    at = paid.paid_at.fill_null(paid.issued_at)
    paid = paid.filter(at <= as_of)
    return paid.select(
        customer=paid.connection + " " + paid.customer_id,
        day=paid.paid_at.fill_null(paid.issued_at).date(),
        amount_minor=paid.total_minor - paid.refunded_minor.fill_null(0),
    )


def purchase_days(purchases: ibis.Table, as_of: date) -> ibis.Table:
    """The days up to `as_of` on which a customer bought, and for how much, from rows of customer, day, amount_minor.

    Several purchases on a day are one. A refund, a negative amount, takes from that day, and what is more than that
    day's from the day before; a day left with nothing was no purchase. So, counted from the last day back, what stays
    of a day is by how much it raises the highest sum so far.
    """
    rows = purchases.filter(purchases.day <= as_of)
    refunded = rows.filter(rows.amount_minor < 0)
    refunded = refunded.group_by("customer").aggregate(refunds=refunded.count()).select("customer")
    # Hardly anybody has a refund, and only they need to be put in order.
    simple = _by_day(rows.anti_join(refunded, "customer"))
    settled = _by_day(rows.semi_join(refunded, "customer"))
    last_first = {"group_by": "customer", "order_by": ibis.desc("day")}
    settled = settled.mutate(back=settled.amount_minor.sum().over(ibis.cumulative_window(**last_first)))
    highest = settled.back.max().over(ibis.cumulative_window(**last_first))
    settled = settled.mutate(highest=ibis.greatest(highest, 0))
    before = settled.highest.lag().over(ibis.window(**last_first)).fill_null(0)
    settled = settled.select("customer", "day", amount_minor=settled.highest - before)
    both = simple.union(settled)
    return both.filter(both.amount_minor > 0)


def _by_day(rows: ibis.Table) -> ibis.Table:
    return rows.group_by("customer", "day").aggregate(amount_minor=rows.amount_minor.sum().cast("int64"))


def _customers(purchases: ibis.Table, as_of: date) -> ibis.Table:
    """One row a customer: repeat purchase days, days from first to last and to `as_of`, spent on the repeat days."""
    rows = purchase_days(purchases, as_of)
    rows = rows.group_by("customer").aggregate(
        frequency=rows.count() - 1,
        first=rows.day.min(),
        last=rows.day.max(),
        repeat_spend=(rows.amount_minor.sum() - rows.amount_minor.argmin(rows.day)).cast("int64"),
    )
    return rows.select(
        "frequency",
        "repeat_spend",
        recency=_whole_days(rows.first, rows.last),
        age=_whole_days(rows.first, ibis.literal(as_of)),
    )


def _whole_days(first: ibis.Value, last: ibis.Value) -> ibis.Value:
    return last.delta(first, unit="day").cast("int64")


def purchase_histories(purchases: ibis.Table, as_of: date, *, step: int = 1) -> ibis.Table:
    """How many customers have each frequency, recency and age: all that BG/NBD needs, and what they spent on repeats.

    With a `step` of more than a day times are taken to the middle of so many days: far fewer rows, nearly the same fit.
    """
    rows = _customers(purchases, as_of)
    if step > 1:
        middle = (step - 1) / 2
        recency, age = (time - time % step for time in (rows.recency, rows.age))
        rows = rows.mutate(
            recency=ibis.ifelse(rows.frequency > 0, recency + middle, 0.0),
            age=ibis.greatest(age, recency) + middle,
        )
    return rows.group_by("frequency", "recency", "age").aggregate(
        customers=rows.count(), repeat_spend=rows.repeat_spend.sum().cast("int64")
    )


def spend_groups(purchases: ibis.Table, as_of: date, *, width: float = 0.0) -> ibis.Table:
    """How many customers have each frequency and mean `spend` of a repeat purchase (in minor units): for Gamma-Gamma.

    Amounts differ, so there are nearly as many groups as customers. A `width` such as 0.01 puts means that differ by
    less than 1 % into one group at their average: some thousands, and nearly the same fit.
    """
    rows = _customers(purchases, as_of)
    rows = rows.filter(rows.frequency > 0)
    rows = rows.mutate(spend=rows.repeat_spend / rows.frequency)
    if not width:
        return rows.group_by("frequency", "spend").aggregate(customers=rows.count())
    rows = rows.mutate(cell=(rows.spend.ln() / width).floor().cast("int64"))
    return rows.group_by("frequency", "cell").aggregate(customers=rows.count(), spend=rows.spend.mean())


def lead_ages(as_of: datetime, known_until: datetime) -> ibis.Table:
    """How many leads are won, lost and open by `days`: from first contact to the win or the loss, or to `as_of`.

    A lead is lost on the day of its last loss if all its deals are lost. A win or loss without a usable date tells
    nothing of time: such leads are left out, and counted in the row whose days are null.
    """
    leads = leads_until(as_of).select("connection", "id", "created_at")
    won = won_moments(as_of, known_until)
    deals = DEALS.filter(DEALS.lead_id.notnull(), DEALS.created_at.isnull() | (DEALS.created_at <= as_of))
    over = (deals.status == "lost") & ~(deals.closed_at > as_of).fill_null(False)
    deals = deals.group_by("connection", "lead_id").aggregate(
        going=(~over).sum(), lost_at=deals.closed_at.max(), undated=deals.closed_at.isnull().sum()
    )
    lost = deals.filter(deals.going == 0)
    lost = lost.select(
        lost_in="connection",
        lost_lead="lead_id",
        lost_at=ibis.ifelse(lost.undated == 0, lost.lost_at, ibis.null("timestamp")),
    )
    rows = leads.left_join(won, ["connection", ("id", "lead_id")])
    rows = rows.select("connection", "id", "created_at", "won_at", is_won=rows.lead_id.notnull())
    rows = rows.filter(rows.created_at.notnull())
    rows = rows.left_join(lost, [("connection", "lost_in"), ("id", "lost_lead")])
    rows = rows.select(
        "created_at",
        status=ibis.cases((rows.is_won, "won"), (rows.lost_lead.notnull(), "lost"), else_="open"),
        ended_at=ibis.cases(
            (rows.is_won, rows.won_at), (rows.lost_lead.notnull(), rows.lost_at), else_=ibis.literal(as_of)
        ),
    )
    passed = days(rows.created_at, rows.ended_at)
    # A date without a time stands at midnight, before a first contact of the same day.
    rows = rows.select("status", days=ibis.cases((passed >= 0, passed.floor().cast("int64")), (passed > -1, 0)))
    return rows.group_by("days", "status").aggregate(leads=rows.count())
