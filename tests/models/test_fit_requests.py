"""What is asked of any fit in words or numbers that cannot be, and data that leave its likelihood without a top."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

import holdwater
from holdwater.models import beta_binomial, bg_nbd, conversion, cure, gamma_gamma, purchases, retention
from holdwater.models.fitted import Array, Estimator, Fit
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
    wrong: list[object] = ["penalized", None, []]
    for given in wrong:
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
        with pytest.raises(holdwater.NumError, match=r"gross_margin is .*; allowed is 0 to 1"):
            buyers.values(summary, margin, 12)
        with pytest.raises(holdwater.NumError, match=r"gross_margin is .*; allowed is 0 to 1"):
            buyers.new_customer(margin, 12)


def test_a_lifetime_without_a_sum() -> None:
    fit = retention.fit(COHORTS)
    for value in (fit.value, fit.curve.value):
        with pytest.raises(holdwater.NumError, match="never shrink enough to have a sum"):
            value(100, 0.1, 0.2, 100_000)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ((np.nan, 1, 3), "frequency is negative, infinite or no number in element 0"),
        ((-1, 0, 3), "frequency is negative"),
        ((1.5, 1, 3), "frequency is no whole number"),
        ((1, 2, -3), "age is negative"),
        ((2, [1, 4], 3), "recency is above age.* in element 1"),
        ((5, 0, 3), "only one is 0"),
        ((0, 2, 3), "only one is 0"),
    ],
)
def test_nothing_is_predicted_from_a_history_that_cannot_be(history: tuple[Any, ...], message: str) -> None:
    fit = bg_nbd.fit(*COUNTS)
    asks: list[Callable[[], Array]] = [
        lambda: fit.alive(*history),
        lambda: fit.buys(5, *history),
        lambda: fit.purchases(5, *history),
        lambda: fit.discounted_purchases(5, 0.1, *history),
    ]
    for ask in asks:
        with pytest.raises(holdwater.NumError, match=message):
            ask()
    with pytest.raises(holdwater.KindError, match="differ in length"):
        fit.alive([1, 2], [1, 2, 3], 5)


def test_no_spend_is_expected_from_a_customer_who_cannot_be() -> None:
    fit = gamma_gamma.fit([1, 2, 5, 1, 3], [30.0, 44, 12.5, 90, 31])
    for given in ((1, -5), (np.nan, 5), (-1, 5), (1.5, 5), (1, np.inf)):
        with pytest.raises(holdwater.NumError, match=r"Gamma-Gamma: (frequency|spend) is"):
            fit.expected_spend(*given)


def test_large_numbers_of_customers_stay_apart() -> None:
    large = 2**53
    assert summarise([large, large + 1, 7], [1, 2, 3]).names.tolist() == [large, large + 1, 7]
    columns = [large, large + 1, 7, 8] * 2, [1, 2, 3, 4, 5, 6, 7, 8], [9.5] * 8
    table = holdwater.customer_values(*columns, 0.5, 12, as_of=20)
    assert [(row["customer"], type(row["customer"])) for row in table] == [
        (customer, int) for customer in (large, large + 1, 7, 8)
    ]


def test_each_subject_has_one_door() -> None:
    for door, names in {
        retention: {"Curve", "Estimator", "Renewals", "RetentionFit", "fit"},
        conversion: {"CureFit", "Estimator", "fit_deals", "fit_sources"},
        purchases: {"Estimator", "RepeatBuyers", "fit_buying", "fit_spending", "split", "summarise"},
    }.items():
        assert names <= set(door.__all__)
        assert all(hasattr(door, name) for name in door.__all__)


class Missing:
    """A cell that is neither equal nor unequal to anything, as some libraries mark a missing one."""

    __hash__ = object.__hash__

    def __ne__(self, other: object) -> bool:
        raise TypeError("ambiguous")


def test_a_missing_customer_is_said() -> None:
    with pytest.raises(holdwater.KindError, match="row 2 of customers is blank"):
        summarise(["Ash", Missing()], [1, 2])


def test_a_missing_date_is_said() -> None:
    class NoTime(datetime):
        def date(self) -> date:
            raise ValueError("no time")

    with pytest.raises(holdwater.KindError, match="row 2 of dates is no date"):
        summarise(["Ash", "Ash"], [datetime(2024, 1, 1, tzinfo=UTC), NoTime(2024, 1, 1, tzinfo=UTC)])
