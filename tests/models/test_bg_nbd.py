"""BG/NBD against published optima, fifty digits, other units, and data that leave little to learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdwater
from holdwater.models import bg_nbd, purchase_outlook
from holdwater.models.fitted import Array, Estimator
from holdwater.models.purchase_histories import Histories, grouped

PEOPLE = Histories(  # a few customers of each kind
    frequency=np.array([0.0, 0, 1, 2, 5, 1, 0, 12, 3, 2]),
    recency=np.array([0.0, 0, 3, 9, 20, 14, 0, 29, 4, 30]),
    age=np.array([10.0, 31, 12, 30, 22, 40, 25, 30, 33, 31]),
    weights=np.array([3.0, 2, 1, 1, 1, 2, 5, 1, 1, 1]),
)


@pytest.fixture(scope="module")
def books(cdnow: Path) -> Histories:
    """The 2,357 customers of CDNOW, times in weeks to two decimals."""
    table = np.genfromtxt(cdnow / "cdnow_customers_summary.csv", delimiter=",", skip_header=1)
    return Histories(table[:, 1], table[:, 2], table[:, 3], np.ones(len(table)))


@pytest.fixture(scope="module")
def published(books: Histories) -> bg_nbd.BgNbd:
    return bg_nbd.fit(*books, estimator=Estimator.LIKELIHOOD)


def test_the_published_optimum(published: bg_nbd.BgNbd) -> None:
    assert published.converged
    assert published.log_likelihood == pytest.approx(-9582.4255606, abs=1e-6)
    expected = {"r": 0.2425929, "alpha": 4.4135316, "a": 0.7928861, "b": 2.4257534}
    assert published.parameters == pytest.approx(expected, rel=1e-6)


def test_the_published_predictions(published: bg_nbd.BgNbd) -> None:
    assert published.purchases(39) == pytest.approx(1.1950163, abs=1e-6)
    assert published.purchases(52) == pytest.approx(1.4440208, abs=1e-6)
    assert published.alive(2, 30.43, 38.86) == pytest.approx(0.7266092, abs=1e-7)
    assert published.purchases(39, 2, 30.43, 38.86) == pytest.approx(1.2259105, abs=1e-6)


def test_priors_move_many_customers_little(published: bg_nbd.BgNbd, books: Histories) -> None:
    penalised = bg_nbd.fit(*books)
    assert published.log_likelihood - 0.01 < penalised.log_likelihood < published.log_likelihood
    assert "2,357 observed, penalised" in penalised.summary()
    low, high = penalised.interval(lambda rows: purchase_outlook.purchases(rows, 52), size=400)
    assert low < float(published.purchases(52)) < high < 1.2 * low


# Against fifty digits.


def likelihood_by_hand(at: Any, histories: Histories) -> Any:
    r, alpha, a, b = (mpmath.e**number for number in at)
    total = mpmath.mpf(0)
    for x, last, age, weight in zip(*(map(mpmath.mpf, map(float, column)) for column in histories), strict=True):
        alive = mpmath.beta(a, b + x) / mpmath.beta(a, b) / (alpha + age) ** (r + x)
        left = mpmath.beta(a + 1, b + x - 1) / mpmath.beta(a, b) / (alpha + last) ** (r + x) if x else 0
        total += weight * mpmath.log(mpmath.gamma(r + x) * alpha**r / mpmath.gamma(r) * (alive + left))
    return total


@pytest.mark.parametrize("parameters", [(0.24, 4.4, 0.79, 2.4), (3.0, 0.5, 1.0, 1.0), (0.05, 40.0, 12.0, 0.1)])
def test_height_slope_and_bend_of_the_likelihood(parameters: tuple[float, ...]) -> None:
    at = np.log(parameters)
    found = bg_nbd._Likelihood(PEOPLE)(at)
    with mpmath.workdps(50):
        exact = [mpmath.mpf(float(number)) for number in at]

        def along(*moves: int) -> float:
            return float(mpmath.diff(lambda *point: likelihood_by_hand(point, PEOPLE), tuple(exact), moves))

        def order(*which: int) -> tuple[int, ...]:
            return tuple(which.count(place) for place in range(4))

        assert found.height == pytest.approx(float(likelihood_by_hand(exact, PEOPLE)), rel=1e-13)
        gradient = [along(*order(i)) for i in range(4)]
        hessian = [[along(*order(i, j)) for j in range(4)] for i in range(4)]
    assert found.gradient == pytest.approx(gradient, rel=1e-10, abs=1e-10)
    assert found.hessian == pytest.approx(np.array(hessian), rel=1e-10, abs=1e-10)


def outlook_by_hand(parameters: Any, time: Any, x: int, last: Any, age: Any) -> tuple[float, float]:
    """P(alive) and expected purchases by the published formula with its hypergeometric function."""
    with mpmath.workdps(50):
        r, alpha, a, b, time, last, age = map(mpmath.mpf, (*map(float, parameters), time, last, age))
        odds = a / (b + x - 1) * ((alpha + age) / (alpha + last)) ** (r + x) if x else 0
        if a == 1:
            a += mpmath.mpf(10) ** -30  # the formula divides by a - 1
        rest = ((alpha + age) / (alpha + age + time)) ** (r + x)
        series = mpmath.hyp2f1(r + x, b + x, a + b + x - 1, time / (alpha + age + time))
        return float(1 / (1 + odds)), float((a + b + x - 1) / (a - 1) * (1 - rest * series) / (1 + odds))


PARAMETER = st.tuples(st.floats(0.05, 20), st.floats(0.1, 100), st.floats(0.1, 30) | st.just(1.0), st.floats(0.1, 50))


@settings(max_examples=60)
@given(PARAMETER, st.floats(-3, 4), st.sampled_from([0, 1, 2, 7, 60, 1000]), st.floats(0.5, 100), st.floats(0, 1))
def test_predictions_to_nine_digits(
    parameters: tuple[float, ...], reach: float, x: int, age: float, silence: float
) -> None:
    """Horizons from a thousandth to ten thousand times alpha + age, up to 1,000 purchases, a = 1 among them."""
    time = 10**reach * (parameters[1] + age)
    last = age * (1 - 0.9 * silence / (1 + x / 3)) if x else 0.0
    alive, purchases = outlook_by_hand(parameters, time, x, last, age)
    row = np.array(parameters)
    assert purchase_outlook.alive(row, x, last, age) == pytest.approx(alive, rel=1e-9)
    assert purchase_outlook.purchases(row, time, x, last, age) == pytest.approx(purchases, rel=1e-9)
    r, alpha = map(mpmath.mpf, parameters[:2])
    none = float(((alpha + age) / (alpha + age + time)) ** (r + x))
    assert purchase_outlook.buys(row, time, x, last, age) == pytest.approx(alive * (1 - none), rel=1e-9, abs=1e-15)


def test_discounted_purchases_are_those_of_each_period_discounted_from_its_end(published: bg_nbd.BgNbd) -> None:
    history = np.array([0.0, 2, 9]), np.array([0.0, 30.4, 38]), np.array([38.9, 38.9, 38.9])
    ends = [4.0, 8.0, 12.0, 14.0]  # the last period is cut short
    each = np.diff([np.zeros(3), *(published.purchases(end, *history) for end in ends)], axis=0)
    by_hand = sum(purchases / 1.02**place for place, purchases in enumerate(each, start=1))
    assert published.discounted_purchases(14, 0.02, *history, period=4) == pytest.approx(by_hand, rel=1e-12)
    assert published.discounted_purchases(14, 0, *history) == pytest.approx(published.purchases(14, *history))


def test_many_histories_and_many_draws_broadcast(published: bg_nbd.BgNbd) -> None:
    random = np.random.default_rng(1)
    x, age = random.integers(0, 5, 2_000), random.integers(1, 400, 2_000) / 7
    last = np.where(x > 0, 0.7 * age, 0)
    many = published.purchases(20, x, last, age)
    assert many[[3, 700]] == pytest.approx([published.purchases(20, x[i], last[i], age[i]) for i in (3, 700)])
    rows = published.draws(7)
    assert purchase_outlook.purchases(rows, 20, 2, 9, 30) == pytest.approx(
        [purchase_outlook.purchases(row, 20, 2, 9, 30) for row in rows]
    )


# Units, weights, groups.


@pytest.mark.parametrize("estimator", Estimator)
def test_days_or_weeks_give_the_same(books: Histories, estimator: Estimator) -> None:
    weeks = bg_nbd.fit(*books, estimator=estimator)
    days = bg_nbd.fit(books.frequency, 7 * books.recency, 7 * books.age, estimator=estimator)
    scale = {"r": 1, "alpha": 7, "a": 1, "b": 1}
    assert days.parameters == pytest.approx({n: weeks.parameters[n] * scale[n] for n in scale}, rel=1e-9)
    assert days.covariance == pytest.approx(weeks.covariance, rel=1e-7)
    assert days.purchases(7 * 52, 2, 7 * 30.43, 7 * 38.86) == pytest.approx(
        weeks.purchases(52, 2, 30.43, 38.86), rel=1e-9
    )


def spread_out(histories: Histories) -> Histories:
    counts = histories.weights.astype(int)
    x, last, age = (np.repeat(column, counts) for column in histories[:3])
    return Histories(x, last, age, np.ones(counts.sum()))


def test_weights_stand_for_customers() -> None:
    grouped_fit, single_fit = bg_nbd.fit(*PEOPLE), bg_nbd.fit(*spread_out(PEOPLE)[:3])
    assert grouped_fit.parameters == pytest.approx(single_fit.parameters, rel=1e-9)
    assert grouped_fit.n == single_fit.n == 18


def shop(count: int, seed: int = 1, days: int = 365) -> Histories:
    """Customers who behave as the model says; whole days, told in weeks."""
    random = np.random.default_rng(seed)
    rate, leaving = random.gamma(0.5, 1 / 60, count), random.beta(0.8, 2.5, count)
    age = np.floor(random.uniform(days / 2, days, count))
    x, last, moment = np.zeros(count), np.zeros(count), np.zeros(count)
    here = np.arange(count)
    while here.size:
        moment[here] += np.ceil(random.exponential(1 / rate[here]))
        here = here[moment[here] <= age[here]]
        x[here], last[here] = x[here] + 1, moment[here]
        here = here[random.random(here.size) >= leaving[here]]
    return Histories(x, last / 7, age / 7, np.ones(count))


def test_groups_and_samples_leave_the_fit_of_many_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many customers are grouped, and a sample of the groups is fitted first; all as they are must say the same."""
    many = shop(20_000)
    table, weights = np.unique(np.stack(many[:3]), axis=1, return_counts=True)
    packed = grouped(many)
    assert packed.weights.sum() == 20_000
    assert len(packed.age) == len(weights) < 15_000
    again = grouped(Histories(table[0], table[1], table[2], weights.astype(float)))
    assert np.stack(again) == pytest.approx(np.stack(packed), rel=1e-12)
    assert grouped(packed._replace(age=packed.age + np.pi * 1e-3)).age.shape == packed.age.shape  # no common step
    as_they_are = bg_nbd.fit(*many[:3])
    monkeypatch.setattr(bg_nbd, "_SAMPLE", 1_000)
    ours = bg_nbd.fit(*many[:3])
    assert ours.log_likelihood == pytest.approx(as_they_are.log_likelihood, abs=1e-6)
    assert ours.parameters == pytest.approx(as_they_are.parameters, rel=1e-9)


# What leaves little to learn, or cannot be.


@pytest.mark.parametrize(
    ("frequency", "recency", "age"),
    [
        ([3], [20], [30]),
        ([0], [0], [30]),
        ([0] * 40, [0] * 40, [30] * 40),
        ([50] * 40, [30] * 40, [30] * 40),
        ([1] * 40, [0.01] * 40, [30] * 40),
        ([0, 1000, 1, 0], [0, 364, 1, 0], [10, 365, 365, 0]),
    ],
    ids=["one customer", "one purchase", "all bought once", "nobody left", "all left at once", "a few of any kind"],
)
def test_little_to_learn_from_gives_a_wide_interval(
    frequency: list[float], recency: list[float], age: list[float]
) -> None:
    fit = bg_nbd.fit(frequency, recency, age)
    assert fit.converged
    low, high = fit.interval(lambda rows: purchase_outlook.purchases(rows, 30), size=300)
    assert 0 < low < float(fit.purchases(30)) < high < np.inf
    assert high > 1.1 * low
    for column in (fit.alive(frequency, recency, age), fit.buys(30, frequency, recency, age)):
        assert ((column >= 0) & (column <= 1)).all()


def test_whoever_bought_once_is_alive_in_this_model() -> None:
    fit = bg_nbd.fit(*PEOPLE)
    assert fit.alive(0, 0, 10_000) == 1
    assert fit.purchases(30, 0, 0, 10_000) < 0.1 * fit.purchases(30, 0, 0, 10), "but hardly expected to buy"


GOOD: dict[str, Any] = {"frequency": [1, 2, 0], "recency": [3, 4, 0], "age": [9, 9, 9]}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"age": [9, 9, np.nan]}, holdwater.NumError, "age is negative, infinite or no number in element 2"),
        ({"age": [9, np.inf, 9]}, holdwater.NumError, "age is negative, infinite or no number in element 1"),
        ({"recency": [3, -4, 0]}, holdwater.NumError, "recency is negative"),
        ({"recency": [3, 10, 0]}, holdwater.NumError, "recency is above age.* in element 1"),
        ({"recency": [3, 4, 1]}, holdwater.NumError, "only one is 0 in element 2"),
        ({"frequency": [1, 2.5, 0]}, holdwater.NumError, "frequency is no whole number in element 1"),
        ({"frequency": [1, 2e6, 0]}, holdwater.NumError, "frequency is above a million"),
        ({"frequency": ["one", 2, 0]}, holdwater.KindError, "frequency holds something that is no number"),
        ({"age": [9, 9]}, holdwater.KindError, "age has 2 elements, not 3"),
        ({"age": [[9, 9, 9]]}, holdwater.KindError, "age has 2 dimensions"),
        ({"weights": [1, -1, 1]}, holdwater.NumError, "weights is negative"),
        ({"weights": [0, 0, 0]}, holdwater.NoDataError, "there are no customers"),
        ({"frequency": [], "recency": [], "age": []}, holdwater.NoDataError, "there are no customers"),
        ({"frequency": [0] * 3, "recency": [0] * 3, "age": [0] * 3}, holdwater.NoDataError, "wait until some time"),
    ],
)
def test_what_cannot_be_is_said(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        bg_nbd.fit(**GOOD | change)


def test_the_likelihood_alone_needs_repeat_purchases() -> None:
    with pytest.raises(holdwater.NoDataError, match="nobody bought again"):
        bg_nbd.fit([0, 0], [0, 0], [9, 9], estimator=Estimator.LIKELIHOOD)


def test_horizons_and_discounts_out_of_their_domain() -> None:
    fit = bg_nbd.fit(**GOOD)
    for time in (0, -1, np.nan, np.inf):
        with pytest.raises(holdwater.NumError, match=r"time is .*; allowed is above 0"):
            fit.purchases(time)
        with pytest.raises(holdwater.NumError, match=r"time is .*; allowed is above 0"):
            fit.buys(time)
    with pytest.raises(holdwater.NumError, match="discount is 2; allowed"):
        fit.discounted_purchases(12, 2)


@pytest.mark.slow
def test_the_truth_is_found_again() -> None:
    fit = bg_nbd.fit(*shop(200_000, seed=3, days=2_000))
    middle: Array = np.log([fit.parameters[name] for name in ("r", "a", "b")])
    errors = np.sqrt(np.diag(fit.covariance))[[0, 2, 3]]
    assert (np.abs(middle - np.log([0.5, 0.8, 2.5])) < 4 * errors + 0.05).all(), "up to the rounding to whole days"
