"""Limits against finite differences and fine grids of the recurrence by hand."""

from __future__ import annotations

import random
from typing import Any

import pytest
from bucket_by_hand import DEFAULTS, profit_by_hand, random_model, rows_by_hand

import holdwater
from holdwater import Bucket, NumError

CAPACITIES = ["lead_capacity", "onboarding_capacity", "customer_capacity"]
GYM: dict[str, Any] = {
    "leads": 100, "cost_per_lead": 15, "conversion": 0.1, "revenue_per_customer": 50, "gross_margin": 0.8,
    "churn": 0.05,
}  # fmt: skip


def test_shadow_prices_are_finite_differences() -> None:
    chance = random.Random(8)
    for _ in range(100):
        model, step = random_model(chance), chance.choice([0.5, 1, 3])
        scale = (abs(profit_by_hand(model)) + 1) / step
        for capacity in CAPACITIES:
            more = {capacity: (DEFAULTS | model)[capacity] + step} if capacity in model else {}
            expected = (profit_by_hand(model | more) - profit_by_hand(model)) / step
            assert holdwater.constraint_value(model, capacity, step) == pytest.approx(expected, abs=1e-10 * scale)
        expected = (profit_by_hand(model, model["leads"] + step) - profit_by_hand(model)) / step
        assert holdwater.constraint_value(model, "leads", step) == pytest.approx(expected, abs=1e-10 * scale)


def best_of_a_fine_grid(model: dict[str, Any]) -> tuple[float, float]:
    m = DEFAULTS | model
    won = (1 - m["burn"]) * m["fit_share"] * m["conversion"]
    ends = [m["lead_capacity"] / (1 - m["burn"]), m["onboarding_capacity"] / won, m["customer_capacity"] / won]
    end = max(min(ends) * 1.1, m["leads"])
    profit, leads = max((profit_by_hand(model, end * n / 800), -end * n / 800) for n in range(801))
    return profit, -leads


def test_safe_leads_beat_a_fine_grid() -> None:
    chance = random.Random(9)
    inner = 0
    for _ in range(40):
        model = random_model(chance)
        if not any(capacity in model for capacity in CAPACITIES):
            continue
        safe = holdwater.leads_safe(model)
        top, leads = best_of_a_fine_grid(model)
        at_safe = profit_by_hand(model, safe)
        assert at_safe >= top - 1e-9 * abs(top), (model, safe, leads)
        # And not more leads than needed: a few less earn less.
        if safe > 0:
            assert profit_by_hand(model, safe * 0.99) < at_safe, (model, safe)
            inner += safe != model["leads"]
    assert inner > 10


def test_safe_leads_by_reasoning() -> None:
    safe = holdwater.leads_safe
    assert safe(GYM | {"lead capacity": 80}) == 80
    assert safe(GYM | {"lead capacity": 80, "burn": 0.2}) == pytest.approx(100, rel=1e-12)
    assert safe(GYM | {"onboarding capacity": 7}) == pytest.approx(70, rel=1e-12)
    assert safe(GYM | {"lead capacity": 80, "cost_per_lead": 0}) == 80, "beyond it, leads earn the same: the fewest"
    assert safe(GYM | {"lead capacity": 300, "next_lead_cost": 90}) == 100, "today's leads pay, the next do not"
    assert safe(GYM | {"cost_per_lead": 90, "next_lead_cost": 20, "lead capacity": 110}) == 0
    assert safe(GYM | {"cost_per_lead": 90, "next_lead_cost": 20, "lead capacity": 300}) == 300, "two peaks"
    assert safe(GYM | {"cost_per_lead": 81}) == 0
    assert safe(GYM | {"conversion": 0}) == 0
    assert safe(GYM | {"conversion": 0, "cost_per_lead": 0, "lead capacity": 5}) == 0
    assert safe(GYM | {"burn": 1, "lead capacity": 5}) == 0
    with pytest.raises(NumError, match="no limit"):
        safe(GYM)
    with pytest.raises(NumError, match="no limit"):
        safe(GYM | {"leads": 0})


def test_safe_leads_where_customers_settle_in_overload() -> None:
    """In the long run profit per period is margin x min(N, K) - cost x leads, with N as CUSTOMERS_SETTLED."""
    model = {**GYM, "customer capacity": 120, "overload slope": 0.4, "overload_threshold": 0.5, "horizon": 4000,
             "run off": 0, "customers": 75}  # fmt: skip

    def in_the_long_run(leads: float) -> float:
        return 40 * min(holdwater.customers_settled(leads * 0.1, 0.05, 120, 0.4, 0.5), 120) - 15 * leads

    best = max((n / 20 for n in range(1, 6000)), key=in_the_long_run)
    assert holdwater.leads_safe(model) == pytest.approx(best, rel=0.01)


def test_bottleneck_is_what_the_rows_show() -> None:
    chance = random.Random(10)
    seen = set()
    for _ in range(300):
        model = random_model(chance)
        m = DEFAULTS | model
        rows, last = rows_by_hand(model)
        most = max(last, *(row["customers"] for row in rows))
        busy = m["customer_capacity"] * (m["overload_threshold"] if m["overload_slope"] else 1)
        reached = {
            "customer_capacity": most >= busy,
            "onboarding_capacity": any(row["turned_away"] > 0 for row in rows),
            "lead_capacity": m["leads"] * (1 - m["burn"]) > m["lead_capacity"],
        }
        answer = holdwater.bottleneck(model)
        seen.add(answer)
        if not any(reached.values()):
            pays = profit_by_hand(model, m["leads"] + 1) > profit_by_hand(model)
            assert answer == ("leads" if pays else "none")
            continue
        assert reached[answer]
        gains = {c: profit_by_hand(model | {c: m[c] * 1.01}) for c in reached if reached[c]}
        assert gains[answer] >= max(gains.values()) - 1e-9 * abs(gains[answer])
    assert seen == {*CAPACITIES, "leads", "none"}


def test_shadow_prices_hold_within_their_range() -> None:
    bucket = Bucket.of(GYM | {"lead capacity": 80, "onboarding_capacity": 9})
    assert bucket.constraint_range("lead_capacity") == pytest.approx((0, 90), abs=1e-9)
    inside = [bucket.of(GYM | {"lead capacity": c, "onboarding_capacity": 9}) for c in (10, 50, 88)]
    assert [b.constraint_value("lead_capacity") for b in inside] == pytest.approx([1920] * 3, rel=1e-9)
    beyond = bucket.of(GYM | {"lead capacity": 91, "onboarding_capacity": 9})
    assert beyond.constraint_value("lead_capacity") == 0
    with pytest.raises(NumError, match="unlimited"):
        bucket.constraint_range("customer_capacity")
    assert Bucket.of(GYM).constraint_range("leads") == (0, float("inf"))


@pytest.mark.parametrize("limit", [{"lead_capacity": 200}, {"customer_capacity": 1e6}, {"onboarding_capacity": 50}])
def test_on_a_flat_top_the_fewest_leads_are_safe(limit: dict[str, float]) -> None:
    """Each lead beyond today's 100 costs just what it brings, up to the limit."""
    gym = {"leads": 100, "cost per lead": 15, "next lead cost": 80, "conversion": 0.1, "revenue per customer": 50,
           "gross margin": 0.8, "churn": 0.05}  # fmt: skip
    assert holdwater.leads_safe(gym | limit) == 100


def test_a_flat_top_may_begin_between_two_joints() -> None:
    """Free leads that overload: the customers of the first period are enough."""
    model = {
        "leads": 51.8, "cost per lead": 0, "next lead cost": 3, "conversion": 0.1957, "revenue per customer": 442.3,
        "gross margin": 0.5168, "churn": 0.006488, "customers": 500, "run off": 0, "overload slope": 0.1,
        "customer capacity": 150,
    }  # fmt: skip
    safe = holdwater.leads_safe(model)
    most = holdwater.bucket_profit(model | {"leads": safe})
    assert most == pytest.approx(holdwater.bucket_profit(model | {"leads": 20}), rel=1e-12)
    assert holdwater.bucket_profit(model | {"leads": safe * 0.999}) < most
