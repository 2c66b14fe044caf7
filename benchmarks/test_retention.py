"""Speed of the retention curve, as ratios to a peer measured in the same run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pytest

from holdwater.models import retention
from holdwater.models.fitted import Estimator
from holdwater.models.renewals import Renewals

MANY = 1_000_000
WINDOW = 60


def ratio(ours: Callable[[], object], peers: Callable[[], object], repeat: int = 7) -> float:
    """Median of ratios taken pair by pair, so that a machine that slows down slows both."""

    def seconds(work: Callable[[], object]) -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    ours(), peers()
    return median(seconds(ours) / seconds(peers) for _ in range(repeat))


def report(name: str, measured: float, bar: float) -> None:
    print(f"\n{name}: {measured:.2f} (bar {bar:g})")
    assert measured <= bar


@pytest.fixture(scope="module")
def stays() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(20261122)
    start = random.uniform(0, WINDOW - 1, MANY)
    return start, start + random.geometric(np.maximum(random.beta(1.2, 30, MANY), 1e-9)) - random.random(MANY)


def fitted(stays: tuple[np.ndarray, np.ndarray], customers: int = MANY) -> retention.RetentionFit:
    start, end = stays
    return retention.fit(Renewals.of_customers(start[:customers], end[:customers], as_of=WINDOW))


def test_a_million_customers_cost_a_few_sorts(stays: tuple[np.ndarray, np.ndarray]) -> None:
    alpha, beta = fitted(stays).alpha, fitted(stays).beta
    assert (alpha, beta) == pytest.approx((1.2, 30), rel=0.03)
    report("fit of a million / np.sort of their ends", ratio(lambda: fitted(stays), lambda: np.sort(stays[1])), 10)


def test_ten_times_the_customers_cost_at_most_ten_times_as_much(stays: tuple[np.ndarray, np.ndarray]) -> None:
    report("a million / a hundred thousand", ratio(lambda: fitted(stays), lambda: fitted(stays, MANY // 10)), 12)


def test_a_fit_costs_less_than_one_look_at_each_customer(stays: tuple[np.ndarray, np.ndarray]) -> None:
    """Of which an optimiser that knows no ages takes a hundred."""
    start, end = (column[:50_000] for column in stays)

    def customer_by_customer() -> float:
        total = 0.0
        for begin, stop in zip(start.tolist(), end.tolist(), strict=True):
            due, made = int(WINDOW - begin), int(stop - begin)
            stayed = min(due, made)
            total += math.lgamma(30 + stayed) - math.lgamma(31.2 + stayed) + math.lgamma(31.2) - math.lgamma(30)
            total += math.log(1.2 / (31.2 + stayed)) if made < due else 0
        return total

    once = retention.fit(Renewals.of_customers(start, end, as_of=WINDOW), Estimator.LIKELIHOOD)
    assert once.log_likelihood >= customer_by_customer()  # the truth is hardly ever the best fit
    report(
        "fit of 50,000 / one look at each of them",
        ratio(lambda: fitted(stays, 50_000), customer_by_customer),
        1.5,
    )
