"""FIX_SEQUENCE against every order, by a recurrence written anew from the catalogue."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Any

import pytest

import holdwater
from holdwater import Bucket
from holdwater.bucket.improvement import LEVERS
from holdwater.bucket.ordering import Steps
from holdwater.bucket.stages import Calendar, Stage

UP = LEVERS[:8]
POINTS = ("growth", "referral_rate")
SHARES = ("fit_share", "conversion", "gross_margin", "referral_rate")


@dataclass
class Outcome:
    profit: float
    order: tuple[str, ...]
    stops: list[float] = field(default_factory=list)  # the profit if one stopped after each project


def every_order(labels: dict[str, Any], projects: list[list[Any]], budget: float = inf) -> Iterator[Outcome]:
    """Each order that the rules allow, with its profit."""
    horizon, d, paid = labels["horizon"], labels["discount"], labels["leads"]

    def period(now: dict[str, Any], t: int, n: float) -> tuple[float, float]:
        """Discounted contribution of one period, and the customers of the next."""
        worked = min(now["leads"] * (1 - now["burn"]), now["lead_capacity"])
        wanted = worked * now["fit_share"] * now["conversion"] + now["referral_rate"] * n
        load = n / now["customer_capacity"]
        c = min(1, now["churn"] + now["overload_slope"] * max(0, load - now["overload_threshold"]))
        revenue = min(n, now["customer_capacity"]) * now["revenue_per_customer"] * (1 + now["growth"]) ** t
        further = now["cost_per_lead"] if now["next_lead_cost"] is None else now["next_lead_cost"]
        cost = min(now["leads"], paid) * now["cost_per_lead"] + max(0, now["leads"] - paid) * further
        cost += worked * now["lead_cost"] + now["fixed_cost"]
        return (revenue * now["gross_margin"] - cost) / (1 + d) ** t, n - c * n + min(
            wanted, now["onboarding_capacity"]
        )

    def closing(now: dict[str, Any], n: float) -> float:
        if now["run_off"] == 0:
            return 0.0
        k = (1 - now["churn"]) / (1 + d)
        margin = now["revenue_per_customer"] * now["gross_margin"]
        grown = ((1 + now["growth"]) / (1 + d)) ** horizon
        return float(now["run_off"] * min(n, now["customer_capacity"]) * margin * grown / (1 - k))

    def after(now: dict[str, Any], lever: str, change: float) -> dict[str, Any]:
        value = now[lever] * (1 + change if lever in UP else 1 - change)
        if lever in POINTS:
            value = now[lever] + change
        return now | {lever: min(1, value) if lever in SHARES else value}

    def stopped(now: dict[str, Any], t: int, n: float, money: float) -> float:
        while t < horizon:
            earned, n = period(now, t, n)
            t, money = t + 1, money + earned
        return money + closing(now, n)

    def orders(
        now: dict[str, Any], t: int, n: float, money: float, spent: float, before: Outcome | None
    ) -> Iterator[Outcome]:
        profit = stopped(now, t, n, money)
        so_far = Outcome(profit, before.order, [*before.stops, profit]) if before else Outcome(profit, (), [profit])
        yield so_far
        for name, lever, change, cost, periods, needs, running in projects:
            needed = set(needs.split(", ")) if needs else set()
            if name in so_far.order or not needed <= set(so_far.order):
                continue
            if t + periods > horizon or spent + cost > budget:
                continue
            left, then = money - cost / (1 + d) ** t, n
            left -= sum((running or 0) / (1 + d) ** s for s in range(t, horizon))
            for s in range(t, t + periods):
                earned, then = period(now, s, then)
                left += earned
            done = Outcome(0, (*so_far.order, name), so_far.stops)
            yield from orders(after(now, lever, change), t + periods, then, left, spent + cost, done)

    return orders(labels, 0, labels["customers"], 0.0, 0.0, None)


def instance(seed: int, most: int, least: int = 1) -> tuple[dict[str, Any], list[list[Any]], float | None]:
    """A business with every kind of limit, and projects for it."""
    r = random.Random(seed)
    count = r.randint(least, most)
    labels: dict[str, Any] = {
        "leads": r.uniform(20, 300),
        "cost_per_lead": r.uniform(5, 60),
        "next_lead_cost": r.choice([None, r.uniform(5, 150)]),
        "fit_share": r.uniform(0.4, 1),
        "conversion": r.uniform(0.02, 0.3),
        "burn": r.uniform(0, 0.3),
        "lead_capacity": r.choice([inf, r.uniform(20, 300)]),
        "lead_cost": r.uniform(0, 10),
        "onboarding_capacity": r.choice([inf, r.uniform(2, 30)]),
        "revenue_per_customer": r.uniform(50, 300),
        "gross_margin": r.uniform(0.3, 0.9),
        "churn": r.uniform(0.01, 0.15),
        "growth": r.choice([0, r.uniform(-0.01, 0.02)]),
        "referral_rate": r.choice([0, r.uniform(0, 0.05)]),
        "discount": r.choice([0, r.uniform(-0.01, 0.03)]),
        "customers": r.uniform(0, 400),
        "customer_capacity": r.choice([inf, r.uniform(50, 400), r.uniform(50, 400)]),
        "overload_slope": r.choice([0, r.uniform(0.1, 1), r.uniform(1, 6)]),
        "overload_threshold": r.uniform(0.5, 1),
        "fixed_cost": r.uniform(0, 3000),
        "horizon": r.randint(2, 20),
        "run_off": r.choice([0, 0.5, 1]),
    }
    if labels["churn"] + labels["discount"] < 0.012:
        labels["discount"] = 0.01
    projects: list[list[Any]] = []
    for position in range(count):
        lever = r.choice(LEVERS)
        change = r.uniform(0.002, 0.03) if lever in POINTS else r.uniform(0.05, 0.7)
        needs = ", ".join(f"p{other}" for other in range(position) if r.random() < 0.15)
        periods = r.randint(0, max(1, labels["horizon"] // count))
        projects.append(
            [
                f"p{position}",
                lever,
                change,
                r.uniform(0, 8000),
                periods,
                needs or None,
                r.choice([None, r.uniform(0, 300)]),
            ]
        )
    r.shuffle(projects)
    budget = r.choice([None, sum(p[3] for p in projects) * r.uniform(0.3, 0.9)])
    return labels, projects, budget


def check(seed: int, most: int, least: int = 1) -> set[str]:
    """One instance against every order; says which of the rules made a difference."""
    labels, projects, budget = instance(seed, most, least)
    tried = list(every_order(labels, projects, inf if budget is None else budget))
    best = max(tried, key=lambda outcome: outcome.profit)
    plan = holdwater.fix_sequence(projects, Bucket(**labels), budget)
    scale = max(abs(outcome.profit) for outcome in tried)
    assert plan[-1]["profit"] == pytest.approx(best.profit, rel=1e-9, abs=1e-9 * scale)
    order = tuple(row["name"] for row in plan[1:])
    (same,) = [outcome for outcome in tried if outcome.order == order]
    assert [row["profit"] for row in plan] == pytest.approx(same.stops, rel=1e-9, abs=1e-9 * scale)
    overloaded = labels["overload_slope"] > 0 and labels["customer_capacity"] < inf
    several = len(best.order) > 1
    return {
        name
        for name, holds in {
            "overload": overloaded and several,
            "needs": several and any(p[5] for p in projects),
            "budget": several and budget is not None,
            "running cost": several and any(p[6] for p in projects),
            "onboarding": several and labels["onboarding_capacity"] < inf,
            "left out": 0 < len(best.order) < len(projects),
            "loss on the way": any(row["gain"] < 0 for row in plan),
        }.items()
        if holds
    }


def test_equals_every_order() -> None:
    met: set[str] = set()
    for seed in range(150):
        met |= check(seed, 5)
    assert len(met) == 7, met


@pytest.mark.slow
def test_equals_every_order_of_up_to_seven() -> None:
    for seed in range(1000, 1500):
        check(seed, 7, 3)


@pytest.mark.parametrize("seed", range(3))
def test_equals_every_order_where_overload_swings(seed: int) -> None:
    """One customer more now is several fewer next period: the rule of non-dominated pairs would fail here."""
    labels, projects, _ = instance(seed, 6, 6)
    labels |= {"customer_capacity": 120, "overload_slope": 5, "customers": 150, "horizon": 18, "run_off": 1}
    for position, project in enumerate(projects):
        project[1], project[2] = (
            ("leads", "churn", "customer_capacity", "conversion", "burn", "fit_share")[position],
            0.3,
        )
    best = max(outcome.profit for outcome in every_order(labels, projects))
    assert holdwater.fix_sequence(projects, Bucket(**labels))[-1]["profit"] == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("seed", range(300))
def test_bounds_hold_wherever_the_customers_are(seed: int) -> None:
    """What the search relies on: no customers of a range lead outside the next range, and none is worth more."""
    labels, _, _ = instance(seed, 1)
    r = random.Random(seed)
    bucket = Bucket(**labels)
    stage = Stage(bucket, bucket.leads, Calendar(bucket.discount, bucket.horizon))
    low, high = sorted((r.uniform(0, 500), r.uniform(0, 500)))
    steps = Steps(stage, 0, low, high)
    worth, harm = steps.back(bucket.horizon, steps.closing_weight, 0.0)
    runs = []
    for share in range(41):
        customers = low + (high - low) * share / 40
        for period, (least, most) in enumerate(zip(steps.lows, steps.highs, strict=True)):
            _, then = stage.run(0, period, customers)
            assert least - 1e-9 * (1 + least) <= then <= most + 1e-9 * (1 + most)
        runs.append((customers, stage.to_the_end(0, customers)))
    slack = 1e-9 * max(abs(money) for _, money in runs)
    assert all(money <= steps.earned[-1] + steps.closing + slack for _, money in runs)
    for (n, less), (m, more) in pairwise(runs):
        assert -harm * (m - n) - slack <= more - less <= worth * (m - n) + slack


SHOP = {
    "leads": 100,
    "cost per lead": 20,
    "fit share": 0.8,
    "conversion": 0.125,
    "onboarding capacity": 12,
    "revenue per customer": 100,
    "gross margin": 0.6,
    "churn": 0.05,
    "customers": 150,
    "discount": 0.01,
}
TRAINING = ["training", "conversion", 0.2, 25_000, 1]
FILTER = ["filter", "fit share", 0.2, 25_000, 1]
ONBOARDER = ["onboarder", "Onboarding-Capacity", 0.5, 12_000, 2]


def gain_of_all(*projects: list[Any]) -> float:
    """What these projects bring if all must be done: a last one that needs them all, and pays enough to force them."""
    names = ", ".join(p[0] for p in projects)
    prize = ["prize", "revenue per customer", 1, 0, 0, names]
    plan = holdwater.fix_sequence([*projects, prize], SHOP)
    assert {row["name"] for row in plan} == {"as is", "prize", *(p[0] for p in projects)}
    return float(plan[-2]["profit"] - plan[0]["profit"])


def test_ranking_by_separate_gains_loses_money() -> None:
    alone = {p[0]: gain_of_all(p) for p in (TRAINING, FILTER, ONBOARDER)}
    assert alone["training"] == alone["filter"] == pytest.approx(15_912, abs=1)
    assert alone["onboarder"] == pytest.approx(-12_000)
    assert gain_of_all(TRAINING, FILTER) == pytest.approx(-8_841, abs=1)
    plan = holdwater.fix_sequence([TRAINING, FILTER, ONBOARDER], SHOP)
    assert [row["name"] for row in plan] == ["as is", "training", "onboarder", "filter"]
    assert plan[-1]["profit"] - plan[0]["profit"] == pytest.approx(21_801, abs=1)


def test_first_row_is_the_business_as_it_is() -> None:
    (row,) = holdwater.fix_sequence([["gold taps", "fixed_cost", 1, 1, 1]], SHOP)
    assert row == {
        "order": 0, "name": "as is", "start": 0, "done": 0, "cost": 0, "gain": 0,
        "profit": pytest.approx(holdwater.bucket_profit(SHOP), rel=1e-12),
    }  # fmt: skip


def test_what_changes_nothing_is_left_out_and_equals_stand_as_listed() -> None:
    fixes = [["b", "conversion", 0.05, 0, 1], ["useless", "lead capacity", 0.5, 0, 1], ["a", "conversion", 0.05, 0, 1]]
    assert [row["name"] for row in holdwater.fix_sequence(fixes, SHOP)] == ["as is", "b", "a"]


def test_horizon_counts_instead_of_the_models() -> None:
    plan = holdwater.fix_sequence([TRAINING], SHOP, None, 12)
    assert plan[0]["profit"] == pytest.approx(holdwater.bucket_profit(SHOP | {"horizon": 12}))
    late = ["late", "churn", 0.5, 0, 12]  # its lever moves for the closing value only
    assert [row["done"] for row in holdwater.fix_sequence([late], SHOP, None, 12)] == [0, 12]
    assert len(holdwater.fix_sequence([late], SHOP, None, 11)) == 1


def test_budget_is_met_exactly_and_running_cost_stays_outside() -> None:
    fixes = [["a", "conversion", 0.1, 0.1, 1, None, 1.0], ["b", "churn", 0.1, 0.2, 1, None, 1.0]]
    assert len(holdwater.fix_sequence(fixes, SHOP, 0.3)) == 3  # though 0.1 + 0.2 is a bit more in binary
    assert len(holdwater.fix_sequence(fixes, SHOP, 0.29)) == 2


def test_cash_low_by_hand() -> None:
    model = {
        "leads": 10, "cost per lead": 10, "conversion": 0.1, "revenue per customer": 100, "gross margin": 0.5,
        "churn": 0, "discount": 0.1, "customers": 4, "horizon": 6,
    }  # fmt: skip
    # 4, 5, 6 customers earn 200, 250, 300 less 100 for leads. The first fix costs 1,000 now and 30 a period, and after
    # two periods doubles the price; the second costs 500 then.
    fixes = [["price", "revenue per customer", 1, 1000, 2, "", 30], ["next", "conversion", 1, 500, 1, "price"]]
    plan = holdwater.fix_sequence(fixes, model)
    assert [row["name"] for row in plan] == ["as is", "price", "next"]
    balances = [-1000, -1000 + 70, -930 + 120, -810 - 500, -1310 + 600 - 130]
    assert plan.cash_low == pytest.approx(min(balances))
    assert plan.cash_low_period == 2
    assert holdwater.explain("FIX_SEQUENCE", fixes, model) == (
        "ok. On the way the cash is lowest in period 2: 1,310.00 less than today."
    )
    nothing = holdwater.fix_sequence([["dear", "churn", 0.1, 1e9, 1]], model)
    assert (nothing.cash_low, nothing.cash_low_period) == (0, 0)
    assert "never falls" in holdwater.explain("FIX_SEQUENCE", [["dear", "churn", 0.1, 1e9, 1]], model)


def test_leads_beyond_todays_cost_next_lead_cost() -> None:
    dear = SHOP | {"next lead cost": 500, "onboarding capacity": None}
    more = [["more", "leads", 0.1, 0, 0]]
    assert len(holdwater.fix_sequence(more, dear)) == 1
    gain = holdwater.fix_sequence(more, dear | {"next lead cost": 20})[-1]["gain"]
    assert gain == pytest.approx(holdwater.lever_value(dear | {"next lead cost": 20}, "leads"))


def test_ten_projects_and_no_more() -> None:
    fixes = [[f"p{n}", LEVERS[n], 0.1, 100, 1] for n in range(10)]
    assert len(holdwater.fix_sequence(fixes, SHOP)) > 3
    with pytest.raises(holdwater.NumError, match=r"^FIX_SEQUENCE: projects has 11 projects; allowed are 10"):
        holdwater.fix_sequence([*fixes, ["one more", "churn", 0.1, 0, 1]], SHOP)


@pytest.mark.parametrize(
    ("projects", "error", "message"),
    [
        ([], holdwater.KindError, "projects is empty"),
        ("training", holdwater.KindError, "no list of rows"),
        (["training"], holdwater.KindError, "one cell in row 1"),
        ([["a", "churn", 0.1, 5]], holdwater.KindError, "row 1 of projects has 4 cells, not 5 to 7"),
        ([[None] * 5, [None, "churn", 0.1, 5, 1]], holdwater.KindError, "name in row 2 of projects is missing"),
        ([["a", "chrun", 0.1, 5, 1]], holdwater.KindError, "lever in row 1.*'chrun'.*closest is churn"),
        ([["a", "horizon", 0.1, 5, 1]], holdwater.KindError, "lever in row 1.*closest is"),
        ([["a", "churn", "a lot", 5, 1]], holdwater.KindError, "change in row 1 of projects is 'a lot'"),
        ([["a", "churn", None, 5, 1]], holdwater.KindError, "change in row 1 of projects is missing"),
        ([["a", "churn", 0.1, "", 1]], holdwater.KindError, "cost in row 1 of projects is missing"),
        ([["a", "churn", -0.1, 5, 1]], holdwater.NumError, "change in row 1 of projects is -0.1; allowed is 0 or more"),
        (
            [["a", "churn", 1.1, 5, 1]],
            holdwater.NumError,
            "row 1 of projects: change of churn is 1.1; allowed is 0 to 1",
        ),
        ([["a", "growth", 1.1, 5, 1]], holdwater.NumError, "row 1 of projects: .*growth is 1.1"),
        ([["a", "churn", 0.1, -5, 1]], holdwater.NumError, "cost in row 1 of projects is -5"),
        ([["a", "churn", 0.1, 5, 1.5]], holdwater.NumError, "periods in row 1 of projects is 1.5; allowed is a whole"),
        ([["a", "churn", 0.1, 5, 1, "b"]], holdwater.KindError, "'a' needs 'b', which is no project"),
        ([["a", "churn", 0.1, 5, 1, "A"]], holdwater.NumError, "'a' can never start"),
        (
            [["a", "churn", 0.1, 5, 1, "b"], ["b", "burn", 0.1, 5, 1, "a"]],
            holdwater.NumError,
            "'a', 'b' can never start, because they need each other",
        ),
        (
            [["a", "churn", 0.1, 5, 1], ["A ", "burn", 0.1, 5, 1]],
            holdwater.KindError,
            "row 2 of projects is a second 'A'",
        ),
        ([["a", "churn", 0.1, 5, 1, "", -1]], holdwater.NumError, "running_cost in row 1 of projects is -1"),
    ],
)
def test_says_what_is_wrong(projects: Any, error: type[holdwater.FormulaError], message: str) -> None:
    with pytest.raises(error, match=rf"^FIX_SEQUENCE: .*{message}"):
        holdwater.fix_sequence(projects, SHOP)


def test_customers_who_never_leave_are_worth_no_finite_sum() -> None:
    ever = SHOP | {"discount": 0}
    with pytest.raises(holdwater.NumError, match="no finite sum"):
        holdwater.fix_sequence([["glue", "churn", 1, 100, 1]], ever)
    assert len(holdwater.fix_sequence([["glue", "churn", 1, 100, 1]], ever | {"run off": 0})) == 2


def test_numbers_beyond_all_bounds_are_no_answer() -> None:
    wild = SHOP | {"referral rate": 1, "onboarding capacity": None, "horizon": 5000, "discount": 0}
    with pytest.raises(holdwater.NumError, match=r"beyond all bounds|no finite answer"):
        holdwater.fix_sequence([TRAINING], wild)


def test_names_may_be_numbers_of_a_sheet() -> None:
    fixes = [[1.0, "conversion", 0.1, 10, 1], [2.0, "churn", 0.1, 10, 1, 1.0]]
    assert [row["name"] for row in holdwater.fix_sequence(fixes, SHOP)] == ["as is", "1", "2"]
