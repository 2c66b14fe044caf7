"""From a report to the rows of the owned tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from math import isfinite

import holdwater
from holdwater.bucket import one_more_lead, profit, project
from holdwater.errors import ExportError, FormulaError
from holdwater.metrics.figures import Figures, Report
from holdwater.workbook.bucket import bucket_of, number, of_worked
from holdwater.workbook.cells import CellError, Value
from holdwater.workbook.evaluate import Rows, Values
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.owned import ABOUT, MONTHS, RESULTS, SOURCES, USED

NOT_RECORDED = "(not recorded)"
UNSOURCED = "(spend without a source)"
LONGEST_HISTORY = 50 * 12  # months; a lead before that is a mistyped date
RECENT_MONTHS = 3


def contents(report: Report, typed: Mapping[str, Value], origin: str, refreshed: str) -> dict[str, Rows]:
    """The data columns of every owned table, by table name."""
    data: dict[str, Rows] = {
        SOURCES.name: [
            [row.source or (UNSOURCED if row.unsourced else NOT_RECORDED), *_counts(row)] for row in report.sources
        ],
        MONTHS.name: _months(report),
        ABOUT.name: _about(report, origin, refreshed),
    }
    values = Values(typed, data)
    return data | {RESULTS.name: _results(values), USED.name: [[i.label, typed.get(i.name)] for i in INPUTS]}


def _counts(row: Figures) -> list[Value]:
    return [
        row.leads, row.customers, row.judged_leads, row.judged_customers, row.open_leads,
        row.days_to_win_median, row.days_to_win_p90, row.spend,
    ]  # fmt: skip


def _months(report: Report) -> list[list[Value]]:
    """Every month from the first lead to the last, those without a lead too: an average must count them."""
    if not report.months:
        return []
    known = {row.month: row for row in report.months}
    months = [min(known)]
    this_month = report.as_of.date().replace(day=1)
    while months[-1] < max(*known, this_month):
        months.append(_next(months[-1]))
        if len(months) > LONGEST_HISTORY:
            raise ExportError(
                f"The first lead is dated {min(known):%Y-%m}, more than {LONGEST_HISTORY // 12} years before the last:"
                " mend that date in the CRM or the export, then sync again."
            )
    # Where an export ends before its deals do, the months after the last lead say nothing about the flow of leads.
    last = max((row.month for row in report.months if row.leads), default=this_month)
    complete = [month for month in months if month < this_month and month <= last]
    recent = set(complete[-RECENT_MONTHS:])
    nothing: list[Value] = [0, 0, 0, 0, 0, None, None, None]
    return [[m, *(_counts(known[m]) if m in known else nothing), int(m in recent)] for m in months]


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _about(report: Report, origin: str, refreshed: str) -> list[list[Value]]:
    days = report.judged_after_days
    return [
        ["Source", origin],
        ["As of", _minute(report.as_of)],
        ["Refreshed", refreshed],
        ["Computed by", f"Holdwater {holdwater.__version__}"],
        ["Leads", report.total.leads],
        ["Customers", report.total.customers],
        ["Days until a lead is old enough to judge", "nobody has been won yet" if days is None else round(days, 1)],
        ["Currency of the spend", report.currency or "no spend known"],
        ["Leads dated after that, left out", report.later_leads],
        ["Spend before the first month of leads, left out", report.early_spend or 0],
        ["Customers without a usable won date", report.undated_wins],
        ["Won deals of no known lead", report.unmatched_wins],
    ]


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _results(values: Values) -> list[list[Value]]:
    """What needs a loop over the months ahead; an error where an input is missing or wrong."""
    labels = {
        "One more lead a month": "What one more paid lead in every month ahead adds to the profit, in all.",
        "Profit": "Discounted profit over the months ahead, and what the customers left then still bring.",
        "Customers at the end": "Customers after the months ahead.",
        "Leads burned": "Leads in the months ahead that nobody will have time for.",
        "Month in which delivery is full": "The first month with more customers than can be served; empty: none.",
    }
    numbers: list[Value]
    try:
        bucket = bucket_of(values)
        paid = of_worked(values, number(values, "paid_conversion"))
        periods = list(project(bucket))
        full = [period.period + 1 for period in periods if period.customers >= bucket.customer_capacity]
        numbers = [
            one_more_lead(bucket, conversion=paid),
            profit(bucket),
            periods[-1].customers + periods[-1].new - periods[-1].lost,
            sum(period.burned for period in periods),
            full[0] if full else None,
        ]
        if not all(number is None or isfinite(number) for number in numbers):  # type: ignore[arg-type]  # numbers here
            numbers = [CellError("#NUM!")] * len(labels)
    except FormulaError as error:
        numbers = [CellError(error.cell)] * len(labels)
    return [[label, number, meaning] for (label, meaning), number in zip(labels.items(), numbers, strict=True)]
