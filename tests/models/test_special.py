"""The gamma functions against fifty digits, and the climb against hills whose top is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from holdwater.models.newton import Array, Prior, Slope, climb, penalised
from holdwater.models.special import digamma, log_beta, log_gamma, rising, trigamma

PLACES = np.concatenate([np.geomspace(1e-8, 1e8, 400), np.arange(1, 60) / 2, [9.999999, 10, 10.000001]])


@pytest.mark.parametrize(
    ("ours", "exact"),
    [
        (log_gamma, mpmath.loggamma),
        (digamma, lambda x: mpmath.polygamma(0, x)),
        (trigamma, lambda x: mpmath.polygamma(1, x)),
    ],
)
def test_against_fifty_digits(ours: Callable[..., Any], exact: Callable[..., Any]) -> None:
    with mpmath.workdps(50):
        wanted = np.array([float(exact(mpmath.mpf(float(x)))) for x in PLACES])
    assert np.all(np.abs(ours(PLACES) - wanted) <= 2e-14 * np.maximum(1, np.abs(wanted)))


def test_beta_and_rising_factorials() -> None:
    assert log_beta(2.5, 3.5) == pytest.approx(float(mpmath.log(mpmath.beta(2.5, 3.5))), rel=1e-14)
    log, first, second = rising(0.3, 40)
    counts = np.arange(41)
    assert log == pytest.approx(log_gamma(0.3 + counts) - log_gamma(0.3), abs=1e-13)
    assert first == pytest.approx(digamma(0.3 + counts) - digamma(0.3), abs=1e-13)
    assert second == pytest.approx(trigamma(0.3 + counts) - trigamma(0.3), abs=1e-13)


def bent(at: Array) -> Slope:
    """A hill that is not concave far out: -log(1 + x^2) - y^2, top at 0."""
    x, y = at - np.array([1.0, -2.0])
    gradient = np.array([-2 * x / (1 + x * x), -2 * y])
    return Slope(-np.log1p(x * x) - y * y, gradient, np.diag([-2 * (1 - x * x) / (1 + x * x) ** 2, -2.0]))


@pytest.mark.parametrize("start", [(0.0, 0.0), (9.0, 9.0), (-30.0, 2.0)])
def test_a_climb_ends_at_the_top(start: tuple[float, float]) -> None:
    top = climb(bent, np.array(start))
    assert top.converged
    assert top.at == pytest.approx([1, -2], abs=1e-12)
    assert top.covariance == pytest.approx(np.diag([0.5, 0.5]), abs=1e-12)


def test_a_flat_hill_has_no_covariance() -> None:
    def ridge(at: Array) -> Slope:
        return Slope(-(at[0] ** 2), np.array([-2 * at[0], 0.0]), np.diag([-2.0, 0.0]))

    top = climb(ridge, np.array([1.0, 1.0]))
    assert np.isnan(top.covariance).all()


def test_a_prior_moves_the_top_between_itself_and_the_data() -> None:
    prior = Prior(np.array([[1.0, 0.0], [1.0, -1.0]]), np.array([3.0, 0.0]), np.array([1.0, 2.0]))
    top = climb(penalised(lambda at: Slope(-0.5 * float(at @ at), -at, -np.eye(2)), prior), np.array([5.0, 5.0]))
    # By hand: (1 + 1 + 1/4) x - y/4 = 3 and (1 + 1/4) y - x/4 = 0.
    assert top.at == pytest.approx([1.25 * 3 / (2.25 * 1.25 - 1 / 16), 0.25 * 3 / (2.25 * 1.25 - 1 / 16)])
    assert top.converged
