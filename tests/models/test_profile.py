"""Profile-likelihood limits against hills whose limits are known."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from holdwater.models.newton import Array, Slope, climb
from holdwater.models.profile import profile_limits


def test_a_parabola_has_the_limits_of_its_covariance() -> None:
    covariance = np.array([[0.3, 0.2, -0.1], [0.2, 0.5, 0.05], [-0.1, 0.05, 0.2]])
    bend = np.linalg.inv(covariance)
    middle = np.array([1.0, -2.0, 0.5])

    def hill(at: Array) -> Slope:
        off = at - middle
        return Slope(float(-0.5 * off @ bend @ off), -bend @ off, -bend)

    top = climb(hill, np.zeros(3))
    for index in range(3):
        spread = math.sqrt(covariance[index, index])
        limits = profile_limits(hill, top, index, 1.5)
        assert limits == pytest.approx((middle[index] - 1.5 * spread, middle[index] + 1.5 * spread), abs=1e-9)


def binomial(at: Array, won: float, lost: float) -> Slope:
    """In the log odds; the gain of a second parameter, far from a parabola, depends on the first."""
    share = 1 / (1 + math.exp(-at[0]))
    height = -won * math.log1p(math.exp(-at[0])) - lost * math.log1p(math.exp(at[0]))
    n = won + lost
    return Slope(height, np.array([won - n * share]), np.array([[-n * share * (1 - share)]]))


@pytest.mark.parametrize(("won", "lost"), [(3, 17), (1, 99), (400, 100), (0.5, 0.5)])
def test_of_a_binomial_rate(won: float, lost: float) -> None:
    def hill(at: Array) -> Slope:
        return binomial(at, won, lost)

    top = climb(hill, np.zeros(1))
    n, z = won + lost, 1.6448536269514722
    best = won * mpmath.log(won / n) + lost * mpmath.log(lost / n)

    def over(log_odds: mpmath.mpf) -> mpmath.mpf:
        p = 1 / (1 + mpmath.exp(-log_odds))
        return 2 * (best - won * mpmath.log(p) - lost * mpmath.log(1 - p)) - z * z

    spread = math.sqrt(1 / won + 1 / lost)
    for found, side in zip(profile_limits(hill, top, 0, z), (-1, 1), strict=True):
        exact = mpmath.findroot(
            over, (math.log(won / lost), math.log(won / lost) + side * 6 * spread), solver="anderson"
        )
        if side * (exact - math.log(won / lost)) < 1e-6:
            exact = mpmath.findroot(over, math.log(won / lost) + side * 1.6 * spread)
        assert found == pytest.approx(float(exact), abs=1e-9)
        assert side * (found - top.at[0]) > 0


def test_no_limit_where_the_hill_never_falls_far_enough() -> None:
    low, high = profile_limits(
        lambda at: binomial(at, 5, 0), climb(lambda at: binomial(at, 5, 0), np.zeros(1)), 0, 1.645
    )
    assert high == math.inf
    assert 1 / (1 + math.exp(-low)) == pytest.approx(math.exp(-(1.645**2) / 2 / 5), rel=1e-9)
