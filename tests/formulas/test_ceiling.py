"""The way to the ceiling, against the recursion it stands for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdwater

CHURN = st.floats(0.01, 0.9)
START = st.floats(0, 3)


@given(st.floats(0.1, 1e4), CHURN, START, st.floats(0, 0.9), st.floats(0.05, 0.99))
def test_the_business_is_close_after_these_periods_and_not_one_before(
    new: float, churn: float, start: float, referred: float, share: float
) -> None:
    referral = churn * referred
    ceiling = holdwater.customers_ceiling(new, churn, referral)
    customers = start * ceiling
    periods = holdwater.ceiling_periods(new, churn, customers, referral, share)
    near = (1 - share) * ceiling * (1 + 1e-9)
    count = 0
    while abs(ceiling - customers) > near:
        customers = customers * (1 - churn + referral) + new
        count += 1
    assert count == math.ceil(periods * (1 - 1e-7))


@given(st.floats(1e-12, 1e-6))
def test_the_smallest_churn(churn: float) -> None:
    assert holdwater.ceiling_periods(1, churn, 0) * churn == pytest.approx(math.log(10), rel=1e-6)


def test_close_already() -> None:
    assert holdwater.ceiling_periods(10, 0.05, 180) == 0  # (1 - 0.9) x 200 is a hair below 20 in floating point
    assert holdwater.ceiling_periods(10, 0.05, 220) == 0
    assert holdwater.ceiling_periods(10, 0.05, 200, 0, 1) == 0
    assert holdwater.ceiling_periods(0, 0.05, 0) == 0
    assert holdwater.ceiling_periods(10, 1, 300) == 0  # everybody is replaced at once
    assert holdwater.ceiling_periods(10, 0.05, 179.9) > 0


def test_never() -> None:
    with pytest.raises(holdwater.NumError, match="never reached"):
        holdwater.ceiling_periods(0, 0.05, 10)  # it dies out, but the last share of a customer lingers
    with pytest.raises(holdwater.NumError, match="never reached"):
        holdwater.ceiling_periods(10, 0.05, 100, 0, 1)
    with pytest.raises(holdwater.NumError, match="no ceiling"):
        holdwater.ceiling_periods(10, 0.05, 100, 0.05)
    with pytest.raises(holdwater.NumError, match="share is 0"):
        holdwater.ceiling_periods(10, 0.05, 100, 0, 0)
