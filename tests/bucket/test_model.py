"""`Bucket`: what it takes, what it refuses, and in which words."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import FrozenInstanceError
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import holdwater
from holdwater import Bucket, KindError, NumError

GYM: dict[str, Any] = {
    "leads": 100, "cost_per_lead": 15, "conversion": 0.1, "revenue_per_customer": 50, "gross_margin": 0.8,
    "churn": 0.05,
}  # fmt: skip
ROWS = [[label, value] for label, value in GYM.items()]


def test_a_range_a_mapping_and_a_bucket_are_the_same_business() -> None:
    assert Bucket.of(ROWS) == Bucket.of(GYM) == Bucket.of(Bucket(**GYM)) == Bucket(**GYM)
    assert Bucket.of(((k.upper().replace("_", " - "), v) for k, v in GYM.items())) == Bucket(**GYM)
    assert Bucket.of([["  Cost-Per  Lead ", 15], *(row for row in ROWS if row[0] != "cost_per_lead")]) == Bucket(**GYM)
    assert Bucket.of(np.array([[k, v] for k, v in GYM.items()], dtype=object)) == Bucket(**GYM)
    assert Bucket.of({**GYM, "leads": Decimal(100), "churn": np.float64(0.05)}) == Bucket(**GYM)


def test_blank_rows_are_skipped_and_blank_values_take_the_default() -> None:
    blanks = [["", ""], [None, None], [], ["discount", ""], ["lead capacity", None], ["horizon", " "], ["Run off", ""]]
    assert Bucket.of([*ROWS, *blanks]) == Bucket(**GYM)
    assert Bucket.of([[*row, None, ""] for row in ROWS]) == Bucket(**GYM)


def test_it_shows_what_differs_from_the_defaults_and_can_be_typed_again() -> None:
    bucket = Bucket(**GYM, discount=0.01, lead_capacity=80, horizon=36)
    assert repr(bucket) == (
        "Bucket(leads=100, cost_per_lead=15, conversion=0.1, revenue_per_customer=50, gross_margin=0.8, churn=0.05,"
        " lead_capacity=80, discount=0.01, horizon=36)"
    )
    assert eval(repr(bucket)) == bucket


def test_it_is_frozen_and_can_be_a_key() -> None:
    bucket = Bucket(**GYM)
    with pytest.raises(FrozenInstanceError):
        bucket.leads = 5  # type: ignore[misc]  # the mistake is the point
    assert {bucket: 1}[Bucket(**GYM)] == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"chrun": 0.05}, r"'chrun'.*closest is churn"),
        ({"customers capacity": 5}, r"closest is customer_capacity"),
        ({5: 5}, r"label in 5 is 5; give one of leads, "),
        ({"": 5}, r"label in '' is ''; give one of"),
        ({"CHURN": 0.05}, r"churn stands there twice"),
        ({"churn": None}, r"^Bucket: churn is missing"),
        ({"churn": "", "leads": None}, r"^Bucket: leads and churn are missing"),
        ({"churn": "5 %"}, r"churn is '5 %'; a number belongs here"),
        ({"churn": "0.05"}, r"churn is '0.05'; a number belongs here"),
        ({"churn": True}, r"churn is True; a number belongs here"),
        ({"churn": [0.05]}, r"churn is no number; a number belongs here"),
        ({"churn": 1j}, r"churn is no number"),
        ({"lead_capacity": "unlimited"}, r"leave it empty for unlimited"),
    ],
)
def test_what_is_no_business_at_all(changed: dict[Any, Any], message: str) -> None:
    with pytest.raises(KindError, match=message):
        Bucket.of({**GYM, **changed})


@pytest.mark.parametrize(
    "model", [[], [["", None]], [[]], None, "", "model", 5, [5], ["churn"], [["churn"]], [["churn", 1, 2]], {}]
)
def test_what_is_no_range_of_labels_and_values(model: Any) -> None:
    with pytest.raises(KindError, match=r"empty|rows|row 1|missing"):
        Bucket.of(model)
    with pytest.raises(KindError):
        holdwater.bucket_profit(model)


@pytest.mark.parametrize(
    ("label", "value", "allowed"),
    [
        ("churn", 1.2, "0 to 1"),
        ("conversion", -0.1, "0 to 1"),
        ("gross_margin", 40, "0 to 1"),
        ("discount", -1, "above -1 and at most 1"),
        ("growth", 1.5, "above -1 and at most 1"),
        ("leads", -1, "0 or more"),
        ("leads", math.inf, "0 or more"),
        ("leads", math.nan, "0 or more"),
        ("leads", 10**400, "0 or more"),
        ("customer_capacity", 0, "above 0"),
        ("lead_capacity", math.nan, "0 or more"),
        ("overload_threshold", 0, "above 0 and at most 1"),
        ("horizon", 0, "a whole number of periods from 1 to 10,000"),
        ("horizon", 2.5, "a whole number of periods"),
        ("horizon", 10_001, "a whole number of periods"),
    ],
)
def test_numbers_outside_their_domain(label: str, value: float, allowed: str) -> None:
    with pytest.raises(NumError, match=rf"^Bucket: {label} is .*allowed is {allowed}"):
        Bucket.of({**GYM, label: value})


def test_horizon_of_ten_thousand_is_answered_rightly() -> None:
    """Settled at 200 customers long before, so that more periods bring the same each."""
    profits = [Bucket(**GYM, horizon=h).profit() for h in (9_999, 10_000)]
    assert profits[1] - profits[0] == pytest.approx(100 * (0.1 * 800 - 15), rel=1e-9)
    for label in ("growth", "referral_rate"):
        with pytest.raises(NumError, match="beyond all bounds"):
            Bucket(**{**GYM, label: 1}, horizon=10_000).profit()


def test_customers_who_never_leave_have_no_finite_worth() -> None:
    for stays in ({"churn": 0}, {"churn": 0, "discount": -0.01}, {"churn": 0.01, "discount": -0.02}):
        with pytest.raises(NumError, match="no finite sum"):
            Bucket(**{**GYM, **stays}).profit()
        assert Bucket(**{**GYM, **stays}, run_off=0).profit() > 0


def test_every_function_is_a_method() -> None:
    bucket = Bucket(**GYM, lead_capacity=80)
    assert bucket.profit() == holdwater.bucket_profit(GYM | {"lead capacity": 80})
    assert bucket.projection() == holdwater.bucket_projection(bucket)
    assert bucket.lever_value("churn") == holdwater.lever_value(bucket, "churn")
    assert bucket.levers(0.2) == holdwater.levers(bucket, 0.2)
    assert Bucket(**GYM).leads_equivalent("churn") == holdwater.leads_equivalent(GYM, "churn")
    assert bucket.constraint_value("leads", 2) == holdwater.constraint_value(bucket, "leads", 2)
    assert bucket.bottleneck() == holdwater.bottleneck(bucket) == "lead_capacity"
    assert bucket.leads_safe() == holdwater.leads_safe(bucket) == 80
    assert bucket.verdict() == holdwater.verdict(bucket) == bucket.diagnosis().sentence


def test_the_formulas_do_not_load_the_bucket() -> None:
    code = (
        "import sys, holdwater; print('holdwater.bucket' in sys.modules); print(holdwater.explain('LEADS_SAFE', 5));"
        "print(holdwater.Bucket.__name__, holdwater.levers.__name__); holdwater.nothing"
    )
    environment = {"PYTHONPATH": str(Path(holdwater.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    first, second, third = done.stdout.splitlines()
    assert first == "False"
    assert second.startswith("Bucket: model is ")
    assert third == "Bucket levers"
    assert "AttributeError: module 'holdwater' has no attribute 'nothing'" in done.stderr
