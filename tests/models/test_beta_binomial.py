"""Sources drawn towards their average: against fifty digits, made-up sources, and whatever a person may give it."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from coverage_conversion import SOURCES, Sources

from holdwater.errors import FormulaError, KindError, NoDataError, NumError
from holdwater.models import beta_binomial
from holdwater.models.fitted import Estimator
from holdwater.models.special import rise

WON = [12, 3, 0, 40, 7, 30]
LEADS = [100, 20, 5, 250, 90, 120]


@pytest.mark.parametrize("x", [0.01, 0.7, 3, 9.9, 10, 55.5, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("more", [0, 0.5, 3, 40.25, 1e4])
def test_rise_keeps_its_digits(x: float, more: float) -> None:
    with mpmath.workdps(50):
        far, near = mpmath.mpf(x) + mpmath.mpf(more), mpmath.mpf(x)
        exact = [
            mpmath.loggamma(far) - mpmath.loggamma(near),
            *(mpmath.psi(k, far) - mpmath.psi(k, near) for k in (0, 1)),
        ]
    for found, value in zip(rise(x, [more]), exact, strict=True):
        assert found.item() == pytest.approx(float(value), rel=2e-14, abs=1e-300)


def log_likelihood(log_odds: Any, log_concentration: Any) -> mpmath.mpf:
    mean = 1 / (1 + mpmath.exp(-log_odds))
    a, b = mpmath.exp(log_concentration) * mean, mpmath.exp(log_concentration) * (1 - mean)
    return mpmath.fsum(
        mpmath.log(mpmath.binomial(n, w)) + mpmath.log(mpmath.beta(a + w, b + n - w)) - mpmath.log(mpmath.beta(a, b))
        for w, n in zip(WON, LEADS, strict=True)
    )


def test_likelihood_alone_is_the_top() -> None:
    fit = beta_binomial.fit(WON, LEADS, estimator=Estimator.LIKELIHOOD)
    at = (math.log(fit.parameters["odds"]), math.log(fit.parameters["concentration"]))
    assert fit.converged
    with mpmath.workdps(40):
        assert fit.log_likelihood == pytest.approx(float(log_likelihood(*at)), rel=1e-12)
        slope = [float(mpmath.diff(log_likelihood, at, order)) for order in ((1, 0), (0, 1))]
        bend = [
            [float(mpmath.diff(log_likelihood, at, order)) for order in row]
            for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))
        ]
    assert slope == pytest.approx([0, 0], abs=1e-7)
    assert fit.covariance == pytest.approx(np.linalg.inv(-np.array(bend)), rel=1e-6)


def test_each_rate_lies_between_its_own_and_the_average() -> None:
    fit = beta_binomial.fit(WON, LEADS)
    own, shrunk = np.array(WON) / LEADS, fit.rates()
    assert (np.abs(shrunk - fit.average) < np.abs(own - fit.average)).all()
    pull = (shrunk - own) / (fit.average - own)
    assert (np.argsort(pull) == np.argsort(LEADS)[::-1]).all(), "the fewer leads, the stronger the pull"
    low, high = fit.limits()
    assert ((low < shrunk) & (shrunk < high)).all()
    assert fit.rates(0, 0).item() == pytest.approx(fit.average)
    low_new, high_new = fit.limits(0, 0)
    assert high_new - low_new > (high - low).max(), "nothing is known less than a new source"


def test_weights_count_sources_alike() -> None:
    weighted = beta_binomial.fit(WON, LEADS, [1, 2, 1, 3, 1, 1])
    repeated = beta_binomial.fit([*WON, 3, 40, 40], [*LEADS, 20, 250, 250])
    assert weighted.parameters == pytest.approx(dict(repeated.parameters), rel=1e-9)
    assert weighted.n == repeated.n


def test_limits_can_be_drawn_again() -> None:
    fit = beta_binomial.fit(WON, LEADS)
    assert fit.limits()[0].tolist() == fit.limits()[0].tolist()
    assert (fit.limits(confidence=0.95).low < fit.limits(confidence=0.8).low).all()


@pytest.mark.parametrize(
    ("won", "leads"),
    [([0], [1]), ([1], [1]), ([5], [5]), ([0, 0], [40, 1]), ([9, 80], [9, 80]), ([0], [0.5]), ([1] * 30, [10] * 30)],
)
def test_an_answer_for_anything(won: list[float], leads: list[float]) -> None:
    fit = beta_binomial.fit(won, leads)
    low, high = fit.limits()
    assert fit.converged
    assert ((low >= 0) & (low < fit.rates()) & (fit.rates() < high) & (high <= 1)).all()
    assert np.isfinite(fit.covariance).all()
    assert len(won) > 2 or leads[0] > 8 or (high - low).min() > 0.1
    with pytest.raises(NoDataError, match="likelihood has no top; use the penalised"):
        beta_binomial.fit(won, leads, estimator=Estimator.LIKELIHOOD)


@pytest.mark.parametrize(
    ("won", "leads", "weights", "error", "message"),
    [
        ([], [], None, NoDataError, "there are no leads"),
        ([0, 0], [0, 0], None, NoDataError, "there are no leads"),
        ([1], [5], [0], NoDataError, "there are no leads"),
        ([6], [5], None, NumError, "won is 6 in element 0.* 0 to the number of leads there, 5"),
        ([1, -1], [5, 5], None, NumError, "won is -1 in element 1"),
        ([1, 1], [5, math.nan], None, NumError, "leads is nan in element 1"),
        ([1, math.inf], [5, 5], None, NumError, "won is inf in element 1"),
        ([1], [5], [math.inf], NumError, "weights is inf"),
        ([1], [5, 5], None, KindError, "won has 1 entries, leads has 2"),
        ([1, 1], [5, 5], [1], KindError, "weights has 1 entries, leads has 2"),
        (["1"], [5], None, KindError, "won holds something that is no number"),
        ([True], [5], None, KindError, "won holds something that is no number"),
        ([[1]], [[5]], None, KindError, "won has 2 dimensions"),
    ],
)
def test_refuses_what_cannot_be(won: Any, leads: Any, weights: Any, error: type[FormulaError], message: str) -> None:
    with pytest.raises(error, match=message):
        beta_binomial.fit(won, leads, weights)


def test_confidence_must_be_a_share() -> None:
    with pytest.raises(NumError, match="confidence is 90"):
        beta_binomial.fit(WON, LEADS).limits(confidence=90)


@pytest.mark.slow
@pytest.mark.parametrize("case", SOURCES, ids=str)
def test_limits_cover_the_truth(case: Sources) -> None:
    inside, _, width, width_alone = case.coverage(100)
    assert 0.84 <= inside <= 0.96  # 0.85 to 0.95, and what 500 sources leave to chance
    assert width < width_alone
