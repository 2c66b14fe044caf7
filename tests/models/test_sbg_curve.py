"""Curves against beta and hypergeometric functions of many digits, and the published residual lifetimes."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

import holdwater
from holdwater.models import retention
from holdwater.models.renewals import Renewals
from holdwater.models.sbg_curve import Curve

PUBLISHED = Curve(15.2 / 3.8, 1 / 3.8)


def survival(alpha: float, beta: float, time: int) -> Any:
    return mpmath.beta(alpha, mpmath.mpf(beta) + time) / mpmath.beta(alpha, beta)


@pytest.mark.parametrize(("alpha", "beta"), [(0.704, 1.182), (3.8, 15.2), (0.05, 0.3), (40.0, 900.0), (1.0, 1.0)])
def test_survival_and_retention(alpha: float, beta: float) -> None:
    curve = Curve(beta / alpha, 1 / alpha)
    shares, kept = curve.survival(500), curve.retention(500)
    with mpmath.workdps(30):
        for time in (0, 1, 2, 30, 500):
            assert shares[time] == pytest.approx(float(survival(alpha, beta, time)), rel=1e-9)
    assert kept == pytest.approx(shares[1:] / shares[:-1])
    assert curve.aged(7).survival(9) == pytest.approx(shares[7:17] / shares[7])
    assert curve.survival(0).tolist() == [1]


@pytest.mark.parametrize("leak", [1e-5, 1e-3, 0.01, 0.1, 0.5, 0.999])
@pytest.mark.parametrize("alpha", [0.01, 0.3, 1, 4, 200])
@pytest.mark.parametrize("beta", [0.05, 1, 30, 400])
def test_a_whole_life(leak: float, alpha: float, beta: float) -> None:
    """The sum is a hypergeometric function, and close to 1 it takes many digits to compute it."""
    with mpmath.workdps(40):
        a, b, x = map(mpmath.mpf, (alpha, beta, leak))
        exact = float(mpmath.hyp2f1(1, b, a + b, 1 - x))
    # A discount of d is a leak of d / (1 + d).
    assert Curve(beta / alpha, 1 / alpha).lifetime(leak / (1 - leak)) == pytest.approx(exact, rel=1e-9)


def test_published_residual_lifetimes() -> None:
    """Fader & Hardie 2010, table 3: alpha 3.8, beta 15.2, discount 10 %, just before each renewal."""
    lifetimes = [float(PUBLISHED.residual_lifetime(renewal, 0.1)) for renewal in range(1, 6)]
    assert lifetimes == pytest.approx([3.30982, 3.45100, 3.58654, 3.71681, 3.84213], abs=5e-6)


@pytest.mark.parametrize("renewal", [1, 2, 9])
@pytest.mark.parametrize(("discount", "growth"), [(0.1, 0.0), (0.1, 0.04), (0.02, 0.0)])
def test_both_conventions_are_sums(renewal: int, discount: float, growth: float) -> None:
    shares = PUBLISHED.survival(6000)
    worth = ((1 + growth) / (1 + discount)) ** np.arange(6001)
    before = shares[renewal:] @ worth[: 6001 - renewal] / shares[renewal - 1]
    after = shares[renewal + 1 :] @ worth[1 : 6001 - renewal] / shares[renewal]
    assert PUBLISHED.residual_lifetime(renewal, discount, growth) == pytest.approx(before, rel=1e-9)
    assert PUBLISHED.residual_lifetime(renewal, discount, growth, paid=True) == pytest.approx(after, rel=1e-9)
    assert PUBLISHED.lifetime(discount, growth) == pytest.approx(shares @ worth, rel=1e-9)
    # A new customer who has just paid: all but the first payment.
    assert PUBLISHED.residual_lifetime(0, discount, growth, paid=True) == pytest.approx(shares @ worth - 1, rel=1e-9)
    five = shares[renewal : renewal + 5] @ worth[:5] / shares[renewal - 1]
    assert PUBLISHED.residual_lifetime(renewal, discount, growth, 5) == pytest.approx(five, rel=1e-12)


@pytest.mark.parametrize("timing", [0, 1, 2])
@pytest.mark.parametrize(
    ("discount", "growth", "periods"), [(0.1, 0, None), (0.1, 0.05, 7), (0, 0, 40), (0, -0.1, None)]
)
def test_customers_who_are_all_alike_are_worth_their_ltv(
    timing: int, discount: float, growth: float, periods: int | None
) -> None:
    value = Curve(9.0, 0.0).value(30, discount, growth, periods, timing)
    assert value == pytest.approx(holdwater.ltv(30, 0.1, discount, growth, periods, timing), rel=1e-9)


def test_many_curves_at_once_are_each_of_them() -> None:
    random = np.random.default_rng(3)
    odds, rises = np.exp(random.normal(1, 1, 50)), np.exp(random.normal(0, 2, 50))
    many = Curve(odds, rises)
    for discount, growth, periods, timing in (
        (0.1, 0, None, 0),
        (0.02, 0.01, None, 2),
        (0, 0.01, 30, 1),
        (1e-8, 0, None, 0),
    ):
        one_by_one = [
            float(Curve(first, rise).value(20, discount, growth, periods, timing))
            for first, rise in zip(odds, rises, strict=True)
        ]
        assert many.value(20, discount, growth, periods, timing) == pytest.approx(one_by_one, rel=1e-12)
    assert many.survival(4).shape == (50, 5)


def test_money_has_no_unit() -> None:
    for timing in (0, 1, 2):
        cents, whole = (PUBLISHED.value(margin, 0.1, 0.02, None, timing) for margin in (1234.5, 12.345))
        assert cents == pytest.approx(100 * whole, rel=1e-12)


def test_a_sum_without_end() -> None:
    for discount, growth in ((0.0, 0.0), (0.05, 0.1), (0.1, 0.1)):
        with pytest.raises(holdwater.NumError, match="give periods, or more discount"):
            Curve(1.7, 1.4).lifetime(discount, growth)
        assert Curve(1.7, 1.4).lifetime(discount, growth, 500) > 0
    # With an alpha above 1 the mean of 1 / churn exists.
    assert PUBLISHED.lifetime() == pytest.approx((3.8 + 15.2 - 1) / (3.8 - 1))
    # Among several curves those without a sum are infinite, and the others keep theirs.
    assert Curve(np.array([1.7, 4.0]), np.array([1.4, 1 / 3.8])).lifetime().tolist() == [
        math.inf,
        pytest.approx(18 / 2.8),
    ]


def test_a_long_horizon_is_the_whole_life() -> None:
    assert PUBLISHED.lifetime(0.1, 0, 100_000) == pytest.approx(float(PUBLISHED.lifetime(0.1)), rel=1e-12)


@pytest.mark.parametrize(
    ("says", "arguments"),
    [
        ("discount is -1;", (10, -1)),
        ("discount is nan;", (10, math.nan)),
        ("growth is -2;", (10, 0.1, -2)),
        ("periods is 0;", (10, 0.1, 0, 0)),
        ("periods is inf;", (10, 0.1, 0, math.inf)),
        ("periods is 2.5;", (10, 0.1, 0, 2.5)),
        ("timing is 3;", (10, 0.1, 0, None, 3)),
        ("margin is nan;", (math.nan, 0.1)),
    ],
)
def test_arguments_out_of_range(says: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(holdwater.NumError, match=says):
        PUBLISHED.value(*arguments)
    for counts in ([100, 80, 70], [100, 40, 0]):
        with pytest.raises(holdwater.NumError, match=says):
            retention.fit(Renewals.of_cohorts([counts])).value(*arguments)


def test_a_renewal_has_a_number() -> None:
    with pytest.raises(holdwater.NumError, match="renewal is 0; allowed is a whole number of 1 or more"):
        PUBLISHED.residual_lifetime(0, 0.1)
    with pytest.raises(holdwater.NumError, match="renewal is -1; allowed is a whole number of 0 or more"):
        PUBLISHED.residual_lifetime(-1, 0.1, paid=True)
