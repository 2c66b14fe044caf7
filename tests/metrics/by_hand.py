"""The figures computed a second time, one lead after another, to check the Ibis expressions against."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fractions import Fraction

from payers_by_hand import leads_of_payers

from holdwater.crm.records import Customer, Deal, Lead, Record, Spend
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures

DAY = timedelta(days=1)
# What customers_by_hand.py computes.
ELSEWHERE = {
    "cohorts",
    "customer_months",
    "backward_customers",
    "revenue_months",
    "stage_moves",
    "stage_times",
    "lost_reasons",
    "first_response",
    "consent",
    "referred",
    "worked",
    "referred_months",
    "weeks",
    "conventions",
}


@dataclass
class Books:
    """All records, each with the connection it came from."""

    leads: list[tuple[str, Lead]] = field(default_factory=list)
    deals: list[tuple[str, Deal]] = field(default_factory=list)
    customers: list[tuple[str, Customer]] = field(default_factory=list)
    spend: list[tuple[str, Spend]] = field(default_factory=list)
    watermarks: dict[str, datetime] = field(default_factory=dict)

    def by_connection(self) -> dict[str, list[Record]]:
        records: dict[str, list[Record]] = {}
        for rows in (self.leads, self.deals, self.customers, self.spend):
            for connection, record in rows:
                records.setdefault(connection, []).append(record)
        return records


def quantile(values: Iterable[float], share: Fraction) -> float | None:
    """Linear interpolation between the two nearest of the sorted values."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * float(place - math.floor(place))


def latest_moment(books: Books) -> datetime | None:
    moments: dict[str, list[datetime]] = {}
    for connection, lead in books.leads:
        moments.setdefault(connection, []).append(lead.created_at)
    for connection, deal in books.deals:
        seen = [deal.created_at, deal.closed_at if deal.status in ("won", "lost") else None]
        moments.setdefault(connection, []).extend(moment for moment in seen if moment is not None)
    for connection, customer in books.customers:
        moments.setdefault(connection, []).append(customer.started_at)
    latest = {connection: max(seen) for connection, seen in moments.items() if seen} | books.watermarks
    return max(latest.values(), default=None)


def day_in(zone: tzinfo) -> Callable[[datetime], date]:
    """The day of a moment there; midnight in UTC is a date without a time."""
    return lambda moment: moment.date() if moment.time() == time() else moment.astimezone(zone).date()


def month_number(day: date) -> int:
    return 12 * day.year + day.month


@dataclass
class Judgement:
    lead: Lead
    customer: bool
    days: float | None
    age: float


def differences(found: Report, expected: Report) -> dict[str, tuple[object, object]]:
    """What differs by more than the last bits of a float, by its place in the report."""
    left, right = leaves(found), leaves(expected)
    pairs = {place: (left.get(place), right.get(place)) for place in left | right}
    return {place: pair for place, pair in pairs.items() if not same(*pair)}


def same(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-12)
    return left == right


def leaves(value: object, path: str = "") -> dict[str, object]:
    if isinstance(value, tuple):
        parts: dict[str, object] = {str(number): part for number, part in enumerate(value)} | {"count": len(value)}
    elif isinstance(value, Figures | Report):
        parts = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in ELSEWHERE}
    else:
        return {path: value}
    return {place: leaf for name, part in parts.items() for place, leaf in leaves(part, f"{path}.{name}").items()}


def report(books: Books, as_of: datetime, found_limit: float | None, zone: tzinfo = UTC) -> Report:
    """`found_limit`: the last bit of an interpolation must not decide whether a lead of just that age is judged."""
    day = day_in(zone)
    horizon = max([as_of, *[moment for moment in [latest_moment(books)] if moment is not None]])

    def happened(moment: datetime | None) -> bool:
        return moment is None or moment <= as_of or moment > horizon

    deals = [((c, d.lead_id), d.closed_at) for c, d in books.deals if d.status == "won" and happened(d.closed_at)]
    paying = [(c, customer) for c, customer in books.customers if happened(customer.started_at)]
    wins = [*deals, *(((c, customer.lead_id), customer.started_at) for c, customer in paying)]
    met = leads_of_payers(books.leads, paying, {key for key, _ in wins}, as_of, day)
    wins += [(met[c, one.id], one.started_at) for c, one in paying if met.get((c, one.id))]  # type: ignore[misc] # not None

    judgements = []
    for connection, lead in books.leads:
        if lead.created_at > as_of:
            continue
        won = [moment for key, moment in wins if key == (connection, lead.id)]
        dated = [moment for moment in won if moment is not None and moment <= horizon]
        days = (min(dated) - lead.created_at) / DAY if dated else None
        if days is not None and days <= -1:
            days = None
        judgements.append(
            Judgement(lead, bool(won), None if days is None else max(days, 0.0), (as_of - lead.created_at) / DAY)
        )

    limit = quantile((j.days for j in judgements if j.days is not None), Fraction(9, 10))
    days_of_leads = [day(lead.created_at) for _, lead in books.leads if lead.created_at <= as_of]
    paid = [s for _, s in books.spend if s.day <= as_of.astimezone(zone).date()]
    early = [s for s in paid if days_of_leads and month_number(s.day) < month_number(min(days_of_leads))]
    spend = [s for s in paid if s not in early]
    known = {(connection, lead.id) for connection, lead in books.leads}
    named = {j.lead.source for j in judgements} | {s.source for s in spend if s.source is not None}
    months = {day(j.lead.created_at).replace(day=1) for j in judgements} | {s.day.replace(day=1) for s in spend}

    def counts(judgements: Sequence[Judgement], spend: Sequence[Spend]) -> dict[str, float | int | None]:
        judged = [j for j in judgements if found_limit is not None and j.age >= found_limit]
        days = [j.days for j in judgements if j.days is not None]
        return {
            "leads": len(judgements),
            "customers": sum(j.customer for j in judgements),
            "judged_leads": len(judged),
            "judged_customers": sum(j.customer for j in judged),
            "open_leads": len(judgements) - len(judged),
            "days_to_win_median": quantile(days, Fraction(1, 2)),
            "days_to_win_p90": quantile(days, Fraction(9, 10)),
            "spend": float(sum(s.amount.amount for s in spend)) if spend else None,
        }

    by_source = [
        SourceFigures(
            source=source,
            **counts(  # type: ignore[arg-type] # counts are ints
                [j for j in judgements if j.lead.source == source],
                [s for s in spend if s.source is not None and s.source == source],
            ),
        )
        for source in named
    ]
    by_source.sort(key=lambda f: (-f.leads, f.source is None, f.source or ""))
    if unsourced := [s for s in spend if s.source is None]:
        by_source.append(SourceFigures(source=None, unsourced=True, **counts([], unsourced)))  # type: ignore[arg-type] # counts are ints
    by_month = [
        MonthFigures(
            month=month,
            **counts(  # type: ignore[arg-type] # counts are ints
                [j for j in judgements if day(j.lead.created_at).replace(day=1) == month],
                [s for s in spend if s.day.replace(day=1) == month],
            ),
        )
        for month in sorted(months)
    ]
    return Report(
        as_of=as_of,
        judged_after_days=limit,
        currency=paid[0].amount.currency if paid else None,
        total=Figures(**counts(judgements, spend)),  # type: ignore[arg-type] # counts are ints
        sources=tuple(by_source),
        months=tuple(by_month),
        undated_wins=sum(j.customer and j.days is None for j in judgements),
        unmatched_wins=sum(
            deal.status == "won" and happened(deal.closed_at) and (connection, deal.lead_id) not in known
            for connection, deal in books.deals
        ),
        unmet_payers=sum(lead is None for lead in met.values()),
        early_spend=float(sum(s.amount.amount for s in early)) if early else None,
        later_leads=len(books.leads) - len(days_of_leads),
        latest_lead=max(days_of_leads, default=None),
    )
