"""The first sheet: what an owner sees in one minute."""

from __future__ import annotations

from holdwater.units import COUNT, MONEY, PERCENT
from holdwater.workbook.evaluate import CHECKS_LINE, FRESHNESS
from holdwater.workbook.figures import CHURN_BESIDE, KEY_FIGURES
from holdwater.workbook.grid import Cell, Screen, Text, figure, heads, result, result_price, results_and, tested
from holdwater.workbook.sheet_formulas import answers, control, definitions, lookups, lost_deals, totals, trust

LEFT, RIGHT = 1, 6
VERDICT_ROW, STATUS_ROW, CHECKS_ROW = 3, 6, 7
TOP = 9  # row of the headings of the key figures and of the load
FIXES_SHOWN = 5
_FUNNEL = TOP + len(KEY_FIGURES) + 2
_FIXES, _VALUE = TOP + 5, TOP + 5 + FIXES_SHOWN + 3
_LOST = _VALUE + 8
CHARTS_ROW = max(_FUNNEL + 6, _LOST + 7)

LINES = (
    Cell(1, LEFT, "quiet", answers.subtitle, {"about": "hw_about[Value]"}),
    Cell(VERDICT_ROW, LEFT, "verdict", answers.headline, results_and(
        seen="hw_sources[Leads]", leads="lead_flow",
        conversion="paid_conversion", value="customer_value", allowable="allowable_lead_cost",
        paid="paid_lead_cost", stale="results_status", count="paid_won", of="paid_judged")),
    Cell(4, LEFT, "line", answers.load, {"leads": "lead_flow", "capacity": "lead_limit"}),
    Cell(5, LEFT, "line", answers.outlook, results_and(months="horizon_months", stale="results_status")),
    Cell(STATUS_ROW, LEFT, "status", control.freshness, FRESHNESS),
    Cell(CHECKS_ROW, LEFT, "status", control.checks_beside, CHECKS_LINE),
)  # fmt: skip


def _key_figures() -> list[Cell]:
    cells = []
    for row, key in enumerate(KEY_FIGURES, start=TOP + 1):
        if not key.counts:
            cells.append(figure(row, LEFT + 1, key.number_format, key.name))
        else:
            count, of = key.counts
            rate = {"value": key.name, "count": count}
            cells.append(Cell(row, LEFT + 1, key.number_format, trust.if_trusted, rate))
            said, arguments = key.between or (trust.trusted, {"count": count, "of": of})
            cells.append(Cell(row, LEFT + 2, "@", said, arguments))
    return cells


def _load(row: int, now: str, limit: str, constraint: str) -> list[Cell]:
    used = {"now": now, "limit": limit}
    return [
        figure(row, RIGHT + 1, COUNT, now),
        figure(row, RIGHT + 2, COUNT, limit),
        Cell(row, RIGHT + 3, PERCENT, answers.used_share, used),
        result(row, RIGHT + 4, COUNT, f"CONSTRAINT_VALUE {constraint}"),
        Cell(row, RIGHT + 5, "@", answers.room, used),
    ]


def _fixes() -> list[Cell]:
    now = _FIXES + 1
    cells = [
        result(now, RIGHT + 3, COUNT, "BUCKET_PROFIT"),
        Cell(now, RIGHT + 4, MONEY, trust.if_trusted, {"value": "allowable_lead_cost", "count": "paid_won"}),
        Cell(
            now,
            RIGHT + 5,
            "@",
            answers.against,
            {"may": "allowable_lead_cost", "paid": "paid_lead_cost", "count": "paid_won"},
        ),
    ]
    for order in range(1, FIXES_SHOWN + 1):
        row, key = now + order, f"FIX_SEQUENCE {order}"
        looked = lookups.looked_up
        columns = (("@", key), (COUNT, f"{key} done"), (COUNT, f"{key} cost"), (COUNT, f"{key} profit"))
        for place, (style, name) in enumerate(columns):
            cells.append(Cell(row, RIGHT + place, style, looked, results_and(key=f'"{name}"')))
        cells.append(result_price(row, RIGHT + 4, f"{key} ALLOWABLE_CPL"))
        may = results_and(key=f'"{key} ALLOWABLE_CPL"', paid="paid_lead_cost", count="paid_won")
        cells.append(Cell(row, RIGHT + 5, "@", answers.against_result, may))
    return cells


def _value() -> list[Cell]:
    row = _VALUE
    return [
        figure(row + 1, RIGHT + 1, MONEY, "monthly_revenue"),
        figure(row + 2, RIGHT + 1, PERCENT, "margin_share"),
        figure(row + 3, RIGHT + 1, MONEY, "customer_margin"),
        Cell(
            row + 4,
            RIGHT + 1,
            "0.0",
            answers.lifetime_months,
            {"churn": "monthly_churn", "discount": "monthly_discount"},
        ),
        Cell(row + 4, RIGHT + 2, "aside", definitions.churn_beside, CHURN_BESIDE),
        figure(row + 5, RIGHT + 1, MONEY, "customer_value"),
        figure(row + 6, RIGHT + 1, MONEY, "allowable_customer_cost"),
    ]


def _funnel() -> list[Cell]:
    row = _FUNNEL
    return [
        Cell(row + 1, LEFT + 1, COUNT, totals.sum_of, {"column": "hw_sources[Leads]"}),
        Cell(row + 2, LEFT + 1, COUNT, lookups.first_or_dash, {"column": "hw_stages[[#All],[Of]]"}),
        figure(row + 3, LEFT + 1, COUNT, "any_judged"),
        figure(row + 4, LEFT + 1, COUNT, "any_won"),
        Cell(row + 4, LEFT + 2, "@", trust.trusted, {"count": "any_won", "of": "any_judged"}),
    ]


def _lost() -> list[Cell]:
    cells = []
    for row, whose in enumerate(("us", "them", "unknown"), start=_LOST + 1):
        lost = {"whose": "hw_losses[[#All],[Whose]]", "deals": "hw_losses[[#All],[Deals]]", "word": f'"{whose}"'}
        cells += [
            Cell(row, RIGHT + 1, COUNT, lost_deals.lost_by, lost),
            Cell(row, RIGHT + 3, PERCENT, lost_deals.lost_share, lost),
        ]
    return [*cells, tested(_LOST + 4, RIGHT, "plain", "no reply"), tested(_LOST + 5, RIGHT, "plain", "our delay")]


def _texts() -> list[Text]:
    texts = [
        *heads(TOP, LEFT, "Key figures", ""),
        Text(TOP, LEFT + 2, "Counted, and 90 % sure between", "head aside"),
        Text(TOP, LEFT + 3, "What it is", "head aside"),
        *heads(TOP, RIGHT, "Load against limits", "now", "most", "used", "1 more is worth"),
        Text(TOP, RIGHT + 5, "In words", "head aside"),
        Text(TOP + 1, RIGHT, "Leads a month, sales"),
        Text(TOP + 2, RIGHT, "Customers, delivery"),
        *heads(_FIXES, RIGHT, "Fixes in order", "done, month", "cost", "profit then", "a lead may cost"),
        Text(_FIXES, RIGHT + 5, "Against what is paid", "head aside"),
        Text(_FIXES + 1, RIGHT, "as things are"),
        *heads(_VALUE, RIGHT, "Lifetime value, built up", ""),
        *heads(_LOST, RIGHT, "Lost deals: whose reason", "deals", "", "share"),
        *heads(_FUNNEL, LEFT, "From lead to customer", ""),
        Text(_FUNNEL, LEFT + 2, "Counted, and 90 % sure between", "head aside"),
        Text(_FUNNEL, LEFT + 3, "What it is", "head aside"),
    ]
    for row, text in enumerate(
        ("Revenue per customer and month", "x gross margin", "= gross profit a month", "x months kept, discounted",
         "= lifetime value", "of which may be spent on winning"), start=_VALUE + 1):  # fmt: skip
        texts.append(Text(row, RIGHT, text))
    for row, text in enumerate(("us", "them", "unknown"), start=_LOST + 1):
        texts.append(Text(row, RIGHT, text))
    for row, (text, meaning) in enumerate(
        (("Leads", "everybody who asked"), ("Deals", "that were ever in the first stage"),
         ("Leads old enough to judge", "nine in ten of the won were won sooner"), ("Customers", "of those leads")),
        start=_FUNNEL + 1):  # fmt: skip
        texts += [Text(row, LEFT, text), Text(row, LEFT + 3, meaning, "aside")]
    for row, key in enumerate(KEY_FIGURES, start=TOP + 1):
        texts += [Text(row, LEFT, key.label), Text(row, LEFT + 3, key.brief, "aside")]
    return texts


TODAY_CELLS = (
    *LINES, *_key_figures(),
    *_load(TOP + 1, "lead_flow", "lead_limit", "lead_capacity"),
    *_load(TOP + 2, "customers_now", "service_capacity", "customer_capacity"),
    *_fixes(), *_value(), *_funnel(), *_lost(),
)  # fmt: skip

TODAY = Screen(
    title="Today", note="", widths=(2, 38, 13, 30, 40, 2, 32, 12, 12, 14, 15, 26),
    cells=TODAY_CELLS, texts=tuple(_texts()), heights={0: 30, VERDICT_ROW: 70},
    merged=((VERDICT_ROW, LEFT, RIGHT + 5),),
)  # fmt: skip
