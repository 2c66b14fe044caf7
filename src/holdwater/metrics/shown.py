"""A report as text for a person and as plain values for a script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from holdwater.metrics.customer_figures import Share
from holdwater.metrics.figures import Report


def as_json(value: Any) -> Any:
    """Dataclasses as objects, moments as ISO text; a share with its rate beside the counts."""
    if is_dataclass(value):
        plain = {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
        return plain | {"rate": value.rate} if isinstance(value, Share) else plain
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def as_text(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    total = report.total
    yield f"As of {report.as_of:%Y-%m-%d %H:%M} UTC"
    yield f"Leads: {total.leads:,}; customers among them: {total.customers:,}"
    if report.judged_after_days is not None:
        judged = Share(count=total.judged_customers, of=total.judged_leads)
        yield f"Conversion of leads older than {report.judged_after_days:.1f} days: {_share(judged)}"
    if report.worked:
        basis = "worked" if report.worked.contacts_kept else "all (no contacts are kept)"
        yield f"  of those not referred, {basis}: {_share(report.worked.won)}"
    if report.referred:
        yield f"Customers that were referred: {_share(report.referred)}"
    if report.unmet_payers:
        yield f"Customers of a billing who were no lead before: {report.unmet_payers:,}"
    if total.spend is not None:
        yield f"Spend: {total.spend:,.2f} {report.currency}"
    if answers := report.first_response:
        middle = "" if answers.hours_p50 is None else f"; half of those answered within {answers.hours_p50:.1f} h"
        slow = "" if answers.hours_p90 is None else f", nine tenths within {answers.hours_p90:.1f} h"
        yield f"First answer within an hour: {_share(answers.within_hour)}{middle}{slow}"
        yield f"Never answered: {_share(answers.never)}"
    for reach in report.consent:
        yield f"May be written to ({reach.channel or 'any channel'}): {_share(reach.opted_in)}"
    for move in report.stage_moves:
        yield f"{move.stage} -> {move.to}: {_share(move.deals)}"
    for time in report.stage_times:
        half, most = _days(time.days_p50), _days(time.days_p90)
        yield f"Days in {time.stage}: half {half}, nine tenths {most}; {time.left:,} of {time.visits:,} visits are over"
    for lost in report.lost_reasons:
        yield f"Lost, {lost.reason or 'no reason recorded'} ({lost.whose}): {_share(lost.deals)}"
        if record := lost.record:
            yield (
                f"  by the messages ({record.claim}): right in {record.supported:,}, contradicted in"
                f" {record.contradicted:,}; {record.no_messages:,} have none"
            )
    if report.unnamed:
        yield f"{report.unnamed:,} sources and lost reasons have no name in the words file: see holdwater words"
    for month in report.customer_months[-13:]:
        so_far = "" if month.complete else ", so far"
        yield f"{month.month:%Y-%m}{so_far}: {month.new:,} new, {month.lost:,} lost; churn {_share(month.churned)}"
    for cohort in report.cohorts[-12:]:
        shares = " ".join("-" if share.rate is None else f"{share.rate:.0%}" for share in cohort.survivors)
        yield f"Of {cohort.customers:,} won in {cohort.month:%Y-%m} stayed: {shares}"
    for paid in report.revenue_months[-12:]:
        each = f"{paid.customers:,} customers, {paid.per_customer:,.2f} each"
        yield f"Paid invoices of {paid.month:%Y-%m}: {paid.revenue:,.2f} {paid.currency} from {each}"


def _share(share: Share) -> str:
    counts = f"{share.count:,} of {share.of:,}"
    return counts if share.rate is None else f"{share.rate:.1%} ({counts})"


def _days(days: float | None) -> str:
    return "(not yet)" if days is None else f"{days:.1f}"
