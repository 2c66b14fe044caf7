"""The table of results: what the library says of this business, since no ordinary formula can loop or fit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import inf

from holdwater.bucket import project
from holdwater.bucket.description import Description
from holdwater.bucket.projects import Project, projects_from
from holdwater.bucket.report import Constraint, Lever, Report, report
from holdwater.errors import FormulaError
from holdwater.formulas.acquisition import allowable_cac, allowable_cpl
from holdwater.formulas.retention import ltv
from holdwater.rows import is_blank
from holdwater.workbook.bucket import number
from holdwater.workbook.business import business
from holdwater.workbook.cells import Value
from holdwater.workbook.evaluate import Values
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.split import split_rows

Row = list[Value]

SHARE, EACH, MONTHLY, IN_ALL = "share", "money each", "a month", "money over the months ahead"
_UNITS = {
    **dict.fromkeys(("fit_share", "conversion", "burn", "gross_margin", "churn", "growth", "referral_rate"), SHARE),
    **dict.fromkeys(("cost_per_lead", "lead_cost", "revenue_per_customer"), EACH),
    **dict.fromkeys(("leads", "lead_capacity", "onboarding_capacity", "fixed_cost"), MONTHLY),
}


def results(
    values: Values,
    typed: Mapping[str, Value],
    fixes: Sequence[Sequence[Value]],
    about: Mapping[object, object],
    rates: Sequence[Sequence[Value]] = (),
    curves: Sequence[Sequence[Value]] = (),
) -> list[Row]:
    """Where there is no verdict, VERDICT says why, and of what is typed is said that it waits for one."""
    stamp: list[Row] = [
        ["COMPUTED", str(about.get("Refreshed", "")), "time", "When a refresh last changed this workbook."],
        [
            "INPUTS",
            inputs_hash(typed, [*fixes, *rates, *curves]),
            "hash",
            "Of everything typed that all this was computed from.",
        ],
    ]
    try:
        described = business(values, about, fixes)
        whole, wrong = _reported(described)
    except FormulaError as error:
        no_verdict: Row = ["VERDICT", str(error), "sentence", "Why there is no verdict yet."]
        return [*stamp, no_verdict, *_later("FIX_SEQUENCE", "order", fixes), *_later("SPEND_SPLIT", "split", curves)]
    rows = [*_verdict(whole), *_constraints(whole.constraints), *_levers(whole.levers), *_sequence(values, whole)]
    if wrong:
        rows.append(["FIX_SEQUENCE", wrong, "sentence", "Why the fixes have no order."])
    rows += split_rows(values, curves)
    return [*stamp, *rows, *_projection(described)]


def inputs_hash(typed: Mapping[str, Value], fixes: Sequence[Sequence[Value]]) -> str:
    cells = [typed.get(input_.name) for input_ in INPUTS] + [cell for row in fixes for cell in row]
    return hashlib.sha256(repr(cells).encode()).hexdigest()[:16]


@lru_cache(maxsize=2)  # a refresh asks twice, with the old time and with the new one
def _reported(described: Description) -> tuple[Report, str]:
    """A fix that is typed wrongly must not hide the verdict."""
    try:
        return report(described), ""
    except FormulaError as error:
        return report(replace(described, projects=())), str(error)


def _later(key: str, what: str, typed: Sequence[Sequence[Value]]) -> Iterator[Row]:
    """What is computed from the business has to wait until enough of it is known."""
    if not all(is_blank(cell) for row in typed for cell in row):
        yield [key, f"The {what} follows once there is a verdict.", "sentence", f"Why there is no {what} yet."]


def _verdict(whole: Report) -> Iterator[Row]:
    said = whole.diagnosis
    sentence = said.sentence.replace("period", whole.description.period)
    yield ["VERDICT", sentence, "sentence", "Whether more leads help, and what comes first."]
    yield ["DECISION", said.decision, "words", "more leads, fix or fewer leads."]
    yield ["REASON", said.reason, "words", "What decides."]
    yield ["BOTTLENECK", whole.bottleneck, "label", "What physically limits the business."]
    yield ["BUCKET_PROFIT", whole.profit, IN_ALL, "Discounted, and what the customers left then still bring."]
    yield ["LEAD_WORTH", said.lead_worth, EACH, "What each further lead earns after its cost."]
    safe = "no limit" if said.leads_safe is None else said.leads_safe
    yield ["LEADS_SAFE", safe, MONTHLY, "The lead flow at which profit peaks."]


def _constraints(rows: Sequence[Constraint]) -> Iterator[Row]:
    for row in rows:
        key = f"CONSTRAINT_VALUE {row.label}"
        yield [key, row.value, IN_ALL, "What one more of it adds, in each month ahead."]
        yield [f"{key} now", _or(row.now, "any number"), _UNITS.get(row.label, "count"), "As it stands."]
        yield [f"{key} holds from", _or(row.holds_from, "-"), "count", "Below this another limit decides."]
        yield [f"{key} holds to", _or(row.holds_to, "no end"), "count", "Above this another limit decides."]
        yield [f"{key} binds from", _or(row.binds_from, "not"), "month", "The first month in which it holds back."]


def _levers(rows: Sequence[Lever]) -> Iterator[Row]:
    for place, row in enumerate(rows, start=1):
        key, unit = f"LEVERS {place}", _UNITS.get(row.label, "count")
        yield [key, row.label.replace("_", " "), "label", "A tenth better; the best comes first."]
        yield [f"{key} now", _or(row.now, "any number"), unit, "As it stands."]
        yield [f"{key} better", _or(row.better, "any number"), unit, "A tenth better."]
        yield [f"{key} value", row.value, IN_ALL, "What that adds to the profit."]
        leads = _or(row.leads, "no number")
        yield [f"{key} LEADS_EQUIVALENT", leads, MONTHLY, "How many more leads would add as much."]


def _sequence(values: Values, whole: Report) -> Iterator[Row]:
    if whole.plan is None:
        return
    known = {project.name: project for project in projects_from(whole.description.projects, whole.description.bucket)}
    done: list[Project] = []
    for row in whole.plan:
        done += [known[row["name"]]] if row["order"] else []
        key = f"FIX_SEQUENCE {row['order']}"
        yield [key, row["name"], "name", "The fixes in the order that earns most."]
        yield [f"{key} start", row["start"], "months", "Months from now until it starts."]
        yield [f"{key} done", row["done"], "months", "Months from now until it is done."]
        yield [f"{key} cost", row["cost"], "money", "Due at its start."]
        yield [f"{key} gain", row["gain"], IN_ALL, "What it adds to the profit."]
        yield [f"{key} profit", row["profit"], IN_ALL, "Profit if one stops after it."]
        yield [f"{key} ALLOWABLE_CPL", may_cost(values, whole, done), EACH, "What a lead may cost once it is done."]
    yield ["FIX_SEQUENCE cash low", whole.plan.cash_low, "money", "The lowest that cash gets against today's."]
    yield ["FIX_SEQUENCE left out", ", ".join(whole.left_out) or "none", "names", "Fixes that do not pay."]


def may_cost(values: Values, whole: Report, done: Sequence[Project]) -> float:
    """What a lead may cost by the rules on Inputs, once these fixes are done."""
    today = better = whole.description.bucket
    for fix in done:
        better = fix.done(better)
    margin = better.revenue_per_customer * better.gross_margin
    value = ltv(margin, better.churn, better.discount)
    months = number(values, "payback_months")
    allowed = allowable_cac(value, number(values, "value_to_cost"), margin, better.churn, months)
    bought, buys = (bucket.conversion * bucket.fit_share for bucket in (today, better))
    conversion = min(1.0, number(values, "paid_conversion") * (buys / bought if bought else 1.0))
    return allowable_cpl(allowed, conversion, better.lead_cost)


def _projection(described: Description) -> Iterator[Row]:
    periods = list(project(described.bucket))
    last = periods[-1]
    ends = [period.customers for period in periods[1:]] + [last.customers + last.new - last.lost]
    for period, end in zip(periods, ends, strict=True):
        key = f"PROJECTION {period.period + 1}"
        yield [f"{key} customers", end, "count", "At the end of this month ahead."]
        yield [f"{key} new", period.new, "count", "Who come in it."]
        yield [f"{key} lost", period.lost, "count", "Who leave in it."]
        yield [f"{key} burned", period.burned, "count", "Leads that nobody has time for."]
        yield [f"{key} contribution", period.contribution, "money", "Not discounted."]


def _or(value: float | None, word: str) -> Value:
    return word if value is None or value == inf else value
