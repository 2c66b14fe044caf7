"""Speed of a simulation, as a ratio to a loop over BUCKET_PROFIT for the same draws in the same run."""

from __future__ import annotations

from typing import Any

from ratios import report, seconds

import holdwater
from holdwater.models.uncertain_bucket import Between, Counted, UncertainBucket

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


def a_loop_and_the_simulation(model: dict[str, Any]) -> tuple[float, float]:
    """Seconds that 100,000 draws take: given to BUCKET_PROFIT one by one, and drawn, run and summed up by simulate."""
    bucket = UncertainBucket.of(model)
    samples = bucket.simulate(DRAWS).samples
    known = [
        model | dict(zip(bucket.uncertain, row, strict=True))
        for row in zip(*(samples[label][:LOOPED].tolist() for label in bucket.uncertain), strict=True)
    ]
    profits = [holdwater.bucket_profit(row) for row in known]
    assert max(abs(samples["profit"][:LOOPED] / profits - 1)) <= 1e-12
    pairs = [  # so that a machine that slows down slows both
        (
            seconds(lambda: [holdwater.bucket_profit(row) for row in known], 1) * DRAWS / LOOPED,
            seconds(lambda: bucket.simulate(DRAWS), 1),
        )
        for _ in range(9)
    ]
    return sorted(pairs, key=lambda pair: pair[1] / pair[0])[4]


def test_simulation_against_a_loop_over_bucket_profit() -> None:
    loop, simulation = a_loop_and_the_simulation(GYM)
    report("simulation, in thousandths of one BUCKET_PROFIT for each draw", 1000 * simulation / loop, 10)


def test_simulation_against_a_loop_that_answers_the_same_with_every_limit_binding() -> None:
    """Whether one more lead pays takes the loop a second BUCKET_PROFIT for each draw."""
    loop, simulation = a_loop_and_the_simulation(CLINIC)
    print(f"\nwith every limit, against one BUCKET_PROFIT for each draw: {1000 * simulation / loop:.2f}")
    report("with every limit, in thousandths of two for each draw", 1000 * simulation / (2 * loop), 10)
