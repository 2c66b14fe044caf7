"""What an improvement is worth, against the recurrence by hand."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from bucket_by_hand import DEFAULTS, profit_by_hand, random_model

import holdwater
from holdwater import Bucket, FormulaError, KindError, NumError
from holdwater.bucket.lead_curve import LeadCurve

RISE = ["leads", "fit_share", "conversion", "lead_capacity", "onboarding_capacity", "customer_capacity",
        "revenue_per_customer", "gross_margin"]  # fmt: skip
FALL = ["cost_per_lead", "lead_cost", "churn", "burn", "overload_slope", "fixed_cost"]
POINTS = ["growth", "referral_rate"]


def gain_by_hand(model: dict[str, Any], lever: str, change: float) -> float:
    if lever == "leads":
        return profit_by_hand(model, model["leads"] * (1 + change)) - profit_by_hand(model)
    now = (DEFAULTS | model)[lever]
    better = now * (1 + change) if lever in RISE else now * (1 - change) if lever in FALL else now + change / 10
    if lever in ("fit_share", "conversion", "gross_margin", "referral_rate"):
        better = min(1, better)
    # The next lead is not bought here; by hand it would follow the cost of today's.
    fixed = {"next_lead_cost": model.get("next_lead_cost", model["cost_per_lead"])}
    return profit_by_hand(model | fixed | {lever: better}) - profit_by_hand(model)


def test_every_lever_of_60_businesses() -> None:
    chance = random.Random(6)
    for _ in range(60):
        model, change = random_model(chance), chance.choice([0.1, 0.01, 0.5])
        scale = abs(profit_by_hand(model)) + 1
        rows = holdwater.levers(model, change)
        assert {row["lever"] for row in rows} == {*RISE, *FALL, *POINTS}
        assert [row["value"] for row in rows] == sorted((row["value"] for row in rows), reverse=True)
        for row in rows:
            expected = gain_by_hand(model, row["lever"], change)
            assert row["value"] == pytest.approx(expected, abs=1e-11 * scale + 1e-9 * abs(expected)), (model, row)
            assert holdwater.lever_value(model, row["lever"], change) == row["value"]
            assert row["from"] == getattr(Bucket.of(model), row["lever"])
            assert (row["to"] <= row["from"]) if row["lever"] in FALL else (row["to"] >= row["from"])


def test_leads_equivalent_earns_the_same_and_fewer_leads_do_not() -> None:
    chance = random.Random(7)
    found = 0
    for _ in range(60):
        model, lever = random_model(chance) | {"horizon": 12}, chance.choice(RISE + FALL)
        value = holdwater.lever_value(model, lever)
        curve = [profit_by_hand(model, model["leads"] * (1 + n / 30)) - profit_by_hand(model) for n in range(300)]
        scale = abs(profit_by_hand(model)) + 1
        try:
            extra = holdwater.leads_equivalent(model, lever)
        except NumError:
            reached = max(curve) >= value if value > 0 else min(curve) <= value
            assert not reached or abs(value) < 1e-9 * scale, (model, lever, value)
            continue
        if value == 0:
            assert extra == 0
            continue
        found += 1
        gain = profit_by_hand(model, model["leads"] + extra) - profit_by_hand(model)
        assert gain == pytest.approx(value, abs=1e-8 * scale), (model, lever)
        for n, fewer in enumerate(curve):
            if model["leads"] * n / 30 < extra * (1 - 1e-6):
                assert (fewer < value) if value > 0 else (fewer > value), (model, lever)
    assert found > 10


def test_more_leads_are_worth_as_many_leads_where_each_pays_the_same() -> None:
    gym = Bucket(
        leads=80, cost_per_lead=10, conversion=0.1, revenue_per_customer=50, gross_margin=0.8, churn=0.05
    )  # fmt: skip
    assert gym.leads_equivalent("leads", 0.25) == pytest.approx(20, rel=1e-9)
    # v - 10 = 70 a lead: a conversion a tenth better brings 8 for each of 80 leads.
    assert gym.leads_equivalent("conversion") == pytest.approx(80 * 8 / 70, rel=1e-9)
    assert LeadCurve(gym).extra_leads(-1) is None


def test_labels_and_changes_that_make_no_sense() -> None:
    gym = Bucket(leads=80, cost_per_lead=10, conversion=0.1, revenue_per_customer=50, gross_margin=0.8, churn=0.05)
    assert gym.lever_value("Referral rate", 1) == gym.lever_value("referral-rate", 1) > 0
    with pytest.raises(KindError, match=r"LEVER_VALUE: lever is 'chrun'.*closest is churn"):
        gym.lever_value("chrun")
    with pytest.raises(KindError, match="LEADS_EQUIVALENT: lever is 'discount'"):
        gym.leads_equivalent("discount")
    with pytest.raises(KindError, match="lever is missing"):
        gym.lever_value("")
    for change in (0, -0.1, 1.5):
        with pytest.raises(FormulaError):
            gym.lever_value("churn", change)
    with pytest.raises(NumError, match="no finite sum"):
        gym.lever_value("churn", 1)
    assert gym.lever_value("leads", 2) == pytest.approx(20 * gym.lever_value("leads", 0.1))


def test_a_lever_without_a_finite_worth_leaves_the_others_theirs() -> None:
    """A tenth less churn, with a negative discount, and the customers would be worth no finite sum."""
    gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50, "gross margin": 0.8,
           "churn": 0.0105, "discount": -0.01}  # fmt: skip
    table = holdwater.levers(gym)
    assert table[-1]["lever"] == "churn"
    assert math.isnan(table[-1]["value"])
    assert table[0]["value"] == holdwater.lever_value(gym, table[0]["lever"]) > 0
