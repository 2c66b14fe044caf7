"""Speed of the retention curve, as ratios to a peer measured in the same run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ratios import Goal, paired

from holdwater.models import retention
from holdwater.models.fitted import Estimator
from holdwater.models.renewals import Renewals

SORTS = Goal("Retention curve of 1,000,000 customers", "times the time of one sort of them", "numpy", at_most=10)
GROWTH = Goal("Retention curve of 1,000,000 customers", "times the time of 100,000", "itself", at_most=12)
LOOK = Goal("Retention curve of 50,000", "times the time of one look at each of them", "a loop by hand", at_most=1.5)
MANY = 1_000_000
WINDOW = 60


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
    SORTS.measured(paired(lambda: fitted(stays), lambda: np.sort(stays[1])))


def test_ten_times_the_customers_cost_at_most_ten_times_as_much(stays: tuple[np.ndarray, np.ndarray]) -> None:
    GROWTH.measured(paired(lambda: fitted(stays), lambda: fitted(stays, MANY // 10)))


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
    LOOK.measured(paired(lambda: fitted(stays, 50_000), customer_by_customer))
