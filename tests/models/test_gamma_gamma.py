"""Gamma-Gamma against the published optimum, fifty digits, other currencies, and data that leave little to learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import holdwater
from holdwater.models import gamma_gamma
from holdwater.models.fitted import Array, Estimator

COUNT = np.array([1.0, 2, 5, 1, 12, 3, 2])
SPEND = np.array([30.0, 44, 12.5, 90, 25, 31, 60])
WEIGHT = np.array([1.0, 2, 1, 3, 1, 1, 2])


@pytest.fixture(scope="module")
def books(cdnow: Path) -> tuple[Array, Array]:
    """Repeat purchases of CDNOW and their mean: 946 customers have any."""
    path = cdnow / "cdnow_customers_summary_with_transactions.csv"
    table = np.genfromtxt(path, delimiter=",", skip_header=1)
    return table[:, 1], table[:, 4]


def test_the_published_optimum(books: tuple[Array, Array]) -> None:
    fit = gamma_gamma.fit(*books, estimator=Estimator.LIKELIHOOD)
    assert (fit.converged, fit.n) == (True, 946)
    assert fit.log_likelihood == pytest.approx(-4055.9232435, abs=1e-6)
    assert fit.parameters == pytest.approx({"p": 6.2488025, "q": 3.7445885, "v": 15.4477480}, rel=1e-6)
    assert gamma_gamma.fit(*books).log_likelihood == pytest.approx(fit.log_likelihood, abs=0.02)


def likelihood_by_hand(at: Any) -> Any:
    p, above, v = (mpmath.e**number for number in at)
    q, total = 1 + above, mpmath.mpf(0)
    for x, mean, weight in zip(*(map(mpmath.mpf, map(float, c)) for c in (COUNT, SPEND, WEIGHT)), strict=True):
        density = mpmath.gamma(p * x + q) / mpmath.gamma(p * x) / mpmath.gamma(q)
        density *= v**q * mean ** (p * x - 1) * x ** (p * x) / (v + mean * x) ** (p * x + q)
        total += weight * mpmath.log(density)
    return total


@pytest.mark.parametrize("parameters", [(6.2, 2.7, 15.0), (0.3, 0.01, 400.0), (60.0, 30.0, 2.0)])
def test_height_slope_and_bend_of_the_likelihood(parameters: tuple[float, ...]) -> None:
    at = np.log(parameters)
    found = gamma_gamma._Likelihood(COUNT, SPEND, WEIGHT, unit=1.0)(at)
    with mpmath.workdps(50):
        exact = tuple(mpmath.mpf(float(number)) for number in at)

        def along(*which: int) -> float:
            moves = tuple(which.count(place) for place in range(3))
            return float(mpmath.diff(lambda *point: likelihood_by_hand(point), exact, moves))

        assert found.height == pytest.approx(float(likelihood_by_hand(exact)), rel=1e-12)
        gradient, hessian = [along(i) for i in range(3)], [[along(i, j) for j in range(3)] for i in range(3)]
    assert found.gradient == pytest.approx(gradient, rel=1e-9, abs=1e-9)
    assert found.hessian == pytest.approx(np.array(hessian), rel=1e-9, abs=1e-9)


def test_expected_spend_is_the_mean_of_what_the_model_says() -> None:
    """By integration over the customer's own scale, as the model tells its story."""
    p, q, v, x, mean = 3.0, 2.5, 20.0, 4, 31.0
    with mpmath.workdps(30):

        def chance(nu: Any) -> Any:  # of nu, given what was spent
            return nu ** (q - 1) * mpmath.exp(-v * nu) * nu ** (p * x) * mpmath.exp(-nu * x * mean)

        places = [0, 0.02, 0.05, 0.1, 0.3, 1, 20]
        exact = mpmath.quad(lambda nu: p / nu * chance(nu), places) / mpmath.quad(chance, places)
    assert gamma_gamma.expected_spend(np.array([p, q, v]), x, mean) == pytest.approx(float(exact), rel=1e-10)
    assert gamma_gamma.expected_spend(np.array([p, q, v])) == pytest.approx(p * v / (q - 1))


@pytest.mark.parametrize("estimator", Estimator)
def test_cents_or_euros_give_the_same(estimator: Estimator) -> None:
    random = np.random.default_rng(5)
    count = random.integers(1, 6, 300).astype(float)
    spend = random.gamma(4 * count, 1 / random.gamma(4, 1 / 30, 300)) / count
    euros, cents = (gamma_gamma.fit(count, spend * unit, estimator=estimator) for unit in (1, 100))
    scale = {"p": 1, "q": 1, "v": 100}
    assert cents.parameters == pytest.approx({n: euros.parameters[n] * scale[n] for n in scale}, rel=1e-9)
    assert cents.expected_spend(2, 4000) == pytest.approx(100 * euros.expected_spend(2, 40), rel=1e-9)
    assert cents.draws(50) == pytest.approx(euros.draws(50) * [1, 1, 100], rel=1e-6)


def test_weights_stand_for_customers_and_samples_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    count, spend = (np.repeat(column, WEIGHT.astype(int)) for column in (COUNT, SPEND))
    weighted, single = gamma_gamma.fit(COUNT, SPEND, WEIGHT), gamma_gamma.fit(count, spend)
    assert weighted.parameters == pytest.approx(single.parameters, rel=1e-9)
    assert weighted.n == single.n == 11
    random = np.random.default_rng(6)
    count = random.integers(1, 6, 3_000).astype(float)
    spend = random.gamma(4 * count, 1 / random.gamma(4, 1 / 30, 3_000)) / count
    as_they_are = gamma_gamma.fit(count, spend, estimator=Estimator.LIKELIHOOD)
    monkeypatch.setattr(gamma_gamma, "_SAMPLE", 500)
    sampled = gamma_gamma.fit(count, spend, estimator=Estimator.LIKELIHOOD)
    assert sampled.parameters == pytest.approx(as_they_are.parameters, rel=1e-8)


@pytest.mark.parametrize(
    ("count", "spend"),
    [
        ([3], [20]),
        ([1] * 30, [20] * 30),
        ([1] * 12, list(np.geomspace(1, 1e6, 12))),
        ([0, 0, 1, 2], [0, 0, 5, 9]),
        ([1000, 1], [1e-3, 1e5]),
    ],
    ids=["one customer", "all the same", "a very long tail", "some without", "far apart"],
)
def test_little_to_learn_from_gives_a_wide_interval(count: list[float], spend: list[float]) -> None:
    fit = gamma_gamma.fit(count, spend)
    assert fit.converged
    low, high = fit.interval(gamma_gamma.expected_spend)
    assert 0 < low < float(fit.expected_spend()) < high < np.inf
    assert high > 1.01 * low
    assert (fit.expected_spend(count, spend) > 0).all()


def test_nobody_is_worth_less_than_nothing_where_the_mean_would_not_exist() -> None:
    """Drawn with q = 0.6: left free, q falls below 1, and p v / (q - 1) below 0."""
    random = np.random.default_rng(8)
    count = random.integers(1, 4, 400).astype(float)
    spend = random.gamma(5 * count, 1 / random.gamma(0.6, 1 / 10, 400)) / count
    fit = gamma_gamma.fit(count, spend)
    assert 1 < fit.parameters["q"] < 1.2
    assert (fit.draws()[:, 1] > 1).all()
    assert fit.expected_spend() > spend.mean() * 0.1
    assert (fit.expected_spend(count, spend) > 0).all()
    assert "q " in fit.summary()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"spend": [20, 0]}, holdwater.NumError, "spend is not above 0 in element 1"),
        ({"spend": [20, -5]}, holdwater.NumError, "spend is negative, infinite or no number in element 1"),
        ({"spend": [np.nan, 5]}, holdwater.NumError, "spend is negative, infinite or no number in element 0"),
        ({"spend": ["x", 5]}, holdwater.KindError, "spend holds something that is no number"),
        ({"frequency": [1.5, 1]}, holdwater.NumError, "frequency is no whole number in element 0"),
        ({"frequency": [3e6, 1]}, holdwater.NumError, "frequency is above a million"),
        ({"frequency": [0, 0]}, holdwater.NoDataError, "no customer has a purchase to learn from"),
        ({"spend": [20]}, holdwater.KindError, "spend has 1 elements, not 2"),
    ],
)
def test_what_cannot_be_is_said(change: dict[str, Any], error: type[Exception], message: str) -> None:
    good: dict[str, Any] = {"frequency": [1, 2], "spend": [20, 30]}
    with pytest.raises(error, match=message):
        gamma_gamma.fit(**good | change)
