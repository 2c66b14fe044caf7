"""Who was answered, worked and may be written to: Ibis expressions over activities and consents."""

from __future__ import annotations

from datetime import datetime

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.metrics.durations import microseconds, month
from holdwater.metrics.funnel import judged_leads, leads_until
from holdwater.metrics.tables import ACTIVITIES, CONSENTS, DEALS

NEVER_AFTER_HOURS = 30 * 24.0  # a lead without an answer for so long gets none
_ANSWERS = ("call", "email", "meeting", "message")  # a note or a task reaches nobody
_MICROSECONDS_AN_HOUR = 3_600_000_000
_REFERRALS = ("referral", "referrals")


def _outbound(as_of: datetime) -> ibis.Table:
    """Every time that somebody of the firm approached a lead, through a deal of the lead as well."""
    rows = ACTIVITIES.filter(
        ACTIVITIES.direction == "out", ACTIVITIES.kind.isin(_ANSWERS), ACTIVITIES.occurred_at <= as_of
    )
    deals = DEALS.select("connection", deal=DEALS.id, lead_of_deal=DEALS.lead_id)
    rows = rows.left_join(deals, ["connection", ("deal_id", "deal")])
    rows = rows.select("connection", "occurred_at", lead_id=rows.lead_id.fill_null(rows.lead_of_deal))
    return rows.filter(rows.lead_id.notnull())


def first_response(as_of: datetime) -> ibis.Table:
    """One row: how soon leads were approached for the first time after they came.

    Only connections that keep outbound contacts count. Within an hour: of the leads at least that old. Never: not
    within 30 days, of the leads at least that old. The hours are of those answered.
    """
    out = _outbound(as_of)
    leads = leads_until(as_of)
    leads = leads.semi_join(out, "connection").select("connection", "id", "created_at")
    met = out.inner_join(leads, ["connection", ("lead_id", "id")])
    met = met.filter(met.occurred_at >= met.created_at)
    first = met.group_by("connection", "lead_id").aggregate(first_at=met.occurred_at.min())
    rows = leads.left_join(first, ["connection", ("id", "lead_id")])
    rows = rows.select(
        hours=microseconds(rows.created_at, rows.first_at) / _MICROSECONDS_AN_HOUR,
        age=microseconds(rows.created_at, ibis.literal(as_of)) / _MICROSECONDS_AN_HOUR,
    )
    settled = rows.age >= NEVER_AFTER_HOURS
    return rows.aggregate(
        leads=rows.count(),
        answered=rows.hours.count(),
        hours_p50=rows.hours.quantile(0.5),
        hours_p90=rows.hours.quantile(0.9),
        hour_old=(rows.age >= 1).sum().fill_null(0),
        within_hour=((rows.age >= 1) & (rows.hours <= 1)).sum().fill_null(0),
        settled=settled.sum().fill_null(0),
        never=(settled & (rows.hours.isnull() | (rows.hours > NEVER_AFTER_HOURS))).sum().fill_null(0),
    )


def consents(as_of: datetime) -> ibis.Table:
    """By channel the leads that allow it; null is any channel. An opt-out beats whatever else is kept for a channel."""
    rows = CONSENTS.filter(CONSENTS.recorded_at.isnull() | (CONSENTS.recorded_at <= as_of))
    leads = leads_until(as_of)
    rows = rows.semi_join(leads, ["connection", ("lead_id", "id")])
    each = rows.group_by("connection", "lead_id", "channel").aggregate(
        yes=ibis.ifelse(rows.status == "opted_in", 1, 0).max(), no=ibis.ifelse(rows.status == "opted_out", 1, 0).max()
    )
    each = each.filter((each.yes == 1) & (each.no == 0)).select("connection", "lead_id", "channel")
    somehow = each.group_by("connection", "lead_id").aggregate(channel=ibis.null("string"))
    both = each.union(somehow)
    return both.group_by("channel").aggregate(opted_in=both.count())


def referrals(as_of: datetime, known_until: datetime) -> ibis.Table:
    """One row: customers, those of them referred, and of the leads that are judged those worked and won.

    Worked is a lead that was approached, has a deal or is a customer. Where no outbound contact is kept
    (`contacts` is 0) nobody can tell, and every lead counts as worked.
    """
    leads = judged_leads(as_of, known_until)
    out = _outbound(as_of)
    begun = DEALS.filter(DEALS.lead_id.notnull(), DEALS.created_at.isnull() | (DEALS.created_at <= as_of))
    worked = out.select("connection", "lead_id").union(begun.select("connection", "lead_id"))
    # Not distinct(), which for Spark may keep more columns (Ibis 12).
    worked = worked.group_by("connection", worked_id=worked.lead_id).aggregate(times=worked.count())
    rows = leads.left_join(worked, ["connection", ("id", "worked_id")])
    kept = out.group_by("connection").aggregate(contacts=out.count()).select("contacts", keeping="connection")
    rows = rows.select("connection", "source", "customer", "judged", "worked_id")
    rows = rows.left_join(kept, [("connection", "keeping")])
    referred, judged = _referred(rows), rows.judged.fill_null(False)
    worked = judged & (rows.contacts.isnull() | rows.worked_id.notnull() | rows.customer)
    counts = {"judged": judged, "worked": worked, "won": judged & rows.customer}
    return rows.aggregate(
        customers=rows.customer.sum().fill_null(0),
        referred_customers=(rows.customer & referred).sum().fill_null(0),
        **{name: (which & ~referred).sum().fill_null(0) for name, which in counts.items()},
        **{f"referred_{name}": (which & referred).sum().fill_null(0) for name, which in counts.items()},
        contacts=rows.contacts.count(),
    )


def referred_months(as_of: datetime) -> ibis.Table:
    """The leads of each month of first contact that were referred."""
    leads = leads_until(as_of)
    leads = leads.filter(_referred(leads))
    return leads.group_by(month=month(leads.created_at)).aggregate(leads=leads.count())


def _referred(leads: ibis.Table) -> ibis.Value:
    return leads.source.lower().isin(_REFERRALS).fill_null(False)
