"""The sheets behind the first: one question each."""

from __future__ import annotations

from holdwater.bucket.improvement import LEVERS
from holdwater.bucket.limits import CONSTRAINTS
from holdwater.bucket.projects import MOST
from holdwater.units import COUNT, MONEY, PERCENT
from holdwater.workbook.checks import CHECKS, CONTROL, FIRST_CHECK, TEXT_CHECKS
from holdwater.workbook.curves import ROWS as MOST_CURVES
from holdwater.workbook.evaluate import CHECKS_LINE, FRESHNESS
from holdwater.workbook.figures import CHURN_BESIDE
from holdwater.workbook.grid import (
    ABOUT_KEYS,
    YEARS_OF,
    Cell,
    Screen,
    Text,
    figure,
    heads,
    of_year,
    result,
    result_price,
    results_and,
    tested,
)
from holdwater.workbook.owned import CURVE_HEADERS, FIX_HEADERS
from holdwater.workbook.sheet_formulas import control, definitions, fiscal, lookups, lost_deals, totals, trust

HINT_ROW = 2
MONTHS_AHEAD = 24
YEARS_SHOWN = 6
YEARS_TOP = 5

# Fixes: what a person types, the order that earns most, and what a tenth of anything is worth.
FIXES_TOP = 5  # first row that is typed
_ORDER = FIXES_TOP + MOST + 2
_LEVERS = _ORDER + MOST + 3
CURVES_TOP = _LEVERS + len(LEVERS) + 5  # first row of sources that is typed
ORDER_FIRST, ORDER_LAST = _ORDER + 1, _ORDER + 1 + MOST

_ANY_SIZE = "[>=1000]#,##0;[>=1]0.00;0.0000"  # a share, or money, or a count
LEVERS_FIRST = _LEVERS  # the row of their headings, beside which the chart stands

# Capacity
_LIMITS = 4
_AHEAD = _LIMITS + len(CONSTRAINTS) + 2
AHEAD_FIRST, AHEAD_LAST = _AHEAD + 1, _AHEAD + MONTHS_AHEAD
_ANSWERS = AHEAD_LAST + 2

CHECKS_TOP = FIRST_CHECK - 1
_CURVES_HINT = (
    '"Type below, for each source you pay for, the most leads it could ever bring in a month and the spend that brings'
    ' half of them; then run holdwater refresh."'
)


def _fixes() -> Screen:
    cells = [
        Cell(HINT_ROW, 0, "quiet", lookups.or_hint, results_and(
            key='"FIX_SEQUENCE"', hint='"Type fixes into the shaded cells, then run holdwater refresh."'))]  # fmt: skip
    columns = (("@", ""), (COUNT, " start"), (COUNT, " done"), (MONEY, " cost"), (MONEY, " gain"), (MONEY, " profit"))
    for order in range(MOST + 1):
        for place, (style, what) in enumerate(columns):
            key = results_and(key=f'"FIX_SEQUENCE {order}{what}"')
            cells.append(Cell(_ORDER + 1 + order, place, style, lookups.looked_up, key))
        cells.append(result_price(_ORDER + 1 + order, len(columns), f"FIX_SEQUENCE {order} ALLOWABLE_CPL"))
    levers = (("@", ""), (_ANY_SIZE, " now"), (_ANY_SIZE, " better"), (MONEY, " value"), (COUNT, " LEADS_EQUIVALENT"))
    for order in range(1, len(LEVERS) + 1):
        for place, (style, what) in enumerate(levers):
            key = results_and(key=f'"LEVERS {order}{what}"')
            cells.append(Cell(_LEVERS + order, place, style, lookups.looked_up, key))
    cells.append(Cell(CURVES_TOP - 2, 0, "quiet", lookups.or_hint, results_and(key='"SPEND_SPLIT"', hint=_CURVES_HINT)))
    split = ((MONEY, " now"), (MONEY, " spend"), (COUNT, " leads"), (MONEY, " gain"))
    for row in range(MOST_CURVES):
        for place, (style, what) in enumerate(split, start=len(CURVE_HEADERS)):
            key = results_and(key=f'"SPEND_SPLIT {row + 1}{what}"')
            cells.append(Cell(CURVES_TOP + row, place, style, lookups.looked_up, key))
    texts = [
        *(Text(FIXES_TOP - 1, n, text, "head aside" if text in ("Fix", "Lever", "Needs") else "head right")
          for n, text in enumerate(FIX_HEADERS)),
        *heads(_ORDER, 0, "In the order that earns most", "starts, month", "done, month", "cost", "gain", "profit then",
               "a lead may cost"),
        *heads(CURVES_TOP - 1, 0, *CURVE_HEADERS, "spent, average", "best spend", "leads then", "gain"),
        Text(CURVES_TOP - 3, 0, "The budget for leads, split best", "head"),
        *heads(_LEVERS, 0, "Levers: a tenth or point better", "now", "better", "worth", "as many leads a month"),
    ]  # fmt: skip
    return Screen("Fixes", "What could be mended: which first, and what a lead may cost then.",
                  (34, 20, 16, 16, 22, 20, 18), tuple(cells), tuple(texts), frozen=(4, 1))  # fmt: skip


def _capacity() -> Screen:
    cells, texts = [], [
        *heads(_LIMITS, 0, "What one more is worth", "now", "worth", "down to", "up to", "holds back from month"),
        *heads(_AHEAD, 0, "Months ahead", "customers", "new", "lost", "leads burned", "contribution"),
        Text(_ANSWERS, 0, "How soon leads are answered", "head"), Text(_ANSWERS, 1, "", "head"),
    ]  # fmt: skip
    limits = ((COUNT, " now"), (MONEY, ""), (COUNT, " holds from"), (COUNT, " holds to"), (COUNT, " binds from"))
    for row, label in enumerate(CONSTRAINTS, start=_LIMITS + 1):
        texts.append(Text(row, 0, label.replace("_", " ")))
        for place, (style, what) in enumerate(limits, start=1):
            cells.append(result(row, place, style, f"CONSTRAINT_VALUE {label}{what}"))
    ahead = ((COUNT, "customers"), ("0.0", "new"), ("0.0", "lost"), ("0.0", "burned"), (MONEY, "contribution"))
    for month in range(1, MONTHS_AHEAD + 1):
        texts.append(Text(_AHEAD + month, 0, f"month {month}"))
        for place, (style, what) in enumerate(ahead, start=1):
            key = results_and(key=f'"PROJECTION {month} {what}"')
            cells.append(Cell(_AHEAD + month, place, style, lookups.looked_up, key))
    answers = ("Leads in CRMs that keep calls and mails", "Answered at all", "Hours to the first answer, median",
               "Hours to the first answer, 9 in 10", "Answered within an hour",
               "Never answered in 30 days")  # fmt: skip
    for row, entry in enumerate(answers, start=_ANSWERS + 1):
        texts.append(Text(row, 0, entry))
        key = ABOUT_KEYS | {"key": f'"{entry}"'}
        style = "0.0" if entry.startswith("Hours") else COUNT
        cells.append(Cell(row, 1, style, lookups.looked_up, key))
        if row == _ANSWERS + 1:
            hint = key | {"hint": '"connect a CRM that keeps calls and mails to see this"'}
            cells.append(Cell(row, 2, "aside", lookups.hint_beside, hint))
    note = (
        "What limits the business, what one more of it is worth, and where that leads."
        " The referred are no leads here if Inputs has a rate for them."
    )
    return Screen("Capacity", note, (42, 14, 16, 14, 14, 20), tuple(cells), tuple(texts), frozen=(5, 1))


def _checks() -> Screen:
    cells = [
        Cell(HINT_ROW, 0, "status", control.checks_line, CHECKS_LINE),
        Cell(CHECKS_TOP, 3, "@", control.freshness, FRESHNESS),
    ]
    texts = [
        *heads(CHECKS_TOP - 1, 0, "Check", "as refreshed", "now"), Text(CHECKS_TOP - 1, 3, "Says", "head aside"),
        Text(CHECKS_TOP, 0, "Inputs and fixes as they were when the results were computed"),
    ]  # fmt: skip
    for row, check in enumerate(CHECKS, start=FIRST_CHECK):
        texts.append(Text(row, 0, check.label))
        cells += [
            Cell(row, 1, "#,##0.00", lookups.looked_up, CONTROL | {"key": check.was}),
            Cell(row, 2, "#,##0.00", check.function, check.arguments),
            Cell(row, 3, "@", control.agrees, {"was": f"$B${row + 1}", "now": f"$C${row + 1}"}),
        ]
    for row, (label, function, arguments) in enumerate(TEXT_CHECKS, start=FIRST_CHECK + len(CHECKS)):
        texts.append(Text(row, 0, label))
        cells.append(Cell(row, 3, "@", function, arguments))
    return Screen("Checks", "What refresh wrote, against the tables added up again by these formulas.",
                  (58, 22, 22, 60), tuple(cells), tuple(texts), frozen=(CHECKS_TOP, 1))  # fmt: skip


def _years() -> Screen:
    headings = ("Fiscal year", "leads", "customers", "spend", "came in", "left")
    cells, texts = [], [Text(YEARS_TOP - 1, n, text, "head right") for n, text in enumerate(headings)]
    columns = (("hw_months", "Leads", COUNT), ("hw_months", "Customers", COUNT), ("hw_months", "Spend", MONEY),
               ("hw_customers", "New", COUNT), ("hw_customers", "Lost", COUNT))  # fmt: skip
    for place in range(YEARS_SHOWN):
        row = YEARS_TOP + place
        which = {"place": str(place), "shown": str(YEARS_SHOWN)}
        cells.append(Cell(row, 0, "0", fiscal.fiscal_year, YEARS_OF | which))
        cells += [of_year(row, n, style, table, header, which) for n, (table, header, style) in enumerate(columns, 1)]
    texts.append(Text(HINT_ROW, 0, "Customers are those won from the leads of the year, whenever that was; came in and"
                                   " left are counted in the year in which they did.", "quiet"))  # fmt: skip
    note = "By fiscal years, which begin with the month typed on Inputs and have the number of the year they end in."
    return Screen("Years", note, (22, 14, 14, 18, 14, 14), tuple(cells), tuple(texts), frozen=(YEARS_TOP, 1))


def _hint(column: str, hint: str) -> Cell:
    return Cell(HINT_ROW, 0, "quiet", lookups.connected, {"column": column, "hint": f'"{hint}"'})


def _funnel() -> Screen:
    texts = [
        *heads(4, 0, "From lead to customer", "how many"),
        Text(4, 2, "Counted, and 90 % sure between", "head aside"),
    ]
    texts += [Text(row, 0, text) for row, text in enumerate(
        ("Leads", "Deals, ever in the first stage", "Leads old enough to judge", "Customers of those"),
        start=5)]  # fmt: skip
    cells = (
        _hint("hw_stages[[#All],[Stage]]", "Connect a CRM that keeps stages (sync hubspot or tryton) to see this."),
        Cell(5, 1, COUNT, totals.sum_of, {"column": "hw_sources[Leads]"}),
        Cell(6, 1, COUNT, lookups.first_or_dash, {"column": "hw_stages[[#All],[Of]]"}),
        figure(7, 1, COUNT, "any_judged"),
        figure(8, 1, COUNT, "any_won"),
        Cell(8, 2, "@", trust.trusted, {"count": "any_won", "of": "any_judged"}),
    )
    return Screen("", "", (), cells, tuple(texts))


def _retention() -> Screen:
    hint = "Connect billing (exports with customers: started, ended) to see this; docs/exports.md says how."
    churn = Cell(HINT_ROW + 1, 0, "plain", definitions.churn_beside, CHURN_BESIDE)
    return Screen("", "", (), (_hint("hw_cohorts[[#All],[Customers]]", hint), churn), ())


def _losses() -> Screen:
    texts = [*heads(4, 0, "Whose reason", "deals", "", "share")]
    cells = [_hint("hw_losses[[#All],[Reason given]]", "Connect a CRM that keeps reasons of lost deals to see this.")]
    for row, whose in enumerate(("us", "them", "unknown"), start=5):
        lost = {"whose": "hw_losses[[#All],[Whose]]", "deals": "hw_losses[[#All],[Deals]]", "word": f'"{whose}"'}
        texts.append(Text(row, 0, whose))
        cells += [Cell(row, 1, COUNT, lost_deals.lost_by, lost), Cell(row, 3, PERCENT, lost_deals.lost_share, lost)]
    cells += [tested(9, 0, "plain", "no reply"), tested(10, 0, "plain", "our delay")]
    texts.append(
        Text(
            8,
            0,
            "No reply: borne out where fewer than half of our mails and calls were answered within 72 hours."
            " Our delay: where half of our answers took longer.",
            "quiet",
        )
    )
    return Screen("", "", (), tuple(cells), tuple(texts), heights={8: 24})


def _permission() -> Screen:
    hint = "Connect a CRM that keeps consents to see who may be written to."
    return Screen("", "", (), (_hint("hw_consent[[#All],[Channel]]", hint),), ())


FIXES, CAPACITY, CHECKS_SCREEN, YEARS = _fixes(), _capacity(), _checks(), _years()
FUNNEL, RETENTION, LOSSES_SCREEN, PERMISSION = _funnel(), _retention(), _losses(), _permission()
