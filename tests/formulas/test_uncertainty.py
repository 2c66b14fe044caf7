"""Limits against the published formulas in 50 digits, and against exact enumeration of every outcome."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import holdwater

TRIALS = st.floats(1e-3, 1e15)
SHARE = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1), st.floats(1e-9, 1e-3), st.floats(0.999, 1))
CONFIDENCE = st.one_of(st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]), st.floats(0.5, 1, exclude_max=True))
MONEY = st.floats(1e-2, 1e9)


def deviate(confidence: float) -> Any:
    return mpmath.sqrt(2) * mpmath.erfinv(mpmath.mpf(confidence))


def wilson(successes: float, trials: float, confidence: float) -> tuple[Any, Any]:
    """Both limits as Wilson wrote them, in as many digits as mpmath works with."""
    n, z = mpmath.mpf(trials), deviate(confidence)
    p = mpmath.mpf(successes) / n
    middle, half = p + z**2 / (2 * n), z * mpmath.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


@given(SHARE, TRIALS, CONFIDENCE)
@example(1e-9, 1e15, 0.9)
@example(1.0, 1e-3, 0.9999999999999999)
def test_limits_are_wilsons(share: float, trials: float, confidence: float) -> None:
    successes = share * trials
    with mpmath.workdps(80):  # the textbook form loses digits, so it gets more of them
        low, high = map(float, wilson(successes, trials, confidence))
    assert holdwater.rate_low(successes, trials, confidence) == pytest.approx(low, rel=1e-12, abs=1e-70)
    assert holdwater.rate_high(successes, trials, confidence) == pytest.approx(high, rel=1e-12)


@given(SHARE, st.one_of(TRIALS, st.floats(5e-324, 1e-300), st.floats(1e300, 1e308)), CONFIDENCE)
def test_limits_are_rates_around_the_measured_one(share: float, trials: float, confidence: float) -> None:
    successes = share * trials
    low = holdwater.rate_low(successes, trials, confidence)
    high = holdwater.rate_high(successes, trials, confidence)
    assert 0 <= low <= successes / trials * (1 + 1e-14)
    assert successes / trials * (1 - 1e-14) <= high <= 1
    assert high == pytest.approx(1 - holdwater.rate_low(trials - successes, trials, confidence), abs=1e-15)


def test_a_hair_below_every_trial_rounding_does_not_exceed_1() -> None:
    for trials in range(1, 2000):
        assert holdwater.rate_high(math.nextafter(trials, 0), trials, 0.95) <= 1


@given(TRIALS, CONFIDENCE)
def test_the_ends_are_exact(trials: float, confidence: float) -> None:
    assert holdwater.rate_low(0, trials, confidence) == 0
    assert holdwater.rate_high(trials, trials, confidence) == 1
    assert holdwater.rate_high(0, trials, confidence) > 0
    assert holdwater.rate_low(trials, trials, confidence) < 1 or trials > 1e14


@given(st.integers(1, 1000), st.data())
def test_more_confidence_widens_and_more_trials_narrow(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    narrow, wide = sorted(data.draw(st.tuples(CONFIDENCE, CONFIDENCE)))
    assert holdwater.rate_low(successes, trials, wide) <= holdwater.rate_low(successes, trials, narrow)
    assert holdwater.rate_high(successes, trials, narrow) <= holdwater.rate_high(successes, trials, wide)
    assert holdwater.rate_low(successes, trials) <= holdwater.rate_low(2 * successes, 2 * trials)
    assert holdwater.rate_high(successes, trials) >= holdwater.rate_high(2 * successes, 2 * trials)


def coverage(trials: int, rate: float, confidence: float) -> float:
    """How often the limits hold the true rate, over every possible number of successes."""
    return sum(
        math.comb(trials, s) * rate**s * (1 - rate) ** (trials - s)
        for s in range(trials + 1)
        if holdwater.rate_low(s, trials, confidence) <= rate <= holdwater.rate_high(s, trials, confidence)
    )


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("trials", [20, 30, 60])
def test_the_limits_hold_the_true_rate_as_often_as_promised(trials: int, confidence: float) -> None:
    """Brown, Cai & DasGupta 2001: on average over all rates, Wilson's limits cover close to the nominal share."""
    rates = [(i + 0.5) / 400 for i in range(400)]
    mean = sum(coverage(trials, rate, confidence) for rate in rates) / len(rates)
    assert mean == pytest.approx(confidence, abs=0.01)


def test_the_known_weak_spot_of_wilsons_limits() -> None:
    """Agresti & Coull 1998: just below 0.18 / n the 95 % limits cover 84 % of the time only, for any large n."""
    n = 10_000
    weak = holdwater.rate_low(1, n, 0.95)
    assert n * weak == pytest.approx(0.1765, abs=1e-4)
    assert (1 - weak) ** n == pytest.approx(0.838, abs=1e-3)


@given(st.floats(1e-6, 0.999999), st.floats(1e-5, 0.9), CONFIDENCE)
def test_trials_needed_are_the_fewest(rate: float, margin_of_error: float, confidence: float) -> None:
    trials = holdwater.trials_needed(rate, margin_of_error, confidence)
    with mpmath.workdps(50):
        exact = (deviate(confidence) / mpmath.mpf(margin_of_error)) ** 2 * mpmath.mpf(rate) * (1 - mpmath.mpf(rate))
    assert trials == int(trials)
    assert trials - 1 < exact * (1 + mpmath.mpf("1e-11"))
    assert exact * (1 - mpmath.mpf("1e-11")) <= trials


@given(st.integers(1, 10**9), st.floats(0.01, 0.99), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_a_whole_number_of_trials_stays_that_number(trials: int, rate: float, confidence: float) -> None:
    with mpmath.workdps(50):
        margin = float(deviate(confidence) * mpmath.sqrt(mpmath.mpf(rate) * (1 - mpmath.mpf(rate)) / trials))
    assume(margin < 1)
    assert holdwater.trials_needed(rate, margin, confidence) == trials


def test_trials_for_extreme_rates() -> None:
    assert holdwater.trials_needed(1e-300, 1e-160) == pytest.approx(1.6448536269514722**2 * 1e20, rel=1e-11)
    assert holdwater.trials_needed(1e-300, 0.5) == 1
    with pytest.raises(holdwater.NumError, match="no finite answer"):
        holdwater.trials_needed(0.5, 1e-200)


@given(MONEY, st.integers(0, 500), st.integers(1, 10_000), st.sampled_from([0.0, 1e-9, 0.01, 1.0]), CONFIDENCE)
def test_the_range_of_lifetime_value_is_that_of_churn(
    margin: float, lost: int, periods: int, discount: float, confidence: float
) -> None:
    assume(lost <= periods)
    low, mid, high = holdwater.ltv_range(margin, lost, periods, discount, confidence)
    with mpmath.workdps(80):
        lowest, highest = (mpmath.mpf(m) for m in wilson(lost, periods, confidence))
        m, d = mpmath.mpf(margin), mpmath.mpf(discount)
        counted = mpmath.mpf(lost) / periods
        exact = [
            float(m / (highest + d)),
            float(m / (counted + d)) if lost else math.nan,
            float(m / (lowest + d)) if lost or discount else math.nan,
        ]
    assert [low, mid, high] == pytest.approx(exact, rel=1e-12, nan_ok=True)
    assert low == holdwater.ltv(margin, holdwater.rate_high(lost, periods, confidence), discount)
    assert not mid < low * (1 - 1e-14)
    assert not high < mid * (1 - 1e-14)


def is_missing(numbers: tuple[float, ...]) -> list[bool]:
    return [math.isnan(number) for number in numbers]


def test_what_does_not_exist_is_left_out_alone() -> None:
    assert is_missing(holdwater.ltv_range(30, 0, 200)) == [False, True, True]
    assert is_missing(holdwater.ltv_range(30, 0, 200, 0.01)) == [False, True, False]
    assert holdwater.ltv_range(30, 0, 200, 0.01)[2] == holdwater.ltv(30, 0, 0.01) == 3000
    assert is_missing(holdwater.ltv_range(30, 2, 200, -0.005)) == [False, False, True]
    assert is_missing(holdwater.ltv_range(30, 1, 200, -0.005)) == [False, True, True]
    assert is_missing(holdwater.ltv_range(1e300, 1e-4, 1e5)) == [False, True, True], "too large for any number"
    with pytest.raises(holdwater.NumError, match=r"LTV_RANGE: discount is -0\.5, .*higher discount"):
        holdwater.ltv_range(30, 2, 200, -0.5)


def test_a_loss_on_every_customer_is_smallest_where_they_leave_soonest() -> None:
    low, mid, high = holdwater.ltv_range(-30, 8, 200)
    assert (low, mid, high) == tuple(-value for value in holdwater.ltv_range(30, 8, 200))
    assert high < mid < low


def test_the_range_holds_the_true_lifetime_value_as_often_as_promised() -> None:
    """Every number of customers that 300 at a churn of 4 % can lose, with its exact probability."""
    held = 0.0
    for lost in range(61):
        low, _, high = holdwater.ltv_range(30, lost, 300)
        if low <= 750 <= (math.inf if math.isnan(high) else high):
            held += math.comb(300, lost) * 0.04**lost * 0.96 ** (300 - lost)
    assert held == pytest.approx(0.9, abs=0.03)


@given(MONEY, MONEY, st.integers(1, 10_000), st.integers(1, 10_000), st.floats(0.1, 20), CONFIDENCE)
def test_the_range_of_a_price_is_the_published_one(
    first: float, second: float, won: int, leads: int, ratio: float, confidence: float
) -> None:
    won, leads = sorted((won, leads))
    ltv_low, ltv_high = sorted((first, second))
    with mpmath.workdps(80):
        lowest, highest = wilson(won, leads, confidence)
        p, a = mpmath.mpf(won) / leads, mpmath.log(mpmath.mpf(ltv_high) / mpmath.mpf(ltv_low)) / 2
        mid = mpmath.sqrt(mpmath.mpf(ltv_low) * mpmath.mpf(ltv_high)) / mpmath.mpf(ratio) * p
        low = mid * mpmath.exp(-mpmath.sqrt(a**2 + mpmath.log(p / lowest) ** 2))
        high = mid * mpmath.exp(mpmath.sqrt(a**2 + mpmath.log(highest / p) ** 2))
    found = holdwater.allowable_cpl_range(ltv_low, ltv_high, won, leads, ratio, confidence)
    assert found == pytest.approx((float(low), float(mid), float(high)), rel=1e-12)
    in_thousandths = holdwater.allowable_cpl_range(ltv_low * 1000, ltv_high * 1000, won, leads, ratio, confidence)
    assert [price / 1000 for price in in_thousandths] == pytest.approx(found, rel=1e-12)


def test_one_doubt_alone_gives_the_limits_of_that_one() -> None:
    low, mid, high = holdwater.allowable_cpl_range(750, 750, 14, 60, 3, 0.95)
    for price, rate in (
        (low, holdwater.rate_low(14, 60, 0.95)),
        (mid, 14 / 60),
        (high, holdwater.rate_high(14, 60, 0.95)),
    ):
        assert price == pytest.approx(holdwater.allowable_cpl(holdwater.allowable_cac(750), rate), rel=1e-12)
    low, mid, high = holdwater.allowable_cpl_range(400, 1600, 2e20, 1e21)
    assert (low, mid, high) == pytest.approx((400 / 15, 800 / 15, 1600 / 15), rel=1e-9)


def test_extreme_values_of_a_customer() -> None:
    low, mid, high = holdwater.allowable_cpl_range(1e-300, 1e300, 1, 2)
    assert mid == pytest.approx(1 / 6)
    assert low == pytest.approx(1e-300 / 6, rel=1e-2)
    assert high == pytest.approx(1e300 / 6, rel=1e-2)


def test_nothing_won_is_no_data() -> None:
    with pytest.raises(holdwater.NoDataError, match="won is 0"):
        holdwater.allowable_cpl_range(400, 1600, 0, 60)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: holdwater.rate_low(61, 60), "RATE_LOW: successes is 61; allowed is 0 to the number of trials, 60."),
        (lambda: holdwater.rate_high(61, 60), "RATE_HIGH: successes is 61; allowed is 0 to the number of trials, 60."),
        (lambda: holdwater.ltv_range(30, 1234567, 60), "LTV_RANGE: customers_lost is 1234567; allowed is 0 to "),
        (lambda: holdwater.allowable_cpl_range(400, 500, 61, 60), "ALLOWABLE_CPL_RANGE: won is 61; allowed is 0 to "),
        (
            lambda: holdwater.trials_needed(0.2, 5),
            "TRIALS_NEEDED: margin_of_error is 5; allowed is above 0 and below 1",
        ),
        (lambda: holdwater.trials_needed(1, 0.05), "TRIALS_NEEDED: rate is 1; allowed is above 0 and below 1"),
    ],
)
def test_refusals(call: Callable[[], object], message: str) -> None:
    with pytest.raises(holdwater.NumError) as refused:
        call()
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("confidence", [0.05, 0.1, 0.4999, 1, 90])
def test_excels_alpha_is_no_confidence(confidence: float) -> None:
    for call in (
        lambda: holdwater.rate_low(14, 60, confidence),
        lambda: holdwater.rate_high(14, 60, confidence),
        lambda: holdwater.trials_needed(0.2, 0.05, confidence),
        lambda: holdwater.ltv_range(30, 8, 200, 0, confidence),
        lambda: holdwater.allowable_cpl_range(400, 1600, 14, 60, 3, confidence),
    ):
        with pytest.raises(holdwater.NumError, match=r"confidence is .*; allowed is 0\.5 to below 1"):
            call()
