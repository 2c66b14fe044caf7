"""What is asked of any fit in words or numbers that cannot be, and data that leave its likelihood without a top."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import holdwater
from holdwater.models import beta_binomial, bg_nbd, cure, gamma_gamma, retention
from holdwater.models.fitted import Estimator, Fit
from holdwater.models.renewals import Renewals
from holdwater.models.repeat_buyers import RepeatBuyers
from holdwater.models.rfm import summarise

COUNTS = ([1, 2, 0, 5, 0], [3, 4, 0, 20, 0], [9, 9, 9, 30, 25])
RIDGE = ([0, 0, 0, 1, 2, 5, 0, 1, 0, 3], [0, 0, 0, 3, 8, 20, 0, 9, 0, 11], [30.0] * 10)  # a and b grow for ever
COHORTS = Renewals.of_cohorts([[1000, 631, 468, 382, 326]])

FITS: dict[str, Callable[..., Fit]] = {
    "bg_nbd": lambda **how: bg_nbd.fit(*COUNTS, **how),
    "gamma_gamma": lambda **how: gamma_gamma.fit([1, 2, 5, 1, 3], [30.0, 44, 12.5, 90, 31], **how),
    "retention": lambda **how: retention.fit(COHORTS, **how),
    "cure": lambda **how: cure.fit([3, 9, 12, 30, 40, 8], ["won", "won", "lost", "open", "open", "won"], **how),
    "sources": lambda **how: beta_binomial.fit([12, 3, 0, 90], [100, 20, 50, 250], **how),
}


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_an_estimator_may_be_given_in_words(fit: Callable[..., Fit]) -> None:
    told = fit(estimator="penalised")
    assert told.parameters == fit().parameters
    assert told.estimator is Estimator.PENALISED
    allowed = 'estimator is none that there is; allowed is "penalised" or "maximum likelihood"'
    for given in ("penalized", None, []):
        with pytest.raises(holdwater.KindError, match=allowed):
            fit(estimator=given)


def test_a_law_may_be_given_in_words() -> None:
    assert FITS["cure"](law="exponential").parameters == FITS["cure"](law=cure.Law.EXPONENTIAL).parameters
    assert "shape" not in FITS["cure"](law="exponential").parameters
    with pytest.raises(holdwater.KindError, match='law is none that there is; allowed is "Weibull" or "exponential"'):
        FITS["cure"](law="lognormal")


def test_a_ridge_is_no_top() -> None:
    fit = bg_nbd.fit(*RIDGE, estimator=Estimator.LIKELIHOOD)
    assert not fit.converged
    assert "nan" not in fit.summary()
    with pytest.raises(holdwater.NumError, match="leave a parameter open"):
        fit.interval(lambda rows: rows[:, 0])
    assert bg_nbd.fit(*RIDGE).converged


def test_a_bend_without_an_inverse_is_no_crash() -> None:
    assert not bg_nbd.fit([1] * 30, [0.1] * 30, [100] * 30, estimator=Estimator.LIKELIHOOD).converged


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        ({"size": 0}, holdwater.NumError, "size is 0; allowed is 1 or more"),
        ({"size": 2.5}, holdwater.KindError, "size is no whole number"),
        ({"confidence": 90}, holdwater.NumError, "confidence is 90; allowed is between 0 and 1"),
        ({"confidence": "x"}, holdwater.KindError, "confidence is no number"),
    ],
)
def test_limits_that_cannot_be(
    fit: Callable[..., Fit], ask: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        fit().interval(lambda rows: rows[:, 0], **ask)
    with pytest.raises(holdwater.NumError, match="size is -1"):
        fit().draws(-1)


@pytest.mark.parametrize("hole", [np.nan, np.inf])
@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_limits_of_what_is_no_number(fit: Callable[..., Fit], hole: float) -> None:
    with pytest.raises(holdwater.NumError, match=r"; ask for something|; give periods"):
        fit().interval(lambda rows: np.where(rows[:, 0] > np.median(rows[:, 0]), hole, rows[:, 0]))


def test_worth_beyond_any_number() -> None:
    names = ["Ash"] * 5 + ["Birk"] * 5 + ["Cole"] * 2 + ["Dora", "Elm"]
    days = [1, 8, 15, 22, 29, 3, 24, 45, 66, 87, 10, 70, 20, 80]
    paid = [20, 25, 22, 24, 20, 60, 55, 58, 62, 60, 30, 34, 25, 40]
    with pytest.raises(holdwater.NumError, match="give a higher discount"):
        holdwater.customer_values(names, days, paid, 0.5, 1200, -0.5, 90)
    assert not holdwater.explain("CUSTOMER_VALUES", names, days, paid, 0.5, 1200, -0.5, 90).startswith("ok")
    summary = summarise(names, days, paid, unit=30)
    buyers = RepeatBuyers.fit(summary)
    for margin in (1.5, -0.1, np.nan, np.inf):
        with pytest.raises(holdwater.NumError, match="gross_margin is .*; allowed is 0 to 1"):
            buyers.values(summary, margin, 12)
        with pytest.raises(holdwater.NumError, match="gross_margin is .*; allowed is 0 to 1"):
            buyers.new_customer(margin, 12)


def test_a_lifetime_without_a_sum() -> None:
    fit = retention.fit(COHORTS)
    for value in (fit.value, fit.curve.value):
        with pytest.raises(holdwater.NumError, match="never shrink enough to have a sum"):
            value(100, 0.1, 0.2, 100_000)
