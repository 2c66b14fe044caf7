"""From first contact to customer: Ibis expressions over the canonical tables, free of any database.

Moments are UTC without a zone, as SQL's TIMESTAMP has them. The same person in two CRMs is two leads, each with the
deals of its own CRM. A customer whose own connection knows no lead, as in a billing, was the lead of the same person in
any other (see holdwater.metrics.payers); a customer was one lead at most.
"""

from __future__ import annotations

from datetime import datetime

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.metrics.durations import days as days_between
from holdwater.metrics.durations import month as month_of
from holdwater.metrics.payers import payers, payers_leads
from holdwater.metrics.tables import ACTIVITIES, CUSTOMERS, DEALS, INVOICES, LEADS, SPEND

_JUDGED_AT = 0.9  # a lead is judged once it is older than this share of the wins took


def latest_moments() -> ibis.Table:
    """For each connection the latest moment at which something is known to have happened.

    An open deal's `closed_at` and a day of spend may be plans, so they do not count.
    """
    seen = [
        LEADS.select("connection", moment=LEADS.created_at),
        DEALS.select("connection", moment=DEALS.created_at),
        DEALS.filter(DEALS.status != "open").select("connection", moment="closed_at"),
        CUSTOMERS.select("connection", moment=CUSTOMERS.started_at),
    ]
    moments = ibis.union(*seen)
    return moments.group_by("connection").aggregate(moment=moments.moment.max())


def earliest_moment() -> ibis.Table:
    """One row: the earliest of all moments whose day matters to a figure."""
    rows = [(LEADS, "created_at"), (DEALS, "closed_at"), (CUSTOMERS, "started_at"), (CUSTOMERS, "ended_at"),
            (INVOICES, "issued_at"), (ACTIVITIES, "occurred_at")]  # fmt: skip
    moments = ibis.union(*(table.select(moment=column) for table, column in rows))
    return moments.aggregate(earliest=moments.moment.min())


def won_deals(as_of: datetime, known_until: datetime) -> ibis.Table:
    """The deals won by `as_of`; `won_at` is null where no date is known, or one that nobody can know yet."""
    return _won(DEALS.filter(DEALS.status == "won"), "closed_at", as_of, known_until)


def won_moments(as_of: datetime, known_until: datetime) -> ibis.Table:
    """One row for each lead that is a customer by `as_of`: its first win, null where no win has a usable date."""
    won = _own_wins(as_of, known_until)
    won = won.union(_won(_payers_leads(as_of, known_until), "started_at", as_of, known_until))
    return won.group_by("connection", "lead_id").aggregate(won_at=won.won_at.min())


def _own_wins(as_of: datetime, known_until: datetime) -> ibis.Table:
    """What each connection says of its own leads."""
    return won_deals(as_of, known_until).union(_won(CUSTOMERS, "started_at", as_of, known_until))


def _payers_leads(as_of: datetime, known_until: datetime) -> ibis.Table:
    return payers_leads(leads_until(as_of), _own_wins(as_of, known_until))


def _won(rows: ibis.Table, moment: str, as_of: datetime, known_until: datetime) -> ibis.Table:
    rows = rows.select("connection", "lead_id", won_at=moment)
    rows = rows.mutate(won_at=ibis.ifelse(rows.won_at <= known_until, rows.won_at, ibis.null("timestamp")))
    return rows.filter(rows.won_at.isnull() | (rows.won_at <= as_of))


def unmatched_wins(as_of: datetime, known_until: datetime) -> ibis.Table:
    """How many won deals belong to no lead of their connection."""
    won = won_deals(as_of, known_until)
    unmatched = won.anti_join(LEADS, [won.connection == LEADS.connection, won.lead_id == LEADS.id])
    return unmatched.aggregate(unmatched_wins=unmatched.count())


def unmet_payers(as_of: datetime, known_until: datetime) -> ibis.Table:
    """How many customers have a person and were no lead: nobody knows where they came from."""
    unmet = payers().anti_join(_payers_leads(as_of, known_until), ["payer_in", "payer"])
    unmet = unmet.filter((unmet.started_at <= as_of) | (unmet.started_at > known_until))
    return unmet.aggregate(unmet_payers=unmet.count())


def leads_until(as_of: datetime) -> ibis.Table:
    return LEADS.filter(LEADS.created_at <= as_of)


def lead_dates(as_of: datetime) -> ibis.Table:
    """The day of the latest lead by `as_of` (null without one), and how many leads are dated later."""
    counted = LEADS.created_at <= as_of
    return LEADS.aggregate(
        latest_lead=LEADS.created_at.max(where=counted).date(), later_leads=(~counted).sum().fill_null(0)
    )


def judged_leads(as_of: datetime, known_until: datetime) -> ibis.Table:
    """One row a lead: source, month, whether it is a customer, the days to win, and whether it is judged
    (null before anyone has been won)."""
    won = won_moments(as_of, known_until)
    leads = leads_until(as_of)
    leads = leads.left_join(won, [leads.connection == won.connection, leads.id == won.lead_id])
    days = days_between(leads.created_at, leads.won_at)
    leads = leads.select(
        "connection",
        "id",
        "source",
        month=month_of(leads.created_at),
        customer=leads.lead_id.notnull(),
        # A date without a time stands at midnight, before a first contact of the same day, whatever the time zone.
        days_to_win=ibis.cases((days >= 0, days), (days > -1, 0.0)),
        age=days_between(leads.created_at, ibis.literal(as_of)),
    )
    return leads.mutate(judged=leads.age >= leads.days_to_win.quantile(_JUDGED_AT).as_scalar())


def spend_until(as_of: datetime) -> ibis.Table:
    """The spend up to and including the day of `as_of`; `early` is that before the month of the first lead.

    A CRM that came into use late has not seen the leads which early spend won, so it would make the others too dear.
    """
    first_month = leads_until(as_of).created_at.min().truncate("M").date().as_scalar()
    spend = SPEND.filter(SPEND.day <= ibis.literal(as_of).date())  # a day by the clock of the books
    return spend.mutate(early=(spend.day < first_month).fill_null(False))  # without a lead none is early


def spend_currencies(as_of: datetime) -> ibis.Table:
    spend = spend_until(as_of)
    # Not distinct(): for Spark that keeps the columns of the filter too, and so more rows (Ibis 12).
    return spend.group_by("amount_currency").aggregate(rows=spend.count()).order_by("amount_currency")


def early_spend(as_of: datetime) -> ibis.Table:
    """The sum of the early spend in minor units, null where there is none."""
    spend = spend_until(as_of)
    return spend.aggregate(early_spend=spend.amount_minor.sum(where=spend.early))


def figures(as_of: datetime, known_until: datetime, *by: str) -> ibis.Table:
    """Counts, days to win and spend (minor units) of each `source`, `unsourced` or `month`, or of everything.

    Leads and spend are stacked and then grouped, so a group that has only one of them keeps its row,
    and null is a group like any other. `unsourced` is spend without a source: nobody knows that it paid for
    the leads without one. Early spend is left out.
    """
    leads = judged_leads(as_of, known_until)
    leads = leads.select(
        "source",
        "month",
        "customer",
        "judged",
        "days_to_win",
        unsourced=False,
        lead=True,
        spend=ibis.null("int64"),
    )
    spend = spend_until(as_of)
    spend = spend.filter(~spend.early)
    spend = spend.select(
        "source",
        month=spend.day.cast("timestamp").truncate("M").date(),  # truncating a date gives SQL a timestamp
        customer=False,
        judged=False,
        days_to_win=ibis.null("float64"),
        unsourced=spend.source.isnull(),
        lead=False,
        spend=spend.amount_minor,
    )
    rows = leads.union(spend)
    measures = {
        "leads": rows.lead.sum().fill_null(0),
        "customers": rows.customer.sum().fill_null(0),
        "judged_leads": rows.judged.sum().fill_null(0),
        "judged_customers": (rows.judged & rows.customer).sum().fill_null(0),
        "dated_wins": rows.days_to_win.count(),
        "days_to_win_median": rows.days_to_win.quantile(0.5),
        "days_to_win_p90": rows.days_to_win.quantile(_JUDGED_AT),
        "spend": rows.spend.sum(),
    }
    return rows.group_by(by).aggregate(**measures) if by else rows.aggregate(**measures)
