"""Every row of the table of results, from the library called directly for the business that the workbook describes."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

from engines import by_name, values

import holdwater
from holdwater.bucket import Bucket
from holdwater.bucket.improvement import improved
from holdwater.bucket.limits import CONSTRAINTS, constraint_range
from holdwater.errors import KindError, NumError
from holdwater.rows import is_blank
from holdwater.workbook.curves import typed_curves
from holdwater.workbook.describe import describe
from holdwater.workbook.fixes import typed_fixes
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import typed_inputs


def table_of_results(book: Path) -> dict[str, Any]:
    """As a viewer shows it."""
    rows = list(by_name(book, "Results").items())
    header = next(place for place, (name, _) in enumerate(rows) if name == "Result")
    return dict(rows[header + 1 :])


def library_results(book: Path) -> Iterator[tuple[str, Any]]:
    """Key and value of each but the stamp, COMPUTED and INPUTS, and the sentence over a split."""
    bucket = describe(book).bucket
    said = bucket.diagnosis()
    yield "VERDICT", holdwater.verdict(bucket).replace("period", "month")
    yield "DECISION", said.decision
    yield "REASON", said.reason
    yield "BOTTLENECK", holdwater.bottleneck(bucket)
    yield "BUCKET_PROFIT", holdwater.bucket_profit(bucket)
    yield "LEAD_WORTH", said.lead_worth
    yield "LEADS_SAFE", "no limit" if said.leads_safe is None else holdwater.leads_safe(bucket)
    periods = holdwater.bucket_projection(bucket)
    yield from _constraints(bucket, periods)
    yield from _levers(bucket)
    yield from _sequence(book, bucket)
    yield from _split(book)
    for number, period in enumerate(periods, start=1):
        for name in ("new", "lost", "burned", "contribution"):
            yield f"PROJECTION {number} {name}", period[name]
        yield f"PROJECTION {number} customers", period["customers"] + period["new"] - period["lost"]


def _constraints(bucket: Bucket, periods: list[dict[str, float]]) -> Iterator[tuple[str, Any]]:
    end = periods[-1]["customers"] + periods[-1]["new"] - periods[-1]["lost"]
    full = [n for n, p in enumerate(periods, start=1) if p["customers"] >= bucket.customer_capacity]
    binds: dict[str, Any] = {
        "lead_capacity": 1 if bucket.leads * (1 - bucket.burn) > bucket.lead_capacity else "not",
        "onboarding_capacity": next((n for n, p in enumerate(periods, start=1) if p["turned_away"] > 0), "not"),
        "customer_capacity": (
            full[0] if full else bucket.horizon + 1 if end >= bucket.customer_capacity else "not"
        ),
        "leads": "not",
    }  # fmt: skip
    for label in CONSTRAINTS:
        key, now = f"CONSTRAINT_VALUE {label}", getattr(bucket, label)
        low, high = ("-", inf) if now == inf else constraint_range(bucket, label)
        yield key, holdwater.constraint_value(bucket, label)
        yield f"{key} now", "any number" if now == inf else now
        yield f"{key} holds from", low
        yield f"{key} holds to", "no end" if high == inf else high
        yield f"{key} binds from", binds[label]


def _levers(bucket: Bucket) -> Iterator[tuple[str, Any]]:
    for place, row in enumerate(holdwater.levers(bucket), start=1):
        key, label = f"LEVERS {place}", row["lever"]
        yield key, label.replace("_", " ")
        yield f"{key} now", "any number" if row["from"] == inf else row["from"]
        yield f"{key} better", "any number" if row["to"] == inf else row["to"]
        yield f"{key} value", holdwater.lever_value(bucket, label)
        try:
            yield f"{key} LEADS_EQUIVALENT", holdwater.leads_equivalent(bucket, label)
        except (NumError, KindError):
            yield f"{key} LEADS_EQUIVALENT", "no number"


def _sequence(book: Path, bucket: Bucket) -> Iterator[tuple[str, Any]]:
    fixes = {fix[0]: fix for fix in typed_fixes(Package.open(book)) if not all(is_blank(cell) for cell in fix)}
    if not fixes:
        return
    rules: dict[str, Any] = dict(typed_inputs(Package.open(book)))
    paid = by_name(book, "Figures")["Customers per paid lead"]
    plan = holdwater.fix_sequence([list(fix) for fix in fixes.values()], bucket)
    better = bucket
    for row in plan:
        key = f"FIX_SEQUENCE {row['order']}"
        yield key, row["name"]
        for column in ("start", "done", "cost", "gain", "profit"):
            yield f"{key} {column}", row[column]
        if row["order"]:
            _, lever, change, *_ = fixes[row["name"]]
            better = improved(better, str(lever).replace(" ", "_"), float(str(change)), points=1)
        margin = better.revenue_per_customer * better.gross_margin
        value = holdwater.ltv(margin, better.churn, better.discount)
        allowed = holdwater.allowable_cac(value, rules["value_to_cost"], margin, better.churn, rules["payback_months"])
        conversion = paid * better.conversion * better.fit_share / (bucket.conversion * bucket.fit_share)
        yield f"{key} ALLOWABLE_CPL", holdwater.allowable_cpl(allowed, min(1.0, conversion), better.lead_cost)
    yield "FIX_SEQUENCE cash low", plan.cash_low
    made = {row["name"] for row in plan}
    yield "FIX_SEQUENCE left out", ", ".join(str(name) for name in fixes if name not in made) or "none"


def _split(book: Path) -> Iterator[tuple[str, Any]]:
    """From what the sheets Sources and Figures show."""
    curves = [curve for curve in typed_curves(Package.open(book)) if not all(is_blank(cell) for cell in curve)]
    if not curves:
        return
    sheet, figures = values(book, "Sources"), by_name(book, "Figures")
    header = {sheet[f"{letter}5"]: letter for letter in "ABCDEFGHIJKLMNOP" if f"{letter}5" in sheet}
    rows = {sheet[place]: int(place[1:]) for place in sheet if place[0] == "A" and int(place[1:]) > 5}
    leads = {name: sheet[f"{header['Leads']}{row}"] for name, row in rows.items()}
    others = sum(leads.values()) - sum(leads[curve[0]] for curve in curves)
    room = figures["Leads that can be worked per month"] - figures["Leads per month"] * others / sum(leads.values())
    sources = [[name, sheet[f"{header['Worth']}{rows[name]}"], most, half] for name, most, half in curves]
    typed: dict[str, Any] = dict(typed_inputs(Package.open(book)))
    best = holdwater.spend_split(sources, typed["lead_budget"], room)
    shown = values(book, "Months")
    (spend,) = (place[0] for place, value in shown.items() if value == "Spend" and place[1:] == "5")
    months = sum(bool(value) for place, value in shown.items() if place[0] == spend and int(place[1:]) > 5)
    for number, row in enumerate(best, start=1):
        key = f"SPEND_SPLIT {number}"
        yield key, row["source"]
        yield f"{key} now", sheet.get(f"{header['Spend']}{rows[row['source']]}", 0) / months
        for column in ("spend", "leads", "next_lead_cost", "gain"):
            yield f"{key} {column}", row[column]
