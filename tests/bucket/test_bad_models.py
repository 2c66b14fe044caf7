"""Every function that takes a model, given a bad one or an extreme one: a clear error or a right answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from bucket_by_hand import profit_by_hand, rows_by_hand

import holdwater
from holdwater import KindError, NumError
from holdwater.bucket.lead_curve import LeadCurve

FIXES = [["glue", "churn", 0.1, 500, 1], ["training", "conversion", 0.1, 900, 2]]
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "BUCKET_PROJECTION": holdwater.bucket_projection,
    "BUCKET_PROFIT": holdwater.bucket_profit,
    "LEVER_VALUE": lambda model: holdwater.lever_value(model, "churn"),
    "LEVERS": holdwater.levers,
    "LEADS_EQUIVALENT": lambda model: holdwater.leads_equivalent(model, "churn"),
    "CONSTRAINT_VALUE": lambda model: holdwater.constraint_value(model, "leads"),
    "BOTTLENECK": holdwater.bottleneck,
    "LEADS_SAFE": holdwater.leads_safe,
    "VERDICT": holdwater.verdict,
    "FIX_SEQUENCE": lambda model: holdwater.fix_sequence(FIXES, model),
}
GYM: dict[str, Any] = {
    "leads": 100, "cost_per_lead": 15, "conversion": 0.1, "revenue_per_customer": 50, "gross_margin": 0.8,
    "churn": 0.05, "customer_capacity": 300,
}  # fmt: skip
without_churn = {label: value for label, value in GYM.items() if label != "churn"}

BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "missing label": (without_churn, KindError, "churn is missing"),
    "missing value": (GYM | {"churn": ""}, KindError, "churn is missing"),
    "unknown label": (GYM | {"overload slop": 0.4}, KindError, "closest is overload_slope"),
    "label twice": ([*GYM.items(), ("Churn", 0.04)], KindError, "churn stands there twice"),
    "no label": ([*GYM.items(), (7, 0.04)], KindError, "give one of leads"),
    "percent for a rate": (GYM | {"churn": 5}, NumError, r"churn is 5; allowed is 0 to 1"),
    "negative rate": (GYM | {"conversion": -0.1}, NumError, r"conversion is -0.1; allowed is 0 to 1"),
    "rate that is no number": (GYM | {"churn": math.nan}, NumError, "churn is nan"),
    "infinite leads": (GYM | {"leads": math.inf}, NumError, "leads is inf"),
    "capacity of nothing": (GYM | {"customer_capacity": 0}, NumError, "customer_capacity is 0; allowed is above 0"),
    "text in a number": (GYM | {"leads": "many"}, KindError, "leads is 'many'; a number belongs here"),
    "number as a text": (GYM | {"churn": "0.05"}, KindError, "churn is '0.05'; a number belongs here"),
    "truth in a number": (GYM | {"leads": True}, KindError, "leads is True; a number belongs here"),
    "empty range": ([["", ""], [None, None]], KindError, "empty"),
    "nothing": ([], KindError, "empty"),
    "no range": ("gym", KindError, "rows"),
    "one column": ([["leads"], ["churn"]], KindError, "not 2"),
    "three columns": ([["leads", 100, "per month"]], KindError, "not 2"),
    "horizon 0": (
        GYM | {"horizon": 0},
        NumError,
        "horizon is 0; allowed is a whole number of periods from 1 to 10,000",
    ),
    "half a period": (GYM | {"horizon": 1.5}, NumError, "horizon is 1.5; allowed is a whole number"),
    "horizon too far": (GYM | {"horizon": 10_001}, NumError, "horizon is 10001"),
    "nobody ever leaves": (GYM | {"churn": 0}, NumError, "no finite sum"),
    "growth beyond all bounds": (GYM | {"growth": 1, "horizon": 10_000}, NumError, "beyond all bounds"),
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("case", BAD)
def test_says_what_is_wrong(function: str, case: str) -> None:
    model, error, message = BAD[case]
    if function == "BUCKET_PROJECTION" and case == "nobody ever leaves":
        assert len(FUNCTIONS[function](model)) == 24, "there is no closing value in it"
        return
    with pytest.raises(error, match=message) as caught:
        FUNCTIONS[function](model)
    said = str(caught.value)
    assert said.endswith(".")
    assert said.startswith(("Bucket: ", f"{function}: "))
    assert "\n" not in said


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_sheet_shows_the_same_message(function: str) -> None:
    given = {"LEVER_VALUE": ("churn",), "LEADS_EQUIVALENT": ("churn",), "CONSTRAINT_VALUE": ("leads",)}
    bad = GYM | {"churn": 5}
    arguments = [FIXES, bad] if function == "FIX_SEQUENCE" else [bad, *given.get(function, ())]
    said = holdwater.explain(function, *arguments)
    assert "churn is 5; allowed is 0 to 1" in said


LONG = GYM | {"horizon": 10_000, "overload_slope": 0.4}


@pytest.mark.parametrize("horizon", [1, 10_000])
def test_shortest_and_longest_horizon(horizon: int) -> None:
    model = LONG | {"horizon": horizon}
    rows, _ = rows_by_hand(model)
    projection = holdwater.bucket_projection(model)
    assert [len(projection), projection[-1]] == [horizon, pytest.approx(rows[-1], rel=1e-9)]
    now = profit_by_hand(model)
    assert holdwater.bucket_profit(model) == pytest.approx(now, rel=1e-9)
    tenth = profit_by_hand(model | {"churn": 0.045}) - now
    assert holdwater.lever_value(model, "churn") == pytest.approx(tenth, rel=1e-6)
    values = {row["lever"]: row["value"] for row in holdwater.levers(model)}
    assert values["churn"] == pytest.approx(tenth, rel=1e-6)
    one_more = profit_by_hand(model, 101) - now
    assert holdwater.constraint_value(model, "leads") == pytest.approx(one_more, rel=1e-6)
    most = max(row["customers"] for row in projection)
    assert holdwater.bottleneck(model) == ("customer_capacity" if most >= 270 else "leads")
    alone = [profit_by_hand(model | {"churn": 0.045}), profit_by_hand(model | {"conversion": 0.11})]
    plan = holdwater.fix_sequence([["glue", "churn", 0.1, 0, 0], ["talk", "conversion", 0.1, 0, 0]], model)
    assert plan[0]["profit"] == pytest.approx(now, rel=1e-9)
    assert plan[-1]["profit"] >= max(*alone, now) - 1e-9 * abs(now)
    safe = holdwater.leads_safe(model)
    at_safe = profit_by_hand(model, safe)
    assert all(profit_by_hand(model, safe * times) <= at_safe for times in (0.5, 0.99, 1.01, 2))
    assert holdwater.verdict(model).endswith(".")


def test_leads_equivalent_at_the_longest_horizon() -> None:
    model = {label: value for label, value in LONG.items() if label not in ("customer_capacity", "overload_slope")}
    extra = holdwater.leads_equivalent(model, "conversion")
    # 80 a customer's worth in leads: 0.1 x 800 - 15 for each further one, and a tenth of 80 for each of today's.
    assert extra == pytest.approx(100 * 8 / 65, rel=1e-9)
    with pytest.raises(NumError, match="no limit is given"):
        holdwater.leads_safe(model)


@pytest.mark.parametrize("slope", [0, 0.4, 2.3])  # calm, settling, and swinging wildly
@pytest.mark.parametrize("rates", [{}, {"discount": 0.002, "growth": 0.001}, {"referral_rate": 0.02}])
def test_the_curve_of_leads_is_the_recurrence_however_long(slope: float, rates: dict[str, float]) -> None:
    """The curve leaves out what repeats itself, and must not be told from the whole sum."""
    for horizon in (63, 64, 65, 1000, 1003):
        model = GYM | {"overload_slope": slope, "horizon": horizon, "customers": 80, "next_lead_cost": 20} | rates
        curve = LeadCurve(holdwater.Bucket.of(model))
        for leads in (0, 60, 100, 170, 400):
            expected = profit_by_hand(model, leads)
            assert curve.profit(leads) == pytest.approx(expected, rel=1e-11, abs=1e-7)
