"""Speed of a simulation, as a ratio to a loop over BUCKET_PROFIT for the same draws in the same run."""

from __future__ import annotations

from typing import Any

from ratios import Goal, paired

import holdwater
from holdwater.models.uncertain_bucket import Between, Counted, UncertainBucket

PEER = "holdwater's BUCKET_PROFIT in a loop"
SIMPLE = Goal("100,000 draws of 36 periods, against one BUCKET_PROFIT each", peer=PEER, at_least=100)
LIMITED = Goal("The same with every limit, against the two that one answer takes", peer=PEER, at_least=100)
DRAWS, LOOPED = 100_000, 2_000
GYM: dict[str, Any] = {
    "leads": 100,
    "cost_per_lead": 15,
    "conversion": Counted(14, 260),
    "revenue_per_customer": Between(40, 60),
    "gross_margin": 0.8,
    "churn": Between(0.03, 0.1),
    "horizon": 36,
}
CLINIC = GYM | {  # every limit, cost and habit
    "next_lead_cost": 20,
    "fit_share": 0.7,
    "burn": 0.1,
    "lead_capacity": 100,
    "lead_cost": 3,
    "onboarding_capacity": 11,
    "referral_rate": 0.01,
    "discount": 0.01,
    "customers": 180,
    "customer_capacity": 200,
    "overload_slope": 0.4,
    "fixed_cost": 2000,
}


def times_as_fast(model: dict[str, Any]) -> list[float]:
    """100,000 draws given to BUCKET_PROFIT one by one, against their being drawn, run and summed up by simulate."""
    bucket = UncertainBucket.of(model)
    samples = bucket.simulate(DRAWS).samples
    known = [
        model | dict(zip(bucket.uncertain, row, strict=True))
        for row in zip(*(samples[label][:LOOPED].tolist() for label in bucket.uncertain), strict=True)
    ]
    profits = [holdwater.bucket_profit(row) for row in known]
    assert max(abs(samples["profit"][:LOOPED] / profits - 1)) <= 1e-12
    return [
        ratio * DRAWS / LOOPED
        for ratio in paired(lambda: [holdwater.bucket_profit(row) for row in known], lambda: bucket.simulate(DRAWS))
    ]


def test_simulation_against_a_loop_over_bucket_profit() -> None:
    SIMPLE.measured(times_as_fast(GYM))


def test_simulation_against_a_loop_that_answers_the_same_with_every_limit_binding() -> None:
    """Whether one more lead pays takes the loop a second BUCKET_PROFIT for each draw."""
    LIMITED.measured(2 * ratio for ratio in times_as_fast(CLINIC))
