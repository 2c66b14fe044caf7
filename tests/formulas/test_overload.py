"""Churn under overload: against simulation, a scan for roots, exact regression and the coverage of its limits."""

from __future__ import annotations

import random
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import holdwater
from holdwater import churn_overloaded, customers_settled, overload_slope
from holdwater.formulas.student import student_deviate

steady = settings(derandomize=True, deadline=None)  # the same cases on every machine, however slow

BUSINESS = st.tuples(
    st.floats(0, 1e4),  # new customers
    st.one_of(st.just(0.0), st.floats(1e-6, 1)),  # churn
    st.floats(0.1, 1e5),  # capacity
    st.one_of(st.just(0.0), st.floats(1e-9, 1e-3), st.floats(0.001, 10)),  # slope
    st.floats(0.01, 1),  # threshold
    st.one_of(st.just(0.0), st.floats(0, 0.99)),  # referral
)
Business = tuple[float, float, float, float, float, float]


def growth(customers: float, business: Business) -> float:
    new, churn, capacity, slope, threshold, referral = business
    return new + customers * (referral - churn_overloaded(churn, customers, capacity, slope, threshold))


@steady
@given(st.floats(0, 1), st.floats(0, 1e5), st.floats(0.1, 1e5), st.floats(0, 10), st.floats(0.01, 1))
def test_churn_overloaded_is_flat_then_rises_to_one(
    churn: float, customers: float, capacity: float, slope: float, threshold: float
) -> None:
    lost = churn_overloaded(churn, customers, capacity, slope, threshold)
    over = customers / capacity - threshold
    assert churn <= lost <= 1
    if over <= 0:
        assert lost == churn
    elif lost < 1:
        assert lost == pytest.approx(churn + slope * over, rel=1e-12)
    assert churn_overloaded(churn, customers * 1.1, capacity, slope, threshold) >= lost


def test_published_case() -> None:
    assert round(customers_settled(10, 0.03, 150, 0.3), 1) == 152.7
    assert round(customers_settled(20, 0.03, 150, 0.3), 1) == 176.6
    assert customers_settled(20, 0.03, 150, 0) == pytest.approx(667, abs=0.5)  # the formula without capacity


@steady
@given(BUSINESS)
def test_settled_is_the_largest_root(business: Business) -> None:
    """As many come as go there, and from there on upwards more go than come."""
    new, churn, _, slope, _, referral = business
    if slope == 0 and referral >= churn:
        with pytest.raises(holdwater.NumError, match="nothing slows growth"):
            customers_settled(*business)
        return
    settled = customers_settled(*business)
    assume(settled < 1e12)
    hair = 1e-9 * settled + 1e-12
    assert growth(max(0, settled * (1 - 1e-6) - hair), business) >= -1e-13 * (settled + new)
    for times in (1 + 1e-6, 1.001, 1.1, 2, 10):
        assert growth(settled * times + hair, business) <= 1e-13 * (settled * times + new)


@steady
@given(BUSINESS)
def test_settled_against_bisection_in_fifty_digits(business: Business) -> None:
    new, churn, capacity, slope, threshold, referral = map(mpmath.mpf, business)
    assume(slope > 0 or referral < churn)
    assume(new > 0)
    with mpmath.workdps(50):

        def surplus(n: Any) -> Any:
            return n * (min(1, churn + slope * max(0, n / capacity - threshold)) - referral) - new

        low, high = mpmath.mpf(0), mpmath.mpf(1)
        while surplus(high) <= 0:
            high *= 2
        for _ in range(170):
            middle = (low + high) / 2
            low, high = (low, middle) if surplus(middle) > 0 else (middle, high)
    assume(high < 1e300)
    assert customers_settled(*business) == pytest.approx(float(high), rel=1e-12)


def test_settled_is_where_a_long_simulation_ends() -> None:
    chance = random.Random(5)
    settled_cases = swinging_cases = 0
    for _ in range(40):
        business = (
            chance.uniform(0, 50), chance.uniform(0.005, 0.3), chance.uniform(50, 500),
            chance.choice([0.1, 0.5, 5, 40]), chance.uniform(0.5, 1), chance.choice([0, 0.004, 0.1]),
        )  # fmt: skip
        customers = settled = customers_settled(*business)
        customers *= 1.001
        for _ in range(10_000):
            customers += growth(customers, business)
        stays = customers == pytest.approx(settled, rel=1e-6)
        swings = "swing" in holdwater.explain("CUSTOMERS_SETTLED", *business)
        assert stays is not swings, business
        settled_cases += stays
        swinging_cases += swings
    assert settled_cases > 15
    assert swinging_cases > 5


def test_where_the_cap_holds_nothing_swings() -> None:
    """Everybody leaves each period: slope x load is far above 2, yet the next period is the same."""
    assert customers_settled(1000, 0.03, 100, 5) == 1000
    assert growth(1100, (1000, 0.03, 100, 5, 0.9, 0)) == -100
    assert holdwater.explain("CUSTOMERS_SETTLED", 1000, 0.03, 100, 5) == "ok"


def test_settled_edges() -> None:
    assert customers_settled(0, 0.03, 150, 0.3) == 0
    assert customers_settled(0, 0.03, 150, 0.3, 0.9, 0.06) == pytest.approx(150), "referrals alone keep it full"
    assert customers_settled(0, 0.05, 150, 0.3, 0.9, 0.05) == pytest.approx(135), "the largest of many roots"
    assert customers_settled(1, 0.05, 150, 0.3, 0.9, 0.01) == holdwater.customers_ceiling(1, 0.05, 0.01)
    assert customers_settled(7, 1, 150, 0.3) == 7
    assert customers_settled(13.5, 0.1, 150, 1e9) == pytest.approx(135)
    with pytest.raises(holdwater.NumError, match="referral is 1; allowed is 0 to below 1"):
        customers_settled(10, 0.03, 150, 0.3, 0.9, 1)


FREEDOMS = [1, 2, 3, 4, 5, 10, 29, 30, 199]


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95, 0.999])
def test_student_deviate_against_the_incomplete_beta(confidence: float, freedom: int) -> None:
    t = student_deviate(confidence, freedom)
    with mpmath.workdps(30):
        within = 1 - mpmath.betainc(mpmath.mpf(freedom) / 2, 0.5, 0, freedom / (freedom + mpmath.mpf(t) ** 2), True)
    assert float(within) == pytest.approx(confidence, abs=1e-14)


def test_student_deviate_in_the_tables() -> None:
    assert [round(student_deviate(0.95, n), 3) for n in (1, 2, 10, 120)] == [12.706, 4.303, 2.228, 1.98]


def line_through(points: list[tuple[Any, Any, Any]]) -> Any:
    """Intercept and slope from the normal equations; points of weight, x, y."""
    design = mpmath.matrix([[1, x] for _, x, _ in points])
    weighted = design.T * mpmath.diag([w for w, _, _ in points])
    return (weighted * design) ** -1 * weighted * mpmath.matrix([y for _, _, y in points])


def exact_line(
    customers: list[float], lost: list[float], capacity: list[float], threshold: float, confidence: float
) -> tuple[float, float, float]:
    """Churn, slope and the reach of its limits in 50 digits; each miss from a line fitted anew without that period."""
    with mpmath.workdps(50):
        points = [
            (mpmath.mpf(n), max(0, mpmath.mpf(n) / k - threshold), mpmath.mpf(gone) / n)
            for n, gone, k in zip(customers, lost, capacity, strict=True)
        ]
        line = line_through(points)
        mean = sum(w * x for w, x, _ in points) / sum(w for w, _, _ in points)
        misses = []
        for n, (_, x, y) in enumerate(points):
            without = line_through(points[:n] + points[n + 1 :])
            misses.append(y - without[0] - without[1] * x)
        spread = sum(w * (x - mean) ** 2 for w, x, _ in points)
        error = (
            mpmath.sqrt(sum((w * (x - mean) * m) ** 2 for (w, x, _), m in zip(points, misses, strict=True))) / spread
        )
        half = mpmath.mpf(len(points) - 2) / 2
        t = mpmath.findroot(
            lambda t: 1 - mpmath.betainc(half, 0.5, 0, half / (half + t * t / 2), True) - confidence,
            student_deviate(confidence, len(points) - 2),
        )
        return float(line[0]), float(line[1]), float(t * error)


@pytest.mark.parametrize("seed", range(8))
def test_slope_against_the_normal_equations(seed: int) -> None:
    chance = random.Random(seed)
    periods, threshold, confidence = chance.randint(3, 36), chance.uniform(0.3, 0.9), chance.choice([0.5, 0.9, 0.99])
    capacity = [chance.uniform(90, 160) for _ in range(periods)]
    customers = [k * chance.uniform(threshold + 0.01 if n < 3 else 0.2, 1.5) for n, k in enumerate(capacity)]
    lost = [n * chance.uniform(0, 0.3) for n in customers]
    (line,) = overload_slope(customers, lost, capacity, threshold, confidence)
    churn, slope, reach = exact_line(customers, lost, capacity, threshold, confidence)
    assert list(line) == ["churn", "slope", "slope_low", "slope_high"]
    assert list(line.values()) == pytest.approx([churn, slope, slope - reach, slope + reach], rel=1e-9)


@steady
@given(
    st.floats(0.005, 0.2),
    st.floats(0.05, 0.5),
    st.lists(st.floats(20, 290), min_size=3, max_size=20),
    st.floats(0.5, 1),
)
def test_slope_gives_back_what_churn_overloaded_made(
    churn: float, slope: float, customers: list[float], threshold: float
) -> None:
    capacity = 150.0
    customers = [*customers, 160.0, 180.0, 200.0]
    lost = [n * churn_overloaded(churn, n, capacity, slope, threshold) for n in customers]
    (line,) = overload_slope(customers, lost, [capacity], threshold)
    assert list(line.values()) == pytest.approx([churn, slope, slope, slope], rel=1e-6)
    assert overload_slope(customers, lost, [capacity] * len(customers), threshold) == [line]


@pytest.mark.slow
@pytest.mark.parametrize("extra", [0, 0.01])
@pytest.mark.parametrize(("periods", "confidence"), [(8, 0.9), (18, 0.8), (18, 0.9), (36, 0.9)])
def test_limits_hold_the_true_slope_as_often_as_they_say(periods: int, confidence: float, extra: float) -> None:
    """2,000 businesses; each customer leaves by chance, and with `extra` the months differ among themselves."""
    chance = np.random.default_rng(periods)
    customers = [80 + 136 * n // (periods - 1) for n in range(periods)]
    rates = np.array([churn_overloaded(0.04, n, 150, 0.3) for n in customers])
    held = 0
    for _ in range(2000):
        lost = chance.binomial(customers, np.maximum(0, chance.normal(rates, extra))).tolist()
        (line,) = overload_slope(customers, lost, [150], 0.9, confidence)
        held += line["slope_low"] <= 0.3 <= line["slope_high"]
    assert held / 2000 == pytest.approx(confidence, abs=0.03)


PAST = [100, 120, 150, 165, 180], [3, 4, 9, 15, 21]


def test_periods_without_data_are_left_out() -> None:
    line = overload_slope(*PAST, [150])
    assert overload_slope([100, None, 120, 150, 165, 180, None], [3, None, 4, 9, 15, 21, ""], [150]) == line  # type: ignore[list-item]  # an empty text is an empty cell
    assert overload_slope([0, *PAST[0]], [0, *PAST[1]], [150]) == line, "nobody to lose"
    future = [150] * 8
    assert overload_slope(PAST[0] + [None] * 3, PAST[1] + [None] * 3, future) == line, "capacity is planned ahead"
    one: Any = 150
    assert overload_slope(*PAST, one) == line == overload_slope(*PAST, one, None, "")  # type: ignore[arg-type]  # blanks


def test_what_is_no_past() -> None:
    with pytest.raises(holdwater.NoDataError, match="2 of the periods lie above the threshold, 3 are needed"):
        overload_slope(*PAST, [180])
    with pytest.raises(holdwater.NoDataError, match="every period has the same overload"):
        overload_slope([150] * 4, [5, 6, 7, 8], [150])
    with pytest.raises(holdwater.NoDataError, match="hangs on one period"):
        overload_slope([150, 150, 150, 170], [5, 6, 7, 20], [150])
    for customers, lost, capacity in (
        ([100, None, 150], [3, 4, 9], [150]),
        ([100, 120, 150], [3, None, 9], [150]),
        ([100, 120, 150], [3, 4, 9], [150, None, 150]),
    ):
        with pytest.raises(holdwater.KindError, match="a period lacks"):
            overload_slope(customers, lost, capacity)
    with pytest.raises(holdwater.KindError, match="customers has 3 cells, lost 2 and capacity 3"):
        overload_slope([100, 120, 150], [3, 4], [150] * 3)
    with pytest.raises(holdwater.KindError, match="capacity 2"):
        overload_slope([100, 120, 150], [3, 4, 5], [150, 150])
    with pytest.raises(holdwater.NumError, match="121 customers were lost of 120"):
        overload_slope([100, 120, 150], [3, 121, 5], [150])
    with pytest.raises(holdwater.NumError, match=r"capacity is 0; allowed is above 0"):
        overload_slope(*PAST, [0])
    for many, limits in ([1e5, 2e5, 3e5, 1], [1e-310] * 3 + [9]), ([1e308, 1.1e308, 1.2e308, 1], [1e308]):
        with pytest.raises(holdwater.NumError, match="no finite answer"):
            overload_slope(many, [1, 1, 2, 1], limits)
    with pytest.raises(holdwater.NumError, match=r"confidence is 0\.05"):
        overload_slope(*PAST, [150], 0.9, 0.05)
