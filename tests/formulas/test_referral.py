"""Referral, against the customers themselves: generation by generation and period by period."""

from __future__ import annotations

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdwater
from holdwater.formula import registry


@given(st.floats(0, 0.5), st.floats(0.01, 1), st.floats(0, 1))
def test_factor_is_the_sum_over_a_life(referral_rate: float, churn: float, discount: float) -> None:
    with mpmath.workdps(30):
        life = mpmath.nsum(
            lambda t: (1 - mpmath.mpf(churn)) ** (t - 1) / (1 + mpmath.mpf(discount)) ** t, [1, mpmath.inf]
        )
    assert holdwater.referral_factor(referral_rate, churn, discount) == pytest.approx(referral_rate * float(life))


def test_value_with_referrals_is_the_value_of_everybody_who_comes_of_one_customer() -> None:
    """One customer, its referrals and theirs, paid out month by month until nothing is left."""
    margin, churn, discount, referral_rate = 30.0, 0.04, 0.01, 0.015
    customers, value = 1.0, 0.0
    for period in range(2000):
        value += margin * customers / (1 + discount) ** (period + 1)
        customers += customers * (referral_rate - churn)
    alone = holdwater.ltv(margin, churn, discount)
    factor = holdwater.referral_factor(referral_rate, churn, discount)
    assert holdwater.ltv_referral(alone, factor) == pytest.approx(value, rel=1e-12)


@given(st.floats(-1e6, 1e6), st.floats(0, 0.9), st.floats(0, 1e4))
def test_value_with_referrals_is_the_sum_over_generations(ltv: float, factor: float, reward: float) -> None:
    generation, value = 1.0, 0.0
    for _ in range(400):
        value += generation * ltv - generation * factor * reward
        generation *= factor
    assert holdwater.ltv_referral(ltv, factor, reward) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_without_referral_nothing_changes() -> None:
    assert holdwater.ltv_referral(600, holdwater.referral_factor(0, 0.04)) == 600
    assert holdwater.cac_blended(250, 0) == 250
    assert holdwater.cac_blended(250, 1) == 0


@given(st.floats(1, 1e4), st.floats(1, 1e4), st.floats(0, 0.95))
def test_either_comparison_is_right_and_both_at_once_are_not(ltv: float, cac: float, factor: float) -> None:
    """A paid customer brings 1 / (1 - factor) customers in all, itself included; the share referred is the factor."""
    per_paid_customer = holdwater.ltv_referral(ltv, factor) - cac
    per_customer = ltv - holdwater.cac_blended(cac, factor)
    assert per_customer / (1 - factor) == pytest.approx(per_paid_customer, rel=1e-9, abs=1e-6)
    if factor > 0.01:
        assert holdwater.ltv_referral(ltv, factor) / holdwater.cac_blended(cac, factor) > 1.01 * ltv / (
            holdwater.cac_blended(cac, factor)
        )


def test_both_pages_warn_of_crediting_referral_twice() -> None:
    for name in ("LTV_REFERRAL", "CAC_BLENDED"):
        assert "comparing LTV_REFERRAL with CAC_BLENDED credits referral twice" in registry[name].description


def test_what_has_no_end() -> None:
    for discount in (0, -0.01):
        with pytest.raises(holdwater.NumError, match="no end"):
            holdwater.referral_factor(0.01, 0, discount)
    for factor in (1, 1.5):
        with pytest.raises(holdwater.NumError, match=r"factor is .*below 1"):
            holdwater.ltv_referral(600, factor)
    assert holdwater.ltv_referral(600, 0.999) == pytest.approx(600_000)
