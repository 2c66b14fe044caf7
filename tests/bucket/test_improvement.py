"""What improving one label means, label by label."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from holdwater import Bucket, KindError, NumError
from holdwater.bucket.improvement import LEVERS, improved

BEFORE: dict[str, Any] = {
    "leads": 100,
    "cost_per_lead": 20,
    "conversion": 0.2,
    "revenue_per_customer": 50,
    "gross_margin": 0.6,
    "churn": 0.05,
    "fit_share": 0.5,
    "burn": 0.1,
    "lead_capacity": 80,
    "lead_cost": 5,
    "onboarding_capacity": 30,
    "growth": 0.01,
    "referral_rate": 0.02,
    "customer_capacity": 300,
    "overload_slope": 0.4,
    "fixed_cost": 1000,
}
AFTER = {
    "leads": 110,
    "fit_share": 0.55,
    "conversion": 0.22,
    "lead_capacity": 88,
    "onboarding_capacity": 33,
    "customer_capacity": 330,
    "revenue_per_customer": 55,
    "gross_margin": 0.66,
    "cost_per_lead": 18,
    "lead_cost": 4.5,
    "churn": 0.045,
    "burn": 0.09,
    "overload_slope": 0.36,
    "fixed_cost": 900,
    "growth": 0.02,
    "referral_rate": 0.03,
}


def test_every_lever_is_here() -> None:
    assert set(LEVERS) == set(AFTER)
    assert len(LEVERS) == len(AFTER)


@pytest.mark.parametrize("label", LEVERS)
def test_moves_one_label_and_nothing_else(label: str) -> None:
    better = improved(Bucket(**BEFORE), label, 0.1)
    for name, value in BEFORE.items():
        assert getattr(better, name) == pytest.approx(AFTER[name] if name == label else value)


@pytest.mark.parametrize("label", ["growth", "referral_rate"])
def test_points_as_given(label: str) -> None:
    better = improved(Bucket(**BEFORE), label, 0.1, points=1)
    assert getattr(better, label) == pytest.approx(BEFORE[label] + 0.1)


@pytest.mark.parametrize("label", ["fit_share", "conversion", "gross_margin"])
def test_a_share_stops_at_one(label: str) -> None:
    assert getattr(improved(Bucket(**BEFORE), label, 9), label) == 1


def test_referrals_stop_at_one_and_growth_does_not() -> None:
    assert improved(Bucket(**BEFORE), "referral_rate", 3, points=1).referral_rate == 1
    with pytest.raises(NumError, match=r"growth is 1\.01"):
        improved(Bucket(**BEFORE), "growth", 1, points=1)


def test_unlimited_stays_unlimited_and_nothing_stays_nothing() -> None:
    plain = Bucket(**{label: BEFORE[label] for label in list(BEFORE)[:6]})
    assert improved(plain, "lead_capacity", 0.1).lead_capacity == inf
    assert improved(plain, "burn", 0.1).burn == 0
    assert improved(plain, "churn", 1).churn == 0


def test_a_cheaper_lead_is_cheaper_beyond_todays_too_unless_that_has_a_price_of_its_own() -> None:
    assert improved(Bucket(**BEFORE), "cost_per_lead", 0.1).next_lead_cost is None
    assert improved(Bucket(**BEFORE, next_lead_cost=30), "cost_per_lead", 0.1).next_lead_cost == 30


@pytest.mark.parametrize("label", LEVERS)
@pytest.mark.parametrize("change", [-0.1, nan, inf])
def test_a_worsening_is_refused(label: str, change: float) -> None:
    with pytest.raises(NumError, match=f"change of {label} is"):
        improved(Bucket(**BEFORE), label, change)


def test_no_cost_falls_by_more_than_all_of_it() -> None:
    with pytest.raises(NumError, match="allowed is 0 to 1"):
        improved(Bucket(**BEFORE), "churn", 1.01)


def test_what_is_no_lever_is_refused() -> None:
    with pytest.raises(KindError, match="'horizon' is nothing to improve"):
        improved(Bucket(**BEFORE), "horizon", 0.1)
