"""What the record says of the reasons for lost deals: LOSS_CHECK as an Ibis expression over deals and messages.

All of it is computed where the data lie; only counts of deals leave, never a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.metrics.customer_figures import Claim
from holdwater.metrics.durations import microseconds
from holdwater.metrics.tables import ACTIVITIES, DEALS

LIMIT_HOURS = 72  # LOSS_CHECK's own: three days, a weekend among them
_MICROSECONDS_AN_HOUR = 3_600_000_000
_MESSAGES = ("call", "email", "message")  # in a meeting both speak; a note or a task reaches nobody
_DEAL = ("connection", "deal_id")


def loss_verdicts(as_of: datetime, claims: Mapping[str, Claim]) -> ibis.Table:
    """One row a lost deal whose reason is a testable claim: `supported`, `contradicted` or `no messages`.

    Messages are those of the deal, and those of its lead that name no deal, up to the day of the loss. Where two have
    the same moment, the one from the customer came first.
    """
    deals = _lost(as_of, claims)
    turns = _turns(_messages(as_of, deals))
    middle = _median_hours(turns.filter(turns.direction == "in"))
    ours = turns.filter(turns.direction == "out")
    ours = ours.group_by(*_DEAL).aggregate(
        turns=ours.count(), in_time=(ours.answered & (ours.hours <= LIMIT_HOURS)).sum()
    )
    rows = deals.left_join(ours.rename(its="deal_id", here="connection"), [("deal_id", "its"), ("connection", "here")])
    rows = rows.select("connection", "deal_id", "closed_at", "lost_reason", "claim", "turns", "in_time")
    rows = rows.left_join(middle.rename(its="deal_id", here="connection"), [("deal_id", "its"), ("connection", "here")])
    late, silent = rows.our_hours > LIMIT_HOURS, rows.in_time * 2 < rows.turns
    borne_out = ibis.ifelse(rows.claim == "no reply", silent, late)  # null without a turn to test
    verdict = ibis.cases((borne_out.isnull(), "no messages"), (borne_out, "supported"), else_="contradicted")
    return rows.select("connection", "deal_id", "closed_at", "lost_reason", verdict=verdict)


def loss_checks(as_of: datetime, claims: Mapping[str, Claim]) -> ibis.Table:
    """For each of these reasons the deals that the record supports, contradicts, and has no messages for."""
    rows = loss_verdicts(as_of, claims)
    said = {name: (rows.verdict == name.replace("_", " ")).sum() for name in ("supported", "contradicted")}
    return rows.group_by("lost_reason").aggregate(**said, no_messages=(rows.verdict == "no messages").sum())


def _lost(as_of: datetime, claims: Mapping[str, Claim]) -> ibis.Table:
    lost = DEALS.filter(DEALS.status == "lost", DEALS.closed_at.isnull() | (DEALS.closed_at <= as_of))
    lost = lost.filter(lost.lost_reason.isin(list(claims)))
    claim = lost.lost_reason.cases(*claims.items(), else_=ibis.null("string"))
    return lost.select("connection", "lead_id", "closed_at", "lost_reason", deal_id="id", claim=claim)


def _messages(as_of: datetime, deals: ibis.Table) -> ibis.Table:
    """By deal the moment and the direction of each message."""
    rows = ACTIVITIES.filter(
        ACTIVITIES.kind.isin(_MESSAGES), ACTIVITIES.direction.notnull(), ACTIVITIES.occurred_at <= as_of
    )
    own = rows.filter(rows.deal_id.notnull()).select("connection", "deal_id", "occurred_at", "direction")
    deals = deals.select("connection", "lead_id", "closed_at", ours="deal_id", here="connection")
    own = own.inner_join(deals.drop("connection"), [("deal_id", "ours"), ("connection", "here")])
    of_lead = rows.filter(rows.deal_id.isnull(), rows.lead_id.notnull())
    of_lead = of_lead.select("connection", "occurred_at", "direction", its_lead="lead_id")
    of_lead = of_lead.inner_join(deals.drop("connection"), [("its_lead", "lead_id"), ("connection", "here")])
    columns = ("connection", "occurred_at", "direction", "closed_at")
    both = own.select(*columns, deal_id="ours").union(of_lead.select(*columns, deal_id="ours"))
    # A date without a time stands at midnight, before the messages of its day.
    return both.filter(both.closed_at.isnull() | (both.occurred_at.date() <= both.closed_at.date()))


def _turns(messages: ibis.Table) -> ibis.Table:
    """A turn is a run of messages one way, answered by the next the other way; the last lasts to the last message."""
    in_turn = {"group_by": list(_DEAL), "order_by": ["occurred_at", "direction"]}
    rows = messages.mutate(
        before=messages.direction.lag().over(ibis.window(**in_turn)),
        last_at=messages.occurred_at.max().over(ibis.window(group_by=list(_DEAL))),
    )
    rows = rows.filter(rows.before.isnull() | (rows.before != rows.direction))
    rows = rows.mutate(next_at=rows.occurred_at.lead().over(ibis.window(**in_turn)))
    took = microseconds(rows.occurred_at, rows.next_at.fill_null(rows.last_at))
    return rows.select(*_DEAL, "direction", answered=rows.next_at.notnull(), hours=took / _MICROSECONDS_AN_HOUR)


def _median_hours(turns: ibis.Table) -> ibis.Table:
    """By deal, from the one or two turns in the middle: exact too where the engine's quantile is not."""
    place = ibis.row_number().over(ibis.window(group_by=list(_DEAL), order_by="hours"))
    many = turns.hours.count().over(ibis.window(group_by=list(_DEAL)))
    rows = turns.mutate(place=place, many=many)
    twice = rows.place * 2 - (rows.many - 1)  # 0 in the middle, -1 and 1 beside it
    rows = rows.filter((twice >= -1) & (twice <= 1))
    return rows.group_by(*_DEAL).aggregate(our_hours=rows.hours.mean())
