"""Spending, against 50-digit arithmetic, golden section search, brute force and the conditions of an optimum."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import mpmath
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import holdwater

SPEND = st.just(0.0) | st.floats(1e-9, 1e7)
LEADS = st.floats(0.01, 1e6)
HALF = st.floats(0.01, 1e6)
SHAPE = st.floats(0.05, 30)


def hill(spend: Any, max_leads: Any, half_spend: Any, shape: Any) -> Any:
    """The curve as it stands in the catalogue, in as many digits as mpmath is set to."""
    s, top, half, h = map(mpmath.mpf, (spend, max_leads, half_spend, shape))
    return top * s**h / (half**h + s**h)


@given(SPEND, LEADS, HALF, SHAPE)
def test_leads_lie_on_the_curve(spend: float, max_leads: float, half_spend: float, shape: float) -> None:
    with mpmath.workdps(50):
        exact = hill(spend, max_leads, half_spend, shape)
    found = holdwater.leads_from_spend(spend, max_leads, half_spend, shape)
    assert found == pytest.approx(float(exact), rel=1e-12, abs=1e-290)
    assert found <= max_leads
    assert holdwater.leads_from_spend(spend * 7, max_leads, half_spend * 7, shape) == pytest.approx(found), "currency"
    assert holdwater.leads_from_spend(spend * 1.01, max_leads, half_spend, shape) >= found * (1 - 1e-15)


def test_leads_of_steep_curves_and_large_sums() -> None:
    for shape in (1, 50, 1e4, 1e300):
        assert holdwater.leads_from_spend(0, 400, 1000, shape) == 0
        assert holdwater.leads_from_spend(1000, 400, 1000, shape) == 200
        assert holdwater.leads_from_spend(1e308, 400, 1e-300, shape) == 400
        assert holdwater.leads_from_spend(1e-300, 400, 1e8, shape) <= 1e-300
    assert holdwater.leads_from_spend(1e200, 400, 1e199, 300) == 400, "s^h alone would be 10^60000"


@given(st.floats(1e-3, 1e7), LEADS, HALF, SHAPE)
def test_next_lead_costs_one_over_the_derivative(
    spend: float, max_leads: float, half_spend: float, shape: float
) -> None:
    with mpmath.workdps(600):  # a difference quotient of a nearly flat curve needs them
        step = mpmath.mpf(spend) * mpmath.mpf("1e-150")
        rise = hill(spend + step, max_leads, half_spend, shape) - hill(spend - step, max_leads, half_spend, shape)
        exact = 2 * step / rise
    found = holdwater.cpl_marginal(spend, max_leads, half_spend, shape)
    assert found == pytest.approx(float(exact), rel=1e-10, abs=0)


def test_next_lead_at_the_edges() -> None:
    assert holdwater.cpl_marginal(0, 400, 1000) == 2.5
    assert holdwater.cpl_marginal(1e-200, 400, 1000) == pytest.approx(2.5), "continuous at 0"
    for shape in (0.5, 0.999, 1.001, 2):
        with pytest.raises(holdwater.NumError, match="only where shape is 1"):
            holdwater.cpl_marginal(0, 400, 1000, shape)
    for spend in (1e-5, 1e12):
        with pytest.raises(holdwater.NumError, match="no next lead"):
            holdwater.cpl_marginal(spend, 400, 1000, 200)
    with pytest.raises(holdwater.NumError, match="no next lead"):
        holdwater.cpl_marginal(1e300, 400, 1e-300)


# SPEND_OPTIMAL


def best_by_search(
    value: float, max_leads: float, half: float, shape: float, capacity: float | None
) -> tuple[Any, Any]:
    """The best spend and its profit: a wide grid, then golden section around its best point."""

    def profit(spend: Any) -> Any:
        leads = hill(spend, max_leads, half, shape)
        return value * (leads if capacity is None else min(leads, capacity)) - spend

    def rough(spend: float) -> float:
        x = math.exp(shape * math.log(spend / half))
        leads = max_leads * x / (1 + x) if x < 1 else max_leads / (1 + 1 / x)
        return value * (leads if capacity is None else min(leads, capacity)) - spend

    steps = [half * 10 ** (n / 50) for n in range(-5000 if shape < 1 else -1000, 1001) if n * shape < 15_000]
    best = max(range(len(steps)), key=lambda n: rough(steps[n]))
    with mpmath.workdps(60):
        low, high = (mpmath.mpf(steps[min(max(n, 0), len(steps) - 1)]) for n in (best - 2, best + 2))
        ratio = (mpmath.sqrt(5) - 1) / 2
        for _ in range(130):
            left, right = high - ratio * (high - low), low + ratio * (high - low)
            if profit(left) < profit(right):
                low = left
            else:
                high = right
        spend = (low + high) / 2
        gain = profit(spend)
        return (spend, gain) if gain > 0 else (mpmath.mpf(0), mpmath.mpf(0))


@given(
    st.floats(0.1, 1e4), st.floats(1, 1e5), st.floats(1, 1e5),
    st.sampled_from([0.2, 0.5, 0.9, 1, 1.2, 1.5, 2, 3, 8, 30]), st.floats(0.01, 2) | st.none(),
)  # fmt: skip
def test_best_spend_is_what_a_search_finds(
    value: float, max_leads: float, half: float, shape: float, filled: float | None
) -> None:
    capacity = None if filled is None else filled * max_leads
    spend, gain = best_by_search(value, max_leads, half, shape, capacity)
    found = holdwater.spend_optimal(value, max_leads, half, shape, capacity)
    if gain > 1e-6 * spend:
        assert found == pytest.approx(float(spend), rel=1e-10, abs=0)
    else:  # what hardly pays is as good as nothing, and for shape 1 hangs on the last digits of the arguments
        leads = holdwater.leads_from_spend(found, max_leads, half, shape)
        assert 0 <= value * min(leads, leads if capacity is None else capacity) - found <= 1e-5 * found


def test_nothing_is_spent_where_nothing_pays() -> None:
    assert holdwater.spend_optimal(0, 400, 1000) == 0
    assert holdwater.spend_optimal(-5, 400, 1000) == 0
    assert holdwater.spend_optimal(2.5, 400, 1000) == 0, "the first lead costs what a lead is worth"
    assert holdwater.spend_optimal(2.6, 400, 1000) > 0
    assert holdwater.spend_optimal(1e-3, 400, 1000, 0.5) > 0, "below shape 1 the first leads cost next to nothing"


@pytest.mark.parametrize("shape", [1.1, 1.5, 2, 3, 10])
def test_above_shape_one_there_is_a_value_below_which_no_spend_pays(shape: float) -> None:
    """There the inner optimum earns nothing; just above it the best spend jumps to where it breaks even."""
    x = (shape - 1) ** (1 / shape)
    worth = x * (1 + x**shape) / x**shape * 1000 / 400
    assert holdwater.spend_optimal(worth * (1 - 1e-9), 400, 1000, shape) == 0
    assert holdwater.spend_optimal(worth * (1 + 1e-9), 400, 1000, shape) == pytest.approx(1000 * x, rel=1e-6)


def test_an_inner_optimum_that_loses_money_is_not_taken() -> None:
    """Shape 3, a lead worth 4.20: near 1,180 the next one costs as much, yet all of them cost more together."""
    assert holdwater.cpl_marginal(1150, 400, 1000, 3) < 4.2 < holdwater.cpl_marginal(1200, 400, 1000, 3)
    assert holdwater.spend_optimal(4.2, 400, 1000, 3) == 0


def test_capacity_ends_the_spend_or_makes_it_pointless() -> None:
    assert holdwater.spend_optimal(40, 400, 1000, 1, 300) == 3000, "just enough for all that pay"
    assert holdwater.spend_optimal(40, 400, 1000, 1, 1e9) == 3000
    assert holdwater.spend_optimal(40, 400, 1000, 1, 200) == pytest.approx(1000)
    # The curve of shape 3 takes money before it gives leads: 10 leads cost 295.
    assert holdwater.spend_optimal(40, 400, 1000, 3, 10) == pytest.approx(1000 * (10 / 390) ** (1 / 3))
    assert holdwater.spend_optimal(29, 400, 1000, 3, 10) == 0


def test_extreme_numbers_give_a_number_or_num() -> None:
    chance = random.Random(7)
    answers = 0
    for _ in range(3000):
        value, max_leads, half, shape, capacity = (10 ** chance.uniform(-250, 250) for _ in range(5))
        try:
            spend = holdwater.spend_optimal(value, max_leads, half, shape, chance.choice([capacity, None]))
        except holdwater.NumError:
            continue
        answers += 1
        assert 0 <= spend < math.inf
        assert value * max_leads * (1 + 1e-9) >= spend, "more than all leads together are worth"
    assert answers > 1000


# SPEND_SPLIT

ADS = ("Ads", 40, 400, 1000)
FAIR = ("Fair", 30, 100, 750)
MAIL = ("Mail", 12, 900, 600)
DEAR = ("Dear", 300, 50, 9000)

SOURCES = st.lists(
    st.tuples(st.just("any"), st.floats(-5, 200), st.floats(1, 2000), st.floats(10, 20_000)), min_size=1, max_size=6
)
LIMIT = st.floats(1, 30_000) | st.none()
PEOPLE = st.floats(1, 3000) | st.none()


def check_optimal(sources: Any, budget: float | None, capacity: float | None) -> list[dict[str, Any]]:
    """Kuhn and Tucker: within the limits, and two prices explain each spend. Returns the split."""
    split: list[dict[str, Any]] = holdwater.spend_split(sources, budget, capacity)
    spent, leads = math.fsum(r["spend"] for r in split), math.fsum(r["leads"] for r in split)
    assert all(r["spend"] >= 0 for r in split)
    assert budget is None or spent <= budget * (1 + 1e-9)
    assert capacity is None or leads <= capacity * (1 + 1e-9)
    for (name, value, max_leads, half), row in zip(sources, split, strict=True):
        exact = [max_leads * row["spend"] / (half + row["spend"]), (half + row["spend"]) ** 2 / (max_leads * half)]
        assert row["source"] == name
        assert [row["leads"], row["next_lead_cost"]] == pytest.approx(exact, rel=1e-12)
        assert row["gain"] == pytest.approx(value * exact[0] - row["spend"], rel=1e-9, abs=1e-6)
    scarce_money = budget is not None and spent > budget * (1 - 1e-9)
    scarce_time = capacity is not None and leads > capacity * (1 - 1e-9)
    points = [(s[1], r["next_lead_cost"]) for s, r in zip(sources, split, strict=True) if r["spend"] > 0]
    money, lead = prices(points, scarce_money, scarce_time)
    assert money >= 1 - 1e-6
    assert lead >= -1e-6 * max(abs(s[1]) for s in sources)
    for (_, value, _, _), row in zip(sources, split, strict=True):
        price = lead + money * row["next_lead_cost"]
        if row["spend"] > 0:
            assert price == pytest.approx(value, rel=1e-6)
        else:
            assert price >= value * (1 - 1e-6) or value <= 0
    return split


def prices(points: list[tuple[float, float]], scarce_money: bool, scarce_time: bool) -> tuple[float, float]:
    """Of a unit of money and of a lead, from value = price of a lead + price of money x cost of the next lead."""
    if not points:
        return 1.0, 0.0
    (value, cost), (other_value, other_cost) = min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])
    if not scarce_time:
        return (other_value / other_cost, 0.0) if scarce_money else (1.0, 0.0)
    if not scarce_money or other_cost <= cost * (1 + 1e-9):
        return 1.0, other_value - other_cost
    money = (other_value - value) / (other_cost - cost)
    return money, value - money * cost


@given(SOURCES, LIMIT, PEOPLE)
def test_two_prices_explain_the_split(sources: Any, budget: float | None, capacity: float | None) -> None:
    costs = [half / max_leads for _, _, max_leads, half in sources]
    # Prices read back from two points need these apart; the split itself needs nothing.
    assume(all(abs(a - b) > 0.01 * a for a, b in itertools.combinations(costs, 2)))
    split = holdwater.spend_split(sources, budget, capacity)
    used = [row for row in split if row["spend"] > 0]
    assume(all(abs(a["next_lead_cost"] - b["next_lead_cost"]) > 0.01 for a, b in itertools.combinations(used, 2)))
    assume(all(row["spend"] > 1e-3 for row in used))
    check_optimal(sources, budget, capacity)


@pytest.mark.parametrize(
    ("budget", "capacity", "tight"),
    [(None, None, ""), (3000, None, "money"), (None, 500, "leads"), (20_000, 300, "leads"), (3000, 420, "both"),
     (5000, 500, "both"), (900, 1000, "money"), (100, 5, "both")],
)  # fmt: skip
def test_each_limit_alone_and_both_together(budget: float | None, capacity: float | None, tight: str) -> None:
    split = check_optimal([ADS, FAIR, MAIL, DEAR], budget, capacity)
    spent, leads = sum(r["spend"] for r in split), sum(r["leads"] for r in split)
    assert (budget is not None and spent == pytest.approx(budget, rel=1e-9)) == (tight in ("money", "both"))
    assert (capacity is not None and leads == pytest.approx(capacity, rel=1e-9)) == (tight in ("leads", "both"))


@pytest.mark.parametrize(
    ("sources", "budget", "capacity"),
    [([ADS, FAIR], None, None), ([ADS, FAIR], 2000, None), ([ADS, FAIR], None, 320), ([ADS, FAIR], 2400, 300),
     ([ADS, DEAR], 3000, 250), ([MAIL, DEAR], 3000, 500), ([ADS, ("Hopeless", 1, 100, 900)], 2000, 300)],
)  # fmt: skip
def test_no_grid_finds_a_better_split(sources: Any, budget: float | None, capacity: float | None) -> None:
    """All splits over two sources on a grid of 100 by 100, then finer around the best one."""
    split = holdwater.spend_split(sources, budget, capacity)
    found = sum(r["gain"] for r in split)
    (_, v, m, k), (_, w, n, j) = sources

    def gain(s: float, t: float) -> float:
        left, right = m * s / (k + s), n * t / (j + t)
        if s < 0 or t < 0 or (budget is not None and s + t > budget):
            return -math.inf
        if capacity is not None and left + right > capacity:
            return -math.inf
        return float(v * left - s + w * right - t)

    best = (0.0, 0.0)
    width = 20_000.0
    for _ in range(14):
        steps = [width * (i / 50 - 1) for i in range(101)]
        best = max(((best[0] + a, best[1] + b) for a in steps for b in steps), key=lambda p: gain(*p))
        width /= 3
    assert found >= gain(*best) * (1 - 1e-9)
    assert gain(*best) >= found * (1 - 1e-3), "the grid itself must come close, or it says nothing"


def test_no_step_within_the_limits_helps() -> None:
    """Random steps from the optimum of four sources, both limits used up."""
    chance = random.Random(11)
    sources, budget, capacity = [ADS, FAIR, MAIL, DEAR], 3000, 420
    split = holdwater.spend_split(sources, budget, capacity)
    found = sum(r["gain"] for r in split)
    tried = 0
    for _ in range(60_000):
        size = 10 ** chance.uniform(-3, 3)
        spends = [max(0.0, r["spend"] + chance.gauss(0, size)) for r in split]
        leads = [m * s / (k + s) for (_, _, m, k), s in zip(sources, spends, strict=True)]
        if sum(spends) <= budget and sum(leads) <= capacity:
            tried += 1
            gain = sum(v * n - s for (_, v, _, _), n, s in zip(sources, leads, spends, strict=True))
            assert gain <= found + 1e-6
    assert tried > 5000


@given(st.floats(0.1, 1e4), st.floats(1, 1e5), st.floats(1, 1e5), LIMIT, PEOPLE)
def test_one_source_alone_is_spend_optimal(
    value: float, max_leads: float, half: float, budget: float | None, capacity: float | None
) -> None:
    (row,) = holdwater.spend_split([["only", value, max_leads, half]], budget, capacity)
    alone = holdwater.spend_optimal(value, max_leads, half, 1, capacity)
    expected = alone if budget is None else min(budget, alone)
    # Bisection and the square root of the water level are right to the last digits of half_spend.
    assert row["spend"] == pytest.approx(expected, rel=1e-9, abs=1e-11 * half + 1e-12 * max_leads)


@given(SOURCES, LIMIT, PEOPLE, st.randoms(use_true_random=False))
def test_order_and_currency_do_not_matter(
    sources: Any, budget: float | None, capacity: float | None, chance: random.Random
) -> None:
    named = [(f"source {n}", *row[1:]) for n, row in enumerate(sources)]
    mixed = [(name, value * 7, leads, half * 7) for name, value, leads, half in named]
    chance.shuffle(mixed)
    split = {r["source"]: r["gain"] * 7 for r in holdwater.spend_split(named, budget, capacity)}
    other = {r["source"]: r["gain"] for r in holdwater.spend_split(mixed, budget and budget * 7, capacity)}
    assert sum(other.values()) == pytest.approx(sum(split.values()), rel=1e-7, abs=1e-4)


def test_a_scarce_lead_goes_where_it_is_worth_most_however_dear_it_is() -> None:
    """With time for 5 leads only the dear source gets money; with 100 to spend only the two that return most."""
    hurried = check_optimal([ADS, FAIR, MAIL, DEAR], None, 5)
    assert [r["source"] for r in hurried if r["spend"]] == ["Dear"]
    poor = check_optimal([ADS, FAIR, MAIL, DEAR], 100, None)
    assert [r["source"] for r in poor if r["spend"]] == ["Ads", "Mail"]


def test_worthless_sources_get_nothing() -> None:
    split = holdwater.spend_split(
        [ADS, ("Negative", -3, 100, 10), ("Zero", 0, 100, 10), ("Dear", 1, 100, 100)], 1e6, 350
    )
    assert [r["spend"] for r in split] == [3000, 0, 0, 0]
    assert [r["gain"] for r in split[1:]] == [0, 0, 0]
    assert all(r["spend"] == 0 for r in holdwater.spend_split([("Negative", -3, 100, 10)], 100, 1))


def test_empty_rows_of_a_range_are_no_sources() -> None:
    rows: Any = [ADS, (None, None, None, None), ["", "", "", ""], FAIR]
    assert holdwater.spend_split(rows, 2000) == holdwater.spend_split([ADS, FAIR], 2000)


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        (
            ("Fair", "30", 100, 750),
            holdwater.KindError,
            "lead_value in row 2 of sources is '30'; a number belongs here",
        ),
        (("Fair", 30, True, 750), holdwater.KindError, "max_leads in row 2 of sources is True"),
        (("Fair", 30, 100, None), holdwater.KindError, "half_spend in row 2 of sources is missing"),
        (("Fair", 30, 100, ""), holdwater.KindError, "half_spend in row 2 of sources is missing"),
        (("", 30, 100, 750), holdwater.KindError, "name in row 2 of sources is missing"),
        (("Fair", 30, 100), holdwater.KindError, "row 2 of sources has 3 cells, not 4"),
        (("Fair", 30, 100, 750, 1), holdwater.KindError, "row 2 of sources has 5 cells, not 4"),
        ("Fair", holdwater.KindError, "sources has one cell in row 2"),
        (("Fair", 30, -100, 750), holdwater.NumError, "max_leads in row 2 of sources is -100; allowed is above 0"),
        (("Fair", 30, 0, 750), holdwater.NumError, "max_leads in row 2 of sources is 0"),
        (("Fair", 30, 100, -750), holdwater.NumError, "half_spend in row 2 of sources is -750; allowed is above 0"),
        (("Fair", math.nan, 100, 750), holdwater.NumError, "lead_value in row 2 of sources is nan"),
        (("Fair", 30, math.inf, 750), holdwater.NumError, "max_leads in row 2 of sources is inf"),
        (("Fair", 1e200, 1e200, 750), holdwater.NumError, "row 2 of sources has numbers too large"),
    ],
)
def test_a_bad_row_is_named_with_its_column(row: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"^SPEND_SPLIT: {message}"):
        holdwater.spend_split([ADS, row], 2000)


@pytest.mark.parametrize("sources", [5, "Ads", object(), [], [(None, "", None, None)], ["Ads", 40, 400, 1000]])
def test_no_rows_at_all(sources: Any) -> None:
    with pytest.raises(holdwater.KindError, match=r"^SPEND_SPLIT: .*rows of name and three numbers"):
        holdwater.spend_split(sources)


def test_limits_are_checked_too() -> None:
    with pytest.raises(holdwater.NumError, match="budget is 0"):
        holdwater.spend_split([ADS], 0)
    with pytest.raises(holdwater.NumError, match="lead_capacity is -1"):
        holdwater.spend_split([ADS], None, -1)
    with pytest.raises(holdwater.KindError, match="sources is missing"):
        holdwater.spend_split("")
