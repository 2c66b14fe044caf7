"""The recurrence against the same recurrence written with lists, and against the closed forms of the catalogue."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from bucket_by_hand import profit_by_hand, random_model, rows_by_hand

import holdwater
from holdwater import Bucket
from holdwater.bucket import one_more_lead, profit, project


def test_every_number_of_400_businesses() -> None:
    chance = random.Random(4)
    for _ in range(400):
        model = random_model(chance)
        rows = holdwater.bucket_projection(model)
        by_hand, _ = rows_by_hand(model)
        assert len(rows) == len(by_hand)
        for row, expected in zip(rows, by_hand, strict=True):
            assert list(row) == list(expected)
            assert row == pytest.approx(expected, rel=1e-11, abs=1e-9)
        assert holdwater.bucket_profit(model) == pytest.approx(profit_by_hand(model), rel=1e-10, abs=1e-6)


def test_further_leads_have_their_own_cost() -> None:
    chance = random.Random(5)
    for _ in range(100):
        model = random_model(chance)
        bucket, leads = Bucket.of(model), model["leads"] * chance.uniform(0, 2)
        answer = profit(replace(bucket, leads=leads), paid_today=bucket.leads)
        assert answer == pytest.approx(profit_by_hand(model, leads), rel=1e-10, abs=1e-6)
        one_more = profit_by_hand(model, model["leads"] + 1) - profit_by_hand(model)
        assert one_more_lead(bucket) == pytest.approx(one_more, rel=1e-8, abs=1e-6)


@pytest.mark.parametrize("horizon", [1, 12, 24, 120])
def test_without_limits_the_break_even_cost_is_the_lead_value(horizon: int) -> None:
    """The identity of the catalogue, with customers and fixed cost that do not depend on leads."""
    chance = random.Random(horizon)
    for _ in range(50):
        margin, churn, discount = chance.uniform(5, 500), chance.uniform(0.01, 0.5), chance.uniform(0, 0.1)
        fit_share, conversion, lead_cost = chance.uniform(0.1, 1), chance.uniform(0.01, 1), chance.uniform(0, 20)
        ltv = holdwater.ltv(margin, churn, discount)
        price = holdwater.lead_value(ltv, fit_share * conversion, lead_cost)
        if price < 0:
            continue
        bucket = Bucket(
            leads=60, cost_per_lead=price, conversion=conversion, fit_share=fit_share, revenue_per_customer=2 * margin,
            gross_margin=0.5, churn=churn, discount=discount, lead_cost=lead_cost, customers=10, horizon=horizon,
        )  # fmt: skip
        # At that price no lead flow earns more than any other.
        scale = 60 * max(price, 1) * horizon
        assert profit(bucket) == pytest.approx(profit(replace(bucket, leads=0)), abs=1e-10 * scale, rel=1e-10)
        assert bucket.constraint_value("leads") == pytest.approx(0, abs=1e-9 * scale)
        assert replace(bucket, cost_per_lead=price * 1.01).constraint_value("leads") < 0


def test_published_case_of_overload() -> None:
    """Twice the new customers bring 15.7 % more in the long run, not 100 %: H/G6 of the published facts."""
    settled = [
        list(
            project(
                Bucket(
                    leads=leads,
                    cost_per_lead=0,
                    conversion=0.1,
                    revenue_per_customer=1,
                    gross_margin=1,
                    churn=0.03,
                    customer_capacity=150,
                    overload_slope=0.3,
                    horizon=600,
                )
            )
        )[-1].customers
        for leads in (100, 200)
    ]
    assert settled == pytest.approx(
        [holdwater.customers_settled(10, 0.03, 150, 0.3), holdwater.customers_settled(20, 0.03, 150, 0.3)], rel=1e-9
    )
    assert [round(n, 1) for n in settled] == [152.7, 176.6]
