"""Leads and wins by the week: Ibis expressions."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.metrics.funnel import leads_until, won_moments

_A_MONDAY = date(2001, 1, 1)


def first_week(week_start: int) -> date:
    """From this day weeks are counted; `week_start` 1 is Monday, 7 Sunday."""
    return _A_MONDAY + timedelta(days=week_start - 1)


def lead_weeks(as_of: datetime, known_until: datetime, week_start: int) -> ibis.Table:
    """By number of weeks since `first_week` how many leads came, and how many were won for the first time."""
    leads = leads_until(as_of)
    won = won_moments(as_of, known_until)
    won = won.semi_join(leads, [won.connection == leads.connection, won.lead_id == leads.id])
    won = won.filter(won.won_at.notnull())
    came = leads.select(week=_week(leads.created_at, week_start), came=1, won=0)
    both = came.union(won.select(week=_week(won.won_at, week_start), came=0, won=1))
    return both.group_by("week").aggregate(leads=both.came.sum(), won=both.won.sum())


def _week(moment: ibis.Value, week_start: int) -> ibis.Value:
    days = moment.date().delta(ibis.literal(first_week(week_start)), unit="day")
    return (days / 7).floor().cast("int64")
