"""Conversion, against simulation and 50-digit arithmetic."""

from __future__ import annotations

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdwater

RATE = st.floats(0, 1)
COUNT = st.floats(0, 1e6)


@given(st.floats(0, 1e6), st.floats(0.01, 1e4), COUNT, RATE, st.integers(1, 200))
def test_customers_needed_end_at_the_target(
    target: float, each: float, customers: float, churn: float, periods: int
) -> None:
    """Period by period: so many new ones lead from the customers of today to those of the target."""
    new = holdwater.customers_needed(target, each, customers, churn, periods)
    assert new >= 0
    at_end = customers
    for _ in range(periods):
        at_end = at_end * (1 - churn) + new
    if new > 0:
        assert at_end * each == pytest.approx(target, rel=1e-9, abs=1e-9 * each)
    else:
        assert at_end * each >= target * (1 - 1e-9) - 1e-9 * each


@pytest.mark.parametrize("churn", [1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.05, 0.999])
@pytest.mark.parametrize("customers", [0, 119.9, 120, 121, 1e9])
@pytest.mark.parametrize("periods", [1, 10, 36.5])
def test_customers_needed_keep_their_digits(churn: float, customers: float, periods: float) -> None:
    with mpmath.workdps(50):
        stay = (1 - mpmath.mpf(churn)) ** mpmath.mpf(periods)
        gap = 120 - mpmath.mpf(customers) * stay
        exact = max(mpmath.mpf(0), gap * mpmath.mpf(churn) / (1 - stay))
    found = holdwater.customers_needed(12000, 100, customers, churn, periods)
    assert found == pytest.approx(float(exact), rel=1e-9, abs=0)


def test_customers_needed_at_the_edges() -> None:
    assert holdwater.customers_needed(12000, 100) == 120
    assert holdwater.customers_needed(12000, 100, 0, 1, 7) == 120, "everybody is new each period"
    assert holdwater.customers_needed(1, 1, 1e9, 1, 2) == 1
    assert holdwater.customers_needed(12000, 100, 120, 0.05, 12) == pytest.approx(6), "only who leaves is replaced"
    assert holdwater.customers_needed(12000, 100, 500, 0.01, 12) == 0, "more remain than are wanted"
    assert holdwater.customers_needed(0, 100) == 0


def test_ten_percent_more_of_everything_is_not_46_percent() -> None:
    more = holdwater.sales_velocity(44, 27500, 0.275, 81) / holdwater.sales_velocity(40, 25000, 0.25, 90)
    assert more == pytest.approx(1.1**3 / 0.9)
    assert round(more - 1, 3) == 0.479


@given(RATE, RATE, st.floats(0, 50), st.floats(0, 50), st.floats(0.1, 100))
def test_a_second_wait_goes_on_where_the_first_one_ended(
    conversion: float, floor: float, first: float, second: float, half_life: float
) -> None:
    floor, conversion = sorted((floor, conversion))
    between = holdwater.conversion_delayed(conversion, first, half_life, floor)
    at_once = holdwater.conversion_delayed(conversion, first + second, half_life, floor)
    assert floor - 1e-15 <= at_once <= between + 1e-15 <= conversion + 2e-15
    assert holdwater.conversion_delayed(max(between, floor), second, half_life, floor) == pytest.approx(at_once)


def test_waiting_at_the_edges() -> None:
    assert holdwater.conversion_delayed(0.2, 0, 1) == 0.2
    assert holdwater.conversion_delayed(0.2, 1, 1, 0.1) == pytest.approx(0.15)
    assert holdwater.conversion_delayed(0.2, 1e9, 1e-9, 0.05) == 0.05, "nothing but the floor remains"
    assert holdwater.conversion_delayed(0.2, 3, 1, 0.2) == 0.2
    with pytest.raises(holdwater.NumError, match="floor lies above conversion"):
        holdwater.conversion_delayed(0.2, 1, 1, 0.21)


@given(st.floats(0, 1e6), st.floats(1, 1e6), st.floats(0.001, 1))
def test_a_fitting_lead_costs_what_the_others_cost_too(spend: float, leads: float, fit_share: float) -> None:
    assert holdwater.cpl_qualified(spend, leads, 1) == holdwater.cpl(spend, leads)
    assert holdwater.cpl_qualified(spend, leads, fit_share) * fit_share == pytest.approx(holdwater.cpl(spend, leads))


@given(
    st.floats(0, 1e6), RATE, st.floats(0, 0.5), st.floats(-1e4, 1e5), st.floats(0, 0.5), st.floats(-0.5, 1),
    st.integers(1, 120),
)  # fmt: skip
def test_list_value_is_the_sum_of_its_periods(
    contacts: float, permission: float, conversion: float, ltv: float, unsubscribe: float, discount: float, periods: int
) -> None:
    with mpmath.workdps(50):
        k = (1 - mpmath.mpf(conversion) - mpmath.mpf(unsubscribe)) / (1 + mpmath.mpf(discount))
        bought = mpmath.mpf(contacts) * permission * conversion * ltv
        total = mpmath.fsum(bought * k**t for t in range(periods))
    found = holdwater.list_value(contacts, permission, conversion, ltv, unsubscribe, discount, periods)
    assert found == pytest.approx(float(total), rel=1e-9, abs=1e-12)


def test_list_value_at_the_edges() -> None:
    assert holdwater.list_value(1000, 0.5, 0.25, 100, 0.75) == 12500, "the whole list is used up at once"
    assert holdwater.list_value(1000, 1, 0.01, 100, 0, 0, 1) == pytest.approx(1000)
    assert holdwater.list_value(1000, 1, 1e-13, 100, 0, 0, 10) == pytest.approx(1e-7), "a level list"
    assert holdwater.list_value(1000, 1, 0.01, 100, 0.02) == holdwater.list_value(1000, 1, 0.01, 100, 0.02, 0, 12)
    with pytest.raises(holdwater.NumError, match="more than the whole list"):
        holdwater.list_value(1000, 1, 0.6, 100, 0.6)
