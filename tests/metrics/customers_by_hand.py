"""The figures of customers, stages and contacts a second time, record by record, to check the expressions against."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from itertools import pairwise
from typing import Any

from by_hand import day_in, quantile
from payers_by_hand import leads_of_payers

import holdwater
from holdwater.crm.records import (
    Activity,
    Consent,
    Customer,
    Deal,
    Invoice,
    Lead,
    Record,
    Stage,
    StageEvent,
)
from holdwater.metrics.customer_figures import (
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
from holdwater.metrics.words import guess, guess_claim

HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=365.25 / 12)


def figures(
    records: Sequence[Record], as_of: datetime, judged_after_days: float | None, zone: tzinfo = UTC, week_start: int = 1
) -> dict[str, Any]:
    """Of one connection. `judged_after_days` is checked elsewhere."""
    day = day_in(zone)

    def all_of(kind: type[Any]) -> list[Any]:
        return [record for record in records if type(record) is kind]

    leads = [lead for lead in all_of(Lead) if lead.created_at <= as_of]
    deals = {deal.id: deal for deal in all_of(Deal)}
    named = with_leads(all_of(Customer), all_of(Lead), list(deals.values()), as_of, zone)
    return {
        **customers(all_of(Customer), as_of, zone),
        "revenue_months": revenue(all_of(Invoice), as_of, day),
        **stages(all_of(StageEvent), deals, {stage.id: stage for stage in all_of(Stage)}, as_of),
        "lost_reasons": lost(deals.values(), all_of(Activity), as_of, day),
        **contacts(leads, all_of(Activity), deals, named, as_of, judged_after_days),
        "referred_months": tuple(
            ReferredMonth(month=month, leads=count)
            for month, count in sorted(
                Counter(day(one.created_at).replace(day=1) for one in leads if sent(one)).items()
            )
        ),
        "weeks": weeks(leads, [*deals.values(), *named], as_of, zone, week_start),
        "consent": consent(leads, all_of(Consent), as_of),
    }


def with_leads(
    all_customers: Sequence[Customer], leads: Sequence[Lead], deals: Sequence[Deal], as_of: datetime, zone: tzinfo = UTC
) -> list[Customer]:
    """The customers, each with the lead it was as its person says, if its connection says nothing."""
    won = {("a", d.lead_id) for d in deals if d.status == "won" and d.closed_at and d.closed_at <= as_of}
    won |= {("a", c.lead_id) for c in all_customers if c.started_at <= as_of}
    met = leads_of_payers(
        [("a", one) for one in leads], [("a", one) for one in all_customers], won, as_of, day_in(zone)
    )
    found = ((one, met.get(("a", one.id))) for one in all_customers)
    return [replace(one, lead_id=lead[1]) if lead else one for one, lead in found]


def weeks(
    leads: Sequence[Lead], wins: Sequence[Deal | Customer], as_of: datetime, zone: tzinfo, week_start: int
) -> tuple[LeadWeek, ...]:
    day = day_in(zone)
    came = [day(lead.created_at) for lead in leads]
    known = {lead.id for lead in leads}
    first: dict[str, datetime] = {}
    for win in wins:
        at = win.started_at if isinstance(win, Customer) else win.closed_at if win.status == "won" else None
        if at and at <= as_of and win.lead_id in known:
            first[str(win.lead_id)] = min(at, first.get(str(win.lead_id), at))
    won = [day(at) for at in first.values()]
    if not came and not won:
        return ()
    begins = min(came + won)
    while begins.isoweekday() != week_start:
        begins -= timedelta(days=1)
    found = []
    while begins <= as_of.astimezone(zone).date():
        week = [begins + timedelta(days=n) for n in range(7)]
        found.append(LeadWeek(week=begins, leads=sum(d in week for d in came), won=sum(d in week for d in won)))
        begins += timedelta(days=7)
    return tuple(found)


def following(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def customers(all_customers: Sequence[Customer], as_of: datetime, zone: tzinfo) -> dict[str, Any]:
    day, today = day_in(zone), as_of.astimezone(zone).date()

    def first_day(moment: datetime) -> date:
        return day(moment).replace(day=1)

    begun = [customer for customer in all_customers if customer.started_at <= as_of]
    backward = [c for c in begun if c.ended_at and day(c.ended_at) < day(c.started_at)]
    lives: list[tuple[datetime, datetime | None]] = []
    for customer in begun:
        if customer not in backward:
            ended = customer.ended_at and max(customer.ended_at, customer.started_at)
            lives.append((customer.started_at, ended if ended and ended <= as_of else None))

    cohorts = []
    for month in sorted({first_day(start) for start, _ in lives}):
        mine = [(start, end) for start, end in lives if first_day(start) == month]
        shares, age = [], 0
        while old := [(start, end) for start, end in mine if start + age * MONTH <= as_of]:
            # At age 0 everybody is there; later only who ends after the day of the renewal.
            there = [end for start, end in old if age == 0 or end is None or end > start + age * MONTH]
            shares.append(Share(count=len(there), of=len(old)))
            age += 1
        cohorts.append(Cohort(month=month, customers=len(mine), survivors=tuple(shares)))

    months, month = [], min((first_day(start) for start, _ in lives), default=date.max)
    while month <= today:
        after = following(month)
        before = [(s, e) for s, e in lives if day(s) < month and not (e and day(e) < month)]
        gone = [(s, e) for s, e in lives if e and month <= day(e) < after]
        months.append(
            CustomerMonth(
                month=month,
                new=sum(month <= day(start) < after for start, _ in lives),
                lost=len(gone),
                churned=Share(count=sum(life in before for life in gone), of=len(before)),
                complete=after <= today,
            )
        )
        month = after
    return {"cohorts": tuple(cohorts), "customer_months": tuple(months), "backward_customers": len(backward)}


def revenue(invoices: Iterable[Invoice], as_of: datetime, day: Callable[[datetime], date]) -> tuple[RevenueMonth, ...]:
    rows: defaultdict[tuple[date, str], list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        known = invoice.status == "paid" and max(invoice.issued_at, invoice.paid_at or invoice.issued_at) <= as_of
        if known and invoice.total:
            rows[day(invoice.issued_at).replace(day=1), invoice.total.currency].append(invoice)
    return tuple(
        RevenueMonth(
            month=month,
            currency=currency,
            revenue=float(sum(i.total.amount - (i.refunded.amount if i.refunded else 0) for i in some if i.total)),
            invoices=len(some),
            customers=len({invoice.customer_id for invoice in some}),
        )
        for (month, currency), some in sorted(rows.items())
    )


def stages(
    events: Iterable[StageEvent], deals: dict[str, Deal], known: dict[str, Stage], as_of: datetime
) -> dict[str, Any]:
    histories: defaultdict[str, list[StageEvent]] = defaultdict(list)
    for event in sorted(events, key=lambda event: (event.entered_at, event.id)):
        history = histories[event.deal_id]
        if (
            event.deal_id in deals
            and event.entered_at <= as_of
            and [event.stage_id] != [e.stage_id for e in history[-1:]]
        ):
            history.append(event)
    entered: defaultdict[str, set[str]] = defaultdict(set)
    moved: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    lengths: defaultdict[str, list[tuple[int, bool]]] = defaultdict(list)
    for deal_id, history in histories.items():
        for event in history:
            entered[event.stage_id].add(deal_id)
        for here, there in pairwise(history):
            moved[here.stage_id, there.stage_id].add(deal_id)
            lengths[here.stage_id].append(((there.entered_at - here.entered_at) // timedelta(minutes=1), True))
        if not history:
            continue
        last, deal = history[-1], deals[deal_id]
        closed = last.stage_id in known and known[last.stage_id].closed
        ended = not closed and deal.status != "open" and not (deal.closed_at and deal.closed_at > as_of)
        if ended:
            moved[last.stage_id, deal.status].add(deal_id)
        if not ended:
            lengths[last.stage_id].append(((as_of - last.entered_at) // timedelta(minutes=1), False))
        elif deal.closed_at and deal.closed_at >= last.entered_at:
            lengths[last.stage_id].append(((deal.closed_at - last.entered_at) // timedelta(minutes=1), True))

    def place(stage: str) -> tuple[bool, int, str]:
        return stage not in entered or stage not in known, known[stage].position if stage in known else 0, stage

    def place_to(stage: str) -> tuple[bool, int, str]:
        return (True, 0, stage) if stage not in entered else place(stage)

    def label(stage: str) -> str:
        return known[stage].label if stage in known else stage

    return {
        "stage_moves": tuple(
            StageMove(
                stage=label(here),
                to=label(there),
                deals=Share(count=len(moved[here, there]), of=len(entered[here])),
            )
            for here, there in sorted(moved, key=lambda move: (place(move[0]), place_to(move[1])))
        ),
        "stage_times": tuple(
            StageTime(
                stage=label(stage),
                visits=len(lengths[stage]),
                left=sum(left for _, left in lengths[stage]),
                days_p50=kaplan_meier(lengths[stage], Fraction(1, 2)),
                days_p90=kaplan_meier(lengths[stage], Fraction(1, 10)),
            )
            for stage in sorted(lengths, key=place)
            if not (stage in known and known[stage].closed)
        ),
    }


def kaplan_meier(lengths: Sequence[tuple[int, bool]], stay: Fraction) -> float | None:
    kept = Fraction(1)
    for minutes in sorted({minutes for minutes, _ in lengths}):
        there = sum(other >= minutes for other, _ in lengths)
        kept *= Fraction(there - lengths.count((minutes, True)), there)
        if kept <= stay:
            return minutes / 1_440
    return None


def lost(
    deals: Iterable[Deal], activities: Sequence[Activity], as_of: datetime, day: Callable[[datetime], date]
) -> tuple[LostReason, ...]:
    over = [deal for deal in deals if deal.status == "lost" and not (deal.closed_at and deal.closed_at > as_of)]
    reasons = Counter(deal.lost_reason for deal in over)
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0] is None, item[0] or ""))
    return tuple(
        LostReason(
            reason=reason,
            whose=guess(reason),
            deals=Share(count=n, of=reasons.total()),
            record=loss_record([deal for deal in over if deal.lost_reason == reason], reason, activities, as_of, day),
        )
        for reason, n in ordered
    )


def loss_record(
    deals: Iterable[Deal],
    reason: str | None,
    activities: Sequence[Activity],
    as_of: datetime,
    day: Callable[[datetime], date],
) -> LossRecord | None:
    """By LOSS_CHECK itself, one deal after another."""
    claim = guess_claim(reason, guess(reason))
    if claim is None:
        return None
    said: Counter[str] = Counter()
    for deal in deals:
        log = [
            ("it", activity.occurred_at, activity.direction)
            for activity in activities
            if activity.kind in ("call", "email", "message")
            and activity.direction
            and (activity.deal_id or (deal.id if activity.lead_id and activity.lead_id == deal.lead_id else None))
            == deal.id
            and activity.occurred_at <= as_of
            and (deal.closed_at is None or day(activity.occurred_at) <= day(deal.closed_at))
        ]
        log.sort(key=lambda message: message[1:])
        said[holdwater.loss_check(claim, "it", log)[0]["verdict"]] += 1
    assert set(said) <= {"supported", "contradicted", "no messages"}
    return LossRecord(
        claim=claim, supported=said["supported"], contradicted=said["contradicted"], no_messages=said["no messages"]
    )


def contacts(
    leads: Sequence[Lead],
    activities: Iterable[Activity],
    deals: dict[str, Deal],
    all_customers: Sequence[Customer],
    as_of: datetime,
    judged_after_days: float | None,
) -> dict[str, Any]:
    approached: defaultdict[str, list[datetime]] = defaultdict(list)
    for activity in activities:
        deal = deals.get(activity.deal_id or "")
        lead_id = activity.lead_id or (deal and deal.lead_id)
        outward = activity.direction == "out" and activity.kind not in ("note", "task")
        if lead_id and outward and activity.occurred_at <= as_of:
            approached[lead_id].append(activity.occurred_at)

    hours: list[tuple[float | None, float]] = []
    for lead in leads:
        after = [moment for moment in approached[lead.id] if moment >= lead.created_at]
        hours.append(((min(after) - lead.created_at) / HOUR if after else None, (as_of - lead.created_at) / HOUR))
    answered = [hour for hour, _ in hours if hour is not None]
    kept = any(approached.values())
    response = FirstResponse(
        leads=len(leads),
        answered=len(answered),
        hours_p50=quantile(answered, Fraction(1, 2)),
        hours_p90=quantile(answered, Fraction(9, 10)),
        within_hour=Share(
            count=sum(hour is not None and hour <= 1 for hour, age in hours if age >= 1),
            of=sum(age >= 1 for _, age in hours),
        ),
        never=Share(
            count=sum(hour is None or hour > 720 for hour, age in hours if age >= 720),
            of=sum(age >= 720 for _, age in hours),
        ),
    )

    # The tests date everything, and nothing after as_of counts as won; what is odd about dates is checked elsewhere.
    won = {c.lead_id for c in all_customers if c.started_at <= as_of}
    won |= {d.lead_id for d in deals.values() if d.status == "won" and d.closed_at and d.closed_at <= as_of}
    touched = {lead_id for lead_id, when in approached.items() if when} | won
    touched |= {d.lead_id for d in deals.values() if not (d.created_at and d.created_at > as_of)}

    judged = [
        lead for lead in leads if judged_after_days is not None and (as_of - lead.created_at) / DAY >= judged_after_days
    ]

    def won_of_worked(referred: bool) -> Share:
        worked = [lead for lead in judged if (lead.id in touched or not kept) and sent(lead) == referred]
        return Share(count=sum(lead.id in won for lead in worked), of=len(worked))

    mine = [lead for lead in leads if lead.id in won]
    return {
        "first_response": response if kept and leads else None,
        "referred": Share(count=sum(map(sent, mine)), of=len(mine)),
        "worked": Worked(
            won=won_of_worked(referred=False),
            judged=len([lead for lead in judged if not sent(lead)]),
            referred=won_of_worked(referred=True),
            referred_judged=len([lead for lead in judged if sent(lead)]),
            contacts_kept=kept and bool(leads),
        ),
    }


def sent(lead: Lead) -> bool:
    """By a customer."""
    return lead.source in ("referral", "referrals")


def consent(leads: Sequence[Lead], consents: Iterable[Consent], as_of: datetime) -> tuple[ConsentReach, ...]:
    answers: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in consents:
        if not (one.recorded_at and one.recorded_at > as_of):
            answers[one.lead_id, one.channel].add(one.status)
    known = {lead.id for lead in leads}
    reached = {k for k, said in answers.items() if k[0] in known and "opted_in" in said and "opted_out" not in said}
    counts: list[tuple[str | None, int]] = [(None, len({lead for lead, _ in reached}))] if reached else []
    counts += sorted(Counter(channel for _, channel in reached).items())
    return tuple(ConsentReach(channel=channel, opted_in=Share(count=n, of=len(leads))) for channel, n in counts)


def same(found: Any, expected: Any) -> bool:
    """Equal, but for the last bits of a float."""
    if isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-12)
    if isinstance(found, tuple) and isinstance(expected, tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    if hasattr(found, "__dataclass_fields__") and type(found) is type(expected):
        return all(same(getattr(found, name), getattr(expected, name)) for name in found.__dataclass_fields__)
    return bool(found == expected)
