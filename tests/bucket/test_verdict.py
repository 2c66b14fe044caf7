"""The verdict on businesses of many kinds; what decides it is computed by hand."""

from __future__ import annotations

import random

import pytest
from bucket_by_hand import DEFAULTS, profit_by_hand, random_model, worth_by_hand
from businesses import BUSINESSES, FINER, Model

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
    Diagnosis,
    diagnose,
)
from holdwater.bucket.words import count, money, name

LIMIT = {BURNED: "lead_capacity", TURNED_AWAY: "onboarding_capacity", OVERLOADED: "customer_capacity",
         FULL: "customer_capacity"}  # fmt: skip
GYM = BUSINESSES["a new gym"].model


def decision_of(reason: str, first: str | None) -> str:
    return FIX if first else MORE if reason == LEADS_PAY else FEWER


def tenth_by_hand(model: Model, label: str) -> float:
    """What a tenth better adds to the profit."""
    if label == "leads":
        return profit_by_hand(model, model["leads"] * 1.1) - profit_by_hand(model)
    times = 0.9 if label in ("churn", "burn", "overload_slope", "lead_cost") else 1.1
    better = (DEFAULTS | model)[label] * times
    if label in ("conversion", "fit_share"):
        better = min(1, better)
    return profit_by_hand(model | {label: better}) - profit_by_hand(model)


@pytest.mark.parametrize("who", BUSINESSES)
def test_verdict_reason_and_deciding_number(who: str) -> None:
    line = BUSINESSES[who]
    model, decision = line.model, decision_of(line.reason, line.first)
    said = diagnose(model)
    assert (said.decision, said.reason, said.first and said.first.label) == (decision, line.reason, line.first)
    unlimited = {label: value for label, value in model.items() if not label.endswith("_capacity")}
    worth = worth_by_hand(unlimited if line.reason == TOO_DEAR else model)
    assert said.lead_worth == pytest.approx(worth, rel=1e-6)
    assert line.worth is None or worth == pytest.approx(line.worth, rel=1e-6)
    assert (worth > 0) == (line.reason in (LEADS_PAY, FIX_PAYS_BETTER))
    assert f"each further lead {'earns' if worth > 0 else 'loses'} {money(abs(worth))} " in said.sentence
    if line.reason in LIMIT:  # without that limit it would pay, by hand too
        alone = worth_by_hand({label: value for label, value in model.items() if label != LIMIT[line.reason]})
        assert f"and would earn {money(alone)} without that limit" in said.sentence
    elif line.reason != TOO_DEAR:
        assert said.then or line.first
        best = said.first or said.then
        twice = best is not None and tenth_by_hand(model, best.label) >= 2 * tenth_by_hand(model, "leads")
        assert twice == (line.reason == FIX_PAYS_BETTER)


@pytest.mark.parametrize("who", BUSINESSES)
def test_the_sentence_says_what_to_do_and_what_next(who: str) -> None:
    model = BUSINESSES[who].model
    said = diagnose(model)
    assert said.sentence == holdwater.verdict(model)
    fix_first = f"Fix {name(said.first.label)} first: " if said.first else ""
    assert said.sentence.startswith({MORE: "More leads: ", FEWER: "Fewer leads: ", FIX: fix_first}[said.decision])
    assert said.sentence.endswith(".")
    assert said.sentence.count(". ") == 0, "one sentence"
    assert not any(wrong in said.sentence for wrong in ("-", "  ", " 0.00", "nan", "inf", "e+", "None", "_"))
    for fix in (said.first, said.then):
        if fix is None:
            continue
        assert fix.value == pytest.approx(tenth_by_hand(model, fix.label), rel=1e-9)
        assert name(fix.label) in said.sentence
        if fix.leads is not None:
            earned = profit_by_hand(model, model["leads"] + fix.leads) - profit_by_hand(model)
            assert earned == pytest.approx(fix.value, rel=1e-6)
            assert f"as good as {count(fix.leads)} more leads per period" in said.sentence
    assert (said.then is None) == ("next best: a " not in said.sentence)


def test_every_case_of_the_verdict_is_in_the_table_several_times() -> None:
    assert len(BUSINESSES) >= 30
    reasons = [line.reason for line in BUSINESSES.values()]
    for reason in (LEADS_PAY, FIX_PAYS_BETTER, BURNED, FULL, TURNED_AWAY, OVERLOADED, TOO_DEAR):
        assert reasons.count(reason) >= 3
    assert {line.period for line in BUSINESSES.values()} == set(FINER)


def test_what_would_change_the_answer_does() -> None:
    verdict = holdwater.verdict(GYM)
    assert "that comes first if the next leads cost more than 35.56 each" in verdict
    assert diagnose(GYM | {"next_lead_cost": 35.6}).reason == FIX_PAYS_BETTER
    assert diagnose(GYM | {"next_lead_cost": 35.5}).reason == LEADS_PAY
    assert "more leads stop paying above 80 each" in verdict
    assert diagnose(GYM | {"next_lead_cost": 79.99}).reason == FIX_PAYS_BETTER
    assert diagnose(GYM | {"cost_per_lead": 80.01}).decision == FEWER
    assert "more leads would come first if the next ones cost less than 35.56 each" in holdwater.verdict(
        GYM | {"next_lead_cost": 60}
    )
    limited = GYM | {"lead_capacity": 80}
    assert "raising lead capacity to 100 is worth 38,400 over the horizon, 1,920 for each one more;" in (
        holdwater.verdict(limited)
    )
    assert profit_by_hand(limited | {"lead_capacity": 100}) - profit_by_hand(limited) == pytest.approx(38_400)
    assert diagnose(limited | {"lead_capacity": 112}).decision == MORE
    dear = BUSINESSES["a SaaS that buys words"].model
    assert "leads pay below 22.50 each, or with a conversion above 8 %" in holdwater.verdict(dear)
    assert diagnose(dear | {"cost_per_lead": 22.4}).decision != FEWER
    assert diagnose(dear | {"conversion": 0.0801}).decision != FEWER
    assert diagnose(dear | {"conversion": 0.0799}).decision == FEWER


def test_shadow_price_of_one_more_and_of_all_up_to_where_the_limit_ends() -> None:
    full = BUSINESSES["a gym that is full"].model
    first = profit_by_hand(full | {"customer_capacity": 151}) - profit_by_hand(full)
    until = holdwater.Bucket.of(full).constraint_range("customer_capacity")[1]
    whole = profit_by_hand(full | {"customer_capacity": until}) - profit_by_hand(full)
    words = f"raising customer capacity to {count(until)} is worth {money(whole)} over the horizon, {money(first)} for"
    assert f"{words} the first one more and then less;" in holdwater.verdict(full)
    assert holdwater.constraint_value(full, "customer_capacity") == pytest.approx(first)


def test_the_worked_sentences() -> None:
    assert holdwater.verdict(BUSINESSES["a gym that calls 80 of 100"].model) == (
        "Fix lead capacity first: each further lead loses 15 because sales can work only 80 of 100 leads per period,"
        " and would earn 65 without that limit; raising lead capacity to 100 is worth 38,400 over the horizon, 1,920"
        " for each one more; next best: a tenth lower churn is worth 17,070 over the horizon, which no number of"
        " further leads would earn; until then 80 leads per period are best, 7,200 better than 100."
    )
    assert holdwater.verdict(BUSINESSES["a SaaS with churn above all"].model) == (
        "Fix churn first: a tenth lower churn is worth 72,060 over the horizon, as good as 169 more leads per period;"
        " each further lead earns 19.86 after its cost of 35, but a tenth more leads is worth only 12,780; next best: a"
        " tenth higher conversion is worth 35,310 over the horizon, as good as 82.9 more leads per period; even free"
        " leads would come second."
    )


@pytest.mark.parametrize(
    ("changed", "start"),
    [
        ({"leads": 0}, "More leads: each further lead earns 65 after its cost of 15"),
        ({"leads": 0, "cost_per_lead": 90}, "No leads: each further lead loses 10 even if nothing limited you"),
        ({"cost_per_lead": 0, "lead_capacity": 80}, "Fix lead capacity first: each further lead brings just its cost"),
        ({"conversion": 0, "cost_per_lead": 0}, "Fewer leads: each further lead brings just its cost even if nothing"),
        ({"lead_capacity": 0, "customers": 500}, "Fix churn first: each further lead loses 15 because sales can work"),
        ({"churn": 0, "discount": 0.01}, "More leads: "),
        ({"churn": 0.01, "discount": -0.0095}, "More leads: "),  # a tenth lower churn would be worth no finite sum
        ({"onboarding_capacity": 0}, "No leads: each further lead loses 15 because onboarding takes only 0"),
        ({"revenue_per_customer": 0}, "Fewer leads: each further lead loses 15 even if nothing limited you"),
    ],
)
def test_corners(changed: Model, start: str) -> None:
    assert holdwater.verdict(GYM | changed).startswith(start)


def in_cents(model: Model) -> Model:
    prices = ("cost_per_lead", "next_lead_cost", "lead_cost", "revenue_per_customer", "fixed_cost")
    return {label: value * 100 if label in prices else value for label, value in model.items()}


def in_shorter_periods(model: Model, parts: float) -> Model:
    """The same business with that many periods in each of today's."""
    flows = ["leads", "lead_capacity", "onboarding_capacity", "revenue_per_customer", "referral_rate", "fixed_cost",
             "overload_slope"]  # fmt: skip
    if model["churn"] == 1:  # sold once: that is a price, not money per period
        flows.remove("revenue_per_customer")
    converted = {label: value / parts if label in flows else value for label, value in model.items()}
    converted["churn"] = 1 - (1 - model["churn"]) ** (1 / parts)
    for label in ("discount", "growth"):
        if label in model:
            converted[label] = (1 + model[label]) ** (1 / parts) - 1
    return converted | {"horizon": round(model.get("horizon", 24) * parts)}


def key(said: Diagnosis) -> tuple[str, str, str | None]:
    return said.decision, said.reason, said.first.label if said.first else None


@pytest.mark.parametrize("who", BUSINESSES)
def test_neither_cents_nor_shorter_periods_turn_the_verdict(who: str) -> None:
    line = BUSINESSES[who]
    price: float = line.model.get("next_lead_cost") or line.model["cost_per_lead"]
    assert abs(worth_by_hand(line.model)) > 0.05 * price, "too close to call"
    expected = (decision_of(line.reason, line.first), line.reason, line.first)
    assert key(diagnose(in_cents(line.model))) == expected
    assert key(diagnose(in_shorter_periods(line.model, FINER[line.period]))) == expected


def random_business(chance: random.Random) -> Model:
    """Of any kind, over a year or more."""
    return random_model(chance) | {"churn": chance.uniform(0.005, 0.12), "horizon": chance.choice([12, 24, 36, 60])}


def excused(model: Model, said: Diagnosis) -> bool:
    """What the module's docstring says of when a week may decide otherwise than a month."""
    m = DEFAULTS | {"next_lead_cost": model["cost_per_lead"]} | model
    if abs(said.lead_worth) <= 0.05 * m["next_lead_cost"]:
        return True
    if m["overload_slope"] * max(m["customers"] / m["customer_capacity"], 1) > 1:
        return True
    if said.reason == TOO_DEAR and m["next_lead_cost"] > m["cost_per_lead"]:
        todays = (profit_by_hand(model) - profit_by_hand(model, model["leads"] * 0.99)) * 100
        bought = model["leads"] * m["cost_per_lead"] * sum((1 + m["discount"]) ** -t for t in range(m["horizon"]))
        return bool(abs(todays) <= 0.05 * bought)
    best = said.first or said.then
    if said.decision in (MORE, FIX) and said.lead_worth > 0 and best:
        return bool(1.9 <= best.value / tenth_by_hand(model, "leads") <= 2.1)
    return False


def neither_turns(businesses: int, seed: int) -> None:
    chance = random.Random(seed)
    judged = close = 0
    while judged < businesses:
        model = random_business(chance)
        said = diagnose(model)
        assert key(diagnose(in_cents(model))) == key(said), model
        weekly = in_shorter_periods(model, FINER["month"])
        by_week = diagnose(weekly)
        if excused(model, said) or excused(weekly, by_week):
            close += 1
            continue
        judged += 1
        assert by_week.decision == said.decision, (model, said.sentence, by_week.sentence)
    assert close < businesses / 3, "most are not close to call"


def test_neither_cents_nor_weeks_turn_the_verdict_of_random_businesses() -> None:
    neither_turns(25, seed=11)


@pytest.mark.slow
def test_neither_cents_nor_weeks_turn_the_verdict_of_400_random_businesses() -> None:
    neither_turns(400, seed=12)


def test_sales_is_to_blame_for_leads_that_nobody_works_whatever_else_is_full() -> None:
    model = {
        "leads": 83, "cost_per_lead": 2, "conversion": 0.25, "revenue_per_customer": 144, "gross_margin": 0.8,
        "churn": 0.12, "lead_capacity": 37, "onboarding_capacity": 12, "referral_rate": 0.013, "discount": 0.02,
        "customers": 225, "customer_capacity": 165, "overload_slope": 0.85, "overload_threshold": 0.76,
    }  # fmt: skip
    said = diagnose(model)
    assert holdwater.bottleneck(model) == "customer_capacity"
    assert said.lead_worth == pytest.approx(-2)
    assert said.reason == BURNED
    assert said.sentence.startswith("Fix lead capacity first: each further lead loses 2 because sales can work only")


def test_of_equal_fixes_the_one_named_first_comes_first() -> None:
    """A tenth of conversion and of fit_share are the same but for rounding, which falls either way."""
    shop = BUSINESSES["a shop whose leads do not fit"].model
    for scale in range(1, 40):
        said = diagnose(shop | {"revenue_per_customer": 40 + scale / 7, "fit_share": 0.9 - scale / 997})
        assert [fix.label for fix in (said.first, said.then) if fix][:2] == ["conversion", "fit_share"], scale


def test_a_limit_is_not_to_blame_where_widening_it_brings_nothing() -> None:
    """Sales cannot work all leads, but those it could would be turned away at onboarding."""
    model = GYM | {"lead_capacity": 90, "onboarding_capacity": 5}
    said = diagnose(model)
    assert holdwater.constraint_value(model, "lead_capacity") == 0
    assert (said.reason, said.first and said.first.label) == (TURNED_AWAY, "onboarding_capacity")
    assert "raising onboarding capacity to 9 is worth 76,800" in said.sentence


def test_fewer_leads_come_first_where_they_bring_most() -> None:
    model = {
        "leads": 350, "cost_per_lead": 95, "conversion": 0.1, "revenue_per_customer": 100, "gross_margin": 0.6,
        "churn": 0.05, "lead_capacity": 250, "customer_capacity": 60,
    }  # fmt: skip
    said = diagnose(model)
    assert (said.decision, said.first) == (FEWER, None)
    safe = holdwater.leads_safe(model)
    assert holdwater.bucket_profit(model | {"leads": safe}) - holdwater.bucket_profit(model) > 600_000
    assert "42.4 leads per period are best, 671,400 better than 350" in said.sentence
