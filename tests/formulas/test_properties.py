"""What the economics says of every formula: money scales, and more of a bad thing never helps."""

from __future__ import annotations

import random
from typing import Any

import pytest

import holdwater
from holdwater.formula import Argument, Formula, registry

CASES = 200
NUMERIC = {
    name: formula
    for name, formula in registry.items()
    if not any(a.unit.table for a in formula.arguments) and not formula.columns and not formula.column
}
WITH_MONEY = {name: f for name, f in NUMERIC.items() if any(a.unit.meaning == "money" for a in f.arguments)}


def inside(argument: Argument, chance: random.Random) -> Any:
    unit = argument.unit
    low, high = max(unit.low, -1e4), min(unit.high, 1e4)
    if unit.many:
        top = chance.uniform(100, 1000)
        return sorted((chance.uniform(0, min(high, top)) for _ in range(4)), reverse=True)
    if unit.meaning == "periods":
        return chance.uniform(1, 60)  # within a part of a period these formulas interpolate, and no order is promised
    if unit.whole:
        return chance.randint(round(max(low, 1)), round(min(high, 60)))
    return chance.uniform(low, chance.choice([min(high, 1), min(high, 50), high]))


def answers(formula: Formula, arguments: dict[str, Any]) -> tuple[float, ...]:
    answer = getattr(holdwater, formula.name)(**arguments)
    return answer if formula.row else (answer,)


@pytest.mark.parametrize("formula", WITH_MONEY.values(), ids=WITH_MONEY)
def test_money_scales(formula: Formula) -> None:
    """All money times k gives money times k, and leaves counts, rates and periods as they are."""
    chance, seen = random.Random(formula.name), 0
    for _ in range(CASES if not formula.python_only else CASES // 4):
        arguments = {a.name: inside(a, chance) for a in formula.arguments}
        k = 2.0 ** chance.randint(-8, 8)  # a power of two, so that rounding scales along
        money = [a.name for a in formula.arguments if a.unit.meaning == "money"]
        try:
            before = answers(formula, arguments)
            after = answers(formula, arguments | {name: k * arguments[name] for name in money})
        except holdwater.FormulaError:
            continue
        seen += 1
        factor = k if formula.result.meaning == "money" else 1
        assert after == pytest.approx([factor * number for number in before], rel=1e-9, abs=1e-300, nan_ok=True)
    assert seen >= 20


ORDER = [  # function, argument, +1 where the answer never falls as the argument grows, -1 where it never rises
    ("CPL", "spend", 1), ("CPL", "leads", -1), ("CAC", "new_customers", -1), ("CAC", "sales_cost", 1),
    ("ALLOWABLE_CAC", "ltv", 1), ("ALLOWABLE_CAC", "ratio", -1), ("ALLOWABLE_CAC", "churn", -1),
    ("ALLOWABLE_CAC", "payback_periods", 1), ("ALLOWABLE_CPL", "lead_cost", -1), ("LEAD_VALUE", "ltv", 1),
    ("LEADS_NEEDED", "customers", 1), ("LEADS_NEEDED", "burn", 1), ("CHURN", "lost", 1),
    ("LTV", "churn", -1), ("LTV", "discount", -1), ("LTV", "growth", 1), ("LTV", "periods", 1),
    ("LTV_CAC", "cac", -1), ("PAYBACK", "cac", 1), ("PAYBACK", "margin", -1), ("PAYBACK", "churn", 1),
    ("PAYBACK", "discount", 1), ("CUSTOMERS_CEILING", "churn", -1), ("CUSTOMERS_CEILING", "referral", 1),
    ("LEAD_CAPACITY", "reps", 1), ("LEAD_CAPACITY", "minutes_per_lead", -1), ("CAPACITY_REVENUE", "leads", 1),
    ("CAPACITY_REVENUE", "customer_capacity", 1), ("LEADS_FROM_SPEND", "spend", 1), ("LIFETIME", "churn", -1),
    ("CONVERSION_DELAYED", "delay", -1), ("LIST_VALUE", "unsubscribe", -1), ("CHURN_CONVERT", "rate", 1),
    ("CHURN_OVERLOADED", "customers", 1), ("CUSTOMERS_SETTLED", "new_customers", 1), ("LEADS_BURNED", "reps", -1),
    ("LEADS_BURNED", "leads_per_hour", 1), ("RATE_LOW", "successes", 1), ("RATE_HIGH", "trials", -1),
    ("LTV_REFERRAL", "reward", -1), ("CAC_BLENDED", "referred_share", -1), ("REFERRAL_FACTOR", "churn", -1),
]  # fmt: skip
POSITIVE = {"margin", "ltv", "revenue_per_customer"}  # with a loss on each customer the order turns round


@pytest.mark.parametrize(("name", "argument", "direction"), ORDER)
def test_more_never_helps_or_never_hurts(name: str, argument: str, direction: int) -> None:
    formula = registry[name]
    moved = next(a for a in formula.arguments if a.name == argument)
    chance, seen = random.Random(f"{name} {argument}"), 0
    for _ in range(CASES * 3 if not formula.python_only else CASES // 2):
        arguments = {a.name: inside(a, chance) for a in formula.arguments}
        arguments |= {key: abs(value) for key, value in arguments.items() if key in POSITIVE}
        arguments |= {"timing": 0} if "timing" in arguments else {}
        less, more = sorted((arguments[argument], inside(moved, chance)))
        try:
            low, high = (answers(formula, arguments | {argument: value})[0] for value in (less, more))
        except holdwater.FormulaError:
            continue
        if name == "PAYBACK" and max(low, high) < 1:
            continue  # paid back within the first period, as above
        seen += 1
        assert direction * (high - low) >= -1e-9 * max(abs(low), abs(high)), (arguments, less, more)
    assert seen >= 15
