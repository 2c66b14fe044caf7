"""Draws against the scalar bucket, and the answers against cases whose answer is known without drawing."""

from __future__ import annotations

import doctest
import random
import tracemalloc
from dataclasses import asdict, fields, replace
from math import asin, comb, inf, log, pi
from pathlib import Path
from statistics import NormalDist
from typing import Any

import mpmath
import numpy as np
import pytest
from bucket_by_hand import DEFAULTS, profit_by_hand, random_model
from hypothesis import given, settings
from hypothesis import strategies as st

import holdwater
from holdwater import Bucket, KindError, NumError
from holdwater.bucket import one_more_lead, profit
from holdwater.bucket.words import money
from holdwater.models.drawn_profit import outcome
from holdwater.models.uncertain_bucket import Between, Counted, Drawn, Simulation, UncertainBucket
from holdwater.models.uncertain_inputs import CURVES

PAGE = Path(__file__).parents[2] / "docs" / "uncertainty.md"
GYM: dict[str, Any] = {
    "leads": 100, "cost_per_lead": 15, "conversion": 0.1, "revenue_per_customer": 50, "gross_margin": 0.8,
    "churn": 0.05,
}  # fmt: skip
FREE = GYM | {"cost_per_lead": 0}  # profit is then a product of leads, conversion and revenue


def simulated(model: dict[str, Any], draws: int = 100_000, seed: int = 1) -> Simulation:
    return UncertainBucket.of(model).simulate(draws=draws, seed=seed)


# Each draw is the scalar bucket.


@pytest.mark.parametrize("horizon", [1, 12, 36])
def test_300_businesses_at_once_are_300_businesses(horizon: int) -> None:
    chance = random.Random(horizon)
    models = [random_model(chance) | {"horizon": horizon} for _ in range(300)]
    for model in models[::5]:  # customers that swing from period to period
        model |= {"customer_capacity": 60.0, "overload_slope": chance.uniform(2, 8), "overload_threshold": 0.5}
    labels = {
        label: np.array([float((DEFAULTS | {"next_lead_cost": m["cost_per_lead"]} | m)[label]) for m in models])
        for label in {*DEFAULTS, *GYM, "next_lead_cost"} - {"horizon"}
    }
    found = outcome(labels, horizon, len(models))
    for position, model in enumerate(models):
        bucket = Bucket.of(model)
        now = holdwater.bucket_profit(bucket)
        assert found.profit[position] == pytest.approx(now, rel=1e-12)
        if bucket.overload_slope <= 1:  # beyond it, customers swing so that the order of two additions shows
            assert found.profit[position] == pytest.approx(profit_by_hand(model), rel=1e-9, abs=1e-6)
        further = profit(replace(bucket, leads=bucket.leads + 1), paid_today=bucket.leads) - now
        assert found.one_more_lead[position] == pytest.approx(further, rel=1e-9, abs=1e-9 * max(1, abs(now)))
        at_no_gain = replace(bucket, next_lead_cost=max(0, found.break_even_cpl[position]))
        if found.break_even_cpl[position] > 0 and bucket.overload_slope <= 1:
            assert one_more_lead(at_no_gain) == pytest.approx(0, abs=1e-9 * max(1, abs(now)))


rate = st.sampled_from([0.0, 1.0]) | st.floats(0.001, 0.999)
amount = st.sampled_from([0.0, 1.0]) | st.floats(0.01, 1e4)
limit = st.sampled_from([inf, 50.0]) | st.floats(0.01, 1e4)


@settings(max_examples=150)
@given(
    st.fixed_dictionaries(
        {
            "leads": amount, "cost_per_lead": amount, "next_lead_cost": amount, "conversion": rate, "fit_share": rate,
            "burn": rate, "lead_capacity": limit, "lead_cost": amount, "onboarding_capacity": limit,
            "revenue_per_customer": amount, "gross_margin": rate, "churn": rate, "growth": st.floats(-0.1, 0.1),
            "referral_rate": st.just(0.0) | st.floats(0, 0.2), "discount": st.floats(-0.05, 0.2), "customers": amount,
            "customer_capacity": limit, "overload_slope": st.just(0.0) | st.floats(0, 5),
            "overload_threshold": st.floats(0.01, 1), "fixed_cost": amount, "run_off": rate,
        }
    ),
    st.sampled_from([1, 2, 24]),
    st.sets(st.sampled_from(sorted(CURVES))),
)  # fmt: skip
def test_any_mixture_of_known_and_drawn_labels(model: dict[str, float], horizon: int, drawn: set[str]) -> None:
    labels: dict[str, Any] = {name: np.full(3, value) if name in drawn else value for name, value in model.items()}
    bucket = Bucket(**model, horizon=horizon)
    try:
        expected = profit(bucket)
    except NumError:
        assert not np.isfinite(outcome(labels, horizon, 3).profit).any()
        return
    assert outcome(labels, horizon, 3).profit == pytest.approx(np.full(3, expected), rel=1e-12)


def test_a_simulation_runs_the_bucket_for_each_draw() -> None:
    """Through the front door, more than one block, next_lead_cost left to be that of a drawn cost_per_lead."""
    model = GYM | {
        "cost per lead": Between(10, 80), "Conversion": Counted(14, 60), "churn": np.linspace(0.02, 0.2, 500),
        "discount": Between(0, 0.02), "growth": Between(-0.01, 0.01), "Onboarding-Capacity": 24, "horizon": 12,
    }  # fmt: skip
    del model["cost_per_lead"], model["conversion"]
    bucket = UncertainBucket.of(model)
    found = bucket.simulate(draws=20_000)
    for draw in (*range(100), *range(19_900, 20_000)):
        known = Bucket.of(asdict(bucket.middle) | {name: found.samples[name][draw] for name in bucket.uncertain})
        assert found.samples["profit"][draw] == pytest.approx(profit(known), rel=1e-12)
        assert (found.samples["one_more_lead"][draw] > 0) == (one_more_lead(known) > 0)
    assert found.more_leads_pay == np.mean(found.samples["one_more_lead"] > 0)
    assert 0.1 < found.more_leads_pay < 0.9
    assert found.next_lead_cost == pytest.approx((10, 800**0.5, 80), rel=0.05)


# Each kind of input is drawn as it says.


def test_every_label_but_the_horizon_may_be_uncertain() -> None:
    assert set(CURVES) == {each.name for each in fields(Bucket)} - {"horizon"}


@pytest.mark.parametrize("label", sorted(CURVES))
@pytest.mark.parametrize("confidence", [0.5, 0.9])
def test_an_interval_holds_as_often_as_it_says(label: str, confidence: float) -> None:
    found = simulated(GYM | {label: Between(0.2, 0.3, confidence)})
    values = found.samples[label]
    beside = (1 - confidence) / 2
    assert np.mean(values < 0.2) == pytest.approx(beside, abs=0.006)
    assert np.mean(values > 0.3) == pytest.approx(beside, abs=0.006)
    middle = getattr(UncertainBucket.of(GYM | {label: Between(0.2, 0.3, confidence)}).middle, label)
    assert np.mean(values < middle) == pytest.approx(0.5, abs=0.008)


@pytest.mark.parametrize("label", sorted(CURVES))
def test_no_draw_is_impossible(label: str) -> None:
    """Even of intervals that leave almost everything open: Bucket takes the lowest and the highest draw."""
    low, high = (-0.99, 0.99) if CURVES[label].low < 0 else (0.0001, 0.9999) if CURVES[label].high == 1 else (1e-6, 1e6)
    values = Between(low, high, 0.5).draw(label, 100_000, np.random.default_rng(3))
    assert len(values) == 100_000
    for extreme in (values.min(), values.max()):
        Bucket.of(GYM | {label: extreme})


def test_a_count_holds_the_true_share_as_often_as_it_says() -> None:
    """Coverage of the 90 % interval, summed over all samples that a true share can bring."""
    stream = np.random.default_rng(7)
    for trials in (20, 60):
        limits = [
            np.quantile(Counted(won, trials).draw("conversion", 20_000, stream), [0.05, 0.95])
            for won in range(trials + 1)
        ]

        def covered(share: float, limits: Any = limits, trials: int = trials) -> float:
            return sum(
                comb(trials, won) * share**won * (1 - share) ** (trials - won)
                for won, (low, high) in enumerate(limits)
                if low <= share <= high
            )

        for lowest, highest in ((0.01, 0.1), (0.1, 0.3), (0.3, 0.5)):
            shares = np.linspace(lowest, highest, 61)
            assert 0.885 < np.mean([covered(share) for share in shares]) < 0.945
        assert min(covered(share) for share in np.linspace(0.005, 0.995, 181)) > 0.8


def test_draws_of_one_model_stay_together() -> None:
    churn = np.random.default_rng(1).uniform(0.02, 0.1, 300)
    found = simulated(GYM | {"churn": churn, "conversion": Drawn(churn * 2), "burn": churn[:299]}, draws=1000).samples
    assert found["conversion"] == pytest.approx(2 * found["churn"])
    assert abs(np.corrcoef(found["burn"], found["churn"])[0, 1]) < 0.1  # of another length: of another model
    _, times = np.unique(found["churn"], return_counts=True)
    assert set(times) == {3, 4}
    assert not np.array_equal(found["churn"][:300], found["churn"][300:600])


def test_the_seed_decides_and_each_label_has_its_own_luck() -> None:
    model = GYM | {"conversion": Counted(14, 60), "churn": Between(0.03, 0.06)}
    first, again, other = simulated(model, 5000), simulated(model, 5000), simulated(model, 5000, seed=2)
    assert first == again
    assert first != other
    cheaper = simulated({"cost per lead": Between(5, 9), "churn": Between(0.03, 0.06)} | {
        name: value for name, value in model.items() if name not in ("churn", "cost_per_lead")}, 5000)  # fmt: skip
    for label in ("conversion", "churn"):
        assert np.array_equal(cheaper.samples[label], first.samples[label])


# The answers are right where they are known.


def test_the_probability_that_leads_pay_is_the_tail_of_the_count() -> None:
    """A customer is worth 800 without limits, so a lead of 170 pays where more than 170/800 of them are won."""
    found = simulated(GYM | {"conversion": Counted(14, 60), "next_lead_cost": 170})
    tail = float(mpmath.betainc(14.5, 46.5, 170 / 800, 1, regularized=True))
    assert found.more_leads_pay == pytest.approx(tail, abs=0.005)
    assert found.without_value == 0


def test_without_limits_the_break_even_cost_is_the_lead_value() -> None:
    found = simulated(
        GYM | {
            "conversion": Counted(14, 60), "churn": Between(0.03, 0.06), "discount": Between(0.001, 0.02),
            "burn": Between(0.1, 0.2), "lead_cost": Between(1, 3),
        },
        draws=2000,
    )  # fmt: skip
    drawn = found.samples
    rows = zip(
        *(drawn[label].tolist() for label in ("churn", "discount", "conversion", "lead_cost", "burn")), strict=True
    )
    worth = [holdwater.lead_value(holdwater.ltv(40, churn, discount), *others) for churn, discount, *others in rows]
    assert drawn["break_even_cpl"] == pytest.approx(np.array(worth), rel=1e-9)
    assert np.array_equal(drawn["break_even_cpl"] > 15, drawn["one_more_lead"] > 0)


def test_the_range_of_profit_is_that_of_the_only_uncertain_factor() -> None:
    found = simulated(FREE | {"revenue_per_customer": Between(40, 90)})
    each = holdwater.bucket_profit(FREE | {"revenue_per_customer": 1})
    assert found.profit == pytest.approx((40 * each, 60 * each, 90 * each), rel=0.01)
    wider = UncertainBucket.of(FREE | {"revenue_per_customer": Between(40, 90)}).simulate(confidence=0.5)
    spread = log(90 / 40) / 2 / NormalDist().inv_cdf(0.95) * NormalDist().inv_cdf(0.75)
    assert wider.profit.high == pytest.approx(60 * each * np.exp(spread), rel=0.01)


def test_shares_of_a_product_are_those_of_its_logarithms() -> None:
    found = simulated(
        FREE | {"leads": Between(80, 120), "revenue_per_customer": Between(40, 70), "customers": Between(1e-9, 2e-9)}
    )
    spreads = {"leads": log(120 / 80) ** 2, "revenue_per_customer": log(70 / 40) ** 2}
    shares = {driver.label: driver.of_profit for driver in found.drivers}
    assert list(shares) == ["revenue_per_customer", "leads", "customers"]
    for label, spread in spreads.items():
        assert shares[label] == pytest.approx(spread / sum(spreads.values()), abs=0.02)
    assert shares["customers"] < 0.02


def test_shares_of_a_sum_are_those_of_its_variances() -> None:
    """Profit is a constant less 24 fixed costs, plus customers that were there and stay: two normal draws."""
    random = np.random.default_rng(5)
    old, fixed = random.normal(1000, 30, 100_000), random.normal(20_000, 40 * 800 / 24, 99_999)
    found = simulated(FREE | {"customers": old, "fixed_cost": fixed})
    shares = {driver.label: driver.of_profit for driver in found.drivers}
    assert shares["customers"] == pytest.approx(9 / 25, abs=0.03)
    assert shares["fixed_cost"] == pytest.approx(16 / 25, abs=0.03)


def test_what_moves_the_profit_need_not_decide_about_leads() -> None:
    found = simulated(
        GYM | {"conversion": Between(0.015, 0.025), "fixed_cost": Between(100, 10_000), "next_lead_cost": 16}
    )
    shares = {driver.label: driver for driver in found.drivers}
    assert shares["fixed_cost"].of_profit > 0.85
    assert shares["fixed_cost"].of_answer < 0.02
    assert shares["conversion"].of_answer == pytest.approx(1, abs=0.02)
    assert "depends most on conversion" in " ".join(found.summary())


def test_two_equal_causes_decide_a_third_of_the_answer_each() -> None:
    """A lead pays where the product of two alike is above its median: 2 asin(1/2) / pi by Sheppard's theorem."""
    lead = 0.1 * 60 * 0.8 / 0.05  # a tenth of a customer of 60 a period
    found = simulated(
        FREE | {
            "conversion": 1, "fit_share": 0.1, "revenue_per_customer": Between(40, 90),
            "next_lead_cost": Between(lead * 2 / 3, lead * 3 / 2),
        }
    )  # fmt: skip
    assert found.more_leads_pay == pytest.approx(0.5, abs=0.01)
    shares = {driver.label: driver.of_answer for driver in found.drivers}
    assert shares == pytest.approx(dict.fromkeys(shares, 2 * asin(1 / 2) / pi), abs=0.03)
    assert {driver.label: driver.of_profit for driver in found.drivers}["next_lead_cost"] < 0.02


def test_a_tail_without_end_does_not_decide_what_matters() -> None:
    """Nobody was lost in 60 customer-months: the closing value then has no finite mean."""
    model = GYM | {"churn": Counted(0, 60), "revenue_per_customer": Between(40, 60)}
    for seed in (1, 2, 3):
        first, second = simulated(model, seed=seed).drivers
        assert first.label == "churn"
        assert first.of_profit == pytest.approx(0.99, abs=0.03)
        assert second.of_profit < 0.05


def test_an_input_that_changes_nothing_has_no_share() -> None:
    found = simulated(GYM | {"burn": 1, "conversion": Between(0.1, 0.2)}, draws=1000)
    assert found.drivers == (("conversion", 0, 0),)
    assert found.break_even_cpl == (0, 0, 0)
    assert found.more_leads_pay == 0
    assert "No uncertain input matters for profit on its own." in found.summary()


# What has no value is counted, and said.


def test_draws_without_a_finite_profit_are_reported() -> None:
    churn = np.array([0.0, 0.05, 0.05, 0.05])
    found = simulated(GYM | {"churn": churn}, draws=1000)
    assert found.without_value == 250
    assert len(found.samples["profit"]) == 750
    assert found.profit == pytest.approx([holdwater.bucket_profit(GYM)] * 3)
    assert found.summary()[-1].startswith("250 of 1,000 draws are left out, because they have no finite profit")
    assert simulated(GYM | {"churn": churn, "run_off": 0}, draws=1000).without_value == 0
    assert "left out" not in " ".join(simulated(GYM | {"churn": churn, "run_off": 0}, draws=1000).summary())


def test_numbers_beyond_all_bounds_are_reported() -> None:
    found = simulated(GYM | {"growth": np.array([0.0, 1.0]), "horizon": 3000}, draws=1000)
    assert found.without_value == 500
    with pytest.raises(NumError, match="not one draw has a finite profit; give a churn"):
        simulated(GYM | {"churn": 0, "conversion": Counted(14, 60)})


def test_memory_does_not_grow_with_the_horizon() -> None:
    def peak(horizon: int) -> int:
        bucket = UncertainBucket.of(
            GYM | {"growth": Between(-0.001, 0.001), "discount": Between(0.01, 0.02), "horizon": horizon}
        )
        tracemalloc.start()
        try:
            bucket.simulate(draws=20_000)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)
    assert peak(720) < 1.1 * peak(12)


# What an owner reads.


def test_the_summary_says_what_the_fields_say() -> None:
    found = simulated(GYM | {"conversion": Counted(3, 60), "churn": Between(0.03, 0.2)})
    assert 0.5 < found.more_leads_pay < 0.99
    low, middle, high = map(money, found.break_even_cpl)
    text = found.summary()
    assert text[0].startswith(
        f"More leads pay with a probability of {found.more_leads_pay * 100:.0f} %: one more in eve"
    )
    assert text[1] == f"The next lead may cost between {low} and {high} (middle {middle}); it costs 15."
    assert text[2] == f"At less than {low} it pays with a probability of 95 % at least."
    first, second = found.drivers
    assert f"of {first.label} matters most for profit: {first.of_profit * 100:.0f} % of its variance" in text[4]
    assert text[4].endswith(f"then {second.label} ({second.of_profit * 100:.0f} %).")
    below = np.mean(found.samples["break_even_cpl"] > found.break_even_cpl.low)
    assert below == pytest.approx(0.95, abs=0.001)


def test_the_summary_of_what_is_clear() -> None:
    hopeless = " ".join(simulated(GYM | {"lead_capacity": 50, "lead_cost": 1, "churn": Between(0.03, 0.2)}).summary())
    assert "More leads pay with a probability of less than 1 %" in hopeless
    assert "adds -360 to the profit of 24 periods. The next lead may cost 0; it costs 15." in hopeless
    assert "No price is low enough to be 95 % sure that it pays." in hopeless
    assert "Whether more leads pay is clear" in hopeless
    bright = " ".join(simulated(GYM | {"cost_per_lead": 1, "churn": Between(0.03, 0.2)}).summary())
    assert "More leads pay with a probability of more than 99 %" in bright
    assert "Whether more leads pay is clear" in bright


def test_the_page_runs() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried > 5) == (0, True)


# What cannot be meant.


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Between(0.2, 0.1), NumError, "low is 0.2 and high is 0.1; low must be below high"),
        (lambda: Between(0.1, 0.1), NumError, "low must be below high; give what you know exactly as a plain number"),
        (lambda: Between(0.1, 0.2, 90), NumError, "confidence is 90; allowed is 0.5 to below 1, such as 0.9"),
        (lambda: Between(0.1, inf), NumError, "Between: high is inf; a finite number belongs here"),
        (lambda: Between(0.1, 10**400), NumError, "Between: high is inf; a finite number belongs here"),
        (lambda: Between(float("nan"), 1), NumError, "Between: low is nan; a finite number"),
        (lambda: Between("3 %", 1), KindError, "Between: low is no number"),  # type: ignore[arg-type]  # the mistake
        (lambda: Counted(61, 60), NumError, "successes is 61; allowed is 0 to the number of trials, 60"),
        (lambda: Counted(-1, 60), NumError, "successes is -1; allowed is 0 to"),
        (lambda: Counted(0, 0), NumError, "trials is 0; allowed is above 0"),
        (lambda: Counted(True, 60), KindError, "Counted: successes is no number"),
        (lambda: Drawn(np.array([0.1, np.nan])), NumError, "1 of 2 values are NaN; leave out"),
        (lambda: Drawn(np.array([])), KindError, "values are no list of numbers"),
        (lambda: Drawn(np.array([["a"]])), KindError, "values are no list of numbers"),
        (lambda: simulated(GYM), KindError, r"every input is a plain number; give what is uncertain as Between\(low"),
        (lambda: simulated([("leads", 3)]), KindError, "model is no mapping"),  # type: ignore[arg-type]  # the mistake
        (lambda: simulated({"churn": Between(0.1, 0.2)}), KindError, "Bucket: leads and cost_per_lead and conversion"),
        (lambda: simulated(GYM | {"chrun": Between(0.1, 0.2)}), KindError, "does not exist here; the closest is churn"),
        (lambda: simulated(GYM | {"Churn": Between(0.1, 0.2)}), KindError, "churn stands there twice"),
        (lambda: simulated(GYM | {"horizon": Between(12, 24)}), KindError, "horizon is uncertain; give the number of"),
        (lambda: simulated(GYM | {"leads": Counted(3, 5)}), KindError, "leads is a count, 3 of 5; only a share can be"),
        (lambda: simulated(GYM | {"churn": Between(0, 0.1)}), NumError, "churn lies between 0 and 0.1; allowed is abo"),
        (lambda: simulated(GYM | {"churn": Between(0.1, 3)}), NumError, "churn lies between 0.1 and 3; allowed is abo"),
        (lambda: simulated(GYM | {"leads": Between(0, 5)}), NumError, "allowed is above 0; where 0 is possible, give"),
        (lambda: simulated(GYM | {"growth": Between(-2, 0)}), NumError, "allowed is above -1 and below 1"),
        (lambda: simulated(GYM | {"churn": np.array([0.1, 1.5])}), NumError, "Bucket: churn is 1.5; allowed is 0 to 1"),
        (lambda: simulated(GYM | {"burn": 2, "churn": Between(0.1, 0.2)}), NumError, "Bucket: burn is 2; allowed is 0"),
        (lambda: simulated(GYM | {"churn": (0.1, 0.2)}), KindError, "Bucket: churn is no number"),
        (lambda: simulated(GYM | {"churn": Between(0.1, 0.2)}, draws=10), NumError, "draws is 10; allowed is a"),
        (lambda: simulated(GYM | {"churn": Between(0.1, 0.2)}, seed=-1), NumError, "seed is -1; allowed is a"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("confidence", [0.3, 1.0, "high"])
def test_an_impossible_confidence_is_refused(confidence: Any) -> None:
    with pytest.raises(NumError, match=r"confidence is .*; allowed is 0\.5 to below 1"):
        UncertainBucket.of(GYM | {"churn": Between(0.1, 0.2)}).simulate(confidence=confidence)
