"""From a report to the rows of the owned tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from math import inf

import holdwater
from holdwater.bucket import Bucket, one_more_lead, profit, project
from holdwater.errors import FormulaError
from holdwater.metrics.figures import Figures, Report
from holdwater.workbook.cells import CellError, Value
from holdwater.workbook.evaluate import Rows, Values
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.owned import ABOUT, MONTHS, RESULTS, SOURCES, USED

NOT_RECORDED = "(not recorded)"
RECENT_MONTHS = 3


def contents(report: Report, typed: Mapping[str, Value], origin: str, refreshed: str) -> dict[str, Rows]:
    """The data columns of every owned table, by table name."""
    data: dict[str, Rows] = {
        SOURCES.name: [[row.source or NOT_RECORDED, *_counts(row)] for row in report.sources],
        MONTHS.name: _months(report),
        ABOUT.name: _about(report, origin, refreshed),
    }
    values = Values(typed, data)
    return data | {RESULTS.name: _results(values), USED.name: [[i.label, values[i.name]] for i in INPUTS]}


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
    complete = [month for month in months if month < this_month]
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
        ["Days until a lead is old enough to judge", "nobody has been won yet" if days is None else days],
        ["Currency of the spend", report.currency or "no spend known"],
        ["Customers without a usable won date", report.undated_wins],
        ["Won deals of no known lead", report.unmatched_wins],
    ]


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _results(values: Values) -> list[list[Value]]:
    """What needs a loop over the months ahead; an error where an input is missing or wrong."""
    labels = {
        "One more lead a month": "What one more lead in every month adds to the profit, at the price paid for leads.",
        "Profit": "Discounted profit over the months ahead, and what the customers left then still bring.",
        "Customers at the end": "Customers after the months ahead.",
        "Leads burned": "Leads in the months ahead that nobody will have time for.",
        "Month in which delivery is full": "The first month with more customers than can be served; empty: none.",
    }
    numbers: list[Value]
    try:
        bucket = _bucket(values)
        periods = list(project(bucket))
        full = [period.period + 1 for period in periods if period.customers >= bucket.customer_capacity]
        numbers = [
            one_more_lead(bucket),
            profit(bucket),
            periods[-1].customers + periods[-1].new - periods[-1].lost,
            sum(period.burned for period in periods),
            full[0] if full else None,
        ]
    except FormulaError as error:
        numbers = [CellError(error.cell)] * len(labels)
    return [[label, number, meaning] for (label, meaning), number in zip(labels.items(), numbers, strict=True)]


def _bucket(values: Values) -> Bucket:
    """The business as it stands; without known spend, leads are free."""

    def number(name: str) -> float:
        value = values[name]
        if isinstance(value, CellError):
            error = FormulaError(f"{name} is {value}")
            error.cell = str(value)
            raise error
        return float(value)

    leads = sum(values["hw_sources[Leads]"])
    spend = sum(value or 0 for value in values["hw_sources[Spend]"])
    capacity = values["service_capacity"]
    return Bucket(
        leads=number("lead_flow"),
        cost_per_lead=spend / leads if leads else 0,
        next_lead_cost=number("paid_lead_cost") if spend else 0,
        conversion=number("paid_conversion"),
        lead_capacity=number("lead_limit"),
        lead_cost=number("lead_work_cost"),
        revenue_per_customer=number("monthly_revenue"),
        gross_margin=number("margin_share"),
        churn=number("monthly_churn"),
        discount=number("monthly_discount"),
        referral_rate=number("monthly_referral"),
        customers=number("customers_now"),
        customer_capacity=inf if capacity == "" else number("service_capacity"),
        fixed_cost=number("monthly_fixed_cost") + number("monthly_sales_cost"),
        horizon=int(number("horizon_months")),
    )
