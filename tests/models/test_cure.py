"""The cure model against fifty digits, businesses whose truth is known, and whatever a person may give it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mpmath
import numpy as np
import pytest
from coverage_conversion import BUSINESSES, coverage

from holdwater.errors import NoDataError, NumError
from holdwater.models import cure
from holdwater.models.cure import CureFit, Law
from holdwater.models.cure_likelihood import NAMES, Likelihood
from holdwater.models.deals import Deals
from holdwater.models.fitted import Estimator
from holdwater.models.kaplan_meier import aalen_johansen

TEXTBOOK = BUSINESSES[0]


def cohort(n: int = 400, window: float = 120, seed: int = 2, losses: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Days and status, one entry a deal."""
    random = np.random.default_rng(seed)
    age = np.ceil(random.uniform(0, window, n))
    win = random.random(n) < 0.2
    to_loss = np.ceil(60 * random.exponential(size=n)) if losses else np.full(n, np.inf)
    closes = np.where(win, np.ceil(40 * random.weibull(1.4, n)), to_loss)
    status = np.where(closes > age, 0, np.where(win, 1, 2))
    return np.minimum(closes, age), status


def log_likelihood(at: Sequence[mpmath.mpf], days: Sequence[float], status: Sequence[int]) -> mpmath.mpf:
    """Deal by deal from the model's own words, in fifty digits."""
    odds, shape, scale, marked_odds, loss_shape, loss_scale = map(mpmath.exp, at)
    won, marked = odds / (1 + odds), marked_odds / (1 + marked_odds)
    if 2 not in status:
        marked = mpmath.mpf(0)
    total = mpmath.mpf(0)
    for day, end in zip(days, status, strict=True):
        t = mpmath.mpf(float(day))
        if end == 1:
            share = won * shape / scale * (t / scale) ** (shape - 1) * mpmath.exp(-((t / scale) ** shape))
        elif end == 2:
            spread = loss_shape / loss_scale * (t / loss_scale) ** (loss_shape - 1)
            share = (1 - won) * marked * spread * mpmath.exp(-((t / loss_scale) ** loss_shape))
        else:
            share = won * mpmath.exp(-((t / scale) ** shape)) + (1 - won) * (
                1 - marked + marked * mpmath.exp(-((t / loss_scale) ** loss_shape))
            )
        total += mpmath.log(share)
    return total


PLACES = [[-2, 0.2, 3.6, 1.5, -0.1, 4.2], [1.5, -0.8, 5, -2, 0.7, 3], [-6, 1.2, 2, 4, -1, 7]]


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("losses", [True, False])
def test_likelihood_slope_and_bend(at: list[float], losses: bool) -> None:
    days, status = cohort(14, seed=4, losses=losses)
    assert len(set(status.tolist())) == 2 + losses
    with mpmath.workdps(50):
        slope = Likelihood(Deals.of(days, status))(np.array(at, dtype=float))
        exact = log_likelihood(list(map(mpmath.mpf, at)), days.tolist(), status.tolist())
        assert slope.height == pytest.approx(float(exact), rel=1e-13)
        for i in range(6):
            for j in range(i, 6):
                order = [int(i == k) + int(j == k) for k in range(6)]
                bend = mpmath.diff(
                    lambda *x: log_likelihood(x, days.tolist(), status.tolist()), tuple(at), tuple(order)
                )
                assert slope.hessian[i, j] == pytest.approx(float(bend), rel=1e-9, abs=1e-9)
                assert slope.hessian[j, i] == pytest.approx(slope.hessian[i, j], rel=1e-12)
            once = tuple(int(i == k) for k in range(6))
            first = mpmath.diff(lambda *x: log_likelihood(x, days.tolist(), status.tolist()), tuple(at), once)
            assert slope.gradient[i] == pytest.approx(float(first), rel=1e-9, abs=1e-9)


def as_point(fit: CureFit) -> list[float]:
    """All six log parameters; every loss is marked where that was not fitted."""
    fixed = {"shape": 1.0, "marked_odds": math.exp(40), "loss_shape": 1.0, "loss_scale": 1.0}
    return [math.log((fixed | dict(fit.parameters))[name]) for name in NAMES]


@pytest.mark.parametrize("losses", [True, False])
@pytest.mark.parametrize("law", Law)
def test_maximum_likelihood_is_the_top(losses: bool, law: Law) -> None:
    days, status = cohort(window=300, losses=losses)
    fit = cure.fit(days, status, law=law, estimator=Estimator.LIKELIHOOD)
    at = as_point(fit)
    assert fit.converged
    assert ("shape" in fit.parameters) == (law is Law.WEIBULL)
    assert ("loss_scale" in fit.parameters) == losses
    exact = log_likelihood(list(map(mpmath.mpf, at)), days.tolist(), status.tolist())
    assert fit.log_likelihood == pytest.approx(float(exact), rel=1e-12)
    slope = Likelihood(Deals.of(days, status))(np.array(at))
    free = [NAMES.index(name) for name in fit.parameters]
    assert np.abs(slope.gradient[free]).max() < 1e-7
    assert np.linalg.eigvalsh(slope.hessian[np.ix_(free, free)]).max() < 0
    assert fit.covariance == pytest.approx(np.linalg.inv(-slope.hessian[np.ix_(free, free)]), rel=1e-6)


def test_weights_are_deals_alike() -> None:
    days, status = cohort()
    deals = Deals.of(days, status)
    again = np.concatenate([deals.days] * 3)
    counts = np.concatenate([deals.open, deals.won, deals.lost])
    grouped = cure.fit(again, np.repeat([0, 1, 2], len(deals.days)), counts)
    one_by_one = cure.fit(days, status)
    assert grouped.parameters == one_by_one.parameters
    assert grouped.n == len(days)


@pytest.mark.parametrize("estimator", Estimator)
@pytest.mark.parametrize("losses", [True, False])
def test_days_become_weeks(estimator: Estimator, losses: bool) -> None:
    days, status = cohort(losses=losses)
    in_days = cure.fit(days, status, estimator=estimator)
    in_weeks = cure.fit(days / 7, status, estimator=estimator)
    assert in_weeks.conversion == pytest.approx(in_days.conversion, rel=1e-9)
    assert in_weeks.conversion_limits() == pytest.approx(in_days.conversion_limits(), rel=1e-9)
    assert in_weeks.parameters["scale"] == pytest.approx(in_days.parameters["scale"] / 7, rel=1e-9)
    assert in_weeks.wins_to_come == pytest.approx(in_days.wins_to_come, rel=1e-9)
    assert in_weeks.won_within([1, 9]) == pytest.approx(in_days.won_within([7, 63]), rel=1e-9)


def test_a_deal_of_the_first_day_counts_in_any_unit() -> None:
    days, status = cohort()
    days[:7] = 0
    in_days, in_weeks = cure.fit(days, status), cure.fit(days / 7, status)
    assert in_weeks.conversion == pytest.approx(in_days.conversion, rel=1e-9)


def test_limits_cost_what_they_say() -> None:
    """At each limit, the best that the other parameter can do lies z^2 / 2 below the top."""
    days, status = cohort(window=400, losses=False)
    fit = cure.fit(days, status, law=Law.EXPONENTIAL, estimator=Estimator.LIKELIHOOD)
    counted = Deals.of(days, status)
    low, high, _ = fit.conversion_limits(0.95)
    assert low < fit.conversion < high < 1
    for limit in (low, high):

        def height(log_scale: float, limit: float = limit) -> float:
            waits = np.exp(-counted.days / math.exp(log_scale))
            of_won = counted.won @ (math.log(limit) - log_scale - counted.days / math.exp(log_scale))
            return float(of_won + counted.open @ np.log(limit * waits + 1 - limit))

        middle = math.log(fit.parameters["scale"])
        best = max(height(place) for place in np.linspace(middle - 1, middle + 1, 20_001))
        assert fit.log_likelihood - best == pytest.approx(1.959963984540054**2 / 2, abs=1e-6)


def test_half_a_year_of_deals_of_which_half_are_open() -> None:
    """Won / all and won / (won + lost) miss the truth, the model does not; and neither does Aalen-Johansen by much."""
    deals = TEXTBOOK.deals(np.random.default_rng(11), 2_000, 180)
    fit = cure.fit_deals(deals)
    low, high, too_young = fit.conversion_limits()
    won, lost = deals.won.sum(), deals.lost.sum()
    assert won / deals.all.sum() < 0.085
    assert won / (won + lost) > 0.13
    assert low < TEXTBOOK.conversion < high
    assert not too_young
    assert fit.conversion == pytest.approx(0.12, abs=0.015)
    assert high - low < 0.05
    curve = aalen_johansen(deals)
    assert float(curve.at(180)) == pytest.approx(0.117, abs=0.015)
    ages = np.array([30, 60, 120, 170])
    assert fit.won_within(ages) == pytest.approx(curve.at(ages), abs=0.012)
    assert fit.wins_to_come == pytest.approx(fit.conversion * fit.n - won, rel=0.05)


def test_when_all_are_closed_it_is_a_count() -> None:
    days, status = cohort(3_000, window=1_000)
    closed = status > 0
    fit = cure.fit(days[closed], status[closed])
    won, n = (status == 1).sum(), closed.sum()
    assert fit.decided == 1
    assert fit.wins_to_come == 0
    assert fit.conversion == pytest.approx(won / n, rel=0.01)


ODD = {
    "one won": ([5], ["won"]),
    "one lost": ([5], ["lost"]),
    "one open": ([5], ["open"]),
    "all won on one day": ([3] * 30, ["won"] * 30),
    "all lost": (list(range(30)), ["lost"] * 30),
    "all open": (list(range(30)), ["open"] * 30),
    "all on the first day": ([0] * 9, ["won", "lost", "open"] * 3),
    "one win among the open": ([2] + [50] * 200, ["won"] + ["open"] * 200),
    "one win among the lost": ([2] + [50] * 200, ["won"] + ["lost"] * 200),
    "wins at the very end": ([90] * 10 + list(range(1, 90)), ["won"] * 10 + ["open"] * 89),
    "a second and a century": ([1e-5, 36_500, 3, 20], ["won", "won", "lost", "open"]),
    "wins long after any loss": ([1, 2, 3, 900, 950] + [5] * 40, ["lost"] * 3 + ["won"] * 2 + ["open"] * 40),
    "two wins of two": ([1, 400], ["won", "won"]),
    "closed in bulk": ([30] * 5_000 + [4, 11, 25] * 20, ["lost"] * 5_000 + ["won", "open", "won"] * 20),
}


@pytest.mark.parametrize(("days", "status"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("law", Law)
def test_an_answer_or_honest_doubt_for_anything(days: list[float], status: list[str], law: Law) -> None:
    fit = cure.fit(days, status, law=law)
    low, high, too_young = fit.conversion_limits()
    assert fit.converged
    assert 0 <= low < fit.conversion < high <= 1
    assert all(map(math.isfinite, [*fit.parameters.values(), fit.log_likelihood, fit.wins_to_come]))
    assert too_young or "open" not in status or "won" in status
    assert np.isfinite(fit.covariance).all()
    assert np.isfinite(fit.draws(50)).all()
    assert len(days) > 9 or high - low > 0.15
    if "won" not in status:
        with pytest.raises(NoDataError, match="the likelihood has no top; use the penalised estimator"):
            cure.fit(days, status, law=law, estimator=Estimator.LIKELIHOOD)
    else:
        likely = cure.fit(days, status, law=law, estimator=Estimator.LIKELIHOOD)
        low, high, _ = likely.conversion_limits()
        assert 0 <= low <= likely.conversion <= high <= 1
        assert math.isfinite(likely.log_likelihood)


def test_likelihood_alone_says_so_where_it_leaves_all_open() -> None:
    """Wins come faster and faster, so nothing in the deals says that they will ever stop."""
    days = [*range(1, 41), *[40] * 60]
    fit = cure.fit(days, ["won"] * 40 + ["open"] * 60, estimator=Estimator.LIKELIHOOD)
    assert fit.conversion_limits().high == 1
    with pytest.raises(NumError, match="leave a parameter open"):
        fit.draws()


def test_summary_is_for_people() -> None:
    days, status = cohort()
    text = cure.fit(days, status).summary()
    assert text.startswith("Conversion with open deals (Weibull), 400 deals, penalised\n  conversion 2")
    assert "more wins expected" in text
    young = cure.fit([5, 6, 7], ["open"] * 3).summary()
    assert young.endswith("Too young: do not use this conversion yet.")


def test_confidence_must_be_a_share() -> None:
    with pytest.raises(NumError, match="confidence is 95"):
        cure.fit([1], ["won"]).conversion_limits(95)


@pytest.mark.slow
@pytest.mark.parametrize("business", BUSINESSES, ids=[business.name for business in BUSINESSES])
@pytest.mark.parametrize(("n", "window"), [(20, 180), (40, 180), (150, 180), (400, 45)])
def test_limits_cover_the_truth(business: object, n: int, window: float) -> None:
    found = coverage(business, n, window, runs=200)  # type: ignore[arg-type]  # a Business, which mypy does not see
    assert found.failed == 0
    assert found.covered >= 0.85
    assert found.wrong <= 0.15
