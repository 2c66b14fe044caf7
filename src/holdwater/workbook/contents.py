"""From a report to the rows of the owned tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import holdwater
from holdwater.errors import ExportError
from holdwater.metrics.conventions import UNSAID, Conventions
from holdwater.metrics.figures import Figures, Report
from holdwater.workbook import about as entries
from holdwater.workbook.cells import Value
from holdwater.workbook.checks import CONTROL_CHECKS, RESULT_CHECKS
from holdwater.workbook.curves import NO_CURVES, Curves
from holdwater.workbook.customer_contents import customer_contents
from holdwater.workbook.evaluate import Rows, Values
from holdwater.workbook.fixes import NO_FIXES, Fixes
from holdwater.workbook.grid import RESULT_KEYS
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.owned import (
    ABOUT,
    CONTROLS,
    COUNTS,
    LOG,
    MONTHS,
    RESULTS,
    SOURCES,
    USED,
    USED_CURVES,
    USED_FIXES,
    USED_RATES,
    USED_SOURCES,
    WEEKS,
)
from holdwater.workbook.rates import NO_RATES, Rates
from holdwater.workbook.results import results
from holdwater.workbook.sheet_formulas.lookups import looked_up

NOT_RECORDED = "(not recorded)"
UNSOURCED = "(spend without a source)"
LONGEST_HISTORY = 50 * 12  # months; a lead before that is a mistyped date
RECENT_MONTHS = 3


def contents(
    report: Report,
    typed: Mapping[str, Value],
    origin: str,
    refreshed: str,
    fixes: Fixes = NO_FIXES,
    log: Rows = (),
    rates: Rates = NO_RATES,
    curves: Curves = NO_CURVES,
) -> dict[str, Rows]:
    """The data columns of every owned table, by table name; `log` holds the lines of the sheet Log."""
    sources: Rows = [
        [row.source or (UNSOURCED if row.unsourced else NOT_RECORDED), *_counts(row)] for row in report.sources
    ]
    about = _about(report, origin, refreshed)
    data: dict[str, Rows] = {
        SOURCES.name: sources,
        MONTHS.name: _months(report),
        **customer_contents(report),
        WEEKS.name: [[row.week, row.leads, row.won] for row in report.weeks],
        LOG.name: log,
        USED.name: [[i.label, typed.get(i.name)] for i in INPUTS],
        USED_FIXES.name: fixes,
        USED_RATES.name: rates,
        USED_CURVES.name: curves,
        USED_SOURCES.name: [row[:1] for row in sources],
        ABOUT.name: about,
        COUNTS.name: _source_counts(report),
    }
    data[RESULTS.name] = results(
        Values(typed, data, fixes, rates, curves), typed, fixes, {row[0]: row[1] for row in about}, rates, curves
    )
    return data | {CONTROLS.name: _controls(report, Values(typed, data, fixes, rates, curves))}


def _controls(report: Report, values: Values) -> Rows:
    """What the store says, and the sums of what is written."""
    spend = [row.spend for row in report.sources if row.spend is not None]
    store: list[list[Value]] = [
        ["store leads", report.total.leads],
        ["store customers", report.total.customers],
        ["store spend", report.total.spend or sum(spend)],
    ]
    controls = [
        [check.was.strip('"'), values.call(check.function, check.arguments)]
        for check in (*CONTROL_CHECKS, *RESULT_CHECKS)
    ]
    verdict: Value = values.call(looked_up, RESULT_KEYS | {"key": '"VERDICT"'})
    return [*store, *controls, ["VERDICT", verdict]]


def _source_counts(report: Report) -> list[list[Value]]:
    return [
        [one.connection, None, None]
        if one.before is None
        else [f"{one.connection}: {one.stream} made before {_minute(one.before)}", one.told, one.kept]
        for one in report.counted
    ]


def _counts(row: Figures) -> list[Value]:
    return [
        row.leads, row.customers, row.judged_leads, row.judged_customers, row.open_leads,
        row.days_to_win_median, row.days_to_win_p90, row.spend,
    ]  # fmt: skip


def _months(report: Report) -> list[list[Value]]:
    known, recent = {row.month: row for row in report.months}, _recent(report)
    nothing: list[Value] = [0, 0, 0, 0, 0, None, None, None]
    return [[m, *(_counts(known[m]) if m in known else nothing), int(m in recent)] for m in _every_month(report)]


def _every_month(report: Report) -> list[date]:
    """From the first lead to the last, those without a lead too: an average must count them."""
    known = [row.month for row in report.months]
    if not known:
        return []
    months = [min(known)]
    this_month = report.today.replace(day=1)
    while months[-1] < max(*known, this_month):
        months.append(_next(months[-1]))
        if len(months) > LONGEST_HISTORY:
            raise ExportError(
                f"The first lead is dated {min(known):%Y-%m}, more than {LONGEST_HISTORY // 12} years before the last:"
                " mend that date in the CRM or the export, then sync again."
            )
    return months


def _recent(report: Report) -> set[date]:
    """The last complete months, whose average is the flow of leads."""
    this_month = report.today.replace(day=1)
    # Where an export ends before its deals do, the months after the last lead say nothing about the flow of leads.
    last = max((row.month for row in report.months if row.leads), default=this_month)
    complete = [month for month in _every_month(report) if month < this_month and month <= last]
    return set(complete[-RECENT_MONTHS:])


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
        ["Customers of a billing who were no lead before", report.unmet_payers],
        ["Customers said to have left before they began", report.backward_customers],
        *_contacts(report),
        *_worked(report),
        *_kept(report.conventions),
    ]


def _kept(conventions: Conventions) -> list[list[Value]]:
    """How the books are kept, where it is not as most keep them."""
    rows: list[list[Value]] = []
    if conventions.time_zone != UNSAID.time_zone:
        rows.append([entries.TIME_ZONE, conventions.time_zone])
    rows += [[f"Rate of one {other} in {conventions.currency}", rate] for other, rate in conventions.rates.items()]
    return rows


def _contacts(report: Report) -> list[list[Value]]:
    """How soon leads are answered, and who was referred; nothing where no CRM keeps it."""
    rows: list[list[Value]] = []
    if report.first_response is not None:
        first = report.first_response
        rows += [
            ["Leads in CRMs that keep calls and mails", first.leads],
            ["Answered at all", first.answered],
            ["Hours to the first answer, median", first.hours_p50],
            ["Hours to the first answer, 9 in 10", first.hours_p90],
            ["Answered within an hour", first.within_hour.count],
            ["Old enough to tell that", first.within_hour.of],
            ["Never answered in 30 days", first.never.count],
            ["Old enough to tell so", first.never.of],
        ]
    if report.referred is not None:
        rows += [["Customers who were referred", report.referred.count]]
    return rows


def _worked(report: Report) -> list[list[Value]]:
    """What tells the referred from other leads, and, where contacts are kept, the worked from the others."""
    if report.worked is None:
        return []
    worked, recent = report.worked, _recent(report)
    rows: list[list[Value]] = [
        [entries.REFERRED, sum(row.leads for row in report.referred_months)],
        [entries.REFERRED_RECENTLY, sum(row.leads for row in report.referred_months if row.month in recent)],
        [entries.REFERRED_JUDGED, worked.referred_judged],
        [entries.REFERRED_WON, worked.referred.count],
    ]
    if worked.contacts_kept:
        rows += [[entries.WORKED, worked.won.of + worked.referred.of], [entries.REFERRED_WORKED, worked.referred.of]]
    return rows


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
