"""Kaplan-Meier and Aalen-Johansen against a published table, and against the same sums done deal by deal."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from holdwater.errors import NumError
from holdwater.models.deals import Deals, Status
from holdwater.models.kaplan_meier import aalen_johansen, kaplan_meier

# Remission of leukaemia under 6-MP in weeks (Freireich et al. 1963; Kaplan-Meier estimates as in Cox & Oakes 1984).
ENDED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
STILL = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
STAYING = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def test_published_example_with_ties() -> None:
    curve = kaplan_meier(Deals.of(ENDED + STILL, [1] * len(ENDED) + [0] * len(STILL)))
    for week, share in STAYING.items():
        assert 1 - float(curve.at(week)) == pytest.approx(share, abs=5e-4)
    assert float(curve.at(5.9)) == 0
    assert float(curve.at(100)) == float(curve.at(23))
    # Greenwood's standard errors, as published with the table.
    published = {6: 0.0764, 7: 0.0869, 10: 0.0963, 13: 0.1068, 16: 0.1141, 22: 0.1282, 23: 0.1346}
    for week, error in published.items():
        assert math.sqrt(curve.variance[curve.days == week].item()) == pytest.approx(error, abs=5e-5)


def cohort(seed: int, n: int = 60) -> tuple[list[int], list[int]]:
    """Few different ages, so that wins, losses and open deals tie."""
    random = np.random.default_rng(seed)
    return random.integers(0, 12, n).tolist(), random.choice(3, n, p=[0.4, 0.35, 0.25]).tolist()


def by_hand(days: list[int], status: list[int]) -> dict[int, Fraction]:
    """Mass that leaves an open deal behind goes to the deals that stay longer (Efron's redistribution to the right)."""
    deals = sorted(zip(days, [s == Status.OPEN for s in status], status, strict=True))  # closed before open at one age
    mass = [Fraction(1, len(deals))] * len(deals)
    share, curve = Fraction(0), {}
    for place, (day, is_open, end) in enumerate(deals):
        if is_open and place + 1 < len(deals):
            part = mass[place] / (len(deals) - place - 1)
            mass = [m + part if other > place else m for other, m in enumerate(mass)]
        elif end == Status.WON:
            share += mass[place]
        curve[day] = share
    return curve


@pytest.mark.parametrize("seed", range(25))
def test_aalen_johansen_by_redistribution(seed: int) -> None:
    days, status = cohort(seed)
    curve = aalen_johansen(Deals.of(days, status))
    for day, share in by_hand(days, status).items():
        assert float(curve.at(day)) == pytest.approx(float(share), abs=1e-13)


@pytest.mark.parametrize("seed", range(25))
def test_variance_by_the_double_sum(seed: int) -> None:
    """Term by term for each age, where the module uses running sums."""
    deals = Deals.of(*cohort(seed))
    curve = aalen_johansen(deals)
    n, won, closed = curve.at_risk, deals.won, deals.won + deals.lost
    before = np.concatenate(([1.0], np.cumprod(1 - closed / n)[:-1]))
    for end in range(len(deals.days)):
        total = 0.0
        for i in range(end + 1):
            gap = curve.share[end] - curve.share[i]
            if n[i] > closed[i]:
                total += gap**2 * closed[i] / (n[i] * (n[i] - closed[i]))
            total += before[i] ** 2 * (n[i] - won[i]) * won[i] / n[i] ** 3
            total -= 2 * gap * before[i] * won[i] / n[i] ** 2
        assert curve.variance[end] == pytest.approx(total, abs=1e-14)


def test_both_are_one_where_nothing_is_lost() -> None:
    days, status = cohort(3)
    deals = Deals.of(days, [Status.WON if s == Status.WON else Status.OPEN for s in status])
    assert aalen_johansen(deals).share.tolist() == kaplan_meier(deals).share.tolist()


def test_losses_as_a_way_out_lower_the_curve() -> None:
    deals = Deals.of(*cohort(4))
    assert (aalen_johansen(deals).share <= kaplan_meier(deals).share + 1e-15).all()
    assert aalen_johansen(deals).share[-1] < kaplan_meier(deals).share[-1]


def test_without_open_deals_it_is_a_count() -> None:
    deals = Deals.of([1, 2, 2, 5], ["won", "lost", "won", "lost"])
    curve = aalen_johansen(deals)
    assert curve.share.tolist() == pytest.approx([0.25, 0.5, 0.5])
    assert curve.variance[-1] == pytest.approx(0.5 * 0.5 / 4)


def test_limits_hold_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(8)
    true = 0.3 * (1 - math.exp(-40 / 30))
    inside = 0
    for _ in range(300):
        age = random.uniform(20, 90, 150)
        win = random.random(150) < 0.3
        closes = np.where(win, random.exponential(30, 150), random.exponential(50, 150))
        status = np.where(closes > age, 0, np.where(win, 1, 2))
        low, high = aalen_johansen(Deals.of(np.minimum(closes, age), status)).limits(40)
        inside += bool(low <= true <= high)
    assert 0.86 < inside / 300 < 0.94


def test_limits_at_the_ends() -> None:
    curve = aalen_johansen(Deals.of([1, 2, 3], ["lost", "won", "won"]))
    low, high = curve.limits([0.5, 1, 2, 3])
    assert (low[:2].tolist(), high[:2].tolist()) == ([0, 0], [1, 1])
    assert (low >= 0).all()
    assert (high <= 1).all()
    only_wins = kaplan_meier(Deals.of([1, 2], ["won", "won"]))
    assert np.isfinite(only_wins.limits([1, 2])).all()
    with pytest.raises(NumError, match="confidence is 1"):
        curve.limits(2, 1)


@pytest.mark.parametrize("status", [["open"], ["won"], ["lost"]])
def test_a_single_deal(status: list[str]) -> None:
    curve = aalen_johansen(Deals.of([0], status))
    assert curve.share.tolist() == [float(status == ["won"])]
    assert np.isfinite(curve.variance).all()
