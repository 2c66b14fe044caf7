"""The fitted curve against its definition in beta functions, the published optima, and brute force."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import holdwater
from holdwater.formulas import sbg

REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
HILL_AND_SLOPE = [1e6, 452937, 452937, 452150, 452150, 452150, 452112, 241352, 23101, 23086]  # one with no top
TWO_HILLS = [1e6, 385576, 343848, 93709, 32007, 30718]
ALIKE = [1000, 900, 810, 729, 656.1]


def survival(alpha: Any, beta: Any, time: Any) -> Any:
    return mpmath.beta(alpha, beta + time) / mpmath.beta(alpha, beta)


def likelihood(counts: Sequence[float], alpha: Any, beta: Any) -> Any:
    """By the definition: who left in each period, and who is still there."""
    curve = [survival(alpha, beta, time) for time in range(len(counts))]
    lost = [before - after for before, after in itertools.pairwise(counts)]
    chances = [before - after for before, after in itertools.pairwise(curve)]
    left = [count * mpmath.log(chance) for count, chance in zip(lost, chances, strict=True)]
    return mpmath.fsum(left) + counts[-1] * mpmath.log(curve[-1])


def expected(alpha: float, beta: float, periods: int, customers: float = 1e6) -> list[float]:
    """What a cohort of these parameters is expected to show: its best fit is the parameters themselves."""
    return [float(customers * survival(mpmath.mpf(alpha), mpmath.mpf(beta), time)) for time in range(periods + 1)]


def test_published_optima() -> None:
    alpha, beta, height = holdwater.sbg_fit(REGULAR)
    assert alpha == pytest.approx(0.7040773, abs=1e-7)
    assert beta == pytest.approx(1.1820430, abs=1e-7)
    assert height == pytest.approx(-1680.2651885, abs=1e-7)
    assert holdwater.sbg_fit(HIGH_END)[:2] == pytest.approx((0.668, 3.806), abs=5e-4)


@pytest.mark.parametrize("counts", [REGULAR, HIGH_END, TWO_HILLS, HILL_AND_SLOPE, [10, 7, 6, 6, 5], [1e6, 5e5, 499999]])
def test_the_fit_is_the_top_of_the_likelihood(counts: list[float]) -> None:
    alpha, beta, height = holdwater.sbg_fit(counts)
    with mpmath.workdps(40):
        at_fit = likelihood(counts, mpmath.mpf(alpha), mpmath.mpf(beta))
        assert height == pytest.approx(float(at_fit), rel=1e-12)
        for a, b in itertools.product((0.999, 1, 1.001), repeat=2):
            assert likelihood(counts, a * mpmath.mpf(alpha), b * mpmath.mpf(beta)) <= at_fit + 1e-12 * abs(at_fit)


def test_of_two_hills_the_higher_one() -> None:
    def height(alpha: float, beta: float) -> float:
        return sbg.log_likelihood(TWO_HILLS, beta / alpha, 1 / alpha)

    powers = [10 ** (n / 8) for n in range(-16, 25)]
    grid = {(i, j): height(powers[i], powers[j]) for i in range(len(powers)) for j in range(len(powers))}
    around = [step for step in itertools.product((-1, 0, 1), repeat=2) if any(step)]
    hills = [top for (i, j), top in grid.items() if all(grid.get((i + a, j + b), -math.inf) < top for a, b in around)]
    assert len(hills) > 1
    assert holdwater.sbg_fit(TWO_HILLS)[2] >= max(hills)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6))
def test_no_point_of_a_grid_is_better(seed: int) -> None:
    random = np.random.default_rng(seed)
    churn = random.beta(0.4, 0.8, random.integers(2, 10))
    counts = [1e6, *(1e6 * np.cumprod(1 - churn))]
    try:
        first, rise = sbg.odds_of_staying(counts)
    except holdwater.NoDataError:
        return
    powers = 10 ** np.arange(-7, 7, 0.25)
    firsts, rises = np.meshgrid(powers, powers)
    heights = np.zeros_like(firsts)
    for age, (before, after) in enumerate(itertools.pairwise(counts)):
        odds = firsts + rises * age
        heights += after * np.log(odds) - before * np.log1p(odds)
    assert sbg.log_likelihood(counts, first, rise) >= heights.max() - 1e-3  # of a million customers


@settings(deadline=None)
@given(st.floats(0.05, 30), st.floats(0.05, 30), st.integers(2, 25))
@example(1e-3, 1e-3, 5)
@example(200.0, 3000.0, 12)
def test_a_cohort_as_expected_gives_its_parameters_back(alpha: float, beta: float, periods: int) -> None:
    fitted = holdwater.sbg_fit(expected(alpha, beta, periods))
    assert fitted[:2] == pytest.approx((alpha, beta), rel=1e-3)
    with mpmath.workdps(30):  # where the top is flat the parameters are loose, but not its height
        assert fitted[2] == pytest.approx(float(likelihood(expected(alpha, beta, periods), alpha, beta)), rel=1e-12)


@given(st.floats(1e-3, 1e6))
def test_ten_times_the_customers_say_the_same(times: float) -> None:
    alpha, beta, height = holdwater.sbg_fit([times * count for count in REGULAR])
    assert (alpha, beta) == pytest.approx(holdwater.sbg_fit(REGULAR)[:2], rel=1e-9)
    assert height == pytest.approx(times * holdwater.sbg_fit(REGULAR)[2], rel=1e-12)


def test_survival_is_the_curve_at_the_fit() -> None:
    alpha, beta, _ = holdwater.sbg_fit(HIGH_END)
    curve = holdwater.sbg_survival(HIGH_END, 1000)
    assert len(curve) == 1001
    assert curve[0] == 1
    for time in (1, 2, 7, 30, 1000):
        assert curve[time] == pytest.approx(float(survival(alpha, beta, time)), rel=1e-11)
    # The paper's finding: four years foresee the seventh within two points, where a straight line would miss by far.
    assert holdwater.sbg_survival(REGULAR[:5], 7)[7] == pytest.approx(0.241, abs=0.02)


NO_DATA: dict[str, list[Any]] = {
    "three counts at least": [100, 80],
    "ends at time 0": [100],
    "no loss at all": [100, 100, 100],
    "0 from time 1 on": [100, 0, 0],
    "no loss after the first period": [100, 60, 60, 60],
    "an empty cohort": [0, 0, 0],
}


@pytest.mark.parametrize("says", NO_DATA)
def test_too_little_to_fit(says: str) -> None:
    for call in (
        lambda: holdwater.sbg_fit(NO_DATA[says]),
        lambda: holdwater.sbg_survival(NO_DATA[says], 3),
    ):
        with pytest.raises(holdwater.NoDataError, match=says):
            call()


@pytest.mark.parametrize("counts", [[100, 80, 85], [0, 5, 3], [100, 80, 80.0001, 70]])
def test_a_cohort_that_grows_is_none(counts: list[float]) -> None:
    with pytest.raises(holdwater.NumError, match=r"survivors rises from .* only shrinks"):
        holdwater.sbg_fit(counts)
    with pytest.raises(holdwater.NumError, match="survivors rises from"):
        holdwater.ltv_cohort(30, counts, 0.1, 0, 1)


def test_empty_cells_after_the_last_count_and_nowhere_else() -> None:
    blank: list[Any] = [*REGULAR, None, "", None]
    assert holdwater.sbg_fit(blank) == holdwater.sbg_fit(REGULAR)
    assert holdwater.ltv_cohort(30, blank, 0.1) == holdwater.ltv_cohort(30, REGULAR, 0.1)
    for gap in ([None, *REGULAR], [*REGULAR[:3], "", *REGULAR[4:]]):
        with pytest.raises(holdwater.KindError, match="empty cell at time"):
            holdwater.sbg_fit(gap)  # type: ignore[arg-type]  # as cells come


@pytest.mark.parametrize("counts", [ALIKE, [100, 100, 60, 40], [100, 90, 70, 40, 10], [100, 50, 0]])
def test_churn_that_never_falls_has_no_parameters_but_a_curve(counts: list[float]) -> None:
    """The limit of the curves: everybody has the churn that explains the counts best, losses / customer-periods."""
    churn = (counts[0] - counts[-1]) / sum(counts[:-1])
    with pytest.raises(holdwater.NumError, match=f"a churn of {churn:.4g} "):
        holdwater.sbg_fit(counts)
    assert holdwater.sbg_survival(counts, 50) == pytest.approx([(1 - churn) ** time for time in range(51)], rel=1e-9)


@pytest.mark.parametrize("timing", [0, 1, 2])
@pytest.mark.parametrize(("discount", "growth", "periods"), [(0, 0, None), (0.1, 0, None), (0, 0.05, None), (0, 0, 40)])
def test_a_cohort_of_constant_churn_is_worth_its_ltv(
    timing: int, discount: float, growth: float, periods: int | None
) -> None:
    value = holdwater.ltv_cohort(30, ALIKE, discount, growth, periods, timing)
    assert value == pytest.approx(holdwater.ltv(30, 0.1, discount, growth, periods, timing), rel=1e-9)


TERMS = [(0.1, 0.0), (0.03, 0.0), (0.1, 0.04), (0.5, -0.3), (1.0, 0.0), (-0.05, -0.1)]


def by_definition(counts: list[float], discount: float, growth: float, timing: int) -> Callable[[Any], Any]:
    """One term of the sum in the catalogue."""
    alpha, beta = map(mpmath.mpf, holdwater.sbg_fit(counts)[:2])
    last = len(counts) - 1
    at_last = survival(alpha, beta, last)
    d, g = 1 + mpmath.mpf(discount), 1 + mpmath.mpf(growth)

    def share(time: Any) -> Any:
        if time <= last:
            return mpmath.mpf(counts[int(time)]) / counts[0]
        return mpmath.mpf(counts[last]) / counts[0] * survival(alpha, beta, time) / at_last

    def term(t: Any) -> Any:
        t = mpmath.mpf(t)
        return g**t * (share(t + 1) if timing == 2 else share(t)) / d ** (t if timing == 1 else t + 1)

    return term


@pytest.mark.parametrize("counts", [REGULAR, HIGH_END, expected(3.8, 15.2, 6)], ids=["regular", "high end", "steady"])
@pytest.mark.parametrize(("discount", "growth"), TERMS)
@pytest.mark.parametrize("timing", [0, 1, 2])
def test_value_of_a_cohort_is_the_sum_of_its_payments(
    counts: list[float], discount: float, growth: float, timing: int
) -> None:
    with mpmath.workdps(25):
        term = by_definition(counts, discount, growth, timing)
        total, t = term(0), 0
        while abs(term(t)) > 1e-13 * abs(total):  # then the rest is less than a hundred times as much
            t += 1
            total += term(t)
        for periods in (1, 2, len(counts) - 1, len(counts), len(counts) + 1, 60):
            part = mpmath.fsum(term(t) for t in range(periods))
            value = holdwater.ltv_cohort(100, counts, discount, growth, periods, timing)
            assert value == pytest.approx(float(100 * part), rel=1e-12)
    assert holdwater.ltv_cohort(100, counts, discount, growth, None, timing) == pytest.approx(
        float(100 * total), rel=1e-9
    )


@pytest.mark.parametrize(("alpha", "beta"), [(3.8, 15.2), (1.5, 2.0), (1.05, 0.5)])
def test_an_undiscounted_life_has_a_mean_where_loyalty_is_not_too_strong(alpha: float, beta: float) -> None:
    """The mean of 1 / churn over a beta distribution is (alpha + beta - 1) / (alpha - 1)."""
    value = holdwater.ltv_cohort(1, expected(alpha, beta, 8), timing=1)
    assert value == pytest.approx((alpha + beta - 1) / (alpha - 1), rel=1e-6)
    # Nothing jumps where discounting begins, nor where growth takes it back.
    assert holdwater.ltv_cohort(1, expected(3.8, 15.2, 8), 1e-13, timing=1) == pytest.approx(18 / 2.8, rel=1e-6)
    assert holdwater.ltv_cohort(1, expected(3.8, 15.2, 8), 0.07, 0.07, timing=1) == pytest.approx(18 / 2.8, rel=1e-6)


@pytest.mark.parametrize(
    ("counts", "discount", "growth"),
    [(REGULAR, 0, 0), (HIGH_END, 0, 0), (REGULAR, 0.1, 0.1), (REGULAR, 0.05, 0.1), (expected(3, 9, 6), 0, 0.01),
     (REGULAR, 0.1 + 0.2, 0.3), (ALIKE, 0, 0.2)],
)  # fmt: skip
def test_a_sum_without_end(counts: list[float], discount: float, growth: float) -> None:
    with pytest.raises(holdwater.NumError, match="give periods, or more discount"):
        holdwater.ltv_cohort(100, counts, discount, growth)
    assert holdwater.ltv_cohort(100, counts, discount, growth, 500) > 0


def test_what_was_observed_needs_no_fit() -> None:
    assert holdwater.ltv_cohort(100, [10, 10, 10], periods=3) == 300  # nobody left, and nobody asks beyond time 2
    assert holdwater.ltv_cohort(100, [10], periods=1, timing=1) == 100
    assert holdwater.ltv_cohort(100, [10, 5, 0]) == holdwater.ltv_cohort(100, [10, 5, 0, 0], 0, 0, 99) == 150
    assert holdwater.ltv_cohort(100, [10, 0], timing=2) == 0  # nobody ever renewed
    for periods, timing in ((4, 0), (3, 2), (None, 0)):
        with pytest.raises(holdwater.NoDataError, match="no loss at all"):
            holdwater.ltv_cohort(100, [10, 10, 10], 0.1, 0, periods, timing)


@given(st.sampled_from([REGULAR, HIGH_END]), st.floats(0.001, 1), st.floats(-0.5, 0.0005), st.floats(0.01, 1e4))
def test_the_three_timings_are_one_stream_of_payments(
    counts: list[float], discount: float, growth: float, margin: float
) -> None:
    end, start, renewal = (holdwater.ltv_cohort(margin, counts, discount, growth, None, t) for t in (0, 1, 2))
    assert end * (1 + discount) == pytest.approx(start, rel=1e-12)
    # Without the very first payment, and starting from one that has not grown yet.
    assert renewal * (1 + growth) == pytest.approx(start - margin, rel=1e-9, abs=1e-9 * margin)


@given(st.sampled_from([REGULAR, HIGH_END]), st.floats(0.001, 0.9), st.floats(1e-4, 0.1), st.integers(1, 400))
def test_more_discount_is_worth_less_and_more_periods_more(
    counts: list[float], discount: float, more: float, periods: int
) -> None:
    assert holdwater.ltv_cohort(100, counts, discount + more) < holdwater.ltv_cohort(100, counts, discount)
    part = holdwater.ltv_cohort(100, counts, discount, 0, periods)
    assert part <= holdwater.ltv_cohort(100, counts, discount, 0, periods + 1)
    assert part <= holdwater.ltv_cohort(100, counts, discount) * (1 + 1e-12)


def test_published_residual_lifetimes() -> None:
    """Fader & Hardie 2010, table 3: alpha 3.8, beta 15.2, discount 10 %, just before each renewal."""
    published = [3.30982, 3.45100, 3.58654, 3.71681, 3.84213]
    first, rise = 15.2 / 3.8, 1 / 3.8
    for renewal, lifetime in enumerate(published):
        odds = first + rise * renewal
        residual = odds / (1 + odds) * sbg.life(odds + rise, rise, 0.1 / 1.1)
        assert residual == pytest.approx(lifetime, abs=5e-6)
    assert 1.1 * holdwater.ltv_cohort(1, expected(3.8, 15.2, 6), 0.1, timing=2) == pytest.approx(3.30982, abs=5e-6)


def test_constant_churn_of_the_first_year_understates() -> None:
    """By 20 to 37 % at a discount of 10 %: who stays is loyal."""
    for counts, higher in ((HIGH_END, 0.24), (REGULAR, 0.57)):
        first_year = 1 - counts[1] / counts[0]
        assert holdwater.ltv_cohort(1, counts, 0.1) / holdwater.ltv(1, first_year, 0.1) - 1 == pytest.approx(
            higher, abs=0.005
        )


LEAKS = [1e-25, 1e-15, 1e-8, 1e-4, 0.01, 0.1, 0.6, 0.999]


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("alpha", [1e-4, 0.05, 0.3, 0.99, 1, 1.01, 4, 40])
@pytest.mark.parametrize("beta", [1, 8, 90])
def test_a_life_beyond_the_last_count(leak: float, alpha: float, beta: float) -> None:
    """The sum is a hypergeometric function, and close to 1 it takes many digits to compute it."""
    with mpmath.workdps(60):
        a, b, x = map(mpmath.mpf, (alpha, beta, leak))
        exact = float(mpmath.hyp2f1(1, b, a + b, 1 - x))
    assert sbg.life(beta / alpha, 1 / alpha, leak) == pytest.approx(exact, rel=1e-9)


def test_the_smallest_leak_is_as_good_as_none() -> None:
    assert sbg.life(8.0, 1 / 3, 1e-300) == pytest.approx(sbg.life(8.0, 1 / 3, 0), rel=1e-12)
    # Nearly all of these never leave: leak^alpha of them have a churn below leak.
    assert sbg.life(2e4, 1e4, 1e-300) * 1e-300 == pytest.approx(1e-300**1e-4, rel=1e-3)


@pytest.mark.parametrize("periods", [0, 2.5, 1e7, -1])
def test_periods_are_whole_and_not_without_number(periods: float) -> None:
    with pytest.raises(holdwater.NumError, match="a whole number of 1 or more"):
        holdwater.sbg_survival(REGULAR, periods)
    with pytest.raises(holdwater.NumError, match="a whole number of 1 or more"):
        holdwater.ltv_cohort(30, REGULAR, 0.1, 0, periods)


@pytest.mark.parametrize(
    "counts",
    [[1e300, 9e299, 8.5e299], [1e-300, 9e-301, 8.5e-301], [1e6, 999999, 999998.5], [1e6, 1, 0.99], [3, 2, 1, 1],
     [1e12, 5e11, 5e11 - 1], [1e6] * 50 + [999999], [1000 * 0.5**t for t in range(60)], [1e6, 1e-6, 0]],
)  # fmt: skip
def test_hostile_counts_end_in_a_curve_or_a_sentence(counts: list[float]) -> None:
    try:
        alpha, beta, height = holdwater.sbg_fit(counts)
    except holdwater.FormulaError:
        return
    assert alpha > 0
    assert beta > 0
    assert height < 0
    value = holdwater.ltv_cohort(1, counts, 0.1, timing=1)
    assert 1 <= value <= 11.0000001
