"""The figures of customers, stages and contacts, from an engine's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from holdwater.crm.records import Money
from holdwater.metrics import contact, customers, loss_record, stages, weeks
from holdwater.metrics.conventions import Conventions
from holdwater.metrics.customer_figures import (
    Claim,
    Cohort,
    ConsentReach,
    CustomerMonth,
    FirstResponse,
    LeadWeek,
    LossRecord,
    LostReason,
    ReferredMonth,
    RevenueMonth,
    Share,
    StageMove,
    StageTime,
    Worked,
)
from holdwater.metrics.engine import Engine, Row
from holdwater.metrics.words import Words


def customer_figures(
    engine: Engine, until: datetime, known_until: datetime, leads: int, words: Words, conventions: Conventions
) -> dict[str, Any]:
    """The fields of the report that `holdwater.metrics.customer_figures` defines."""
    today = conventions.day_of(until.replace(tzinfo=UTC))
    (backward,) = engine.rows(customers.backward_customers(until))
    (referrals,) = engine.rows(contact.referrals(until, known_until))
    return {
        "cohorts": _cohorts(engine.rows(customers.survival_counts(until))),
        "customer_months": _customer_months(engine.rows(customers.customer_months(until)), today),
        "weeks": _weeks(
            engine.rows(weeks.lead_weeks(until, known_until, conventions.week_start)), conventions.week_start, today
        ),
        "backward_customers": backward["backward_customers"],
        "revenue_months": _revenue_months(engine.rows(customers.revenue_months(until))),
        **_stages(engine, until),
        "lost_reasons": _lost_reasons(engine, until, words),
        "first_response": _first_response(engine.rows(contact.first_response(until))),
        "consent": _consent(engine.rows(contact.consents(until)), leads),
        "referred": Share(count=referrals["referred_customers"], of=referrals["customers"]),
        "worked": Worked(
            won=Share(count=referrals["won"], of=referrals["worked"]),
            judged=referrals["judged"],
            referred=Share(count=referrals["referred_won"], of=referrals["referred_worked"]),
            referred_judged=referrals["referred_judged"],
            contacts_kept=referrals["contacts"] > 0,
        ),
        "referred_months": tuple(
            ReferredMonth(month=row["month"], leads=row["leads"])
            for row in sorted(engine.rows(contact.referred_months(until)), key=lambda row: row["month"])
        ),
    }


def _cohorts(rows: Sequence[Row]) -> tuple[Cohort, ...]:
    ordered = sorted(rows, key=lambda row: row["cohort"])
    return tuple(_cohort(month, list(group)) for month, group in groupby(ordered, key=lambda row: row["cohort"]))


def _cohort(month: date, rows: Sequence[Row]) -> Cohort:
    def those(period: int) -> Share:
        old = [row for row in rows if row["due"] >= period]
        return Share(
            count=sum(row["customers"] for row in old if row["made"] >= period),
            of=sum(row["customers"] for row in old),
        )

    survivors = tuple(those(period) for period in range(max(row["due"] for row in rows) + 1))
    return Cohort(month=month, customers=sum(row["customers"] for row in rows), survivors=survivors)


def _customer_months(rows: Sequence[Row], today: date) -> tuple[CustomerMonth, ...]:
    known = {row["month"]: row for row in rows}
    there, found = 0, []
    # A date without a time stays on its day, which where it is earlier than in UTC may be tomorrow.
    for month in _months(min(known), max([today, *known])) if known else ():
        row = known.get(month, {"new": 0, "lost": 0, "lost_new": 0})
        churned = Share(count=row["lost"] - row["lost_new"], of=there)
        complete = month < today.replace(day=1)
        found.append(CustomerMonth(month=month, new=row["new"], lost=row["lost"], churned=churned, complete=complete))
        there += row["new"] - row["lost"]
    return tuple(found)


def _months(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _weeks(rows: Sequence[Row], week_start: int, today: date) -> tuple[LeadWeek, ...]:
    known = {weeks.first_week(week_start) + timedelta(weeks=row["week"]): row for row in rows}
    found: list[LeadWeek] = []
    last = max([today, *known])  # as for the months
    week = min(known, default=last + timedelta(days=1))
    while week <= last:
        row = known.get(week, {"leads": 0, "won": 0})
        found.append(LeadWeek(week=week, leads=row["leads"], won=row["won"]))
        week += timedelta(weeks=1)
    return tuple(found)


def _revenue_months(rows: Sequence[Row]) -> tuple[RevenueMonth, ...]:
    return tuple(
        RevenueMonth(
            month=row["month"],
            currency=row["total_currency"],
            revenue=float(Money(row["revenue"], row["total_currency"], "").amount),
            invoices=row["invoices"],
            customers=row["customers"],
        )
        for row in sorted(rows, key=lambda row: (row["month"], row["total_currency"]))
    )


def _stages(engine: Engine, until: datetime) -> dict[str, Any]:
    """Stages in the order of their pipeline; one that the source no longer lists stands last, by its id."""
    entries = {(row["connection"], row["stage_id"]): row for row in engine.rows(stages.stage_entries(until))}

    def place(stage: tuple[str, str]) -> tuple[Any, ...]:
        row = entries.get(stage)
        position = row["position"] if row else None
        return stage[0], position is None, position or 0, stage[1]

    def label(stage: tuple[str, str]) -> str:
        row = entries.get(stage)
        return (row["label"] if row else None) or stage[1]

    moves = engine.rows(stages.stage_moves(until))
    moves.sort(key=lambda r: (place((r["connection"], r["stage_id"])), place((r["connection"], r["to"]))))
    times = engine.rows(stages.stage_times(until))
    times.sort(key=lambda r: place((r["connection"], r["stage_id"])))
    return {
        "stage_moves": tuple(
            StageMove(
                stage=label(stage),
                to=label((row["connection"], row["to"])),
                deals=Share(count=row["deals"], of=entries[stage]["deals"]),
            )
            for row in moves
            for stage in [(row["connection"], row["stage_id"])]
        ),
        "stage_times": tuple(
            StageTime(
                stage=label((row["connection"], row["stage_id"])),
                **{name: row[name] for name in ("visits", "left", "days_p50", "days_p90")},
            )
            for row in times
        ),
    }


def _lost_reasons(engine: Engine, until: datetime, words: Words) -> tuple[LostReason, ...]:
    rows = engine.rows(stages.lost_reasons(until))
    claims = {row["lost_reason"]: claim for row in rows if (claim := words.claim(row["lost_reason"]))}
    checks = engine.rows(loss_record.loss_checks(until, claims)) if claims else []
    records = {row["lost_reason"]: row for row in checks}
    lost = sum(row["deals"] for row in rows)
    ordered = sorted(rows, key=lambda row: (-row["deals"], row["lost_reason"] is None, row["lost_reason"] or ""))
    return tuple(
        LostReason(
            reason=row["lost_reason"],
            whose=words.whose(row["lost_reason"]),
            deals=Share(count=row["deals"], of=lost),
            record=_record(records.get(row["lost_reason"]), claims.get(row["lost_reason"])),
        )
        for row in ordered
    )


def _record(row: Row | None, claim: Claim | None) -> LossRecord | None:
    if row is None or claim is None:
        return None
    return LossRecord(claim=claim, **{name: row[name] for name in ("supported", "contradicted", "no_messages")})


def _first_response(rows: Sequence[Row]) -> FirstResponse | None:
    (row,) = rows
    if not row["leads"]:
        return None
    return FirstResponse(
        **{name: row[name] for name in ("leads", "answered", "hours_p50", "hours_p90")},
        within_hour=Share(count=row["within_hour"], of=row["hour_old"]),
        never=Share(count=row["never"], of=row["settled"]),
    )


def _consent(rows: Sequence[Row], leads: int) -> tuple[ConsentReach, ...]:
    ordered = sorted(rows, key=lambda row: (row["channel"] is not None, row["channel"] or ""))
    return tuple(
        ConsentReach(channel=row["channel"], opted_in=Share(count=row["opted_in"], of=leads)) for row in ordered
    )
