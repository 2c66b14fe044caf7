"""How deals pass through their stages: Ibis expressions over the stage events."""

from __future__ import annotations

import math
from datetime import datetime

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.metrics.durations import microseconds
from holdwater.metrics.tables import DEALS, STAGE_EVENTS, STAGES

_MICROSECONDS_A_MINUTE = 60_000_000
_MINUTES_A_DAY = 1_440
_ROUNDING = 1e-9  # of a logarithm: one half made of several shares is one half
_NOBODY = -1_000.0  # stands for the logarithm of 0
_STAGE = ("connection", "stage_id")


def visits(as_of: datetime) -> ibis.Table:
    """One row for each time that a deal came into a stage, with the stage after it and the moment it left, if it did.

    A deal won or lost without a move into a closed stage has left for `won` or `lost`; `known` is false where nobody
    wrote down when.
    """
    in_turn = {"group_by": ["connection", "deal_id"], "order_by": ["entered_at", "id"]}
    rows = STAGE_EVENTS.filter(STAGE_EVENTS.entered_at <= as_of)
    rows = rows.mutate(previous=rows.stage_id.lag().over(ibis.window(**in_turn)))
    rows = rows.filter(rows.previous.isnull() | (rows.previous != rows.stage_id))  # some sources repeat a stage
    rows = rows.mutate(
        next_stage=rows.stage_id.lead().over(ibis.window(**in_turn)),
        next_at=rows.entered_at.lead().over(ibis.window(**in_turn)),
    )
    deals = DEALS.select("connection", deal=DEALS.id, status=DEALS.status, closed_at=DEALS.closed_at)
    rows = rows.inner_join(deals, ["connection", ("deal_id", "deal")])
    rows = rows.select(
        "connection", "deal_id", "stage_id", "entered_at", "next_stage", "next_at", "status", "closed_at"
    )
    stages = STAGES.select("connection", "label", "position", "closed", stage=STAGES.id)
    rows = rows.left_join(stages, ["connection", ("stage_id", "stage")])
    ended = rows.next_stage.isnull() & (rows.status != "open") & ~rows.closed.fill_null(False)
    ended &= rows.closed_at.isnull() | (rows.closed_at <= as_of)
    dated = ended & (rows.closed_at >= rows.entered_at)
    return rows.select(
        "connection",
        "deal_id",
        "stage_id",
        "label",
        "position",
        "entered_at",
        closed=rows.closed.fill_null(False),
        to=rows.next_stage.fill_null(ibis.ifelse(ended, rows.status, ibis.null("string"))),
        left_at=rows.next_at.fill_null(ibis.ifelse(dated, rows.closed_at, ibis.null("timestamp"))),
        known=~ended | dated.fill_null(False),
    )


def stage_entries(as_of: datetime) -> ibis.Table:
    """How many deals have ever been in each stage."""
    rows = visits(as_of)
    return rows.group_by(*_STAGE, "label", "position").aggregate(deals=rows.deal_id.nunique())


def stage_moves(as_of: datetime) -> ibis.Table:
    """How many deals have gone from a stage straight `to` another, or to `won` or `lost`."""
    rows = visits(as_of)
    rows = rows.filter(rows.to.notnull())
    return rows.group_by(*_STAGE, "to").aggregate(deals=rows.deal_id.nunique())


def stage_times(as_of: datetime) -> ibis.Table:
    """For each stage that is not closed the days until half, and nine tenths, of the visits were over.

    A visit that goes on counts for as long as it has lasted (Kaplan & Meier), in whole minutes; null where so many
    have not left yet. No quantile function is needed, so the answer is exact in every engine.
    """
    rows = visits(as_of)
    rows = rows.filter(~rows.closed & rows.known)
    lasted = microseconds(rows.entered_at, rows.left_at.fill_null(ibis.literal(as_of)))
    rows = rows.select(
        *_STAGE, minutes=(lasted / _MICROSECONDS_A_MINUTE).floor().cast("int64"), left=rows.left_at.notnull()
    )
    rows = rows.group_by(*_STAGE, "minutes").aggregate(visits=rows.count(), left=rows.left.sum())
    longest_first = ibis.cumulative_window(group_by=list(_STAGE), order_by=ibis.desc("minutes"))
    rows = rows.mutate(there=rows.visits.sum().over(longest_first))
    shortest_first = ibis.cumulative_window(group_by=list(_STAGE), order_by="minutes")
    stays = ibis.ifelse(rows.left < rows.there, rows.there - rows.left, 1) / rows.there
    rows = rows.mutate(kept=ibis.ifelse(rows.left < rows.there, stays.ln(), _NOBODY))
    rows = rows.mutate(kept=rows.kept.sum().over(shortest_first))

    def days_until(share: float) -> ibis.Value:
        return rows.minutes.min(where=rows.kept <= math.log(1 - share) + _ROUNDING) / _MINUTES_A_DAY

    return rows.group_by(*_STAGE).aggregate(
        visits=rows.visits.sum(), left=rows.left.sum(), days_p50=days_until(0.5), days_p90=days_until(0.9)
    )


def lost_reasons(as_of: datetime) -> ibis.Table:
    """How many deals were lost for each reason; null where none was recorded."""
    lost = DEALS.filter(DEALS.status == "lost", DEALS.closed_at.isnull() | (DEALS.closed_at <= as_of))
    return lost.group_by("lost_reason").aggregate(deals=lost.count())
