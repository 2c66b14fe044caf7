"""The fit against the formulas, the published optima and the definition; its limits against businesses made up."""

from __future__ import annotations

import doctest
import importlib
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdwater
from holdwater.models import retention
from holdwater.models.fitted import Estimator
from holdwater.models.renewals import Renewals

PAGE = Path(__file__).parents[2] / "docs" / "models_retention.md"

REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
TWO_HILLS = [1e6, 385576, 343848, 93709, 32007, 30718]
HILL_AND_SLOPE = [1e6, 452937, 452937, 452150, 452150, 452150, 452112, 241352, 23101, 23086]
ALIKE = [1000, 900, 810, 729, 656.1]
NEVER_FALLS: list[list[float]] = [ALIKE, [100, 100, 60, 40], [100, 90, 70, 40, 10], [100, 50, 0]]


def likeliest(*survivors: Sequence[float]) -> retention.RetentionFit:
    return retention.fit(Renewals.of_cohorts(survivors), Estimator.LIKELIHOOD)


def penalised(*survivors: Sequence[float]) -> retention.RetentionFit:
    return retention.fit(Renewals.of_cohorts(survivors))


def definition(survivors: list[list[float]], alpha: Any, beta: Any) -> Any:
    """Who left in each period, and who is still there, cohort by cohort."""
    total = mpmath.mpf(0)
    for counts in survivors:
        curve = [mpmath.beta(alpha, beta + time) / mpmath.beta(alpha, beta) for time in range(len(counts))]
        for (before, after), (high, low) in zip(itertools.pairwise(counts), itertools.pairwise(curve), strict=True):
            total += (mpmath.mpf(before) - after) * mpmath.log(high - low)
        total += counts[-1] * mpmath.log(curve[-1])
    return total


def test_reference_optimum() -> None:
    fitted = likeliest(REGULAR)
    assert fitted.converged
    assert fitted.log_likelihood == pytest.approx(-1680.2651885, abs=1e-6)
    assert fitted.alpha == pytest.approx(0.7040773, abs=1e-7)
    assert fitted.beta == pytest.approx(1.1820430, abs=1e-7)
    assert fitted.n == 1000


@pytest.mark.parametrize("counts", [REGULAR, HIGH_END, TWO_HILLS, HILL_AND_SLOPE, [10, 7, 6, 6, 5]])
def test_one_cohort_is_sbg_fit(counts: list[float]) -> None:
    alpha, beta, height = holdwater.sbg_fit(counts)
    fitted = likeliest(counts)
    assert fitted.converged
    assert fitted.log_likelihood == pytest.approx(height, rel=1e-12)
    assert (fitted.alpha, fitted.beta) == pytest.approx((alpha, beta), rel=1e-7)
    assert fitted.curve.survival(30) == pytest.approx(holdwater.sbg_survival(counts, 30), rel=1e-8)


@pytest.mark.parametrize("counts", NEVER_FALLS)
def test_churn_that_never_falls_is_sbg_survival_too(counts: list[float]) -> None:
    fitted = likeliest(counts)
    assert fitted.parameters["rise"] == 0
    assert fitted.curve.survival(50) == pytest.approx(holdwater.sbg_survival(counts, 50), rel=1e-9)
    for name in ("alpha", "beta"):
        with pytest.raises(holdwater.NumError, match=r"churn does not fall with age.* take a churn of"):
            getattr(fitted, name)
    with pytest.raises(holdwater.NumError, match="use the penalised estimator"):
        fitted.value_between(10, 0.1)
    assert "all are taken to be alike" in fitted.summary()
    assert "nan" not in fitted.summary()
    assert "inf" not in fitted.summary()
    low, high = penalised(counts).value_between(10, 0.1)
    assert 0 < low < high < math.inf


@pytest.mark.parametrize("counts", [REGULAR, HIGH_END, ALIKE, [100, 50, 0]])
@pytest.mark.parametrize("timing", [0, 1, 2])
@pytest.mark.parametrize(
    ("discount", "growth", "periods"),
    [(0.1, 0, None), (0.1, 0.04, None), (0, 0, 1), (0, 0.02, 6), (0.1, 0, 7), (0.1, 0, 8), (0.05, 0, 9), (0, 0, 60)],
)
def test_one_cohort_is_ltv_cohort(
    counts: list[float], timing: int, discount: float, growth: float, periods: int | None
) -> None:
    value = likeliest(counts).value(100, discount, growth, periods, timing)
    assert value == pytest.approx(holdwater.ltv_cohort(100, counts, discount, growth, periods, timing), rel=1e-8)


def test_a_life_without_end_as_in_ltv_cohort() -> None:
    for fitted in (likeliest(REGULAR), penalised(REGULAR)):
        with pytest.raises(holdwater.NumError, match="give periods, or more discount"):
            fitted.value(100)
        with pytest.raises(holdwater.NumError, match="give periods, or more discount"):
            fitted.value_between(100)
    # The best curve of these has a sum, and curves nearly as likely have none.
    steady = penalised([40, 32, 27, 23])
    assert steady.curve.value(100) > 0
    with pytest.raises(holdwater.NumError, match="no upper limit; give periods, or more discount"):
        steady.value_between(100)
    assert steady.value_between(100, periods=36)[1] < 3600


COHORTS: list[list[float]] = [[300, 190, 140, 115], [250, 160, 120], [120, 70], [80]]


def test_several_cohorts_of_different_ages() -> None:
    fitted = likeliest(*COHORTS)
    with mpmath.workdps(30):
        height = definition(COHORTS, mpmath.mpf(fitted.alpha), mpmath.mpf(fitted.beta))
        assert fitted.log_likelihood == pytest.approx(float(height), rel=1e-12)
        for a, b in itertools.product((0.99, 1, 1.01), repeat=2):
            assert definition(COHORTS, a * mpmath.mpf(fitted.alpha), b * mpmath.mpf(fitted.beta)) <= height + 1e-9
    assert fitted.n == 670  # the cohort of 80 has not reached a renewal


def test_the_covariance_is_the_bend_of_the_definition() -> None:
    fitted = likeliest(*COHORTS)

    def height(odds: Any, rise: Any) -> Any:
        odds, rise = mpmath.exp(odds), mpmath.exp(rise)
        return definition(COHORTS, 1 / rise, odds / rise)

    with mpmath.workdps(40):
        at = tuple(mpmath.log(mpmath.mpf(value)) for value in fitted.parameters.values())
        bend = np.array(
            [[float(mpmath.diff(height, at, n)) for n in row] for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))]
        )
    assert fitted.covariance == pytest.approx(np.linalg.inv(-bend), rel=1e-6)


def test_weights_stand_for_that_many_customers() -> None:
    once = Renewals.of_customers([0, 0, 0, 1], [1, 2.5, None, 3.5], as_of=4, weights=[30, 20, 40, 10])
    many = Renewals.of_customers(
        np.repeat([0, 0, 0, 1], [30, 20, 40, 10]), np.repeat([1, 2.5, np.inf, 3.5], [30, 20, 40, 10]), as_of=4
    )
    for estimator in Estimator:
        assert retention.fit(once, estimator).parameters == retention.fit(many, estimator).parameters
        assert retention.fit(once, estimator).n == 100


def posterior(survivors: list[list[float]], discount: float) -> tuple[float, float]:
    """Limits of the lifetime by summing the penalised hill over a fine grid: its definition, written out."""
    odds, rises = np.meshgrid(np.exp(np.linspace(-3, 6, 400)), np.exp(np.linspace(-9, 7, 400)))
    height = -0.5 * (np.log(rises * 1.5) / 2) ** 2 + 0.5 * np.log(odds / (1 + odds)) - 0.5 * np.log1p(odds)
    for counts in survivors:
        for age, (before, after) in enumerate(itertools.pairwise(counts)):
            now = odds + rises * age
            height += after * np.log(now) - before * np.log1p(now)
    weights = np.exp(height - height.max()).ravel()
    share, lives = np.ones_like(odds), np.zeros_like(odds)
    for time in range(300):
        lives += share / (1 + discount) ** time
        now = odds + rises * time
        share = share * now / (1 + now)
    order = np.argsort(lives.ravel())
    chances = np.cumsum(weights[order])
    low, high = np.searchsorted(chances, np.array([0.05, 0.95]) * chances[-1])
    return float(lives.ravel()[order][low]), float(lives.ravel()[order][high])


@pytest.mark.parametrize(
    "survivors", [[[20, 13, 9, 8, 6]], [[15, 12], [10, 9, 8], [9, 8, 8, 7]], [[1000, 631, 468, 382]]]
)
def test_limits_are_those_of_the_penalised_hill(survivors: list[list[float]]) -> None:
    wanted = posterior(survivors, 0.1)
    drawn = penalised(*survivors).between(lambda curve: curve.lifetime(0.1), size=20_000)
    assert drawn == pytest.approx(wanted, rel=0.015)


def test_limits_close_in_and_hold_the_estimate() -> None:
    widths = []
    for times in (0.02, 1, 50):
        fitted = penalised([times * count for count in REGULAR])
        low, high = fitted.value_between(100, 0.1)
        assert low < float(fitted.curve.value(100, 0.1)) < high
        wide = fitted.value_between(100, 0.1, confidence=0.99)
        assert wide[0] < low < high < wide[1]
        widths.append(math.log(high / low))
    assert widths[0] > 4 * widths[1] > 16 * widths[2]
    low_band, high_band = fitted.band(12)
    curve = fitted.curve.survival(12)
    assert low_band[0] == high_band[0] == 1
    assert (low_band[1:] < curve[1:]).all()
    assert (curve[1:] < high_band[1:]).all()
    # The estimators agree where there are many customers.
    assert fitted.curve.value(100, 0.1) == pytest.approx(holdwater.ltv_cohort(100, REGULAR, 0.1), rel=2e-3)


def test_money_has_no_unit_and_days_may_be_weeks() -> None:
    random = np.random.default_rng(7)
    start = random.integers(0, 700, 200)
    end = start + random.integers(1, 900, 200)
    in_days = retention.fit(Renewals.of_customers(start, end, as_of=720, period=28))
    in_weeks = retention.fit(Renewals.of_customers(start / 7, end / 7, as_of=720 / 7, period=4))
    assert in_weeks.parameters == in_days.parameters
    low, high = in_days.value_between(19.9, 0.01)
    assert in_weeks.value_between(1990, 0.01) == pytest.approx((100 * low, 100 * high), rel=1e-12)
    assert in_weeks.value(1990, 0.01) == pytest.approx(100 * in_days.value(19.9, 0.01), rel=1e-12)


def test_the_prior_says_the_same_of_months_and_of_quarters() -> None:
    """Customers of low churn, looked at every month or every third: the same rise, a third of the odds."""
    alpha, beta = 1.5, 60.0
    monthly = [float(40 * mpmath.beta(alpha, beta + time) / mpmath.beta(alpha, beta)) for time in range(25)]
    by_month, by_quarter = penalised(monthly), penalised(monthly[::3])
    assert by_quarter.parameters["rise"] == pytest.approx(by_month.parameters["rise"], rel=0.05)
    assert by_quarter.curve.survival(20) == pytest.approx(by_month.curve.survival(60)[::3], rel=0.01)
    months = np.array(by_month.value_between(10, 0.01, timing=1))
    quarters = np.array(by_quarter.value_between(10, 1.01**3 - 1, timing=1))
    # A quarter paid at its start, by a customer who leaves during it, is a little more than its months.
    assert quarters * 3 == pytest.approx(months, rel=0.08)


HARD: dict[str, list[list[float]]] = {
    "a single customer who stayed": [[1, 1]],
    "a single customer who left": [[1, 0]],
    "a single customer who left later": [[1, 1, 1, 0]],
    "all churned at once": [[50, 0]],
    "all churned": [[50, 30, 10, 0]],
    "none churned": [[50, 50, 50, 50]],
    "none churned in years": [[5] * 121],
    "churned in the first period only": [[100, 60, 60, 60]],
    "churned late only": [[100, 100, 100, 20]],
    "a millionth of a customer": [[1e-6, 5e-7, 3e-7]],
    "a thousand million customers": [[1e9, 9e8, 8.9e8, 8.8e8]],
}


@pytest.mark.parametrize("survivors", HARD.values(), ids=HARD.keys())
def test_hard_cohorts_have_honest_limits(survivors: list[list[float]]) -> None:
    fitted = penalised(*survivors)
    assert fitted.converged
    low, high = fitted.value_between(100, 0.1)
    # Between leaving at once and never.
    assert 100 / 1.1 < low < float(fitted.curve.value(100, 0.1)) < high < 1000
    assert sum(counts[0] for counts in survivors) > 1e6 or high / low > 1.05
    assert math.isfinite(fitted.log_likelihood)
    assert "nan" not in fitted.summary()


LEFT_OPEN: dict[str, list[list[float]]] = {
    "nobody has reached a second renewal": [[100, 80]],
    "nobody has left yet": [[100, 100, 100]],
    "nobody made the first renewal": [[100, 0, 0]],
    "nobody left after the first renewal": [[100, 60, 60, 60], [30, 20]],
}


@pytest.mark.parametrize("says", LEFT_OPEN)
def test_what_the_likelihood_leaves_open(says: str) -> None:
    with pytest.raises(holdwater.NoDataError, match=rf"{says}.* or use the penalised estimator"):
        likeliest(*LEFT_OPEN[says])


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 60), min_size=2, max_size=9), min_size=1, max_size=6))
def test_no_cohorts_make_the_penalised_fit_fail(drawn: list[list[int]]) -> None:
    survivors: list[list[float]] = [sorted(map(float, counts), reverse=True) for counts in drawn]
    if not any(counts[0] for counts in survivors):
        return
    fitted = penalised(*survivors)
    assert fitted.converged
    low, high = fitted.value_between(100, 0.1, size=500)
    assert 100 / 1.1 <= low < high <= 1000


def test_a_confidence_is_a_share() -> None:
    fitted = penalised(REGULAR)
    for call in (lambda: fitted.value_between(100, 0.1, confidence=90), lambda: fitted.band(5, 90)):
        with pytest.raises(holdwater.NumError, match="confidence is 90; allowed is between 0 and 1"):
            call()


def test_summary_is_for_people() -> None:
    lines = penalised(REGULAR).summary().splitlines()
    assert lines[0] == "Retention (shifted beta-geometric), 1,000 customers, penalised"
    assert "churn in period 1     37.33%   90 % between 34.9" in lines[1]
    assert lines[4].endswith("(not seen yet)")


def test_draws_are_the_same_every_time() -> None:
    fitted = penalised(REGULAR)
    assert np.array_equal(fitted.draws(50), fitted.draws(50))
    assert not np.array_equal(fitted.draws(50), fitted.draws(50, seed=2))
    assert fitted.draws().shape == (4000, 2)
    # Any part of them is as good as the whole: they come in no order.
    assert np.median(fitted.draws()[:1000], axis=0) == pytest.approx(np.median(fitted.draws(), axis=0), rel=0.02)


def test_the_examples_of_the_page() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert failed == 0
    assert tried > 15


@pytest.mark.slow
def test_limits_hold_the_truth_nine_times_in_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """400 runs of each business and size, so that chance moves a share by 0.015: 0.85 to 0.95, and no fit fails."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    coverage = importlib.import_module("coverage_retention")

    assert min(abs(math.log(business.alpha / 1.5)) for business in coverage.BUSINESSES) > 0.6  # away from the centre
    for business, size in itertools.product(coverage.BUSINESSES, coverage.SIZES):
        score = coverage.score(business, size, Estimator.PENALISED)
        assert score.failed == 0, (business, size)
        assert 0.85 <= score.value <= 0.95, (business, size)
        assert 0.85 <= score.cost_per_lead <= 0.95, (business, size)
