"""Speed of the retention curve, as ratios to a peer measured in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pytest

from holdwater.models import retention
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


def test_a_fit_from_a_million_customers_costs_less_than_sorting_them(stays: tuple[np.ndarray, np.ndarray]) -> None:
    alpha, beta = fitted(stays).alpha, fitted(stays).beta
    assert (alpha, beta) == pytest.approx((1.2, 30), rel=0.03)
    report("fit of a million / np.sort of their ends", ratio(lambda: fitted(stays), lambda: np.sort(stays[1])), 3)


def test_ten_times_the_customers_cost_at_most_ten_times_as_much(stays: tuple[np.ndarray, np.ndarray]) -> None:
    report("a million / a hundred thousand", ratio(lambda: fitted(stays), lambda: fitted(stays, MANY // 10)), 12)


def test_one_evaluation_for_each_customer_is_what_a_fit_of_histories_costs(
    stays: tuple[np.ndarray, np.ndarray],
) -> None:
    """The likelihood customer by customer, as a general optimiser asks for it a hundred times."""
    import math

    start, end = (column[:20_000] for column in stays)

    def customer_by_customer() -> float:
        total = 0.0
        for begin, stop in zip(start.tolist(), end.tolist(), strict=True):
            due, made = int(WINDOW - begin), int(stop - begin)
            stayed = min(due, made)
            gone = math.lgamma(30 + stayed) - math.lgamma(31.2 + stayed)
            total += gone + (math.log(1.2 / (31.2 + stayed)) if made < due else 0)
        return total

    report(
        "whole fit / one look at each customer",
        ratio(lambda: fitted(stays, 20_000), customer_by_customer),
        5,
    )
