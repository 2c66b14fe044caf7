"""The verdict on businesses of many kinds; what decides it is computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
from bucket_by_hand import profit_by_hand, worth_by_hand

import holdwater
from holdwater.bucket.verdict import (
    BURNED,
    FEWER,
    FIX,
    FIX_PAYS_BETTER,
    FULL,
    LEADS_PAY,
    MORE,
    OVERLOADED,
    TOO_DEAR,
    TURNED_AWAY,
    diagnose,
)

Model = dict[str, Any]


def business(
    leads: float, cost_per_lead: float, conversion: float, revenue_per_customer: float, gross_margin: float,
    churn: float, **more: float,
) -> Model:  # fmt: skip
    return {
        "leads": leads, "cost_per_lead": cost_per_lead, "conversion": conversion,
        "revenue_per_customer": revenue_per_customer, "gross_margin": gross_margin, "churn": churn, **more,
    }  # fmt: skip


BUSINESSES: dict[str, tuple[Model, str, str, str | None]] = {
    "a new gym": (business(100, 15, 0.1, 50, 0.8, 0.05), MORE, LEADS_PAY, None),
    "a gym with room, and two salespeople": (
        business(100, 15, 0.1, 50, 0.8, 0.05, lead_capacity=150, customer_capacity=900, customers=40),
        MORE, LEADS_PAY, None,
    ),
    "a gym whose members leave as fast as they come": (
        business(60, 15, 0.1, 50, 0.8, 0.10, customers=400), FIX, FIX_PAYS_BETTER, "churn",
    ),
    "a gym that calls 80 of 100": (
        business(100, 15, 0.1, 50, 0.8, 0.05, lead_capacity=80), FIX, BURNED, "lead_capacity",
    ),
    "a gym that is full": (
        business(100, 15, 0.1, 50, 0.8, 0.02, customer_capacity=150, customers=149), FIX, FULL, "customer_capacity",
    ),
    "a SaaS that onboards by hand": (
        business(400, 40, 0.05, 90, 0.8, 0.03, onboarding_capacity=12, customers=200, discount=0.01),
        FIX, TURNED_AWAY, "onboarding_capacity",
    ),
    "a SaaS with churn above all": (
        business(300, 35, 0.04, 120, 0.8, 0.06, customers=300, discount=0.01), FIX, FIX_PAYS_BETTER, "churn",
    ),
    "a SaaS that buys words": (business(500, 90, 0.02, 60, 0.75, 0.04, customers=150), FEWER, TOO_DEAR, None),
    "a roofer": (  # sold once: nobody comes back
        business(40, 120, 0.2, 9000, 0.3, 1.0, lead_cost=60, lead_capacity=90), MORE, LEADS_PAY, None,
    ),
    "a roofer whose phone rings out": (
        business(120, 120, 0.2, 9000, 0.3, 1.0, lead_cost=60, lead_capacity=60), FIX, BURNED, "lead_capacity",
    ),
    "a roofer who buys shared leads": (
        business(40, 300, 0.05, 9000, 0.3, 1.0, lead_cost=200), FEWER, TOO_DEAR, None,
    ),
    "a clinic with one doctor": (
        business(60, 40, 0.3, 60, 0.7, 0.03, customers=240, customer_capacity=250, overload_slope=1.5),
        FIX, OVERLOADED, "customer_capacity",
    ),
    "a software vendor that loses accounts in onboarding": (
        business(30, 700, 0.06, 18000, 0.8, 0.2, onboarding_capacity=1, discount=0.1, horizon=5),
        FIX, TURNED_AWAY, "onboarding_capacity",
    ),
    "an agency whose next leads are dear": (
        business(50, 80, 0.05, 1500, 0.5, 0.1, next_lead_cost=500), FIX, TOO_DEAR, "churn",
    ),
    "a shop whose leads do not fit": (
        business(200, 20, 0.1, 40, 0.5, 0.03, fit_share=0.9, customers=20, discount=0.03),
        FIX, FIX_PAYS_BETTER, "conversion",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BUSINESSES)
def test_verdict_reason_and_deciding_number(name: str) -> None:
    model, decision, reason, first = BUSINESSES[name]
    said = diagnose(model)
    assert (said.decision, said.reason) == (decision, reason), said.sentence
    assert (said.first.label if said.first else None) == first, said.sentence
    unlimited = {label: value for label, value in model.items() if not label.endswith("_capacity")}
    worth = worth_by_hand(unlimited if reason == TOO_DEAR else model)
    assert said.lead_worth == pytest.approx(worth, rel=1e-6)
    assert (worth > 0) == (reason in (LEADS_PAY, FIX_PAYS_BETTER))
    assert f"each further lead {'earns' if worth > 0 else 'loses'} {abs(worth):,.2f}" in said.sentence
    if said.first and said.decision == FIX and reason != FIX_PAYS_BETTER and reason != TOO_DEAR:
        more = {said.first.label: model[said.first.label] * 1.01}
        price = (profit_by_hand(model | more) - profit_by_hand(model)) / (model[said.first.label] * 0.01)
        assert f"one more of {said.first.label.replace('_', ' ')} is worth {price:,.2f}" in said.sentence
    assert said.sentence.startswith(
        {MORE: "More leads: ", FEWER: "Fewer leads: ", FIX: f"Fix {str(first).replace('_', ' ')} first: "}[decision]
    )
    assert said.sentence == holdwater.verdict(model)
    assert said.sentence.endswith(".")
    assert said.sentence.count(". ") == 0, "one sentence"


@pytest.mark.parametrize("name", BUSINESSES)
def test_fixes_are_told_in_leads(name: str) -> None:
    model, *_ = BUSINESSES[name]
    said = diagnose(model)
    for fix in (said.first, said.then):
        if fix is not None:
            assert fix.value == pytest.approx(holdwater.lever_value(model, fix.label), rel=1e-12)
            if fix.leads is not None:
                earned = profit_by_hand(model, model["leads"] + fix.leads) - profit_by_hand(model)
                assert earned == pytest.approx(fix.value, rel=1e-6)
                assert "more leads a period" in said.sentence
    assert said.then is None or said.then.label.replace("_", " ") in said.sentence


def test_every_case_of_the_verdict_is_in_the_table() -> None:
    assert {reason for _, _, reason, _ in BUSINESSES.values()} == {
        LEADS_PAY, FIX_PAYS_BETTER, BURNED, FULL, TURNED_AWAY, OVERLOADED, TOO_DEAR,
    }  # fmt: skip


def in_cents(model: Model) -> Model:
    money = ("cost_per_lead", "next_lead_cost", "lead_cost", "revenue_per_customer", "fixed_cost")
    return {label: value * 100 if label in money else value for label, value in model.items()}


def by_the_week(model: Model) -> Model:
    weeks = 52 / 12
    flows = ("leads", "lead_capacity", "onboarding_capacity", "revenue_per_customer", "referral_rate", "fixed_cost",
             "overload_slope")  # fmt: skip
    converted = {label: value / weeks if label in flows else value for label, value in model.items()}
    converted["churn"] = holdwater.churn_convert(model["churn"], 1 / weeks)
    for label in ("discount", "growth"):
        if label in model:
            converted[label] = holdwater.discount_convert(model[label], 1 / weeks)
    return converted | {"horizon": round(model.get("horizon", 24) * weeks)}


# A customer who leaves within the period has no rate per week: the roofer is left out there.
LASTING = [name for name, (model, *_) in BUSINESSES.items() if model["churn"] < 1]


@pytest.mark.parametrize("name", BUSINESSES)
def test_cents_do_not_turn_the_verdict(name: str) -> None:
    model, decision, reason, first = BUSINESSES[name]
    said = diagnose(in_cents(model))
    assert (said.decision, said.reason, said.first and said.first.label) == (decision, reason, first)


@pytest.mark.parametrize("name", LASTING)
def test_weeks_do_not_turn_the_verdict(name: str) -> None:
    model, decision, reason, first = BUSINESSES[name]
    cost: float = model.get("next_lead_cost") or model["cost_per_lead"]
    assert abs(worth_by_hand(model)) > 0.05 * cost, "too close to call"
    said = diagnose(by_the_week(model))
    assert (said.decision, said.reason) == (decision, reason), said.sentence
    assert (said.first and said.first.label) == first


def test_what_would_change_the_answer_does() -> None:
    gym = business(100, 15, 0.1, 50, 0.8, 0.05)
    assert "more leads stop paying above 80.00 each" in holdwater.verdict(gym)
    assert diagnose(gym | {"cost_per_lead": 80.01}).decision == FEWER
    assert diagnose(gym | {"next_lead_cost": 79.99}).decision == FIX
    sentence = holdwater.verdict(gym | {"next_lead_cost": 60})
    assert "more leads would come first if the next ones cost less than 35.56" in sentence
    assert diagnose(gym | {"next_lead_cost": 35.6}).decision == FIX
    assert diagnose(gym | {"next_lead_cost": 35.5}).decision == MORE
    limited = gym | {"lead_capacity": 80}
    assert "is worth 1,920.00 over the horizon, until there are 100;" in holdwater.verdict(limited)
    assert diagnose(limited | {"lead_capacity": 112}).decision == MORE


def test_the_worked_sentence() -> None:
    assert holdwater.verdict(BUSINESSES["a gym that calls 80 of 100"][0]) == (
        "Fix lead capacity first: each further lead loses 15.00 because sales can work only 80 of 100 leads a period;"
        " one more of lead capacity is worth 1,920.00 over the horizon, until there are 100;"
        " next best: a tenth better churn is worth 17,066.67, more than any number of further leads;"
        " as things are, profit peaks at 80 leads a period."
    )
